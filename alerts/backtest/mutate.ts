import type { Rule } from "../../model/rule.ts";
import type { FoundTest } from "../rules/test-file.ts";
import { type Mutant, mutantsOf } from "./mutants.ts";
import { runRuleTest, type TestResult } from "./rule-tests.ts";

type TestsOfRules = { readonly tests: readonly FoundTest[]; readonly rules: readonly Rule[] };
type Survivor = { readonly rule: string; readonly what: string };
export type MutationResult = {
  /** Tests that fail without any change: nothing can be said before they pass. */
  readonly failing: readonly TestResult[];
  readonly mutants: number;
  readonly killed: number;
  /** Changes that no test noticed. */
  readonly survivors: readonly Survivor[];
  /** Tests that noticed no change of any rule. */
  readonly weakTests: readonly string[];
  /** Rules that no test runs. */
  readonly untested: readonly string[];
  /** Not tried, because the time was up. */
  readonly skipped: number;
};

/** Changes one thing of one rule at a time and runs the tests again. `timeIsUp`: asked before each change. */
export function mutate(
  files: readonly TestsOfRules[],
  rules: readonly Rule[],
  timeIsUp: () => boolean,
): MutationResult {
  const failing = files
    .flatMap((file) => file.tests.map((test) => runRuleTest(test, file.rules)))
    .filter(({ ok }) => !ok);
  const noticed = new Set<string>();
  const survivors: Survivor[] = [];
  let [mutants, killed, skipped] = [0, 0, 0];
  const tested = rules.filter(({ id }) => files.some((file) => file.tests.some((test) => runs(test, id))));
  for (const mutant of failing.length > 0 ? [] : tested.flatMap(mutantsOf)) {
    mutants += 1;
    if (timeIsUp()) {
      skipped += 1;
      continue;
    }
    if (isNoticed(files, mutant, noticed)) killed += 1;
    else survivors.push({ rule: mutant.rule.id, what: mutant.what });
  }
  const isTested = new Set(tested.map(({ id }) => id));
  const names = failing.length > 0 ? [] : files.flatMap(({ tests }) => tests.map(nameOf));
  return {
    ...{ failing, mutants, killed, survivors, skipped },
    weakTests: skipped > 0 ? [] : names.filter((name) => !noticed.has(name)),
    untested: rules.filter(({ id }) => !isTested.has(id)).map(({ id }) => id),
  };
}

/** All tests are asked, so that each of them gets its due. */
function isNoticed(files: readonly TestsOfRules[], { rule }: Mutant, noticed: Set<string>): boolean {
  let isKilled = false;
  for (const { tests, rules } of files) {
    const changed = rules.map((one) => (one.id === rule.id ? rule : one));
    for (const test of tests) {
      if (!runs(test, rule.id) || runRuleTest(test, changed).ok) continue;
      noticed.add(nameOf(test));
      isKilled = true;
    }
  }
  return isKilled;
}

const nameOf = ({ data, at }: FoundTest) => `${data.name} (${at.file}:${at.line})`;
const runs = ({ data: { only } }: FoundTest, id: string) => only === undefined || [only].flat().includes(id);
