import { Command } from "commander";
import type { BacktestAlertView, BacktestView } from "../contract/backtest.ts";
import { type BacktestDiff, diffBacktests } from "../model/backtest.ts";
import { type Condition, gatherFailIf, holding } from "./fail-if.ts";
import { alertCells } from "./rules-backtest.ts";
import { rulesOfPaths } from "./rules-check.ts";
import { openSource, SOURCES, type SourceOptions, withSource } from "./rules-source.ts";
import { show, table } from "./table.ts";

const NAMES = ["added", "removed", "moved", "unchanged", "alerts", "alertsPerDay", "minutesFiring"];
const SHOWN_MAX = 30;
const EXAMPLE = `${SOURCES}

--fail-if may be about ${NAMES.join(", ")} (the last three of NEW), and may be given several times.

Example:
  $ lamppost rules diff rules/ rules-new/ --from 30d --fail-if "added>0" --fail-if "removed>0"`;

export function diffCommand(): Command {
  return withSource(
    new Command("diff")
      .description("which alerts a change of rules would have added, removed or moved")
      .argument("<old>", "a rules file or folder")
      .argument("<new>", "the same after the change"),
  )
    .option("--fail-if <condition>", 'exit with 1 if it holds, such as "added>0"', gatherFailIf(NAMES))
    .addHelpText("after", EXAMPLE)
    .action(run);
}

type Options = SourceOptions & { readonly failIf?: readonly Condition[] };

async function run(oldPath: string, newPath: string, options: Options, command: Command): Promise<void> {
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
    () => describe(before, after, diff, failed),
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

function describe(
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
