import { describe, expect, it } from "vitest";
import { loadRules } from "../../alerts/rules/check.ts";
import { levelRules } from "../../model/rule.ts";
import { expectedIn, goldenCases, rulesIn, timelineOf } from "../helpers/golden.ts";

/**
 * One folder per case: `rules.yaml` (copies of default rules), `sensors.json`, `readings.ndjson`, and `expected.json`: every
 * transition. `test/helpers/golden.ts` writes rules and expectation; a person checks them against the source of the rule.
 */
const defaults = new Map(loadRules().map((rule) => [rule.id, rule.version]));

describe.each(goldenCases())("golden: %s", (name) => {
  it("is about the default rules as they are today", () => {
    for (const { id, version } of rulesIn(name)) expect(defaults.get(id), id).toBe(version);
  });

  it("says exactly what is expected", () => {
    expect(timelineOf(name)).toEqual(expectedIn(name));
  });
});

describe("the default rules", () => {
  const said = goldenCases().map((name) => expectedIn(name) as { what: string; rule: string; level?: number }[]);

  it("are each seen to fire in a golden case, at each of their levels", () => {
    const isBegun = (what: string) => what === "firing" || what === "raised" || what === "late-confirmed";
    const fired = new Set(
      said.flat().flatMap(({ what, rule, level = 1 }) => (isBegun(what) ? [`${rule} ${level}`] : [])),
    );
    const all = loadRules().flatMap((rule) => levelRules(rule).map(({ id }, i) => `${id} ${i + 1}`));
    expect(all.filter((one) => !fired.has(one))).toEqual([]);
  });
});
