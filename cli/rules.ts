import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { Command } from "commander";
import { type MutationResult, mutate } from "../alerts/backtest/mutation.ts";
import { type Difference, runRuleTest, type TestResult } from "../alerts/backtest/rule-tests.ts";
import { type FoundTest, parseTests } from "../alerts/backtest/test-file.ts";
import { type Checked, formatMistake } from "../alerts/rules/check.ts";
import type { Rule } from "../model/rule.ts";
import { checkPaths, parseCount, rulesOfPaths } from "./options.ts";
import { show, table } from "./output.ts";
import { backtestCommand, diffCommand } from "./rules-backtest.ts";

const CHECK_EXAMPLE = `
Examples:
  $ lamppost rules check                  the rules that come with the service
  $ lamppost rules check my-rules/        all *.yaml files of a folder (not *.test.yaml)
  $ lamppost rules check a.yaml b.yaml    these files together; rules may speak of each other

Prints every mistake as file:line:column with what to write instead, and exits with 1 if there is any.`;

const NOTATION = `
A test file:
  rules: my-rules/                            a file, a folder or a list, seen from the test file
  tests:
    - name: three hours over the limit
      only: eu-no2                            optional: run and compare only this rule (or a list)
      start: 2026-11-21T00:00:00Z
      sensors: [{ id: air-1, kind: air, district: centre, interval: 1h }]
      readings:
        - { sensor: air-1, every: 1h, no2: 40x2 250x4 _ 30 }
      refused:                                optional: messages that are refused (metric: only that value)
        - { sensor: air-1, at: +2h, every: 1m, times: 12, reason: future }
      late:                                   optional: readings that come late
        - { sensor: air-1, at: +1h30m, received: +2h, no2: 20 }
      until: +12h                             optional: how long the clock runs on
      expect:
        - { what: firing, at: +5h, sensor: air-1, explanation: 250 }
        - { what: resolved, at: +8h, sensor: air-1 }

Values: 35 (one), 35x4 (four), 20+2x6 (six, rising by 2), _ (missing), _x3, 35? (suspect). Times: +1h30m from the start, or ISO 8601.
Every firing, resolved and retracted entry must be expected; other kinds, such as pending, only where a test names one.

Example:
  $ lamppost rules test my-rules/*.test.yaml`;

const MUTATE_EXAMPLE = `
Changes one limit, count, window, span or side of one rule at a time and runs the tests again. A change that no test notices shows what
the tests do not look at; a test that notices no change at all is named as weak. Exits with 1 if a change went unnoticed.

Example:
  $ lamppost rules mutate my-rules/ --tests my-rules/*.test.yaml`;

const MARKS = { missing: "-", unexpected: "+", different: "~", same: " " } as const;
const WORDS = {
  missing: "expected, did not happen",
  unexpected: "happened, not expected",
  different: "",
  same: "",
} as const;

/** Rules as code: each step has a command of its own, made for a person and, with --json, for CI. */
export function register(program: Command): void {
  program
    .command("rules")
    .description("check, test and compare rules before they go live")
    .addCommand(checkCommand())
    .addCommand(testCommand())
    .addCommand(backtestCommand())
    .addCommand(diffCommand())
    .addCommand(mutateCommand())
    .addHelpText("after", "\nExample:\n  $ lamppost rules check my-rules/");
}

function checkCommand(): Command {
  return new Command("check")
    .description("find all mistakes of rules files, those between rules included")
    .argument("[paths...]", "files and folders")
    .option("--json", "print JSON")
    .addHelpText("after", CHECK_EXAMPLE)
    .action((paths: string[], options: { json?: boolean }) => {
      const checked = checkPaths(paths);
      const { rules, mistakes } = checked;
      show(options, { ok: mistakes.length === 0, rules: rules.length, mistakes }, () => describeChecked(checked));
      if (mistakes.length > 0) process.exitCode = 1;
    });
}

function describeChecked({ rules, mistakes }: Checked): string {
  const count = (n: number, what: string) => `${n} ${what}${n === 1 ? "" : "s"}`;
  if (mistakes.length === 0) return `${count(rules.length, "rule")}, no mistakes`;
  return [...mistakes.map(formatMistake), count(mistakes.length, "mistake")].join("\n");
}

function testCommand(): Command {
  return new Command("test")
    .description("run tests of rules: readings in short notation, and the timeline they must give")
    .argument("<files...>", "*.test.yaml")
    .option("--json", "print JSON")
    .addHelpText("after", NOTATION)
    .action((files: string[], options: { json?: boolean }) => {
      const results = readTestFiles(files).flatMap(({ tests, rules }) => tests.map((test) => runRuleTest(test, rules)));
      const failed = results.filter(({ ok }) => !ok).length;
      show(options, { ok: failed === 0, tests: results.length, failed, results }, () => describeTests(results));
      if (failed > 0) process.exitCode = 1;
    });
}

type TestFile = { readonly tests: readonly FoundTest[]; readonly rules: readonly Rule[] };

/** `rules`: these instead of those that the files name. Throws an Error with every mistake of every file. */
function readTestFiles(files: readonly string[], rules?: readonly Rule[]): TestFile[] {
  const parsed = files.map((file) => ({ file, ...parseTests(readFileSync(file, "utf8"), file) }));
  const mistakes = parsed.flatMap((one) => one.mistakes);
  if (mistakes.length > 0) throw new Error(`these tests cannot be run:\n${mistakes.map(formatMistake).join("\n")}`);
  return parsed.map((one) => ({
    tests: one.tests,
    rules: rules ?? rulesOfPaths(one.rules.map((path) => resolve(dirname(one.file), path))),
  }));
}

function describeTests(results: readonly TestResult[]): string {
  const failed = results.filter(({ ok }) => !ok);
  const lines = failed.flatMap(({ name, file, line, differences, failures }) => [
    `FAILED  ${name} (${file}:${line})`,
    ...failures.map((failure) => `  ! ${failure}`),
    ...describeDifferences(differences),
    "",
  ]);
  const passed = results.length - failed.length;
  return [
    ...lines,
    `${passed} of ${results.length} tests passed${failed.length > 0 ? `, ${failed.length} FAILED` : ""}`,
  ].join("\n");
}

/** As a diff: - expected and missing, + not expected, ~ there but different. */
function describeDifferences(differences: readonly Difference[]): string[] {
  if (differences.length === 0) return [];
  const rows = differences.map(({ mark, at, what, rule, subject, because }) => [
    ...[` ${MARKS[mark]}`, at.replace(".000Z", "Z"), what, rule, subject],
    [WORDS[mark], because].filter((text) => text).join(": "),
  ]);
  return table(["", "at", "what", "rule", "subject", ""], rows).split("\n").slice(1);
}

type MutateOptions = { readonly tests: readonly string[]; readonly seconds: number; readonly json?: boolean };

function mutateCommand(): Command {
  return new Command("mutate")
    .description("find out what the tests of rules do not notice")
    .argument("<paths...>", "the rules to change: files and folders")
    .requiredOption("--tests <files...>", "*.test.yaml; they are run on the rules given here")
    .option("--seconds <n>", "stop trying after so long", parseCount, 120)
    .option("--json", "print JSON")
    .addHelpText("after", MUTATE_EXAMPLE)
    .action((paths: string[], options: MutateOptions) => {
      const rules = rulesOfPaths(paths);
      const until = Date.now() + options.seconds * 1_000;
      const result = mutate(readTestFiles(options.tests, rules), rules, () => Date.now() > until);
      show(options, result, () => describeMutants(result));
      if (result.failing.length > 0 || result.survivors.length > 0 || result.skipped > 0) process.exitCode = 1;
    });
}

function describeMutants({
  failing,
  mutants,
  killed,
  survivors,
  weakTests,
  untested,
  skipped,
}: MutationResult): string {
  if (failing.length > 0)
    return [
      "these tests fail without any change; let them pass first:",
      ...failing.map(({ name, file, line }) => `  ${name} (${file}:${line})`),
    ].join("\n");
  const list = (title: string, names: readonly string[]) =>
    names.length > 0 ? ["", title, ...names.map((name) => `  ${name}`)] : [];
  const rows = survivors.map(({ rule, what }) => [`  ${rule}`, what]);
  return [
    `${mutants} changes, ${killed} noticed, ${survivors.length} not${skipped > 0 ? `, ${skipped} not tried (time is up)` : ""}`,
    ...(rows.length > 0 ? ["", "no test noticed:", ...table(["", ""], rows).split("\n").slice(1)] : []),
    ...list("these tests noticed no change:", weakTests),
    ...list("no test runs these rules:", untested),
  ].join("\n");
}
