import { describe, expect, it } from "vitest";
import { createDetector } from "../../../alerts/detector.ts";
import type { StateRow } from "../../../alerts/engine/states.ts";
import { parseRules } from "../../../alerts/rules/check.ts";
import type { Transition } from "../../../model/alert.ts";
import type { Reading } from "../../../model/reading.ts";
import type { Rule } from "../../../model/rule.ts";
import { aReading, aRule, aSensor, HOUR, MINUTE, random, T0 } from "../builders.ts";

const rated = (times: number) => ({ tag: "ratedCurrent", times });
const LOAD = aRule({
  id: "load",
  kind: "energy",
  metric: "current",
  condition: { type: "threshold", above: rated(0.8), clear: rated(0.75), for: "30m" },
  severity: "info",
  levels: [
    { above: rated(1), clear: rated(0.9), for: "15m", severity: "warning", title: "Transformer overload" },
    { above: rated(1.2), clear: rated(1.05), for: "15m", severity: "critical", source: { text: "Practice: 120 %" } },
  ],
});
const NO2 = aRule({
  id: "no2",
  metric: "no2",
  condition: { type: "consecutive", above: 150, count: 1, window: "1h" },
  levels: [{ above: 200, count: 3, severity: "critical" }],
});

/** Limits that may be passed on so many days of a year, and one at once. */
const PM10 = aRule({
  id: "pm10",
  metric: "pm10",
  condition: { type: "consecutive", above: 45, count: 1, window: "1d", allowed: 18 },
  levels: [
    { above: 50, allowed: 3, severity: "warning" },
    { above: 90, severity: "critical" },
  ],
});

const transformer = aSensor({ kind: "energy", tags: { ratedCurrent: "1000" }, intervalS: 300 });
const amperes = (values: readonly number[]): Reading[] =>
  values.map((current, i) => aReading(T0 + i * 5 * MINUTE, { current }, { kind: "energy" }));
const hours = (means: readonly number[]): Reading[] =>
  means.flatMap((no2, hour) =>
    Array.from({ length: 6 }, (_, i) => aReading(T0 + hour * HOUR + i * 10 * MINUTE, { no2 })),
  );
const detectorOf = (rule: Rule) =>
  createDetector({
    rules: [rule],
    sensor: () => (rule === LOAD ? transformer : aSensor({ intervalS: rule === NO2 ? 600 : 10_800 })),
  });
const days = (means: readonly number[]): Reading[] =>
  means.flatMap((pm10, day) =>
    Array.from({ length: 8 }, (_, i) => aReading(T0 + day * 24 * HOUR + i * 3 * HOUR, { pm10 })),
  );
const line = ({ alert, entry }: Transition) =>
  `${entry.what} ${(entry.at - T0) / MINUTE} ${alert.severity} ${alert.level ?? "-"} ${alert.state}`;
const times = (count: number, value: number) => Array.from({ length: count }, () => value);

describe("levels of one rule", () => {
  it("are one alert whose severity rises and falls, with one timeline", () => {
    const said = detectorOf(LOAD).observe(
      amperes([...times(10, 850), ...times(6, 1_050), ...times(6, 1_300), ...times(3, 1_000), ...times(3, 850), 700]),
    );
    expect(said.map(line)).toEqual([
      "pending 0 info - pending",
      "firing 30 info 1 firing",
      "raised 65 warning 2 firing",
      "raised 95 critical 3 firing",
      "lowered 110 warning 2 firing",
      "lowered 125 info 1 firing",
      "resolved 140 info 1 resolved",
    ]);
    expect(new Set(said.map(({ alert }) => alert.id)).size).toBe(1);
    const [, , overload, critical, lowered] = said;
    expect(overload!.alert).toMatchObject({ rule: { title: "Transformer overload" }, limit: 1_000, value: 1_050 });
    expect(critical!.alert).toMatchObject({ limit: 1_200, rule: { source: "Practice: 120 %" }, startedAt: T0 });
    expect(critical!.alert.firedAt).toBe(T0 + 30 * MINUTE);
    expect(lowered!.alert.explanation).toContain("came back to 1000 A");
  });

  it("that are reached at once are one beginning, and what falls back is not waited for again", () => {
    const said = detectorOf(LOAD).observe(amperes([...times(4, 1_300), 850, 850, 850, 700]));
    expect(said.map(line)).toEqual([
      "pending 0 info - pending",
      "firing 15 critical 3 firing",
      "lowered 20 info 1 firing",
      "resolved 35 info 1 resolved",
    ]);
  });

  it("may need another count of windows: three hours for the alert threshold", () => {
    const said = detectorOf(NO2).observe(hours([100, 160, 210, 210, 210, 160, 100, 100]));
    expect(said.map(line)).toEqual([
      "firing 120 warning 1 firing",
      "raised 300 critical 2 firing",
      "lowered 360 warning 1 firing",
      "resolved 420 warning 1 resolved",
    ]);
  });

  it("say which day of the year it is, where one begins at a higher level, and while it lasts", () => {
    const said = detectorOf(PM10).observe(days([40, 95, 60, 48, 52, 52, 30, 30]));
    expect(said.map(({ alert, entry }) => [(entry.at - T0) / (24 * HOUR), entry.what, alert.level])).toEqual([
      [2, "firing", 3],
      [3, "lowered", 2],
      [4, "lowered", 1],
      [5, "raised", 2],
      [6, "counted", 2],
      [7, "resolved", 2],
    ]);
    const texts = said.map(({ alert }) => alert.explanation);
    expect(texts[0]).toContain("It was day 1 of this year above 45 µg/m³, of 18 allowed.");
    expect(texts[0]).toContain("It was day 1 of this year above 50 µg/m³, of 3 allowed.");
    expect(texts[3]).toContain("above 50 µg/m³: day 3 of this year, of 3 allowed.");
    expect(texts[3]).toContain("It was day 4 of this year above 45 µg/m³, of 18 allowed.");
    expect(texts[4]).toContain("It was day 5 of this year above 45 µg/m³, of 18 allowed.");
    expect(texts[4]).toContain("It was day 4 of this year above 50 µg/m³, of 3 allowed.");
    expect(texts[4]!.match(/It was day/g)).toHaveLength(2);
    expect(said[4]!.entry.note).toMatch(/^It was day 4 of this year above 50/);
  });

  it("of hours are said once a day, and when no more is allowed", () => {
    const rule = aRule({
      id: "no2",
      metric: "no2",
      condition: { type: "consecutive", above: 200, count: 1, window: "1h", allowed: 18 },
    });
    const detector = createDetector({ rules: [rule], sensor: () => aSensor({ intervalS: 600 }) });
    const said = detector.observe(hours([...times(10, 100), ...times(30, 250), 100, 100]));
    expect(said.map(({ alert, entry }) => [(entry.at - T0) / HOUR, entry.what, alert.state])).toEqual([
      [11, "firing", "firing"],
      [25, "counted", "firing"],
      [29, "counted", "firing"],
      [41, "resolved", "resolved"],
    ]);
    expect(said[1]!.alert.explanation).toMatch(
      /hour 1 of this year, of 18 allowed\. It was hour 15 of this year above 200/,
    );
    expect(said[2]!.alert.explanation).toMatch(/It was hour 19 of this year above 200 µg\/m³, of 18 allowed\.$/);
  });

  it.each([
    [
      "days of the year",
      PM10,
      (next: () => number) => days(Array.from({ length: 30 }, () => 30 + 8 * Math.floor(next() * 9))),
    ],
    [
      "thresholds",
      LOAD,
      (next: () => number) => amperes(Array.from({ length: 200 }, () => 600 + 100 * Math.floor(next() * 9))),
    ],
    [
      "windows",
      NO2,
      (next: () => number) => hours(Array.from({ length: 60 }, () => 100 + 20 * Math.floor(next() * 8))),
    ],
  ])("say the same across restarts and come to the same in any order: %s", (_, rule, feedOf) => {
    for (let seed = 1; seed <= 10; seed++) {
      const next = random(seed);
      const feed = feedOf(next);
      const whole = detectorOf(rule);
      const expected = whole.observe(feed);
      const rows = new Map<string, StateRow>();
      const said: Transition[] = [];
      let detector = detectorOf(rule);
      for (let from = 0; from < feed.length; from += 17) {
        said.push(...detector.observe(feed.slice(from, from + 17)));
        for (const row of detector.states.snapshot()) rows.set(`${row.rule} ${row.subject}`, row);
        detector = detectorOf(rule);
        detector.states.load(JSON.parse(JSON.stringify([...rows.values()])));
      }
      expect(said, `seed ${seed}`).toEqual(expected);
      // Each a little late: what is so in the end is what it would have been in order.
      const late = feed
        .map((one) => ({ ...one, receivedAt: one.measuredAt + Math.floor(next() * 25 * MINUTE) }))
        .sort((a, b) => a.receivedAt - b.receivedAt);
      const final = (all: readonly Transition[]) =>
        [...new Map(all.filter(({ entry }) => entry.what !== "verdict").map(({ alert }) => [alert.id, alert])).values()]
          .filter(({ state }) => state !== "retracted")
          .map(({ id, state, level, resolvedAt }) => [id, state, level, resolvedAt].join())
          .sort();
      expect(final(detectorOf(rule).observe(late)), `seed ${seed}`).toEqual(final(expected));
    }
  });
});

describe("levels that make no sense", () => {
  const check = (levels: string, condition = "{ type: threshold, above: 100, for: 10m }") =>
    parseRules(
      `rules:
  - id: a
    title: Some rule
    kind: air
    metric: pm10
    condition: ${condition}
    severity: warning
    audience: operators
    source: { text: a test }
    levels:
      - ${levels}
`,
      "rules.yaml",
    ).mistakes.map(({ line: at, column, message }) => `${at}:${column} ${message}`);

  it.each<[string, string, string?]>([
    [
      "{ above: 80, severity: critical }",
      "11:18 levels.0.above: level 2 (above 80) lies before level 1 (above 100): order levels from the mildest to the most severe",
    ],
    [
      "{ above: 120, severity: info }",
      "11:33 levels.0.severity: level 2 is info and level 1 is warning: order levels from the mildest to the most severe",
    ],
    [
      "{ above: 100, severity: critical }",
      "11:18 levels.0.above: level 2 is no further than level 1 and need not last longer: leave it out, or raise its limit",
    ],
    [
      "{ below: 20, severity: critical }",
      "11:18 levels.0.below: a level of this rule may have above, clear, for, keepFor; remove below",
    ],
    [
      "{ above: { tag: x, times: 2 }, severity: critical }",
      "11:18 levels.0.above: all levels of a rule are numbers, or shares of the same tag",
    ],
  ])("%s", (levels, expected, condition) => {
    expect(check(levels, condition)).toEqual([expected]);
  });

  it("are refused of other conditions, and good ones are not", () => {
    expect(check("{ above: 120, severity: critical }", "{ type: change, rise: 100, within: 10m }").join()).toContain(
      "a change rule has no levels",
    );
    expect(check("{ above: 120, clear: 90, severity: critical }")).toEqual([]);
    expect(check("{ above: 100, for: 20m, severity: critical }")).toEqual([]);
  });
});
