import type { Kind } from "../model/kinds.ts";
import { METRICS_OF, type MetricName, type MetricRow, metricRow, metricRowOf } from "../model/metrics.ts";
import { FUTURE_MAX_MS, LATENESS_MAX_MS, type Quality, type Reading, type Values } from "../model/reading.ts";
import type { Reason } from "../model/rejection.ts";
import { MINUTE_MS } from "../model/time.ts";
import type { ReadingTopic } from "../model/topics.ts";

/** Why a value is not a reading, and one sentence for the device maker. Never holds a value of a personal-data key. */
export type Fault = { readonly reason: Reason; readonly detail: string };

export function fault(reason: Reason, detail: string): Fault {
  return { reason, detail };
}

/** Readings have no `reason`, so one property tells the two apart without a wrapper object per reading. */
export function isFault(value: object): value is Fault {
  return (value as Partial<Fault>).reason !== undefined;
}

/**
 * What devices send for "no value" (seen in the recordings, or the end of an integer range). Counts as missing only
 * where the hardware could not have measured it.
 */
const SENTINELS: ReadonlySet<number> = new Set([
  -99, -200, -273.15, -999, -9999, -99999, -32768, -2147483648, 999, 9999, 10000, 99999, 32767, 65535, 2147483647,
  4294967295,
]);

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

/**
 * One flat object, `{"measuredAt": …, "seq": …, "<metric>": number, …}`, becomes a reading or a fault. Each metric is
 * judged alone: what is refused is in `notes.values`, and the reading goes on with the rest; a fault is what has no good
 * value at all. Unknown fields are dropped, unless they look personal: then nothing is taken. Never throws.
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
    const number = typeof raw === "number" ? raw : raw === null ? undefined : toNumber(raw);
    if (number === undefined) {
      if (raw === null || isMissingText(raw)) missing += 1;
      else {
        const word = findPersonalWord(raw);
        if (word) return personalData(word);
        refused ??= [];
        refused.push(refuseValue(key as MetricName, raw, wrongType(key, raw)));
      }
      continue;
    }
    if (!(number >= row.fail[0] && number <= row.fail[1])) {
      if (SENTINELS.has(number)) missing += 1;
      else {
        refused ??= [];
        refused.push(refuseValue(key as MetricName, raw, outOfRange(key, row, number)));
      }
      continue;
    }
    values[key as MetricName] = number;
    count += 1;
    if (number < row.suspect[0] || number > row.suspect[1]) {
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
  const measuredAt = readMeasuredAt(record.measuredAt, receivedAt, at.imported);
  if (typeof measuredAt !== "number") return refuse(record, measuredAt);
  notes.missing += missing;
  if (count === 0) return noValues(at.kind, unknown);
  if (at.kind === "air") quality = flagParticleOrder(values, quality);
  notes.taken += count;
  if (quality) for (const _ in quality) notes.suspect += 1;
  if (refused) {
    notes.refused += refused.length;
    notes.values = refused;
  }
  return build(at, measuredAt, receivedAt, values, quality, journalSeq, seqOf(record.seq));
}

/**
 * The verdict a reading will get, before it is journalled: for a door that answers each reading (HTTP). `value` is the
 * reading without `sensorId`, `kind` and `district`. Whether the sensor is registered is not looked at.
 */
export function checkReading(
  at: Pick<ReadingTopic, "district" | "kind" | "sensorId"> & { readonly imported?: boolean },
  value: unknown,
  receivedAt: number,
): Verdict {
  const notes = newNotes();
  const result = readReading({ ...at, imported: at.imported ?? false }, value, receivedAt, 0, notes);
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
  measuredAt: number,
  receivedAt: number,
  values: Values,
  quality: Quality | undefined,
  journalSeq: number,
  seq: number | undefined,
): Reading {
  const { sensorId, kind, district } = at;
  const reading: { -readonly [K in keyof Reading]: Reading[K] } = {
    sensorId,
    kind,
    district,
    measuredAt,
    receivedAt,
    values,
    journalSeq,
  };
  if (quality !== undefined) reading.quality = quality;
  if (at.imported) reading.imported = true;
  if (seq !== undefined) reading.seq = seq;
  return reading;
}

/** A number as JSON writes it: also inside quotes, as many gateways send them. */
const JSON_NUMBER = /^-?(?:0|[1-9]\d{0,30})(?:\.\d{1,30})?(?:[eE][+-]?\d{1,3})?$/;

function toNumber(raw: unknown): number | undefined {
  if (typeof raw === "number") return raw;
  return typeof raw === "string" && JSON_NUMBER.test(raw) ? Number(raw) : undefined;
}

/** A counter is whole; what is not says nothing about messages sent again. */
function seqOf(raw: unknown): number | undefined {
  if (raw === undefined || raw === null) return undefined;
  const seq = toNumber(raw);
  return Number.isSafeInteger(seq) && seq! >= 0 ? seq : undefined;
}

const MISSING_TEXTS: ReadonlySet<string> = new Set([
  // A field left empty, and what spreadsheets and people write in one.
  "",
  "-",
  "--",
  "n/a",
  "na",
  "null",
  "none",
  // Home Assistant's states of an entity that has no value.
  "unavailable",
  "unknown",
  // What Arduino's Print writes for a float that is none.
  "nan",
  "inf",
  "-inf",
  "ovf",
]);

function isMissingText(raw: unknown): boolean {
  return typeof raw === "string" && raw.length <= 12 && MISSING_TEXTS.has(raw.trim().toLowerCase());
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

function noteUnknown(notes: ValueNotes, names: readonly string[]): void {
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
  return fault("no_values", unknown ? `Not one metric has a value: ${explainUnknownKey(unknown[0]!, kind)}` : none);
}

/** Whatever else is wrong with it: a reading with a personal key is that first, because then nothing of it is kept. */
function refuse(record: Record<string, unknown>, other: Fault): Fault {
  const word = findPersonalWord(record);
  return word ? personalData(word) : other;
}

/** Names the word, not the key: a key may hold the very plate. */
export function personalData(word: string): Fault {
  return fault("personal_data", `A key contains "${word}": personal data is not taken, the payload was not kept.`);
}

function notAnObject(value: unknown): Fault {
  const word = findPersonalWord(value);
  return word ? personalData(word) : fault("malformed_reading", `A reading is a JSON object, not ${nameType(value)}.`);
}

function wrongType(key: string, value: unknown): Fault {
  return fault("wrong_type", `${key} must be a number or null, not ${nameType(value)}${textHint(value)}.`);
}

const DECIMAL_COMMA = /^\s*([-+]?\d{1,15}),(\d{1,15})\s*$/;
const NUMBER_AND_MORE = /^\s*[-+]?\d{1,15}(?:[.,]\d{1,15})?\s*[^\d\s.,:-][^\d,:-]{0,9}$/;

/** What a text probably meant. Shows digits only: any other text may be anything. */
function textHint(value: unknown): string {
  if (typeof value !== "string" || value.length > 40) return "";
  const comma = DECIMAL_COMMA.exec(value);
  if (comma) return `: it has a decimal comma, write ${comma[1]}.${comma[2]}`;
  if (NUMBER_AND_MORE.test(value)) return ": send the number alone, without its unit";
  return value.trim() !== value && toNumber(value.trim()) !== undefined ? ": it has blanks around the number" : "";
}

function outOfRange(key: string, row: MetricRow, value: number): Fault {
  const unit = row.unit && ` ${row.unit}`;
  const hint = unitHint(row, value);
  return fault(
    "out_of_range",
    `${key} is ${value}; the hardware limits are ${row.fail[0]} to ${row.fail[1]}${unit}${hint}.`,
  );
}

/** By our unit: what devices send instead, and how it becomes ours. */
const OTHER_UNITS: Readonly<Record<string, readonly (readonly [string, (value: number) => number])[]>> = {
  "°C": [
    ["kelvin", (value) => value - 273.15],
    ["degrees Fahrenheit", (value) => ((value - 32) * 5) / 9],
    ["hundredths of a degree", (value) => value / 100],
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
    ["tenths of a percent", (value) => value / 10],
    ["hundredths of a percent", (value) => value / 100],
  ],
  "": [["percent", (value) => value / 100]],
  "mg/m³": [["µg/m³", (value) => value / 1000]],
};

/** Out of range, and well within it if it were another unit. */
function unitHint({ unit, suspect: [low, high] }: MetricRow, value: number): string {
  const found = OTHER_UNITS[unit]?.find(([, toOurs]) => toOurs(value) >= low && toOurs(value) <= high);
  return found ? `; it looks like ${found[0]}` : "";
}

function nameType(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** ISO 8601 calendar date, time and zone, as RFC 3339 narrows it; seconds may be left out, `+0100` and `+01` are taken. */
const ISO = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d\d)(?::?(\d\d))?)$/;
const YEAR_2000 = 946_684_800_000;
const YEAR_2100 = 4_102_444_800_000;

/** Epoch milliseconds (fractions beyond are cut), or undefined unless the text names a real moment from 1970 on. */
export function parseIsoTime(text: string): number | undefined {
  if (text.length > 40) return undefined;
  const parts = ISO.exec(text);
  if (!parts) return undefined;
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  const [hour, minute, second] = [Number(parts[4]), Number(parts[5]), Number(parts[6] ?? 0)];
  if (year < 1970 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return undefined;
  if (day > 28 && day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return undefined;
  const ms = parts[7] ? Number(parts[7].padEnd(3, "0").slice(0, 3)) : 0;
  const utc = Date.UTC(year, month - 1, day, hour, minute, second, ms);
  if (parts[8] === undefined) return utc;
  const [offsetHours, offsetMinutes] = [Number(parts[9]), Number(parts[10] ?? 0)];
  if (offsetHours > 14 || offsetMinutes > 59) return undefined;
  const offset = (offsetHours * 60 + offsetMinutes) * MINUTE_MS;
  return parts[8] === "-" ? utc + offset : utc - offset;
}

/**
 * When a reading was measured: `raw` is its `measuredAt` (ISO 8601 with a zone, or epoch milliseconds; missing means
 * received-at), judged by the clock rules of `model/reading.ts` against `receivedAt`. History (`imported`) may be old.
 */
export function readMeasuredAt(raw: unknown, receivedAt: number, imported: boolean): number | Fault {
  if (raw === undefined || raw === null) return receivedAt;
  const time = typeof raw === "string" ? parseIsoTime(raw) : typeof raw === "number" ? epochMs(raw) : undefined;
  if (time === undefined) return fault("bad_timestamp", badTimestamp(raw));
  if (time - receivedAt > FUTURE_MAX_MS) {
    return fault(
      "future",
      `measuredAt is ${duration(time - receivedAt)} ahead of the service's clock; 5 min are allowed.`,
    );
  }
  const seconds = typeof raw === "number" && raw < YEAR_2000;
  if (imported) return seconds ? fault("bad_timestamp", SECONDS_HINT) : time;
  if (receivedAt - time <= LATENESS_MAX_MS) return time;
  if (seconds) return fault("too_late", SECONDS_HINT);
  return fault(
    "too_late",
    `measuredAt is ${duration(receivedAt - time)} old; 7 days are allowed, history goes to import/….`,
  );
}

const SECONDS_HINT = "measuredAt lies before 2000: a number means epoch milliseconds, not seconds.";

function epochMs(raw: number): number | undefined {
  return Number.isInteger(raw) && raw >= 0 && raw <= YEAR_2100 ? raw : undefined;
}

function badTimestamp(raw: unknown): string {
  if (typeof raw === "string" && ISO.test(`${raw}Z`)) return "measuredAt has no zone: end it with Z or an offset.";
  if (typeof raw === "string" && ISO.test(raw)) return "measuredAt is not a real date and time from 1970 on.";
  if (typeof raw === "number") return "measuredAt as a number must be whole epoch milliseconds between 1970 and 2100.";
  return "measuredAt must be ISO 8601 with a zone, such as 2026-11-21T10:00:00Z, or epoch milliseconds.";
}

function duration(ms: number): string {
  const minutes = Math.round(ms / MINUTE_MS);
  if (minutes < 120) return `${minutes} min`;
  return minutes < 2880 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`;
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
]);
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

const row = new Uint8Array(KEY_CHARS_SHOWN + 1);

/** Levenshtein distance, in one row. Both texts have at most `KEY_CHARS_SHOWN` characters. */
function editDistance(a: string, b: string): number {
  for (let j = 0; j <= b.length; j++) row[j] = j;
  for (let i = 1; i <= a.length; i++) {
    let diagonal = row[0]!;
    row[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const swap = diagonal + (a.charCodeAt(i - 1) === b.charCodeAt(j - 1) ? 0 : 1);
      diagonal = row[j]!;
      row[j] = Math.min(swap, diagonal + 1, row[j - 1]! + 1);
    }
  }
  return row[b.length]!;
}

/**
 * Data minimisation: a key that looks like a number plate, a radio address, a subscriber or a picture of someone. Keys
 * are cut into words first (`wifi_mac`, `numberPlate`, `faceId`), so that `surface`, `template` or `photovoltaic` do
 * not match. Only keys that are not metrics come here.
 */
const WORDS: ReadonlySet<string> = new Set(
  (
    "plate plates numberplate numberplates licence licences license licenses licenceplate licenseplate " +
    "mac macs macaddr macaddress wifimac bssid ssid imei imsi iccid msisdn phone email " +
    "image images img face faces faceid photo photos photograph picture pictures"
  ).split(" "),
);
/** If none of these is anywhere in a plain text, no key of it can match: one scan instead of one test per key. */
const ROOTS = /plate|licen[cs]e|mac|ssid|ime?i|imsi|iccid|msisdn|phone|email|image|img|face|photo|picture/;
const WORD_BREAK = /(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z]+/;
const NOT_ASCII = /[^\0-\x7f]/;
/** What may have a plain form: combining marks are none of it. */
const MAYBE_LETTER = /[^\0-\x7f\p{M}]/gu;

/** The word that makes a key look personal, or undefined. Full-width letters count as their plain form. */
export function personalWord(key: string): string | undefined {
  const plain = plainLetters(key);
  if (!ROOTS.test(plain.toLowerCase())) return undefined;
  for (const word of plain.split(WORD_BREAK)) {
    const lower = word.toLowerCase();
    if (WORDS.has(lower)) return lower;
  }
  // All small or all capital letters joined by nothing, such as LICENCEPLATE or myimei2.
  return /(licen[cs]e|number)plate|imei|imsi|bssid|macaddr/.exec(plain.toLowerCase())?.[0];
}

const KEYS_KNOWN_MAX = 4_096;
/** Devices send the same fields again and again: those found harmless are not cut into words each time. */
const harmlessKeys = new Set<string>();

function personalKey(key: string): string | undefined {
  if (harmlessKeys.has(key)) return undefined;
  const word = personalWord(key);
  if (word === undefined && key.length <= KEY_CHARS_SHOWN) {
    if (harmlessKeys.size >= KEYS_KNOWN_MAX) harmlessKeys.clear();
    harmlessKeys.add(key);
  }
  return word;
}

/** Looks through a parsed value at any depth; walks with a stack of its own, because the depth is the sender's choice. */
export function findPersonalWord(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next !== "object" || next === null) continue;
    if (Array.isArray(next)) {
      for (const item of next) waiting.push(item);
      continue;
    }
    for (const key of Object.keys(next)) {
      const word = personalWord(key);
      if (word) return word;
      waiting.push((next as Record<string, unknown>)[key]);
    }
  }
  return undefined;
}

/**
 * The same question for a text that may not be JSON at all: whatever stands before a colon is taken for a key. Errs on
 * the side of yes, because the answer decides whether the payload may be kept.
 */
export function findPersonalWordInText(text: string): string | undefined {
  if (!text.includes("\\") && !NOT_ASCII.test(text) && !ROOTS.test(text.toLowerCase())) return undefined;
  const seen = new Set<string>();
  let start = 0;
  for (let colon = text.indexOf(":"); colon !== -1; colon = text.indexOf(":", start)) {
    const before = text.slice(start, colon).trimEnd();
    const key = before.slice(Math.max(before.lastIndexOf(","), before.lastIndexOf("{")) + 1);
    start = colon + 1;
    if (seen.has(key)) continue;
    seen.add(key);
    const word = personalWord(unescaped(key));
    if (word) return word;
  }
  return undefined;
}

/**
 * Compatibility forms become plain letters, one character at a time: normalising a whole text sorts its combining marks,
 * and a long run of them takes time with the square of its length.
 */
function plainLetters(text: string): string {
  return NOT_ASCII.test(text) ? text.replace(MAYBE_LETTER, (character) => character.normalize("NFKC")) : text;
}

/** `pl\u0061te` is `plate` to a JSON parser, so it is to us. */
function unescaped(key: string): string {
  if (!key.includes("\\")) return key;
  return key.replace(/\\u([0-9a-fA-F]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
