import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createShedBooks } from "../../ingest/books.ts";
import { createLedger, createPendingIndex } from "../../ingest/ledger.ts";
import { checkLedger } from "../../ingest/ledger-check.ts";
import { SILENT } from "../../model/log.ts";
import { openRecords } from "../../store/records.ts";
import { CITY, GATEWAY, T0 } from "./helpers.ts";
import { ledgerWorld } from "./ledger-world.ts";

const DAY_MS = 86_400_000;
const MOMENT = T0 - 60_000;
const reading = (pm25: number, measuredAt = MOMENT) => ({ measuredAt, pm25 });

let world: ReturnType<typeof ledgerWorld>;
beforeEach(() => {
  world = ledgerWorld();
});
afterEach(() => world.records.close());

describe("what waits in the journal", () => {
  it("is looked at once, however often it is asked for", async () => {
    const ledger = world.service();
    for (let n = 0; n < 7; n += 1) world.append(reading(n));
    await ledger.read();
    await ledger.read();
    await world.take(2);
    world.append(reading(7));
    expect(await ledger.read({ sensorId: "air-1" })).toMatchObject({ inJournal: 6, stored: 1, quarantined: 1 });
    expect(world.reads.map(([from]) => from)).toEqual([1, 4, 7, 8]);
  });

  it("is only a total when it is too much, and says so", async () => {
    const { records, offset, end } = world;
    const read = createLedger({
      ledger: records.ledger,
      offset,
      end,
      now: () => T0,
      pendingMessagesMax: 3,
      reader: { read: async (from, to) => ({ to, messages: world.journal.slice(from - 1, to - 1) }) },
    });
    for (let n = 0; n < 5; n += 1) world.append(reading(n, MOMENT + n));
    const whole = { received: 5, inJournal: 5, balanced: true, scope: "settled" };
    expect(await read({ bySensor: true })).toMatchObject({ ...whole, days: [], sensors: [] });
    expect(await read({ sensorId: "air-1" })).toMatchObject({ received: 0, scope: "settled" });
    await world.take(3);
    expect(await read({ sensorId: "air-1" })).toMatchObject({ received: 5, stored: 3, inJournal: 2, scope: "all" });
  });

  it("keeps its place beside messages that cannot be read", async () => {
    const ledger = world.service();
    for (let n = 0; n < 3; n += 1) world.append(reading(n, MOMENT + n), { topic: `city/north/air/air-${n}` });
    world.state.unreadable.add(2);
    const waiting = async () => {
      const { sensors = [] } = await ledger.read({ bySensor: true });
      return sensors.flatMap(({ sensorId, inJournal }) => (inJournal > 0 ? [sensorId] : [])).sort();
    };
    expect(await waiting()).toEqual(["", "air-0", "air-2"]);
    await world.take(1);
    expect(await waiting()).toEqual(["", "air-2"]);
    await world.take(1);
    expect(await waiting()).toEqual(["air-2"]);
  });

  it("waits its turn where two ask, and goes on after a journal that could not be read", async () => {
    let fails = true;
    const { read } = { read: async (_: number, to: number) => ({ to, messages: [] }) };
    const index = createPendingIndex(
      { read: (from, to) => (fails ? Promise.reject(new Error("no")) : read(from, to)) },
      { now: () => T0 },
    );
    const [first, second] = [index.cover(1, 3), index.cover(1, 4)];
    await expect(first).rejects.toThrow("no");
    await expect(second).rejects.toThrow("no");
    fails = false;
    expect(await index.cover(1, 4)).toBe(true);
    expect(index.tally(1, 4)).toEqual(new Map([["2026-11-21", new Map([["", 3]])]]));
  });
});

describe("the recount", () => {
  it("finds what is missing and what is too much, and is not misled by what is not booked yet", async () => {
    const { verify } = world.service();
    for (let n = 0; n < 6; n += 1) world.append(reading(n, MOMENT + n));
    world.append("noise");
    world.append(reading(1), { topic: "nowhere" });
    await world.take();
    world.append(reading(9, MOMENT + 9));
    await world.take(1, "after-write");
    expect(world.store.rows).toHaveLength(7);
    const right = { ok: true, seqBefore: 9, readings: { booked: 6, removed: 0, found: 6 } };
    expect(await verify()).toMatchObject({ ...right, quarantine: { booked: 2, removed: 0, found: 2 } });

    world.store.rows.splice(2, 1);
    world.store.rows.push({ ...world.store.rows[0]!, sensorId: "air-7" });
    expect(await verify()).toMatchObject({
      ok: false,
      differing: 2,
      differences: [
        { what: "readings", sensorId: "air-1", booked: 6, found: 5 },
        { what: "readings", sensorId: "air-7", booked: 0, found: 1 },
      ],
    });
  });

  it("counts what the server's own retention removed, and calls a difference what it cannot have removed", async () => {
    const now = Date.UTC(2026, 10, 21, 12);
    const day = (n: number) => Date.UTC(2026, 10, 21 - n);
    const records = openRecords({ path: ":memory:", now: () => now, log: SILENT });
    // Ten readings a day for forty days and two sensors, all received today.
    const days = Array.from({ length: 40 }, (_, n) => n);
    for (const sensorId of ["air-1", "air-2"]) {
      records.storeState.count(days.map((n) => ({ kind: "air", day: day(n), sensorId, count: 10 })));
      const outcomes = ["received", "stored"] as const;
      records.ledger.add(outcomes.map((outcome) => ({ day: "2026-11-21", sensorId, outcome, count: 400 })));
    }
    /** What is left of them: so many days of each, but for some readings of today. */
    async function verifyWith(keepsDays: number | undefined, left: { days: number; missing?: number; more?: number }) {
      const { missing = 0, more = 0 } = left;
      const rows = (sensorId: string) =>
        days.map((n) => (n < left.days ? 10 : 0) + (sensorId === "air-1" && n === 0 ? more - missing : 0));
      const store = {
        countBySensor: async () =>
          new Map(["air-1", "air-2"].map((id) => [id, rows(id).reduce((sum, one) => sum + one, 0)])),
        countByDay: async (kind: string, from: number, to: number) =>
          new Map(
            kind !== "air"
              ? []
              : ["air-1", "air-2"].map((id) => [
                  id,
                  new Map(rows(id).flatMap((n, i) => (day(i) >= from && day(i) < to && n > 0 ? [[day(i), n]] : []))),
                ]),
          ),
        limits: {
          known: () => undefined,
          ask: async () => ({
            keepsMs: keepsDays === undefined ? undefined : keepsDays * DAY_MS,
            noRemoval: undefined,
          }),
        },
      };
      const { ok, readings, differences } = await checkLedger({
        records,
        store,
        offset: () => 801,
        end: () => 801,
        now: () => now,
      });
      return { ok, readings, differences };
    }
    const readings = { booked: 800, removed: 0 };
    expect(await verifyWith(30, { days: 40 })).toEqual({
      ok: true,
      readings: { ...readings, found: 800 },
      differences: [],
    });
    for (const left of [29, 31, 35])
      expect(await verifyWith(30, { days: left })).toEqual({
        ok: true,
        readings: { ...readings, removedByStore: 800 - 20 * left, found: 20 * left },
        differences: [],
      });
    // One reading of today is not there, or one too many, or the bucket keeps for ever.
    const difference = (found: number) => [{ what: "readings", sensorId: "air-1", booked: 400, found }];
    expect(await verifyWith(30, { days: 31, missing: 1 })).toMatchObject({
      ok: false,
      readings: { removedByStore: 90 },
      differences: difference(309),
    });
    expect(await verifyWith(30, { days: 40, more: 1 })).toMatchObject({ ok: false, differences: difference(401) });
    expect(await verifyWith(30, { days: 20 })).toMatchObject({ ok: false, differences: [{}, {}] });
    expect(await verifyWith(undefined, { days: 39, more: 0 })).toMatchObject({ ok: false, differences: [{}, {}] });
    records.close();
  });

  it("knows what retention removed, and what it is about to remove", async () => {
    const { verify } = world.service();
    for (let n = 0; n < 4; n += 1) world.append(reading(n, MOMENT + n));
    await world.take();
    const { removals } = world.records;
    removals.plan({ kind: "air", before: MOMENT + 2, counts: new Map([["air-1", 2]]) });
    expect(await verify()).toMatchObject({ ok: true });
    world.store.rows.splice(0, 1);
    expect(await verify()).toMatchObject({ ok: true });
    world.store.rows.splice(0, 1);
    removals.settle("air", new Map([["air-1", 2]]));
    expect(await verify()).toMatchObject({ ok: true, readings: { booked: 4, removed: 2, found: 2 } });
    world.store.rows.splice(0, 1);
    expect(await verify()).toMatchObject({ ok: false });
  });

  it("counts again when retention was at work meanwhile, and gives up when it never rests", async () => {
    for (let n = 0; n < 20; n += 1) world.append(reading(n, MOMENT + n));
    await world.take();
    const { countBySensor } = world.store;
    let times = 1;
    world.store.countBySensor = async (filter) => {
      if (times-- > 0) {
        world.store.rows.pop();
        world.records.removals.add("readings", new Map([["air-1", 1]]));
      }
      return countBySensor(filter);
    };
    const { verify } = world.service();
    expect(await verify()).toMatchObject({ ok: true, readings: { removed: 1, found: 19 } });
    times = 9;
    await expect(verify()).rejects.toMatchObject({ name: "StoreError", kind: "unavailable" });
  });

  it("waits for a store that is being filled again", async () => {
    const ledger = world.service({ isWhole: () => false });
    await expect(ledger.verify()).rejects.toMatchObject({ name: "StoreError", kind: "unavailable" });
    expect(ledger.health().state).toBe("ok");
  });

  it("notices a journal that is behind the books", async () => {
    world.append(reading(1));
    await world.take();
    world.records.offsets.set("store", 5);
    expect((await world.service().verify()).differences).toEqual([{ what: "journal", booked: 4, found: 1 }]);
  });
});

describe("the trace of a reading", () => {
  it("reads the journal no further when nobody waits for it", async () => {
    for (let i = 0; i < 30; i += 1) world.append({ pm25: i });
    const left = new AbortController();
    const { reads } = world;
    const traced = world.service().trace("air-1", MOMENT, left.signal);
    left.abort(new Error("gone"));
    await expect(traced).rejects.toThrow("gone");
    expect(reads).toHaveLength(1);
  });

  const trace = (measuredAt = MOMENT, sensorId = "air-1") => world.service().trace(sensorId, measuredAt);
  const AT = new Date(MOMENT).toISOString();

  it("goes from never seen to waiting to stored, and counts its duplicates", async () => {
    expect((await trace()).sentence).toBe(
      `The reading of air-1 of ${AT} was never seen: it is in no store, no quarantine, and not in the journal.`,
    );
    world.append([reading(1, MOMENT - 1), reading(1)], { source: GATEWAY });
    world.append(reading(1), { topic: "city/north/air/air-2" });
    expect(await trace()).toMatchObject({ found: "in the journal", waiting: [{ journalSeq: 1, receivedAt: T0 }] });
    await world.take();
    world.append(reading(1));
    world.append(reading(1));
    await world.take(1);
    expect(await trace()).toEqual({
      sensorId: "air-1",
      measuredAt: MOMENT,
      found: "stored",
      quarantined: [],
      notSearched: [],
      stored: { journalSeq: 1, receivedAt: T0, store: "memory" },
      settled: [1, 3].map((journalSeq) => ({ journalSeq, receivedAt: T0 })),
      waiting: [{ journalSeq: 4, receivedAt: T0 }],
      sentence:
        `The reading of air-1 of ${AT} is stored in memory (message 1, received at ${new Date(T0).toISOString()}). ` +
        "It came once more (duplicates, as far as the journal is still on disk). One more copy waits in the journal.",
    });
  });

  it("does not count a message twice that is being stored while it looks", async () => {
    world.append(reading(1));
    const { find } = world.store;
    world.store.find = async (kind, keys) => {
      await world.take(1, "after-write");
      return find(kind, keys);
    };
    expect(await trace()).toMatchObject({ found: "stored", stored: { journalSeq: 1 }, waiting: [], settled: [] });
  });

  it("finds a conflict and a fault in quarantine", async () => {
    world.append(reading(1));
    world.append(reading(2));
    world.append([reading(1, MOMENT + 1), { measuredAt: AT, pm25: "x" }]);
    await world.take();
    const { found, quarantined, sentence } = await trace();
    expect([found, quarantined.map(({ reason, journalSeq }) => [reason, journalSeq])]).toEqual([
      "stored",
      [
        ["conflict", 2],
        ["wrong_type", 3],
      ],
    ]);
    expect(sentence).toMatch(/Another one is in quarantine: item \d+ \(conflict; message 2, .*item \d+ \(wrong_type;/);
    const future = T0 + 3_600_000;
    world.append(reading(1, future));
    await world.take();
    expect(await trace(future)).toMatchObject({ found: "quarantined", quarantined: [{ reason: "future" }] });
  });

  it("says what is past its time, and what was settled and is nowhere", async () => {
    expect((await trace(T0 - 100 * 86_400_000)).sentence).toContain("older than the 90 days");
    world.append(reading(1));
    await world.take();
    world.store.rows.length = 0;
    expect((await trace()).sentence).toMatch(/came \(message 1, .*\) and was settled, but is neither/);
  });
});

describe("names that nobody has registered", () => {
  it("have one line of the books together, however many are invented, and the books stay right", async () => {
    const ledger = world.service();
    world.append(reading(1));
    for (let n = 0; n < 300; n += 1) {
      const payload = n % 3 === 0 ? { pm25: "x" } : reading(n);
      world.append(payload, { topic: `city/north/air/ghost-${n}`, source: GATEWAY });
    }
    await world.take();
    const { sensors } = await ledger.read({ bySensor: true });
    expect(sensors).toMatchObject([
      { sensorId: "", received: 300, quarantined: 300 },
      { sensorId: "air-1", received: 1, stored: 1 },
    ]);
    // The quarantine knows them by name.
    expect(world.records.quarantine.list({ sensorId: "ghost-7" }, 10).items).toHaveLength(1);
    expect(await ledger.verify()).toMatchObject({ ok: true, quarantine: { booked: 300, found: 300 } });
    world.records.quarantine.prune(0, 100);
    expect(await ledger.verify()).toMatchObject({ ok: true, quarantine: { removed: 200, found: 100 } });
    expect([...world.records.removals.counts("quarantined").keys()]).toEqual([""]);
  });

  it("let go under pressure, too", () => {
    const { records } = world;
    const book = createShedBooks({ ...records, sensors: { get: (id) => CITY.sensor(id, 0) } }, () => T0, SILENT);
    book([
      { sensorId: "air-1", count: 2 },
      ...Array.from({ length: 50 }, (_, n) => ({ sensorId: `ghost-${n}`, count: 1 })),
    ]);
    expect(records.ledger.bySensor().map(({ sensorId, outcomes }) => [sensorId, outcomes.get("shed")])).toEqual([
      ["", 50],
      ["air-1", 2],
    ]);
  });
});
