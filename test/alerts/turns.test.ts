import { setImmediate as immediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AlertsOptions, createAlerts } from "../../alerts/alerts.ts";
import { createTurns } from "../../alerts/turns.ts";
import type { Alert, Transition } from "../../model/alert.ts";
import type { Batch } from "../../model/batch.ts";
import { SILENT } from "../../model/log.ts";
import type { Source } from "../../model/message.ts";
import type { Reading } from "../../model/reading.ts";
import { openRecords, type Records } from "../../store/records.ts";
import { aReading, aRule, liveOf, MINUTE, T0 } from "./builders.ts";

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
const start = (rest: Partial<AlertsOptions> = {}, onWaiting?: () => void) => {
  const live = liveOf(() => mono++, journal, onWaiting);
  return createAlerts({ rules: [hot], records, first: 1, now: () => clock, log: SILENT, live, ...rest });
};

let seq = 0;
let journal: Batch[] = [];
function batchOf(readings: readonly Omit<Reading, "journalSeq">[]): Batch {
  const from = seq + 1;
  const numbered = readings.map((reading) => ({ ...reading, journalSeq: ++seq }));
  const batch = { from, to: seq + 1, readings: numbered, rejections: [] };
  journal.push(batch);
  return batch;
}
beforeEach(() => {
  seq = 0;
  journal = [];
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

async function workOff(alerts: ReturnType<typeof start>): Promise<number> {
  let rounds = 0;
  while (alerts.work() !== undefined) {
    rounds += 1;
    clock += 10;
    // What is read from the journal again comes in between.
    await immediate();
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
  it("another's alert is told with the batch it came in, and what the first has to say comes later", async () => {
    let asked = 0;
    const alerts = start({}, () => {
      asked += 1;
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
    expect(await workOff(alerts)).toBeGreaterThan(2);
    expect(lag()).toBe(0);
    expect(alerts.troubles().map(({ state }) => state)).toEqual(["ok", "ok"]);
    expect(alertsOf("flood")).toHaveLength(N / 2);
  });

  it("a crash anywhere in between loses nothing of it", async () => {
    const whole = start();
    const batches = [batchOf([...order(flapping(N)), honest(25, 50)]), batchOf([honest(26, 20)])];
    for (const batch of batches) whole.take(batch);
    await workOff(whole);
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
      await workOff(second);
      expect(alertsOf("flood"), `crash after ${rounds} rounds`).toEqual(expected);
      expect(alertsOf("honest")).toMatchObject([{ state: "resolved" }]);
    }
  });
});

it("the clock waits for readings that wait: their sensor is not silent, and another's silence is said in time", async () => {
  const silent = aRule({ id: "silent", kind: "any", audience: "crews", condition: { type: "silence", after: "15m" } });
  const alerts = start({ rules: [hot, silent] });
  const subjects = () => records.alerts.list({ rule: "silent" }, 10).items.map(({ subject }) => subject.sensorId);
  alerts.take(batchOf([honest(25, 20), ...flapping(N)]));
  for (let i = 0; i < 120; i++) {
    clock += 10_000;
    mono += 10_000;
    alerts.tick();
  }
  expect(subjects()).toEqual(["honest"]);
  await workOff(alerts);
  alerts.tick();
  expect(subjects().toSorted()).toEqual(["flood", "honest"]);
});

it("the clock looks at 1,000 sensors in one go, and in the end at all of them", async () => {
  const ids = Array.from({ length: 2_200 }, (_, i) => `c-${i}`);
  records.transaction(() => {
    for (const id of ids)
      records.sensors.add({ id, kind: "air", district: "north", intervalS: 5, tags: {}, createdAt: T0 });
  });
  let looks = 0;
  const get = (id: string) => {
    looks += 1;
    return records.sensors.get(id);
  };
  const silent = aRule({ id: "silent", kind: "any", audience: "crews", condition: { type: "silence", after: "15m" } });
  const watched = { ...records, sensors: { ...records.sensors, get } };
  const alerts = start({ rules: [silent], records: watched, untaken: () => 0 });
  for (let i = 0; i < ids.length; i += 500) {
    const some = ids.slice(i, i + 500).map((sensorId) => ({ ...honest(25, 20), sensorId }));
    await alerts.take(batchOf(some));
  }
  await workOff(alerts);
  for (let i = 0; i < 100; i++) {
    clock += 10_000;
    mono += 10_000;
    looks = 0;
    alerts.tick();
    // One for each sensor, and one for each alert that follows.
    expect(looks).toBeLessThanOrEqual(2_000);
    await workOff(alerts);
  }
  const said = new Set<string>();
  for (let cursor: string | undefined, isMore = true; isMore; isMore = cursor !== undefined) {
    const page = records.alerts.list({ rule: "silent", state: ["firing"] }, 500, cursor);
    for (const { subject } of page.items) said.add(subject.sensorId!);
    cursor = page.next;
  }
  expect(said.size).toBe(ids.length);
});

it("those above their share have a fifth of the time while messages wait to be taken, and all of it afterwards", async () => {
  let untaken = 0;
  const alerts = start({ untaken: () => untaken });
  /** The part of the time that it works, in so many calls as far apart as it says. */
  const partOf = (calls: number) => {
    const from = mono;
    let worked = 0;
    for (let i = 0; i < calls; i++) {
      const begun = mono;
      const pauseMs = alerts.work() ?? 0;
      // One look at the time, and nothing was done.
      if (mono - begun > 1) worked += mono - begun;
      mono += pauseMs;
      clock += 10;
    }
    return worked / (mono - from);
  };
  alerts.take(batchOf(Array.from({ length: 4 }, () => flapping(N)).flat()));
  untaken = 5;
  const held = partOf(200);
  expect(held).toBeGreaterThan(0.1);
  // A fifth, and the look at the time that each piece of work ends with.
  expect(held).toBeLessThanOrEqual(0.3);
  untaken = 0;
  expect(partOf(40)).toBeGreaterThan(held);
  await workOff(alerts);
  expect(alertsOf("flood")).toHaveLength(N / 2);
});

it("with many sensors above their share nobody is put off: it is simply much", async () => {
  const ids = Array.from({ length: 20 }, (_, i) => `s-${i}`);
  for (const id of ids) records.sensors.add({ id, kind: "air", district: "north", tags: {}, createdAt: T0 });
  const alerts = start();
  await alerts.take(batchOf(ids.flatMap((sensorId) => flapping(200).map((reading) => ({ ...reading, sensorId })))));
  expect(alerts.figures().find(({ labels }) => labels?.place === "above_share")!.value).toBeLessThan(8 * 200);
  await workOff(alerts);
  for (const id of ids) expect(alertsOf(id)).toHaveLength(100);
});

/** What the records were given, transaction by transaction. */
function counting(crashAt = Number.POSITIVE_INFINITY) {
  const said: (readonly Transition[])[] = [];
  const apply = (transitions: readonly Transition[]) => {
    if (transitions.length === 0) return;
    for (const one of transitions) records.alerts.apply(one);
    // In the middle of the transaction, which is rolled back.
    if (said.length >= crashAt) throw new Error("crash");
    said.push(transitions);
  };
  return { said, apply };
}

describe("what is said of a gateway's many sensors", () => {
  const ids = Array.from({ length: 16 }, (_, i) => `n-${i}`);
  const gateway = { via: "mqtt", role: "gateway", name: "gw" } as const;
  const device = { via: "mqtt", role: "device", name: "honest" } as const;
  beforeEach(() => {
    for (const id of ids) records.sensors.add({ id, kind: "air", district: "north", tags: {}, createdAt: T0 });
  });

  /** Messages of 40 readings of one sensor each, newest first, as one batch. */
  function arrays(last: readonly Omit<Reading, "journalSeq">[] = []): Batch {
    const from = seq + 1;
    const messages: NonNullable<Batch["messages"]>[number][] = [];
    const readings: Reading[] = [];
    const add = (source: Source, all: readonly Omit<Reading, "journalSeq">[]) => {
      messages.push({ seq: ++seq, source });
      for (const one of all) readings.push({ ...one, journalSeq: seq });
    };
    for (const sensorId of ids) {
      const all = flapping(120).map((reading) => ({ ...reading, sensorId }));
      for (const part of [80, 40, 0]) add(gateway, all.slice(part, part + 40).toReversed());
    }
    for (const one of last) add(device, [one]);
    const batch = { from, to: seq + 1, readings, messages, rejections: [] };
    journal.push(batch);
    return batch;
  }

  const everything = () => ids.map((id) => ({ id, alerts: alertsOf(id) }));
  const expected = () => {
    const virtual = start({ live: undefined });
    virtual.take(arrays());
    const all = everything();
    expect(all.flatMap(({ alerts }) => alerts)).toHaveLength(16 * 60);
    return all;
  };
  function again(): void {
    records.close();
    [clock, mono, seq, journal] = [T0 + SPAN, 0, 0, []];
    open();
    for (const id of ids) records.sensors.add({ id, kind: "air", district: "north", tags: {}, createdAt: T0 });
  }

  it("is cut into transactions of 64 lines at most, another's alert in the first of them, with the same outcome", async () => {
    const whole = expected();
    again();
    const { said, apply } = counting();
    const alerts = start({ apply });
    const taking = alerts.take(arrays([honest(25, 50)]));
    expect(said.length).toBeLessThanOrEqual(2);
    expect(alertsOf("honest")).toMatchObject([{ state: "firing" }]);
    await taking;
    await workOff(alerts);
    expect(everything()).toEqual(whole);
    expect(Math.max(...said.map(({ length }) => length))).toBeLessThanOrEqual(64);
    const lines = said.flat().map(({ alert, entry }) => `${alert.id} ${entry.what} ${entry.at}`);
    expect(new Set(lines).size).toBe(lines.length);
  });

  it("leaves the thread to others after each transaction", async () => {
    let turns = 0;
    let watching = true;
    const others = (async () => {
      for (; watching; turns++) await immediate();
    })();
    const transactions = new Map<number, number>();
    const apply = (transitions: readonly Transition[]) => {
      if (transitions.length > 0) transactions.set(turns, (transactions.get(turns) ?? 0) + 1);
      for (const one of transitions) records.alerts.apply(one);
    };
    const alerts = start({ apply });
    for (let i = 0; i < 3; i++) {
      await alerts.take(arrays([honest(25 + i, i % 2 === 0 ? 50 : 20)]));
      // As the one who brings the batches does.
      await immediate();
    }
    await workOff(alerts);
    watching = false;
    await others;
    expect(transactions.size).toBeGreaterThan(30);
    // One of a batch and one of what waits can fall together.
    expect(Math.max(...transactions.values())).toBeLessThanOrEqual(3);
  });

  it("survives a crash within any transaction, and is said once", async () => {
    const whole = expected();
    for (const crashAt of [0, 1, 2, 5, 17, 30]) {
      again();
      const batches = [arrays(), arrays([honest(25, 50)])];
      const first = start(counting(crashAt));
      for (const batch of batches) {
        try {
          await first.take(batch);
        } catch {
          // The records refuse what was said before: nothing more is taken.
        }
      }
      for (let i = 0; i < 1_000 && first.health().state === "ok" && first.work() !== undefined; i++) {
        clock += 10;
        await immediate();
      }
      expect(first.health().state, `crash in transaction ${crashAt}`).toBe("failed");
      const second = start();
      for (const batch of batches) if (batch.to > second.offset) await second.take(batch);
      await workOff(second);
      expect(everything(), `crash in transaction ${crashAt}`).toEqual(whole);
      expect(alertsOf("honest")).toMatchObject([{ state: "firing" }]);
    }
  });
});

it("what does not fit into memory of one sender stays in the journal meanwhile, and comes to the same", async () => {
  const gateway = { via: "mqtt", role: "gateway", name: "gw" } as const;
  const calm = Array.from({ length: 500 }, (_, i) => i);
  const ids = Array.from({ length: 120 }, (_, i) => `n-${i}`);
  for (const id of ids) records.sensors.add({ id, kind: "air", district: "north", tags: {}, createdAt: T0 });
  const alerts = start();
  let waiting = 0;
  alerts.take(batchOf([honest(1, 20)]));
  for (const [i, sensorId] of ids.entries()) {
    const readings = calm.map((n) => {
      const temperature = n % 250 === 7 ? 50 : 20;
      return { ...aReading(T0 + n * 1_000, { temperature }, { sensorId, ...received() }), journalSeq: seq + 1 };
    });
    seq += 1;
    const batch = { from: seq, to: seq + 1, readings, messages: [{ seq, source: gateway }], rejections: [] };
    journal.push(batch);
    expect(alerts.take(batch)).toBeUndefined();
    if (i === 60) alerts.take(batchOf([honest(2, 50)]));
    waiting = alerts.figures().find(({ labels }) => labels?.place === "above_share")!.value;
  }
  expect(alertsOf("honest")).toMatchObject([{ state: "firing" }]);
  expect(waiting).toBeGreaterThan(50_000);
  expect(alerts.waitingInMemory()).toBeLessThanOrEqual(20_500);
  // A restart finds it there as well.
  alerts.snapshot();
  expect(alerts.durableOffset()).toBeLessThan(seq);
  const second = start();
  await workOff(second);
  for (const id of ids) expect(alertsOf(id)).toHaveLength(2);
  second.snapshot();
  expect(second.durableOffset()).toBe(seq + 1);
});

it("reads again in turns what the last life left: who left much does not hold up who left little", () => {
  const turns = createTurns({ monotonic: () => mono, gatewayOf: () => undefined });
  const left = [
    ["flood", 1, T0],
    ["honest", 900, T0],
  ];
  const state = JSON.stringify({ lines: [], left });
  turns.load([{ rule: "~waiting", subject: "", state }], 1, 1_000);
  const order: string[] = [];
  for (let wanted = turns.toReadAgain(); wanted && order.length < 20; wanted = turns.toReadAgain()) {
    order.push(`${wanted.sender} ${wanted.from}`);
    turns.readAgain(wanted.sender, { from: wanted.from, to: wanted.from + 200, readings: [] }, () => "", 1_000);
  }
  expect(order).toEqual(["flood 1", "honest 900", "flood 201", "flood 401", "flood 601", "flood 801"]);
  expect(turns.isEmpty()).toBe(true);
});

describe("imported history of one sender", () => {
  const SENSORS_OF = ["a", "b", "c"];
  /** 3,000 moments; at each all three sensors. */
  const history = () =>
    Array.from({ length: 9_000 }, (_, n) => {
      const sensorId = SENSORS_OF[n % 3]!;
      const at = T0 + Math.floor(n / 3) * MINUTE;
      return { ...aReading(at, { temperature: 20 }, { sensorId, imported: true }), journalSeq: n + 1 };
    });
  const turnsOf = () => createTurns({ monotonic: () => mono, gatewayOf: () => undefined });
  const sentBy = (reading: Reading) => (reading.imported ? "gw" : reading.sensorId);

  function drain(turns: ReturnType<typeof turnsOf>, seen: Reading[]): void {
    for (let next = turns.next(); next; next = turns.next()) if ("readings" in next) seen.push(...next.readings);
  }

  it("is judged in the order it came in, whatever the volume: what sensors say together depends on it", () => {
    const turns = turnsOf();
    const seen: Reading[] = [];
    const readings = history();
    turns.admit([...readings, honest(1, 20)], sentBy, (some) => {
      seen.push(...some);
      return "all";
    });
    // Others do not wait behind it.
    expect(seen.map(({ sensorId }) => sensorId)).toContain("honest");
    drain(turns, seen);
    expect(seen.filter(({ imported }) => imported).map(({ journalSeq }) => journalSeq)).toEqual(
      readings.map(({ journalSeq }) => journalSeq),
    );
  });

  it("goes on in that order after a crash, each reading once", () => {
    const first = turnsOf();
    const readings = history();
    const seen: Reading[] = [];
    first.admit([honest(1, 20), ...readings], sentBy, (some) => {
      seen.push(...some);
      return "all";
    });
    for (let i = 0; i < 7; i++) {
      const next = first.next();
      if (next && "readings" in next) seen.push(...next.readings);
    }
    const second = turnsOf();
    second.load(first.rows(), 1, 9_001);
    const wanted = second.toReadAgain()!;
    const again = readings.filter(({ journalSeq }) => journalSeq >= wanted.from);
    second.readAgain(wanted.sender, { from: wanted.from, to: 9_001, readings: again }, sentBy, 9_001);
    drain(second, seen);
    expect(seen.filter(({ imported }) => imported).map(({ journalSeq }) => journalSeq)).toEqual(
      readings.map(({ journalSeq }) => journalSeq),
    );
  });
});
