import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createTouchedHours } from "../../ingest/books.ts";
import { type Correction, correctReading, type NewCorrection } from "../../model/correction.ts";
import { SILENT } from "../../model/log.ts";
import type { MetricName } from "../../model/metrics.ts";
import type { Reading } from "../../model/reading.ts";
import { createZone } from "../../model/zone.ts";
import { isInvalid, withCorrectedRollups } from "../../store/corrected-rollups.ts";
import { withCorrections } from "../../store/corrected-store.ts";
import { createCorrections } from "../../store/corrections.ts";
import { openDuckDbStore } from "../../store/duckdb/store.ts";
import type { Bucket, ReadingStore } from "../../store/reading-store.ts";
import { openRecords } from "../../store/records.ts";
import { withRollups } from "../../store/resolutions.ts";
import { startStorageLimits } from "../../store/retention.ts";
import { aBackground } from "../helpers/background.ts";
import { inFull } from "../helpers/in-full.ts";
import { aReading } from "../helpers/readings.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const ABOUT = { reason: "a test", by: "anna", at: 1743116400000 };

/** By hand: when days of Paris begin about both clock changes of 2025 (UTC); the last ends one. */
const CHANGES = {
  spring: ["2025-03-27T23", "2025-03-28T23", "2025-03-29T23", "2025-03-30T22", "2025-03-31T22", "2025-04-01T22"],
  autumn: ["2025-10-23T22", "2025-10-24T22", "2025-10-25T22", "2025-10-26T23", "2025-10-27T23", "2025-10-28T23"],
} as const;

describe.each(Object.entries(CHANGES))("days of the city of corrected readings, %s", (_, midnights) => {
  const days = midnights.map((time) => Date.parse(`${time}:00:00Z`));
  const [begin, end] = [days[0]!, days.at(-1)!];
  const READINGS = Array.from({ length: (end - begin) / (20 * MINUTE) }, (__, i) =>
    aReading({
      measuredAt: begin + i * 20 * MINUTE,
      values: i % 4 === 0 ? { pm25: 1 + (i % 90), no2: i % 50 } : { pm25: 1 + (i % 90) },
      journalSeq: i + 1,
    }),
  );

  describe.each([
    ["kept", end + DAY],
    // Raw readings for two days: what is asked for comes from hours.
    ["removed, hours are left", end + 20 * DAY],
  ])("readings %s", (__, then) => {
    it("are made of the hours that are in them, whatever was corrected", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(correctionIn(days), { minLength: 1, maxLength: 3 }), async (given) => {
          const sensorId = "air-1";
          let time = end + HOUR;
          const now = () => time;
          const records = openRecords({ path: ":memory:", now, log: SILENT });
          const store = await openDuckDbStore({ path: ":memory:", memoryLimit: "512MB", log: SILENT });
          const city = startCity(store, records, now);
          await city.take(READINGS);
          await city.work();
          for (const one of given) await city.correct({ ...one, sensorId });
          await city.work();
          time = then;
          await city.work();
          const active = records.corrections.active(sensorId);
          const read = READINGS.flatMap((one) => correctReading(one, active) ?? []);
          const left = then > end + 10 * DAY ? read.map((one) => withoutLeftOut(one, active)) : read;
          const asked = { kind: "air", sensorId, from: begin - 2 * DAY, to: end + 2 * DAY } as const;
          const hours = (at: number) => Math.floor(at / HOUR) * HOUR;
          const before = begin - DAY; // A day without a change.
          const dayOf = (at: number) => days.findLast((day) => day <= at) ?? (at >= before ? before : before - DAY);
          const ofDays = (at: number) => (at >= end ? end : dayOf(at));
          expect(rounded(await city.view.aggregate({ ...asked, everyMs: HOUR }))).toEqual(truth(left, hours));
          expect(rounded(await city.view.aggregate({ ...asked, everyMs: DAY }))).toEqual(truth(left, ofDays));
          await city.close();
          await store.close();
          records.close();
        }),
        { numRuns: inFull(15), examples: MET },
      );
    });
  });
});

/** Where only hours are left, one that is invalid as a whole is left out with what was moved into it. */
function withoutLeftOut(reading: Corrected, active: readonly Correction[]): Corrected {
  if (reading.movedFrom === undefined) return reading;
  const from = Math.floor(reading.measuredAt / HOUR) * HOUR;
  const invalid = active.filter(({ what }) => what === "invalid");
  const kept = Object.entries(reading.values).filter(
    ([metric]) => !isInvalid({ from, to: from + HOUR }, metric as MetricName, invalid),
  );
  return { ...reading, values: Object.fromEntries(kept) };
}

/** What is moved comes to lie where readings were left out. */
const MET: [Omit<NewCorrection, "sensorId">[]][] = [
  [
    [
      { ...ABOUT, from: 1743202800000, to: 1743289200000, what: "invalid", metrics: undefined },
      { ...ABOUT, from: 1743116400000, to: 1743202800000, what: "shift", shiftS: 1800 },
    ],
  ],
  [
    [
      { ...ABOUT, from: 1761310800000, to: 1761314400000, what: "invalid", metrics: undefined },
      { ...ABOUT, from: 1761296400000, to: 1761309000000, what: "shift", shiftS: 3600 },
    ],
  ],
];

/** Whole hours and halves, some of them the very days. */
function correctionIn(days: readonly number[]) {
  const [begin, end] = [days[0]!, days.at(-1)!];
  const halves = (end - begin) / (HOUR / 2);
  const any = fc
    .tuple(fc.integer({ min: 0, max: halves - 1 }), fc.integer({ min: 1, max: 100 }))
    .map(([from, length]) => ({ from: begin + (from * HOUR) / 2, to: begin + ((from + length) * HOUR) / 2 }));
  const day = fc.integer({ min: 0, max: days.length - 2 }).map((n) => ({ from: days[n]!, to: days[n + 1]! }));
  const what = fc.oneof(
    fc.record({ what: fc.constant("invalid" as const), metrics: fc.constantFrom(undefined, ["no2"] as const) }),
    fc.record({
      what: fc.constant("factor" as const),
      metrics: fc.constant(["pm25"] as const),
      factor: fc.constant(2),
    }),
    fc.record({ what: fc.constant("shift" as const), shiftS: fc.constantFrom(-7_200, -3_600, 3_600, 1_800) }),
  );
  const about = { reason: "a test", by: "anna", at: begin };
  return fc
    .tuple(fc.oneof(any, day), what)
    .map(([span, one]): Omit<NewCorrection, "sensorId"> => ({ ...about, ...span, ...one }));
}

function startCity(store: ReadingStore, records: ReturnType<typeof openRecords>, now: () => number) {
  const rollups = withCorrectedRollups(store, { ...records, kindOf: () => "air" });
  const corrections = createCorrections({
    store,
    records,
    rules: { reachFrom: () => undefined, changed: () => {} },
    now,
  });
  const limits = startStorageLimits({
    ...{ store: { ...store, rollups }, records, rawDays: 7, hourlyDays: 120, dailyDays: 0, held: () => false },
    ...{ background: aBackground(), now, uptime: now, log: SILENT },
  });
  return {
    view: withRollups(
      withCorrections({ ...store, rollups }, records.corrections),
      records.rollups,
      now,
      createZone("Europe/Paris"),
    ),
    async take(readings: readonly Reading[]) {
      await store.write(readings);
      const touched = createTouchedHours();
      for (const reading of readings) touched.note(reading);
      records.transaction(() => records.rollups.touch(touched.parts()));
    },
    async work() {
      for (let i = 0; i < 2; i++) await limits.retention.run();
      await limits.rollups.run();
    },
    correct: (one: NewCorrection) => corrections.add("air", one),
    close: () => limits.stop(),
  };
}

type Corrected = NonNullable<ReturnType<typeof correctReading>>;

type Row = readonly [string, ...(readonly [string, number, number, number] | undefined)[]];
const METRICS = ["pm25", "no2"] as const;

const rounded = (buckets: readonly Bucket[]): Row[] =>
  buckets.map(({ start, values }) => [
    new Date(start).toISOString(),
    ...METRICS.map((name) => {
      const one = values[name];
      return one && ([one.mean.toPrecision(9), one.min, one.max, one.count] as const);
    }),
  ]);

/** What is to be read, worked out reading by reading; of two that meet at a moment the one that was not moved counts. */
function truth(left: readonly Reading[], startOf: (at: number) => number): Row[] {
  const moments = new Map<number, Reading>();
  for (const one of left.toSorted(
    (a, b) => Number(a.movedFrom !== undefined) - Number(b.movedFrom !== undefined) || a.journalSeq - b.journalSeq,
  )) {
    const kept = moments.get(one.measuredAt);
    moments.set(one.measuredAt, kept ? { ...kept, values: { ...one.values, ...kept.values } } : one);
  }
  const steps = Map.groupBy(moments.values(), ({ measuredAt }) => startOf(measuredAt));
  const buckets = Array.from(steps, ([start, ofStep]): Bucket => {
    const values = METRICS.flatMap((name) => {
      const good = ofStep.flatMap(({ values, quality }) => (quality?.[name] ? [] : (values[name] ?? [])));
      if (good.length === 0) return [];
      const mean = good.reduce((sum, one) => sum + one, 0) / good.length;
      return [[name, { mean, min: Math.min(...good), max: Math.max(...good), count: good.length }]];
    });
    return { start, values: Object.fromEntries(values) };
  });
  return rounded(buckets.filter(({ values }) => Object.keys(values).length > 0).toSorted((a, b) => a.start - b.start));
}
