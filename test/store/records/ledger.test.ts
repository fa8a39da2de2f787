import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LedgerFigure, LedgerOutcome, LedgerRow } from "../../../model/ledger.ts";
import { REASON_NAMES } from "../../../model/rejection.ts";
import { useRecords } from "./setup.ts";

const row = (day: string, sensorId: string, outcome: LedgerOutcome, count: number): LedgerRow => ({
  day,
  sensorId,
  outcome,
  count,
});
const ROWS = [
  row("2026-11-20", "a", "received", 5),
  row("2026-11-20", "a", "stored", 4),
  row("2026-11-20", "a", "future", 1),
  row("2026-11-21", "a", "received", 2),
  row("2026-11-21", "a", "stored", 2),
  row("2026-11-21", "", "received", 3),
  row("2026-11-21", "", "unknown_topic", 3),
];

describe("the ledger", () => {
  const city = useRecords();

  it("adds up, over calls and restarts", () => {
    city.records.ledger.add(ROWS);
    city.reopen();
    city.records.ledger.add([...ROWS, ...ROWS]);
    expect(city.records.ledger.totals()).toEqual(
      new Map([
        ["future", 3],
        ["received", 30],
        ["stored", 18],
        ["unknown_topic", 9],
      ]),
    );
  });

  it("answers for a day, for sensors, for both", () => {
    const { ledger } = city.records;
    ledger.add(ROWS);
    const of = (filter: object) => Object.fromEntries(ledger.totals(filter));
    expect(of({ day: "2026-11-21" })).toEqual({ received: 5, stored: 2, unknown_topic: 3 });
    expect(of({ sensors: ["a"] })).toEqual({ received: 7, stored: 6, future: 1 });
    expect(of({ sensors: ["a", ""], day: "2026-11-21" })).toEqual({ received: 5, stored: 2, unknown_topic: 3 });
    expect(of({ sensors: [] })).toEqual({});
  });

  it("groups by day, newest first, and by sensor", () => {
    const { ledger } = city.records;
    ledger.add(ROWS);
    expect(ledger.byDay(1)).toEqual([
      { day: "2026-11-21", outcomes: new Map(Object.entries({ received: 5, stored: 2, unknown_topic: 3 })) },
    ]);
    expect(ledger.byDay(10).map((one) => one.day)).toEqual(["2026-11-21", "2026-11-20"]);
    expect(ledger.bySensor("2026-11-20")).toEqual([
      { sensorId: "a", outcomes: new Map(Object.entries({ future: 1, received: 5, stored: 4 })) },
    ]);
    expect(ledger.bySensor().map((one) => one.sensorId)).toEqual(["", "a"]);
  });

  it("takes nothing from a failed transaction, offset and quarantine included", () => {
    const { ledger, offsets, transaction } = city.records;
    offsets.set("store", 7);
    const work = () => {
      ledger.add(ROWS);
      offsets.set("store", 8);
      throw new Error("no");
    };
    expect(() => transaction(work)).toThrow("no");
    expect([ledger.totals().size, ledger.bySensor(), offsets.get("store")]).toEqual([0, [], 7]);
  });

  it("finds where it contradicts itself", () => {
    const { ledger } = city.records;
    ledger.add([...ROWS, row("2026-11-21", "a", "shed", 4), row("2026-11-21", "", "lost", 1)]);
    const mistakes = () => ledger.days().flatMap((day) => ledger.mistakes(day, 10));
    expect(ledger.days()).toEqual(["2026-11-21", "2026-11-20"]);
    expect([mistakes(), ledger.imbalance()]).toEqual([[], 0]);
    ledger.add([row("2026-11-20", "a", "stored", 2), row("2026-11-21", "b", "received", 1)]);
    expect(mistakes()).toEqual([
      { what: "identity", day: "2026-11-21", sensorId: "b", booked: 1, found: 0 },
      { what: "identity", day: "2026-11-20", sensorId: "a", booked: 5, found: 7 },
    ]);
    expect([ledger.imbalance(), ledger.mistakes("2026-11-20", 0)]).toEqual([3, []]);
    const db = new DatabaseSync(city.path());
    db.exec("UPDATE ledger SET count = count + 1 WHERE sensor = '' AND outcome = 'unknown_topic'");
    db.close();
    expect(mistakes()).toContainEqual({ what: "sums", day: "2026-11-21", booked: 3, found: 4 });
  });

  it("says the same of days, sensors and the whole, whatever was booked", () => {
    const { ledger } = city.records;
    const rows = fc.record({
      day: fc.constantFrom("2026-11-19", "2026-11-20", "2026-11-21"),
      sensorId: fc.constantFrom("", "a", "b", "c"),
      outcome: fc.constantFrom<LedgerOutcome>("received", "stored", "duplicate", ...REASON_NAMES),
      count: fc.integer({ min: 1, max: 1_000 }),
    });
    const sum = (groups: readonly { outcomes: ReadonlyMap<LedgerFigure, number> }[]) => {
      const all: Record<string, number> = {};
      for (const { outcomes } of groups) for (const [name, n] of outcomes) all[name] = (all[name] ?? 0) + n;
      return all;
    };
    fc.assert(
      fc.property(fc.array(rows, { maxLength: 50 }), (batch) => {
        ledger.add(batch);
        const whole = Object.fromEntries(ledger.totals());
        expect(sum(ledger.byDay(10))).toEqual(whole);
        expect(sum(ledger.bySensor())).toEqual(whole);
        expect(Object.fromEntries(ledger.totals({ sensors: ["", "a", "b", "c"] }))).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });
});
