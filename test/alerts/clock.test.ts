import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AlertsOptions, createAlerts } from "../../alerts/alerts.ts";
import { createHealthWatch } from "../../alerts/service-health.ts";
import type { Alert } from "../../model/alert.ts";
import { SILENT } from "../../model/log.ts";
import type { Rule } from "../../model/rule.ts";
import { openRecords, type Records } from "../../store/records.ts";
import { aReading, aRule, HOUR, liveOf, MINUTE, T0 } from "./builders.ts";

const hot = aRule({ id: "hot", metric: "temperature", condition: { type: "threshold", above: 40, for: "5m" } });
const silent = aRule({ id: "silent", kind: "any", audience: "crews", condition: { type: "silence", after: "15m" } });
const SENSORS = ["s-1", "s-2", "s-3", "s-4"];
const SECOND = 1_000;

let records: Records;
/** What the machine's clock says, and the time that really passes. */
let wall = T0;
let mono = 0;
let seq = 0;
let alerts: ReturnType<typeof start>;

beforeEach(() => {
  wall = T0;
  mono = 0;
  seq = 0;
  records = openRecords({ path: ":memory:", now: () => wall, log: SILENT });
  for (const id of SENSORS)
    records.sensors.add({ id, kind: "air", district: "north", intervalS: 60, tags: {}, createdAt: T0 });
  alerts = start();
});
afterEach(() => records.close());

const start = (rules: Rule[] = [hot, silent], more: Partial<AlertsOptions> = {}) =>
  createAlerts({ rules, records, first: 1, now: () => wall, live: liveOf(() => mono), log: SILENT, ...more });

/** A message of each sensor without a time of its own: it is measured when it is received. */
function send(temperature: number, sensors = SENSORS): void {
  const readings = sensors.map((sensorId) =>
    aReading(wall, { temperature }, { sensorId, receivedAt: wall, journalSeq: ++seq }),
  );
  alerts.take({ from: seq - readings.length + 1, to: seq + 1, readings, rejections: [] });
}

/** Time passes in the ordinary way, with a message of each sensor every minute. */
function pass(ms: number, temperature: number | undefined): void {
  for (let passed = 0; passed < ms; passed += 5 * SECOND) {
    wall += 5 * SECOND;
    mono += 5 * SECOND;
    if (temperature !== undefined && passed % MINUTE === 0) send(temperature);
    alerts.tick();
  }
}

const listed = (rule: string): Alert[] =>
  records.alerts.list({ rule, state: ["pending", "firing", "resolved", "retracted"] }, 100).items;
const clockPart = () => alerts.troubles().find(({ part }) => part === "clock")!;

describe("time in which the service could hear nothing is nobody's silence", () => {
  it.each([
    ["the clock was set forward, or the machine was suspended: the monotonic one stood still", 0],
    ["the process was stopped: both clocks went on", HOUR],
  ])("%s", (_, monotonicMs) => {
    pass(10 * MINUTE, 20);
    wall += HOUR;
    mono += monotonicMs;
    // The first message may come before the next tick, or after it.
    send(20, ["s-1", "s-2"]);
    alerts.tick();
    pass(10 * MINUTE, 20);
    expect(listed("silent")).toEqual([]);
    // Silence itself is still found, and told once.
    pass(30 * MINUTE, undefined);
    expect(listed("silent").map(({ state }) => state)).toEqual(SENSORS.map(() => "firing"));
  });

  it("while nothing of it happens, silence is found after the usual time", () => {
    pass(10 * MINUTE, 20);
    pass(14 * MINUTE, undefined);
    expect(listed("silent")).toEqual([]);
    pass(2 * MINUTE, undefined);
    expect(listed("silent")).toHaveLength(4);
  });
});

describe("a sensor that cannot be heard is not silent", () => {
  const silentSensors = () =>
    listed("silent")
      .map(({ subject }) => subject.sensorId)
      .sort();
  const work = (matchers: object, kind: "silence" | "maintenance" = "maintenance") =>
    records.silences.add({
      kind,
      matchers,
      startsAt: wall,
      endsAt: wall + HOUR,
      reason: "a new mast",
      createdAt: wall,
      createdBy: "anna",
    });

  it("in maintenance, and its time begins anew after it; what does not name sensors, or is a silence, is no work on them", () => {
    pass(10 * MINUTE, 20);
    work({ sensor: "s-1" });
    work({ sensor: "s-2" }, "silence");
    work({ sensor: "s-3", rule: "silent" });
    pass(HOUR, undefined);
    expect(silentSensors()).toEqual(["s-2", "s-3", "s-4"]);
    // As if it had just been heard: 15 minutes, and up to 5 between two looks at the work.
    pass(9 * MINUTE, undefined);
    expect(silentSensors()).toEqual(["s-2", "s-3", "s-4"]);
    pass(8 * MINUTE, undefined);
    expect(silentSensors()).toEqual(SENSORS);
  });

  it("when it is heard again after the work, there was no silence in between; also after a restart", () => {
    pass(10 * MINUTE, 20);
    work({ district: "north" });
    pass(30 * MINUTE, undefined);
    alerts.close();
    alerts = start();
    pass(25 * MINUTE, undefined);
    pass(10 * MINUTE, 20);
    expect(listed("silent")).toEqual([]);
  });

  it("while the broker is away that it speaks through; what comes by our own door is", () => {
    let isAway = false;
    alerts.close();
    alerts = start([silent], { brokerIsAway: () => isAway });
    const broker = { via: "bridge", role: "broker", name: "mqtt.example" } as const;
    const device = { via: "mqtt", role: "device", name: "s-1" } as const;
    for (let i = 0; i < 10; i++) {
      wall += MINUTE;
      mono += MINUTE;
      const readings = ["s-1", "s-2"].map((sensorId) =>
        aReading(wall, { battery: 90 }, { sensorId, receivedAt: wall, journalSeq: ++seq }),
      );
      const messages = [
        { seq: seq - 1, source: device },
        { seq, source: broker },
      ];
      alerts.take({ from: seq - 1, to: seq + 1, readings, rejections: [], messages });
      alerts.tick();
    }
    isAway = true;
    pass(HOUR, undefined);
    expect(silentSensors()).toEqual(["s-1"]);
    isAway = false;
    pass(20 * MINUTE, undefined);
    expect(silentSensors()).toEqual(["s-1", "s-2"]);
  });
});

describe("a clock that was set back", () => {
  it("does not blind the rules: they go on in the order of receipt, in the time of the clock", () => {
    pass(10 * MINUTE, 20);
    const before = wall;
    wall -= 2 * HOUR;
    pass(2 * MINUTE, 20);
    const hotFrom = wall + 5 * SECOND;
    pass(4 * MINUTE, 50);
    expect(listed("hot").map(({ state }) => state)).toEqual(SENSORS.map(() => "pending"));
    pass(2 * MINUTE, 50);
    const fired = listed("hot");
    expect(fired.map(({ state }) => state)).toEqual(SENSORS.map(() => "firing"));
    // In the time that people see, though the sensors' series goes on where it was.
    for (const { startedAt, evidence } of fired) {
      expect(startedAt).toBe(hotFrom);
      for (const { measuredAt } of evidence) expect(measuredAt).toBeLessThanOrEqual(wall);
    }
    pass(2 * MINUTE, 20);
    expect(listed("hot").map(({ state }) => state)).toEqual(SENSORS.map(() => "resolved"));
    expect(listed("silent")).toEqual([]);
    expect(wall).toBeLessThan(before);
    // Silence, too.
    pass(20 * MINUTE, undefined);
    expect(listed("silent").map(({ state }) => state)).toEqual(SENSORS.map(() => "firing"));
    expect(listed("silent").every(({ startedAt }) => startedAt <= wall && startedAt > wall - 10 * MINUTE)).toBe(true);
  });

  it("is said, as a part and as an alert of the service, until it has gone past the newest receipt", () => {
    const keep = (transitions: Parameters<Records["alerts"]["apply"]>[0][]) => {
      for (const one of transitions) records.alerts.apply(one);
    };
    const watch = createHealthWatch({
      records,
      health: alerts.troubles,
      apply: (all) => keep([...all]),
      now: () => wall,
    });
    pass(10 * MINUTE, 20);
    expect(clockPart()).toEqual({ part: "clock", state: "ok", ready: true });
    wall -= HOUR;
    for (let i = 0; i < 10; i++) {
      pass(5 * SECOND, 20);
      watch.tick();
    }
    expect(clockPart()).toMatchObject({
      state: "degraded",
      ready: true,
      reason: expect.stringContaining("was set back"),
    });
    expect(listed("service-health")).toMatchObject([
      { state: "firing", rule: { title: expect.stringContaining("clock") } },
    ]);
    const behind = () => alerts.figures().find(({ name }) => name === "lamppost_clock_behind_seconds")!.value;
    expect(behind()).toBeGreaterThan(3_000);
    // Set right again: an hour forward is no silence, and the rules do not run ahead of the clock for ever.
    wall += HOUR;
    pass(2 * MINUTE, 20);
    watch.tick();
    expect(clockPart().state).toBe("ok");
    expect(behind()).toBe(0);
    expect(listed("service-health")).toMatchObject([{ state: "resolved" }]);
    pass(10 * MINUTE, 50);
    expect(listed("hot").map(({ state }) => state)).toEqual(SENSORS.map(() => "firing"));
    expect(listed("silent")).toEqual([]);
  });

  it.each([0, 20 * MINUTE])("and leaps does not blind the rules for clocks that go on (after %i ms)", (agoMs) => {
    // Measured by a clock of its own, while this machine's goes ahead, back and ahead again.
    let own = wall;
    let ticks = 0;
    const passOwn = (ms: number, temperature: number) => {
      for (let passed = 0; passed < ms; passed += 5 * SECOND) {
        wall += 5 * SECOND;
        mono += 5 * SECOND;
        own += 5 * SECOND;
        ticks += 1;
        if (ticks % 12 === 0) {
          // The other one has no clock and goes by this machine's.
          const readings = ["s-1", "s-2"].map((sensorId, i) =>
            aReading(i === 0 ? own : wall, { temperature }, { sensorId, receivedAt: wall, journalSeq: ++seq }),
          );
          alerts.take({ from: seq - 1, to: seq + 1, readings, rejections: [] });
        }
        alerts.tick();
      }
    };
    const firing = () => listed("hot").filter(({ state }) => state === "firing");
    wall += HOUR;
    passOwn(10 * MINUTE, 20);
    wall -= HOUR;
    passOwn(10 * MINUTE, 50);
    expect(firing()).toHaveLength(2);
    wall += HOUR;
    passOwn(5 * SECOND + agoMs, 50);
    // What is known of the clocks outlives a start.
    alerts.close();
    alerts = start();
    passOwn(10 * MINUTE, 20);
    expect(firing()).toEqual([]);
    passOwn(10 * MINUTE, 50);
    const again = firing();
    expect(again.map(({ subject }) => subject.sensorId).toSorted()).toEqual(["s-1", "s-2"]);
    expect(again.every(({ startedAt }) => startedAt <= wall && startedAt > wall - 11 * MINUTE)).toBe(true);
  });

  it("is noticed at a start, and the rules go on", () => {
    pass(10 * MINUTE, 20);
    alerts.close();
    wall -= 3 * HOUR;
    mono = 0;
    alerts = start();
    expect(clockPart()).toMatchObject({ state: "degraded", reason: expect.stringContaining("was set back") });
    pass(8 * MINUTE, 50);
    expect(listed("hot").map(({ state }) => state)).toEqual(SENSORS.map(() => "firing"));
    // And after another start, with the clock as it is.
    alerts.close();
    alerts = start();
    pass(2 * MINUTE, 20);
    expect(listed("hot").map(({ state }) => state)).toEqual(SENSORS.map(() => "resolved"));
    expect(listed("hot").every(({ resolvedAt }) => resolvedAt! <= wall)).toBe(true);
  });

  it("ends an alert that fired before, not before it began", () => {
    pass(10 * MINUTE, 50);
    expect(listed("hot").map(({ state }) => state)).toEqual(SENSORS.map(() => "firing"));
    wall -= 5 * HOUR;
    pass(2 * MINUTE, 20);
    for (const { state, startedAt, resolvedAt } of listed("hot")) {
      expect(state).toBe("resolved");
      expect(resolvedAt).toBeGreaterThanOrEqual(startedAt);
    }
  });

  it("by less than a time server corrects is nothing to speak of, nor is a message that was driven again", () => {
    pass(10 * MINUTE, 20);
    wall -= 2 * SECOND;
    pass(5 * SECOND, 20);
    const old = aReading(wall - 2 * HOUR, { temperature: 50 }, { receivedAt: wall - 2 * HOUR, journalSeq: ++seq });
    alerts.take({ from: seq, to: seq + 1, readings: [old], rejections: [] });
    pass(10 * MINUTE, 20);
    expect(clockPart().state).toBe("ok");
    expect(listed("hot")).toEqual([]);
  });
});
