import type { Alert } from "../../model/alert.ts";
import { KINDS } from "../../model/kinds.ts";
import { METRICS_OF } from "../../model/metrics.ts";
import type { Rule } from "../../model/rule.ts";
import type { KnownSensor } from "../../model/silence.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, parseDuration } from "../../model/time.ts";

/** Alerts of one district with the same key, begun while the other holds and at most `withinMs` later, have one cause. */
export type Link = { readonly key: string; readonly withinMs: number };

/** Load and voltage answer within seconds, oil lags by its time constant of three hours (IEC 60076-7, table 5: 180 min). */
const SAME_SENSOR_MS = 3 * HOUR_MS;
/** A battery that runs down is low before its sensor is silent. */
const SAME_DEVICE_MS = DAY_MS;
/** Bad air reaches the stations of a district within hours; limits are on hourly means. */
const AIR_MS = 3 * HOUR_MS;
const NEARBY_MS = 30 * MINUTE_MS;
/** Without a place, detectors of a district are of one jam only where they meet it at almost the same time. */
const UNPLACED_MS = 10 * MINUTE_MS;
/** What loses its power falls silent at once: as far apart as their readings are. */
const SILENT_TOGETHER_MS = 5 * MINUTE_MS;
const BEHIND_ONE_GATEWAY_MS = 15 * MINUTE_MS;
const COUNTED_MS = 7 * DAY_MS;

/** Detectors in neighbouring cells of so many degrees of latitude (500 m) are on one jam. */
const CELL_DEGREES = 0.0045;

/** The city's trees beside gateway and district: tags of a sensor that name what feeds it. */
const TREE_TAGS = ["feeder", "transformer", "cabinet", "substation"];

/** What conditions find wrong with a sensor or its way here, rather than with the city. */
const OF_DEVICES: ReadonlySet<string> = new Set(["silence", "rejections", "flatline", "spike", "drift", "register"]);
/** Every kind of sensor sends them: battery, radio, enclosure. */
const DEVICE_METRICS: ReadonlySet<string> = new Set(
  METRICS_OF.air.filter((name) => KINDS.every((kind) => METRICS_OF[kind].includes(name))),
);

type Said = Pick<Alert, "id" | "rule" | "subject" | "kind" | "metric" | "children">;
/** A sensor of the registry, with its position where that is known. */
export type PlacedSensor = KnownSensor & { readonly lat?: number; readonly lon?: number };

export type Trees = ReturnType<typeof treesOf>;

/** What the rules in force say about who may explain whom. Made once for each set of rules. */
export function treesOf(rules: readonly Rule[]) {
  const byId = new Map(rules.map((rule) => [rule.id, rule]));
  const tags = new Set(TREE_TAGS);
  /** By rule, as a parent or as a child: the rules that explain others behind one gateway or in one district. */
  const wide = new Map<
    string,
    { readonly parent: string; readonly where: "gateway" | "district"; readonly ms: number }[]
  >();
  for (const { id, condition, mode, inhibits = [] } of rules) {
    if (condition.type === "quorum" && typeof condition.by === "object") tags.add(condition.by.tag);
    for (const { rule, where } of mode === "shadow" ? [] : inhibits) {
      if (typeof where === "object") tags.add(where.tag);
      // Whom a quorum explains, it names.
      else if (where !== "sensor" && condition.type !== "quorum") for (const one of [id, rule]) add(one, where, id);
    }
  }
  function add(rule: string, where: "gateway" | "district", parent: string): void {
    wide.set(rule, [...(wide.get(rule) ?? []), { parent, where, ms: BEHIND_ONE_GATEWAY_MS }]);
  }

  /** The type of what it watches for: of a quorum, that of the rule it counts. */
  function watches(id: string, depth = 0): string | undefined {
    const condition = byId.get(id)?.condition;
    return condition?.type === "quorum" && depth < 3 ? watches(condition.rule, depth + 1) : condition?.type;
  }

  /** Of a quorum: how far apart those are that it counts. */
  function countsWithinMs(id: string): number {
    const condition = byId.get(id)?.condition;
    return condition?.type === "quorum" ? (parseDuration(condition.within ?? "1d") ?? DAY_MS) : 0;
  }

  return { watches, countsWithinMs, tags, wideOf: (rule: string) => wide.get(rule) ?? [] };
}

/** Whether it is about what measures, and not about the city. */
export function isOfDevice({ rule, metric }: Pick<Said, "rule" | "metric">, trees: Trees): boolean {
  return OF_DEVICES.has(trees.watches(rule.id) ?? "") || (metric !== undefined && DEVICE_METRICS.has(metric));
}

export const isSilence = (rule: string, trees: Trees): boolean => trees.watches(rule) === "silence";

/** Links by which the incidents of one gateway in several districts are found; nobody is put together by them. */
export const ACROSS = "~gateway:";

/** How an alert is near others. Nothing where it is of no district: an incident lives in one. */
export function linksOf(alert: Said, sensor: PlacedSensor | undefined, trees: Trees): readonly Link[] {
  const district = alert.subject.district ?? sensor?.district;
  if (district === undefined || alert.kind === "service") return [];
  const gateway = alert.subject.gateway ?? sensor?.gateway;
  const silent = isSilence(alert.rule.id, trees);
  const links = [
    ...ofSensor(alert, trees),
    ...(isOfDevice(alert, trees) ? [] : siblings(alert, sensor)),
    ...(silent ? ofSilence(gateway) : []),
    ...nodes(alert, sensor, trees, silent),
    ...wide(alert, gateway, trees),
    ...counted(alert),
  ];
  const own = new Map(links.map(({ key, withinMs }) => [`${district}|${key}`, withinMs]));
  const across: Link[] = silent && gateway !== undefined ? [{ key: `${ACROSS}${gateway}`, withinMs: 0 }] : [];
  return [...[...own].map(([key, withinMs]) => ({ key, withinMs })), ...across];
}

function ofSensor(alert: Said, trees: Trees): Link[] {
  const { sensorId } = alert.subject;
  if (sensorId === undefined) return [];
  const device = isOfDevice(alert, trees);
  return [
    { key: `sensor:${sensorId}|${device ? "device" : "city"}`, withinMs: device ? SAME_DEVICE_MS : SAME_SENSOR_MS },
  ];
}

/** Others that measure the same and moved together. */
function siblings({ kind, metric }: Said, sensor: PlacedSensor | undefined): Link[] {
  if (kind === "air") return metric === undefined ? [] : [{ key: `air:${metric}`, withinMs: AIR_MS }];
  if (kind === "energy") return metric === undefined ? [] : [{ key: `energy:${metric}`, withinMs: NEARBY_MS }];
  if (kind !== "traffic") return [];
  const cells = cellsAround(sensor);
  if (cells.length > 0) return cells.map((cell) => ({ key: `traffic:${cell}`, withinMs: NEARBY_MS }));
  return metric === undefined ? [] : [{ key: `traffic:${metric}`, withinMs: UNPLACED_MS }];
}

/** The four corners of its cell: two in cells that touch have one in common. */
function cellsAround(sensor: PlacedSensor | undefined): string[] {
  if (sensor?.lat === undefined || sensor.lon === undefined) return [];
  const row = Math.floor(sensor.lat / CELL_DEGREES);
  const width = CELL_DEGREES / Math.max(0.1, Math.cos((Math.round(sensor.lat) * Math.PI) / 180));
  const column = Math.floor(sensor.lon / width);
  return [0, 1].flatMap((north) => [0, 1].map((east) => `${row + north},${column + east}`));
}

function ofSilence(gateway: string | undefined): Link[] {
  const together = { key: "silent", withinMs: SILENT_TOGETHER_MS };
  return gateway === undefined ? [together] : [together, { key: `silent:${gateway}`, withinMs: BEHIND_ONE_GATEWAY_MS }];
}

/** What feeds it, and what it feeds: a meter of a transformer has the transformer's id in its tag. */
function nodes(
  { subject, kind, metric, rule }: Said,
  sensor: PlacedSensor | undefined,
  trees: Trees,
  silent: boolean,
): Link[] {
  if (isOfDevice({ rule, metric }, trees) && !silent) return [];
  const tags = { ...sensor?.tags, ...(subject.tag ? { [subject.tag.name]: subject.tag.value } : {}) };
  const named = Object.entries(tags).flatMap(([name, value]) => (trees.tags.has(name) ? [value] : []));
  const own = kind === "energy" && subject.sensorId !== undefined ? [subject.sensorId] : [];
  return [...named, ...own].map((node) => ({ key: `node:${node}`, withinMs: NEARBY_MS }));
}

/** One rule explains the other behind a gateway or in a district. */
function wide({ rule }: Said, gateway: string | undefined, trees: Trees): Link[] {
  return trees.wideOf(rule.id).flatMap(({ parent, where, ms }) => {
    if (where === "district") return [{ key: `explains:${parent}`, withinMs: ms }];
    return gateway === undefined ? [] : [{ key: `explains:${parent}:${gateway}`, withinMs: ms }];
  });
}

/** A quorum and each alert that it counted. */
function counted({ id, children = [] }: Said): Link[] {
  return [id, ...children].map((one) => ({ key: `alert:${one}`, withinMs: COUNTED_MS }));
}

/** Keys by which one alert names another stay as long as both: the end of one does not part them. */
export const isNaming = (key: string): boolean => key.includes("|alert:");
