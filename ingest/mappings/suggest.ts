import { setImmediate as immediate } from "node:timers/promises";
import { KINDS, type Kind } from "../../model/kinds.ts";
import { METRICS_OF, type MetricName } from "../../model/metrics.ts";
import { aboutMessage } from "../foreign.ts";
import { fieldsOf } from "../formats/fields.ts";
import { openJson } from "../formats/json.ts";
import { BASE_NAMES, readBase } from "./bases.ts";
import { compileMapping } from "./compile.ts";
import { type MessageMapping, type MetricSpec, messageMapping, type ReadingSpec } from "./schema.ts";
import { slug } from "./template.ts";
import { tryMapping } from "./trial.ts";

/** A message of a sender that no mapping takes. */
export type Stranger = {
  readonly device: string;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly receivedAt: number;
  /** Where it stands, if that is known. */
  readonly district: string | undefined;
};

type SensorLine = {
  readonly device: string;
  readonly sensor: string;
  readonly kind?: Kind;
  readonly district?: string;
};

const TOPIC_FITS = 100;
/** Stands for one while it is tried. */
const SOMEWHERE = "somewhere";
const METRICS_MAX = 40;

/** A mapping in force with this sender in it; of what it does not say of it (kind, district) so much is added as is needed. */
export function suggestSensor(text: string, spec: MessageMapping, one: Stranger): string {
  return addSensor(text, bestLine(spec, one).line);
}

function bestLine(spec: MessageMapping, { device, district, ...message }: Stranger) {
  const sensor = slug(device) || "new-sensor";
  let best: { readonly line: SensorLine; readonly score: number } = { line: { device, sensor }, score: 0 };
  for (const place of district === undefined ? [{}] : [{}, { district }]) {
    for (const kind of [{}, ...KINDS.map((one) => ({ kind: one }))]) {
      const line: SensorLine = { device, sensor, ...kind, ...place };
      const score = scoreOf({ ...spec, sensors: [line] }, message);
      if (score > best.score) best = { line, score };
    }
  }
  return best;
}

/** How many values it makes of the message. */
function scoreOf(spec: MessageMapping, { topic, payload, receivedAt }: Omit<Stranger, "device" | "district">): number {
  const { readings } = tryMapping(compileMapping("trial", 1, spec), { topic }, payload, receivedAt);
  return readings.reduce((sum, { values }) => sum + Object.keys(values).length, 0);
}

/** A new mapping for it: over the base that makes most of its message, or, where none does, by the names of its fields. */
export async function suggestMapping(one: Stranger): Promise<string> {
  let best: { readonly draft: Draft; readonly line: SensorLine; readonly score: number } | undefined;
  const consider = ({ own, device, more }: Draft) => {
    const { base, ...said } = own;
    const whole = { ...(base !== undefined && readBase(base)), ...said, district: one.district ?? SOMEWHERE };
    const checked = messageMapping.safeParse(whole);
    if (!checked.success) return;
    const { line, score } = bestLine(checked.data, { ...one, device });
    if (score > 0 && score + more > (best?.score ?? 0))
      best = { draft: { own, device, more }, line, score: score + more };
  };
  for (const name of BASE_NAMES) {
    for (const draft of overBase(name, one)) consider(draft);
    // Nobody waits for all of them.
    await immediate();
  }
  for (const draft of byNames(one)) consider(draft);
  const { own = { format: "json", ...topicsOf(one.topic) } } = best?.draft ?? {};
  const { district: _, ...line } = best?.line ?? { device: one.device, sensor: slug(one.device) || "new-sensor" };
  // Without a district it has a mistake, which is marked: only a person knows where it stands.
  return addSensor(`${written(own)}district: ${one.district ?? '""'}\n`, line);
}

/** What a new mapping says itself. */
type Own = {
  readonly base?: string;
  readonly format?: string;
  readonly topics?: readonly string[];
  readonly device?: string;
  readonly kind?: Kind;
  readonly metrics?: readonly Guess[];
};
type Draft = { readonly own: Own; readonly device: string; readonly more: number };

function written({ metrics, topics, ...rest }: Own): string {
  const lines = Object.entries(rest).map(([name, value]) => `${name}: ${quoted(value)}`);
  if (topics) lines.splice(1, 0, `topics: [${topics.map(quoted).join(", ")}]`);
  if (metrics) lines.push("metrics:", ...metrics.map((one) => `  - ${flow(one)}`));
  return `${lines.join("\n")}\n`;
}

const flow = (record: object) =>
  `{ ${Object.entries(record)
    .map(([name, value]) => `${name}: ${quoted(String(value))}`)
    .join(", ")} }`;

function overBase(name: string, one: Stranger): Draft[] {
  const checked = messageMapping.safeParse(readBase(name));
  if (!checked.success) return [];
  const compiled = compileMapping("trial", 1, checked.data);
  const fits = compiled.reads(one.topic);
  const [item] = compiled.apply(one.payload, aboutMessage(one)).items;
  if (item?.device === undefined || item.device === "") return [];
  return [{ own: { base: name, ...(!fits && topicsOf(one.topic)) }, device: item.device, more: fits ? TOPIC_FITS : 0 }];
}

/** Of an MQTT topic; a request names its mapping. */
const topicsOf = (topic: string, filter = topic) => (topic.startsWith("in/") ? {} : { topics: [filter] });

/** Names that say who it is, and ends of topics that say nothing. */
const ID_NAMES = [
  "sensorId",
  "sensor_id",
  "deviceId",
  "device_id",
  "dev_eui",
  "devEui",
  "device",
  "sensor",
  "serial",
  "id",
];
const SAID_OF_ALL = /^(?:up|data|state|status|sensor|values?|telemetry|json|measurements?|events?)$/i;

/** A JSON object whose fields are called as those of the bases are, or a bare value whose topic ends in such a name. */
function byNames(one: Stranger): Draft[] {
  const opened = openJson(one.payload);
  const levels = one.topic.startsWith("in/") ? [] : one.topic.split("/");
  const value = "value" in opened ? opened.value : undefined;
  const first = Array.isArray(value) ? value[0] : value;
  if (typeof first !== "object" || first === null) return byTopic(one, levels);
  const fields = fieldsOf(first);
  const named = ID_NAMES.find((name) => ["string", "number"].includes(typeof fields.get(name)));
  const at = levelOfDevice(levels);
  const device = named === undefined ? levels[at] : String(fields.get(named));
  if (device === undefined) return [];
  const filter = named === undefined ? levels.map((level, index) => (index === at ? "+" : level)).join("/") : one.topic;
  const guesses = [...fields.keys()].flatMap((column) => guessOf(column) ?? []).slice(0, METRICS_MAX);
  const kind = kindOf(guesses);
  const own = guesses.filter(({ metric }) => METRICS_OF[kind].includes(metric));
  if (own.length === 0) return [];
  const said = { device: `{${named ?? `topic.${at + 1}`}}`, kind, metrics: own };
  return [{ own: { format: "json", ...topicsOf(one.topic, filter), ...said }, device, more: 0 }];
}

function byTopic(one: Stranger, levels: readonly string[]): Draft[] {
  const [device, last] = levels.slice(-2);
  const guess = last === undefined ? undefined : guessOf(last);
  if (device === undefined || !guess) return [];
  const filter = [...levels.slice(0, -2), "+", last].join("/");
  const metrics = [{ ...guess, column: "value" }];
  const said = { device: `{topic.${levels.length - 1}}`, kind: kindOf([guess]), metrics };
  return [{ own: { format: "plain", ...topicsOf(one.topic, filter), ...said }, device, more: 0 }];
}

function levelOfDevice(levels: readonly string[]): number {
  const withNumber = levels.findLastIndex((level) => /\d/.test(level));
  return withNumber >= 0 ? withNumber : levels.findLastIndex((level) => !SAID_OF_ALL.test(level));
}

type Guess = { readonly column: string; readonly metric: MetricName; readonly unit?: string };

/** The kind that has most of them. */
const kindOf = (guesses: readonly Guess[]): Kind =>
  KINDS.reduce((best, kind) => {
    const count = (of: Kind) => guesses.filter(({ metric }) => METRICS_OF[of].includes(metric)).length;
    return count(kind) > count(best) ? kind : best;
  });

let known: ReadonlyMap<string, Omit<Guess, "column">> | undefined;

function guessOf(column: string): Guess | undefined {
  known ??= namesOfBases();
  const found = known.get(plainName(column));
  return found && { column, ...found };
}

const plainName = (column: string) =>
  column
    .slice(column.lastIndexOf(".") + 1 || 0)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, "");

/** What fields are called, by our metrics and by the bases; where a base asks for more (`when`) the name alone says too little. */
function namesOfBases(): ReadonlyMap<string, Omit<Guess, "column">> {
  const names = new Map<string, Omit<Guess, "column">>();
  for (const metric of KINDS.flatMap((kind) => METRICS_OF[kind])) names.set(plainName(metric), { metric });
  for (const base of BASE_NAMES) {
    const { metrics = [], readings = [] } = readBase(base) as Partial<MessageMapping>;
    const all: readonly MetricSpec[] = [...metrics, ...readings.flatMap((one: ReadingSpec) => one.metrics ?? [])];
    for (const { column, metric, unit, when } of all) {
      const name = plainName(column);
      if (!when && !names.has(name)) names.set(name, { metric, ...(unit !== undefined && { unit }) });
    }
  }
  return names;
}

/** The text with one more of `sensors`; everything else, remarks too, stays as it was written. */
export function addSensor(text: string, sensor: SensorLine): string {
  const line = flow(sensor);
  const lines = text.replace(/\n+$/, "").split("\n");
  const at = lines.findIndex((one) => /^sensors:/.test(one));
  if (at < 0)
    return [...lines.filter((one, index) => index > 0 || one !== ""), "sensors:", `  - ${line}`, ""].join("\n");
  const inline = /^sensors:\s*\[/.exec(lines[at]!);
  if (inline) {
    const rest = lines[at]!.slice(inline[0].length);
    lines[at] = `${inline[0]}${line}${/^\s*\]/.test(rest) ? "" : ", "}${rest.trimStart()}`;
    return `${lines.join("\n")}\n`;
  }
  let last = at;
  let indent = "  ";
  for (let next = at + 1; next < lines.length && !/^[^\s#-]/.test(lines[next]!); next += 1) {
    const [, lead] = /^(\s*)- /.exec(lines[next]!) ?? [];
    if (lead !== undefined && last === at) indent = lead;
    if (/\S/.test(lines[next]!) && !/^\s*#/.test(lines[next]!)) last = next;
  }
  lines.splice(last + 1, 0, `${indent}- ${line}`);
  return `${lines.join("\n")}\n`;
}

/** As YAML takes it for a text. */
function quoted(text: string): string {
  const isPlain = /^[a-z_][\w./+-]*$/i.test(text) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text);
  return isPlain ? text : JSON.stringify(text);
}
