import { describe, expect, it } from "vitest";
import { createPieceSize } from "../../ingest/batch-writer.ts";
import type { Reading } from "../../model/reading.ts";
import { StoreError } from "../../store/reading-store.ts";
import { aBatch, at, aWriter, memoryRecords, T0 } from "./helpers.ts";

/** A store that remembers the size of each write and what it was sent twice; `answer` scripts what it says. */
function aServer(
  options: { readonly keepsGoodLines?: boolean; readonly repeatable?: boolean; isBad?(reading: Reading): boolean } = {},
) {
  const { keepsGoodLines = true, repeatable = true, isBad = () => false } = options;
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
    repeatable,
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

  it.each([
    ["a repetition would double: has nothing doubled", false],
    ["a repetition is harmless: is sent all of it again, for what is seen of a failed write may be gone later", true],
  ])("in a large write, and where %s", async (_, repeatable) => {
    const server = aServer({ repeatable });
    server.script((readings, write) => {
      if (write > 1) return undefined;
      server.keep(readings.slice(0, 3_333));
      return new StoreError("unavailable", "socket hang up");
    });
    const { writer, records } = setUp(server);
    await writer.take(readingsFrom(0, 9_000));
    expect(server.doubled()).toBe(repeatable ? 3_333 : 0);
    expect(server.kept.size).toBe(9_000);
    expect(totalsOf(records)).toEqual({ received: 9_000, stored: 9_000 });
  });

  it.each([
    ["doubles nothing where a repetition would", false],
    ["writes all of it again where a repetition is harmless", true],
  ])("when the batch is brought again after an error nobody expected: %s", async (_, repeatable) => {
    const server = aServer({ repeatable });
    server.script((readings, write) => {
      if (write !== 2) return undefined;
      server.keep(readings);
      return new TypeError("a bug");
    });
    const { writer, records } = setUp(server);
    const batch = readingsFrom(0, 9_000);
    await expect(writer.take(batch)).rejects.toThrow("a bug");
    await writer.take(batch);
    expect(server.doubled()).toBe(repeatable ? 9_000 : 0);
    expect(server.kept.size).toBe(9_000);
    expect(totalsOf(records)).toEqual({ received: 9_000, stored: 9_000 });
  });

  it("and what a failed write left to be seen is not called stored: it is gone after a restart of the server", async () => {
    const server = aServer();
    server.script((readings, write) => {
      if (write > 1) return undefined;
      server.keep(readings);
      return new StoreError("unavailable", "no space left on device", { reason: "log_not_written" });
    });
    const healths: object[] = [];
    const { writer, records } = setUp(server, {
      sleep: async () => {
        expect(totalsOf(records)).toEqual({});
        healths.push(writer.health()[0]!);
        server.kept.clear(); // the restart
      },
    });
    await writer.take(readingsFrom(0, 300));
    expect(server.kept.size).toBe(300);
    expect(healths).toMatchObject([
      { state: "failed", reason: expect.stringMatching(/not write to its log.*restart/) },
    ]);
    expect(totalsOf(records)).toEqual({ received: 300, stored: 300 });
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
    expect(Math.max(...shortest.waits)).toBe(7_500);
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
        healths.push(writer.health()[0]!);
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
      expect(writer.health()[0]!.state).toBe("ok");
    }
  });

  it.each([true, false])(
    "many (keeps the good lines: %s): exactly those, a bounded number of writes at a time, and says so",
    async (keepsGoodLines) => {
      const server = aServer({ keepsGoodLines, isBad: ({ journalSeq }) => journalSeq % 40 === 0 });
      const writes: number[] = [];
      const reasons: (string | undefined)[] = [];
      const { writer, records } = setUp(server, {
        sleep: async (ms) => {
          expect(ms).toBe(30_000);
          writes.push(server.writes.length);
          reasons.push(writer.health()[0]!.reason);
        },
      });
      await writer.take(readingsFrom(0, 5_000));
      expect(writes.length).toBeGreaterThan(0);
      for (const [round, count] of writes.entries()) expect(count).toBeLessThanOrEqual(514 * (round + 1));
      expect(reasons[0]).toMatch(/refuses many readings at once: partial write/);
      expect(records.kept.quarantine.every(({ journalSeq }) => journalSeq % 40 === 0)).toBe(true);
      expect(totalsOf(records)).toEqual({ received: 5_000, stored: 4_875, store_refused: 125 });
      expect(server.kept.size).toBe(4_875);
      // Quarantined, and not in silence.
      expect(writer.health()[0]).toMatchObject({
        state: "degraded",
        reason: expect.stringMatching(/refused 125 readings/),
      });
    },
  );

  it("all that is too old for it, told apart by time in a few writes", async () => {
    const server = aServer();
    const edge = T0 - 3_600_000 + 1_234;
    server.script((readings) => {
      server.keep(readings.filter(({ measuredAt }) => measuredAt >= edge));
      const dropped = readings.filter(({ measuredAt }) => measuredAt < edge).length;
      if (dropped === 0) return undefined;
      return new StoreError("refused", `partial write: points beyond retention policy dropped=${dropped}`, {
        reason: "retention",
      });
    });
    const { writer, records } = setUp(server);
    await writer.take(readingsFrom(0, 5_000));
    expect(server.writes.length).toBeLessThanOrEqual(14);
    expect(server.kept.size).toBe(3_766);
    expect(totalsOf(records)).toEqual({ received: 5_000, stored: 3_766, store_refused: 1_234 });
    expect(Math.max(...records.kept.quarantine.map(({ journalSeq }) => journalSeq))).toBe(1_234);
    expect(writer.health()[0]).toMatchObject({ state: "degraded", reason: expect.stringMatching(/beyond retention/) });
  });

  it("and goes away in between: the search goes on where it was", async () => {
    const server = aServer({ keepsGoodLines: false, isBad: ({ journalSeq }) => journalSeq === 778 });
    server.script((_, write) => (write > 3 && write < 9 ? new StoreError("unavailable", "503") : undefined));
    const { writer, records } = setUp(server);
    await writer.take(readingsFrom(0, 5_000));
    expect(totalsOf(records)).toEqual({ received: 5_000, stored: 4_999, store_refused: 1 });
    expect(server.kept.size).toBe(4_999);
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
