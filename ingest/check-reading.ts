import { type MetricName, type MetricRow, metricRowOf } from "../model/metrics.ts";
import type { Quality, Reading, Values } from "../model/reading.ts";
import type { ReadingTopic } from "../model/topics.ts";
import { type Fault, fault, isFault } from "./fault.ts";
import { readMeasuredAt } from "./measured-at.ts";
import { findPersonalWord } from "./personal-keys.ts";
import { flagParticleOrder } from "./plausibility.ts";
import { explainUnknownKey } from "./unknown-key.ts";

/**
 * What devices send for "no value" (seen in the recordings, or the end of an integer range). Counts as missing only
 * where the hardware could not have measured it.
 */
const SENTINELS: ReadonlySet<number> = new Set([
  -99, -200, -273.15, -999, -9999, -99999, -32768, -2147483648, 999, 9999, 10000, 99999, 32767, 65535, 2147483647,
  4294967295,
]);

/**
 * One flat object, `{"measuredAt": …, "seq": …, "<metric>": number, …}`, becomes a reading or a fault. null is a missing
 * value. Never throws.
 *
 * A plain loop instead of a schema: this runs for every reading of the city, and what it must say (which key, which
 * limit, clamp, flag) is more than a schema's yes or no; zod guards the doors that see few messages.
 */
export function readReading(at: ReadingTopic, value: unknown, receivedAt: number, journalSeq: number): Reading | Fault {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return notAnObject(value);
  const record = value as Record<string, unknown>;
  const values: Values = {};
  let quality: Quality | undefined;
  let count = 0;
  for (const key in record) {
    const raw = record[key];
    const row = metricRowOf(at.kind, key);
    if (row === undefined) {
      if (key === "measuredAt" || (key === "seq" && (typeof raw === "number" || raw === null))) continue;
      return refuse(record, key === "seq" ? wrongType(key, raw) : unknownKey(key, at));
    }
    if (raw === null) continue;
    if (typeof raw !== "number") return refuse(record, wrongType(key, raw));
    if (!(raw >= row.fail[0] && raw <= row.fail[1])) {
      if (SENTINELS.has(raw)) continue;
      return refuse(record, outOfRange(key, row, raw));
    }
    values[key as MetricName] = raw;
    count += 1;
    if (raw < row.suspect[0] || raw > row.suspect[1]) {
      quality ??= {};
      quality[key as MetricName] = "suspect";
      // Analysers overshoot; more than saturated is not a humidity.
      if (key === "relativeHumidity" && raw > 100) values.relativeHumidity = 100;
    }
  }
  const measuredAt = readMeasuredAt(record.measuredAt, receivedAt, at.imported);
  if (typeof measuredAt !== "number") return refuse(record, measuredAt);
  if (count === 0)
    return fault("no_values", "Not one metric has a value: null and sentinels such as -999 count as missing.");
  if (at.kind === "air") quality = flagParticleOrder(values, quality);
  return build(at, measuredAt, receivedAt, values, quality, journalSeq);
}

/**
 * The verdict a reading will get, before it is journalled: for a door that answers each reading (HTTP). `value` is the
 * reading without `sensorId`, `kind` and `district`. Whether the sensor is registered is not looked at.
 */
export function checkReading(
  at: Pick<ReadingTopic, "district" | "kind" | "sensorId"> & { readonly imported?: boolean },
  value: unknown,
  receivedAt: number,
): { readonly ok: true; readonly measuredAt: number } | Fault {
  const result = readReading({ ...at, imported: at.imported ?? false }, value, receivedAt, 0);
  return isFault(result) ? result : { ok: true, measuredAt: result.measuredAt };
}

function build(
  at: ReadingTopic,
  measuredAt: number,
  receivedAt: number,
  values: Values,
  quality: Quality | undefined,
  journalSeq: number,
): Reading {
  const { sensorId, kind, district } = at;
  const reading = { sensorId, kind, district, measuredAt, receivedAt, values, journalSeq };
  if (quality === undefined && !at.imported) return reading;
  return { ...reading, ...(quality && { quality }), ...(at.imported && { imported: true }) };
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

function unknownKey(key: string, at: ReadingTopic): Fault {
  return fault("unknown_metric", explainUnknownKey(key, at.kind));
}

function notAnObject(value: unknown): Fault {
  const word = findPersonalWord(value);
  return word ? personalData(word) : fault("malformed_reading", `A reading is a JSON object, not ${nameType(value)}.`);
}

function wrongType(key: string, value: unknown): Fault {
  return fault("wrong_type", `${key} must be a number or null, not ${nameType(value)}.`);
}

function outOfRange(key: string, row: MetricRow, value: number): Fault {
  const unit = row.unit && ` ${row.unit}`;
  return fault("out_of_range", `${key} is ${value}; the hardware limits are ${row.fail[0]} to ${row.fail[1]}${unit}.`);
}

function nameType(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
