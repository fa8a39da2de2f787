import { type Command, InvalidArgumentError } from "commander";
import { createBacktest } from "../alerts/backtest/run.ts";
import type { WatchedSensor } from "../alerts/conditions/condition.ts";
import { type BacktestView, viewBacktest } from "../contract/backtest.ts";
import type { Rule } from "../model/rule.ts";
import { DAY_MS, parseDuration } from "../model/time.ts";
import { builtInMappings, loadMapping } from "../simulators/mapping.ts";
import { findService, type ServiceOptions, withAddress } from "./client.ts";
import { parseId } from "./options.ts";
import { readingsOfRecording } from "./recording-readings.ts";

/** Where the readings of a backtest come from. */
export type SourceOptions = ServiceOptions & {
  readonly from?: number;
  readonly to?: number;
  readonly sensor?: string;
  readonly warmUp: number;
  readonly recording?: readonly string[];
  readonly mapping?: string;
};

/** The service gives up on a backtest before this. */
const ANSWER_WITHIN_MS = 290_000;
const BATCH = 10_000;

export const SOURCES = `
Times: 2026-11-01T00:00:00Z, 2026-11-01 (midnight UTC), or 30d (so long ago).
Readings come from the running service, or with --recording from files; mappings: ${builtInMappings().join(", ")}, or a .json file.`;

export function withSource(command: Command): Command {
  return withAddress(command)
    .option("--from <time>", "where the span begins", parseTime)
    .option("--to <time>", "where it ends (default: now; for a recording its end)", parseTime)
    .option("--sensor <sensorId>", "only this sensor", parseId)
    .option(
      "--warm-up <span>",
      "read so much before --from, so that windows are full when it begins",
      parseSpan,
      DAY_MS,
    )
    .option("--recording <files...>", "readings from recordings (CSV or NDJSON, also .gz) instead of the service")
    .option("--mapping <name>", "which column of a recording is which metric of which sensor");
}

type RunBacktest = (rules: readonly Rule[]) => Promise<BacktestView>;

/** Prepares the source once, for as many sets of rules as are compared. Exits with 2 where an option is missing. */
export async function openSource(options: SourceOptions, command: Command): Promise<RunBacktest> {
  if (options.recording) return openRecording(options, options.recording, command);
  const { from, to = Date.now(), sensor, warmUp } = options;
  if (from === undefined) return command.error("error: say where the span begins with --from, such as --from 30d");
  if (from >= to) return command.error("error: --from must be before --to");
  const { client } = findService(options);
  const span = { from: new Date(from).toISOString(), to: new Date(to).toISOString(), warmUp: `${warmUp / 1_000}s` };
  return (rules) =>
    client.post("/api/v1/rules/backtest", { rules: rules.map(withoutVersion), ...span, sensor }, ANSWER_WITHIN_MS);
}

async function openRecording(options: SourceOptions, files: readonly string[], command: Command): Promise<RunBacktest> {
  if (!options.mapping) return command.error("error: --recording needs --mapping beside it");
  const { readings } = await readingsOfRecording(loadMapping(options.mapping), files, Date.now());
  const ofSensor = readings.filter(({ sensorId }) => options.sensor === undefined || sensorId === options.sensor);
  const first = ofSensor[0];
  if (!first) throw new Error("the recording has no readings that the service would keep");
  const from = options.from ?? first.measuredAt;
  const to = options.to ?? ofSensor.at(-1)!.measuredAt + 1;
  const warm = ofSensor.filter(({ measuredAt }) => measuredAt >= from - options.warmUp && measuredAt < to);
  const sensors = new Map<string, WatchedSensor>();
  for (const { sensorId: id, kind, district } of warm)
    if (!sensors.has(id)) sensors.set(id, { id, kind, district, tags: {} });
  return async (rules) => {
    const backtest = createBacktest(rules, (id) => sensors.get(id));
    for (let i = 0; i < warm.length; i += BATCH) backtest.observe(warm.slice(i, i + BATCH));
    return viewBacktest(backtest.finish({ from, to }));
  };
}

const withoutVersion = ({ version: _, ...data }: Rule) => data;

export function parseTime(text: string): number {
  const ago = parseDuration(text);
  const at = ago === undefined ? Date.parse(text) : Date.now() - ago;
  const zoned = ago !== undefined || /^\d{4}-\d\d-\d\d(?:T.*(?:Z|[+-]\d\d:\d\d))?$/.test(text);
  if (Number.isNaN(at) || !zoned)
    throw new InvalidArgumentError("A time with its zone, a day, or a span such as 30d was expected.");
  return at;
}

function parseSpan(text: string): number {
  const span = text === "0" ? 0 : parseDuration(text);
  if (span === undefined) throw new InvalidArgumentError("A whole number and s, m, h or d was expected, such as 7d.");
  return span;
}
