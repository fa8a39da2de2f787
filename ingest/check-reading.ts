import type { Kind } from "../model/kinds.ts";
import { METRICS_OF, type MetricName, type MetricRow, metricRow, metricRowOf } from "../model/metrics.ts";
import { editDistance } from "../model/nearest.ts";
import type { Quality, Reading, Values } from "../model/reading.ts";
import { type Fault, fault, isFault } from "../model/rejection.ts";
import { DEFAULT_SITE, type Site } from "../model/site.ts";
import { isMissingText, isStandInOutside } from "../model/stand-ins.ts";
import type { ReadingTopic } from "../model/topics.ts";
import { findPersonalWord, personalData, personalKey } from "./personal-data.ts";
import { readMeasuredAt } from "./reading-time.ts";

/** One value that was refused; the rest of its reading goes on. `raw` is the value as JSON text, cut where it is long. */
export type RefusedValue = Fault & { readonly metric: MetricName; readonly raw: string };

/**
 * What became of the values of a message, filled in while its readings are read. Each value that was judged ends in
 * exactly one place: taken (`suspect` ones are among them), missing or refused. Values of an item that was refused for
 * something else (its time) were not judged.
 */
export type ValueNotes = {
  taken: number;
  suspect: number;
  missing: number;
  refused: number;
  /** Of the reading that was read last. */
  values: readonly RefusedValue[];
  /** Fields that are no metrics, by name, with how often each came: so many names, and the rest is left out. */
  unknown: Map<string, number> | undefined;
};

export function newNotes(): ValueNotes {
  return { taken: 0, suspect: 0, missing: 0, refused: 0, values: NONE, unknown: undefined };
}

const NONE: readonly never[] = Object.freeze([]);
/** Names of unknown fields that are told of one message; a message of 64 KiB can have thousands. */
const UNKNOWN_NAMES_MAX = 20;
const RAW_CHARS_MAX = 200;
/** Less than any sensor resolves: what is left of a float that went to zero, or of bytes that were none. */
const NOTHING = 1e-30;

/**
 * One flat object, `{"measuredAt": …, "seq": …, "<metric>": number, …}`, becomes a reading or a fault. Each metric is
 * judged alone: what is refused is in `notes.values`, and the reading goes on with the rest; a fault is what has no good
 * value at all, but for history whose values are all missing, which is a reading without values. Unknown fields are dropped, unless they look personal: then nothing is taken. Never throws.
 *
 * A plain loop instead of a schema: this runs for every reading of the city, and what it must say (which key, which
 * limit, clamp, flag) is more than a schema's yes or no; zod guards the doors that see few messages.
 */
export function readReading(
  at: ReadingTopic,
  value: unknown,
  receivedAt: number,
  journalSeq: number,
  notes: ValueNotes = newNotes(),
  site: Site = DEFAULT_SITE,
): Reading | Fault {
  notes.values = NONE;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return notAnObject(value);
  const record = value as Record<string, unknown>;
  const values: Values = {};
  let quality: Quality | undefined;
  let refused: RefusedValue[] | undefined;
  let unknown: string[] | undefined;
  let count = 0;
  let missing = 0;
  const own = site.standIns;
  for (const key in record) {
    const raw = record[key];
    const row = metricRowOf(at.kind, key);
    if (row === undefined) {
      if (key === "measuredAt" || (key === "seq" && (raw === null || toNumber(raw) !== undefined))) continue;
      const word = personalKey(key) ?? findPersonalWord(raw);
      if (word) return personalData(word);
      unknown ??= [];
      unknown.push(key);
      continue;
    }
    let number = typeof raw === "number" ? raw : raw === null ? undefined : toNumber(raw);
    if (number === undefined) {
      if (raw === null || isMissingText(raw)) missing += 1;
      else if (key === "lampState" && SWITCH.has(raw)) {
        values.lampState = SWITCH.get(raw)!;
        count += 1;
      } else {
        const word = findPersonalWord(raw);
        if (word) return personalData(word);
        refused ??= [];
        refused.push(refuseValue(key as MetricName, raw, wrongType(key, raw)));
      }
      continue;
    }
    if (number < NOTHING && number > -NOTHING) number = 0;
    if (own?.get(key)?.includes(number)) {
      missing += 1;
      continue;
    }
    if (!(number >= row.fail[0] && number <= row.fail[1])) {
      if (isStandInOutside(key, number)) missing += 1;
      else {
        refused ??= [];
        refused.push(refuseValue(key as MetricName, raw, outOfRange(key, row, number)));
      }
      continue;
    }
    if (row.missingAt?.includes(number)) {
      missing += 1;
      continue;
    }
    values[key as MetricName] = number;
    count += 1;
    const usual = row.site === undefined ? row.suspect : site[row.site];
    const isFar = number >= row.suspectFrom || number <= -row.suspectFrom;
    if (number < usual[0] || number > usual[1] || (isFar && row.suspectAt.includes(number))) {
      quality ??= {};
      quality[key as MetricName] = "suspect";
      // Analysers overshoot; more than saturated is not a humidity.
      if (key === "relativeHumidity" && number > 100) values.relativeHumidity = 100;
    }
  }
  if (unknown) noteUnknown(notes, unknown);
  if (count === 0 && refused) {
    notes.missing += missing;
    notes.refused += refused.length;
    const { reason, detail } = refused[0]!;
    return refuse(record, { reason, detail });
  }
  const time = readMeasuredAt(record.measuredAt, receivedAt, at.imported);
  if (typeof time !== "number") return refuse(record, time);
  notes.missing += missing;
  // Of history nobody could say later that the sensor was there: it is kept as a sign of life without a value.
  const isSign = at.imported && missing > 0;
  if (count === 0 && !isSign) return noValues(at.kind, unknown);
  if (at.kind === "air") quality = flagParticleOrder(values, quality);
  notes.taken += count;
  if (quality) for (const _ in quality) notes.suspect += 1;
  if (refused) {
    notes.refused += refused.length;
    notes.values = refused;
  }
  return build(at, time, receivedAt, values, quality, journalSeq, seqOf(record.seq));
}

/**
 * The verdict a reading will get, before it is journalled: for a door that answers each reading (HTTP). `value` is the
 * reading without `sensorId`, `kind` and `district`. Whether the sensor is registered is not looked at.
 */
export function checkReading(
  at: Pick<ReadingTopic, "district" | "kind" | "sensorId"> & { readonly imported?: boolean },
  value: unknown,
  receivedAt: number,
  site?: Site,
): Verdict {
  const notes = newNotes();
  const result = readReading({ ...at, imported: at.imported ?? false }, value, receivedAt, 0, notes, site);
  if (isFault(result)) return result;
  const ignored = [...(notes.unknown?.keys() ?? [])].map((name) => ({
    name,
    detail: explainUnknownKey(name, at.kind),
  }));
  return { ok: true, measuredAt: result.measuredAt, refused: notes.values, ignored };
}

/** `refused`: values that are not taken, while the reading is. `ignored`: fields that are no metrics. */
export type Verdict =
  | Fault
  | {
      readonly ok: true;
      readonly measuredAt: number;
      readonly refused: readonly RefusedValue[];
      readonly ignored: readonly { readonly name: string; readonly detail: string }[];
    };

function build(
  at: ReadingTopic,
  /** NaN: the device's clock was never set. */
  time: number,
  receivedAt: number,
  values: Values,
  quality: Quality | undefined,
  journalSeq: number,
  seq: number | undefined,
): Reading {
  const { sensorId, kind, district } = at;
  const isSet = !Number.isNaN(time);
  const reading: { -readonly [K in keyof Reading]: Reading[K] } = {
    sensorId,
    kind,
    district,
    measuredAt: isSet ? time : receivedAt,
    receivedAt,
    values,
    journalSeq,
  };
  if (!isSet) reading.clock = true;
  if (quality !== undefined) reading.quality = quality;
  if (at.imported) reading.imported = true;
  if (seq !== undefined) reading.seq = seq;
  return reading;
}

/**
 * A number as a text, as devices write it beside JSON's way: filled up with blanks (AVR's `dtostrf`) or zeros, with the
 * sign that SDI-12 puts before every value, without a digit on one side of the point.
 */
const NUMBER_TEXT = /^ {0,20}[-+]?(?:\d{1,31}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,3})?\s{0,20}$/;

function toNumber(raw: unknown): number | undefined {
  if (typeof raw === "number") return raw;
  return typeof raw === "string" && NUMBER_TEXT.test(raw) ? Number(raw) : undefined;
}

/** A lamp is on or off, and controllers say so in words. */
const SWITCH: ReadonlyMap<unknown, number> = new Map<unknown, number>([
  [true, 1],
  [false, 0],
  ...["on", "On", "ON", "true", "True", "TRUE"].map((word) => [word, 1] as const),
  ...["off", "Off", "OFF", "false", "False", "FALSE"].map((word) => [word, 0] as const),
]);

/** A counter is whole; what is not says nothing about messages sent again. */
function seqOf(raw: unknown): number | undefined {
  if (raw === undefined || raw === null) return undefined;
  const seq = toNumber(raw);
  return Number.isSafeInteger(seq) && seq! >= 0 ? seq : undefined;
}

function refuseValue(metric: MetricName, raw: unknown, { reason, detail }: Fault): RefusedValue {
  return { metric, reason, detail, raw: rawText(raw) };
}

/** The value as JSON text. What is longer than it may be ends with "…", and is JSON no more. */
function rawText(raw: unknown): string {
  const text = jsonText(raw);
  return text.length > RAW_CHARS_MAX ? `${text.slice(0, RAW_CHARS_MAX).toWellFormed()}…` : text;
}

function jsonText(raw: unknown): string {
  // JSON has no word for it; this is how it was read.
  if (typeof raw === "number" && !Number.isFinite(raw)) return raw > 0 ? "1e400" : "-1e400";
  try {
    return JSON.stringify(raw) ?? "";
  } catch {
    return "[…"; // nested so deep that it cannot be written, only read
  }
}

export function noteUnknown(notes: ValueNotes, names: readonly string[]): void {
  notes.unknown ??= new Map();
  for (const key of names) {
    const name = showKey(key);
    const known = notes.unknown.get(name);
    if (known !== undefined) notes.unknown.set(name, known + 1);
    else if (notes.unknown.size < UNKNOWN_NAMES_MAX) notes.unknown.set(name, 1);
  }
}

function noValues(kind: Kind, unknown: readonly string[] | undefined): Fault {
  const none = "Not one metric has a value: null and stand-ins such as -999 count as missing.";
  if (!unknown) return fault("no_values", none);
  // What says most to its maker: a key that was probably meant for one of ours.
  const told = unknown.slice(0, UNKNOWN_NAMES_MAX).find((key) => nearestMetric(key, kind)) ?? unknown[0]!;
  return fault("no_values", `Not one metric has a value: ${explainUnknownKey(told, kind)}`);
}

/** Whatever else is wrong with it: a reading with a personal key is that first, because then nothing of it is kept. */
function refuse(record: Record<string, unknown>, other: Fault): Fault {
  const word = findPersonalWord(record);
  return word ? personalData(word) : other;
}

function notAnObject(value: unknown): Fault {
  const word = findPersonalWord(value);
  return word ? personalData(word) : fault("malformed_reading", `A reading is a JSON object, not ${nameType(value)}.`);
}

function wrongType(key: string, value: unknown): Fault {
  return fault("wrong_type", `${key} must be a number or null, not ${nameType(value)}${textHint(value)}.`);
}

const DECIMAL_COMMA = /^\s*([-+]?\d{1,15}),(\d{1,15})\s*$/;
/** Units have digits, too: "12.4 ug/m3". */
const NUMBER_AND_MORE = /^\s*[-+]?\d{1,15}(?:[.,]\d{1,15})?\s*[^\d\s.,:-][^,:-]{0,9}$/;

/** What a text probably meant. Shows digits only: any other text may be anything. */
function textHint(value: unknown): string {
  if (typeof value !== "string" || value.length > 40) return "";
  const comma = DECIMAL_COMMA.exec(value);
  if (comma) return `: it has a decimal comma, write ${comma[1]}.${comma[2]}`;
  return NUMBER_AND_MORE.test(value) ? ": send the number alone, without its unit" : "";
}

function outOfRange(key: string, row: MetricRow, value: number): Fault {
  const unit = row.unit && ` ${row.unit}`;
  const hint = unitHint(key, row, value);
  return fault("out_of_range", `${key} is ${value}; possible is ${row.fail[0]} to ${row.fail[1]}${unit}${hint}.`);
}

/** Integers that stand for parts of a unit, such as 215 for 21.5. */
const parts = (count: number) => (value: number) =>
  Number.isInteger(value) && Math.abs(value) >= 10 * count ? value / count : Number.NaN;
type OtherUnit = readonly [string, (value: number) => number];

/** By our unit, or the metric where it has none: what devices send instead, and how it becomes ours. */
const OTHER_UNITS: Readonly<Record<string, readonly OtherUnit[]>> = {
  "°C": [
    ["kelvin", (value) => value - 273.15],
    ["degrees Fahrenheit", (value) => ((value - 32) * 5) / 9],
    ["tenths of a degree", parts(10)],
    ["hundredths of a degree", parts(100)],
  ],
  V: [["millivolts", (value) => value / 1000]],
  hPa: [
    ["pascal", (value) => value / 100],
    ["kilopascal", (value) => value * 10],
  ],
  Hz: [["millihertz", (value) => value / 1000]],
  kW: [["watts", (value) => value / 1000]],
  kvar: [["var", (value) => value / 1000]],
  A: [["milliamperes", (value) => value / 1000]],
  "%": [
    ["tenths of a percent", parts(10)],
    ["hundredths of a percent", parts(100)],
  ],
  // Little beyond 1 is noise of a good load.
  powerFactor: [["percent", (value) => (Math.abs(value) >= 10 ? value / 100 : Number.NaN)]],
  "mg/m³": [["µg/m³", (value) => value / 1000]],
};

/** Out of range, and well within it if it were another unit. */
function unitHint(key: string, { unit, suspect: [low, high] }: MetricRow, value: number): string {
  const others = OTHER_UNITS[unit || key];
  const found = others?.find(([, toOurs]) => toOurs(value) >= low && toOurs(value) <= high);
  return found ? `; it looks like ${found[0]}` : "";
}

function nameType(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** µg/m³, and the share of the coarser fraction. */
const TOLERANCE = 2;
const TOLERANCE_SHARE = 0.1;
/** Each pair with the finer fraction first: a part cannot weigh more than the whole. */
const PAIRS: readonly (readonly [MetricName, MetricName])[] = [
  ["pm1", "pm25"],
  ["pm25", "pm10"],
  ["pm1", "pm10"],
];

/**
 * pm1 ≤ pm25 ≤ pm10 with a tolerance of 2 µg/m³ or 10 %, whichever is more. Reference-grade stations break it in 3-8 %
 * of hours, so both values are flagged and never rejected. Answers the quality to go on with.
 */
function flagParticleOrder(values: Values, quality: Quality | undefined): Quality | undefined {
  let flags = quality;
  for (const [fine, coarse] of PAIRS) {
    const part = values[fine];
    const whole = values[coarse];
    if (part === undefined || whole === undefined) continue;
    if (part <= whole + Math.max(TOLERANCE, TOLERANCE_SHARE * whole)) continue;
    flags ??= {};
    flags[fine] = "suspect";
    flags[coarse] = "suspect";
  }
  return flags;
}

const KEY_CHARS_SHOWN = 40;
/** What other makers call our metrics. */
const ALIASES: ReadonlyMap<string, MetricName> = new Map([
  ["humidity", "relativeHumidity"],
  ["rh", "relativeHumidity"],
  ["temp", "temperature"],
  ["power", "activePower"],
  ["batterylevel", "battery"],
  ["vbat", "batteryVoltage"],
  ["batv", "batteryVoltage"],
  ["hum", "relativeHumidity"],
  ["rhum", "relativeHumidity"],
  ["atmp", "temperature"],
  ["pm01", "pm1"],
  ["pm02", "pm25"],
  ["pm25atm", "pm25"],
  ["pm100atm", "pm10"],
  ["rco2", "co2"],
  ["pf", "powerFactor"],
]);
/** What other makers call the time, and the object that holds the values. */
const TIME_KEYS =
  /^(?:time(?:_?stamp)?(?:_?utc)?|ts|t|date(?:_?time)?|dt|epoch|observed_?at|date_?observed|recorded_?at|sampled_?at)$/i;
const NESTING_KEYS = /^(?:values|data|payload|fields|measurements?|readings?|metrics|object|uplink_message)$/i;
const TOPIC_KEYS: ReadonlySet<string> = new Set(["sensorId", "kind", "district", "deviceId"]);

/** A key from outside, fit for a sentence: one line, printable, short. */
function showKey(key: string): string {
  const shown = key
    .slice(0, KEY_CHARS_SHOWN)
    .toWellFormed()
    .replace(/[^\x20-\x7e\u00a1-\u024f]/g, "?");
  return key.length > KEY_CHARS_SHOWN ? `${shown}…` : shown;
}

/** Says which key is unknown and, if it can, what was probably meant. */
export function explainUnknownKey(key: string, kind: Kind): string {
  const shown = showKey(key);
  if (TOPIC_KEYS.has(key)) return `"${shown}" does not belong here: the topic says whose reading it is.`;
  if (TIME_KEYS.test(key)) return `"${shown}" is not taken: the time of a reading is "measuredAt".`;
  if (NESTING_KEYS.test(key))
    return `"${shown}" is not taken: metrics stand in the reading itself, not in an object within.`;
  if (metricRow(key)) return `"${shown}" is not a metric of ${kind} sensors.`;
  const near = nearestMetric(key, kind);
  const hint = near ? `; did you mean "${near}"?` : ".";
  return `"${shown}" is not a metric of ${kind} sensors${hint}`;
}

function nearestMetric(key: string, kind: Kind): MetricName | undefined {
  if (key.length > KEY_CHARS_SHOWN) return undefined;
  const bare = key.toLowerCase().replace(/[^a-z0-9]/g, "");
  const names = METRICS_OF[kind];
  const alias = ALIASES.get(bare);
  if (alias && names.includes(alias)) return alias;
  let best: MetricName | undefined;
  let bestDistance = bare.length > 5 ? 3 : bare.length > 3 ? 2 : 1;
  for (const name of names) {
    const other = name.toLowerCase();
    if (Math.abs(other.length - bare.length) >= bestDistance || !sharesAnEnd(bare, other)) continue;
    const distance = editDistance(bare, other);
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}

/** A message may have 500 unknown keys, each to be compared with every metric: most are told apart by this. */
const sharesAnEnd = (a: string, b: string) => a[0] === b[0] || a.at(-1) === b.at(-1);
