import { describe, expect, it } from "vitest";
import { mutantsOf, mutate } from "../../../alerts/backtest/mutation.ts";
import { parseTests } from "../../../alerts/backtest/test-file.ts";
import { ruleSchema } from "../../../model/rule.ts";
import { aRule } from "../builders.ts";

const what = (condition: object, rest: object = { metric: "no2" }) =>
  mutantsOf(aRule({ ...rest, condition })).map((mutant) => mutant.what.replace("condition.", ""));

describe("changes of a rule", () => {
  it("change one thing at a time: limit, clear level, time, side", () => {
    expect(what({ type: "threshold", above: 40, clear: 30, for: "20m" })).toEqual([
      ...["above 40 -> 44", "above 40 -> 36", "clear 30 -> 33", "clear 30 -> 27"],
      ...["for 20m -> 40m", "for 20m -> 10m", "for 20m -> left out"],
      ...["aggregate mean -> min", "aggregate mean -> max", "capture 0.75 -> 0.825", "capture 0.75 -> 0.675"],
      "side above -> below",
    ]);
  });

  it("change counts by one and windows to such as divide the day", () => {
    const changes = what({ type: "consecutive", above: 0, count: 1, window: "15m" });
    expect(changes).toEqual(
      expect.arrayContaining(["above 0 -> 1", "above 0 -> -1", "count 1 -> 2", "window 15m -> 30m"]),
    );
    expect(changes.filter((one) => /count 1 -> 0|window 15m -> 4/.test(one))).toEqual(["window 15m -> 450s"]);
  });

  it("change shares of a tag, and silence within its limits", () => {
    expect(what({ type: "threshold", above: { tag: "rated", times: 1 } })[0]).toMatch(
      /above .*"times":1\} -> .*"times":1\.1\}/,
    );
    expect(what({ type: "silence", after: "15m" }, { kind: "any" })).toEqual(["after 15m -> 30m"]);
  });

  it("are all rules that a file could hold, each another version", () => {
    const rule = aRule({ metric: "no2", condition: { type: "anomaly" } });
    const mutants = mutantsOf(rule);
    expect(mutants.length).toBeGreaterThan(8);
    for (const { rule: mutant } of mutants) {
      const { version: _, ...data } = mutant;
      expect(ruleSchema.safeParse(data).success).toBe(true);
    }
    expect(new Set([rule, ...mutants.map((one) => one.rule)].map(({ version }) => version)).size).toBe(
      mutants.length + 1,
    );
  });
});

describe("tests of rules under changes", () => {
  const hot = aRule({ id: "hot", metric: "temperature", condition: { type: "threshold", above: 40 } });
  const cold = aRule({ id: "cold", metric: "temperature", condition: { type: "threshold", below: 0 } });
  const file = (...cases: [name: string, series: string, expected: string][]) => {
    const tests = cases.map(
      ([name, series, expected]) => `  - name: ${name}
    only: hot
    sensors: [{ id: s-1, kind: air, district: north }]
    readings: [{ sensor: s-1, every: 10m, temperature: ${series} }]
    expect: [${expected}]\n`,
    );
    return { tests: parseTests(`rules: x\ntests:\n${tests.join("")}`, "a.test.yaml").tests, rules: [hot, cold] };
  };
  const never = () => false;
  const firing = "{ what: firing, at: +10m }, { what: resolved, at: +20m }";

  it("name the changes that no test notices, weak tests, and rules without any", () => {
    const result = mutate([file(["far over", "20 47 20", firing], ["nothing at all", "20x3", ""])], [hot, cold], never);
    expect(result.survivors.filter(({ what }) => /above|side/.test(what))).toEqual([
      { rule: "hot", what: "condition.above 40 -> 44" },
      { rule: "hot", what: "condition.above 40 -> 36" },
    ]);
    expect(result.killed).toBeGreaterThan(0);
    expect(result.untested).toEqual(["cold"]);
    expect(result.weakTests).toEqual([]);
  });

  it("notice a limit when they come close to it", () => {
    const near = file(["just over", "20 41 20", firing], ["just under", "20 39 20", ""]);
    const { survivors } = mutate([near], [hot], never);
    expect(survivors.filter(({ what }) => what.includes("above"))).toEqual([]);
  });

  it("name a test that notices nothing", () => {
    const weak = mutate([file(["icy", "-40?", ""])], [hot], never).weakTests;
    expect(weak).toEqual(["icy (a.test.yaml:3)"]);
  });

  it("must pass first, and stop when the time is up", () => {
    const failing = mutate([file(["wrong", "20 47 20", ""])], [hot], never);
    expect(failing).toMatchObject({ failing: [{ name: "wrong" }], mutants: 0 });
    let asked = 0;
    const late = mutate([file(["far over", "20 47 20", firing])], [hot], () => ++asked > 2);
    expect(late.skipped).toBe(late.mutants - 2);
  });
});
