import fc from "fast-check";
import { expect, it } from "vitest";
import {
  aBatch,
  at,
  aWriter,
  booksOf,
  type MemoryRecords,
  type MemoryStore,
  memoryRecords,
  memoryStore,
} from "./helpers.ts";

class Crash extends Error {}

/** The n-th of these points in the life of the process is where it dies. */
function deathAt(crashes: readonly number[]) {
  let passed = 0;
  return () => {
    passed += 1;
    if (crashes.includes(passed)) throw new Crash();
  };
}

/** Runs all payloads through store writers that die and are rebuilt from what is on disk, batch sizes as given. */
async function live(
  payloads: readonly unknown[],
  sizes: readonly number[],
  crashes: readonly number[],
  { store, records }: { store: MemoryStore; records: MemoryRecords },
): Promise<number> {
  const die = deathAt(crashes);
  const write = store.write;
  const tearing: MemoryStore = {
    ...store,
    async write(readings) {
      // A store that dies in the middle may keep a part, as InfluxDB does.
      const half = readings.slice(0, readings.length >> 1);
      try {
        die();
      } catch (crash) {
        store.rows.push(...half);
        throw crash;
      }
      await write(readings);
    },
  };
  let lives = 1;
  let writer = aWriter(tearing, records, { at: die });
  for (let step = 0; ; step++) {
    const from = records.kept.offsets.get("store") ?? 1;
    if (from > payloads.length) return lives;
    const size = sizes[step % sizes.length]!;
    try {
      await writer.take(aBatch(payloads.slice(from - 1, from - 1 + size), from));
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      lives += 1;
      writer = aWriter(tearing, records, { at: die });
    }
  }
}

const metrics = fc.subarray(["pm25", "pm10", "no2"] as const, { minLength: 1 });
const item = fc.record({ second: fc.nat(8), value: fc.nat(2), metrics });
const say = ({ second, value, metrics: named }: typeof item extends fc.Arbitrary<infer T> ? T : never) => ({
  measuredAt: at(second, 0).measuredAt,
  ...Object.fromEntries(named.map((metric) => [metric, value])),
});
const message = fc.oneof(
  { weight: 6, arbitrary: item.map(say) },
  {
    weight: 2,
    arbitrary: fc.array(item, { minLength: 1, maxLength: 4 }).map((all) => all.map(say)),
  },
  { weight: 1, arbitrary: fc.constantFrom("noise", { plate: "x" }, [], { pm25: null }) },
);
const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 });
const crashes = fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 8 });
const itemsOf = (payload: unknown) => (Array.isArray(payload) ? Math.max(1, payload.length) : 1);

it("books equal rows, whatever repeats, disagrees or dies", async () => {
  let died = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(message, { minLength: 1, maxLength: 25 }),
      sizes,
      crashes,
      async (payloads, cut, deaths) => {
        const world = { store: memoryStore(), records: memoryRecords() };
        died += (await live(payloads, cut, deaths, world)) - 1;
        const books = booksOf(world.store, world.records);
        expect(books.received).toBe(payloads.reduce((sum: number, one) => sum + itemsOf(one), 0));
        expect(books.received).toBe(books.stored! + books.duplicate! + books.quarantined);
        expect(books.stored).toBe(books.rows);
        // Each value of each moment once, and each message of a moment with a number of its own.
        const values = world.store.rows.flatMap((row) =>
          Object.keys(row.values).map((metric) => `${row.measuredAt} ${metric}`),
        );
        expect(new Set(values).size).toBe(values.length);
        const parts = world.store.rows.map(({ measuredAt, part = 0 }) => `${measuredAt} ${part}`);
        expect(new Set(parts).size).toBe(parts.length);
        const whole = world.records.kept.quarantine.filter(({ metric }) => metric === undefined);
        expect(whole).toHaveLength(books.quarantined);
      },
    ),
    { numRuns: 1_000 },
  );
  expect(died).toBeGreaterThan(500);
});

it("a life with crashes ends with the same books as one without", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(message, { minLength: 1, maxLength: 20 }),
      sizes,
      crashes,
      async (payloads, cut, deaths) => {
        const calm = { store: memoryStore(), records: memoryRecords() };
        const rough = { store: memoryStore(), records: memoryRecords() };
        await live(payloads, [100], [], calm);
        await live(payloads, cut, deaths, rough);
        expect(rough.records.totals()).toEqual(calm.records.totals());
        const plain = (rows: MemoryStore["rows"]) =>
          rows.map((row) => JSON.stringify([row.measuredAt, row.part, Object.entries(row.values).sort()])).sort();
        expect(plain(rough.store.rows)).toEqual(plain(calm.store.rows));
        const refused = ({ records }: typeof calm) =>
          records.kept.quarantine.map((one) => `${one.journalSeq} ${one.index} ${one.metric} ${one.reason}`).sort();
        expect(refused(rough)).toEqual(refused(calm));
      },
    ),
    { numRuns: 500 },
  );
});

it("any order and any repetition of readings gives the same set in the store", async () => {
  const seconds = fc.uniqueArray(fc.nat(60), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(seconds, fc.infiniteStream(fc.nat()), sizes, async (unique, picks, cut) => {
      const shuffled = [...unique, ...unique.filter(() => picks.next().value! % 2 === 0)]
        .map((second) => ({ second, order: picks.next().value! }))
        .sort((a, b) => a.order - b.order);
      const world = { store: memoryStore(), records: memoryRecords() };
      await live(
        shuffled.map(({ second }) => at(second, second)),
        cut,
        [],
        world,
      );
      const stored = world.store.rows.map((row) => row.values.pm25).sort((a, b) => a! - b!);
      expect(stored).toEqual([...unique].sort((a, b) => a - b));
      expect(booksOf(world.store, world.records)).toMatchObject({
        stored: unique.length,
        duplicate: shuffled.length - unique.length,
        quarantined: 0,
      });
    }),
    { numRuns: 500 },
  );
});
