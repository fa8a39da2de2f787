import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { createDetector } from "../alerts/detector.ts";
import { readReading } from "../ingest/check-reading.ts";
import type { Transition } from "../model/alert.ts";
import type { Reading } from "../model/reading.ts";
import type { Rule } from "../model/rule.ts";
import { fileSpec, type Mapping, RecordingError } from "../simulators/mapping.ts";
import { type Item, mergeRecordings, newCounts, readRecording } from "../simulators/recording.ts";
import {
  type Claims,
  createTimes,
  firedAlerts,
  judge,
  type Label,
  parseLabels,
  type RawLabel,
  type Run,
  resolveLabel,
} from "../tools/score.ts";

const BATCH = 500;
/** Not what comes along with recordings. */
const RECORDING = /^(?!licen[cs]e|readme|source).*\.(csv|txt)(\.gz)?$/i;

/** Recordings that belong together: what lies in one folder and is read with one mapping. */
export type Dataset = {
  readonly name: string;
  readonly mapping: Mapping;
  readonly files: readonly string[];
  readonly labels: readonly RawLabel[];
};

/** Runs the rules over the recordings in the order of their times, and judges what they said by the labels. */
export async function runDataset({ name, mapping, files, labels }: Dataset, rules: readonly Rule[]): Promise<Run> {
  const detector = createDetector({ rules, sensor: () => undefined });
  const times = createTimes();
  const said: Transition[] = [];
  const sensorsOf = new Map(files.map((path) => [basename(path), new Set<string>()]));
  const sources = files.map((path) =>
    noteSensors(readRecording(mapping, path, newCounts()), sensorsOf.get(basename(path))!),
  );
  let batch: Reading[] = [];
  let now = 0;
  for await (const items of mergeRecordings(sources)) {
    for (const item of items) {
      const reading = readingOf(item, now);
      if (!reading) continue;
      now = Math.max(now, reading.measuredAt);
      times.add(reading);
      batch.push(reading);
    }
    if (batch.length < BATCH) continue;
    said.push(...detector.observe(batch));
    batch = [];
  }
  said.push(...detector.observe(batch));
  const { good, unusable } = resolveAll(labels, mapping, sensorsOf);
  const alerts = firedAlerts(said, times.end());
  return { dataset: name, judged: judge(alerts, good, claimsOf(rules), times), labels: good, unusable, times };
}

async function* noteSensors(source: AsyncGenerator<readonly Item[]>, seen: Set<string>) {
  for await (const items of source) {
    for (const { sensorId } of items) seen.add(sensorId);
    yield items;
  }
}

/** As the service would take it: limits, flags and all. undefined: it would go to the quarantine. */
function readingOf({ sensorId, kind, district, at, values }: Item, now: number): Reading | undefined {
  if (at === undefined) return undefined;
  const where = { sensorId, kind, district, imported: true };
  const receivedAt = Math.max(now, at);
  const result = readReading(where, { ...values, measuredAt: at }, receivedAt, 1);
  return "measuredAt" in result ? result : undefined;
}

function resolveAll(labels: readonly RawLabel[], mapping: Mapping, sensorsOf: ReadonlyMap<string, Set<string>>) {
  const good: Label[] = [];
  const unusable: string[] = [];
  for (const raw of labels) {
    const seen = sensorsOf.get(raw.file);
    if (!seen) continue;
    const label = resolveLabel(raw, mapping, seen);
    if (typeof label === "string") unusable.push(`${raw.file}: ${label}`);
    else good.push(label);
  }
  return { good, unusable: [...new Set(unusable)] };
}

function claimsOf(rules: readonly Rule[]): Claims {
  return new Map(
    rules.map(({ id, condition }) => {
      if (condition.type === "silence" || condition.type === "flatline") return [id, condition.type];
      const isLimit = condition.type === "threshold" || condition.type === "consecutive" || condition.type === "change";
      return [id, isLimit ? "limit" : "unusual"];
    }),
  );
}

/** The folder `name` (or `name-…`) of the data: its recordings are those the mapping of that name knows, in any subfolder. */
export function datasetIn(data: string, name: string, mapping: Mapping): Dataset | undefined {
  const found = readdirSync(data).find((entry) => entry === name || entry.startsWith(`${name}-`));
  if (mapping.form !== "table" || found === undefined) return undefined;
  const folder = join(data, found);
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  const files = names.filter((path) => RECORDING.test(basename(path)) && isKnown(mapping, path));
  const inFolder = names.filter((path) => /labels.*windows\.json$/.test(path)).map((path) => join(folder, path));
  const shared = join(data, "known_faults.json");
  const lists = [...inFolder, ...(existsSync(shared) ? [shared] : [])];
  const labels = lists.flatMap((path) => readLabels(path, found));
  return { name, mapping, files: files.map((path) => join(folder, path)), labels };
}

function isKnown(mapping: Mapping & { form: "table" }, path: string): boolean {
  try {
    return fileSpec(mapping, path) !== undefined;
  } catch (error) {
    if (error instanceof RecordingError) return false;
    throw error;
  }
}

/** Throws `RecordingError`. */
export function readLabels(path: string, dataset?: string): RawLabel[] {
  try {
    return parseLabels(JSON.parse(readFileSync(path, "utf8")), dataset);
  } catch (error) {
    throw new RecordingError(`${path}: ${(error as Error).message}`, { cause: error });
  }
}
