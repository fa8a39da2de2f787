import { z } from "zod";
import { VERDICTS } from "../../model/alert.ts";
import { ruleId } from "../../model/conditions.ts";
import { ID_PATTERN } from "../../model/ids.ts";
import { KINDS } from "../../model/kinds.ts";
import { isMetricName, METRIC_NAMES } from "../../model/metrics.ts";
import { REASON_NAMES } from "../../model/rejection.ts";
import { parseDuration } from "../../model/time.ts";
import { isTimeZone } from "../../model/zone.ts";
import { type Mistake, openYaml, type YamlFile } from "../rules/yaml-file.ts";

/** A test and where it stands, for the report. */
export type FoundTest = { readonly data: TestData; readonly at: Mistake };
type ParsedTests = {
  /** As the file names them: relative to it. */
  readonly rules: readonly string[];
  readonly tests: readonly FoundTest[];
  readonly mistakes: readonly Mistake[];
};

/** One `*.test.yaml`. Nothing is thrown: all mistakes come with line and column. */
export function parseTests(text: string, file: string): ParsedTests {
  const yaml = openYaml(text, file);
  const result = yaml.mistakes.length > 0 ? undefined : testFileSchema.safeParse(yaml.plain);
  if (!result?.success) {
    const mistakes = result ? yaml.issues([], result.error.issues) : yaml.mistakes;
    return { rules: [], tests: [], mistakes };
  }
  const { rules, tests } = result.data;
  return {
    rules: [rules].flat(),
    tests: tests.map((data, index) => ({ data, at: yaml.locate(["tests", index, "name"], data.name) })),
    mistakes: [...sameNames(result.data, yaml), ...unknownSensors(result.data, yaml)],
  };
}

function sameNames({ tests }: TestFileData, yaml: YamlFile): Mistake[] {
  return tests.flatMap(({ name }, index) => {
    const first = tests.findIndex((one) => one.name === name);
    return first === index ? [] : [yaml.locate(["tests", index, "name"], "another test has this name: choose another")];
  });
}

function unknownSensors({ tests }: TestFileData, yaml: YamlFile): Mistake[] {
  return tests.flatMap(({ sensors, readings, late = [], refused = [], expect }, test) => {
    const known = new Set(sensors.map(({ id }) => id));
    const named = [
      ...readings.map(({ sensor }, i) => ({ sensor, path: ["readings", i] })),
      ...late.map(({ sensor }, i) => ({ sensor, path: ["late", i] })),
      ...refused.map(({ sensor }, i) => ({ sensor, path: ["refused", i] })),
      ...expect.map(({ sensor }, i) => ({ sensor, path: ["expect", i] })),
    ];
    return named
      .filter(({ sensor }) => sensor !== undefined && !known.has(sensor))
      .map(({ sensor, path }) =>
        yaml.locate(["tests", test, ...path, "sensor"], `sensor "${sensor}" is not among the sensors of this test`),
      );
  });
}

const ISO = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/;

/** "+3h", "+1d6h", "+0s" from `start`, or ISO 8601 with its zone (a day alone is its midnight UTC); else undefined. */
export function parseMoment(text: string, start: number): number | undefined {
  if (/^\+0[smhd]?$/.test(text)) return start;
  if (/^\+(?:\d+[smhd])+$/.test(text)) {
    const parts = (text.match(/\d+[smhd]/g) ?? []).map(parseDuration);
    return parts.every((part) => part !== undefined) ? parts.reduce((sum, part) => sum + part, start) : undefined;
  }
  const at = ISO.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

/** One place of a series: a value, suspect or not, or nothing. */
type SeriesItem = { readonly value: number; readonly suspect: boolean } | undefined;

/** More is not a test any more, and a slip of the finger (`x1000000`) must not fill the memory. */
const ITEMS_MAX = 100_000;

const NUMBER = String.raw`-?\d+(?:\.\d+)?(?:e[+-]?\d+)?`;
const TOKEN = new RegExp(`^(?:(_)|(${NUMBER})([+-]\\d+(?:\\.\\d+)?)?(\\?)?)(?:x(\\d+))?$`, "i");

/**
 * A series in short notation, one word for each value or run of values:
 *
 * | word     | means                                                    |
 * | `35`     | one value                                                |
 * | `35x4`   | four values of 35                                        |
 * | `20+2x6` | six values, each 2 more: 20 22 24 26 28 30 (`20-2x6` down) |
 * | `_` `_x3`| one missing value, three                                 |
 * | `35?`    | a suspect value; also `35?x4`                            |
 *
 * Unlike in promtool's notation, the number after `x` is how many values there are. Answers what is wrong as text.
 */
export function parseSeries(text: string): readonly SeriesItem[] | string {
  const items: SeriesItem[] = [];
  for (const word of text.trim().split(/\s+/)) {
    const match = TOKEN.exec(word);
    if (!match) return `"${word}" is no value: write 35, 35x4, 20+2x6, _ (missing) or 35? (suspect)`;
    const [, missing, number, step = "0", mark, times = "1"] = match;
    if (step !== "0" && match[5] === undefined) return `"${word}": say how many values, such as ${word}x6`;
    const count = Number(times);
    if (count < 1 || items.length + count > ITEMS_MAX) return `"${word}": 1 to ${ITEMS_MAX} values in a series`;
    const [first, each] = [Number(number), Number(step)];
    for (let i = 0; i < count; i++) {
      items.push(missing ? undefined : { value: exact(first + i * each), suspect: mark !== undefined });
    }
  }
  return items;
}

/** 20.1 + 2 x 0.1 is meant to be 20.3. */
const exact = (value: number) => Number(value.toPrecision(12));

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
  /** How late its readings come; as its tag `delay`. */
  delay: span.optional(),
  lat: z.number().min(-90).max(90).optional(),
  lon: z.number().min(-180).max(180).optional(),
  gateway: id.optional(),
  tags: z.record(z.string().min(1).max(64), z.union([z.string(), z.number()]).transform(String)).optional(),
});

/** Messages that were refused when they arrived; with a metric, only that value of each. */
const refused = z
  .strictObject({
    sensor: id,
    at: moment,
    every: span.optional(),
    times: z.int().min(1).max(ITEMS_MAX).default(1),
    reason: z.enum(REASON_NAMES),
    metric: z.enum(METRIC_NAMES).optional(),
    detail: z.string().max(500).default(""),
  })
  .refine(({ every, times }) => times === 1 || every !== undefined, "say how far apart they are, such as every: 1m");

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
  /** The city's time zone; UTC without it. */
  zone: z
    .string()
    .max(64)
    .refine(isTimeZone, "there is no such time zone; write a name such as Europe/Vienna")
    .optional(),
  sensors: z.array(sensor).min(1).max(1_000),
  readings: z.array(seriesOfMetrics).max(1_000).default([]),
  late: z.array(late).max(1_000).optional(),
  refused: z.array(refused).max(1_000).optional(),
  /** How long the clock runs on; without it until the last reading is received. */
  until: moment.optional(),
  expect: z.array(expected).max(10_000),
});

const paths = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);
const testFileSchema = z.strictObject({ rules: paths, tests: z.array(test).min(1).max(1_000) });

type TestFileData = z.output<typeof testFileSchema>;
export type TestData = TestFileData["tests"][number];
export type ExpectedData = TestData["expect"][number];
