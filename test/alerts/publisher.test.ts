import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createEngine } from "../../alerts/engine/engine.ts";
import type { AlertMessage } from "../../alerts/publisher.ts";
import { alertMessage, createAlertPublisher } from "../../alerts/publisher.ts";
import { type Alert, saidOf } from "../../model/alert.ts";
import { SILENT } from "../../model/log.ts";
import { openRecords, type Records } from "../../store/records.ts";
import { aReading, aRule, MINUTE, T0 } from "./builders.ts";

const rule = aRule({ id: "hot", metric: "no2", condition: { type: "threshold", above: 100, clear: 90 } });

describe("the publisher of alerts", () => {
  let folder: string;
  let records: Records;
  const reopen = () => openRecords({ path: join(folder, "records.db"), now: () => T0, log: SILENT });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "lamppost-publisher-"));
    records = reopen();
    engine = createEngine({ rules: [rule], sensor: () => undefined });
    minute = 0;
  });
  afterEach(async () => {
    records.close();
    await rm(folder, { recursive: true });
  });

  /** Real transitions, one alert each time: "firing" or "resolved" by turns. */
  let engine: ReturnType<typeof createEngine>;
  let minute: number;
  function change(times = 1): void {
    for (let n = 0; n < times; n += 1) {
      minute += 1;
      const no2 = minute % 2 === 1 ? 150 : 20;
      for (const transition of engine.observe([aReading(T0 + minute * MINUTE, { no2 })]))
        records.alerts.apply(transition);
    }
  }

  /** A broker that takes what `mayTake` lets it; `told(n)` waits until it has taken so many. */
  function aBroker(mayTake: (attempt: number) => boolean = () => true) {
    const taken: string[] = [];
    const waiting: { count: number; resolve: () => void }[] = [];
    let attempts = 0;
    /** What it keeps, by topic: the state of the alert. */
    const kept = new Map<string, string>();
    async function publish({ topic, payload, retain }: AlertMessage): Promise<void> {
      attempts += 1;
      if (!mayTake(attempts)) throw new Error("the broker is closed");
      if (retain && payload === "") kept.delete(topic);
      else if (retain) kept.set(topic, JSON.parse(payload).state);
      if (payload === "") return;
      const { id, state } = JSON.parse(payload);
      taken.push(`${id} ${state}`);
      for (const { count, resolve } of waiting) if (taken.length >= count) resolve();
    }
    const told = (count: number) =>
      taken.length >= count ? Promise.resolve() : new Promise<void>((resolve) => void waiting.push({ count, resolve }));
    return { publish, told, taken, kept, attempts: () => attempts };
  }

  const start = (broker: ReturnType<typeof aBroker>, retryAfterMs = 1) => {
    const publisher = createAlertPublisher({ records, publish: broker.publish, log: SILENT, retryAfterMs });
    publisher.start();
    return publisher;
  };
  const saidIn = (from: Records) =>
    from.events.after(0, 1_000).flatMap((one) => ("alert" in one ? [`${one.alert.id} ${one.alert.state}`] : []));

  it("tells what was there before and what happens, each once and in order", async () => {
    change(3);
    const broker = aBroker();
    const publisher = start(broker);
    await broker.told(3);
    change(2);
    await broker.told(5);
    await publisher.stop();
    expect(broker.taken).toEqual(saidIn(records));
  });

  it("tells again what went to the broker after any of them, within the limits", async () => {
    const broker = aBroker();
    const replayLimits = { messages: 150, bytes: 1_000_000, ageMs: 60_000 };
    let clock = T0;
    const publisher = createAlertPublisher({
      records,
      publish: broker.publish,
      log: SILENT,
      replayLimits,
      now: () => clock,
    });
    expect(publisher.replay(0)).toEqual({ publications: [], to: 0, isLast: true, missed: 0 });
    publisher.start();
    change(210);
    await broker.told(210);
    await publisher.stop();
    const said = (from: number) => publisher.replay(from).publications.map(({ payload }) => JSON.parse(payload));
    expect(said(205).map(({ id, state }) => `${id} ${state}`)).toEqual(broker.taken.slice(205));
    expect(publisher.replay(0)).toMatchObject({ missed: 60, to: 160, isLast: false });
    expect(publisher.replay(0).publications[0]).toMatchObject({ event: 61 });
    expect(publisher.replay(160)).toMatchObject({ missed: 0, to: 210, isLast: true });
    expect(publisher.replay(300)).toEqual({ publications: [], to: 300, isLast: true, missed: 0 });
    // Of few bytes, and of long ago: a gap, and what is left.
    replayLimits.bytes = 10 * Math.max(...records.events.after(0, 300).map((event) => JSON.stringify(event).length));
    const { missed } = publisher.replay(200);
    expect(missed).toBeLessThanOrEqual(1);
    expect(publisher.replay(100).missed).toBeGreaterThan(80);
    clock += replayLimits.ageMs + 1;
    expect(publisher.replay(100)).toEqual({ publications: [], to: 210, isLast: true, missed: 110 });
  });

  it("tries again what the broker did not take, and skips nothing", async () => {
    const broker = aBroker((attempt) => attempt % 3 === 0);
    const publisher = start(broker);
    change(4);
    await broker.told(4);
    await publisher.stop();
    expect(broker.taken).toEqual(saidIn(records));
    expect(broker.attempts()).toBe(18);
    expect(publisher.figures().map(({ value }) => value)).toEqual([4, 12]);
  });

  it("goes on after a restart where it stopped: what was not told is told by the next life", async () => {
    const first = aBroker((attempt) => attempt <= 3);
    change(2);
    const publisher = start(first, 60_000);
    await first.told(2);
    change(3); // the broker is gone by now
    await publisher.stop();
    expect(first.taken).toHaveLength(2);

    records.close();
    records = reopen();
    const second = aBroker();
    const next = start(second);
    await second.told(3);
    await next.stop();
    expect([...first.taken, ...second.taken]).toEqual(saidIn(records));
  });

  it("tells again after a crash between telling and keeping the offset: at least once", async () => {
    change(2);
    const broker = aBroker();
    const { offsets } = records;
    // The crash: the offset never gets to the disk.
    const crashing = { ...records, offsets: { get: offsets.get, set: () => {} } };
    const publisher = createAlertPublisher({ records: crashing, publish: broker.publish, log: SILENT });
    publisher.start();
    await broker.told(2);
    await publisher.stop();
    const again = start(broker);
    await broker.told(4);
    await again.stop();
    expect(broker.taken).toEqual([...saidIn(records), ...saidIn(records)]);
  });

  it("lets the broker keep what is open, tells it again after a restart, and takes away what is over", async () => {
    change(3);
    const broker = aBroker();
    const publisher = start(broker);
    await broker.told(3);
    expect([...broker.kept.values()]).toEqual(["firing"]);
    await publisher.stop();
    const open = records.alerts.list({ state: ["firing"] }, 10).items[0]!;

    const second = aBroker((attempt) => attempt !== 1);
    const next = start(second);
    await second.told(1);
    expect([...second.kept]).toEqual([[`alerts/north/${open.severity}/${open.id}`, "firing"]]);
    const moved = { ...open, severity: "critical" } as const;
    records.alerts.apply({ alert: saidOf(moved), entry: { at: T0, knownAt: T0, what: "raised" } });
    await second.told(2);
    await vi.waitUntil(() => second.kept.size === 1);
    expect([...second.kept]).toEqual([[`alerts/north/critical/${open.id}`, "firing"]]);
    change();
    await second.told(3);
    await vi.waitUntil(() => second.kept.size === 0);
    await next.stop();
  });

  it("tells what is of no district under the city's own name", () => {
    const at = { state: "firing", startedAt: T0, firedAt: T0, severity: "warning", id: "al-1" } as const;
    const alert = { ...at, subject: {}, evidence: [], timeline: [] } as unknown as Alert;
    expect(alertMessage(alert)).toMatchObject({ topic: "alerts/city/warning/al-1", retain: true });
    expect(alertMessage({ ...alert, mode: "history" })).toMatchObject({ retain: false });
  });

  it("a stop ends the wait for the next try", async () => {
    const broker = aBroker(() => false);
    const publisher = start(broker, 60_000);
    change();
    await publisher.stop();
    change();
    expect(broker.attempts()).toBeLessThanOrEqual(1);
  });
});
