import { describe, expect, it } from "vitest";
import { mailOf } from "../../alerts/channels/email.ts";
import { createDetector } from "../../alerts/detector.ts";
import { quietUntil } from "../../alerts/notify/routing.ts";
import { parseRules } from "../../alerts/rules/check.ts";
import { cityRules, zonedRules } from "../../alerts/rules/zoned.ts";
import type { Alert } from "../../model/alert.ts";
import type { Reading } from "../../model/reading.ts";
import { timeText } from "../../model/zone.ts";
import { aReading, aRule, aSensor, DAY, HOUR, MINUTE } from "./builders.ts";

const daily = aRule({
  id: "daily",
  metric: "pm25",
  condition: { type: "consecutive", above: 50, count: 1, window: "1d" },
});
const dailyMean = aRule({
  id: "mean",
  metric: "pm25",
  audience: "crews",
  condition: { type: "threshold", above: 50, window: "1d" },
});

/** By hand: a day, when it begins and ends in UTC, and its hours. Both clock changes, and zones that are off the hour. */
const DAYS: readonly (readonly [string, string, string, string, number])[] = [
  ["Europe/Berlin", "2026-03-28", "2026-03-27T23:00Z", "2026-03-28T23:00Z", 24],
  ["Europe/Berlin", "2026-03-29", "2026-03-28T23:00Z", "2026-03-29T22:00Z", 23],
  ["Europe/Berlin", "2026-03-30", "2026-03-29T22:00Z", "2026-03-30T22:00Z", 24],
  ["Europe/Berlin", "2026-10-24", "2026-10-23T22:00Z", "2026-10-24T22:00Z", 24],
  ["Europe/Berlin", "2026-10-25", "2026-10-24T22:00Z", "2026-10-25T23:00Z", 25],
  ["Europe/Berlin", "2026-10-26", "2026-10-25T23:00Z", "2026-10-26T23:00Z", 24],
  ["America/New_York", "2026-03-08", "2026-03-08T05:00Z", "2026-03-09T04:00Z", 23],
  ["America/New_York", "2026-11-01", "2026-11-01T04:00Z", "2026-11-02T05:00Z", 25],
  ["Asia/Kolkata", "2026-06-01", "2026-05-31T18:30Z", "2026-06-01T18:30Z", 24],
  ["UTC", "2026-03-29", "2026-03-29T00:00Z", "2026-03-30T00:00Z", 24],
];

/** Hourly, half past the hour where the zone's days begin there: 60 on that day, 10 on the days around it. */
function week(start: number, end: number): Reading[] {
  const from = start - 3 * DAY;
  return Array.from({ length: 24 * 7 }, (_, i) => from + i * HOUR).map((at) =>
    aReading(at, { pm25: at >= start && at < end ? 60 : 10 }),
  );
}

describe.each(DAYS)("a daily mean in %s on %s", (zone, _day, startsAt, endsAt, hours) => {
  const [start, end] = [Date.parse(startsAt), Date.parse(endsAt)];

  it.each([
    ["consecutive", daily],
    ["threshold", dailyMean],
  ])("is that of the city's day: %s", (_, rule) => {
    const detector = createDetector({ rules: zonedRules([rule], zone), sensor: () => aSensor({ intervalS: 3_600 }) });
    const fired = detector.observe(week(start, end)).filter(({ entry }) => entry.what === "firing");
    expect(fired).toHaveLength(1);
    const { alert, entry } = fired[0]!;
    expect(entry.at).toBe(end);
    expect(alert).toMatchObject({ startedAt: start, value: 60 });
    expect(alert.evidence.at(-1)!.window).toEqual({ from: start, samples: hours, expected: hours });
    expect(alert.explanation).toContain(`to ${timeText(end, zone)}`);
  });

  it("is closed by the clock half an hour after the day is over", () => {
    const detector = createDetector({ rules: zonedRules([daily], zone), sensor: () => aSensor({ intervalS: 3_600 }) });
    detector.observe(week(start, end).filter(({ measuredAt }) => measuredAt < end));
    expect(detector.tick(end + 29 * MINUTE)).toEqual([]);
    expect(detector.tick(end + 31 * MINUTE).map(({ entry }) => entry.at)).toEqual([end]);
  });
});

describe("the days of a rule", () => {
  it("are UTC's where it says so, and another zone's where it names one", () => {
    const of = (days?: string) => ({ ...daily.condition, ...(days === undefined ? {} : { days }) });
    const said = (condition: object) => {
      const rules = zonedRules([aRule({ id: "daily", metric: "pm25", condition })], "Europe/Berlin");
      const detector = createDetector({ rules, sensor: () => aSensor({ intervalS: 3_600 }) });
      const readings = week(Date.parse("2026-06-01T00:00Z"), Date.parse("2026-06-02T00:00Z"));
      const fired = detector.observe(readings).filter(({ entry }) => entry.what === "firing");
      return fired.map(({ alert }) => new Date(alert.startedAt).toISOString().slice(5, 13));
    };
    expect(said(of("utc"))).toEqual(["06-01T00"]);
    expect(said(of("UTC"))).toEqual(["06-01T00"]);
    expect(said(of())).toEqual(["05-31T22"]);
    expect(said(of("Europe/Athens"))).toEqual(["05-31T21"]);
  });

  it("are refused where windows are shorter, or there is no such zone", () => {
    const rule = (window: string, days: string) =>
      `rules:\n  - { id: a, title: A rule, kind: air, metric: pm25, severity: info, audience: crews, source: { text: test }, condition: { type: consecutive, above: 5, count: 1, window: ${window}, days: ${days} } }`;
    const mistakes = (window: string, days: string) =>
      parseRules(rule(window, days), "a.yaml").mistakes.map((one) => one.message);
    expect(mistakes("1d", "utc")).toEqual([]);
    expect(mistakes("1h", "utc")[0]).toContain("days is about windows of 1d");
    expect(mistakes("1d", "Mars/Olympus")[0]).toContain("write utc, or a time zone");
  });

  it("make no other alerts of those that are there: ids of UTC's days stay, and another zone begins anew", () => {
    const readings = week(Date.parse("2026-06-01T00:00Z"), Date.parse("2026-06-03T00:00Z"));
    const ids = (zone: string | undefined) => {
      const detector = createDetector({
        rules: zonedRules([daily], zone),
        sensor: () => aSensor({ intervalS: 3_600 }),
      });
      return detector.observe(readings).map(({ alert, entry }) => `${entry.what} ${alert.id}`);
    };
    expect(ids("UTC")).toEqual(ids(undefined));
    expect(ids("Europe/Berlin")).not.toEqual(ids(undefined));
    expect(ids("Europe/Berlin")).toEqual(ids("Europe/Berlin"));

    const first = createDetector({ rules: zonedRules([daily], "UTC"), sensor: () => aSensor({ intervalS: 3_600 }) });
    const noon = Date.parse("2026-06-02T12:00Z");
    first.observe(readings.filter(({ measuredAt }) => measuredAt < noon));
    const rows = first.states.snapshot();
    const moved = createDetector({
      rules: zonedRules([daily], "Europe/Berlin"),
      sensor: () => aSensor({ intervalS: 3_600 }),
    });
    // Nothing holds the alert of the old days, so that it is ended; nothing of the past is said again.
    moved.states.load(rows);
    expect([first.held().size, moved.held().size]).toEqual([1, 0]);
    const said = moved.observe(readings.filter(({ measuredAt }) => measuredAt >= noon));
    for (const { alert } of said) expect(alert.startedAt).toBeGreaterThanOrEqual(Date.parse("2026-06-01T22:00Z"));
  });
});

describe("sentences to people", () => {
  it("state times in the city's zone, with what it is ahead of UTC, so that autumn's two hours differ", () => {
    expect(timeText(Date.parse("2026-10-25T00:30Z"), "Europe/Berlin")).toBe("2026-10-25 02:30 UTC+2");
    expect(timeText(Date.parse("2026-10-25T01:30Z"), "Europe/Berlin")).toBe("2026-10-25 02:30 UTC+1");
    expect(timeText(Date.parse("2026-06-01T00:00:05Z"), "Asia/Kolkata")).toBe("2026-06-01 05:30:05 UTC+5:30");
    expect(timeText(Date.parse("2026-06-01T00:00Z"), "America/New_York")).toBe("2026-05-31 20:00 UTC-4");
    expect(timeText(Date.parse("2026-06-01T00:00Z"))).toBe("2026-06-01 00:00 UTC");
  });

  it("and messages those of the target", () => {
    const at = Date.parse("2026-06-01T00:00Z");
    const alert = {
      id: "al-1",
      rule: { id: "a", title: "A", source: "s" },
      subject: { district: "centre" },
      severity: "info",
      startedAt: at,
    };
    const notice = { id: "n", at, what: "firing" as const, alert: { ...alert, explanation: "x" } as unknown as Alert };
    expect(mailOf("m", [], [notice], { reader: { locale: "en", zone: "Europe/Lisbon" } }).text).toContain(
      "2026-06-01 01:00 UTC+1",
    );
  });

  it("quiet hours without a zone of their own are the city's", () => {
    const quiet = { from: "22:00", to: "06:00" };
    const at = Date.parse("2026-06-01T20:30Z");
    expect(quietUntil(quiet, at, "Europe/Berlin")).toBe(Date.parse("2026-06-02T04:00Z"));
    expect(quietUntil(quiet, at, "UTC")).toBeUndefined();
    expect(quietUntil({ ...quiet, timeZone: "UTC" }, at, "Europe/Berlin")).toBeUndefined();
  });
});

it("holidays of the city are part of its rules as they are in force, not of what their states fit", () => {
  const rule = aRule({ id: "odd", metric: "no2", condition: { type: "anomaly" } });
  const [there] = cityRules([rule], { zone: "UTC", holidays: ["12-25"] });
  expect(there).toMatchObject({ holidays: ["12-25"], version: rule.version, condition: rule.condition });
  expect(cityRules([rule], { zone: "UTC", holidays: [] })[0]).not.toHaveProperty("holidays");
});
