import { z } from "zod";
import { METRIC_NAMES, type MetricName } from "../model/metrics.ts";
import { Flag, Id, KindName, Locale, Time, type View } from "./common.ts";

/** So many sensors of one page: each is a year of hours. */
const SENSORS_MAX = 50;
const metricName = z.enum(METRIC_NAMES as unknown as [MetricName, ...MetricName[]]);

export const CaptureQuery = z.strictObject({
  year: z.coerce.number().int().min(1970).max(9_998).optional().describe("Of the city's calendar. Default: this one"),
  sensor: Id.optional(),
  district: Id.optional(),
  kind: KindName.optional(),
  metric: metricName.optional().describe("Only this one. Default: all that a sensor has values of in that year"),
  retired: Flag.describe("true: sensors that were taken off the register, in place of those that are on it"),
  format: z.enum(["json", "csv"]).default("json"),
  locale: Locale,
  limit: z.coerce.number().int().min(1).max(SENSORS_MAX).default(20).describe("Sensors of one page"),
  cursor: z.string().min(1).max(500).optional().describe("`next` of the former page"),
});

const cell = {
  from: Time.describe("The time that is covered: since the sensor was registered, or its first value if that is older"),
  to: Time,
  values: z
    .number()
    .int()
    .describe("Good values that are kept. What was called invalid or is suspect is not among them"),
  expected: z.number().optional().describe("Absent where nobody knows how often it should send"),
  share: z
    .number()
    .optional()
    .describe("0 to 1: of the expected values those that came; an hour with too many makes up for no other"),
  hours: z.number().int().optional().describe("Whole hours that are covered; where it sends at least once an hour"),
  validHours: z.number().int().optional().describe("Of these, hours with at least 75 % of their values"),
  gaps: z.number().int().describe("Times of silence that began here"),
  gapMs: z.number().describe("How long it was silent in all"),
  longestGapMs: z.number(),
  corrections: z.number().int().describe("In force, of readings in this time"),
};
const Cell = z.object(cell);

/** What a row cannot say, so that nobody reads more into it. */
export const CAPTURE_UNKNOWNS = [
  "interval-learnt",
  "no-interval",
  "hours-only",
  "days-only",
  "before-registered",
  "invalid-left-out",
  "moved",
  "not-over",
] as const;

export const CaptureRow = z
  .object({
    sensorId: z.string(),
    name: z.string().optional(),
    district: z.string(),
    kind: KindName,
    metric: metricName,
    intervalS: z.number().optional().describe("The declared interval, or the usual one of the year"),
    months: z.array(Cell.extend({ month: z.number().int() })).describe("Only those that are covered"),
    year: Cell,
    unknown: z
      .array(z.enum(CAPTURE_UNKNOWNS))
      .describe(
        "interval-learnt: none is declared, it is what the sensor did around each hour, so one that always loses the same share is not seen; " +
          "no-interval: too few values to learn one; hours-only, days-only: readings (hours) are past their time, shorter gaps and single invalid values cannot be seen; " +
          "before-registered: values are older than the sensor's entry in the register; invalid-left-out: people called values invalid; " +
          "moved: it stood elsewhere before; not-over: the year is not over",
      ),
  })
  .meta({ id: "CaptureRow" });
export type CaptureRowView = View<typeof CaptureRow>;
export type CaptureCellView = View<typeof Cell>;
export type CaptureUnknown = (typeof CAPTURE_UNKNOWNS)[number];

export const CaptureBody = z
  .object({
    year: z.number().int(),
    zone: z.string().describe("Whose months these are"),
    items: z.array(CaptureRow),
    silent: z.array(z.string()).describe("Sensors of this page without any value in that year"),
    next: z.string().optional(),
  })
  .meta({ id: "DataCapture" });
export type CaptureView = View<typeof CaptureBody>;
