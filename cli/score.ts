import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Command } from "commander";
import { createDetector } from "../alerts/detector.ts";
import { loadRules } from "../alerts/rules/check.ts";
import { zonedRules } from "../alerts/rules/zoned.ts";
import { readReading } from "../ingest/check-reading.ts";
import type { Transition } from "../model/alert.ts";
import type { Reading } from "../model/reading.ts";
import type { Rule } from "../model/rule.ts";
import { HOUR_MS } from "../model/time.ts";
import { builtInMappings, fileSpec, loadMapping, type Mapping, RecordingError } from "../simulators/mapping.ts";
import type { Item } from "../simulators/recording.ts";
import { openRecordings } from "../simulators/timeline.ts";
import {
  type Claims,
  createTimes,
  type DatasetScore,
  type Found,
  firedAlerts,
  judge,
  type Run,
  scoreOf,
  sumOf,
} from "../tools/score.ts";
import {
  choose as chooseSetting,
  leaveOneOut,
  SETTINGS,
  type Setting,
  type Trial,
  unusualRules,
} from "../tools/score-choice.ts";
import { type Label, parseLabels, type RawLabel, resolveLabel, withMoments } from "../tools/score-labels.ts";
import { type Cell, createProgress, show, table } from "./output.ts";

type Options = {
  readonly data: string;
  readonly rules?: string;
  readonly labels?: string;
  readonly mapping?: string;
  readonly misses?: boolean;
  readonly leaveOneOut?: boolean;
  readonly json?: boolean;
};

const BATCH = 500;
/** Not what comes along with recordings. */
const RECORDING = /^(?!licen[cs]e|readme|source).*\.(csv|txt)(\.gz)?$/i;

/** Beside the project, where the recordings of its developers lie. */
const DATA = join(import.meta.dirname, "../../shared/data");

const HELP = `
The rules are those that run live, unchanged; a recording has nothing but its mapping (which column is which metric).
A data set is a folder of --data with the name of a mapping: ${builtInMappings().join(", ")}.
Other recordings: name the files, with --mapping, and --labels with NAB windows or a list of faults.

  hit        met a label: within a window, before a constant value or a gap ended
  confirmed  a silence that the recording itself shows and nobody labelled
  floor      took a labelled detection limit for a fault
  limit      a stated limit was passed; nobody labelled the recording for that
  false      none of these

With --leave-one-out the rules for the unusual are scored twice on each recording: with the setting that all
recordings choose, and with the one that all others choose. Every alert to people counts, silences too.

Examples:
  lamppost score
  lamppost score --leave-one-out
  lamppost score nab beijing-multisite --json
  lamppost score occupancy_6005.csv --mapping nab --labels combined_windows.json`;

export function register(program: Command): void {
  program
    .command("score")
    .description("run the rules over labelled recordings: what they find, miss and say wrongly")
    .argument("[names...]", "data sets (all of them by default), or with --mapping recordings")
    .option("--data <dir>", "where the data sets are", DATA)
    .option("--rules <dir>", "rules to score instead of the default city set")
    .option("--mapping <name>", "for recordings of your own: which column is which metric of which sensor")
    .option("--labels <file>", "for recordings of your own: what is to be found in them")
    .option("--leave-one-out", "score each recording with a setting that it was not chosen on")
    .option("--misses", "name every label that was missed")
    .option("--json", "for programs")
    .addHelpText("after", HELP)
    .action(run);
}

async function run(names: string[], options: Options, command: Command): Promise<void> {
  const { datasets, problem } = choose(names, options);
  if (problem) return command.error(`error: ${problem}`, { exitCode: 2 });
  const rules = options.rules === undefined ? loadRules() : loadRules(options.rules);
  if (options.leaveOneOut) return showLeaveOneOut(datasets, rules, options);
  const progress = createProgress(process.stderr);
  const scores: DatasetScore[] = [];
  try {
    for (const [done, dataset] of datasets.entries()) {
      progress.update({ phase: "rules", done, total: datasets.length });
      scores.push(scoreOf(await runDataset(dataset, rules)));
    }
  } finally {
    progress.end();
  }
  const total = sumOf(scores);
  show(options, { rules: rules.length, datasets: scores, total }, () => describeScores(scores, total, options.misses));
}

/** A recording scored with the setting that all chose, itself among them, and with the one that all others chose. */
type Held = { readonly chosen: DatasetScore; readonly heldOut: DatasetScore; readonly setting: Setting };

async function showLeaveOneOut(datasets: readonly Dataset[], rules: readonly Rule[], options: Options): Promise<void> {
  const recordings = datasets.flatMap(partsOf);
  const progress = createProgress(process.stderr);
  const others = rules.filter(({ condition }) => condition.type !== "anomaly");
  const scored = async (one: Dataset, some: readonly Rule[]) => scoreOf(await runDataset(one, some));
  try {
    const trials: Trial[] = [];
    for (const [done, recording] of recordings.entries()) {
      progress.update({ phase: "rules", done, total: recordings.length });
      const sets = SETTINGS.map((setting) => unusualRules(rules, setting));
      for (const [i, run] of (await runSets(recording, sets)).entries()) {
        const { events, told, sensorWeeks } = scoreOf(run);
        trials.push({
          recording: recording.name,
          setting: SETTINGS[i]!,
          ...foundIn(events),
          alerts: told,
          sensorWeeks,
        });
      }
    }
    const all = chooseSetting(trials);
    const withoutIt = leaveOneOut(trials);
    const held: Held[] = [];
    for (const [done, recording] of recordings.entries()) {
      progress.update({ phase: "rules", done, total: recordings.length });
      const setting = withoutIt.get(recording.name)!;
      const chosen = await scored(recording, [...others, ...unusualRules(rules, all)]);
      const same = setting === all;
      held.push({
        chosen,
        setting,
        heldOut: same ? chosen : await scored(recording, [...others, ...unusualRules(rules, setting)]),
      });
    }
    progress.end();
    show(options, { setting: all, recordings: held }, () => describeHeld(held, all));
  } finally {
    progress.end();
  }
}

const foundIn = ({ found, of }: Found) => ({ found, of });

/** Where windows are labelled each file is a recording of its own, so that none helps another. */
function partsOf(dataset: Dataset): Dataset[] {
  const labelled = new Set(dataset.labels.filter(({ type }) => type === "event").map(({ file }) => file));
  if (![...dataset.files].some((file) => labelled.has(basename(file)))) return [dataset];
  return dataset.files.map((file) => ({ ...dataset, name: basename(file), files: [file] }));
}

function describeHeld(held: readonly Held[], all: Setting): string {
  const head = ["recording", "sensor-weeks", "setting", "windows", "delay", "told", "of it silences", "wrong"];
  const rate = ({ told, sensorWeeks }: DatasetScore) => (sensorWeeks > 0 ? (told / sensorWeeks).toFixed(2) : "-");
  const row = (score: DatasetScore, setting: string): Cell[] => [
    ...[
      score.dataset,
      score.sensorWeeks.toFixed(1),
      setting,
      share(score.events),
      hoursOf(middleOf(score.eventDelaysMs)),
    ],
    ...[score.told, score.silences, score.wrong, rate(score)],
  ];
  const rows = (scores: readonly (readonly [DatasetScore, Setting])[]): Cell[][] => [
    ...scores.map(([score, setting]) => row(score, settingText(setting))),
    row(sumOf(scores.map(([score]) => score)), ""),
  ];
  const titled = (title: string, scores: Cell[][]) => [title, table([...head, "told/sensor-week"], scores), ""];
  return [
    ...titled("Chosen on these recordings:", rows(held.map(({ chosen }) => [chosen, all]))),
    ...titled(
      "Not chosen on: each with the setting of all others:",
      rows(held.map((one) => [one.heldOut, one.setting])),
    ),
  ]
    .join("\n")
    .trimEnd();
}

const settingText = ({ sigmas, lastsMs }: Setting) => `${sigmas} sigmas, ${lastsMs / HOUR_MS} h`;
const middleOf = (sorted: readonly number[]) => sorted[(sorted.length - 1) >> 1];
const hoursOf = (ms: number | undefined) => (ms === undefined ? "-" : `${(ms / HOUR_MS).toFixed(1)} h`);

function choose(names: string[], options: Options): { datasets: Dataset[]; problem?: string } {
  try {
    return options.mapping === undefined ? fromFolders(names, options) : ownFiles(names, options.mapping, options);
  } catch (error) {
    if (error instanceof RecordingError) return { datasets: [], problem: error.message };
    throw error;
  }
}

function ownFiles(files: string[], mapping: string, { labels }: Options): { datasets: Dataset[]; problem?: string } {
  if (files.length === 0) return { datasets: [], problem: "--mapping needs the recordings that it is for" };
  const absent = [...files, ...(labels === undefined ? [] : [labels])].find((path) => !existsSync(path));
  if (absent !== undefined) return { datasets: [], problem: `there is no file ${absent}` };
  const read = labels === undefined ? [] : readLabels(labels);
  const name = files.length === 1 ? basename(files[0]!) : `${files.length} files`;
  return { datasets: [{ name, mapping: loadMapping(mapping), files, labels: read }] };
}

function fromFolders(names: string[], { data, labels }: Options): { datasets: Dataset[]; problem?: string } {
  if (labels !== undefined)
    return { datasets: [], problem: "--labels needs --mapping and the recordings they are for" };
  if (!existsSync(data))
    return { datasets: [], problem: `there are no recordings in ${data}: name their folder with --data` };
  const known = builtInMappings();
  const wrong = names.find((name) => !known.includes(name));
  if (wrong !== undefined) return { datasets: [], problem: `no data set "${wrong}"; known: ${known.join(", ")}` };
  const found = (names.length > 0 ? names : known).map((name) => ({
    name,
    set: datasetIn(data, name, loadMapping(name)),
  }));
  const absent = names.find((name) => !found.some((one) => one.name === name && one.set && one.set.files.length > 0));
  if (absent !== undefined) return { datasets: [], problem: `${data} has no recordings in a folder ${absent}` };
  const datasets = found.flatMap(({ set }) => (set && set.files.length > 0 ? [set] : []));
  return datasets.length > 0 ? { datasets } : { datasets, problem: `${data} has no folder with the name of a mapping` };
}

function describeScores(scores: readonly DatasetScore[], total: DatasetScore, misses = false): string {
  const rows = scores.flatMap((score) => ruleRows(score));
  const head = [
    "data set",
    "rule",
    "alerts",
    "hit",
    "confirmed",
    "floor",
    "limit",
    "false",
    "false/sensor-week",
    "delay",
  ];
  const sums: Cell[][] = [...scores, total].map((score) => [
    score.dataset,
    score.sensors,
    score.readings,
    score.sensorWeeks.toFixed(1),
    ...[score.events, score.longFlatlines, score.otherFlatlines, score.floors, score.gaps, score.outages].map(share),
    ...[hoursOf(middleOf(score.eventDelaysMs)), score.told, score.silences],
    score.sensorWeeks > 0 ? (score.told / score.sensorWeeks).toFixed(2) : "-",
    score.falseForCrews,
    score.falseForCrewsPerSensorWeek.toFixed(3),
  ]);
  const sumHead = ["data set", "sensors", "readings", "sensor-weeks", "events", "flatlines >= 24 h", "other flatlines"];
  const sumMore = ["floors respected", "labelled gaps", "outages >= 24 h", "event delay", "told", "of it silences"];
  const sumRates = ["told/sensor-week", "false for crews", "false for crews/sensor-week"];
  const notes = scores.flatMap(({ dataset, unusable }) =>
    unusable.map((text) => `label not used: ${dataset}: ${text}`),
  );
  const missed = misses ? scores.flatMap(missedLines) : [];
  return [table(head, rows), "", table([...sumHead, ...sumMore, ...sumRates], sums), "", ...notes, ...missed]
    .join("\n")
    .trimEnd();
}

function ruleRows({ dataset, rules, sensorWeeks }: DatasetScore): Cell[][] {
  return rules.map((one) => [
    ...[dataset, one.rule, one.alerts, one.hit, one.confirmed, one.floor, one.limit, one.false],
    sensorWeeks > 0 ? (one.false / sensorWeeks).toFixed(3) : "-",
    hoursOf(one.delayMs),
  ]);
}

const share = ({ found, of }: Found) => (of === 0 ? "-" : `${found}/${of} (${Math.round((100 * found) / of)} %)`);

function missedLines({ dataset, ...score }: DatasetScore): string[] {
  const { events, longFlatlines, otherFlatlines, floors, gaps, outages } = score;
  return Object.entries({ events, longFlatlines, otherFlatlines, floors, gaps, outages }).flatMap(
    ([what, { misses }]) => misses.map((text) => `missed ${what}: ${dataset}: ${text}`),
  );
}

/** Recordings that belong together: what lies in one folder and is read with one mapping. */
type Dataset = {
  readonly name: string;
  readonly mapping: Mapping;
  readonly files: readonly string[];
  readonly labels: readonly RawLabel[];
};

/** Runs the rules over the recordings in the order of their times, and judges what they said by the labels. */
async function runDataset(dataset: Dataset, rules: readonly Rule[]): Promise<Run> {
  return (await runSets(dataset, [rules]))[0]!;
}

/** The same with several sets of rules, each for itself: the recording is read once. */
async function runSets({ name, mapping, files, labels }: Dataset, sets: readonly (readonly Rule[])[]): Promise<Run[]> {
  const zone = zoneOf(mapping, files);
  const runs = sets.map((rules) => {
    const zoned = zonedRules(rules, zone);
    return {
      rules: zoned,
      detector: createDetector({ rules: zoned, sensor: () => undefined }),
      said: [] as Transition[],
    };
  });
  const times = createTimes();
  const recordings = await openRecordings(mapping, files, { now: Number.POSITIVE_INFINITY });
  let batch: Reading[] = [];
  let now = 0;
  const observe = () => {
    for (const { detector, said } of runs) said.push(...detector.observe(batch));
    batch = [];
  };
  try {
    for await (const { items } of recordings.moments()) {
      for (const item of items) {
        const reading = readingOf(item, now);
        if (!reading) continue;
        now = Math.max(now, reading.measuredAt);
        times.add(reading);
        batch.push(reading);
      }
      if (batch.length >= BATCH) observe();
    }
  } finally {
    recordings.close();
  }
  observe();
  const { good, unusable } = resolveAll(labels, mapping, recordings.survey.sensorsOf);
  return runs.map(({ rules, said }) => {
    const alerts = firedAlerts(said, times.end());
    return { dataset: name, judged: judge(alerts, good, claimsOf(rules), times), labels: good, unusable, times };
  });
}

/** Of the first file: a recording is of one place. */
function zoneOf(mapping: Mapping, files: readonly string[]): string | undefined {
  return mapping.form === "native" ? undefined : fileSpec(mapping, basename(files[0]!)).spec.time.zone;
}

/** As the service would take it: limits, flags and all. undefined: it would go to the quarantine. */
function readingOf({ sensorId, kind, district, at, values }: Item, now: number): Reading | undefined {
  if (at === undefined) return undefined;
  const where = { sensorId, kind, district, imported: true };
  const receivedAt = Math.max(now, at);
  const result = readReading(where, { ...values, measuredAt: at }, receivedAt, 1);
  return "measuredAt" in result ? result : undefined;
}

function resolveAll(
  labels: readonly RawLabel[],
  mapping: Mapping,
  sensorsOf: ReadonlyMap<string, ReadonlySet<string>>,
) {
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

/** What says that a stated limit was passed. */
const LIMITS: ReadonlySet<string> = new Set(["threshold", "consecutive", "change", "running"]);

function claimsOf(rules: readonly Rule[]): Claims {
  return new Map(
    rules.map(({ id, condition }) => {
      if (condition.type === "silence" || condition.type === "flatline") return [id, condition.type];
      return [id, LIMITS.has(condition.type) ? "limit" : "unusual"];
    }),
  );
}

/** The folder `name` (or `name-…`) of the data: its recordings are those the mapping of that name knows, in any subfolder. */
function datasetIn(data: string, name: string, mapping: Mapping): Dataset | undefined {
  const found = readdirSync(data).find((entry) => entry === name || entry.startsWith(`${name}-`));
  if (mapping.form !== "table" || found === undefined) return undefined;
  const folder = join(data, found);
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  const files = names.filter((path) => RECORDING.test(basename(path)) && isKnown(mapping, path));
  const inFolder = names.filter((path) => /labels.*windows\.json$/.test(path)).map((path) => join(folder, path));
  const moments = names.find((path) => /labels.*labels\.json$/.test(path));
  const shared = join(data, "known_faults.json");
  const lists = [...inFolder, ...(existsSync(shared) ? [shared] : [])];
  const labels = lists.flatMap((path) => readLabels(path, found));
  const exact = moments === undefined ? labels : withMoments(labels, readJson(join(folder, moments)));
  return { name, mapping, files: files.map((path) => join(folder, path)), labels: exact };
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
function readLabels(path: string, dataset?: string): RawLabel[] {
  try {
    return parseLabels(readJson(path), dataset);
  } catch (error) {
    throw new RecordingError(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));
