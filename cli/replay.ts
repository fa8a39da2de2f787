import { type Command, InvalidArgumentError, Option } from "commander";
import pino from "pino";
import { builtInMappings, loadMapping, type Mapping, RecordingError } from "../simulators/mapping.ts";
import { type ReplayReport, replay, type Speed, type Start } from "../simulators/replay.ts";
import { findService, type ServiceOptions, withService } from "./client.ts";
import { createProgress } from "./progress.ts";
import { show, table } from "./table.ts";

type Options = ServiceOptions & {
  readonly mapping: string;
  readonly speed: Speed;
  readonly start: Start;
  readonly mqtt?: string;
};

const TIMES = `
Times:
  --start original            every reading keeps its time. What is older than 7 days goes to the import topic: rules run
                              on it as if it were then, timers of today do not.
  --start now --speed max     all times are shifted alike, so that the recording ends now.
  --start now --speed N       the recording begins now and runs N times as fast; a reading carries the time it is sent at,
                              so gaps shrink by N. Only --speed 1 keeps what rules with windows would have seen.

Mappings: ${builtInMappings().join(", ")}; or the path of a .json file.`;

export function register(program: Command): void {
  withService(
    program
      .command("replay")
      .description("play recordings (CSV or NDJSON, also .gz) through MQTT and account for every row")
      .argument("<files...>", "the recordings; several are played together, in the order of their times"),
    "replay recordings/occupancy_t4013.csv recordings/speed_t4013.csv --mapping nab",
  )
    .requiredOption("--mapping <name>", "which column is which metric of which sensor")
    .option("--speed <n>", "times as fast as it was, or max", parseSpeed, "max")
    .addOption(new Option("--start <when>", "which times").choices(["original", "now"]).default("original"))
    .option("--mqtt <url>", "MQTT address of the service (needed with --url)")
    .addHelpText("after", TIMES)
    .action(run);
}

function parseSpeed(text: string): Speed {
  const speed = Number(text);
  if (text === "max") return "max";
  if (!Number.isFinite(speed) || speed <= 0) throw new InvalidArgumentError('A number above 0 or "max" was expected.');
  return speed;
}

async function run(files: string[], options: Options, command: Command): Promise<void> {
  const mapping = mappingOf(options.mapping, command);
  const service = findService(options);
  const mqtt = options.mqtt ?? service.mqtt;
  if (!mqtt) return command.error("error: --url needs --mqtt beside it", { exitCode: 2 });
  const stopping = new AbortController();
  process.once("SIGINT", () => stopping.abort());
  const progress = createProgress(process.stderr);
  try {
    const report = await replay({
      ...{ service: service.client, mqtt, mapping, files, speed: options.speed, start: options.start },
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
    ["alerts raised", Object.values(report.alertsRaised).reduce((sum, count) => sum + count, 0)],
    ...Object.entries(report.alertsRaised).map(([rule, count]): [string, number] => [`  ${rule}`, count]),
    ["seconds", report.seconds],
  ];
  return [table(["", report.mapping], rows), ...report.notes, verdict(report)].join("\n");
}

function verdict(report: ReplayReport): string {
  const { readings, sent, stored, duplicates, quarantined, resent } = report;
  const booked = `${stored} stored + ${duplicates} duplicates + ${quarantined} quarantined`;
  if (report.stopped) return `stopped early: ${sent} readings sent, booked as ${booked}`;
  const again = resent > 0 ? ` (up to ${resent} of them twice, after a lost connection)` : "";
  if (report.balanced) return `every reading is accounted for: ${readings} = ${booked}${again}`;
  return `NOT BALANCED: ${readings} readings, but ${booked}; "lamppost ledger" and the log of the service tell more`;
}
