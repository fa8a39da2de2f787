import { describe, expect, it } from "vitest";
import { mergeBatches } from "../../ingest/decode.ts";
import { StoreError } from "../../store/reading-store.ts";
import { aBatch, at, aWriter, booksOf, memoryRecords, memoryStore, T0 } from "./helpers.ts";

function setUp() {
  return { store: memoryStore(), records: memoryRecords() };
}

const once = (error: Error) => {
  let left: Error | undefined = error;
  return () => {
    const now = left;
    left = undefined;
    return now;
  };
};

describe("duplicates", () => {
  it("drops and counts the same values of the same moment, in a batch and across batches", async () => {
    const { store, records } = setUp();
    const writer = aWriter(store, records);
    await writer.take(aBatch([at(0, 1), at(1, 2), at(0, 1)]));
    await writer.take(aBatch([at(1, 2), at(2, 3)], 4));
    expect(booksOf(store, records)).toEqual({ received: 5, stored: 3, duplicate: 2, quarantined: 0, rows: 3 });
    expect(records.kept.offsets.get("store")).toBe(6);
  });

  it("does not ask the store about what is later than all it has", async () => {
    const { store, records } = setUp();
    const writer = aWriter(store, records);
    await writer.take(aBatch([at(0, 1), at(1, 2)]));
    await writer.take(aBatch([at(2, 3), at(3, 4)], 3));
    expect(store.calls.find).toBe(0);
    await writer.take(aBatch([at(1.5, 9)], 5));
    expect(store.calls).toMatchObject({ find: 1, keys: 1 });
    expect(booksOf(store, records)).toMatchObject({ stored: 5, rows: 5 });
  });

  it("keeps the first of two that disagree and quarantines the second with its place and bytes", async () => {
    const { store, records } = setUp();
    const writer = aWriter(store, records);
    await writer.take(aBatch([at(0, 1)]));
    const second = [{ pm25: "x" }, at(5, 5), at(0, 2)];
    await writer.take(aBatch([second], 2));
    expect(store.rows.map((row) => row.values.pm25)).toEqual([1, 5]);
    expect(records.kept.quarantine.map(({ index, reason }) => [index, reason])).toEqual([
      [0, "wrong_type"],
      [2, "conflict"],
    ]);
    const conflict = records.kept.quarantine[1]!;
    expect(conflict.detail).toContain("pm25 1 was kept; this one has 2");
    expect(JSON.parse(Buffer.from(conflict.payload!).toString())).toEqual(second[2]);
    expect(conflict).toMatchObject({ journalSeq: 2, topic: "city/north/air/air-1", sensorId: "air-1" });
  });

  it("compares with the one that is kept, not with the one before", async () => {
    const { store, records } = setUp();
    const writer = aWriter(store, records);
    await writer.take(aBatch([at(0, 1)]));
    await writer.take(aBatch([at(0, 2), at(0, 2), at(0, 1)], 2));
    expect(booksOf(store, records)).toEqual({ received: 4, stored: 1, duplicate: 1, quarantined: 2, rows: 1 });
  });

  it("metrics of one moment that come in several messages are one reading, each message stored", async () => {
    const { store, records } = setUp();
    const writer = aWriter(store, records);
    const { measuredAt } = at(0, 1);
    await writer.take(aBatch([at(0, 1), { measuredAt, pm10: 3 }, at(1, 1)]));
    await writer.take(aBatch([{ measuredAt, no2: 4, pm25: 1 }, { measuredAt, pm10: 3 }, at(0, 1)], 4));
    expect(booksOf(store, records)).toEqual({ received: 6, stored: 4, duplicate: 2, quarantined: 0, rows: 4 });
    expect(store.rows.map(({ values, part }) => [values, part])).toEqual([
      [{ pm25: 1 }, undefined],
      [{ pm10: 3 }, 1],
      [{ pm25: 1 }, undefined],
      [{ no2: 4 }, 2],
    ]);
    const [found] = await store.find("air", [{ sensorId: "air-1", measuredAt }]);
    expect(found?.values).toEqual({ pm25: 1, pm10: 3, no2: 4 });
  });

  it("refuses a value that disagrees, and keeps what else the message brings", async () => {
    const { store, records } = setUp();
    const writer = aWriter(store, records);
    const { measuredAt } = at(0, 1);
    const told: unknown[] = [];
    await writer.take(aBatch([at(0, 1)]));
    const second = aWriter(store, records, { onRejection: (one) => told.push(one) });
    await second.take(
      aBatch(
        [
          { measuredAt, pm25: 2.5, no2: 4 },
          { measuredAt, pm25: 9, no2: 4 },
        ],
        2,
      ),
    );
    expect(booksOf(store, records)).toEqual({ received: 3, stored: 2, duplicate: 0, quarantined: 1, rows: 2 });
    expect(store.rows[1]).toMatchObject({ values: { no2: 4 }, part: 1 });
    const [value, whole] = records.kept.quarantine;
    expect(value).toMatchObject({ reason: "conflict", metric: "pm25", journalSeq: 2, index: 0 });
    expect(Buffer.from(value!.payload!).toString()).toBe("2.5");
    expect(value!.detail).toContain("pm25 1 was kept; this one has 2.5");
    expect(whole).toMatchObject({ reason: "conflict", journalSeq: 3, index: 0 });
    expect(whole).not.toHaveProperty("metric");
    expect(told).toEqual([value, whole]);
  });

  it("merges what one message says twice of a moment, and finds its own after a crash", async () => {
    const { store, records } = setUp();
    const { measuredAt } = at(0, 1);
    const message = [at(0, 1), { measuredAt, pm10: 3 }, { measuredAt, pm10: 3, no2: 1 }, { measuredAt, pm10: 4 }];
    const dying = aWriter(store, records, {
      at: (point) => {
        if (point === "after-write") throw new Error("dead");
      },
    });
    await expect(dying.take(aBatch([message]))).rejects.toThrow("dead");
    expect(store.rows).toHaveLength(3);
    await aWriter(store, records).take(aBatch([message]));
    expect(booksOf(store, records)).toEqual({ received: 4, stored: 3, duplicate: 0, quarantined: 1, rows: 3 });
  });

  it("a conflict beside personal data keeps no payload", async () => {
    const { store, records } = setUp();
    await aWriter(store, records).take(aBatch([at(0, 1), [{ plate: "SECRET" }, at(0, 2)]]));
    expect(records.kept.quarantine.map((one) => one.reason)).toEqual(["personal_data", "conflict"]);
    for (const one of records.kept.quarantine) expect(one).not.toHaveProperty("payload");
  });
});

describe("the books", () => {
  it("are by UTC day of receipt, sensor and outcome", async () => {
    const { store, records } = setUp();
    const writer = aWriter(store, records);
    await writer.take(aBatch([at(0, 1), "noise"]));
    const nextDay = { receivedAt: T0 + 86_400_000, topic: "city/north/air/air-2" };
    await writer.take(aBatch([{ no2: 1 }], 3, nextDay));
    await writer.take(aBatch([{ no2: 1 }], 4, { topic: "nowhere" }));
    expect(records.kept.ledger.map(({ values: _, ...items }) => items)).toEqual([
      { day: "2026-11-21", sensorId: "air-1", outcome: "received", count: 2 },
      { day: "2026-11-21", sensorId: "air-1", outcome: "stored", count: 1 },
      { day: "2026-11-21", sensorId: "air-1", outcome: "malformed_json", count: 1 },
      { day: "2026-11-22", sensorId: "air-2", outcome: "received", count: 1 },
      { day: "2026-11-22", sensorId: "air-2", outcome: "stored", count: 1 },
      { day: "2026-11-21", sensorId: "", outcome: "received", count: 1 },
      { day: "2026-11-21", sensorId: "", outcome: "unknown_topic", count: 1 },
    ]);
  });

  it("count numbers that nobody could read as lost, but not those before the first message ever", async () => {
    const { store, records } = setUp();
    const writer = aWriter(store, records);
    await writer.take({ ...aBatch([at(0, 1)], 7), from: 1 });
    expect(records.kept.ledger.filter((row) => row.outcome === "lost")).toEqual([]);
    await writer.take({ ...aBatch([at(1, 1)], 11), from: 8, to: 14 });
    await writer.take({ ...aBatch([], 14), to: 15 });
    const lost = { day: "2026-11-21", sensorId: "", outcome: "lost" };
    expect(records.kept.ledger.filter((row) => row.outcome === "lost")).toEqual([
      { ...lost, count: 5 },
      { ...lost, count: 1 },
    ]);
  });

  it("are not moved by a transaction that fails, and the batch is safe to take again", async () => {
    const { store, records } = setUp();
    let broken = true;
    const offsets = {
      ...records.offsets,
      set(name: string, offset: number) {
        if (broken) throw new Error("disk full");
        records.offsets.set(name, offset);
      },
    };
    const writer = aWriter(store, records, { records: { ...records, offsets } });
    const batch = aBatch([at(0, 1), at(0, 1), at(1, 2), "noise"]);
    await expect(writer.take(batch)).rejects.toThrow("disk full");
    expect(records.kept.ledger).toEqual([]);
    expect(writer.durableOffset?.()).toBe(1);
    broken = false;
    await writer.take(batch);
    expect(booksOf(store, records)).toEqual({ received: 4, stored: 2, duplicate: 1, quarantined: 1, rows: 2 });
    expect(writer.durableOffset?.()).toBe(5);
  });
});

describe("a store that says no", () => {
  it("unavailable: waits longer each time, never less than asked, then writes the same batch", async () => {
    const { store, records } = setUp();
    let left = 12;
    const error = () => new StoreError("unavailable", "ECONNREFUSED", left === 5 ? { retryAfterMs: 90_000 } : {});
    store.script.fail.push(() => (left-- > 0 ? error() : undefined));
    const writer = aWriter(store, records);
    await writer.take(aBatch([at(0, 1), at(1, 2)]));
    expect(writer.waits.slice(0, 4)).toEqual([250, 500, 1000, 2000]);
    expect(Math.max(...writer.waits.filter((ms) => ms !== 90_000))).toBe(15_000);
    expect(writer.waits).toContain(90_000);
    expect(booksOf(store, records)).toEqual({ received: 2, stored: 2, duplicate: 0, quarantined: 0, rows: 2 });
    expect(writer.health()).toEqual([{ part: "store", state: "ok", ready: true }]);
  });

  it("unavailable after the write got through: does not write it twice", async () => {
    const { store, records } = setUp();
    const write = store.write;
    const lost = once(new StoreError("unavailable", "timeout"));
    store.write = async (readings) => {
      await write(readings);
      const error = lost();
      if (error) throw error;
    };
    await aWriter(store, records).take(aBatch([at(0, 1), at(1, 2)]));
    expect(booksOf(store, records)).toMatchObject({ stored: 2, rows: 2 });
  });

  it("says degraded and still ready while it waits, and gives up waiting when told to stop", async () => {
    const { store, records } = setUp();
    store.script.fail.push(() => new StoreError("unavailable", "ECONNREFUSED"));
    const stop = new AbortController();
    const sleep = async () => stop.abort(new Error("stopping"));
    const writer = aWriter(store, records, { sleep });
    await expect(writer.takeUntil(aBatch([at(0, 1)]), stop.signal)).rejects.toThrow("stopping");
    expect(writer.health()).toMatchObject([{ state: "degraded", ready: true }]);
    expect(records.kept.offsets.size).toBe(0);
  });

  it("misconfigured: holds, tries every 15 s and says so", async () => {
    const { store, records } = setUp();
    let left = 3;
    const healths: unknown[] = [];
    store.script.fail.push(() => (left-- > 0 ? new StoreError("misconfigured", "unauthorized") : undefined));
    const waits: number[] = [];
    const writer = aWriter(store, records, {
      sleep: async (ms) => {
        waits.push(ms);
        healths.push(writer.health()[0]!);
      },
    });
    await writer.take(aBatch([at(0, 1)]));
    expect(waits).toEqual([15_000, 15_000, 15_000]);
    expect(healths[0]).toMatchObject({
      state: "failed",
      ready: true,
      reason: expect.stringContaining("unauthorized"),
    });
    expect(writer.health()[0]!.state).toBe("ok");
    expect(store.rows).toHaveLength(1);
  });

  it("too large: halves until it fits", async () => {
    const { store, records } = setUp();
    store.script.fail.push((readings) => (readings.length > 3 ? new StoreError("too_large", "413") : undefined));
    await aWriter(store, records).take(aBatch(Array.from({ length: 20 }, (_, i) => at(i, i))));
    expect(booksOf(store, records)).toMatchObject({ stored: 20, rows: 20 });
  });

  it("refused: finds the one at fault, stores the other 999 and quarantines it with the server's words", async () => {
    const { store, records } = setUp();
    const bad = (readings: readonly { values: { pm25?: number } }[]) => readings.some((one) => one.values.pm25 === 666);
    store.script.fail.push((readings) => (bad(readings) ? new StoreError("refused", "bad\n line 7") : undefined));
    const heard: string[] = [];
    const writer = aWriter(store, records, { onRejection: (one) => heard.push(one.reason) });
    const values = Array.from({ length: 1000 }, (_, i) => at(i, i === 777 ? 666 : i % 500));
    await writer.take(aBatch(values));
    expect(booksOf(store, records)).toEqual({ received: 1000, stored: 999, duplicate: 0, quarantined: 1, rows: 999 });
    const [refused] = records.kept.quarantine;
    expect(refused).toMatchObject({ journalSeq: 778, reason: "store_refused" });
    expect(refused?.detail).toBe("The store refused it: bad line 7");
    expect(heard).toEqual(["store_refused"]);
    expect(store.calls.write).toBeLessThan(30);
  });

  it("refused: a double of a refused reading is no duplicate of anything kept", async () => {
    const { store, records } = setUp();
    store.script.fail.push((all) =>
      all.some((one) => one.journalSeq === 1) ? new StoreError("refused", "no") : undefined,
    );
    await aWriter(store, records).take(aBatch([at(0, 1), at(0, 1), at(0, 2), at(1, 1)]));
    expect(booksOf(store, records)).toEqual({ received: 4, stored: 1, duplicate: 0, quarantined: 3, rows: 1 });
    expect(records.totals().get("store_refused")).toBe(3);
  });

  it("another error is thrown on, with nothing booked", async () => {
    const { store, records } = setUp();
    store.script.fail.push(() => new TypeError("a bug"));
    await expect(aWriter(store, records).take(aBatch([at(0, 1)]))).rejects.toThrow("a bug");
    expect(records.kept.ledger).toEqual([]);
  });

  it("away at the start: waits for the newest times instead of failing", async () => {
    const { store, records } = setUp();
    const newest = store.newest;
    const away = once(new StoreError("unavailable", "starting"));
    store.newest = async () => {
      const error = away();
      if (error) throw error;
      return newest();
    };
    await aWriter(store, records).take(aBatch([at(0, 1)]));
    expect(store.rows).toHaveLength(1);
  });
});

it("shows what it did as figures", async () => {
  const { store, records } = setUp();
  const lag = () => writer.figures().find((one) => one.name === "lamppost_store_lag_seconds")?.value;
  const lags: unknown[] = [];
  const writer = aWriter(store, records, { now: () => T0 + 5_000, at: () => void lags.push(lag()) });
  await writer.take(mergeBatches([aBatch([at(0, 1), at(0, 1)]), aBatch([at(0, 2), "noise"], 3)]));
  const readings = writer.figures().filter((one) => one.name === "lamppost_store_readings_total");
  expect(readings.map((one) => [one.labels?.outcome, one.value])).toEqual([
    ["stored", 1],
    ["duplicate", 1],
    ["conflict", 1],
    ["refused", 0],
  ]);
  // Before the write, after it, and when all is booked.
  expect(lags).toEqual([5, 5, 0]);
});
