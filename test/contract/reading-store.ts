import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KINDS } from "../../model/kinds.ts";
import { METRICS_OF } from "../../model/metrics.ts";
import type { Reading } from "../../model/reading.ts";
import { createBlockReader } from "../../model/reading-block.ts";
import type { ReadingStore } from "../../store/reading-store.ts";
import { aReading, collect, T0 } from "../helpers/readings.ts";
import { correctedRollupContract } from "./corrected-rollups.ts";
import { correctionContract } from "./corrections.ts";
import { rangeContract } from "./reading-store-ranges.ts";
import { rollupContract } from "./rollups.ts";
import { scanContract } from "./scan.ts";

const DAY_MS = 86_400_000;

/** A fresh, empty place for readings; `open` may be called again after a close. */
export type StorePlace = {
  open(): Promise<ReadingStore>;
  remove(): Promise<void>;
  /** Where others may write, too: lines with a field called "foreign" each, and how many of them are there. */
  writeForeign?(lines: readonly string[]): Promise<void>;
  countForeign?(): Promise<number>;
};

/** What every home of readings must do. Run on each of them against the real thing, or what is as near as can be. */
export function readingStoreContract(
  name: string,
  makePlace: () => Promise<StorePlace>,
  server: { readonly sharesOurMemory?: boolean } = {},
): void {
  describe(`${name} keeps the contract of a reading store`, () => {
    let place: StorePlace;
    let store: ReadingStore;
    beforeEach(async () => {
      place = await makePlace();
      store = await place.open();
    });
    afterEach(async () => {
      await store.close();
      await place.remove();
    });

    it("gives back every field of a reading, with and without flags", async () => {
      const plain = aReading({ values: { pm25: 12.5, no2: 31, battery: 87 }, journalSeq: 17 });
      const flagged = aReading({
        measuredAt: T0 + 1,
        quality: { pm25: "suspect", battery: "suspect" },
        values: { pm25: 700, battery: 0 },
        imported: true,
      });
      await store.write([plain, flagged]);
      expect(await collect(store)).toEqual([plain, flagged]);
    });

    it("gives back what few readings have: an unset clock, the device's counter, values before calibration", async () => {
      const readings: Reading[] = [
        aReading({ journalSeq: 1 }),
        aReading({ measuredAt: T0 + 1, clock: true, seq: 0, journalSeq: 2 }),
        aReading({ measuredAt: T0 + 2, seq: -17, raw: { pm25: 1.25e-7 }, imported: true, journalSeq: 3 }),
        aReading({ measuredAt: T0 + 3, values: { no2: 2, pm25: 3 }, raw: { pm25: -3, no2: 1e21 }, journalSeq: 4 }),
      ];
      await store.write(readings);
      expect(await collect(store)).toEqual(readings);
      expect(await store.find("air", readings)).toEqual(readings);
      expect(await store.latest()).toEqual([readings[3]]);
      // Also in a write of thousands, which goes another way, and beside readings without them.
      const many = Array.from({ length: 5_000 }, (_, n) =>
        aReading({ measuredAt: T0 + 60_000 + n, journalSeq: 5 + n, ...(n % 3 && { seq: n, clock: true }) } as Reading),
      );
      await store.write(many);
      expect(await collect(store, { from: T0 + 60_000 })).toEqual(many);
      await store.close();
      store = await place.open();
      expect(await store.find("air", readings)).toEqual(readings);
    });

    describe("one moment in several messages", () => {
      const first = aReading({ values: { pm25: 12 }, seq: 4, journalSeq: 5 });
      const second = { ...aReading({ values: { no2: 30, pm10: 900 }, journalSeq: 7 }), part: 1 };
      const flagged: Reading = { ...second, quality: { pm10: "suspect" }, raw: { no2: 29 } };
      const later: Reading = {
        ...aReading({ values: { o3: 60 }, receivedAt: T0 + 3 * DAY_MS, journalSeq: 9 }),
        part: 2,
      };
      const other = aReading({ sensorId: "air-2", values: { no2: 1 }, journalSeq: 6 });
      const next = aReading({ measuredAt: T0 + 60_000, values: { pm25: 14 }, journalSeq: 8 });
      const joined: Reading = {
        ...first,
        values: { pm25: 12, no2: 30, pm10: 900, o3: 60 },
        quality: { pm10: "suspect" },
        raw: { no2: 29 },
      };
      const rows = [first, flagged, later];
      beforeEach(async () => {
        await store.write([first, other]);
        await store.write([flagged, next]);
        await store.write([later]);
      });

      it("is one reading for whoever reads", async () => {
        expect(await collect(store, { sensorId: "air-1" })).toEqual([joined, next]);
        expect((await collect(store)).toSorted((a, b) => a.journalSeq - b.journalSeq)).toEqual([joined, other, next]);
        expect(await store.find("air", [first])).toEqual([{ ...joined, parts: rows }]);
        expect(await store.count()).toBe(3);
        expect(await store.count({ sensorId: "air-1" })).toBe(2);
        const { seq: _, ...withoutFirst } = first;
        expect(await collect(store, { sensorId: "air-1", metrics: ["o3"] })).toMatchObject([
          { measuredAt: T0, values: { o3: 60 } },
        ]);
        expect(withoutFirst).not.toHaveProperty("part");
      });

      it("is its newest reading, before and after a restart", async () => {
        const newest = { ...next, measuredAt: T0 + 120_000 };
        await store.write([newest]);
        await store.write([{ ...newest, values: { o3: 5 }, part: 1, journalSeq: 20 }]);
        const whole = { ...newest, values: { pm25: 14, o3: 5 }, earlier: [joined] };
        expect(await store.latest({ sensorId: "air-1" })).toEqual([whole]);
        await store.close();
        store = await place.open();
        expect(await store.latest({ sensorId: "air-1" })).toEqual([whole]);
        expect((await store.newest()).get("air-1")).toBe(T0 + 120_000);
      });

      it("is counted by message for the books, and shown by message to those who keep them", async () => {
        expect(await store.countBySensor()).toEqual(new Map([["air-1", 4], ["air-2", 1]])); // biome-ignore format: a table
        expect(await store.countBySensor({ seqBefore: 8 })).toEqual(new Map([["air-1", 2], ["air-2", 1]])); // biome-ignore format: a table
        const day = Math.floor(T0 / DAY_MS) * DAY_MS;
        expect((await store.countByDay("air", T0 - DAY_MS, T0 + DAY_MS)).get("air-1")).toEqual(new Map([[day, 4]]));
        const told = await collect(store, { sensorId: "air-1", byMessage: true });
        expect(told.toSorted((a, b) => a.journalSeq - b.journalSeq)).toEqual([first, flagged, next, later]);
      });

      it("has each value once in steps, rollups and scans", async () => {
        const hour = { kind: "air", sensorId: "air-1", from: T0, to: T0 + 3_600_000, everyMs: 3_600_000 } as const;
        const once = (mean: number) => ({ mean, min: mean, max: mean, count: 1 });
        const values = { pm25: { mean: 13, min: 12, max: 14, count: 2 }, no2: once(30), o3: once(60) };
        expect(await store.aggregate(hour)).toEqual([{ start: T0, values }]);
        for (const receivedAt of [T0, T0 + 3 * DAY_MS])
          await store.rollups.compute({
            kind: "air",
            resolution: "hourly",
            receivedDay: Math.floor(receivedAt / DAY_MS) * DAY_MS,
            from: T0,
            to: T0 + 3_600_000,
          });
        expect(await store.rollups.aggregate(hour, "hourly")).toEqual([{ start: T0, resolution: "hourly", values }]);
        const read = createBlockReader();
        const scanned: Reading[] = [];
        for await (const block of store.scan({ kinds: KINDS, from: T0, to: T0 + DAY_MS })) scanned.push(...read(block));
        expect(scanned).toEqual([joined, other, next]);
      });
    });

    it("keeps every metric of every kind in one write over all kinds", async () => {
      const readings = KINDS.map((kind, index) => {
        const values = Object.fromEntries(METRICS_OF[kind].map((metric, n) => [metric, n + 0.25]));
        return aReading({ kind, sensorId: `${kind}-1`, values, journalSeq: index + 1 });
      });
      await store.write(readings);
      for (const [index, kind] of KINDS.entries()) expect(await collect(store, { kind })).toEqual([readings[index]]);
    });

    it("keeps numbers to the last bit", async () => {
      const numbers = [-1e6, -0.1, 0, 0.1 + 0.2, 1e12, 123456789.12345678, 5e-324, Number.MAX_SAFE_INTEGER];
      const readings = numbers.map((activePower, n) =>
        aReading({ kind: "energy", measuredAt: T0 + n, values: { activePower }, journalSeq: 2 ** 52 + n }),
      );
      await store.write(readings);
      expect(await collect(store, { kind: "energy" })).toEqual(readings);
    });

    it("takes the oddest legal ids", async () => {
      const ids = ["0", "a", "1--2", "null", "true", "time", "nan", "1e5", "-".padStart(64, "a"), "select"];
      const readings = ids.map((id, n) => aReading({ sensorId: id, district: id, measuredAt: T0 + n }));
      await store.write(readings);
      expect(await collect(store)).toEqual(readings);
      for (const [n, id] of ids.entries()) {
        expect(await store.latest({ sensorId: id })).toEqual([readings[n]]);
        expect(await collect(store, { sensorId: id, district: id })).toEqual([readings[n]]);
      }
    });

    it("answers with nothing when there is nothing", async () => {
      await store.write([]);
      expect(await collect(store)).toEqual([]);
      expect(await store.find("air", [{ sensorId: "air-1", measuredAt: T0 }])).toEqual([undefined]);
      expect(await store.find("air", [])).toEqual([]);
      expect(await store.newest()).toEqual(new Map());
      expect(await store.latest()).toEqual([]);
      expect(await store.count()).toBe(0);
      const hour = { kind: "air", sensorId: "air-1", from: T0, to: T0 + 3_600_000, everyMs: 60_000 } as const;
      expect(await store.aggregate(hour)).toEqual([]);
      await store.deleteBefore("air", T0);
      await store.ping();
    });

    it("finds readings by key, in the order of the keys", async () => {
      const [a, b] = [aReading(), aReading({ sensorId: "air-2", measuredAt: T0 + 5, values: { no2: -3 } })];
      const moved = aReading({ district: "south", measuredAt: T0 + 60_000, journalSeq: 9 });
      await store.write([a, b, moved, aReading({ kind: "energy", values: { voltage: 230 }, measuredAt: T0 + 5 })]);
      const absent = { sensorId: "air-1", measuredAt: T0 + 5 };
      expect(await store.find("air", [b, absent, moved, a, b])).toEqual([b, undefined, moved, a, b]);
    });

    it("finds 10,000 keys at once, near and far in time", async () => {
      const readings = Array.from({ length: 10_000 }, (_, n) =>
        aReading({ sensorId: `s-${n % 100}`, measuredAt: T0 - (n % 7) * 86_400_000 + n, journalSeq: n + 1 }),
      );
      await store.write(readings);
      const keys = readings.map((reading, n) => (n % 10 === 0 ? { ...reading, measuredAt: T0 + 1 } : reading));
      const found = await store.find("air", keys);
      expect(found).toHaveLength(10_000);
      expect(found.every((reading, n) => reading?.journalSeq === (n % 10 === 0 ? undefined : n + 1))).toBe(true);
    });

    it("knows the newest time of each sensor over kinds, and the newest reading of each kind", async () => {
      const old = aReading({ measuredAt: T0 + 1 });
      const late = aReading({ measuredAt: T0 - 9 });
      const other = aReading({ kind: "traffic", measuredAt: T0 + 2, values: { flow: 400 } });
      const second = aReading({ sensorId: "air-2", district: "south" });
      await store.write([old, other]);
      // Asked before and after: an answer kept in memory must follow the writes, and the late one must not win.
      expect(await store.newest()).toEqual(new Map([["air-1", T0 + 2]]));
      await store.write([late, second]);
      const newest = new Map(Object.entries({ "air-1": T0 + 2, "air-2": T0 }));
      expect(await store.newest()).toEqual(newest);
      expect(sorted(await store.latest())).toEqual(sorted([old, other, second]));
      expect(await store.latest({ kind: "traffic" })).toEqual([other]);
      expect(sorted(await store.latest({ sensorId: "air-1" }))).toEqual(sorted([old, other]));
      expect(await store.latest({ sensorId: "nobody" })).toEqual([]);

      await store.close();
      store = await place.open();
      expect(await store.newest()).toEqual(newest);
      expect(sorted(await store.latest())).toEqual(sorted([old, other, second]));
    });

    it("knows the newest value of every metric, of the last days, the same after a restart", async () => {
      const at = (minutes: number, values: Reading["values"], more: Partial<Reading> = {}) =>
        aReading({ measuredAt: T0 + minutes * 60_000, values, journalSeq: 10_000 + minutes, ...more });
      const gone = at(-3 * 24 * 60 - 1, { pressure: 1_000 });
      const noise = at(-2 * 24 * 60, { noise: 50, battery: 90 });
      const battery = at(-50, { battery: 87, pm25: 1 }, { quality: { battery: "suspect" }, raw: { pm25: 2 } });
      const later: Reading = { ...at(-50, { o3: 4 }), journalSeq: 20_000, part: 1 };
      const newest = at(0, { pm25: 3 });
      await store.write([noise, gone, at(-51, { battery: 88 })]);
      await store.write([newest, aReading({ sensorId: "air-2", measuredAt: T0 - 9, values: { no2: 1 } })]);
      // Late ones replace nothing that is newer, whether somebody asked before or not.
      await store.latest();
      await store.write([battery, at(-52, { battery: 12, pm25: 9 })]);
      await store.write([later]);
      const moment = { ...battery, values: { battery: 87, pm25: 1, o3: 4 } };
      const expected = { ...newest, earlier: [moment, noise] };
      expect(await store.latest({ sensorId: "air-1" })).toEqual([expected]);
      await store.close();
      store = await place.open();
      expect(await store.latest({ sensorId: "air-1" })).toEqual([expected]);
      expect((await store.latest()).length).toBe(2);
      await store.write([at(1, { pm25: 3, battery: 80 })]);
      const [after] = await store.latest({ sensorId: "air-1" });
      expect(after).toMatchObject({
        values: { battery: 80 },
        earlier: [{ values: { o3: 4 } }, { values: { noise: 50 } }],
      });
    });

    it("keeps one truth per key when the very same readings are written again", async () => {
      const batch = [aReading(), aReading({ sensorId: "air-2" })];
      await store.write(batch);
      await store.write(batch);
      expect(await store.find("air", batch)).toEqual(batch);
      expect(sorted(await store.latest())).toEqual(sorted(batch));
    });

    it("counts and deletes by time, kind by kind", async () => {
      const ages = [T0 - 2, T0 - 1, T0, T0 + 1].map((measuredAt) => aReading({ measuredAt, receivedAt: measuredAt }));
      const gone = aReading({ sensorId: "air-2", measuredAt: T0 - 1, receivedAt: T0 - 1 });
      const traffic = aReading({ kind: "traffic", measuredAt: T0 - 2, values: { flow: 1 } });
      await store.write([...ages, gone, traffic]);
      expect(await store.count()).toBe(6);
      expect(await store.count({ sensorId: "air-1" })).toBe(5);
      const past = { kind: "air", time: T0 } as const;
      expect(await store.countBySensor({ past })).toEqual(new Map(Object.entries({ "air-1": 2, "air-2": 1 })));

      expect([3, undefined]).toContain(await store.deleteBefore("air", T0));
      expect(await collect(store)).toEqual(ages.slice(2));
      expect(await store.count()).toBe(3);
      expect(await store.latest({ sensorId: "air-2" })).toEqual([]);
      expect(await store.newest()).toEqual(new Map([["air-1", T0 + 1]]));
      await store.deleteBefore("air", T0);
      expect(await store.count()).toBe(3);
    });

    it("counts by sensor, and only what came before a message", async () => {
      const air = [1, 2, 3].map((journalSeq) => aReading({ measuredAt: T0 + journalSeq, journalSeq }));
      const traffic = aReading({ kind: "traffic", values: { flow: 1 }, journalSeq: 2 });
      await store.write([...air, traffic, aReading({ sensorId: "air-2", journalSeq: 3 })]);
      const counts = async (filter?: { seqBefore: number }) => Object.fromEntries(await store.countBySensor(filter));
      expect(await counts()).toEqual({ "air-1": 4, "air-2": 1 });
      expect(await counts({ seqBefore: 3 })).toEqual({ "air-1": 3 });
      expect(await counts({ seqBefore: 1 })).toEqual({});
    });

    it("counts by sensor and day of measuring", async () => {
      const day = Math.floor(T0 / DAY_MS) * DAY_MS;
      const at = (measuredAt: number, sensorId = "air-1") => aReading({ measuredAt, sensorId });
      const odd = [at(day - 1), at(day), at(day + DAY_MS - 1), at(day + DAY_MS), at(day + 5, "air-2")];
      await store.write([...odd, aReading({ kind: "traffic", measuredAt: day, values: { flow: 1 } })]);
      const counts = await store.countByDay("air", day, day + DAY_MS + 1);
      expect(counts.get("air-1")).toEqual(
        new Map([
          [day, 2],
          [day + DAY_MS, 1],
        ]),
      );
      expect(counts.get("air-2")).toEqual(new Map([[day, 1]]));
      expect(counts.size).toBe(2);
      expect(await store.countByDay("energy", day, day + 1)).toEqual(new Map());
      const numbered = [0, 1, 8, 9, 10, 99, 100].map((journalSeq, n) =>
        aReading({ kind: "energy", values: { battery: 1 }, measuredAt: day + n, journalSeq }),
      );
      await store.write(numbered);
      const outside = async (from: number, to: number) =>
        (await store.countByDay("energy", day, day + 10, { outside: { from, to } })).get("air-1")?.get(day);
      expect([await outside(1, 9), await outside(1, 100), await outside(0, 101)]).toEqual([5, 2, undefined]);
    });

    it("leaves out metrics it is told to, and keeps the reading", async () => {
      const reading = aReading({ values: { pm25: 700, no2: 2 }, quality: { pm25: "suspect", no2: "suspect" } });
      const bare = aReading({ measuredAt: T0 + 1 });
      await store.write([reading, bare], { without: new Set(["air.pm25"]) });
      expect(await collect(store)).toEqual([
        { ...reading, values: { no2: 2 }, quality: { no2: "suspect" } },
        { ...bare, values: {} },
      ]);
      expect(await store.count()).toBe(2);
    });

    it("keeps its sentinel, if it has one, across a close", async () => {
      if (!store.sentinel) return expect(store.name).toBe("duckdb");
      expect(await store.sentinel.read()).toBeUndefined();
      await store.sentinel.write({ life: "abc1", booked: 7 });
      await store.sentinel.write({ life: "abc1", booked: 9 });
      await store.close();
      store = await place.open();
      expect(await store.sentinel!.read()).toEqual({ life: "abc1", booked: 9 });
      expect(await store.count()).toBe(0);
      const started = await store.startedAt();
      expect(started).toBeGreaterThan(Date.UTC(2020, 0, 1));
      expect(await store.startedAt()).toBe(started);
    });

    it("keeps everything across a close", async () => {
      const readings = Array.from({ length: 5_001 }, (_, n) => aReading({ measuredAt: T0 + n, journalSeq: n }));
      await store.write(readings);
      await store.close();
      store = await place.open();
      expect(await store.count({ sensorId: "air-1" })).toBe(5_001);
      expect(await collect(store)).toEqual(readings);
    });

    it("refuses calls after the close", async () => {
      await store.close();
      await expect(store.write([aReading()])).rejects.toMatchObject({ name: "StoreError", kind: "unavailable" });
      await expect(store.find("air", [aReading()])).rejects.toMatchObject({ name: "StoreError", kind: "unavailable" });
      await store.close();
    });

    it("keeps history by the day of its receipt, whatever its age", async () => {
      const today = Math.floor(T0 / DAY_MS) * DAY_MS;
      const old = (sensorId: string, receivedAt: number) =>
        aReading({ sensorId, measuredAt: today - 400 * DAY_MS, receivedAt, imported: true });
      const readings = [
        old("past", today - 3 * DAY_MS + 5),
        old("edge", today - 2 * DAY_MS - 1),
        old("kept", today - 2 * DAY_MS),
        aReading({ sensorId: "plain", measuredAt: today - 2 * DAY_MS - 1, receivedAt: today - 2 * DAY_MS - 1 }),
        aReading({ sensorId: "new", measuredAt: today - 2 * DAY_MS }),
      ];
      await store.write(readings);
      const time = today - 2 * DAY_MS;
      const gone = await store.countBySensor({ past: { kind: "air", time } });
      expect([...gone.keys()].sort()).toEqual(["edge", "past", "plain"]);
      await store.deleteBefore("air", time);
      expect([...(await store.countBySensor()).keys()].sort()).toEqual(["kept", "new"]);
      expect(await collect(store, { sensorId: "kept", from: 0 })).toEqual([readings[2]]);
      expect((await store.latest()).map(({ sensorId }) => sensorId).sort()).toEqual(["kept", "new"]);
    });

    it("reads, counts, sums up and removes nothing that others wrote to the same place", async () => {
      if (!place.writeForeign) return expect(store.name).toBe("duckdb");
      const own = [aReading({ values: { pm25: 10, no2: 1 } }), aReading({ measuredAt: T0 + 1, values: { pm25: 20 } })];
      const hour = { kind: "air", sensorId: "air-1", from: T0, to: T0 + 3_600_000, everyMs: 3_600_000 } as const;
      const day = Math.floor(T0 / DAY_MS) * DAY_MS;
      const span = { kind: "air", receivedDay: day, from: day, to: day + DAY_MS } as const;
      const answers = async () => [
        await collect(store, { from: 0 }),
        await store.find("air", own),
        await store.latest(),
        await store.newest(),
        await store.count(),
        await store.countBySensor({ seqBefore: 2 }),
        await store.countByDay("air", 0, T0 + DAY_MS),
        await store.aggregate(hour),
        await store.rollups.parts("air"),
        await store.rollups.aggregate(hour, "hourly"),
        await store.rollups.aggregate({ ...hour, from: day, to: day + DAY_MS, everyMs: DAY_MS }, "daily"),
        await store.sentinel?.read(),
      ];
      const compute = async () => {
        await store.rollups.compute({ ...span, resolution: "hourly" });
        await store.rollups.compute({ ...span, resolution: "daily" });
      };
      await store.write(own);
      await store.sentinel?.write({ life: "mine", booked: 3 });
      await compute();
      const before = await answers();
      const same = "district=north,sensorId=air-1";
      const receipt = `receipt_1a2b3c4d="${"7".padStart(16, "0")} ${T0}"`;
      const foreign = [
        `air,${same} foreign=1,pm25=900,no2=900 ${T0}`,
        `air,${same} foreign=1,pm25=901,${receipt} ${T0 + 2}`,
        `air,${same},installation=ffffffff foreign=1,pm25=902,${receipt} ${T0 + 3}`,
        `air,${same},installation=1a2b3c4d0 foreign=1,pm25=903,${receipt} ${T0 + 3}`,
        `air,${same},installation=1a2b3c4dx20200101 foreign=1,pm25=903,${receipt} ${T0 + 3}`,
        `air,sensorId=S\\ BAD,host=x foreign=1,pm25=904 ${T0 + 90_000}`,
        `air foreign=1,pm25=905 ${T0 + 90_001}`,
        `air foreign=1,sensorId="air-1",district="north",installation="1a2b3c4d",pm25=906 ${T0 + 4}`,
        `air,pm25=tagged,receipt=tagged,receipt_1a2b3c4d=tagged,no2=tagged foreign=1 ${T0 + 5}`,
        `air,sensorId=air-1,district=north foreign=1,receivedAt=1,journalSeq=1,pm25=5,pm25Suspect=1 ${T0 - 5}`,
        `air_hourly,${same} foreign=1,pm25Sum=1,pm25Min=1,pm25Max=1,pm25Count=1 ${T0}`,
        `air_daily,${same},installation=ffffffff foreign=1,pm25Sum=1,pm25Min=1,pm25Max=1,pm25Count=1 ${day}`,
        `lamppost_mark_1a2b3c4d,installation=ffffffff foreign=1,life="other",booked=99 ${Date.now()}`,
        `lamppost_probe_1a2b3c4d foreign=1 1`,
        `weather,station=x foreign=1 ${T0}`,
      ];
      await place.writeForeign(foreign);
      await store.close();
      store = await place.open();
      await compute();
      expect(await answers()).toEqual(before);
      for (const resolution of ["hourly", "daily"] as const)
        await store.rollups.deleteBefore("air", resolution, T0 + 90 * DAY_MS);
      await store.deleteBefore("air", T0 + 90 * DAY_MS);
      expect(await store.count()).toBe(0);
      expect(await place.countForeign?.()).toBe(foreign.length);
    });

    it("neither reads nor counts what has its mark and an id that no reading can have", async () => {
      if (!place.writeForeign) return expect(store.name).toBe("duckdb");
      const own = aReading({ values: { pm25: 10 } });
      const hour = { kind: "air", sensorId: "air-1", from: T0, to: T0 + 3_600_000, everyMs: 3_600_000 } as const;
      const answers = async () => [
        await collect(store, { from: 0 }),
        await store.latest(),
        await store.count(),
        await store.countBySensor(),
        await store.countBySensor({ past: { kind: "air", time: T0 + DAY_MS } }),
        await store.countByDay("air", 0, T0 + DAY_MS),
        await store.countByDay("air", 0, T0 + DAY_MS, { outside: { from: 3, to: 5 } }),
        await store.aggregate(hour),
        await store.rollups.parts("air"),
      ];
      await store.write([own]);
      const before = await answers();
      expect(before).toContain(1);
      const fields = `pm25=900,receipt_1a2b3c4d="${"7".padStart(16, "0")} ${T0}"`;
      const tags = [
        "district=north,sensorId=S\\ BAD",
        "district=No,sensorId=air-1",
        "district=north",
        "sensorId=air-1",
      ];
      await place.writeForeign(
        tags.map((some, n) => `air,installation=1a2b3c4d,${some} ${fields} ${T0 + 3_600_000 * n + 1}`),
      );
      await store.close();
      store = await place.open();
      expect(await answers()).toEqual(before);
    });

    it("is kept out by no type that others have fixed first, under any name but a metric's", async () => {
      if (!place.writeForeign) return expect(name).toBe("DuckDB"); // nobody else writes there
      await store.close();
      await place.remove();
      place = await makePlace();
      const now = Date.now();
      // Before anything of ours, in the shard that is written to.
      const odd = ['receipt=5i,life=true,booked="x",value=9i,received=1i', 'sensorId=7,district=true,installation="x"'];
      const names = ["air", "traffic", "energy", "lamppost_probe", "lamppost_mark", "lamppost"];
      await (await place.open()).close();
      await place.writeForeign!(
        names.flatMap((one) => odd.map((fields, n) => `${one},receipt=tag ${fields},foreign=1 ${now + n}`)),
      );
      store = await place.open();
      const readings = KINDS.map((kind) =>
        aReading({ kind, sensorId: `${kind}-1`, measuredAt: now, receivedAt: now, values: { battery: 9 } }),
      );
      await store.write(readings);
      await store.sentinel!.write({ life: "mine", booked: 7 });
      expect([await store.count(), await store.sentinel!.read()]).toEqual([3, { life: "mine", booked: 7 }]);
      for (const reading of readings)
        expect(await collect(store, { kind: reading.kind, from: now, to: now + 1 })).toEqual([reading]);
      await store.deleteBefore("air", now + DAY_MS);
      expect(await store.count()).toBe(2);
      expect(await place.countForeign?.()).toBe(2 * names.length);
    });

    rangeContract(() => store, server);
    scanContract(() => store);
    rollupContract(() => store);
    correctionContract(() => store);
    correctedRollupContract(
      () => store,
      async () => {
        const other = await makePlace();
        const opened = await other.open();
        return { store: opened, done: () => opened.close().then(other.remove) };
      },
    );
  });
}

const sorted = (readings: readonly Reading[]) =>
  [...readings].sort((a, b) => `${a.sensorId} ${a.kind}`.localeCompare(`${b.sensorId} ${b.kind}`));
