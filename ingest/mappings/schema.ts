import { z } from "zod";
import { isId } from "../../model/ids.ts";
import { KINDS } from "../../model/kinds.ts";
import { missing, numbers, quantity, writtenTime } from "../../model/mapping.ts";
import { isMetricName, METRICS_OF } from "../../model/metrics.ts";
import { isFilter } from "../../model/topic-filter.ts";
import { WHOLE_CITY } from "../../model/topics.ts";
import { conversion, unitsFor } from "../../model/units.ts";
import { FORMAT_NAMES } from "../formats/registry.ts";
import { BASE_NAMES } from "./bases.ts";

/**
 * What a mapping of messages may say. Columns, metrics, units, times and numbers are those of mappings of files
 * (`model/mapping.ts`); a column is a field of the message, what is nested with dots between.
 */

const TEXT_MAX = 200;
const LIST_MAX = 200;
const SENSORS_MAX = 10_000;

const column = z.string().min(1).max(TEXT_MAX);
/** With `{column}`, `{one|another}`, `{topic.2}`, `{header.x-sensor}` in it. */
const template = z
  .string()
  .min(1)
  .max(TEXT_MAX)
  .refine((text) => /^(?:[^{}]|\{[^{}]+\})*$/.test(text), { error: "a { is not closed, or closed twice" });
const id = z.string().refine(isId, { error: "an id is 1 to 64 of a-z, 0-9 and -, and does not start with -" });
const districtId = id.refine((text) => text !== WHOLE_CITY, { error: `"${WHOLE_CITY}" is no district` });
/** An id, or made of a template: what does not fit an id becomes a hyphen. */
const idOrTemplate = template.refine((text) => text.includes("{") || isId(text), {
  error: "neither an id (a-z, 0-9, -) nor a text with a {column} in it",
});
const kind = z.enum(KINDS);
const kindOrTemplate = z.union([kind, template.refine((text) => text.includes("{"), { error: "not a kind" })], {
  error: `neither ${KINDS.join(", ")} nor a text with a {column} in it`,
});
const filter = z.string().max(256).refine(isFilter, { error: "not an MQTT topic filter" });

/** All that is said of the column must be so. */
const condition = z
  .strictObject({
    column,
    is: z
      .array(z.union([z.string(), z.number(), z.boolean()]))
      .min(1)
      .max(LIST_MAX)
      .optional(),
    has: z.boolean().optional(),
    above: z.number().optional(),
    below: z.number().optional(),
  })
  .refine((one) => Object.keys(one).length > 1, { error: "says nothing of the column: is, has, above or below" });
const when = z.array(condition).max(20).optional();

const metric = z.strictObject({
  column,
  ...quantity,
  /** Without it the message says which, or it is the metric's own. */
  unit: z.string().max(40).optional(),
  /** Where the message says the unit. */
  unitColumn: column.optional(),
  /** What becomes of a list of values, such as those of three phases. */
  list: z.enum(["sum", "mean", "max", "min", "first"]).optional(),
  when,
});
const metrics = z.array(metric).max(LIST_MAX);
const constants = z.record(z.string().refine(isMetricName, { error: "not a metric" }), z.number()).optional();

const reading = z.strictObject({
  sensor: idOrTemplate.optional(),
  district: idOrTemplate.optional(),
  kind: kindOrTemplate.optional(),
  when,
  metrics: metrics.default([]),
  constants,
});

const sensor = z.strictObject({
  /** As its maker or its network calls it. */
  device: z.coerce.string().min(1).max(TEXT_MAX),
  sensor: id,
  district: districtId.optional(),
  kind: kind.optional(),
  /** Instead of those of `readings`. */
  metrics: metrics.optional(),
});

const sample = z.strictObject({
  name: z.string().max(TEXT_MAX).optional(),
  topic: z.string().max(256).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  query: z.record(z.string(), z.string()).optional(),
  path: z.string().optional(),
  /** One of the three. */
  payload: z.string().optional(),
  json: z.unknown().optional(),
  base64: z.string().optional(),
  receivedAt: z.string().optional(),
  expect: z
    .array(
      z.strictObject({
        sensor: id,
        measuredAt: z.string().optional(),
        values: z.record(z.string(), z.number()),
      }),
    )
    .default([]),
  refused: z.array(z.string()).default([]),
});

export const messageMapping = z
  .strictObject({
    title: z.string().max(TEXT_MAX).optional(),
    source: z.string().max(TEXT_MAX).optional(),
    note: z.string().max(2_000).optional(),
    /** One that comes along: whatever is not said here is taken from it. */
    base: z.enum(BASE_NAMES as [string, ...string[]], { error: `not one of ${BASE_NAMES.join(", ")}` }).optional(),
    format: z.enum(FORMAT_NAMES, { error: `not one of ${FORMAT_NAMES.join(", ")}` }).optional(),
    /** Of an external broker; a gateway has its own. */
    topics: z.array(filter).max(LIST_MAX).optional(),
    /** What of these is not for us. */
    except: z.array(filter).max(LIST_MAX).optional(),
    /** The header that has the secret, where a sender cannot do better. */
    header: z
      .string()
      .regex(/^[a-z0-9-]{1,64}$/, "a header's name in small letters")
      .optional(),
    answer: z.union([z.literal(200), z.literal(201), z.literal(202), z.literal(204)]).optional(),
    rows: z
      .strictObject({ in: column, metricColumn: column.optional(), valueColumn: column.optional() })
      .refine(({ metricColumn, valueColumn }) => (metricColumn === undefined) === (valueColumn === undefined), {
        error: "metricColumn and valueColumn belong together",
      })
      .optional(),
    /** Who sends: the format knows, if it is not said. */
    device: template.optional(),
    sensor: idOrTemplate.optional(),
    district: idOrTemplate.optional(),
    kind: kindOrTemplate.optional(),
    /** What names of fields begin with. */
    prefix: z.string().max(64).optional(),
    decimal: numbers.decimal.optional(),
    thousands: numbers.thousands,
    missing: missing.optional(),
    time: writtenTime.optional(),
    /** Fields that are called as our metrics, in their units. */
    own: z.boolean().optional(),
    /** Before those of `readings`. */
    metrics: metrics.optional(),
    readings: z.array(reading).min(1).max(50).optional(),
    sensors: z.array(sensor).max(SENSORS_MAX).optional(),
    /** Messages whose topic ends in this level say whether the device is there. */
    status: z
      .strictObject({
        level: column,
        column: column.optional(),
        online: z.array(z.string()).min(1).default(["online"]),
        offline: z.array(z.string()).min(1).default(["offline"]),
      })
      .optional(),
    samples: z.array(sample).max(LIST_MAX).optional(),
  })
  .superRefine(checkWhole);

export type MessageMapping = z.output<typeof messageMapping>;
export type MetricSpec = z.output<typeof metric>;
export type ReadingSpec = z.output<typeof reading>;
export type Condition = z.output<typeof condition>;
export type SensorSpec = z.output<typeof sensor>;
export type MappingSample = z.output<typeof sample>;

type Whole = {
  base?: string | undefined;
  format?: string | undefined;
  time?: { stepS?: number | undefined } | undefined;
  kind?: string | undefined;
  metrics?: readonly MetricSpec[] | undefined;
  readings?: readonly ReadingSpec[] | undefined;
  sensors?: readonly SensorSpec[] | undefined;
};

/** A unit that cannot be converted, a metric that its kind has not, a device named twice: found before the first message. */
function checkWhole(given: Whole, context: z.RefinementCtx): void {
  const { base, format, sensors = [], readings = [] } = given;
  const say = (path: PropertyKey[], message: string) => context.addIssue({ code: "custom", path, message });
  if (base === undefined && format === undefined)
    say(["format"], `is missing: one of ${FORMAT_NAMES.join(", ")}, or a base: ${BASE_NAMES.join(", ")}`);
  const stepS = given.time?.stepS ?? 60;
  const check = (specs: readonly MetricSpec[], kindOf: string | undefined, at: PropertyKey[]) => {
    for (const [index, { metric: name, unit }] of specs.entries()) {
      const kinds = KINDS.filter((one) => METRICS_OF[one].includes(name));
      if (kindOf !== undefined && !kindOf.includes("{") && !kinds.some((one) => one === kindOf)) {
        const own = METRICS_OF[kindOf as (typeof KINDS)[number]].join(", ");
        say([...at, index, "metric"], `${name} is not a metric of ${kindOf} sensors; they have ${own}`);
      } else if (unit !== undefined && !conversion(unit, name, stepS)) {
        say([...at, index, "unit"], `no conversion from ${unit} for ${name}; it comes in ${unitsFor(name).join(", ")}`);
      }
    }
  };
  check(given.metrics ?? [], undefined, ["metrics"]);
  // Those of a base are for every kind: what the sensor's kind has not is left out.
  const common = base === undefined ? given.kind : undefined;
  for (const [index, one] of readings.entries()) check(one.metrics, one.kind ?? common, ["readings", index, "metrics"]);
  const seen = new Map<string, number>();
  for (const [index, one] of sensors.entries()) {
    check(one.metrics ?? [], one.kind ?? given.kind, ["sensors", index, "metrics"]);
    const before = seen.get(one.device);
    if (before !== undefined)
      say(["sensors", index, "device"], `"${one.device}" is there already, as number ${before + 1}`);
    seen.set(one.device, index);
  }
}
