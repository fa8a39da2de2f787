import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAlerts } from "../../alerts/alerts.ts";
import { runRuleTest } from "../../alerts/backtest/rule-tests.ts";
import { createBacktest } from "../../alerts/backtest/run.ts";
import { parseTests } from "../../alerts/backtest/test-file.ts";
import { createDetector } from "../../alerts/detector.ts";
import { loadRules } from "../../alerts/rules/check.ts";
import { SILENT } from "../../model/log.ts";
import type { Reading } from "../../model/reading.ts";
import type { Rejection } from "../../model/rejection.ts";
import { openRecords, type Records } from "../../store/records.ts";
import { aReading, aRule, aSensor, HOUR, line, MINUTE, T0 } from "./builders.ts";

const defaults = loadRules();
const refusedRule = aRule({
  id: "refused",
  kind: "any",
  audience: "crews",
  condition: { type: "rejections", count: 3, within: "1h" },
});
const silentRule = aRule({
  id: "silent",
  kind: "any",
  audience: "crews",
  condition: { type: "silence", after: "30m" },
});
const rules = [refusedRule, silentRule];

function aRejection(receivedAt: number, rest: Partial<Rejection> = {}): Rejection {
  const source = { via: "mqtt", role: "device", name: "s-1" } as const;
  const where = { sensorId: "s-1", district: "north", kind: "air", topic: "city/north/air/s-1", source } as const;
  return { journalSeq: 1, index: 0, reason: "future", detail: "8 h ahead.", receivedAt, ...where, ...rest };
}

const run = (text: string) => {
  const { tests, mistakes } = parseTests(text, "a.test.yaml");
  expect(mistakes).toEqual([]);
  return runRuleTest(tests[0]!, defaults);
};

describe("a device whose messages are refused", () => {
  it("talks: it is no silent sensor, and whoever sets it up gets one alert with an example", () => {
    const result = run(`
rules: x
tests:
  - name: its clock is eight hours ahead from 10:00 to 12:00
    only: [sensor-silent, messages-refused]
    sensors: [{ id: air-7, kind: air, district: centre, interval: 5m }]
    readings: [{ sensor: air-7, every: 5m, no2: 20x120 _x24 20x12 }]
    refused: [{ sensor: air-7, at: +10h, every: 5m, times: 24, reason: future, detail: 2026-01-05T18:00:00Z is 8 h ahead. }]
    until: +13h20m
    expect:
      - { what: firing, at: +10h45m, rule: messages-refused, sensor: air-7, explanation: "(from the future), 10 in the 45 min to", value: 10 }
      - { what: resolved, at: +12h55m, rule: messages-refused, explanation: of 24 in all }
`);
    expect(result.differences.filter(({ mark }) => mark !== "same")).toEqual([]);
  });

  it("is silent once nothing comes any more, from its last message on", () => {
    const result = run(`
rules: x
tests:
  - name: refused for an hour, then nothing
    only: sensor-silent
    sensors: [{ id: air-7, kind: air, district: centre, interval: 5m }]
    readings: [{ sensor: air-7, every: 5m, no2: 20x12 }]
    refused: [{ sensor: air-7, at: +1h, every: 5m, times: 12, reason: wrong_type }]
    until: +4h
    expect: [{ what: firing, at: +2h25m, rule: sensor-silent, sensor: air-7 }]
`);
    expect(result.differences.filter(({ mark }) => mark !== "same")).toEqual([]);
  });

  it("is none of the messages that somebody else sends to its topic, and none that nobody has registered", () => {
    const detector = createDetector({ rules, sensor: () => aSensor({ intervalS: 300 }) });
    detector.observe([aReading(T0, { no2: 20 })]);
    const others = [5, 10, 15, 20].flatMap((minute) => [
      aRejection(T0 + minute * MINUTE, { reason: "not_allowed" }),
      aRejection(T0 + minute * MINUTE, { unregistered: true, reason: "unknown_sensor" }),
    ]);
    expect(detector.refuse(others)).toEqual([]);
    expect(detector.tick(T0 + HOUR).map(line)).toEqual(["firing silent s-1 2026-11-21T00:30"]);
  });

  it("and a gap with refused messages in it is judged on either side of them", () => {
    const detector = createDetector({ rules: [silentRule], sensor: () => aSensor({ intervalS: 300 }) });
    detector.observe([aReading(T0, { no2: 20 })]);
    detector.refuse([20, 40, 55].map((minute) => aRejection(T0 + minute * MINUTE)));
    expect(detector.observe([aReading(T0 + 80 * MINUTE, { no2: 20 })])).toEqual([]);
    detector.refuse([aRejection(T0 + 90 * MINUTE)]);
    const said = detector.observe([aReading(T0 + 150 * MINUTE, { no2: 20 })]);
    expect(said.map(line)).toEqual(["firing silent s-1 2026-11-21T02:00", "resolved silent s-1 2026-11-21T02:30"]);
  });
});

describe("one impossible value of a station", () => {
  it("is one ticket for that value, and the station is not silent", () => {
    const result = run(`
rules: x
tests:
  - name: ozone 1071 for twelve hours
    only: [sensor-silent, impossible-o3, impossible-pm25, messages-refused, missing-o3]
    sensors: [{ id: air-7, name: Station 7, kind: air, district: centre, interval: 1h }]
    readings: [{ sensor: air-7, every: 1h, pm25: 20x96, o3: 60x48 _x12 60x36 }]
    refused: [{ sensor: air-7, at: +48h, every: 1h, times: 12, reason: out_of_range, metric: o3, detail: o3 is 1071. }]
    until: +96h
    expect:
      - { what: firing, at: +50h, rule: impossible-o3, explanation: "/Station 7 sends impossible values of ozone: 3 in the 2 h to.*1071/" }
      - { what: resolved, at: +83h, rule: impossible-o3 }
`);
    expect(result.differences.filter(({ mark }) => mark !== "same")).toEqual([]);
  });
});

describe("rules about what is refused", () => {
  it("say of a backtest that the store cannot show it", () => {
    const backtest = createBacktest(rules, () => aSensor());
    backtest.observe([aReading(T0, { no2: 20 })]);
    const { notTried } = backtest.finish({ from: T0, to: T0 + HOUR });
    expect(notTried).toEqual([{ rule: "refused", why: expect.stringContaining("stored history holds readings only") }]);
  });

  it("end what they say when they are changed, deleted, or the sensor is removed", () => {
    let sensor: ReturnType<typeof aSensor> | undefined = aSensor();
    const start = () => {
      const detector = createDetector({ rules, sensor: () => sensor });
      detector.refuse([0, 1, 2].map((minute) => aRejection(T0 + minute * MINUTE)));
      return detector;
    };
    const changed = { ...refusedRule, condition: { ...refusedRule.condition, count: 4 } } as typeof refusedRule;
    expect(
      start()
        .replaceRules([changed], T0 + HOUR)
        .map(({ entry }) => entry.note),
    ).toEqual(["The rule was changed."]);
    expect(
      start()
        .replaceRules([], T0 + HOUR)
        .map(({ entry }) => entry.note),
    ).toEqual(["The rule was deleted."]);
    const same = start();
    expect(same.replaceRules(rules, T0 + HOUR)).toEqual([]);
    sensor = undefined;
    expect(same.tick(T0 + HOUR).map(({ entry }) => entry.note)).toEqual(["The sensor was removed."]);
  });
});

describe("the alerts consumer", () => {
  let records: Records;
  beforeEach(() => {
    records = openRecords({ path: ":memory:", now: () => T0, log: SILENT });
    records.sensors.add({ id: "s-1", kind: "air", district: "north", intervalS: 300, tags: {}, createdAt: T0 });
  });
  afterEach(() => records.close());

  const start = () => createAlerts({ rules, records, first: 1, now: () => T0 + 3 * HOUR, log: SILENT });
  /** By turns a reading and a refused message, then refused ones only. */
  const feed: (Reading | Rejection)[] = Array.from({ length: 40 }, (_, i) => {
    const at = T0 + i * 5 * MINUTE;
    const rest = { journalSeq: i + 1, receivedAt: at };
    return i % 2 === 0 && i < 10 ? aReading(at, { no2: 20 }, rest) : aRejection(at, rest);
  });
  const batchOf = (from: number, to: number) => ({
    from: from + 1,
    to: to + 1,
    readings: feed.slice(from, to).filter((one): one is Reading => !("reason" in one)),
    rejections: feed.slice(from, to).filter((one): one is Rejection => "reason" in one),
  });
  const alerts = () =>
    records.alerts
      .list({ state: ["firing", "resolved"] }, 100)
      .items.map(({ id, state, timeline }) => ({ id, state, timeline: timeline.map(({ what, at }) => [what, at]) }));

  it("says the same however batches are cut, and after a crash that forgot what was not saved", () => {
    const whole = start();
    whole.take(batchOf(0, 40));
    whole.tick();
    const expected = alerts();
    expect(expected.map(({ timeline }) => timeline)).toEqual([[["firing", T0 + 25 * MINUTE]]]);
    for (const cut of [3, 6, 7, 25]) {
      records.close();
      records = openRecords({ path: ":memory:", now: () => T0, log: SILENT });
      records.sensors.add({ id: "s-1", kind: "air", district: "north", intervalS: 300, tags: {}, createdAt: T0 });
      const first = start();
      first.take(batchOf(0, cut));
      if (cut === 6) first.snapshot();
      const second = start();
      const from = second.offset - 1;
      second.take(batchOf(from, Math.max(from, cut)));
      second.take(batchOf(cut, 40));
      second.tick();
      expect(alerts(), `cut ${cut}`).toEqual(expected);
      second.close();
      const third = start();
      expect(third.offset).toBe(41);
      expect(alerts()).toEqual(expected);
    }
  });
});
