import { describe, expect, it } from "vitest";
import { createPieceSize } from "../../ingest/piece-size.ts";
import type { Reading } from "../../model/reading.ts";
import { StoreError } from "../../store/reading-store.ts";
import { aBatch, at, aWriter, memoryRecords, T0 } from "./helpers.ts";

/** A store that remembers the size of each write and what it was sent twice; `answer` scripts what it says. */
function aServer(options: { readonly keepsGoodLines?: boolean; isBad?(reading: Reading): boolean } = {}) {
  const { keepsGoodLines = true, isBad = () => false } = options;
  const kept = new Map<string, Reading>();
  const writes: number[] = [];
  let doubled = 0;
  let answer: (readings: readonly Reading[], attempt: number) => Error | undefined = () => undefined;
  const key = ({ sensorId, measuredAt }: { sensorId: string; measuredAt: number }) => `${sensorId} ${measuredAt}`;
  function keep(readings: readonly Reading[]): void {
    for (const reading of readings) {
      if (kept.has(key(reading))) doubled += 1;
      kept.set(key(reading), reading);
    }
  }
  return {
    name: "influxdb",
    kept,
    writes,
    keep,
    doubled: () => doubled,
    script(next: typeof answer) {
      answer = next;
    },
    async write(readings: readonly Reading[]) {
      writes.push(readings.length);
      const error = answer(readings, writes.length);
      if (error) throw error;
      const good = readings.filter((reading) => !isBad(reading));
      if (good.length === readings.length) return keep(readings);
      if (keepsGoodLines) keep(good);
      throw new StoreError("refused", `partial write: bad line dropped=${readings.length - good.length}`);
    },
    async find(_kind: string, keys: readonly { sensorId: string; measuredAt: number }[]) {
      return keys.map((one) => kept.get(key(one)));
    },
    newest: async () => new Map<string, number>(),
  };
}

function setUp(server: ReturnType<typeof aServer>, more: Parameters<typeof aWriter>[2] = {}) {
  const records = memoryRecords();
  const writer = aWriter(server as never, records, { options: { writeReadingsMax: 5_000 }, ...more });
  return { records, writer };
}

const readingsFrom = (first: number, count: number) =>
  aBatch(
    Array.from({ length: count }, (_, i) => at((first + i) / 1_000, (first + i) % 500)),
    first + 1,
  );

const totalsOf = (records: ReturnType<typeof memoryRecords>) => Object.fromEntries(records.totals());

describe("a store that was away", () => {
  it("is asked with little, and given more each time it takes it", async () => {
    const server = aServer();
    server.script((_, write) => (write <= 4 ? new StoreError("unavailable", "ECONNREFUSED") : undefined));
    const { writer, records } = setUp(server);
    await writer.take(readingsFrom(0, 12_000));
    expect(server.writes).toEqual([5_000, 100, 100, 100, 100, 400, 1_600, 5_000, 4_900]);
    expect(writer.waits).toEqual([250, 500, 1_000, 2_000]);
    expect(totalsOf(records)).toEqual({ received: 12_000, stored: 12_000 });
    // The next batch begins where this one left off: at full size.
    await writer.take(readingsFrom(12_000, 5_000));
    expect(server.writes.at(-1)).toBe(5_000);
  });

  it("has nothing doubled of the large write that broke off after it was kept, though it goes on in small ones", async () => {
    const server = aServer();
    server.script((readings, write) => {
      if (write > 1) return undefined;
      server.keep(readings.slice(0, 3_333));
      return new StoreError("unavailable", "socket hang up");
    });
    const { writer, records } = setUp(server);
    await writer.take(readingsFrom(0, 9_000));
    expect(server.doubled()).toBe(0);
    expect(server.kept.size).toBe(9_000);
    expect(totalsOf(records)).toEqual({ received: 9_000, stored: 9_000 });
  });

  it("has nothing doubled when the batch is brought again after an error nobody expected", async () => {
    const server = aServer();
    server.script((readings, write) => {
      if (write !== 2) return undefined;
      server.keep(readings);
      return new TypeError("a bug");
    });
    const { writer, records } = setUp(server);
    const batch = readingsFrom(0, 9_000);
    await expect(writer.take(batch)).rejects.toThrow("a bug");
    await writer.take(batch);
    expect(server.doubled()).toBe(0);
    expect(server.kept.size).toBe(9_000);
    expect(totalsOf(records)).toEqual({ received: 9_000, stored: 9_000 });
  });

  it("is waited for as long as it asks, but asked again after an hour", async () => {
    const server = aServer();
    const asks = [7_000, 30 * 86_400_000];
    server.script(() => {
      const retryAfterMs = asks.shift();
      return retryAfterMs === undefined ? undefined : new StoreError("unavailable", "429", { retryAfterMs });
    });
    const { writer } = setUp(server);
    await writer.take(readingsFrom(0, 1));
    expect(writer.waits).toEqual([7_000, 3_600_000]);
  });

  it("is asked after half the step or more, so that many who lost it do not all come back at once", async () => {
    const server = aServer();
    server.script((_, write) => (write <= 20 ? new StoreError("unavailable", "ECONNREFUSED") : undefined));
    const shortest = setUp(server, { random: () => 0 }).writer;
    await shortest.take(readingsFrom(0, 1));
    expect(shortest.waits.slice(0, 3)).toEqual([125, 250, 500]);
    expect(Math.max(...shortest.waits)).toBe(30_000);
  });
});

describe("a store that cannot take so much", () => {
  const limited = (max: () => number) => {
    const server = aServer();
    server.script((readings) => (readings.length > max() ? new StoreError("too_large", "413") : undefined));
    return server;
  };

  it("gets halves, and from then on no more than what worked", async () => {
    const server = limited(() => 1_300);
    const { writer, records } = setUp(server);
    await writer.take(readingsFrom(0, 5_000));
    expect(server.writes).toEqual([5_000, 2_500, 1_250, 1_250, 1_250, 1_250]);
    await writer.take(readingsFrom(5_000, 5_000));
    expect(server.writes.slice(6)).toEqual([1_250, 1_250, 1_250, 1_250]);
    expect(writer.waits).toEqual([]);
    expect(totalsOf(records)).toEqual({ received: 10_000, stored: 10_000 });
  });

  it("is tried with twice as much after many that worked", () => {
    const size = createPieceSize(5_000);
    size.tooLarge(5_000);
    for (let write = 0; write < 63; write += 1) size.worked(2_500);
    expect(size.next()).toBe(2_500);
    // Small writes say nothing about the limit.
    for (let write = 0; write < 1_000; write += 1) size.worked(10);
    expect(size.next()).toBe(2_500);
    size.worked(2_500);
    size.worked(2_500);
    expect(size.next()).toBe(5_000);
  });

  it("is at fault itself when one reading is too large for it: nothing is quarantined, the operator is told", async () => {
    let max = 0;
    const server = limited(() => max);
    const healths: object[] = [];
    const { writer, records } = setUp(server, {
      sleep: async () => {
        healths.push(writer.health());
        max = 5_000;
      },
    });
    await writer.take(readingsFrom(0, 300));
    expect(healths).toMatchObject([{ state: "failed", reason: expect.stringContaining("not take even one reading") }]);
    expect(totalsOf(records)).toEqual({ received: 300, stored: 300 });
  });
});

describe("a store that refuses", () => {
  it.each([
    ["keeps the good lines, as 1.x", true],
    ["keeps none of the batch, as 2.x can", false],
  ])("and %s: one bad reading among 5,000 is found with about log2 writes", async (_, keepsGoodLines) => {
    for (const bad of [0, 1, 2_499, 2_500, 3_777, 4_999]) {
      const server = aServer({ keepsGoodLines, isBad: ({ journalSeq }) => journalSeq === bad + 1 });
      const { writer, records } = setUp(server);
      await writer.take(readingsFrom(0, 5_000));
      expect(server.writes.length).toBeLessThanOrEqual(27);
      expect(records.kept.quarantine.map(({ journalSeq, reason, detail }) => [journalSeq, reason, detail])).toEqual([
        [bad + 1, "store_refused", "The store refused it: partial write: bad line dropped=1"],
      ]);
      expect(totalsOf(records)).toEqual({ received: 5_000, stored: 4_999, store_refused: 1 });
      expect(server.kept.size).toBe(4_999);
      expect(writer.health().state).toBe("ok");
    }
  });

  it("many: a bounded number of writes, and exactly the bad ones where the good lines were kept", async () => {
    const server = aServer({ isBad: ({ journalSeq }) => journalSeq % 40 === 0 });
    const { writer, records } = setUp(server);
    await writer.take(readingsFrom(0, 20_000));
    expect(server.writes.length).toBeLessThanOrEqual(520);
    expect(records.kept.quarantine.every(({ journalSeq }) => journalSeq % 40 === 0)).toBe(true);
    expect(totalsOf(records)).toEqual({ received: 20_000, stored: 19_500, store_refused: 500 });
    expect(server.kept.size).toBe(19_500);
  });

  it("many, and keeps none of the batch: a few good ones wait in quarantine too, told why, and the books are those of the store", async () => {
    const server = aServer({ keepsGoodLines: false, isBad: ({ journalSeq }) => journalSeq % 100 === 0 });
    const { writer, records } = setUp(server);
    await writer.take(readingsFrom(0, 5_000));
    expect(server.writes.length).toBeLessThanOrEqual(515);
    const { quarantine } = records.kept;
    const innocent = quarantine.filter(({ journalSeq }) => journalSeq % 100 !== 0);
    expect(quarantine.length - innocent.length).toBe(50);
    expect(innocent.length).toBeLessThan(250);
    for (const { detail } of innocent) expect(detail).toMatch(/refused it: together with \d+ others: partial write/);
    expect(totalsOf(records)).toEqual({
      received: 5_000,
      stored: server.kept.size,
      store_refused: 5_000 - server.kept.size,
    });
  });

  it("everything: all is quarantined with its words, after no more writes than for many", async () => {
    const server = aServer({ isBad: () => true });
    const { writer, records } = setUp(server);
    await writer.take(readingsFrom(0, 20_000));
    expect(server.writes.length).toBeLessThanOrEqual(520);
    expect(totalsOf(records)).toEqual({ received: 20_000, store_refused: 20_000 });
  });

  it("and goes away in between: the search goes on where it was", async () => {
    const server = aServer({ keepsGoodLines: false, isBad: ({ journalSeq }) => journalSeq === 778 });
    server.script((_, write) => (write > 3 && write < 9 ? new StoreError("unavailable", "503") : undefined));
    const { writer, records } = setUp(server);
    await writer.take(readingsFrom(0, 5_000));
    expect(totalsOf(records)).toEqual({ received: 5_000, stored: 4_999, store_refused: 1 });
    expect([server.kept.size, server.doubled()]).toEqual([4_999, 0]);
  });
});

it("says on /metrics in which state the store is, and how much the next write takes", async () => {
  const server = aServer();
  const answers = [new StoreError("misconfigured", "401"), new StoreError("unavailable", "503")];
  server.script(() => answers.shift());
  const seen: object[] = [];
  const figuresOf = () => {
    const figures = writer.figures();
    const value = (name: string, label?: string) =>
      figures.find(
        (one) => one.name === `lamppost_store_${name}` && (!label || Object.values(one.labels!)[0] === label),
      )?.value;
    const states = ["ok", "unavailable", "misconfigured"].filter((state) => value("state", state) === 1);
    return { states, next: value("write_readings"), lag: value("lag_seconds") };
  };
  const { writer } = setUp(server, { now: () => T0 + 60_000, sleep: async () => void seen.push(figuresOf()) });
  await writer.take(readingsFrom(0, 5_000));
  expect([...seen, figuresOf()]).toEqual([
    { states: ["misconfigured"], next: 100, lag: 60 },
    { states: ["unavailable"], next: 100, lag: 60 },
    { states: ["ok"], next: 5_000, lag: 0 },
  ]);
});
