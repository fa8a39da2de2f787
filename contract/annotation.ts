import { z } from "zod";
import { METRIC_NAMES, type MetricName } from "../model/metrics.ts";
import { isPlain } from "../model/plain-text.ts";
import { type Sent, Time, type View } from "./common.ts";

const metric = z.enum(METRIC_NAMES as unknown as [MetricName, ...MetricName[]]);
const Moment = z.iso.datetime({ offset: true, error: "An ISO 8601 time with a zone, such as 2026-11-21T10:00:00Z." });

export const AnnotationsQuery = z.strictObject({
  from: z.string().max(40).optional(),
  to: z.string().max(40).optional(),
});

export const NewAnnotation = z
  .strictObject({
    from: Moment,
    to: Moment.optional().describe("Without it a moment"),
    metric: metric.optional().describe("Without it all of the sensor's"),
    text: z.string().trim().min(1).max(500).refine(isPlain, "Characters that control a terminal are not taken."),
  })
  .meta({ id: "NewAnnotation" });
export type NewAnnotation = Sent<typeof NewAnnotation>;

export const AnnotationBody = z
  .object({
    id: z.number().int(),
    sensorId: z.string(),
    metric: metric.optional(),
    from: Time,
    to: Time,
    text: z.string(),
    at: Time.describe("When it was written"),
    by: z.string(),
  })
  .meta({ id: "Annotation", description: "What somebody wrote beside a stretch of a chart" });
export type AnnotationView = View<typeof AnnotationBody>;
