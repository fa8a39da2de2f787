import { Command, InvalidArgumentError } from "commander";
import { createBacktest } from "../alerts/backtest/run.ts";
import type { WatchedSensor } from "../alerts/conditions/condition.ts";
import { type BacktestAlertView, type BacktestView, viewBacktest } from "../contract/backtest.ts";
import { readReading } from "../ingest/check-reading.ts";
import { type BacktestDiff, diffBacktests } from "../model/backtest.ts";
import type { Reading } from "../model/reading.ts";
import { isFault } from "../model/rejection.ts";
import type { Rule } from "../model/rule.ts";
import { DAY_MS, parseDuration } from "../model/time.ts";
import { builtInMappings, loadMapping, type Mapping } from "../simulators/mapping.ts";
import { openRecordings } from "../simulators/timeline.ts";
import { findService, type ServiceOptions, withAddress } from "./client.ts";
import { parseId, parseSpan, rulesOfPaths } from "./options.ts";
import { type ChartRow, chart, show, table } from "./output.ts";

/** The service gives up on a backtest before this. */
const ANSWER_WITHIN_MS = 290_000;
const BATCH = 10_000;

const SHOWN_MAX = 30;
const ROWS_MAX = 20;
const NAMES = ["added", "removed", "moved", "unchanged", "alerts", "alertsPerDay", "minutesFiring"];

const SOURCES = `
Times: 2026-11-01T00:00:00Z, 2026-11-01 (midnight UTC), or 30d (so long ago).
Readings come from the running service, or with --recording from files; mappings: ${builtInMappings().join(", ")}, or a .yaml or .json file.`;

const BACKTEST_EXAMPLE = `${SOURCES}

Examples:
  $ lamppost rules backtest my-rules/ --from 30d
  $ lamppost rules backtest hot.yaml --from 2026-06-01 --to 2026-09-01 --sensor air-centre-01 --json
  $ lamppost rules backtest --recording occupancy_t4013.csv --mapping nab

Shadow rules speak as if they were live. Exits with 1 if a rule failed.`;

const DIFF_EXAMPLE = `${SOURCES}

--fail-if may be about ${NAMES.join(", ")} (the last three of NEW), and may be given several times.

Example:
  $ lamppost rules diff rules/ rules-new/ --from 30d --fail-if "added>0" --fail-if "removed>0"`;

export function backtestCommand(): Command {
  return withSource(
    new Command("backtest")
      .description("what rules would have said over history")
      .argument("[paths...]", "rules files and folders (default: the rules that come with the service)"),
  )
    .addHelpText("after", BACKTEST_EXAMPLE)
    .action(async (paths: string[], options: SourceOptions, command: Command) => {
      const rules = rulesOfPaths(paths);
      const result = await (await openSource(options, command))(rules);
      show(options, result, () => describeBacktest(result));
      if (result.failures.length > 0) process.exitCode = 1;
    });
}

function describeBacktest(result: BacktestView): string {
  const { from, to, readings, figures, byRule, bySubject, alerts, dropped, failures, notTried = [] } = result;
  const said = byRule.filter(({ alerts }) => alerts > 0);
  const silent = byRule.length - said.length;
  const lines = [
    `${short(from)} to ${short(to)}: ${readings} readings, ${figures.alerts} alerts (${figures.alertsPerDay} a day), ` +
      `${figures.minutesFiring} minutes firing${figures.retracted > 0 ? `, ${figures.retracted} taken back` : ""}`,
    ...failures.map(({ rule, failure }) => `RULE ${rule} FAILED: ${failure}`),
    ...notTried.map(({ rule, why }) => `Rule ${rule} was not tried: ${why}.`),
    ...(dropped > 0 ? [`${dropped} more alerts are not counted: choose a shorter span or fewer rules`] : []),
  ];
  if (said.length === 0) return lines.join("\n");
  const cells = (one: BacktestView["figures"]) => [one.alerts, one.alertsPerDay, one.minutesFiring];
  return [
    ...lines,
    "",
    table(
      ["rule", "alerts", "a day", "minutes firing"],
      said.map((one) => [one.rule, ...cells(one)]),
    ),
    ...(silent > 0 ? [`(${silent} rules said nothing)`] : []),
    "",
    table(
      ["subject", "rule", "alerts", "a day", "minutes firing"],
      bySubject.slice(0, ROWS_MAX).map((one) => [one.subject, one.rule, ...cells(one)]),
    ),
    ...more(bySubject.length - ROWS_MAX, "subjects"),
    "",
    chart(
      chartRows(result),
      { from: Date.parse(from), to: Date.parse(to) },
      { columns: process.stdout.columns ?? 100, plain: !process.stdout.isTTY },
    ),
    "",
    table(["from", "to", "rule", "subject", "what"], alerts.slice(0, SHOWN_MAX).map(alertCells)),
    ...more(alerts.length - SHOWN_MAX, "alerts: --json has all"),
  ].join("\n");
}

const more = (count: number, what: string) => (count > 0 ? [`… and ${count} more ${what}`] : []);

function chartRows({ alerts, bySubject, to }: BacktestView): ChartRow[] {
  const spans = Map.groupBy(alerts, (alert) => `${alert.rule.id} ${subjectOf(alert)}`);
  return bySubject.slice(0, ROWS_MAX).map(({ rule, subject }) => {
    const own = spans.get(`${rule} ${subject}`) ?? [];
    return { name: `${rule} ${subject}`, spans: own.map((alert) => spanOf(alert, to)) };
  });
}

const spanOf = ({ startedAt, firedAt, resolvedAt }: BacktestAlertView, to: string) =>
  [Date.parse(firedAt ?? startedAt), Date.parse(resolvedAt ?? to)] as const;

function alertCells(alert: BacktestAlertView): string[] {
  const { startedAt, firedAt, resolvedAt, state, rule, explanation } = alert;
  const end = state === "retracted" ? "(taken back)" : resolvedAt === undefined ? "(still firing)" : short(resolvedAt);
  return [short(firedAt ?? startedAt), end, rule.id, subjectOf(alert), explanation];
}

function subjectOf({ subject }: Pick<BacktestAlertView, "subject">): string {
  const { sensorId, gateway, tag, district } = subject;
  return sensorId ?? gateway ?? (tag ? `${tag.name}=${tag.value}` : undefined) ?? district ?? "-";
}

const short = (time: string) => time.slice(0, 16).replace("T", " ");

export function diffCommand(): Command {
  return withSource(
    new Command("diff")
      .description("which alerts a change of rules would have added, removed or moved")
      .argument("<old>", "a rules file or folder")
      .argument("<new>", "the same after the change"),
  )
    .option("--fail-if <condition>", 'exit with 1 if it holds, such as "added>0"', gatherFailIf(NAMES))
    .addHelpText("after", DIFF_EXAMPLE)
    .action(runDiff);
}

type DiffOptions = SourceOptions & { readonly failIf?: readonly Limit[] };

async function runDiff(oldPath: string, newPath: string, options: DiffOptions, command: Command): Promise<void> {
  const [oldRules, newRules] = [rulesOfPaths([oldPath]), rulesOfPaths([newPath])];
  const backtest = await openSource(options, command);
  const before = await backtest(oldRules);
  const after = await backtest(newRules);
  const diff = diffBacktests(before.alerts, after.alerts);
  const counts = countsOf(diff, after);
  const failed = holding(options.failIf ?? [], counts);
  const failures = [...before.failures, ...after.failures];
  const { from, to, readings } = after;
  show(
    options,
    { from, to, readings, counts, ...diff, old: before.figures, new: after.figures, failed, failures },
    () => describeDiff(before, after, diff, failed),
  );
  if (failed.length > 0 || failures.length > 0) process.exitCode = 1;
}

function countsOf(
  { added, removed, moved, unchanged }: BacktestDiff<BacktestAlertView>,
  { figures }: BacktestView,
): Record<string, number> {
  const { alerts, alertsPerDay, minutesFiring } = figures;
  const counts = { added: added.length, removed: removed.length, moved: moved.length, unchanged };
  return { ...counts, alerts, alertsPerDay, minutesFiring };
}

function describeDiff(
  before: BacktestView,
  after: BacktestView,
  diff: BacktestDiff<BacktestAlertView>,
  failed: readonly string[],
): string {
  const { added, removed, moved, unchanged } = diff;
  const lines = [
    ...added.map((alert) => ["+", ...alertCells(alert)]),
    ...removed.map((alert) => ["-", ...alertCells(alert)]),
    ...moved.flatMap((one) => [
      ["<", ...alertCells(one.old)],
      [">", ...alertCells(one.new)],
    ]),
  ];
  const sums = (view: BacktestView) => [view.figures.alerts, view.figures.alertsPerDay, view.figures.minutesFiring];
  return [
    `${after.readings} readings: ${added.length} added, ${removed.length} removed, ${moved.length} moved, ${unchanged} unchanged`,
    "",
    table(
      ["", "alerts", "a day", "minutes firing"],
      [
        ["old", ...sums(before)],
        ["new", ...sums(after)],
      ],
    ),
    ...(lines.length > 0 ? ["", table(["", "from", "to", "rule", "subject", "what"], lines.slice(0, SHOWN_MAX))] : []),
    ...(lines.length > SHOWN_MAX ? [`… and ${lines.length - SHOWN_MAX} more lines: --json has all`] : []),
    ...failed.map((text) => `FAILED: ${text}`),
  ].join("\n");
}

/** Where the readings of a backtest come from. */
type SourceOptions = ServiceOptions & {
  readonly from?: number;
  readonly to?: number;
  readonly sensor?: string;
  readonly warmUp: number;
  readonly recording?: readonly string[];
  readonly mapping?: string;
};

function withSource(command: Command): Command {
  return withAddress(command)
    .option("--from <time>", "where the span begins", parseTime)
    .option("--to <time>", "where it ends (default: now; for a recording its end)", parseTime)
    .option("--sensor <sensorId>", "only this sensor", parseId)
    .option(
      "--warm-up <span>",
      "read so much before --from, so that windows are full when it begins",
      (text: string) => (text === "0" ? 0 : parseSpan(text)),
      DAY_MS,
    )
    .option("--recording <files...>", "readings from recordings (CSV or NDJSON, also .gz) instead of the service")
    .option("--mapping <name>", "which column of a recording is which metric of which sensor");
}

type RunBacktest = (rules: readonly Rule[]) => Promise<BacktestView>;

/** Prepares the source once, for as many sets of rules as are compared. Exits with 2 where an option is missing. */
async function openSource(options: SourceOptions, command: Command): Promise<RunBacktest> {
  if (options.recording) return openRecording(options, options.recording, command);
  const { from, to = Date.now(), sensor, warmUp } = options;
  if (from === undefined) return command.error("error: say where the span begins with --from, such as --from 30d");
  if (from >= to) return command.error("error: --from must be before --to");
  const { client } = findService(options);
  const span = { from: new Date(from).toISOString(), to: new Date(to).toISOString(), warmUp: `${warmUp / 1_000}s` };
  return (rules) =>
    client.post("/rules/backtest", { rules: rules.map(withoutVersion), ...span, sensor }, ANSWER_WITHIN_MS);
}

/** Read anew for each set of rules, and never held: a recording may be of years. */
async function openRecording(options: SourceOptions, files: readonly string[], command: Command): Promise<RunBacktest> {
  if (!options.mapping) return command.error("error: --recording needs --mapping beside it");
  const mapping = loadMapping(options.mapping);
  return async (rules) => {
    const sensors = new Map<string, WatchedSensor>();
    const backtest = createBacktest(rules, (id) => sensors.get(id));
    const span = { from: options.from, to: options.to ?? Number.POSITIVE_INFINITY, last: 0 };
    for await (const batch of readingsOfRecording(mapping, files, Date.now())) {
      const readings = batch.filter(({ sensorId }) => options.sensor === undefined || sensorId === options.sensor);
      span.from ??= readings[0]?.measuredAt;
      span.last = readings.at(-1)?.measuredAt ?? span.last;
      const own = readings.filter(({ measuredAt: at }) => at >= span.from! - options.warmUp && at < span.to);
      for (const { sensorId: id, kind, district } of own)
        if (!sensors.has(id)) sensors.set(id, { id, kind, district, tags: {} });
      backtest.observe(own);
    }
    if (span.last === 0) throw new Error("the recording has no readings that the service would keep");
    const to = options.to ?? span.last + 1;
    return viewBacktest(backtest.finish({ from: span.from!, to }));
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

/**
 * A recording as `lamppost replay` and the service would make readings of it: imported history, in the order of time.
 * What the service would put in quarantine, or drop as a duplicate, is left out.
 */
export async function* readingsOfRecording(
  mapping: Mapping,
  files: readonly string[],
  now: number,
): AsyncGenerator<readonly Reading[]> {
  let seq = 0;
  let batch: Reading[] = [];
  let [lastAt, ofMoment] = [Number.NaN, new Set<string>()];
  const recordings = await openRecordings(mapping, files, { now });
  try {
    for await (const { items } of recordings.moments()) {
      for (const { sensorId, kind, district, at, values } of items) {
        seq += 1;
        const topic = { sensorId, kind, district, imported: true };
        const reading = at === undefined ? undefined : readReading(topic, { measuredAt: at, ...values }, now, seq);
        if (reading === undefined || isFault(reading)) continue;
        if (reading.measuredAt !== lastAt) [lastAt, ofMoment] = [reading.measuredAt, new Set()];
        if (ofMoment.has(sensorId)) continue;
        ofMoment.add(sensorId);
        batch.push(reading);
      }
      if (batch.length < BATCH) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  } finally {
    recordings.close();
  }
}

/** What a limit may be about; each is a number of the result. */
type Limit = {
  readonly name: string;
  readonly compare: string;
  readonly limit: number;
  readonly text: string;
};

const COMPARE: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
};

/** `added>0`, `removed >= 3`; given several times, each is looked at. `names`: what there is to compare. */
export function gatherFailIf(names: readonly string[]) {
  return (text: string, before: readonly Limit[] = []): readonly Limit[] => {
    const match = /^\s*([A-Za-z]+)\s*(>=|<=|==|!=|>|<)\s*(\d+(?:\.\d+)?)\s*$/.exec(text);
    if (!match || !names.includes(match[1]!))
      throw new InvalidArgumentError(`Such as "added>0"; it may be about ${names.join(", ")}.`);
    return [...before, { name: match[1]!, compare: match[2]!, limit: Number(match[3]), text: text.trim() }];
  };
}

/** The conditions that hold. */
export function holding(conditions: readonly Limit[], values: Readonly<Record<string, number>>): string[] {
  return conditions
    .filter(({ name, compare, limit }) => COMPARE[compare]!(values[name]!, limit))
    .map(({ text, name }) => `${text} (${name} is ${values[name]})`);
}
