import { Command } from "commander";
import type { BacktestAlertView, BacktestView } from "../contract/backtest.ts";
import { type ChartRow, chart } from "./chart.ts";
import { rulesOfPaths } from "./rules-check.ts";
import { openSource, SOURCES, type SourceOptions, withSource } from "./rules-source.ts";
import { show, table } from "./table.ts";

const EXAMPLE = `${SOURCES}

Examples:
  $ lamppost rules backtest my-rules/ --from 30d
  $ lamppost rules backtest hot.yaml --from 2026-06-01 --to 2026-09-01 --sensor air-centre-01 --json
  $ lamppost rules backtest --recording occupancy_t4013.csv --mapping nab

Shadow rules speak as if they were live. Exits with 1 if a rule failed.`;

const ROWS_MAX = 20;
const ALERTS_SHOWN_MAX = 30;

export function backtestCommand(): Command {
  return withSource(
    new Command("backtest")
      .description("what rules would have said over history")
      .argument("[paths...]", "rules files and folders (default: the rules that come with the service)"),
  )
    .addHelpText("after", EXAMPLE)
    .action(async (paths: string[], options: SourceOptions, command: Command) => {
      const rules = rulesOfPaths(paths);
      const result = await (await openSource(options, command))(rules);
      show(options, result, () => describe(result));
      if (result.failures.length > 0) process.exitCode = 1;
    });
}

export function describe(result: BacktestView): string {
  const { from, to, readings, figures, byRule, bySubject, alerts, dropped, failures } = result;
  const said = byRule.filter(({ alerts }) => alerts > 0);
  const silent = byRule.length - said.length;
  const lines = [
    `${short(from)} to ${short(to)}: ${readings} readings, ${figures.alerts} alerts (${figures.alertsPerDay} a day), ` +
      `${figures.minutesFiring} minutes firing${figures.retracted > 0 ? `, ${figures.retracted} taken back` : ""}`,
    ...failures.map(({ rule, failure }) => `RULE ${rule} FAILED: ${failure}`),
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
    table(["from", "to", "rule", "subject", "what"], alerts.slice(0, ALERTS_SHOWN_MAX).map(alertCells)),
    ...more(alerts.length - ALERTS_SHOWN_MAX, "alerts: --json has all"),
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

export function alertCells(alert: BacktestAlertView): string[] {
  const { startedAt, firedAt, resolvedAt, state, rule, explanation } = alert;
  const end = state === "retracted" ? "(taken back)" : resolvedAt === undefined ? "(still firing)" : short(resolvedAt);
  return [short(firedAt ?? startedAt), end, rule.id, subjectOf(alert), explanation];
}

export function subjectOf({ subject }: Pick<BacktestAlertView, "subject">): string {
  const { sensorId, gateway, tag, district } = subject;
  return sensorId ?? gateway ?? (tag ? `${tag.name}=${tag.value}` : undefined) ?? district ?? "-";
}

const short = (time: string) => time.slice(0, 16).replace("T", " ");
