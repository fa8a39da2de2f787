import { describe, expect, it } from "vitest";
import { loadRules, parseRules } from "../../alerts/rules/check.ts";
import { contradictions } from "../../model/rule.ts";

/** What is wrong with a rule, as a city would read it: place within the line, then advice. */
function mistakes(rule: string): string[] {
  const yaml = `rules:\n  - { id: a, title: A rule, severity: info, audience: crews, source: { text: a test }, ${rule} }`;
  return parseRules(yaml, "a.yaml").mistakes.map(({ message }) => message);
}
const battery = (condition: string) => mistakes(`kind: air, metric: battery, condition: { ${condition} }`);

describe("what a rule cannot mean", () => {
  it("exactly one side", () => {
    const change = "condition: a change has exactly one of rise and fall";
    expect(battery("type: change, within: 1h")).toEqual([change]);
    expect(battery("type: change, rise: 1, fall: 2, within: 1h")).toEqual([change]);
    const forecast = "condition: a forecast has exactly one of above and below";
    expect(battery("type: forecast, within: 7d, over: 14d")).toEqual([forecast]);
    expect(battery("type: forecast, above: 4, below: 5, within: 7d, over: 14d")).toEqual([forecast]);
    expect(battery("type: threshold")).toEqual(["condition: a threshold has exactly one of above and below"]);
  });

  it("a clear level on the wrong side, or of another tag", () => {
    expect(battery("type: threshold, below: 10, clear: 5")).toEqual([
      "condition.clear: clear is on the wrong side: it must be at or above `below`",
    ]);
    expect(battery("type: threshold, above: 10, clear: 15")).toEqual([
      "condition.clear: clear is on the wrong side: it must be at or below `above`",
    ]);
    expect(battery("type: threshold, above: { tag: a, times: 1 }, clear: 5")).toEqual([
      "condition.clear: clear must use the same tag as the limit",
    ]);
    expect(battery("type: threshold, below: 10, clear: 10")).toEqual([]);
  });

  it("a limit that no reading can pass", () => {
    expect(battery("type: threshold, above: 100")).toEqual([
      "condition.above: no reading can be above 100: battery is accepted from 0 to 100",
    ]);
    expect(battery("type: forecast, below: 0, within: 7d, over: 14d")).toEqual([
      "condition.below: no reading can be below 0: battery is accepted from 0 to 100",
    ]);
    expect(
      mistakes("kind: air, metric: no2, condition: { type: consecutive, above: 4000, count: 3, window: 1h }"),
    ).toEqual(["condition.above: no reading can be above 4000: no2 is accepted from -10 to 4000"]);
    expect(battery("type: spike, above: 100")).toEqual([]);
  });

  it("a trend drawn out too far", () => {
    expect(battery("type: forecast, below: 10, within: 30d, over: 1d")).toEqual([
      "condition.within: a trend over 1d cannot be drawn out to 30d: at most 4 times as long; raise over or lower within",
    ]);
    expect(battery("type: forecast, below: 10, within: 4d, over: 1d")).toEqual([]);
  });

  it("says once what is no duration", () => {
    expect(battery("type: forecast, below: 10, within: soon, over: 1d")).toHaveLength(1);
    expect(
      mistakes("kind: air, metric: europeanAqi, condition: { type: threshold, above: 3, window: 1x }"),
    ).toHaveLength(1);
  });

  it("a floor above the ceiling", () => {
    expect(battery("type: flatline, after: 1h, floor: 5, ceiling: 5")).toEqual([
      "condition.floor: floor must be below ceiling: between them lies what is watched",
    ]);
  });

  it("a register rule on what is no register, and without power", () => {
    expect(battery("type: register, maxPower: 0")).toEqual([
      "metric: a register rule watches a meter's register: metric is energyImport or energyExport",
      "condition.maxPower: maxPower must be above 0 kW",
    ]);
    expect(mistakes("kind: energy, metric: energyExport, condition: { type: register, maxPower: 10 }")).toEqual([]);
  });

  it("a derived metric where it makes no sense", () => {
    const aqi = (condition: string) => mistakes(`kind: air, metric: europeanAqi, condition: { ${condition} }`);
    expect(aqi("type: threshold, above: 3")).toEqual([]);
    expect(aqi("type: threshold, above: 6")).toEqual([
      "condition.above: no reading can be above 6: europeanAqi is accepted from 1 to 6",
    ]);
    expect(aqi("type: flatline, after: 1d")).toEqual([
      'condition.type: flatline makes no sense on "europeanAqi", one value per hour: use threshold, consecutive or change',
    ]);
    expect(aqi("type: consecutive, above: 3, count: 3, window: 10m")).toEqual([
      'condition.window: "europeanAqi" has one value per hour: no window shorter than 1h can be filled',
    ]);
    expect(mistakes("kind: traffic, metric: europeanAqi, condition: { type: threshold, above: 3 }")[0]).toMatch(
      /^metric: "europeanAqi" is not sent by traffic sensors; choose one of: flow /,
    );
  });

  it("reports all that is wrong with the conditions of other owners as well", () => {
    expect(battery("type: drift, ratio: 0.01, neighbours: 1")).toHaveLength(2);
    expect(mistakes("kind: air, metric: no2, condition: { type: quorum, rule: b, count: 1 }")).toHaveLength(2);
    expect(mistakes("kind: air, metric: no2, condition: { type: quorum, rule: b }")).toEqual([
      "metric: a quorum rule watches the alerts of another rule: leave metric out",
    ]);
    expect(mistakes("kind: air, condition: { type: drift }")).toEqual([
      "metric: metric is missing: which value is compared?",
    ]);
  });

  it("finds nothing in the rules that come with the service", () => {
    expect(loadRules().flatMap((rule) => contradictions(rule))).toEqual([]);
  });
});

describe("the limits of sizes", () => {
  it.each([
    ["type: flatline, after: 8d", "condition.after"],
    ["type: flatline, after: 1h, samples: 20000", "condition.samples"],
    ["type: change, rise: 1, within: 2d", "condition.within"],
    ["type: spike, above: 1, count: 101", "condition.count"],
    ["type: anomaly, window: 7m", "condition.window"],
    ["type: anomaly, window: 2d", "condition.window"],
    ["type: anomaly, count: 49", "condition.count"],
    ["type: forecast, below: 5, within: 1d, over: 91d", "condition.over"],
    ["type: register, maxPower: 1, digits: 13", "condition.digits"],
    ["type: consecutive, above: 1, count: 49, window: 1h", "condition.count"],
    ["type: threshold, above: 1, for: 8d", "condition.for"],
  ])("%s is refused at %s", (condition, place) => {
    const found = battery(condition);
    expect(found[0]).toContain(`${place}: `);
  });
});
