import { describe, expect, it } from "vitest";
import { runRuleTest } from "../../../alerts/backtest/rule-tests.ts";
import { parseTests } from "../../../alerts/backtest/test-file.ts";
import { aRule } from "../builders.ts";

const hot = aRule({ id: "hot", metric: "temperature", condition: { type: "threshold", above: 40, for: "20m" } });
const silent = aRule({ id: "silent", kind: "any", condition: { type: "silence", after: "30m" } });

function run(rest: string, rules = [hot, silent]) {
  const text = `rules: x.yaml
tests:
  - name: a test
    start: 2026-11-21T00:00:00Z
    sensors: [{ id: s-1, kind: air, district: north, interval: 10m }]
${rest}`;
  const { tests, mistakes } = parseTests(text, "a.test.yaml");
  expect(mistakes).toEqual([]);
  return runRuleTest(tests[0]!, rules);
}
const readings = (series: string) => `    readings: [{ sensor: s-1, every: 10m, temperature: ${series} }]\n`;
const marks = ({ differences }: ReturnType<typeof run>) =>
  differences.map(({ mark, what, at, rule }) => `${mark} ${what} ${at.slice(11, 16)} ${rule}`);

describe("a test of rules", () => {
  it("passes when the timeline is as expected, and pending is not asked for", () => {
    const result = run(`${readings("20x2 45x4 20")}    expect:
      - { what: firing, at: +40m, rule: hot, sensor: s-1, explanation: "/above 40/", value: 45 }
      - { what: resolved, at: +1h }\n`);
    expect(result).toMatchObject({ ok: true, line: 3, failures: [] });
    expect(marks(result)).toEqual(["same firing 00:40 hot", "same resolved 01:00 hot"]);
  });

  it("shows what is missing, not expected and different, in the order of time", () => {
    const result = run(`${readings("20x2 45x4 20")}    expect:
      - { what: firing, at: +40m, explanation: ice }
      - { what: firing, at: +10m, rule: hot }\n`);
    expect(result.ok).toBe(false);
    expect(marks(result)).toEqual([
      "missing firing 00:10 hot",
      "different firing 00:40 hot",
      "unexpected resolved 01:00 hot",
    ]);
    expect(result.differences[1]!.because).toMatch(/^the explanation is ".*", not ice$/);
  });

  it("compares pending entries when one is named", () => {
    const result = run(`${readings("45 45 20")}    expect: [{ what: pending, at: +0s }]\n`);
    expect(marks(result)).toEqual(["same pending 00:00 hot", "unexpected resolved 00:20 hot"]);
  });

  it("lets the clock run on: a sensor that stops is silent", () => {
    const expected = "    until: +2h\n    expect: [{ what: firing, at: +50m, rule: silent }]\n";
    expect(marks(run(readings("20x3") + expected))).toEqual(["same firing 00:50 silent"]);
    const without = expected.replace("    until: +2h\n", "");
    expect(marks(run(readings("20x3") + without))).toEqual(["missing firing 00:50 silent"]);
  });

  it("plays late readings when they were received", () => {
    const late = "    late: [{ sensor: s-1, at: +15m, received: +31m, temperature: 45 }]\n";
    const now = aRule({ id: "now", metric: "temperature", condition: { type: "threshold", above: 40 } });
    const result = run(
      `${readings("20x6") + late}    expect:
      - { what: firing, at: +15m }
      - { what: late-confirmed, at: +15m }
      - { what: resolved, at: +20m }\n`,
      [now],
    );
    expect(result).toMatchObject({ ok: true, differences: [{}, {}, {}] });
  });

  it("runs only the rules it names, and says when there is no such rule", () => {
    const gap = `${readings("20x3 _x9 20")}    expect: []\n`;
    expect(run(`    only: hot\n${gap}`).ok).toBe(true);
    expect(run(gap).ok).toBe(false);
    const wrong = run(`    only: [hot, cold]\n${gap}`);
    expect(wrong).toMatchObject({ ok: false, failures: [expect.stringContaining('no rule "cold"')] });
  });

  it("lets a shadow rule speak", () => {
    const shadow = { ...hot, mode: "shadow" as const };
    const result = run(`${readings("45x3")}    expect: [{ what: firing, at: +20m }]\n`, [shadow]);
    expect(marks(result)).toEqual(["same firing 00:20 hot"]);
  });
});
