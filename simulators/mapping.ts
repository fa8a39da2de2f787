import { readdirSync, readFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { runInNewContext } from "node:vm";
import { isNode, LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { KINDS } from "../model/kinds.ts";
import { missing, numbers, quantity, stamp, timeZone, writtenTime } from "../model/mapping.ts";
import { METRICS_OF } from "../model/metrics.ts";
import { conversion, unitsFor } from "../model/units.ts";

const regexp = z.string().refine(isRegExp, { error: "not a regular expression" });

/** No time in the file: row n was measured at start + n * stepS; with `index` n is that column's value less `indexFrom`. */
const implied = z.strictObject({
  start: z.iso.datetime({ local: true }),
  zone: timeZone,
  stepS: z.number().positive(),
  stamp,
  index: z.string().optional(),
  indexFrom: z.number().int().default(0),
});

const column = z.strictObject({ column: z.string(), ...quantity });
/** One sensor of each row. `{name}` in `sensor` stands for a column or a named group of the file's pattern. */
const oneSensor = z.strictObject({ sensor: z.string(), kind: z.enum(KINDS), metrics: z.array(column).min(1) });
/** One value of a sensor in each row: what it is stands in `metricColumn`, and `column` of the metrics is what it says there. */
const oneValue = oneSensor.extend({ metricColumn: z.string(), valueColumn: z.string() });
/** One sensor for every column whose name matches; its named groups and `{column}` may be used in `sensor`. */
const sensorPerColumn = z.strictObject({
  eachColumn: regexp,
  sensor: z.string(),
  kind: z.enum(KINDS),
  ...quantity,
});

const tableFile = z
  .strictObject({
    /** Against the file's name without `.gz`, ignoring case; the first that matches is taken. */
    match: regexp.default("."),
    /** Found from the first line if absent. */
    delimiter: z.string().length(1).optional(),
    ...numbers,
    /** Lines before the header. */
    skip: z.number().int().min(0).max(1_000).default(0),
    /** The names of the columns, where the file has no header. */
    header: z.array(z.string()).min(1).optional(),
    /** In every column. */
    missing,
    time: z.union([writtenTime, implied]),
    district: z.coerce.string(),
    readings: z.array(z.union([oneSensor, oneValue, sensorPerColumn])).min(1),
    /** Columns without a metric, each with the reason. */
    leftOut: z.record(z.string(), z.string()).default({}),
    note: z.string().optional(),
  })
  .superRefine(checkQuantities);

const about = { name: z.string().default("mapping"), title: z.string().default(""), source: z.string().default("") };
const MAPPING = z.discriminatedUnion("form", [
  z.strictObject({ ...about, form: z.literal("native") }),
  z.strictObject({ ...about, form: z.literal("table"), files: z.array(tableFile).min(1) }),
]);

export type Mapping = z.output<typeof MAPPING>;
export type TableFile = z.output<typeof tableFile>;
export type ReadingSpec = TableFile["readings"][number];
export type ImpliedTime = z.output<typeof implied>;
export type WrittenTime = z.output<typeof writtenTime>;

/** The recording or its mapping cannot be used; the message says what to change. */
export class RecordingError extends Error {
  override readonly name = "RecordingError";
}

/** Which column is which metric is checked here, so that a wrong unit is found before the first row is sent. */
function checkQuantities(
  {
    readings,
    time,
  }: {
    readings: readonly z.output<typeof oneSensor | typeof oneValue | typeof sensorPerColumn>[];
    time: { stepS?: number | undefined };
  },
  context: z.RefinementCtx,
) {
  for (const [i, spec] of readings.entries()) {
    const found =
      "metrics" in spec ? spec.metrics.map((one, n) => ({ one, path: ["metrics", n] })) : [{ one: spec, path: [] }];
    for (const { one, path } of found) {
      const at = ["readings", i, ...path];
      const own = METRICS_OF[spec.kind];
      if (!own.includes(one.metric)) {
        const message = `${one.metric} is not a metric of ${spec.kind} sensors; they have ${own.join(", ")}`;
        context.addIssue({ code: "custom", path: [...at, "metric"], message });
      } else if (!conversion(one.unit, one.metric, time.stepS)) {
        const perInterval = /interval$/.test(one.unit) && time.stepS === undefined ? ' (with "stepS" in "time")' : "";
        const message = `no conversion from ${one.unit} for ${one.metric}${perInterval}; it comes in ${unitsFor(one.metric).join(", ")}`;
        context.addIssue({ code: "custom", path: [...at, "unit"], message });
      }
    }
  }
}

type Mistake = { readonly path: readonly PropertyKey[]; readonly message: string };

/** Of the forms a part may have, the one it comes closest to says what is wrong. */
function mistakesIn(issues: readonly z.core.$ZodIssue[], at: readonly PropertyKey[] = []): Mistake[] {
  return issues.flatMap((issue): Mistake[] => {
    const path = [...at, ...issue.path];
    if (issue.code !== "invalid_union" || issue.errors.length === 0) return [{ path, message: wordsOf(issue) }];
    const forms = issue.errors.map((form) => mistakesIn(form, path));
    return forms.reduce((best, form) => (form.length < best.length ? form : best));
  });
}

function wordsOf(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") return `${issue.message}: see docs/replay.md for what there is`;
  const isMetric = issue.path.at(-1) === "metric" && issue.message === "not a metric";
  const names = KINDS.map((kind) => `${kind}: ${METRICS_OF[kind].join(" ")}`).join("; ");
  return isMetric ? `not a metric (${names})` : issue.message;
}

function isRegExp(text: string): boolean {
  try {
    new RegExp(text, "i");
    return true;
  } catch {
    return false;
  }
}

const PATTERN_MS_MAX = 1_000;
const MATCH = `texts.map((text) => {
  const found = new RegExp(pattern, "i").exec(text);
  return found && { ...found.groups };
})`;

/**
 * What the named groups of a pattern hold in each text; null where it does not match. Some patterns, such as `^(a+)+$`,
 * take longer than anybody waits: all texts together have a second. Throws `RecordingError` beyond.
 */
export function matchAll(
  pattern: string,
  texts: readonly string[],
): readonly (Readonly<Record<string, string>> | null)[] {
  try {
    return runInNewContext(MATCH, { pattern, texts }, { timeout: PATTERN_MS_MAX });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
    throw new RecordingError(
      `the pattern ${pattern} of the mapping takes too long: write it without repeats of what repeats, such as (a+)+`,
    );
  }
}

const BUILT_IN_DIR = join(import.meta.dirname, "mappings");

export function builtInMappings(): readonly string[] {
  return readdirSync(BUILT_IN_DIR)
    .filter((name) => name.endsWith(".json"))
    .map((name) => basename(name, ".json"))
    .sort();
}

/** `lineOf`: where a part of it stands, if it is a text. Throws `RecordingError`. */
export function parseMapping(value: unknown, lineOf?: (path: readonly PropertyKey[]) => number | undefined): Mapping {
  const isPlain = typeof value === "object" && value !== null && !Array.isArray(value);
  const result = MAPPING.safeParse(isPlain && !("form" in value) ? { form: "table", ...value } : value);
  if (result.success) return result.data;
  const lines = mistakesIn(result.error.issues).map(({ path, message }) => {
    const line = lineOf?.(path);
    return `  ${line === undefined ? "" : `line ${line}, `}${path.join(".")}: ${message}`;
  });
  throw new RecordingError(`the mapping is not valid:\n${lines.join("\n")}`);
}

const MAPPING_CHARS_MAX = 1024 * 1024;

/** A mapping as text, in YAML; JSON is YAML, too. Throws `RecordingError`. */
export function readMapping(text: string): Mapping {
  if (text.length > MAPPING_CHARS_MAX) throw new RecordingError("the mapping has more than 1 MiB");
  const lineCounter = new LineCounter();
  const document = parseDocument(text.replace(/^\uFEFF/, ""), { lineCounter, prettyErrors: false });
  const broken = document.errors[0];
  if (broken) throw new RecordingError(`line ${lineCounter.linePos(broken.pos[0]).line}: ${broken.message}`);
  const lineOf = (path: readonly PropertyKey[]) => {
    // What is missing stands nowhere: the line of what it is missing in.
    for (let depth = path.length; depth >= 0; depth--) {
      const node = document.getIn(path.slice(0, depth), true);
      if (isNode(node) && node.range) return lineCounter.linePos(node.range[0]).line;
    }
    return undefined;
  };
  return parseMapping(document.toJS({ maxAliasCount: 100 }), lineOf);
}

/** A built-in name or the path of a YAML or JSON file. Throws `RecordingError`. */
export function loadMapping(nameOrPath: string): Mapping {
  const builtIn = builtInMappings().includes(nameOrPath);
  if (!builtIn && ![".json", ".yaml", ".yml"].includes(extname(nameOrPath)))
    throw new RecordingError(
      `there is no mapping "${nameOrPath}"; give the path of a .yaml or .json file or one of: ${builtInMappings().join(", ")}`,
    );
  const path = builtIn ? join(BUILT_IN_DIR, `${nameOrPath}.json`) : nameOrPath;
  try {
    return readMapping(readFileSync(path, "utf8"));
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
    const [groups] = matchAll(spec.match, [name]);
    if (groups) return { spec, groups: { ...groups } };
  }
  const patterns = mapping.files.map((file) => file.match).join("  ");
  throw new RecordingError(`${name}: the mapping ${mapping.name} has no entry for a file of this name (${patterns})`);
}
