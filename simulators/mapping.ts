import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { KINDS } from "../model/kinds.ts";
import { isMetricName, METRICS, METRICS_OF, type MetricName } from "../model/metrics.ts";
import { isTimeZone } from "../model/zone.ts";

type Conversion = {
  readonly from: string;
  readonly to: string;
  readonly add: number;
  readonly times: number;
  /** The weight of a volume of gas depends on the gas. */
  readonly only?: MetricName;
};

/** `value in to = (value in from + add) * times`. Gases at 20 °C and 101.3 kPa, as the EU reports them. */
const CONVERSIONS: readonly Conversion[] = [
  { from: "mph", to: "km/h", add: 0, times: 1.609344 },
  { from: "m/s", to: "km/h", add: 0, times: 3.6 },
  { from: "°F", to: "°C", add: -32, times: 5 / 9 },
  { from: "K", to: "°C", add: -273.15, times: 1 },
  { from: "µg/m³", to: "mg/m³", add: 0, times: 0.001, only: "co" },
  { from: "Pa", to: "hPa", add: 0, times: 0.01 },
  { from: "ppb NO2", to: "µg/m³", add: 0, times: 1.9125, only: "no2" },
  { from: "ppb O3", to: "µg/m³", add: 0, times: 1.9953, only: "o3" },
  { from: "ppb SO2", to: "µg/m³", add: 0, times: 2.6633, only: "so2" },
  { from: "ppm CO", to: "mg/m³", add: 0, times: 1.1644, only: "co" },
  { from: "veh/30s", to: "veh/h", add: 0, times: 120 },
  { from: "veh/min", to: "veh/h", add: 0, times: 60 },
  { from: "veh/5min", to: "veh/h", add: 0, times: 12 },
  { from: "veh/15min", to: "veh/h", add: 0, times: 4 },
  { from: "share", to: "%", add: 0, times: 100 },
  { from: "W", to: "kW", add: 0, times: 0.001 },
  { from: "MW", to: "kW", add: 0, times: 1000 },
  { from: "var", to: "kvar", add: 0, times: 0.001 },
  { from: "Wh/min", to: "kW", add: 0, times: 0.06 },
  { from: "Wh", to: "kWh", add: 0, times: 0.001 },
  { from: "kV", to: "V", add: 0, times: 1000 },
  { from: "min", to: "s", add: 0, times: 60 },
];

type Convert = (value: number) => number;

const unchanged: Convert = (value) => value;

/**
 * How a value in `unit` becomes one in the unit of the metrics table; undefined for a pair nobody has written down, so
 * that a wrong unit is a mistake in the mapping and not a wrong number in the store. Converted values are rounded to
 * six decimals: below what any sensor resolves, above the noise of binary fractions.
 */
export function conversion(unit: string, metric: MetricName): Convert | undefined {
  const to = METRICS[metric].unit;
  if (unit === to || unit === "as is") return unchanged;
  const found = CONVERSIONS.find((one) => one.from === unit && one.to === to && (one.only ?? metric) === metric);
  if (!found) return undefined;
  return (value) => Math.round((value + found.add) * found.times * 1e6) / 1e6;
}

const regexp = z.string().refine(isRegExp, { error: "not a regular expression" });
const zone = z.string().refine(isTimeZone, { error: "neither an IANA time zone nor an offset like +01:00" });
const metric = z.custom<MetricName>((name) => typeof name === "string" && isMetricName(name), {
  error: "not a metric of model/metrics.ts",
});
const missing = z.array(z.string()).default([]);
const quantity = { metric, unit: z.string(), missing };

/** What a time says of an interval: when it began, or when it ended. Readings carry the beginning. */
const stamp = z.enum(["start", "end"]).default("start");
/** These say their zone themselves, where it is known. */
const ZONED = new Set(["iso", "epoch-s", "epoch-ms", "epoch-us", "epoch-ns"]);

/** The parts of a time, joined by a space, in one of these patterns; or one of `ZONED`. */
const written = z
  .strictObject({
    columns: z.array(z.string()).min(1),
    patterns: z.array(z.string()).min(1),
    /** Of times that do not say theirs. */
    zone: zone.optional(),
    stamp,
    /** With `stamp: end` the length of the intervals; without it the most frequent step is taken. */
    stepS: z.number().positive().optional(),
  })
  .refine(({ patterns, zone }) => zone !== undefined || patterns.every((pattern) => ZONED.has(pattern)), {
    path: ["zone"],
    error: "is missing: times in these patterns do not say theirs",
  });
/** No time in the file: row n was measured at start + n * stepS; with `index` n is that column's value less `indexFrom`. */
const implied = z.strictObject({
  start: z.iso.datetime({ local: true }),
  zone,
  stepS: z.number().positive(),
  stamp,
  index: z.string().optional(),
  indexFrom: z.number().int().default(0),
});

/** One sensor of each row. `{name}` in `sensor` stands for a column or a named group of the file's pattern. */
const oneSensor = z.strictObject({
  sensor: z.string(),
  kind: z.enum(KINDS),
  metrics: z.array(z.strictObject({ column: z.string(), ...quantity })).min(1),
});
/** One sensor for every column whose name matches; its named groups and `{column}` may be used in `sensor`. */
const sensorPerColumn = z.strictObject({
  eachColumn: regexp,
  sensor: z.string(),
  kind: z.enum(KINDS),
  ...quantity,
});

const tableFile = z.strictObject({
  /** Against the file's name without `.gz`, ignoring case; the first that matches is taken. */
  match: regexp,
  /** Found from the first line if absent. */
  delimiter: z.string().length(1).optional(),
  decimal: z.enum([".", ","]).default("."),
  /** Texts that stand for "no value" in every column; a number here also matches its other spellings. */
  missing,
  time: z.union([written, implied]),
  district: z.string(),
  readings: z
    .array(z.union([oneSensor, sensorPerColumn]))
    .min(1)
    .superRefine(checkQuantities),
  /** Columns without a metric, each with the reason. */
  leftOut: z.record(z.string(), z.string()).default({}),
  note: z.string().optional(),
});

const about = { name: z.string(), title: z.string(), source: z.string() };
const MAPPING = z.discriminatedUnion("form", [
  z.strictObject({ ...about, form: z.literal("native") }),
  z.strictObject({ ...about, form: z.literal("table"), files: z.array(tableFile).min(1) }),
]);

export type Mapping = z.output<typeof MAPPING>;
export type TableFile = z.output<typeof tableFile>;
export type ReadingSpec = TableFile["readings"][number];
export type ImpliedTime = z.output<typeof implied>;
export type WrittenTime = z.output<typeof written>;

/** The recording or its mapping cannot be used; the message says what to change. */
export class RecordingError extends Error {
  override readonly name = "RecordingError";
}

/** Which column is which metric is checked here, so that a wrong unit is found before the first row is sent. */
function checkQuantities(
  specs: ReadonlyArray<z.output<typeof oneSensor> | z.output<typeof sensorPerColumn>>,
  context: z.RefinementCtx,
) {
  for (const spec of specs) {
    for (const one of "metrics" in spec ? spec.metrics : [spec]) {
      if (!METRICS_OF[spec.kind].includes(one.metric))
        context.addIssue({ code: "custom", message: `${one.metric} is not a metric of ${spec.kind} sensors` });
      else if (!conversion(one.unit, one.metric))
        context.addIssue({ code: "custom", message: `no conversion from ${one.unit} for ${one.metric}` });
    }
  }
}

/** Of the forms a part may have, the one it comes closest to says what is wrong. */
function describeIssues(issues: readonly z.core.$ZodIssue[], at: readonly PropertyKey[] = []): string[] {
  return issues.flatMap((issue) => {
    const path = [...at, ...issue.path];
    if (issue.code !== "invalid_union" || issue.errors.length === 0) return [`  ${path.join(".")}: ${issue.message}`];
    const forms = issue.errors.map((form) => describeIssues(form, path));
    return forms.reduce((best, form) => (form.length < best.length ? form : best));
  });
}

function isRegExp(text: string): boolean {
  try {
    new RegExp(text, "i");
    return true;
  } catch {
    return false;
  }
}

const BUILT_IN_DIR = join(import.meta.dirname, "mappings");

export function builtInMappings(): readonly string[] {
  return readdirSync(BUILT_IN_DIR)
    .filter((name) => name.endsWith(".json"))
    .map((name) => basename(name, ".json"))
    .sort();
}

export function parseMapping(value: unknown): Mapping {
  const result = MAPPING.safeParse(value);
  if (!result.success)
    throw new RecordingError(`the mapping is not valid:\n${describeIssues(result.error.issues).join("\n")}`);
  return result.data;
}

/** A built-in name or the path of a JSON file. Throws `RecordingError`. */
export function loadMapping(nameOrPath: string): Mapping {
  const builtIn = builtInMappings().includes(nameOrPath);
  if (!builtIn && !nameOrPath.endsWith(".json"))
    throw new RecordingError(
      `there is no mapping "${nameOrPath}"; give the path of a .json file or one of: ${builtInMappings().join(", ")}`,
    );
  const path = builtIn ? join(BUILT_IN_DIR, `${nameOrPath}.json`) : nameOrPath;
  try {
    return parseMapping(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    if (error instanceof RecordingError) throw new RecordingError(`${path}: ${error.message}`);
    throw new RecordingError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

/** The part of the mapping that fits a file, with what its name tells. Throws `RecordingError` if none does. */
export function fileSpec(
  mapping: Mapping & { form: "table" },
  path: string,
): { spec: TableFile; groups: Readonly<Record<string, string>> } {
  const name = basename(path).replace(/\.gz$/i, "");
  for (const spec of mapping.files) {
    const found = new RegExp(spec.match, "i").exec(name);
    if (found) return { spec, groups: { ...found.groups } };
  }
  const patterns = mapping.files.map((file) => file.match).join("  ");
  throw new RecordingError(`${name}: the mapping ${mapping.name} has no entry for a file of this name (${patterns})`);
}
