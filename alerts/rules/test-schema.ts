import { z } from "zod";
import { VERDICTS } from "../../model/alert.ts";
import { ruleId } from "../../model/conditions.ts";
import { ID_PATTERN } from "../../model/ids.ts";
import { KINDS } from "../../model/kinds.ts";
import { isMetricName, METRIC_NAMES } from "../../model/metrics.ts";
import { parseDuration } from "../../model/time.ts";
import { parseMoment } from "./moment.ts";
import { parseSeries } from "./series.ts";

const id = z.string().regex(ID_PATTERN, "an id is 1 to 64 of a-z, 0-9 and -, and starts with a letter or digit");
const moment = z.string().refine((text) => parseMoment(text, 0) !== undefined, {
  error: "a time is +3h, +1d6h (from the start of the test) or 2026-11-21T10:00:00Z with its zone",
});
const span = z.string().refine((text) => parseDuration(text) !== undefined, {
  error: "write a whole number and s, m, h or d, such as 10m",
});

/** The other keys of a series are metrics. */
function onlyMetrics(item: Record<string, unknown>, context: z.RefinementCtx, own: readonly string[]): string[] {
  const names = Object.keys(item).filter((key) => !own.includes(key));
  for (const name of names.filter((one) => !isMetricName(one))) {
    const message = `"${name}" is not a metric; known: ${METRIC_NAMES.join(" ")}`;
    context.addIssue({ code: "custom", path: [name], message });
  }
  if (names.length === 0) context.addIssue({ code: "custom", message: "name a metric and its values: no2: 20x6 35" });
  return names.filter((one) => isMetricName(one));
}

const series = z.object({ sensor: id, start: moment.optional(), every: span }).loose();
const seriesOfMetrics = series.superRefine((item, context) => {
  for (const name of onlyMetrics(item, context, ["sensor", "start", "every"])) {
    const values = item[name];
    const parsed = typeof values === "number" || typeof values === "string" ? parseSeries(String(values)) : undefined;
    const message = parsed === undefined ? "values are a text such as 20x6 35 _ 40x3" : parsed;
    if (typeof message === "string") context.addIssue({ code: "custom", path: [name], message });
  }
});

const late = z
  .object({ sensor: id, at: moment, received: moment })
  .loose()
  .superRefine((item, context) => {
    for (const name of onlyMetrics(item, context, ["sensor", "at", "received"])) {
      if (typeof item[name] === "number") continue;
      context.addIssue({ code: "custom", path: [name], message: "a late reading has one number for each metric" });
    }
  });

const sensor = z.strictObject({
  id,
  kind: z.enum(KINDS),
  district: id,
  name: z.string().max(120).optional(),
  interval: span.optional(),
  lat: z.number().min(-90).max(90).optional(),
  lon: z.number().min(-180).max(180).optional(),
  gateway: id.optional(),
  tags: z.record(z.string().min(1).max(64), z.union([z.string(), z.number()]).transform(String)).optional(),
});

const expected = z.strictObject({
  what: z.string().min(1).max(40),
  at: moment,
  rule: ruleId.optional(),
  sensor: id.optional(),
  district: id.optional(),
  gateway: id.optional(),
  /** A part of the explanation, or /a regular expression/. */
  explanation: z.union([z.string().min(1).max(500), z.number().transform(String)]).optional(),
  value: z.number().optional(),
  verdict: z.enum(VERDICTS).optional(),
});

const test = z.strictObject({
  name: z.string().min(3).max(200),
  /** Only these of the file's rules are run and compared. */
  only: z.union([ruleId, z.array(ruleId).min(1)]).optional(),
  start: moment.optional(),
  sensors: z.array(sensor).min(1).max(1_000),
  readings: z.array(seriesOfMetrics).min(1).max(1_000),
  late: z.array(late).max(1_000).optional(),
  /** How long the clock runs on; without it until the last reading is received. */
  until: moment.optional(),
  expect: z.array(expected).max(10_000),
});

const paths = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);
export const testFileSchema = z.strictObject({ rules: paths, tests: z.array(test).min(1).max(1_000) });

export type TestFileData = z.output<typeof testFileSchema>;
export type TestData = TestFileData["tests"][number];
export type ExpectedData = TestData["expect"][number];
