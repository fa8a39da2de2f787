import { readFileSync, statSync } from "node:fs";
import { setEnvironmentData } from "node:worker_threads";
import { parse } from "yaml";
import { z } from "zod";
import { type CityMetric, setCityMetrics } from "../model/city-metrics.ts";
import { CITY_METRICS } from "../model/city-metrics-of-thread.ts";
import { KINDS } from "../model/kinds.ts";

/**
 * The first import of the command line: reads `LAMPPOST_METRICS_FILE` before the table of metrics is loaded, and hands
 * what is in it to every thread. What is wrong with it is not thrown here: `loadConfig` reports it with all else.
 */

const BYTES_MAX = 65_536;
const METRICS_MAX = 100;

const range = z
  .tuple([z.number(), z.number()], { error: "two numbers were expected, such as [0, 500]" })
  .refine(([low, high]) => low < high, "the first number must be less than the second");
const name = z.string().min(1).max(60);
const Metric = z
  .strictObject({
    id: z.string().regex(/^[a-z][a-zA-Z0-9]{0,39}$/, "letters and digits, a small letter first, 40 at most"),
    kind: z.enum(KINDS),
    unit: z.string().max(20),
    possible: range,
    usual: range,
    names: z.strictObject({ en: name, de: name, es: name }),
  })
  .refine(
    ({ possible, usual }) => usual[0] >= possible[0] && usual[1] <= possible[1],
    "usual lies within possible: outside it a value is only flagged",
  );
const File = z.strictObject({ metrics: z.array(Metric).min(1).max(METRICS_MAX) });

/** Names that stand beside the metrics in readings, or in the stores' columns. */
const RESERVED =
  "measuredAt receivedAt journalSeq seq sensorId district kind imported clock raw quality values batchSeq origin";
/** The stores make columns of a metric's name and these. */
const SUFFIX = /(count|mean|min|max|sum|suspect)$/;

export type MetricsFile = { readonly metrics: readonly CityMetric[]; readonly mistakes: readonly string[] };

/** `builtIn`: the metrics there are; only known once the table is loaded. */
export function readMetricsFile(path: string, builtIn: readonly string[] = []): MetricsFile {
  const wrong = (...mistakes: string[]): MetricsFile => ({ metrics: [], mistakes });
  let text: string;
  try {
    const { size } = statSync(path);
    if (size > BYTES_MAX) return wrong(`${path} has ${size} bytes; ${BYTES_MAX} are allowed`);
    text = readFileSync(path, "utf8");
  } catch (error) {
    return wrong(`${path} cannot be read: ${(error as Error).message}`);
  }
  let data: unknown;
  try {
    data = parse(text, { maxAliasCount: 0 });
  } catch (error) {
    return wrong(`${path} is not YAML: ${(error as Error).message.split("\n")[0]}`);
  }
  const result = File.safeParse(data);
  if (!result.success) {
    return wrong(...result.error.issues.map(({ path: at, message }) => `${at.join(".") || path}: ${message}`));
  }
  const mistakes: string[] = [];
  const taken = new Set([...builtIn, ...RESERVED.split(" ")].map((one) => one.toLowerCase()));
  for (const { id } of result.data.metrics) {
    const small = id.toLowerCase();
    // DuckDB's columns know no capitals.
    if (taken.has(small)) mistakes.push(`metrics: "${id}" is taken already, as a metric or a field of a reading`);
    else if (SUFFIX.test(small) && taken.has(small.replace(SUFFIX, ""))) {
      mistakes.push(`metrics: "${id}" is what a store calls a part of "${id.replace(/[A-Z][a-z]+$/, "")}"`);
    }
    taken.add(small);
  }
  if (mistakes.length > 0) return wrong(...mistakes);
  const metrics = result.data.metrics.map(({ possible, usual, ...rest }) => ({
    ...rest,
    fail: possible,
    suspect: usual,
  }));
  return { metrics, mistakes };
}

const path = process.env.LAMPPOST_METRICS_FILE;
if (path) {
  const { metrics } = readMetricsFile(path);
  setCityMetrics(metrics);
  setEnvironmentData(CITY_METRICS, metrics as never);
}
