import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createStoreWriter, type StoreWriterParts } from "../../ingest/store-writer.ts";
import { SILENT } from "../../model/log.ts";
import { openInfluxStore } from "../../store/influx/store.ts";
import { openRecords } from "../../store/records/open.ts";
import { type Influx2, startInflux2 } from "../helpers/scripted-influx2.ts";
import { aMessage, CITY, openBatch } from "./helpers.ts";
import { aJournal } from "./worker-harness.ts";

const BATCH = 50;
const ANY = /./;

/** Books, journal and the store writer with its upkeep, as in the service, on a 2.x server; nobody really sleeps. */
async function startFilling(server: Influx2) {
  const bucket = server.addBucket("city", "readings");
  server.addToken({ text: "t", org: "city", read: [bucket.id], write: [bucket.id] });
  const flavour = { token: "t", org: "city", bucket: "readings" };
  // Long for a sound server on a busy machine, short for a test with one that says nothing.
  const options = { url: server.url, flavour, installation: "1a2b3c4d", timeoutMs: 1_000, log: SILENT };
  const store = await openInfluxStore(options);
  const records = openRecords({ path: ":memory:", now: Date.now, log: SILENT });
  const journal = aJournal();
  const waits: number[] = [];
  const told: string[] = [];
  const state = { onWait(_count: number) {} };
  const parts: StoreWriterParts = {
    ...{ store, records, now: Date.now, log: SILENT, random: () => 1 },
    upkeep: {
      ...{ store, records, reader: journal.reader, context: CITY, first: () => 1, end: 1 },
      ...{ windowMs: 3_600_000, rawDays: 90 },
    },
    async sleep(ms) {
      waits.push(ms);
      told.push(...writer.health().flatMap(({ reason }) => reason ?? []));
      state.onWait(waits.length);
    },
  };
  const writer = createStoreWriter(parts);
  const { signal } = new AbortController();
  return {
    ...{ bucket, waits, told, state, records, parts, writer },
    async fill(): Promise<void> {
      const from = journal.end();
      journal.chunk(BATCH);
      // The first message once more: a duplicate, which the store has to be asked about.
      const messages = [...journal.messages.slice(from - 1), { ...journal.messages[0]!, seq: journal.end() }];
      journal.messages.push(messages.at(-1)!);
      await writer.take(openBatch(from, messages), signal);
    },
    /** One reading, received when it was measured. */
    async receive(measuredAt: number): Promise<void> {
      const from = journal.end();
      journal.messages.push(aMessage({ measuredAt, pm25: 5 }, { seq: from, receivedAt: measuredAt }));
      await writer.take(openBatch(from, journal.messages.slice(from - 1)), signal);
    },
    async stop(): Promise<void> {
      await writer.stop();
      await store.close();
      records.close();
    },
  };
}

type Fault = {
  readonly what: string;
  begin(server: Influx2): void;
  end(server: Influx2): void;
  /** What the operator is told; absent: nothing, for nothing is wrong. */
  readonly told?: RegExp;
  /** The shortest wait before the second try. */
  readonly waitMs?: number;
};

const whole = (server: Influx2) => server.trouble(undefined);
const FAULTS: readonly Fault[] = [
  {
    what: "disk full: it shows what a restart loses",
    begin(server) {
      server.state.diskFull = true;
    },
    end(server) {
      server.state.diskFull = false;
      server.restart();
    },
    told: /could not write to its log.*restart/,
  },
  { what: "disk full at a new shard", begin: (s) => s.trouble("newShard"), end: whole, told: /restart/ },
  { what: "cache at its limit", begin: (s) => s.trouble("cacheLimit"), end: whole, told: /cache-max-memory-size/ },
  { what: "its own time-out", begin: (s) => s.trouble("timeout"), end: whole, told: /timeout/ },
  { what: "busy log", begin: (s) => s.trouble("busyLog"), end: whole, told: /deadline exceeded/ },
  { what: "an error without a reason", begin: (s) => s.trouble("gzip"), end: whole, told: /internal error/ },
  { what: "a full queue, said as 400", begin: (s) => s.trouble("queueFull"), end: whole, told: /queue length/ },
  { what: "slow", begin: (s) => s.trouble("slow", ANY), end: whole },
  { what: "cut before the write", begin: (s) => s.trouble("cut"), end: whole, told: /does not answer/ },
  { what: "cut after the write", begin: (s) => s.trouble("lost"), end: whole, told: /does not answer/ },
  { what: "cut for all questions", begin: (s) => s.trouble("cut", ANY), end: whole, told: /does not answer/ },
  { what: "frozen", begin: (s) => s.trouble("frozen"), end: whole, told: /does not answer/ },
  { what: "401", begin: (s) => s.trouble("unauthorized"), end: whole, told: /INFLUX_TOKEN/, waitMs: 30_000 },
  { what: "401 for all questions", begin: (s) => s.trouble("unauthorized", ANY), end: whole, told: /INFLUX_TOKEN/ },
  { what: "403", begin: (s) => s.trouble("forbidden"), end: whole, told: /INFLUX_TOKEN|rights/, waitMs: 30_000 },
  {
    what: "429 with Retry-After",
    begin: (s) => s.trouble("rate", undefined, { "retry-after": "77" }),
    end: whole,
    told: /exceeded limited_write/,
    waitMs: 77_000,
  },
  { what: "503", begin: (s) => s.trouble("unavailable"), end: whole, told: /unavailable/ },
  {
    what: "503 with Retry-After as a date",
    begin(s) {
      s.trouble("unavailable", undefined, { "retry-after": new Date(Date.now() + 600_000).toUTCString() });
    },
    end: whole,
    told: /unavailable/,
    waitMs: 500_000,
  },
];

describe("faults of InfluxDB 2.x: nothing in quarantine, nothing lost, the books balanced", () => {
  let server: Influx2;
  beforeEach(async () => {
    server = await startInflux2();
    server.addOrg("city");
  });
  afterEach(() => server.stop());

  it.each(FAULTS)("$what", async ({ begin, end, told, waitMs = 0 }) => {
    const city = await startFilling(server);
    await city.fill();
    expect(city.waits).toEqual([]);
    begin(server);
    const tries = 3;
    city.state.onWait = (count) => {
      if (count === tries) end(server);
    };
    await city.fill();
    if (told) {
      expect(city.waits.length).toBeGreaterThanOrEqual(tries);
      expect(city.told.join(" ")).toMatch(told);
      expect(Math.min(...city.waits.slice(0, tries))).toBeGreaterThanOrEqual(waitMs);
    } else {
      expect(city.waits).toEqual([]);
      end(server);
    }
    await city.fill();
    const stored = 3 * BATCH;
    expect(Object.fromEntries(city.records.ledger.totals())).toEqual({
      ...{ received: stored + 3, stored, duplicate: 3 },
    });
    expect(city.records.quarantine.count()).toBe(0);
    expect(server.count(city.bucket, "pm25")).toBe(stored);
    // What is booked is in its log, not in its memory only.
    server.restart();
    expect(server.count(city.bucket, "pm25")).toBe(stored);
    await city.writer.tick();
    expect(city.writer.health().filter(({ state }) => state !== "ok")).toEqual([]);
    await city.stop();
  });

  it("what the bucket's own retention removes is not booked as lost", async () => {
    const city = await startFilling(server);
    const [now, day] = [Date.now(), 86_400_000];
    await city.receive(now - 8 * day);
    await city.receive(now - 3 * day);
    await city.writer.tick();
    // Somebody gives the bucket a retention while we run; nobody has told us.
    Object.assign(city.bucket, { retentionMs: 5 * day });
    const again = createStoreWriter(city.parts);
    await again.tick();
    expect(Object.fromEntries(city.records.ledger.totals())).toEqual({ received: 2, stored: 2 });
    expect(again.health().filter(({ state }) => state !== "ok")).toEqual([]);
    expect(city.records.audit.list(10).items.map(({ what }) => what)).not.toContain("store.refilled");
    await again.stop();
    await city.stop();
  });
});
