import { describe, expect, it } from "vitest";
import { parseMoment, parseSeries, parseTests } from "../../../alerts/backtest/test-file.ts";
import { formatMistake } from "../../../alerts/rules/check.ts";
import { HOUR, T0 } from "../builders.ts";

const values = (text: string) => {
  const places = parseSeries(text);
  return typeof places === "string" ? places : places.map((place) => place && (place.suspect ? -1 : place.value));
};

describe("the short notation", () => {
  it.each([
    ["35", [35]],
    ["35x3", [35, 35, 35]],
    ["20+2x3 7", [20, 22, 24, 7]],
    ["20-2.5x3", [20, 17.5, 15]],
    ["1 _ _x2 -4", [1, undefined, undefined, undefined, -4]],
    ["20.1+0.1x3", [20.1, 20.2, 20.3]],
    ["35? 35?x2 3", [-1, -1, -1, 3]],
    ["1e3", [1000]],
  ])("reads %s", (text, expected) => {
    expect(values(text)).toEqual(expected);
  });

  it.each(["", "35xx2", "20+2", "x3", "35x0", "35x100001", "a", "5x99999 5x2"])("refuses %j", (text) => {
    expect(values(text)).toEqual(expect.any(String));
  });
});

describe("a moment", () => {
  it.each([
    ["+0s", T0],
    ["+1h30m", T0 + 1.5 * HOUR],
    ["+1d6h", T0 + 30 * HOUR],
    ["2026-11-21T02:00:00+01:00", T0 + HOUR],
    ["2026-11-21", T0],
    ["2026-11-21T02:00:00", undefined],
    ["3h", undefined],
    ["+3", undefined],
    ["+1.5h", undefined],
    ["yesterday", undefined],
  ])("%s", (text, expected) => {
    expect(parseMoment(text, T0)).toBe(expected);
  });
});

const TEST = `rules: air.yaml
tests:
  - name: a test
    sensors: [{ id: s-1, kind: air, district: north, tags: { lane: 1 } }]
    readings:
      - { sensor: s-1, every: 1h, no2: 20x3 }
    expect:
      - { what: firing, at: +3h, sensor: s-1 }
`;
const mistakes = (text: string) => parseTests(text, "a.test.yaml").mistakes.map(formatMistake);

describe("a file of tests", () => {
  it("is read with its rules and the line of each test", () => {
    const { rules, tests, mistakes } = parseTests(TEST, "a.test.yaml");
    expect(mistakes).toEqual([]);
    expect(rules).toEqual(["air.yaml"]);
    expect(tests.map(({ at }) => at.line)).toEqual([3]);
    expect(tests[0]!.data.sensors[0]!.tags).toEqual({ lane: "1" });
  });

  it.each([
    ["20x3", "20xx3", /^a\.test\.yaml:6:\d+: tests\.0\.readings\.0\.no2: "20xx3" is no value: write 35/],
    ["no2:", "n02:", /^a\.test\.yaml:6:\d+: tests\.0\.readings\.0\.n02: "n02" is not a metric; known: pm25/],
    [", no2: 20x3", "", /^a\.test\.yaml:6:9: tests\.0\.readings\.0: name a metric and its values/],
    ["every: 1h", "every: hourly", /^a\.test\.yaml:6:\d+: tests\.0\.readings\.0\.every: write a whole number and s, m/],
    ["+3h", "3h", /^a\.test\.yaml:8:\d+: tests\.0\.expect\.0\.at: a time is \+3h/],
    ["sensor: s-1 }\n", "sensor: s-2 }\n", /^a\.test\.yaml:8:\d+: sensor "s-2" is not among the sensors of this test/],
    ["what: firing", "wat: firing", /^a\.test\.yaml:8:9: tests\.0\.expect\.0\.what: is missing/],
    ["name: a test", "name: [", /^a\.test\.yaml:\d+:\d+: /],
  ])("refuses %s -> %s", (from, to, message) => {
    expect(mistakes(TEST.replace(from, to))[0]).toMatch(message);
  });

  it("tells all mistakes at once", () => {
    expect(mistakes(TEST.replace("20x3", "x").replace("+3h", "x").replace("1h", "x"))).toHaveLength(3);
    const twice = TEST + TEST.split("tests:\n")[1];
    expect(mistakes(twice)).toEqual([expect.stringMatching(/:9:\d+: another test has this name/)]);
  });
});
