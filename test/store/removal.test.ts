import { afterEach, beforeEach, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import type { Reading } from "../../model/reading.ts";
import { StoreError } from "../../store/reading-store.ts";
import { openRecords, type Records } from "../../store/records.ts";
import { removeReadings } from "../../store/retention.ts";
import { aReading, T0 } from "../helpers/readings.ts";

let records: Records;
let rows: Reading[];
beforeEach(() => {
  records = openRecords({ path: ":memory:", now: () => T0, log: SILENT });
  rows = ["a", "a", "a", "b"].map((sensorId, n) => aReading({ sensorId, measuredAt: T0 - n, receivedAt: T0 - n }));
});
afterEach(() => records.close());

/** `removes`: how many of the oldest go before the store stops answering. */
function aStore(removes = Number.POSITIVE_INFINITY) {
  return {
    async countBySensor({ past }: { past?: { time: number } } = {}) {
      const old = rows.filter(({ measuredAt }) => measuredAt < past!.time);
      return new Map(
        Map.groupBy(old, ({ sensorId }) => sensorId)
          .entries()
          .map(([id, of]) => [id, of.length]),
      );
    },
    async deleteBefore(_: string, time: number) {
      const old = rows.filter(({ measuredAt }) => measuredAt < time);
      const gone = old.slice(0, removes);
      rows = rows.filter((row) => !gone.includes(row));
      if (gone.length < old.length) throw new StoreError("unavailable", "away");
      return gone.length;
    },
  };
}

const booked = () => Object.fromEntries(records.removals.counts("readings"));
const remove = (store = aStore(), before = T0 + 1) =>
  removeReadings({ store, removals: records.removals }, "air", before);

it("books what it removed, once", async () => {
  expect([await remove(aStore(), T0), await remove(aStore(), T0), booked()]).toEqual([3, 0, { a: 2, b: 1 }]);
  expect([await remove(), booked(), records.removals.plans()]).toEqual([1, { a: 3, b: 1 }, []]);
});

it.each([0, 1, 2, 3])("is exact when the store went away after %i of 4", async (removed) => {
  await expect(remove(aStore(removed))).rejects.toThrow("away");
  expect(records.removals.plans()).toMatchObject([{ kind: "air", before: T0 + 1 }]);
  expect(booked()).toEqual({});
  rows.push(aReading({ sensorId: "c", measuredAt: T0, receivedAt: T0 }));
  expect([await remove(), booked(), rows]).toEqual([5, { a: 3, b: 1, c: 1 }, []]);
});

it("is exact when the process ended between the removal and its booking", async () => {
  const { plan, plans } = records.removals;
  const dying = {
    plan,
    plans,
    settle: () => {
      throw new Error("killed");
    },
  };
  await expect(removeReadings({ store: aStore(), removals: dying }, "air", T0 + 1)).rejects.toThrow("killed");
  expect([rows, await remove(), booked()]).toEqual([[], 4, { a: 3, b: 1 }]);
});

it("books what the quarantine let go of", () => {
  const of = (journalSeq: number, sensorId?: string) => ({
    journalSeq,
    index: 0,
    reason: "future" as const,
    detail: "",
    receivedAt: T0 + journalSeq,
    topic: "t",
    source: { via: "mqtt", role: "device", name: "x" } as const,
    ...(sensorId && { sensorId }),
  });
  const { quarantine, removals } = records;
  quarantine.add([of(1, "a"), of(2), of(3, "a"), of(4, "b"), of(5, "b")]);
  expect(quarantine.prune(T0 + 3, 1)).toBe(4);
  expect(quarantine.countBySensor()).toEqual(new Map([["b", 1]]));
  expect(Object.fromEntries(removals.counts("quarantined"))).toEqual({ "": 1, a: 2, b: 1 });
});
