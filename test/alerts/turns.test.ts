import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AlertsOptions, createAlerts } from "../../alerts/alerts.ts";
import type { Alert } from "../../model/alert.ts";
import type { Batch } from "../../model/batch.ts";
import { SILENT } from "../../model/log.ts";
import type { Reading } from "../../model/reading.ts";
import { openRecords } from "../../store/records/open.ts";
import type { Records } from "../../store/records.ts";
import { aReading, aRule, MINUTE, T0 } from "./builders.ts";

/** Fires and ends with every other reading of a sensor that flaps: the dearest there is. */
const hot = aRule({
  id: "hot",
  metric: "temperature",
  severity: "critical",
  condition: { type: "threshold", above: 40 },
});
const SENSORS = ["flood", "honest"];
const SPAN = 25 * MINUTE;

let records: Records;
let clock = T0 + SPAN;
let mono = 0;

function open(): void {
  records = openRecords({ path: ":memory:", now: () => clock, log: SILENT });
  for (const id of SENSORS)
    records.sensors.add({ id, kind: "air", district: "north", intervalS: 5, tags: {}, createdAt: T0 });
}

beforeEach(() => {
  clock = T0 + SPAN;
  mono = 0;
  open();
});
afterEach(() => records.close());

/** A look at the time takes a millisecond: so the work between two looks is counted, not timed. */
const start = (rest: Partial<AlertsOptions> = {}) =>
  createAlerts({ rules: [hot], records, first: 1, now: () => clock, monotonic: () => mono++, log: SILENT, ...rest });

let seq = 0;
function batchOf(readings: readonly Omit<Reading, "journalSeq">[]): Batch {
  const from = seq + 1;
  const numbered = readings.map((reading) => ({ ...reading, journalSeq: ++seq }));
  return { from, to: seq + 1, readings: numbered, rejections: [] };
}
beforeEach(() => {
  seq = 0;
});

const received = () => ({ receivedAt: clock });
/** So many readings in 25 minutes; every second one is hot. */
const flapping = (n: number) =>
  Array.from({ length: n }, (_, i) => {
    const values = { temperature: i % 2 === 0 ? 20 : 50 };
    return aReading(T0 + Math.floor((i * SPAN) / n), values, { sensorId: "flood", ...received() });
  });
const honest = (minute: number, temperature: number) =>
  aReading(T0 + minute * MINUTE, { temperature }, { sensorId: "honest", ...received() });

function alertsOf(sensor: string): Pick<Alert, "state" | "startedAt" | "resolvedAt">[] {
  const found: Alert[] = [];
  let cursor: string | undefined;
  do {
    const page = records.alerts.list({ sensor, state: ["firing", "resolved"] }, 100, cursor);
    found.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined);
  return found.map(({ state, startedAt, resolvedAt }) => ({ state, startedAt, resolvedAt }));
}

function workOff(alerts: ReturnType<typeof start>): number {
  let rounds = 0;
  while (alerts.work() !== undefined) {
    rounds += 1;
    clock += 10;
  }
  return rounds;
}

const N = 1_200;
const ORDERS: Record<string, (readings: Reading[]) => Reading[]> = {
  "that flaps": (readings) => readings,
  "with its backlog newest first": (readings) => readings.toReversed(),
  "with its backlog in no order": (readings) => readings.map((_, i) => readings[(i * 599 + 7) % readings.length]!),
};

describe.each(Object.entries(ORDERS))("beside a sensor %s", (_, order) => {
  it("another's alert is told with the batch it came in, and what the first has to say comes later", () => {
    let asked = 0;
    const alerts = start({
      onWaiting: () => {
        asked += 1;
      },
    });
    alerts.take(batchOf([...order(flapping(N)), honest(25, 50)]));
    expect(alertsOf("honest")).toMatchObject([{ state: "firing" }]);
    expect(alertsOf("flood").length).toBeLessThan(N / 10);
    expect(asked).toBe(1);
    // And those that come while it waits.
    alerts.take(batchOf([honest(26, 20)]));
    expect(alertsOf("honest")).toMatchObject([{ state: "resolved" }]);
    clock += 2_000;
    expect(alerts.troubles()).toContainEqual(
      expect.objectContaining({
        part: "rules",
        state: "degraded",
        ready: true,
        reason: expect.stringContaining("behind"),
      }),
    );
    const lag = () => alerts.figures().find(({ name }) => name === "lamppost_rules_lag_seconds")!.value;
    expect(lag()).toBeGreaterThanOrEqual(2);
    expect(workOff(alerts)).toBeGreaterThan(2);
    expect(lag()).toBe(0);
    expect(alerts.troubles().map(({ state }) => state)).toEqual(["ok", "ok"]);
    expect(alertsOf("flood")).toHaveLength(N / 2);
  });

  it("a crash anywhere in between loses nothing of it", () => {
    const whole = start();
    const batches = [batchOf([...order(flapping(N)), honest(25, 50)]), batchOf([honest(26, 20)])];
    for (const batch of batches) whole.take(batch);
    workOff(whole);
    const expected = alertsOf("flood");
    expect(expected).toHaveLength(N / 2);
    for (const rounds of [0, 3, 30]) {
      records.close();
      clock = T0 + SPAN;
      open();
      const first = start();
      for (const batch of batches) first.take(batch);
      // Saved with what waits; what follows is not saved, or only by chance.
      first.snapshot();
      for (let i = 0; i < rounds; i++) {
        first.work();
        clock += 10;
      }
      const second = start();
      for (const batch of batches) if (batch.to > second.offset) second.take(batch);
      workOff(second);
      expect(alertsOf("flood"), `crash after ${rounds} rounds`).toEqual(expected);
      expect(alertsOf("honest")).toMatchObject([{ state: "resolved" }]);
    }
  });
});

it("the clock waits for readings that wait: their sensor is not silent", () => {
  const silent = aRule({ id: "silent", kind: "any", audience: "crews", condition: { type: "silence", after: "15m" } });
  const alerts = start({ rules: [hot, silent] });
  alerts.take(batchOf([honest(25, 20), ...flapping(N)]));
  for (let i = 0; i < 120; i++) {
    clock += 10_000;
    mono += 10_000;
    alerts.tick();
  }
  expect(records.alerts.list({ rule: "silent" }, 10).items).toEqual([]);
  workOff(alerts);
  alerts.tick();
  expect(records.alerts.list({ rule: "silent" }, 10).items).toHaveLength(2);
});

it("with many sensors above their share nobody is put off: it is simply much", () => {
  const ids = Array.from({ length: 20 }, (_, i) => `s-${i}`);
  for (const id of ids) records.sensors.add({ id, kind: "air", district: "north", tags: {}, createdAt: T0 });
  const alerts = start();
  alerts.take(batchOf(ids.flatMap((sensorId) => flapping(200).map((reading) => ({ ...reading, sensorId })))));
  expect(alerts.figures().find(({ labels }) => labels?.place === "above_share")!.value).toBeLessThan(8 * 200);
  for (const id of ids.slice(0, 12)) expect(alertsOf(id)).toHaveLength(100);
});
