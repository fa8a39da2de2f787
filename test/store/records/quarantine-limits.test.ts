import { afterEach, describe, expect, it } from "vitest";
import { SILENT } from "../../../model/log.ts";
import type { Source } from "../../../model/message.ts";
import type { QuarantineLimits } from "../../../store/records/quarantine.ts";
import { openRecords, type Records } from "../../../store/records.ts";
import { aRejection, NOW } from "./setup.ts";

const FLOODER: Source = { via: "mqtt", role: "device", name: "flooder" };
const CALM: Source = { via: "mqtt", role: "device", name: "calm" };
const BROKER: Source = { via: "bridge", role: "broker", name: "city-broker" };

describe("the quarantine's limits", () => {
  let records: Records;
  let seq = 0;
  afterEach(() => records.close());

  function start(limits: Partial<QuarantineLimits>): void {
    const quarantine = { itemsMax: 1_000, bytesMax: 2 ** 30, senderShare: 0.5, ...limits };
    records = openRecords({ path: ":memory:", now: () => NOW, log: SILENT, quarantine });
    seq = 0;
  }
  function add(source: Source, count: number, bytes = 10): void {
    const one = () => aRejection({ journalSeq: ++seq, source, sensorId: source.name, payload: new Uint8Array(bytes) });
    records.quarantine.add(Array.from({ length: count }, one));
  }
  const items = () => records.quarantine.list({}, 1_000).items.map(({ rejection }) => rejection);
  const of = (source: Source) => items().filter((one) => one.source.name === source.name);
  /** The books stay right: what came is there or booked as removed, sensor by sensor. */
  function expectBooked(added: Record<string, number>): void {
    const there = records.quarantine.countBySensor();
    const removed = records.removals.counts("quarantined");
    for (const [sensor, count] of Object.entries(added)) {
      expect((there.get(sensor) ?? 0) + (removed.get(sensor) ?? 0)).toBe(count);
    }
    expect(records.quarantine.use().items).toBe(items().length);
    expect(records.quarantine.count()).toBe(items().length);
  }

  it("keep a flooder within its share, of items, the oldest first", () => {
    start({ itemsMax: 100, senderShare: 0.2 });
    add(CALM, 15);
    for (let i = 0; i < 10; i += 1) add(FLOODER, 30);
    expect(of(CALM)).toHaveLength(15);
    expect(of(FLOODER).map(({ journalSeq }) => journalSeq)).toEqual(Array.from({ length: 20 }, (_, i) => seq - i));
    expectBooked({ flooder: 300, calm: 15 });
    expect(records.quarantine.overflow()).toEqual([{ sender: "mqtt:device:flooder", removed: 280 }]);
    expect(records.quarantine.overflow()).toEqual([]);
  });

  it("keep a flooder within its share, of bytes", () => {
    start({ bytesMax: 1_000_000, senderShare: 0.1 });
    add(CALM, 5, 1_000);
    for (let i = 0; i < 20; i += 1) add(FLOODER, 1, 60_000);
    expect(of(FLOODER)).toHaveLength(1);
    expect(of(CALM)).toHaveLength(5);
    expectBooked({ flooder: 20, calm: 5 });
  });

  it("take from whoever has most, where all together have too much", () => {
    start({ itemsMax: 100, senderShare: 0.5 });
    const many = Array.from({ length: 10 }, (_, i): Source => ({ ...CALM, name: `calm-${i}` }));
    for (const source of many) add(source, 5);
    add(FLOODER, 50);
    for (const source of many) add(source, 1);
    expect(records.quarantine.use().items).toBe(100);
    for (const source of many) expect(of(source)).toHaveLength(6);
    expect(of(FLOODER)).toHaveLength(40);
    expectBooked({ flooder: 50, "calm-0": 6 });
  });

  it("keep the first mistakes of a message of a sender whose share is full, and book the others as removed", () => {
    start({ itemsMax: 1_000, senderShare: 0.1 });
    const message = (journalSeq: number) =>
      Array.from({ length: 50 }, (_, index) =>
        aRejection({ journalSeq, index, source: FLOODER, sensorId: FLOODER.name }),
      );
    for (const journalSeq of [1, 2]) records.quarantine.add(message(journalSeq));
    expect(of(FLOODER)).toHaveLength(100);
    records.quarantine.add([...message(3), ...message(4)]);
    expect(of(FLOODER).filter(({ journalSeq }) => journalSeq > 2)).toHaveLength(10);
    expectBooked({ flooder: 200 });
  });

  it("leave an external broker half, because it stands for many", () => {
    start({ itemsMax: 100, senderShare: 0.1 });
    add(BROKER, 80);
    expect(of(BROKER)).toHaveLength(50);
  });

  it("count what age takes away, and what was ignored not at all", () => {
    start({ itemsMax: 100 });
    const old = aRejection({ journalSeq: 1, source: CALM, receivedAt: NOW - 1 });
    records.quarantine.add([old, old, aRejection({ journalSeq: 2, source: CALM })]);
    records.quarantine.add([old]);
    expect(records.quarantine.use().items).toBe(2);
    expect(records.quarantine.prune(NOW, 100)).toBe(1);
    const { items: left, bytes } = records.quarantine.use();
    expect(left).toBe(1);
    expect(records.quarantine.prune(NOW + 1, 100)).toBe(1);
    expect(records.quarantine.use()).toMatchObject({ items: 0, bytes: 0 });
    expect(bytes).toBeGreaterThan(200);
  });

  it("count the bytes of payload, topic and explanation, and 200 for the row", () => {
    start({});
    add(FLOODER, 50);
    const { detail, topic } = items()[0]!;
    expect(records.quarantine.use().bytes).toBe(50 * (200 + Buffer.byteLength(detail) + Buffer.byteLength(topic) + 10));
  });
});
