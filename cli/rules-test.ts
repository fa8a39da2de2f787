import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { Command } from "commander";
import type { Difference } from "../alerts/backtest/expectation.ts";
import { runRuleTest, type TestResult } from "../alerts/backtest/rule-tests.ts";
import { formatMistake } from "../alerts/rules/load.ts";
import { type FoundTest, parseTests } from "../alerts/rules/test-file.ts";
import type { Rule } from "../model/rule.ts";
import { rulesOfPaths } from "./rules-check.ts";
import { show, table } from "./table.ts";

const NOTATION = `
A test file:
  rules: my-rules/                            a file, a folder or a list, seen from the test file
  tests:
    - name: three hours over the limit
      only: eu-no2-alert                      optional: run and compare only this rule (or a list)
      start: 2026-11-21T00:00:00Z
      sensors: [{ id: air-1, kind: air, district: centre, interval: 1h }]
      readings:
        - { sensor: air-1, every: 1h, no2: 40x2 250x4 _ 30 }
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

export function testCommand(): Command {
  return new Command("test")
    .description("run tests of rules: readings in short notation, and the timeline they must give")
    .argument("<files...>", "*.test.yaml")
    .option("--json", "print JSON")
    .addHelpText("after", NOTATION)
    .action((files: string[], options: { json?: boolean }) => {
      const results = readTestFiles(files).flatMap(({ tests, rules }) => tests.map((test) => runRuleTest(test, rules)));
      const failed = results.filter(({ ok }) => !ok).length;
      show(options, { ok: failed === 0, tests: results.length, failed, results }, () => describe(results));
      if (failed > 0) process.exitCode = 1;
    });
}

type TestFile = { readonly tests: readonly FoundTest[]; readonly rules: readonly Rule[] };

/** `rules`: these instead of those that the files name. Throws an Error with every mistake of every file. */
export function readTestFiles(files: readonly string[], rules?: readonly Rule[]): TestFile[] {
  const parsed = files.map((file) => ({ file, ...parseTests(readFileSync(file, "utf8"), file) }));
  const mistakes = parsed.flatMap((one) => one.mistakes);
  if (mistakes.length > 0) throw new Error(`these tests cannot be run:\n${mistakes.map(formatMistake).join("\n")}`);
  return parsed.map((one) => ({
    tests: one.tests,
    rules: rules ?? rulesOfPaths(one.rules.map((path) => resolve(dirname(one.file), path))),
  }));
}

export function describe(results: readonly TestResult[]): string {
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

const MARKS = { missing: "-", unexpected: "+", different: "~", same: " " } as const;
const WORDS = {
  missing: "expected, did not happen",
  unexpected: "happened, not expected",
  different: "",
  same: "",
} as const;

/** As a diff: - expected and missing, + not expected, ~ there but different. */
function describeDifferences(differences: readonly Difference[]): string[] {
  if (differences.length === 0) return [];
  const rows = differences.map(({ mark, at, what, rule, subject, because }) => [
    ...[` ${MARKS[mark]}`, at.replace(".000Z", "Z"), what, rule, subject],
    [WORDS[mark], because].filter((text) => text).join(": "),
  ]);
  return table(["", "at", "what", "rule", "subject", ""], rows).split("\n").slice(1);
}
