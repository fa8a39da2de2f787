import fc from "fast-check";
import { expect, it } from "vitest";
import { createTouchedHours } from "../../ingest/books.ts";
import type { NewCorrection } from "../../model/correction.ts";
import { SILENT } from "../../model/log.ts";
import type { MetricName } from "../../model/metrics.ts";
import type { Reading } from "../../model/reading.ts";
import { withCorrectedRollups } from "../../store/corrected-rollups.ts";
import { withCorrections } from "../../store/corrected-store.ts";
import { createCorrections } from "../../store/corrections.ts";
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
const START = Date.UTC(2025, 0, 1);
const about = { reason: "a test", by: "anna", at: START };

/** A service's store, books and limits on a clock of our own. */
function startCity(store: ReadingStore, rawDays = 30) {
  let time = START;
  const now = () => time;
  const records = openRecords({ path: ":memory:", now, log: SILENT });
  const rollups = withCorrectedRollups(store, { ...records, kindOf: () => "air" });
  const rules = { reachFrom: () => undefined, changed: () => {} };
  const limits = startStorageLimits({
    store: { ...store, rollups },
    records,
    rawDays,
    hourlyDays: 120,
    dailyDays: 0,
    held: () => false,
    background: aBackground(),
    now,
    uptime: now,
    log: SILENT,
  });
  const corrections = createCorrections({ store, records, rules, now });
  let seq = 0;

  async function take(readings: readonly Reading[]): Promise<void> {
    const numbered = readings.map((reading) => ({ ...reading, journalSeq: ++seq }));
    await store.write(numbered);
    const touched = createTouchedHours();
    for (const reading of numbered) touched.note(reading);
    records.transaction(() => records.rollups.touch(touched.parts()));
  }

  async function goTo(later: number): Promise<void> {
    time = later;
    // The run under way began before.
    for (let i = 0; i < 2; i++) await limits.retention.run();
    await limits.rollups.run();
  }

  async function close(): Promise<void> {
    await limits.stop();
    records.close();
  }

  const view = withRollups(withCorrections({ ...store, rollups }, records.corrections), records.rollups, now);
  return {
    records,
    rollups,
    view,
    take,
    goTo,
    close,
    correct: (one: NewCorrection) => corrections.add("air", one),
    revoke: (id: number) => corrections.revoke(id, () => "air", "anna", "all was right"),
  };
}

/** Every quarter of an hour; every seventh came a day and a half late. */
const READINGS = (days: number) =>
  Array.from({ length: days * 96 }, (_, i) => {
    const measuredAt = START + i * 15 * MINUTE;
    const receivedAt = measuredAt + (i % 7 === 0 ? 1.5 * DAY : 250);
    return aReading({ measuredAt, receivedAt, values: i % 3 === 0 ? { pm25: i, no2: i / 2 } : { pm25: i } });
  });

async function gather(chunks: AsyncIterable<readonly Reading[]>): Promise<Reading[]> {
  const all: Reading[] = [];
  for await (const chunk of chunks) all.push(...chunk);
  return all;
}

const rounded = (buckets: readonly Bucket[]) =>
  buckets.map(({ start, values }) => [
    new Date(start).toISOString(),
    ...(["pm25", "no2"] as const).map((name) => {
      const one = values[name];
      return one && [one.mean.toPrecision(9), one.min, one.max, one.count];
    }),
  ]);

const ALL = { kind: "air", sensorId: "air-1", from: START - 5 * DAY, to: START + 15 * DAY } as const;

async function rollupsOf(store: ReadingStore, every = HOUR) {
  const hours = await store.rollups.aggregate({ ...ALL, everyMs: every }, "hourly");
  const days = await store.rollups.aggregate({ ...ALL, everyMs: DAY }, "daily");
  return { hours: rounded(hours), days: rounded(days) };
}

const span = fc
  .tuple(fc.integer({ min: -2, max: 4 * 24 }), fc.integer({ min: 1, max: 40 }))
  .map(([from, length]) => ({ from: START + from * 30 * MINUTE, to: START + (from + length) * 30 * MINUTE }));
const metrics = fc.constantFrom<readonly MetricName[]>(["pm25"], ["no2"], ["pm25", "no2"]);
const correction = fc
  .tuple(
    span,
    fc.oneof(
      fc.record({ what: fc.constant("invalid" as const), metrics: fc.option(metrics, { nil: undefined }) }),
      fc.record({ what: fc.constant("factor" as const), metrics, factor: fc.constantFrom(0.5, 2) }),
      fc.record({ what: fc.constant("shift" as const), shiftS: fc.constantFrom(-86_400, -3_600, -290, 60, 7_200) }),
    ),
  )
  .map(([range, what]): NewCorrection => ({ ...about, sensorId: "air-1", ...range, ...what }));

/** Takes the reading of 20:15 to the moment of one that came a day and a half late. */
const MEETS = {
  ...about,
  sensorId: "air-1",
  from: START + 19.5 * HOUR,
  to: START + 21 * HOUR,
  what: "shift" as const,
  shiftS: -3_600,
};

/** What rollups must be of readings that people correct. */
export function correctedRollupContract(
  current: () => ReadingStore,
  makeOther: () => Promise<{ store: ReadingStore; done(): Promise<void> }>,
): void {
  it("has the rollups of a service that got the right values from the start, in any order of late readings and corrections", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(correction, fc.boolean()), { minLength: 1, maxLength: 3 }),
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 3, maxLength: 8 }),
        async (given, order) => {
          const [ours, theirs] = [await makeOther(), await makeOther()];
          const city = startCity(ours.store);
          const all = READINGS(3);
          const late = all.filter((_, i) => i % 5 === 0);
          await city.take(all.filter((_, i) => i % 5 !== 0));
          await city.goTo(START + 6 * DAY);
          const left = [...given];
          const revoked: number[] = [];
          for (const step of order) {
            if (step === 0) await city.take(late.splice(0, 10).map((one) => ({ ...one, receivedAt: START + 6 * DAY })));
            else if (step === 1) await city.goTo(START + 7 * DAY);
            else if (left.length > 0) {
              const [one, isRevoked] = left.shift()!;
              const { correction: made } = await city.correct(one);
              if (isRevoked) revoked.push(made.id);
            }
          }
          for (const id of revoked) await city.revoke(id);
          await city.goTo(START + 8 * DAY);
          const right = startCity(theirs.store);
          await right.take(
            await gather(city.view.stream(ALL)).then((read) =>
              read.map(({ raw: _, marks: _1, movedFrom: _2, ...one }) => one),
            ),
          );
          await right.goTo(START + 8 * DAY);
          expect(await rollupsOf(ours.store)).toEqual(await rollupsOf(theirs.store));
          await Promise.all([city.close(), right.close()]);
          await Promise.all([ours.done(), theirs.done()]);
        },
      ),
      { numRuns: inFull(20), endOnFailure: true, examples: [[[[MEETS, true]], [1, 3, 0, 1]]] },
    );
  });

  it("has the former rollups again when everything is revoked", async () => {
    const city = startCity(current());
    await city.take(READINGS(3));
    await city.goTo(START + 6 * DAY);
    const before = await rollupsOf(current());
    const range = { ...about, sensorId: "air-1", from: START, to: START + 2 * DAY };
    await city.correct({ ...range, what: "shift", shiftS: -3 * 86_400 });
    await city.correct({ ...range, from: START + 2 * DAY, to: START + 3 * DAY, what: "invalid" });
    await city.goTo(START + 7 * DAY);
    expect((await rollupsOf(current())).days.map(([day]) => day)).toEqual([
      "2024-12-29T00:00:00.000Z",
      "2024-12-30T00:00:00.000Z",
    ]);
    for (const id of [1, 2]) await city.revoke(id);
    await city.goTo(START + 8 * DAY);
    expect(await rollupsOf(current())).toEqual(before);
    await city.close();
  });

  it("leaves whole hours and days out where nothing but their rollups is left, and takes them back", async () => {
    const city = startCity(current(), 5);
    await city.take(READINGS(3));
    await city.goTo(START + 12 * DAY);
    expect(await gather(current().stream(ALL))).toEqual([]);
    const ask = async () => ({
      hours: rounded(await city.view.aggregate({ ...ALL, everyMs: HOUR })),
      days: rounded(await city.view.aggregate({ ...ALL, everyMs: DAY })),
    });
    const before = await ask();
    expect(before.hours).toHaveLength(72);
    const range = { from: START + 3 * HOUR, to: START + 6.5 * HOUR };
    const made = await city.correct({ ...about, sensorId: "air-1", ...range, what: "invalid", metrics: ["pm25"] });
    expect(made.effect).toMatchObject({ readings: 0, hours: 3 });
    await city.goTo(START + 13 * DAY);
    const after = await ask();
    const gone = after.hours.filter(([, pm25]) => pm25 === undefined).map(([start]) => start);
    expect(gone).toEqual([3, 4, 5].map((hour) => new Date(START + hour * HOUR).toISOString()));
    expect((after.days[0]![1] as unknown[])[3]).toBe(96 - 12);
    expect(after.days.slice(1)).toEqual(before.days.slice(1));
    await expect(
      city.correct({ ...about, sensorId: "air-1", ...range, what: "factor", factor: 2, metrics: ["pm25"] }),
    ).rejects.toThrow("no longer kept");
    expect((await city.revoke(1))?.effect).toMatchObject({ hours: 3, notes: [expect.stringContaining("rules")] });
    await city.goTo(START + 14 * DAY);
    expect(await ask()).toEqual(before);
    await city.close();
  });

  it("says what revoking does not bring back: hours computed with it, of readings that are gone", async () => {
    const city = startCity(current(), 5);
    await city.take(READINGS(4));
    await city.goTo(START + 4 * DAY);
    const range = { ...about, sensorId: "air-1", from: START, to: START + 6 * HOUR };
    const factor = { what: "factor", factor: 2, metrics: ["pm25"] } as const;
    for (const one of [{ what: "shift", shiftS: 60 }, { what: "invalid", metrics: ["no2"] }, factor] as const) {
      await city.correct({ ...range, ...one });
    }
    await city.correct({ ...range, ...factor, to: START + 4 * DAY, factor: 0.5 });
    await city.goTo(START + 7 * DAY);
    for (const id of [1, 2, 3]) {
      await expect(city.revoke(id)).rejects.toThrow(
        /^The hours and days of 2025-01-01T00:00:00.000Z to 2025-01-01T06:.* cannot be brought back.$/,
      );
    }
    const revoked = await city.revoke(4);
    expect(revoked?.effect?.notes[0]).toBe(
      "The hours and days of 2025-01-01T00:00:00.000Z to 2025-01-03T00:00:00.000Z were computed with this correction, and their readings are no longer kept: they stay as they are.",
    );
    await city.close();
  });
}
