import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAlerts } from "../../alerts/alerts.ts";
import { createNoise } from "../../alerts/noise/noise.ts";
import type { Notice } from "../../model/alert.ts";
import { SILENT } from "../../model/log.ts";
import type { Reading } from "../../model/reading.ts";
import { openRecords, type Records } from "../../store/records.ts";
import { aReading, aRule, DAY, HOUR, MINUTE, T0 } from "./builders.ts";

const high = aRule({ id: "high", metric: "no2", condition: { type: "threshold", above: 100, clear: 50 } });
const silent = aRule({ id: "silent", kind: "any", audience: "crews", condition: { type: "silence", after: "30m" } });
const stuck = aRule({ id: "stuck", metric: "no2", audience: "crews", condition: { type: "flatline", after: "1h" } });
const many = aRule({ id: "many", condition: { type: "quorum", rule: "high", count: 2, share: 0 } });
const rules = [high, silent, stuck, many];
const NOW = T0 + 30 * DAY;

let records: Records;
let told: Notice[];
let logged: object[];
let clock: number;

beforeEach(() => {
  clock = NOW;
  told = [];
  logged = [];
  records = openRecords({ path: ":memory:", now: () => clock, log: SILENT });
  for (const id of ["s-1", "s-2"]) {
    records.sensors.add({ id, kind: "air", district: "north", intervalS: 300, tags: {}, createdAt: T0 });
  }
});
afterEach(() => records.close());

/** The rules with the noise control behind them: what reaches people is in `told`. */
function start() {
  const enqueue = (notice: Notice) => void told.push(notice);
  const sensor = records.sensors.get;
  const noise = createNoise({ records, rules: () => rules, sensor, now: () => clock, enqueue, log: SILENT, holdMs: 0 });
  const log = { ...SILENT, info: (about: object) => void logged.push(about) };
  const alerts = createAlerts({ rules, records, first: 1, now: () => clock, log, apply: noise.apply });
  let from = 1;
  return {
    take(readings: readonly Reading[]): void {
      const numbered = readings.map((reading) => ({ ...reading, journalSeq: from++ }));
      alerts.take({ from: from - readings.length, to: from, readings: numbered, rejections: [] });
      noise.tick();
    },
    tick: () => alerts.tick(),
  };
}

/** Every five minutes, with an hour of much NO2 in it and a hole of two hours behind. */
const aPast = (from: number, rest: Partial<Reading>, count = 96): Reading[] =>
  Array.from({ length: count }, (_, i) => i)
    .filter((i) => i < 40 || i > 64)
    .map((i) => {
      const no2 = i >= 24 && i < 36 ? 200 + i : 20 + (i % 3);
      return aReading(from + i * 5 * MINUTE, { no2 }, { receivedAt: NOW, ...rest });
    });

const listed = (mode: "live" | "history") =>
  records.alerts
    .list({ state: ["firing", "resolved"], mode: [mode] }, 100)
    .items.map(({ rule }) => rule.id)
    .sort();

describe("a replay of the past never floods the live desk", () => {
  it.each([
    ["imported", { imported: true }, T0],
    ["a backlog of days that comes at once", {}, NOW - 4 * DAY],
  ])(
    "%s: its alerts are recorded as history, nobody is told, and one line says how many there were",
    (_, rest, from) => {
      const service = start();
      service.take(
        [...aPast(from, rest), ...aPast(from, { ...rest, sensorId: "s-2" })].sort(
          (a, b) => a.measuredAt - b.measuredAt,
        ),
      );
      expect(told).toEqual([]);
      expect(listed("live")).toEqual([]);
      expect(listed("history")).toEqual(["high", "high", "many", "silent", "silent"]);
      expect(records.alerts.list({ mode: ["history"] }, 1).items[0]!.mode).toBe("history");
      expect(records.alerts.openCounts()).toEqual([]);
      expect(records.events.after(0, 100)).toEqual([]);
      expect(records.alerts.countHistory({ from: NOW, to: NOW + 1 })).toBe(5);
      expect(records.alerts.touched({ from: NOW - DAY, to: NOW + DAY }, 100)).toEqual([]);
      service.tick();
      clock += MINUTE;
      service.tick();
      expect(logged.filter((one) => "alerts" in one)).toEqual([expect.objectContaining({ alerts: 5 })]);
    },
  );

  it("what still holds once live readings come is an alert of today, and so is its end", () => {
    const service = start();
    const past = Array.from({ length: 12 }, (_, i) =>
      aReading(NOW - HOUR + i * 5 * MINUTE, { no2: 200 + i }, { receivedAt: NOW, imported: true }),
    );
    service.take(past);
    expect(told).toEqual([]);
    service.take([aReading(NOW + MINUTE, { no2: 250 }, { receivedAt: NOW + MINUTE })]);
    expect(told.map(({ what, alert }) => `${what} ${alert.rule.id} ${alert.mode}`)).toEqual(["firing high undefined"]);
    expect(listed("live")).toEqual(["high"]);
    service.take([aReading(NOW + 6 * MINUTE, { no2: 20 }, { receivedAt: NOW + 6 * MINUTE })]);
    expect(told.map(({ what }) => what)).toEqual(["firing", "resolved"]);
    expect(listed("history")).toEqual([]);
  });

  it("what ends with the first live reading stays history", () => {
    const service = start();
    service.take(
      [0, 5].map((m) => aReading(NOW - HOUR + m * MINUTE, { no2: 200 }, { receivedAt: NOW, imported: true })),
    );
    service.take([aReading(NOW - 40 * MINUTE, { no2: 20 }, { receivedAt: NOW })]);
    expect(told).toEqual([]);
    expect(listed("history")).toEqual(["high"]);
    expect(listed("live")).toEqual([]);
  });

  it("a backlog within a day is told, and so is a feed that is always two days behind", () => {
    const service = start();
    service.take(aPast(NOW - 9 * HOUR, {}));
    expect(told.filter(({ alert }) => alert.rule.id === "high").map(({ what }) => what)).toEqual([
      "firing",
      "resolved",
    ]);
    told = [];
    const from = NOW + HOUR;
    clock = from + DAY;
    service.take(
      aPast(from - 2 * DAY, { sensorId: "s-2" }).map((one) => ({ ...one, receivedAt: one.measuredAt + 2 * DAY })),
    );
    expect(told.filter(({ alert }) => alert.rule.id === "high").map(({ what }) => what)).toEqual([
      "firing",
      "resolved",
    ]);
  });
});
