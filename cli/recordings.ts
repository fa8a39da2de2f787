import { createWriteStream, rmSync } from "node:fs";
import { finished } from "node:stream/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import pino from "pino";
import { liveReadings } from "../client/client.ts";
import type { ReadingView } from "../contract/reading.ts";
import { formatSpan } from "../model/time.ts";
import { guessMapping } from "../simulators/guess.ts";
import { builtInMappings, loadMapping, type Mapping, RecordingError } from "../simulators/mapping.ts";
import { type ReplayReport, replay, type Speed, type Start } from "../simulators/replay.ts";
import { findService, type ServiceOptions, withService } from "./client.ts";
import { gatherIds, parseSpan } from "./options.ts";
import { createProgress, show, table } from "./output.ts";

type RecordOptions = ServiceOptions & {
  readonly sensor?: readonly string[];
  readonly district?: readonly string[];
  readonly for?: number;
};

type ReplayOptions = ServiceOptions & {
  readonly mapping?: string;
  readonly guess?: boolean;
  readonly speed: Speed;
  readonly start: Start;
  readonly quiet?: boolean;
  readonly temp?: string;
  readonly mqtt?: string;
};

const TIMES = `
Times:
  --start original            every reading keeps its time and goes to the import topic: rules run on it as if it were
                              then, what they say is history, and nobody is told.
  --start now --speed max     all times are shifted alike, so that the recording ends now.
  --start now --speed N       the recording begins now and runs N times as fast; a reading carries the time it is sent at,
                              so gaps shrink by N. Only --speed 1 keeps what rules with windows would have seen.
  --quiet                     with --start now: the rules run, and nobody is told.

Readings are sent in the order of their times, whatever the order in the files; what was sorted is said at the end.

A mapping of your own:
  $ lamppost replay counts.csv --guess > counts.yaml      then look at what it could not tell
  $ lamppost replay counts.csv --mapping counts.yaml

Mappings: ${builtInMappings().join(", ")}; or the path of a .yaml or .json file (docs/replay.md).`;

/** Live readings written to a file, and files played as readings. */
export function register(program: Command): void {
  withService(
    program
      .command("record")
      .description("write live readings to a file (NDJSON) that replay can play, until Ctrl+C")
      .argument("<file>", "a new file"),
    "record --for 10m --sensor air-centre-01 morning.ndjson",
  )
    .option("--sensor <ids>", "only these sensors (with commas between them, or again)", gatherIds)
    .option("--district <ids>", "only these districts", gatherIds)
    .option("--for <time>", "end after so long, such as 90s, 10m or 1h", parseSpan)
    .action(record);
  withService(
    program
      .command("replay")
      .description("play recordings (CSV or NDJSON, also .gz) through MQTT and account for every row")
      .argument("<files...>", "the recordings; several are played together, in the order of their times"),
    "replay recordings/occupancy_t4013.csv recordings/speed_t4013.csv --mapping nab",
  )
    .option("--mapping <name>", "which column is which metric of which sensor (NDJSON files: native)")
    .option("--guess", "propose a mapping for a file, as YAML, and show ten rows as readings; nothing is sent")
    .option("--speed <n>", "times as fast as it was, or max", parseSpeed, "max")
    .addOption(new Option("--start <when>", "which times").choices(["original", "now"]).default("original"))
    .option("--quiet", "rules run, nobody is told (always so with --start original)")
    .option("--temp <dir>", "where large files that are not in order are sorted (default: the system's)")
    .option("--mqtt <url>", "MQTT address of the service (needed with --url)")
    .addHelpText("after", TIMES)
    .action(play);
}

async function record(path: string, options: RecordOptions): Promise<void> {
  const service = findService(options);
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  const timer = options.for === undefined ? undefined : setTimeout(stop, options.for);
  const startedAt = Date.now();
  // "wx": an older recording of that name stays what it is.
  const file = createWriteStream(path, { flags: "wx" });
  let [failure, isOurs]: [Error | undefined, boolean] = [undefined, false];
  file.on("open", () => {
    isOurs = true;
  });
  file.on("error", (error) => {
    failure = error;
    stop();
  });
  const counts = { readings: 0, sensors: new Set<string>(), interruptions: 0 };
  const wants = filterOf(options);
  try {
    const feed = liveReadings({ url: service.client.url, token: service.token, signal: stopping.signal, onLost });
    for await (const readings of feed) {
      for (const reading of readings.filter(wants)) {
        file.write(`${JSON.stringify(reading)}\n`);
        counts.readings += 1;
        counts.sensors.add(reading.sensorId);
      }
    }
  } catch (error) {
    if (isOurs && counts.readings === 0) rmSync(path, { force: true });
    throw error;
  } finally {
    clearTimeout(timer);
    file.end();
    await finished(file).catch(() => {}); // told below
  }
  if (failure) throw failure;

  function onLost(why: string): void {
    counts.interruptions += 1;
    console.error(`lamppost: ${why}; readings until it is back are missing`);
  }

  const report = { file: path, ...counts, sensors: counts.sensors.size, seconds: (Date.now() - startedAt) / 1_000 };
  show(options, report, () => describeRecording(report));
}

function filterOf({ sensor, district }: RecordOptions): (reading: ReadingView) => boolean {
  const [ids, places] = [sensor && new Set(sensor), district && new Set(district)];
  return (reading) => (!ids || ids.has(reading.sensorId)) && (!places || places.has(reading.district));
}

type Report = { file: string; readings: number; sensors: number; interruptions: number; seconds: number };

function describeRecording({ file, readings, sensors, interruptions, seconds }: Report): string {
  const gaps = interruptions > 0 ? `; the line broke ${interruptions} times, so some are missing` : "";
  const told = `${file}: ${readings} readings of ${sensors} sensors in ${formatSpan(seconds * 1_000)}${gaps}`;
  return `${told}\nplay it with: lamppost replay ${RECORDED.test(file) ? file : `${file} --mapping native`}`;
}

function parseSpeed(text: string): Speed {
  const speed = Number(text);
  if (text === "max") return "max";
  if (!Number.isFinite(speed) || speed <= 0) throw new InvalidArgumentError('A number above 0 or "max" was expected.');
  return speed;
}

/** As `record` writes them. */
const RECORDED = /\.(ndjson|jsonl)(\.gz)?$/i;

async function play(files: string[], options: ReplayOptions, command: Command): Promise<void> {
  if (options.guess) return guess(files, options, command);
  const name = options.mapping ?? (files.every((file) => RECORDED.test(file)) ? "native" : undefined);
  if (name === undefined)
    return command.error("error: required option '--mapping <name>' not specified; --guess proposes one", {
      exitCode: 2,
    });
  const mapping = mappingOf(name, command);
  const service = findService(options);
  const mqtt = options.mqtt ?? service.mqtt;
  if (!mqtt) return command.error("error: --url needs --mqtt beside it", { exitCode: 2 });
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stopping.abort());
  const progress = createProgress(process.stderr);
  try {
    const report = await replay({
      service: service.client,
      mqtt,
      mapping,
      files,
      speed: options.speed,
      start: options.start,
      ...(options.quiet !== undefined && { quiet: options.quiet }),
      ...(options.temp !== undefined && { tempDir: options.temp }),
      now: Date.now,
      random: Math.random,
      log: pino({ level: "warn", base: undefined }, pino.destination({ dest: 2, sync: true })),
      signal: stopping.signal,
      onProgress: progress.update,
    });
    progress.end();
    show(options, report, () => describeReport(report));
    if (!report.balanced || report.unplayableRows > 0) process.exitCode = 1;
  } finally {
    progress.end();
  }
}

/** What it prints can be saved as it is: all but the mapping stands in comments. */
async function guess(files: readonly string[], options: ReplayOptions, command: Command): Promise<void> {
  const [file, ...others] = files;
  if (others.length > 0) return command.error("error: --guess looks at one file", { exitCode: 2 });
  const { yaml, mapping, doubts, rows } = await guessMapping(file!);
  show(options, { mapping, doubts, rows }, () => {
    const cells = rows.map(({ sensorId, at, rawTime, values }) => [
      at === undefined ? `"${rawTime}" is no time` : new Date(at).toISOString(),
      sensorId,
      JSON.stringify(values),
    ]);
    const shown = table(["measuredAt", "sensor", "values"], cells).split("\n");
    const comments = [
      "",
      `The first ${rows.length} rows as readings:`,
      ...shown,
      "",
      `Saved as my.yaml: lamppost replay ${file} --mapping my.yaml`,
    ];
    return `${yaml}${comments.map((line) => `# ${line}`.trimEnd()).join("\n")}`;
  });
}

function mappingOf(name: string, command: Command): Mapping {
  try {
    return loadMapping(name);
  } catch (error) {
    if (error instanceof RecordingError) return command.error(`error: ${error.message}`, { exitCode: 2 });
    throw error;
  }
}

function describeReport(report: ReplayReport): string {
  const rows: [string, number | string][] = [
    ["files", report.files.length],
    ["sensors", report.sensors],
    ["rows", report.rows],
    ["  blank lines, nothing to send", report.blankRows],
    ["  lines without a sensor, not sent", report.unplayableRows],
    ["readings", report.readings],
    ["sent", report.sent],
    ["acknowledged", report.acknowledged],
    ["stored", report.stored],
    ["duplicates", report.duplicates],
    ["quarantined", report.quarantined],
    ...Object.entries(report.reasons).map(([reason, count]): [string, number] => [`  ${reason}`, count]),
    ["in the journal", report.inJournal],
    ["too late for any rule, of all sensors", report.tooLateForRules ?? "not told"],
    ["alerts raised", Object.values(report.alertsRaised).reduce((sum, count) => sum + count, 0)],
    ["  that people may be told of", report.alertsTold],
    ...Object.entries(report.alertsRaised).map(([rule, count]): [string, number] => [`  ${rule}`, count]),
    ["seconds", report.seconds],
  ];
  return [table(["", report.mapping], rows), ...describeTimes(report), ...report.notes, verdict(report)].join("\n");
}

const SHOWN_MAX = 5;

/** The first few, and how many more there are. */
function some(texts: readonly string[]): string {
  const more = texts.length - SHOWN_MAX;
  return texts.slice(0, SHOWN_MAX).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

const minute = (at: number) => `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;

/** What is out of the ordinary about the times of the files. */
function describeTimes(report: ReplayReport): string[] {
  const { sorted, gaps, doubledHours, skippedHourRows, changedNames } = report;
  const lines = sorted.map(describeOrder);
  if (gaps.longest) {
    const { sensorId, from, to } = gaps.longest;
    const which = `the longest of ${formatSpan(to - from)} (${sensorId}, ${minute(from)} to ${minute(to)})`;
    lines.push(`gaps: ${gaps.count}, of ${gaps.sensors} sensors; ${which}`);
  }
  const hours = Object.entries(doubledHours);
  if (hours.length > 0) {
    const rows = hours.reduce((sum, [, one]) => sum + one.rows, 0);
    const second = hours.reduce((sum, [, one]) => sum + one.second, 0);
    const told = `${rows - second} rows taken as its first pass, ${second} as its second`;
    lines.push(`an hour that the clocks went through twice: ${some(hours.map(([hour]) => hour))}; ${told}`);
  }
  if (skippedHourRows > 0)
    lines.push(`${skippedHourRows} rows in an hour that the clocks skipped, moved on by it: is the zone right?`);
  const names = Object.entries(changedNames).map(([name, id]) => `"${name}" is ${id}`);
  if (names.length > 0) lines.push(`names that make no id as they are: ${some(names)}`);
  return lines;
}

function describeOrder({ file, order, stepsBack, firstStepBack }: ReplayReport["sorted"][number]): string {
  const sorted = "sorted by time";
  if (order === "sensor by sensor") return `${file}: one sensor after another, ${sorted}`;
  if (order === "backward") return `${file}: newest first, ${sorted}`;
  const { row, sensorId, from, to } = firstStepBack!;
  const first = `row ${row}, ${sensorId}, from ${minute(from)} to ${minute(to)}`;
  return `${file}: not in the order of time, ${sorted}; ${stepsBack} steps back, the first at ${first}`;
}

function verdict(report: ReplayReport): string {
  const { readings, sent, stored, duplicates, quarantined, resent } = report;
  const booked = `${stored} stored + ${duplicates} duplicates + ${quarantined} quarantined`;
  if (report.stopped) return `stopped early: ${sent} readings sent, booked as ${booked}`;
  const again = resent > 0 ? ` (up to ${resent} of them twice, after a lost connection)` : "";
  if (report.balanced) return `every reading is accounted for: ${readings} = ${booked}${again}`;
  return `NOT BALANCED: ${readings} readings, but ${booked}; "lamppost ledger" and the log of the service tell more`;
}
