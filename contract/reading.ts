import { z } from "zod";
import { READINGS_PER_MESSAGE_MAX } from "../model/message.ts";
import { METRIC_NAMES, METRICS, type MetricName } from "../model/metrics.ts";
import type { Newest } from "../model/newest.ts";
import { isLate, type Reading } from "../model/reading.ts";
import { REASON_NAMES } from "../model/rejection.ts";
import {
  type EpochTimes,
  Flag,
  Id,
  KindName,
  Locale,
  type Mirrors,
  type Provided,
  pageOf,
  paging,
  Time,
  type View,
  ZoneName,
} from "./common.ts";

const STRING_CHARS_MAX = 1_000;
const KEYS_MAX = 100;

/** What a value is worth is the worker's business, which answers value by value; what is nested is no value of ours. */
const Flat = z
  .unknown()
  .refine((value) => typeof value !== "string" || value.length <= STRING_CHARS_MAX, "This text is too long.");

const metricFields = Object.fromEntries(
  METRIC_NAMES.map((name) => {
    const { label, unit } = METRICS[name as MetricName];
    return [name, Flat.optional().meta({ type: "number", description: unit ? `${label}, ${unit}` : label })];
  }),
);

/** A reading as it is sent; keys that are not metrics are answered with a reason, not stripped. */
const NewReading = z
  .object({
    sensorId: Id,
    kind: KindName,
    district: Id,
    measuredAt: Flat.optional().meta({
      type: ["string", "number"],
      description: "ISO 8601 with a zone, or epoch milliseconds; without it the time of arrival",
    }),
    seq: Flat.optional().meta({ type: "integer", description: "The device's own counter" }),
    ...metricFields,
  })
  .catchall(Flat)
  .refine((reading) => Object.keys(reading).length <= KEYS_MAX, `A reading has at most ${KEYS_MAX} keys.`)
  .meta({ id: "NewReading" });

const metricName = z.enum(METRIC_NAMES as unknown as [MetricName, ...MetricName[]]);
const Values = z.partialRecord(metricName, z.number());

export const ReadingBody = z
  .object({
    sensorId: z.string(),
    kind: KindName,
    district: z.string(),
    measuredAt: Time,
    receivedAt: Time,
    values: Values,
    quality: z
      .partialRecord(
        z.enum([...METRIC_NAMES, "measuredAt"] as unknown as [MetricName | "measuredAt", ...MetricName[]]),
        z.enum(["suspect", "corrected", "invalid", "clock"]),
      )
      .optional()
      .describe(
        '"good" is left out; invalid ones are only there with include=invalid; measuredAt is "clock" where the device\'s clock was never set and the time is that of receipt',
      ),
    raw: Values.optional().describe("With raw=true: what the device said, of values that were calibrated or corrected"),
    movedFrom: Time.optional().describe("The time that the device said, where it was corrected"),
    late: z.literal(true).optional(),
  })
  .meta({ id: "Reading" });

export const LatestBody = ReadingBody.extend({
  earlier: z
    .partialRecord(
      metricName,
      z.object({ value: z.number(), measuredAt: Time, quality: z.enum(["suspect", "corrected"]).optional() }),
    )
    .optional()
    .describe("Metrics that this newest reading does not have: the newest value of each, if it is of the last 3 days"),
}).meta({ id: "LatestReading" });
export type LatestView = View<typeof LatestBody>;

type Body = View<typeof ReadingBody>;
export type ReadingView = Provided<
  Body,
  Mirrors<
    Omit<Body, "late" | "quality">,
    Omit<Reading, "journalSeq" | "imported" | "clock" | "seq" | "marks" | "quality" | "part">,
    "measuredAt" | "receivedAt" | "movedFrom"
  >
>;

/** A reading as the HTTP API, the live stream and recordings show it. */
export function viewReading(reading: Reading): ReadingView {
  const { marks, movedFrom, clock } = reading;
  // What is unusual as it was corrected, too, is suspect.
  const judged = marks ? { ...marks, ...reading.quality, ...invalidOf(marks) } : reading.quality;
  const quality = clock ? { ...judged, measuredAt: "clock" as const } : judged;
  return {
    sensorId: reading.sensorId,
    kind: reading.kind,
    district: reading.district,
    measuredAt: new Date(reading.measuredAt).toISOString(),
    receivedAt: new Date(reading.receivedAt).toISOString(),
    values: reading.values,
    ...(quality ? { quality } : {}),
    ...(movedFrom === undefined ? {} : { movedFrom: new Date(movedFrom).toISOString() }),
    ...(isLate(reading) ? { late: true as const } : {}),
  };
}

/** With the newest value of every metric. */
export function viewLatest({ earlier, ...newest }: Newest): LatestView {
  if (!earlier) return viewReading(newest);
  const known = new Set(Object.keys(newest.values));
  const values: { [Name in MetricName]?: NonNullable<LatestView["earlier"]>[Name] } = {};
  for (const reading of earlier) {
    for (const [name, value] of Object.entries(reading.values) as [MetricName, number][]) {
      if (known.has(name)) continue;
      known.add(name);
      const quality = reading.quality?.[name] ?? reading.marks?.[name];
      const isTold = quality === "suspect" || quality === "corrected";
      values[name] = { value, measuredAt: new Date(reading.measuredAt).toISOString(), ...(isTold && { quality }) };
    }
  }
  return { ...viewReading(newest), earlier: values };
}

/** The same with what the device said, of values that were calibrated or corrected. */
export const viewWithRaw = (reading: Reading): ReadingView => ({
  ...viewReading(reading),
  ...(reading.raw ? { raw: reading.raw } : {}),
});

const invalidOf = (marks: NonNullable<Reading["marks"]>) =>
  Object.fromEntries(Object.entries(marks).filter(([, mark]) => mark === "invalid"));

/** `POST /readings`. */
export const NewReadings = z.union([NewReading, z.array(NewReading).min(1).max(READINGS_PER_MESSAGE_MAX)]);
export const NewReadingsQuery = z.strictObject({ import: Flag.describe("History: no limit of lateness") });
export const AcceptedBody = z
  .object({
    accepted: z.number().int(),
    rejected: z
      .array(z.object({ pointer: z.string(), reason: z.string(), detail: z.string(), metric: z.string().optional() }))
      .describe("Kept in the quarantine. With a metric: only this value, the rest of its reading is accepted"),
    ignored: z
      .array(z.object({ pointer: z.string(), detail: z.string() }))
      .optional()
      .describe("Fields that are no metrics of the sensor's kind: not taken, not kept. The first 20"),
  })
  .meta({ id: "Accepted" });
export const SensorsQuery = z.strictObject({ ...paging, district: Id.optional(), kind: KindName.optional() });
/** `GET /readings/latest`. */
export const LatestQuery = SensorsQuery.extend({
  zone: ZoneName.describe("Times in this zone, with its offset. Default UTC"),
});
/** `GET /sensors`. */
export const RegisterQuery = SensorsQuery.extend({
  retired: Flag.describe("Those that were taken off the register, in place of those that are on it"),
});

/** `GET /sensors/{id}/readings`. */
export const SensorReadingsQuery = z.strictObject({
  ...paging,
  from: z.string().max(40).optional().describe("ISO 8601 with a zone or epoch milliseconds; default 24 h before to"),
  to: z.string().max(40).optional().describe("Exclusive; default now"),
  every: z
    .string()
    .max(10)
    .optional()
    .describe(
      "Aggregate in steps, like 5m; all steps come in one page. Days are the city's, 7d its weeks from Monday on",
    ),
  metrics: z.string().min(1).max(1_000).optional().describe("Comma list; default all"),
  format: z.enum(["json", "csv"]).default("json"),
  locale: Locale,
  zone: ZoneName.describe("Times in this zone, with its offset; from and to without one are meant in it. Default UTC"),
  predecessors: Flag.describe("With the history of the sensors whose place it took"),
  include: z.enum(["invalid"]).optional().describe("Values that were found to be invalid, too, marked"),
  raw: Flag.describe("With what the device said, of values that were calibrated or corrected"),
  gaps: Flag.describe(
    "JSON: also when each of the metrics named (5 at most) was not heard, by how often it was before and after",
  ),
});

/** Where a chart is to break its line. */
const gaps = z
  .array(z.object({ metric: metricName, from: Time, to: Time }))
  .optional()
  .describe("With gaps=true: from the last reading (or the end of its step) to the next; of this page");

export const ReadingsBody = pageOf(ReadingBody).extend({ gaps });
export type ReadingsView = View<typeof ReadingsBody>;

const AggregateBody = z.object({ mean: z.number(), min: z.number(), max: z.number(), count: z.number().int() });

const BucketBody = z
  .object({
    start: Time,
    values: z.partialRecord(metricName, AggregateBody),
    days: z.literal("UTC").optional().describe("Of steps of days: this one is of days of UTC, not of the city's zone"),
  })
  .meta({ id: "Bucket", description: "One step of `every`; empty ones are left out" });

export const BucketsBody = pageOf(BucketBody)
  .extend({
    gaps,
    resolution: z
      .enum(["raw", "hourly", "daily"])
      .describe("The coarsest of what the steps were computed from: the readings, or what is kept of them for longer"),
  })
  .extend({ zone: z.string().optional().describe("Of steps of days: whose days they are (LAMPPOST_TIME_ZONE)") })
  .meta({ id: "Buckets" });
export type BucketsView = View<typeof BucketsBody>;

/**
 * What is wrong with what a sensor sends: by reason (and metric, where only a value was refused), and fields that are no
 * metrics of its kind ("air-7 also sends tvoc, beep: not taken"). What has not come for seven days is left out.
 */
const faults = {
  refused: z.array(
    z.object({
      reason: z.enum(REASON_NAMES),
      metric: metricName.optional(),
      count: z.number().int(),
      since: Time,
      lastAt: Time,
      detail: z.string().describe("Of the newest: one sentence"),
    }),
  ),
  notTaken: z.array(
    z.object({
      name: z.string(),
      count: z.number().int(),
      since: Time,
      lastAt: Time,
      detail: z.string().optional().describe("What it may have meant"),
    }),
  ),
};

export const SensorBody = z
  .object({
    id: z.string(),
    kind: KindName,
    district: z.string(),
    name: z.string().optional(),
    lat: z.number().optional(),
    lon: z.number().optional(),
    // Without it the rules estimate it.
    intervalS: z.number().optional().describe("Declared seconds between readings"),
    // What the rules may select by, such as { "feeder": "f-12", "lane": "1" }.
    tags: z.record(z.string(), z.string()),
    gateway: z.string().optional().describe("The gateway that enrolled it"),
    createdAt: Time,
    places: z
      .array(z.object({ district: z.string(), lat: z.number().optional(), lon: z.number().optional(), from: Time }))
      .optional()
      .describe("Where it has stood, oldest first, the last is where it stands; absent if it never moved"),
    replaces: z
      .object({ sensorId: z.string(), from: Time })
      .optional()
      .describe("Whose place it took, and since when: that one's readings are its history before"),
    replacedBy: z.string().optional(),
    retiredAt: Time.optional().describe("When it was taken off the register: what it sent stays"),
    online: z.boolean().optional().describe("As its status topic says; absent if it never said"),
    lastSeen: Time.optional(),
    latest: LatestBody.optional(),
    faults: z
      .object(faults)
      .optional()
      .describe(
        "Of one sensor: what was refused lately and which fields are not taken, newest first; absent if nothing",
      ),
  })
  .meta({ id: "Sensor" });
export type SensorView = View<typeof SensorBody>;

/** `GET /quarantine/sensors`: the sensors whose messages or values are refused, or that send fields nobody takes. */
export const SensorFaultsBody = z.object({ sensorId: z.string(), ...faults }).meta({ id: "SensorFaults" });
export type SensorFaultsView = View<typeof SensorFaultsBody>;
export type SensorFaults = EpochFaults<SensorFaultsView>;
type EpochFaults<T> = T extends { refused: readonly (infer R)[]; notTaken: readonly (infer N)[] }
  ? Omit<T, "refused" | "notTaken"> & {
      readonly refused: readonly EpochTimes<R, "since" | "lastAt">[];
      readonly notTaken: readonly EpochTimes<N, "since" | "lastAt">[];
    }
  : never;
