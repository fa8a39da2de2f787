import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createAdoption } from "../../ingest/adoption.ts";
import type { Refusals } from "../../ingest/batch-writer.ts";
import { checkLedger } from "../../ingest/ledger-check.ts";
import { SILENT } from "../../model/log.ts";
import type { Reading } from "../../model/reading.ts";
import { dateOf } from "../../model/time.ts";
import { openInfluxStore } from "../../store/influx/store.ts";
import { type ReadingStore, StoreError } from "../../store/reading-store.ts";
import { openRecords, type Records } from "../../store/records.ts";
import { aReading, collect, T0 } from "../helpers/readings.ts";
import { type Influx2, startInflux2 } from "../helpers/scripted-influx2.ts";

const DAY_MS = 86_400_000;
const RAW_DAYS = 30;
const ALL = { kind: "air", from: 0, to: Number.MAX_SAFE_INTEGER } as const;
/** The backup was made at T0, with messages 1 to 19, of which 1 to 9 were booked. */
const [POSITION, END, NOW] = [10, 20, T0 + DAY_MS];

describe("a database that lived on after the backup that was restored", () => {
  let server: Influx2;
  let folder: string;
  let records: Records;
  let store: ReadingStore;
  let lost: string[];
  let [buckets, books] = [0, 0];
  beforeAll(async () => {
    server = await startInflux2();
    server.addOrg("city");
  });
  afterAll(() => server.stop());

  beforeEach(async () => {
    const name = `bucket-${++buckets}`;
    const bucket = server.addBucket("city", name);
    server.addToken({ text: name, org: "city", read: [bucket.id], write: [bucket.id] });
    const flavour = { token: name, org: "city", bucket: name };
    const options = { url: server.url, flavour, installation: "1a2b3c4d", timeoutMs: 60_000, log: SILENT };
    store = await openInfluxStore(options);
    folder = await mkdtemp(join(tmpdir(), "lamppost-adoption-"));
    restoreBooks();
    lost = [];
  });
  /** As in the backup, with `stored` readings of its day. */
  function restoreBooks(stored = 0): void {
    records = openRecords({ path: join(folder, `${++books}.db`), now: () => NOW, log: SILENT });
    records.sensors.add({ id: "air-1", kind: "air", district: "north", tags: {}, createdAt: T0 });
    records.offsets.set("store", POSITION);
    records.storeState.set("restored", { backupAt: T0 });
    book(T0, stored);
  }

  afterEach(async () => {
    await store.close();
    records.close();
    await rm(folder, { recursive: true });
  });

  type Write = (readings: readonly Reading[]) => Promise<unknown>;
  const adoption = (write: Write = async (readings) => store.write(readings), end = END) =>
    createAdoption({
      store,
      records,
      end,
      rawDays: RAW_DAYS,
      now: () => NOW,
      log: SILENT,
      write: async (readings) => ((await write(readings)) as Refusals | undefined) ?? new Map(),
      offset: () => records.offsets.get("store")!,
      lose: (why) => void lost.push(why),
    });
  const adopt = (one = adoption()) => one.adopt(new AbortController().signal);
  const book = (day: number, count: number) =>
    records.ledger.add(
      (["received", "stored"] as const).map((outcome) => ({ day: dateOf(day), sensorId: "air-1", outcome, count })),
    );
  const verify = async (offset = POSITION) =>
    (await checkLedger({ records, store, offset: () => offset, end: () => END, now: () => NOW })).differences;
  const detail = () => records.audit.list(10).items.find(({ what }) => what === "store.adopted")?.detail;

  /** As the old life left it: booked, of the journal's copy, and later; plus history, and a sensor nobody knew. */
  async function fill(): Promise<void> {
    const at = (n: number, more: Partial<Reading> = {}) =>
      aReading({ measuredAt: T0 + n, receivedAt: T0 - 1_000 + n, journalSeq: n, ...more });
    const later = [20, 21, 22].map((n) => at(n, { receivedAt: T0 + n }));
    const history = at(23, { measuredAt: T0 - 90 * DAY_MS, receivedAt: T0 + 50, imported: true });
    const newcomer = at(24, { receivedAt: T0 + 60, sensorId: "air-9", district: "south" });
    const suspect = at(25, { receivedAt: T0 + 70, values: { pm25: 700, no2: 2 }, quality: { pm25: "suspect" } });
    await store.write([at(1), at(9), at(12), ...later, history, newcomer, suspect]);
    book(T0, 2);
  }

  it("takes over what the journal's copy does not have, and leaves all else of it as it was", async () => {
    await fill();
    const before = await collect(store, ALL);
    expect((await verify(END + 9)).length).toBeGreaterThan(0);
    await adopt();
    expect(await verify()).toEqual([]);
    expect(records.ledger.totals().get("stored")).toBe(2 + 6);
    expect(records.sensors.get("air-9")).toMatchObject({ kind: "air", district: "south" });
    expect(detail()).toMatch(/^6 readings received after the backup of 2.* taken into the books$/);
    const renumbered = before.map((one) => (one.journalSeq >= END ? { ...one, journalSeq: 0 } : one));
    expect(await collect(store, ALL)).toEqual(renumbered);
    expect([...records.storeState.counts("air", T0 - (T0 % DAY_MS))]).toEqual([
      ["air-1", 4],
      ["air-9", 1],
    ]);
    expect([records.storeState.get("restored"), lost]).toEqual([undefined, []]);
    // Done is done.
    await adopt(adoption(undefined, END + 5));
    expect(records.ledger.totals().get("stored")).toBe(8);
  });

  it("books once when it breaks off between the books and the numbers, and keeps to the first end of the journal", async () => {
    await fill();
    const away = () => Promise.reject(new StoreError("unavailable", "away"));
    await expect(adopt(adoption(away))).rejects.toThrow("away");
    expect(records.ledger.totals().get("stored")).toBe(8);
    // The next start: the journal has new messages, which are not in the store yet.
    await adopt(adoption(undefined, END + 100));
    expect(await verify()).toEqual([]);
    expect(records.ledger.totals().get("stored")).toBe(8);
    expect((await collect(store, ALL)).filter(({ journalSeq }) => journalSeq >= END)).toEqual([]);
  });

  it("takes over again, after the same backup was restored again, what an earlier restore had taken over", async () => {
    await fill();
    await store.write([aReading({ measuredAt: T0 - 5, receivedAt: T0 - 5, journalSeq: 0 })]);
    book(T0, 1);
    const ledger = () => Object.fromEntries(records.ledger.totals());
    await adopt();
    const once = ledger();
    records.close();
    restoreBooks(3);
    await adopt();
    expect(ledger()).toEqual(once);
    expect(await verify()).toEqual([]);
    expect(detail()).toMatch(/^6 readings/);
  });

  it("books as removed what retention took since, and reports the rest as missing", async () => {
    const old = T0 - (RAW_DAYS + 2) * DAY_MS;
    book(old, 6);
    book(T0, 3);
    await store.write([1, 2, 3].map((n) => aReading({ measuredAt: T0 + n, journalSeq: n })));
    await adopt();
    expect(await verify()).toEqual([]);
    expect([...records.removals.counts("readings"), detail(), lost]).toEqual([
      ["air-1", 6],
      expect.stringMatching(/^6 readings were removed for their age after/),
      [],
    ]);
    records.storeState.set("restored", { backupAt: T0 });
    book(T0, 2);
    await adopt();
    expect([records.removals.counts("readings").get("air-1"), lost.length]).toEqual([6, 1]);
  });

  it("books as removed, once, what the database is about to remove and does not take a new number for", async () => {
    await fill();
    const words = "points beyond retention policy";
    const refusing = (fails = false) =>
      adoption(async (readings) => {
        const [first, ...rest] = readings;
        await store.write(rest);
        if (fails) throw new StoreError("unavailable", "away");
        return new Map([[first!, words]]);
      });
    await expect(adopt(refusing(true))).rejects.toThrow("away");
    expect(records.removals.counts("readings").size).toBe(0);
    await adopt(refusing());
    expect(
      records.removals
        .counts("readings")
        .values()
        .reduce((sum, n) => sum + n, 0),
    ).toBe(1);
    expect(detail()).toMatch(/^1 readings are older than the database keeps .*booked as removed$/);
    expect(records.storeState.get("restored")).toBeUndefined();
    const count = records.ledger.totals().get("stored");
    await adopt(refusing());
    expect([count, records.ledger.totals().get("stored")]).toEqual([8, 8]);
    expect(records.removals.counts("readings").size).toBe(1);
  });

  it("does nothing at all where the database is as it was", async () => {
    book(T0, 2);
    await store.write([1, 12].map((n) => aReading({ measuredAt: T0 + n, journalSeq: n })));
    await store.write([aReading({ measuredAt: T0 + 2, journalSeq: 2 })]);
    await adopt(adoption(() => Promise.reject(new Error("nothing is to be written"))));
    expect([detail(), lost, records.ledger.totals().get("stored")]).toEqual([undefined, [], 2]);
  });
});
