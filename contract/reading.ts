import { z } from "zod";
import { METRIC_NAMES, METRICS, type MetricName } from "../model/metrics.ts";
import { Id, KindName, pageOf, Time } from "./common.ts";

const STRING_CHARS_MAX = 1_000;
const KEYS_MAX = 100;

/** Any value but a nested one: what the values mean is the worker's business, and it answers reading by reading. */
const Flat = z
  .unknown()
  .refine((value) => typeof value !== "object" || value === null, "A value is a number, not an object or a list.")
  .refine((value) => typeof value !== "string" || value.length <= STRING_CHARS_MAX, "This text is too long.");

const metricFields = Object.fromEntries(
  METRIC_NAMES.map((name) => {
    const { label, unit } = METRICS[name as MetricName];
    return [name, Flat.optional().meta({ type: "number", description: unit ? `${label}, ${unit}` : label })];
  }),
);

/** A reading as it is sent; keys that are not metrics are answered with a reason, not stripped. */
export const NewReading = z
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
    quality: z.partialRecord(metricName, z.literal("suspect")).optional().describe('"good" is left out'),
    late: z.literal(true).optional(),
  })
  .meta({ id: "Reading" });

const AggregateBody = z.object({ mean: z.number(), min: z.number(), max: z.number(), count: z.number().int() });

const BucketBody = z
  .object({ start: Time, values: z.partialRecord(metricName, AggregateBody) })
  .meta({ id: "Bucket", description: "One step of `every`; empty ones are left out" });

export const BucketsBody = pageOf(BucketBody)
  .extend({
    resolution: z
      .enum(["raw", "hourly", "daily"])
      .describe("The coarsest of what the steps were computed from: the readings, or what is kept of them for longer"),
  })
  .meta({ id: "Buckets" });
