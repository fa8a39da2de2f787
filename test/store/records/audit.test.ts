import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NOW, useRecords } from "./setup.ts";

describe("the audit log", () => {
  const city = useRecords();

  function fill(entries: number): void {
    for (let n = 1; n <= entries; n += 1) {
      city.records.audit.add({ at: NOW + n, by: "mary", what: "device.add", target: `no2-${n}` });
    }
  }

  /** What someone with access to the file could do. */
  function tamper(sql: string): void {
    city.records.close();
    const db = new DatabaseSync(city.path());
    db.exec(sql);
    db.close();
    city.reopen();
  }

  it("lists newest first, in pages", () => {
    fill(3);
    city.records.audit.add({ at: NOW, by: "mary", what: "alert.comment", target: "a-1", detail: "seen" });
    const first = city.records.audit.list(2);
    expect(first.items.map((entry) => [entry.id, entry.target, entry.detail])).toEqual([
      [4, "a-1", "seen"],
      [3, "no2-3", undefined],
    ]);
    fill(1);
    const second = city.records.audit.list(2, first.next);
    expect(second.items.map((entry) => entry.id)).toEqual([2, 1]);
    expect(second.next).toBeUndefined();
  });

  it("is chained by SHA-256 from a fixed beginning", () => {
    fill(2);
    const [second, first] = city.records.audit.list(2).items;
    const hash = (before: string, text: string) =>
      createHash("sha256")
        .update(before + text)
        .digest("hex");
    expect(first?.hash).toBe(hash("0".repeat(64), `[1,${NOW + 1},"mary","device.add","no2-1",null]`));
    expect(second?.hash).toBe(hash(first!.hash, `[2,${NOW + 2},"mary","device.add","no2-2",null]`));
  });

  it("is whole when empty, after a restart, and over many pages of rows", () => {
    expect(city.records.audit.verify()).toEqual({ entries: 0 });
    city.records.transaction(() => fill(2_500));
    city.reopen();
    expect(city.records.audit.verify()).toEqual({ entries: 2_500 });
  });

  it.each([
    ["a changed entry", "UPDATE audit SET by_whom = 'john' WHERE id = 3", { entries: 5, brokenAt: 3 }],
    ["a changed detail", "UPDATE audit SET detail = '' WHERE id = 2", { entries: 5, brokenAt: 2 }],
    ["a changed hash", "UPDATE audit SET hash = 'x' WHERE id = 5", { entries: 5, brokenAt: 5 }],
    ["a removed entry", "DELETE FROM audit WHERE id = 2", { entries: 4, brokenAt: 3 }],
    ["a removed beginning", "DELETE FROM audit WHERE id = 1", { entries: 4, brokenAt: 2 }],
    ["a removed end", "DELETE FROM audit WHERE id = 5", { entries: 4, brokenAt: 5 }],
    ["everything removed", "DELETE FROM audit", { entries: 0, brokenAt: 1 }],
    ["swapped entries", "UPDATE audit SET target = 'no2-' || (7 - id) WHERE id IN (3, 4)", { entries: 5, brokenAt: 3 }],
  ])("shows %s", (_, sql, expected) => {
    fill(5);
    tamper(sql);
    expect(city.records.audit.verify()).toEqual(expected);
  });

  it("still shows a removed end after new entries", () => {
    fill(3);
    tamper("DELETE FROM audit WHERE id = 3");
    fill(2);
    expect(city.records.audit.verify()).toEqual({ entries: 4, brokenAt: 4 });
  });

  it("goes on from the last committed entry after a failed transaction", () => {
    const { audit, transaction } = city.records;
    fill(1);
    const work = () => {
      fill(2);
      throw new Error("no");
    };
    expect(() => transaction(work)).toThrow("no");
    fill(1);
    expect(audit.verify()).toEqual({ entries: 2 });
    expect(audit.list(1).items[0]?.id).toBe(2);
  });

  it("stays whole with any text, lone surrogates and zeros included", () => {
    const text = fc.string({ unit: "binary" });
    const any = fc.oneof(text, fc.constantFrom("\ud800", "a\0b", "'\"--", "\ufeff"));
    fc.assert(
      fc.property(any, any, any, fc.option(any, { nil: undefined }), (by, what, target, detail) => {
        city.records.audit.add({ at: NOW, by, what, target, detail });
        expect(city.records.audit.verify().brokenAt).toBeUndefined();
      }),
      { numRuns: 50 },
    );
  });
});
