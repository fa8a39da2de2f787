import fc from "fast-check";
import { expect, it } from "vitest";
import { type Correction, correctReading, type NewCorrection } from "../../model/correction.ts";
import { SILENT } from "../../model/log.ts";
import type { MetricName } from "../../model/metrics.ts";
import { momentsOf } from "../../model/newest.ts";
import type { Reading } from "../../model/reading.ts";
import { createBlockReader } from "../../model/reading-block.ts";
import { withCorrections } from "../../store/corrected-store.ts";
import type { Bucket, ReadingStore } from "../../store/reading-store.ts";
import { openRecords } from "../../store/records.ts";
import { inFull } from "../helpers/in-full.ts";
import { aReading, T0 } from "../helpers/readings.ts";

const MINUTE = 60_000;
const HOURS = 6;
const END = T0 + HOURS * 60 * MINUTE;
const SENSORS = ["air-1", "air-2", "air-3"];
const WIDE = { kind: "air", from: T0 - 86_400_000, to: END + 86_400_000 } as const;

/** Every five minutes, of two metrics, one of which is suspect now and then. */
const STORED = SENSORS.flatMap((sensorId, s) =>
  Array.from({ length: (HOURS * 60) / 5 }, (_, i) => {
    const journalSeq = s * 1_000 + i + 1;
    const values = i % 7 === 0 ? { no2: i } : { pm25: 10 + i, no2: i };
    const quality = i % 11 === 0 ? { quality: { no2: "suspect" as const } } : {};
    return aReading({ sensorId, measuredAt: T0 + i * 5 * MINUTE, values, journalSeq, ...quality });
  }),
);

const span = fc
  .tuple(fc.integer({ min: -30, max: HOURS * 60 }), fc.integer({ min: 1, max: 200 }))
  .map(([from, length]) => ({ from: T0 + from * MINUTE, to: T0 + (from + length) * MINUTE }));
const metrics = fc.constantFrom<readonly MetricName[]>(["pm25"], ["no2"], ["pm25", "no2"]);
const change = fc.oneof(
  fc.record({ what: fc.constant("invalid" as const), metrics: fc.option(metrics, { nil: undefined }) }),
  fc.record({ what: fc.constant("value" as const), metrics, value: fc.integer({ min: 0, max: 90 }) }),
  fc.record({
    what: fc.constant("factor" as const),
    metrics,
    factor: fc.constantFrom(0.1, 2, 40),
    offset: fc.constantFrom(0, 3),
  }),
  fc.record({ what: fc.constant("shift" as const), shiftS: fc.constantFrom(-7_200, -3_600, -290, 60, 300, 3_600) }),
);
const about = { reason: "a test", by: "anna", at: T0 };
const correction = fc
  .tuple(fc.constantFrom("air-1", "air-2"), span, change)
  .map(([sensorId, range, what]): NewCorrection => ({ ...about, sensorId, ...range, ...what }));

/** What is to be read, worked out reading by reading. */
function truth(corrections: readonly Correction[], withInvalid = false): Reading[] {
  const read = STORED.flatMap(
    (one) =>
      correctReading(
        one,
        corrections.filter(({ sensorId }) => sensorId === one.sensorId),
        withInvalid,
      ) ?? [],
  );
  const moments = Map.groupBy(read, ({ sensorId, measuredAt }) => `${sensorId} ${measuredAt}`);
  return Array.from(moments.values(), ([...ofOne]) => {
    ofOne.sort(
      (a, b) => Number(a.movedFrom !== undefined) - Number(b.movedFrom !== undefined) || a.journalSeq - b.journalSeq,
    );
    const values = Object.assign({}, ...ofOne.toReversed().map((one) => one.values));
    return { ...ofOne[0]!, values };
  }).sort((a, b) => a.measuredAt - b.measuredAt || a.journalSeq - b.journalSeq);
}

const plain = ({ sensorId, measuredAt, values }: Reading) => `${sensorId} ${measuredAt} ${values.pm25} ${values.no2}`;

async function gather<T>(chunks: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const chunk of chunks) all.push(...chunk);
  return all;
}

/** What a store must answer through corrections. */
export function correctionContract(getStore: () => ReadingStore): void {
  async function withSome(
    given: readonly NewCorrection[],
    work: (read: ReadingStore, all: readonly Correction[]) => Promise<void>,
  ) {
    const records = openRecords({ path: ":memory:", now: () => T0, log: SILENT });
    const all = given.map((one) => records.corrections.add(one));
    await work(withCorrections(getStore(), records.corrections), all);
    records.close();
  }

  it("reads what corrections leave, whatever they are and however they overlap", async () => {
    await getStore().write(STORED);
    await fc.assert(
      fc.asyncProperty(
        fc.array(correction, { minLength: 1, maxLength: 5 }),
        span,
        fc.boolean(),
        (given, range, withInvalid) =>
          withSome(given, async (read, all) => {
            const expected = truth(all, withInvalid);
            for (const sensorId of SENSORS) {
              const own = expected.filter((one) => one.sensorId === sensorId);
              expect((await gather(read.stream({ ...WIDE, sensorId, withInvalid }))).map(plain)).toEqual(
                own.map(plain),
              );
              const inRange = own.filter(({ measuredAt }) => measuredAt >= range.from && measuredAt < range.to);
              const answer = await gather(read.stream({ ...WIDE, ...range, sensorId, withInvalid }));
              expect(answer.map(plain)).toEqual(inRange.map(plain));
            }
          }),
      ),
      { numRuns: inFull(60) },
    );
  });

  it("reads the same of all sensors at once, in steps and as blocks", async () => {
    await getStore().write(STORED);
    await fc.assert(
      fc.asyncProperty(fc.array(correction, { minLength: 1, maxLength: 4 }), span, (given, range) =>
        withSome(given, async (read, all) => {
          const expected = truth(all).filter(({ measuredAt }) => measuredAt >= range.from && measuredAt < range.to);
          const blocks = createBlockReader();
          const scanned: string[] = [];
          for await (const block of read.scan({ kinds: ["air", "traffic"], ...range }))
            scanned.push(...blocks(block).map(plain));
          expect(scanned.toSorted()).toEqual(expected.map(plain).toSorted());
          const times = (rows: readonly string[]) => rows.map((row) => Number(row.split(" ")[1]));
          expect(times(scanned)).toEqual(times(scanned).toSorted((a, b) => a - b));
          const streamed = await gather(read.stream({ ...WIDE, ...range }));
          expect(streamed.map(plain).toSorted()).toEqual(expected.map(plain).toSorted());
          for (const sensorId of SENSORS) {
            const buckets = await read.aggregate({ ...WIDE, ...range, sensorId, everyMs: 15 * MINUTE });
            const own = expected.filter((one) => one.sensorId === sensorId);
            expect(buckets.map(rounded)).toEqual(bucketsOf(own, 15 * MINUTE).map(rounded));
          }
        }),
      ),
      { numRuns: inFull(40) },
    );
  });

  it("knows the newest of what is left", async () => {
    await getStore().write(STORED);
    await fc.assert(
      fc.asyncProperty(fc.array(correction, { minLength: 1, maxLength: 4 }), (given) =>
        withSome(given, async (read, all) => {
          const expected = SENSORS.map((id) => truth(all).findLast(({ sensorId }) => sensorId === id));
          const found = await read.latest();
          expect(found.map(plain).toSorted()).toEqual(expected.flatMap((one) => (one ? plain(one) : [])).toSorted());
        }),
      ),
      { numRuns: inFull(40) },
    );
  });

  it("knows the newest value of every metric that is left, before and after a correction is revoked", async () => {
    const at = (minutes: number, values: Reading["values"]) =>
      aReading({ measuredAt: T0 + minutes * MINUTE, values, journalSeq: 10_000 + minutes });
    await getStore().write([
      at(0, { battery: 90 }),
      ...Array.from({ length: 300 }, (_, i) => at(i + 1, { pm25: i + 1, ...(i % 100 === 50 && { battery: 80 - i }) })),
    ]);
    const newest = async (read: ReadingStore) => {
      const [found] = await read.latest({ sensorId: "air-1" });
      return found && momentsOf(found).map(({ measuredAt, values }) => [(measuredAt - T0) / MINUTE, values]);
    };
    const span = (from: number, to: number) => ({ from: T0 + from * MINUTE, to: T0 + to * MINUTE });
    const invalid = { ...about, sensorId: "air-1", what: "invalid" } as const;
    expect(await newest(getStore())).toEqual([[300, { pm25: 300 }], [251, { pm25: 251, battery: -170 }]]); // biome-ignore format: a table
    const battery = [{ ...invalid, ...span(60, 290), metrics: ["battery"] }] as const;
    await withSome(
      battery,
      async (read) =>
      expect(await newest(read)).toEqual([[300, { pm25: 300 }], [51, { pm25: 51, battery: 30 }]]), // biome-ignore format: a table
    );
    await withSome(
      [...battery, { ...invalid, ...span(200, 310) }],
      async (read) =>
      expect(await newest(read)).toEqual([[199, { pm25: 199 }], [51, { pm25: 51, battery: 30 }]]), // biome-ignore format: a table
    );
    await withSome(
      [{ ...about, sensorId: "air-1", what: "shift", shiftS: 6_000, ...span(200, 260) }],
      async (read) =>
      expect(await newest(read)).toEqual([[359, { pm25: 259 }], [351, { pm25: 251, battery: -170 }]]), // biome-ignore format: a table
    );
    await withSome([{ ...invalid, ...span(-10, 310) }], async (read) => expect(await newest(read)).toBeUndefined());
  });

  it("answers as before once they are revoked, byte for byte", async () => {
    await getStore().write(STORED);
    const records = openRecords({ path: ":memory:", now: () => T0, log: SILENT });
    const read = withCorrections(getStore(), records.corrections);
    const ask = async () =>
      JSON.stringify([
        await gather(read.stream({ ...WIDE, sensorId: "air-1" })),
        await read.aggregate({ ...WIDE, sensorId: "air-1", everyMs: 60 * MINUTE }),
        await read.latest(),
      ]);
    const before = await ask();
    const range = { sensorId: "air-1", from: T0, to: END };
    records.corrections.add({ ...about, ...range, what: "shift", shiftS: 60 });
    records.corrections.add({ ...about, ...range, what: "factor", factor: 3, metrics: ["pm25"] });
    expect(await ask()).not.toBe(before);
    for (const id of [1, 2]) records.corrections.revoke(id, T0, "anna", "all was right");
    expect(await ask()).toBe(before);
    records.close();
  });
}

/** Good values only, one by one. */
function bucketsOf(readings: readonly Reading[], everyMs: number): Bucket[] {
  const steps = Map.groupBy(readings, ({ measuredAt }) => Math.floor(measuredAt / everyMs) * everyMs);
  return Array.from(steps, ([start, ofStep]) => {
    const found = (["pm25", "no2"] as const).flatMap((name) => {
      const good = ofStep.flatMap(({ values, quality }) => (quality?.[name] ? [] : (values[name] ?? [])));
      if (good.length === 0) return [];
      const mean = good.reduce((sum, one) => sum + one, 0) / good.length;
      return [[name, { mean, min: Math.min(...good), max: Math.max(...good), count: good.length }]];
    });
    return { start, values: Object.fromEntries(found) as Bucket["values"] };
  }).filter(({ values }) => Object.keys(values).length > 0);
}

const rounded = ({ start, values }: Bucket) => [
  start,
  ...(["pm25", "no2"] as const).map((name) => {
    const one = values[name];
    return one && [one.mean.toPrecision(9), one.min, one.max, one.count];
  }),
];
