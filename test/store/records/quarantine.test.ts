import { describe, expect, it } from "vitest";
import type { MetricName } from "../../../model/metrics.ts";
import { aRejection, NOW, useRecords } from "./setup.ts";

describe("the quarantine", () => {
  const city = useRecords();
  const seqs = (filter = {}) => city.records.quarantine.list(filter, 100).items.map((one) => one.rejection.journalSeq);

  it("keeps a rejection as it is, over a restart", () => {
    const bare = { sensorId: undefined, district: undefined, kind: undefined, payload: undefined };
    city.records.quarantine.add([aRejection(), aRejection({ journalSeq: 2, ...bare })]);
    city.reopen();
    expect(city.records.quarantine.get(1)).toEqual({ id: 1, rejection: aRejection() });
    expect(city.records.quarantine.get(2)?.rejection).toEqual(aRejection({ journalSeq: 2, ...bare }));
    expect(city.records.quarantine.get(3)).toBeUndefined();
  });

  it("ignores one it has: same message, same place", () => {
    city.records.quarantine.add([aRejection(), aRejection({ detail: "again" }), aRejection({ index: 1 })]);
    city.records.quarantine.add([aRejection({ reason: "future" })]);
    expect(city.records.quarantine.count()).toBe(2);
    expect(city.records.quarantine.get(1)?.rejection.detail).toBe(aRejection().detail);
  });

  it("keeps several values of one reading beside its end, once each, out of the books of items", () => {
    const value = (metric: MetricName, change = {}) =>
      aRejection({ metric, measuredAt: NOW - 0.5, index: 3, ...change });
    const batch = [value("o3"), value("no2"), value("o3", { index: 4 }), aRejection({ index: 5 }), value("so2")];
    const conflict = aRejection({ index: 3, reason: "conflict" });
    for (let times = 0; times < 2; times += 1) city.records.quarantine.add([...batch, conflict]);
    city.reopen();
    expect(city.records.quarantine.count()).toBe(6);
    expect(city.records.quarantine.get(1)?.rejection).toEqual(value("o3"));
    expect(city.records.quarantine.list({ metric: "o3" }, 10).items.map(({ id }) => id)).toEqual([3, 1]);
    expect(city.records.quarantine.countBySensor()).toEqual(new Map([["no2-1", 2]]));
    expect(city.records.quarantine.places(1, 2)).toEqual(new Set(["1 3", "1 5"]));
    city.records.quarantine.prune(NOW + 1, 10);
    expect(city.records.removals.counts("quarantined")).toEqual(new Map([["no2-1", 2]]));
    expect(city.records.quarantine.use()).toMatchObject({ items: 0, bytes: 0 });
  });

  it("keeps 64 KiB of a payload, and nothing of personal data", () => {
    const large = new Uint8Array(64 * 1024 + 1).fill(7);
    city.records.quarantine.add([
      aRejection({ reason: "too_large", payload: large }),
      aRejection({ journalSeq: 2, reason: "personal_data" }),
    ]);
    expect(city.records.quarantine.get(1)?.rejection.payload).toEqual(large.subarray(0, 64 * 1024));
    expect(city.records.quarantine.get(2)?.rejection.payload).toBeUndefined();
  });

  it("lists newest first, filtered, without payloads", () => {
    city.records.quarantine.add([
      aRejection(),
      aRejection({ journalSeq: 2, reason: "future" }),
      aRejection({ journalSeq: 3, sensorId: "no2-2" }),
    ]);
    city.records.quarantine.markRedriven([1, 2], "mary", NOW + 5);
    expect(seqs()).toEqual([3, 2, 1]);
    expect(seqs({ reason: "future" })).toEqual([2]);
    expect(seqs({ sensorId: "no2-1" })).toEqual([2, 1]);
    expect(seqs({ redriven: true })).toEqual([2, 1]);
    expect(seqs({ redriven: false })).toEqual([3]);
    expect(seqs({ redriven: true, reason: "out_of_range" })).toEqual([1]);
    expect(city.records.quarantine.list({}, 1).items[0]?.rejection.payload).toBeUndefined();
    expect(city.records.quarantine.get(1)).toMatchObject({ redrivenAt: NOW + 5, redrivenBy: "mary" });
    expect(city.records.quarantine.get(3)?.redrivenAt).toBeUndefined();
  });

  it("pages without gap or repeat while items are added", () => {
    for (let seq = 1; seq <= 5; seq += 1) city.records.quarantine.add([aRejection({ journalSeq: seq })]);
    const first = city.records.quarantine.list({}, 2);
    city.records.quarantine.add([aRejection({ journalSeq: 6 })]);
    const second = city.records.quarantine.list({}, 2, first.next);
    const third = city.records.quarantine.list({}, 2, second.next);
    const pages = [first, second, third].map((page) => page.items.map((item) => item.id));
    expect(pages).toEqual([[5, 4], [3, 2], [1]]);
    expect(third.next).toBeUndefined();
  });

  it("is bounded by age and by number, the oldest first", () => {
    for (let seq = 1; seq <= 6; seq += 1) {
      city.records.quarantine.add([aRejection({ journalSeq: seq, receivedAt: NOW + seq })]);
    }
    expect(city.records.quarantine.prune(NOW + 3, 100)).toBe(2);
    expect(seqs()).toEqual([6, 5, 4, 3]);
    expect(city.records.quarantine.prune(0, 3)).toBe(1);
    expect(seqs()).toEqual([6, 5, 4]);
    expect(city.records.quarantine.prune(0, 3)).toBe(0);
  });
});
