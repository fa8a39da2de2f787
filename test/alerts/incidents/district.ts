import { join } from "node:path";
import { linksOf, treesOf } from "../../../alerts/incidents/links.ts";
import { createNoise } from "../../../alerts/noise/noise.ts";
import { createNotifier } from "../../../alerts/notify/notifier.ts";
import { loadRules } from "../../../alerts/rules/check.ts";
import type { Notice, Transition } from "../../../model/alert.ts";
import { SILENT } from "../../../model/log.ts";
import type { Target } from "../../../model/target.ts";
import type { Sensor } from "../../../store/records/sensors.ts";
import { openRecords } from "../../../store/records.ts";
import { MINUTE, T0 } from "../builders.ts";

export const RULES = loadRules(join(import.meta.dirname, "../../../alerts/rules"));
const TREES = treesOf(RULES);

/** Two districts, each with three feeders of one transformer, two air stations, two detectors; the meters share a gateway. */
export const SENSORS: Sensor[] = ["north", "south"].flatMap((district, d) => {
  const meter = { kind: "energy", district, gateway: "gw-1", createdAt: T0 } as const;
  const transformer = `t-${district}`;
  return [
    { ...meter, id: transformer, tags: { ratedCurrent: "577" } },
    ...[1, 2, 3].map((n) => ({ ...meter, id: `f-${district}-${n}`, tags: { feeder: `f${d}${n}`, transformer } })),
    ...[1, 2].map((n) => ({ id: `a-${district}-${n}`, kind: "air", district, tags: {}, createdAt: T0 }) as const),
    ...[1, 2].map(
      (n) =>
        ({
          id: `d-${district}-${n}`,
          kind: "traffic",
          district,
          lat: 52.5 + n / 1000,
          lon: 13.4,
          tags: {},
          createdAt: T0,
        }) as const,
    ),
  ];
});

export type Change = Partial<Transition["alert"]> & { readonly start?: number };

/** What the engine would say of a default rule. */
export function said(
  what: "firing" | "resolved" | "retracted",
  rule: string,
  sensorId: string,
  at: number,
  { start = at, ...change }: Change = {},
): Transition {
  const { title, severity, audience, metric, source, condition } = RULES.find(({ id }) => id === rule)!;
  const sensor = SENSORS.find(({ id }) => id === sensorId);
  const district = sensor?.district ?? "north";
  const isGateway = condition.type === "quorum";
  const alert: Transition["alert"] = {
    id: `${rule}.${sensorId}.${start}`,
    rule: { id: rule, version: "1", title, source: source.text },
    subject: isGateway ? { gateway: sensorId, district } : { sensorId, district },
    kind: sensor?.kind ?? "energy",
    ...{ severity, audience, state: what, startedAt: start, firedAt: start },
    resolvedAt: what === "firing" ? undefined : at,
    ...(metric ? { metric } : {}),
    explanation: "It is so.",
    evidence: [],
    ...change,
  };
  return { alert, entry: { at, knownAt: at, what } };
}

const TARGET: Target = {
  id: "all",
  name: "All",
  type: "webhook",
  url: "https://example.org/hook",
  enabled: true,
  severityMin: "info",
  groupWait: "1m",
  createdAt: T0,
  createdBy: "anna",
};

/** The noise control and the notifications on real records in RAM. */
export function aDistrict(targets: readonly Partial<Target>[] = [], path = ":memory:") {
  let now = T0;
  const records = openRecords({ path, now: () => now, log: SILENT });
  for (const sensor of SENSORS) if (!records.sensors.get(sensor.id)) records.sensors.add(sensor);
  const notices: Notice[] = [];
  const notifier = createNotifier({
    records,
    ports: { post: async () => ({ status: 200 }), publish: async () => {}, mail: undefined },
    now: () => now,
    random: () => 0.5,
    log: SILENT,
  });
  for (const target of targets) records.targets.put({ ...TARGET, ...target });
  const start = () =>
    createNoise({
      records,
      rules: () => RULES,
      sensor: records.sensors.get,
      now: () => now,
      enqueue(notice, besides) {
        const isHeard = notifier.enqueue(notice, besides);
        if (isHeard) notices.push(notice);
        return isHeard;
      },
      log: SILENT,
      holdMs: 0,
    });
  let noise = start();
  const sent: { target: string; what: string; alert: string; id: string }[] = [];
  return {
    records,
    notices,
    now: () => now,
    apply: (...transitions: Transition[]) => records.transaction(() => noise.apply(transitions)),
    /** As where the process is killed before the commit. */
    fail(...transitions: Transition[]) {
      try {
        records.transaction(() => {
          noise.apply(transitions);
          throw new Error("killed");
        });
      } catch (error) {
        if ((error as Error).message !== "killed") throw error;
      }
      noise = start();
    },
    restart() {
      noise = start();
      noise.tick();
    },
    pass(ms: number) {
      now += ms;
      noise.tick();
    },
    /** "firing transformer-load t-north", in the order told. */
    told: () =>
      notices.map(({ what, alert }) => `${what} ${alert.rule.id} ${alert.subject.sensorId ?? alert.subject.gateway}`),
    /** Which alerts are together, whatever they are called. */
    together(): string[][] {
      const all = records.incidents
        .list({}, 10_000)
        .items.map(({ id }) => records.incidents.alertsOf(id, 100_000).sort());
      return all.sort((a, b) => (a[0]! < b[0]! ? -1 : 1));
    },
    incidents: () => records.incidents.list({}, 1_000).items,
    /** What each target was sent until now. */
    sent(): readonly { target: string; what: string; alert: string; id: string }[] {
      for (const { id: target } of records.targets.list()) {
        const next = () => records.outbox.next(target, Number.MAX_SAFE_INTEGER, 1_000);
        for (let some = next(); some.length > 0; some = next()) {
          for (const { deliveries } of some) {
            for (const { notice } of deliveries) {
              sent.push({ target, what: notice.what, alert: notice.alert.id, id: notice.id });
            }
            records.outbox.sent(deliveries, now);
            records.recipients.hears(
              target,
              deliveries.map(({ notice }) => notice.alert.id),
            );
          }
        }
      }
      return sent;
    },
  };
}

/** The second opinion: every pair is looked at, whatever came when. */
export function togetherByPairs(alerts: readonly Transition["alert"][]): string[][] {
  const held = alerts.map((alert) => {
    const sensor = SENSORS.find(({ id }) => id === alert.subject.sensorId);
    const links = linksOf(alert, sensor, TREES).filter(({ key }) => !key.startsWith("~"));
    const end = alert.state === "firing" ? Number.POSITIVE_INFINITY : alert.resolvedAt! + 15 * MINUTE;
    const reachOf = (key: string, withinMs: number) =>
      key.includes("|alert:")
        ? alert.startedAt + withinMs
        : Math.max(alert.startedAt, Math.min(alert.startedAt + withinMs, end));
    return { alert, reach: new Map(links.map(({ key, withinMs }) => [key, reachOf(key, withinMs)])) };
  });
  const group = new Map(alerts.map(({ id }) => [id, id]));
  const isNear = (a: (typeof held)[number], b: (typeof held)[number]) => {
    const [first, second] = a.alert.startedAt <= b.alert.startedAt ? [a, b] : [b, a];
    return [...first.reach].some(([key, reach]) => second.reach.has(key) && second.alert.startedAt <= reach);
  };
  for (const a of held) {
    for (const b of held) {
      if (a === b || !isNear(a, b)) continue;
      const [from, to] = [group.get(b.alert.id)!, group.get(a.alert.id)!];
      for (const [id, name] of group) if (name === from) group.set(id, to);
    }
  }
  const parts = [...Map.groupBy(group.keys(), (id) => group.get(id)!).values()].filter((ids) => ids.length > 1);
  return parts.map((ids) => ids.sort()).sort((a, b) => (a[0]! < b[0]! ? -1 : 1));
}
