import type { Rule } from "../../model/rule.ts";
import { createDetector } from "../detector.ts";
import type { FoundTest } from "../rules/test-file.ts";
import { compare, type Difference } from "./expectation.ts";
import { playLive } from "./live.ts";
import { feedOf } from "./test-feed.ts";

export type TestResult = {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly ok: boolean;
  readonly differences: readonly Difference[];
  /** A rule that threw, or one that the test names and the files do not have. */
  readonly failures: readonly string[];
};

/** Runs one test on the rules of its file with the same detector that runs live. Shadow rules speak as if they were live. */
export function runRuleTest({ data, at }: FoundTest, rules: readonly Rule[]): TestResult {
  const only = data.only === undefined ? undefined : new Set([data.only].flat());
  const unknown = [...(only ?? [])].filter((id) => !rules.some((rule) => rule.id === id));
  const chosen = rules.filter(({ id }) => only?.has(id) ?? true).map((rule) => ({ ...rule, mode: "live" as const }));
  const feed = feedOf(data);
  const detector = createDetector({ rules: chosen, sensor: (id) => feed.sensors.get(id) });
  const said = playLive(detector, feed.readings, feed.start, feed.until);
  const differences = compare(said, data.expect, feed.start);
  const failures = [
    ...unknown.map((id) => `there is no rule "${id}" in the files that this test names`),
    ...detector.failures().map(({ rule, failure }) => `rule ${rule} failed: ${failure}`),
  ];
  const ok = failures.length === 0 && differences.every(({ mark }) => mark === "same");
  return { name: data.name, file: at.file, line: at.line, ok, differences, failures };
}
