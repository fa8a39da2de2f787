import { type Rule, type RuleData, ruleSchema } from "../../model/rule.ts";
import { DAY_MS, HOUR_MS, parseDuration } from "../../model/time.ts";
import { versionOf } from "../rules/check.ts";
import { runRuleTest, type TestResult } from "./rule-tests.ts";
import type { FoundTest } from "./test-file.ts";

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
    failing,
    mutants,
    killed,
    survivors,
    skipped,
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

/** A rule with one thing changed. */
type Mutant = {
  readonly rule: Rule;
  /** "condition.above 40 -> 44". */
  readonly what: string;
};

type Change = { readonly path: string; readonly from: unknown; readonly condition: Record<string, unknown> };

const UNITS = [
  ["d", DAY_MS],
  ["h", HOUR_MS],
  ["m", 60_000],
  ["s", 1_000],
] as const;

/**
 * Every rule that differs from this one in one limit (a tenth up or down), one count (one more or less), one span of
 * time (twice, half, or left out where it may be) or its side. Only those that a rules file could hold; in a fixed order.
 */
export function mutantsOf(rule: Rule): Mutant[] {
  const { version: _, ...data } = rule;
  const condition = data.condition as Record<string, unknown>;
  return changesOf(condition).flatMap(({ path, from, condition: changed }) => {
    const parsed = ruleSchema.safeParse({ ...data, condition: changed });
    if (!parsed.success) return [];
    const mutated = parsed.data as RuleData;
    const version = versionOf(mutated);
    if (version === rule.version) return [];
    const to = path === "side" ? sideOf(changed) : changed[path];
    return [{ rule: { ...mutated, version }, what: `condition.${path} ${show(from)} -> ${show(to)}` }];
  });
}

function changesOf(condition: Record<string, unknown>): Change[] {
  const changes = Object.entries(condition).flatMap(([path, from]) =>
    valuesFor(path, from).map((to) => ({ path, from, condition: { ...condition, [path]: to } })),
  );
  return [...changes, ...otherSide(condition)];
}

function valuesFor(path: string, value: unknown): unknown[] {
  if (path === "type") return [];
  if (typeof value === "object" && value !== null && "times" in value) {
    return numbers((value as { times: number }).times).map((times) => ({ ...value, times }));
  }
  if (typeof value === "number")
    return Number.isInteger(value) && COUNTS.has(path) ? [value + 1, value - 1] : numbers(value);
  if (typeof value !== "string") return [];
  if (path === "side") return ["both", "above", "below"].filter((side) => side !== value);
  if (path === "aggregate") return ["mean", "min", "max"].filter((one) => one !== value);
  if (path === "season") return ["none", "day", "week"].filter((one) => one !== value);
  const ms = parseDuration(value);
  if (ms === undefined) return [];
  const spans = [2 * ms, ms / 2].map(formatDuration).filter((text) => text !== undefined);
  return OPTIONAL.has(path) ? [...spans, undefined] : spans;
}

const COUNTS = new Set(["count", "samples", "neighbours", "digits"]);
const OPTIONAL = new Set(["for", "keepFor"]);

/** Nothing is a tenth of zero: there a step of one is tried. */
const numbers = (value: number) =>
  value === 0 ? [1, -1] : [Number((value * 1.1).toPrecision(12)), Number((value * 0.9).toPrecision(12))];

/** The other side has no use for the clear level of this one. */
function otherSide(condition: Record<string, unknown>): Change[] {
  for (const [path, other] of [
    ["above", "below"],
    ["below", "above"],
    ["rise", "fall"],
    ["fall", "rise"],
  ] as const) {
    if (condition[path] === undefined || condition[other] !== undefined) continue;
    const { [path]: limit, clear: _, ...rest } = condition;
    return [{ path: "side", from: path, condition: { ...rest, [other]: limit } }];
  }
  return [];
}

const sideOf = (condition: Record<string, unknown>) =>
  typeof condition.side === "string"
    ? condition.side
    : ["above", "below", "rise", "fall"].find((one) => condition[one] !== undefined);

function formatDuration(ms: number): string | undefined {
  const unit = UNITS.find(([, size]) => ms >= size && ms % size === 0);
  return unit && `${ms / unit[1]}${unit[0]}`;
}

const show = (value: unknown) =>
  value === undefined ? "left out" : typeof value === "object" ? JSON.stringify(value) : String(value);
