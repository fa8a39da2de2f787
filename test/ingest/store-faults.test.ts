import { readdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createStoreWriter, type StoreWriterParts } from "../../ingest/store-writer.ts";
import { SILENT } from "../../model/log.ts";
import { type InfluxOptions, openInfluxStore } from "../../store/influx/store.ts";
import { openRecords, type Records } from "../../store/records.ts";
import { type InfluxServer, startInfluxd } from "../helpers/influxd.ts";
import { needs } from "../helpers/needs.ts";
import { type FaultyProxy, type Mischief, startProxy } from "../helpers/proxy.ts";
import { type Influx2, startInflux2 } from "../helpers/scripted-influx2.ts";
import { aMessage, CITY, openBatch } from "./helpers.ts";
import { aJournal } from "./worker-harness.ts";

const BATCH = 50;
const ANY = /./;

/** Books, journal and the store writer with its upkeep, as in the service; nobody really sleeps. */
async function startFilling(where: Pick<InfluxOptions, "url" | "flavour">, timeoutMs = 60_000) {
  const store = await openInfluxStore({ ...where, installation: "1a2b3c4d", timeoutMs, log: SILENT });
  const records = openRecords({ path: ":memory:", now: Date.now, log: SILENT });
  const journal = aJournal();
  const waits: number[] = [];
  const told: string[] = [];
  const state = { async onWait(_count: number): Promise<void> {}, aheadMs: 0 };
  const parts: StoreWriterParts = {
    store,
    records,
    now: () => Date.now() + state.aheadMs,
    log: SILENT,
    random: () => 1,
    upkeep: {
      store,
      records,
      reader: journal.reader,
      context: CITY,
      first: () => 1,
      end: 1,
      windowMs: 3_600_000,
      rawDays: 90,
      settled: Date.now,
    },
    async sleep(ms) {
      waits.push(ms);
      told.push(...writer.health().flatMap(({ reason }) => reason ?? []));
      await state.onWait(waits.length);
    },
  };
  const writer = createStoreWriter(parts);
  const { signal } = new AbortController();
  return {
    waits,
    told,
    state,
    records,
    parts,
    writer,
    async fill(): Promise<void> {
      const from = journal.end();
      journal.chunk(BATCH);
      // The first message once more: a duplicate, which the store has to be asked about.
      const messages = [...journal.messages.slice(from - 1), { ...journal.messages[0]!, seq: journal.end() }];
      journal.messages.push(messages.at(-1)!);
      await writer.take(openBatch(from, messages), signal);
    },
    /** A batch of readings of air-1, received when they were measured. */
    async receive(...readings: readonly { readonly measuredAt: number; readonly [metric: string]: number }[]) {
      const from = journal.end();
      for (const one of readings)
        journal.messages.push(aMessage(one, { seq: journal.end(), receivedAt: one.measuredAt }));
      await writer.take(openBatch(from, journal.messages.slice(from - 1)), signal);
    },
    /** So much later, by our clock, the store is looked after. */
    async tickAfter(ms: number): Promise<void> {
      state.aheadMs += ms;
      await writer.tick();
    },
    /** Parts that are not well, with what is said of them. */
    troubles: () => writer.health().filter((one) => one.state !== "ok"),
    figure: (name: string) => writer.figures().find((one) => one.name === name)?.value,
    async stop(): Promise<void> {
      await writer.stop();
      await store.close();
      records.close();
    },
  };
}

type Fault<S> = {
  readonly what: string;
  begin(server: S): unknown;
  end(server: S): unknown;
  /** What the operator is told; absent: nothing, for nothing is wrong. */
  readonly told?: RegExp;
  /** The shortest wait before the second try. */
  readonly waitMs?: number;
  /** How long an answer is waited for: short where none comes, so long that a sound server on a busy machine is in time. */
  readonly timeoutMs?: number;
};
const NO_ANSWER = { told: /no answer within 2000 ms/, timeoutMs: 2_000 };

type Filling = Awaited<ReturnType<typeof startFilling>>;
const TRIES = 3;

/** The sums of the books, without those of single values. */
const items = ({ ledger }: Pick<Records, "ledger">) =>
  Object.fromEntries([...ledger.totals()].filter(([name]) => !name.startsWith("values.")));

/** Three batches, each with a duplicate: before the fault, while it lasts (it ends at the third wait), and afterwards. */
async function live<S>(city: Filling, server: S, { begin, end, told, waitMs = 0 }: Fault<S>): Promise<number> {
  await city.fill();
  expect(city.waits).toEqual([]);
  await begin(server);
  city.state.onWait = async (count) => {
    if (count === TRIES) await end(server);
  };
  await city.fill();
  if (told) {
    expect(city.waits.length).toBeGreaterThanOrEqual(TRIES);
    expect(city.told.join(" ")).toMatch(told);
    expect(Math.min(...city.waits.slice(0, TRIES))).toBeGreaterThanOrEqual(waitMs);
  } else {
    expect(city.waits).toEqual([]);
    await end(server);
  }
  await city.fill();
  const stored = 3 * BATCH;
  expect(items(city.records)).toEqual({
    received: stored + 3,
    stored,
    duplicate: 3,
  });
  expect(city.records.quarantine.count()).toBe(0);
  return stored;
}

const whole = (server: Influx2) => server.trouble(undefined);
const FAULTS_2: readonly Fault<Influx2>[] = [
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
  { what: "frozen", begin: (s) => s.trouble("frozen"), end: whole, ...NO_ANSWER },
  { what: "401", begin: (s) => s.trouble("unauthorized"), end: whole, told: /INFLUX_TOKEN/, waitMs: 15_000 },
  { what: "401 for all questions", begin: (s) => s.trouble("unauthorized", ANY), end: whole, told: /INFLUX_TOKEN/ },
  { what: "403", begin: (s) => s.trouble("forbidden"), end: whole, told: /INFLUX_TOKEN|rights/, waitMs: 15_000 },
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
  let bucket: ReturnType<Influx2["addBucket"]>;
  let where: Parameters<typeof startFilling>[0];
  beforeEach(async () => {
    server = await startInflux2();
    server.addOrg("city");
    bucket = server.addBucket("city", "readings");
    server.addToken({ text: "t", org: "city", read: [bucket.id], write: [bucket.id] });
    where = { url: server.url, flavour: { token: "t", org: "city", bucket: "readings" } };
  });
  afterEach(() => server.stop());

  it.each(FAULTS_2)("$what", async (fault) => {
    const city = await startFilling(where, fault.timeoutMs);
    const stored = await live(city, server, fault);
    expect(server.count(bucket, "pm25")).toBe(stored);
    // What is booked is in its log, not in its memory only.
    server.restart();
    expect(server.count(bucket, "pm25")).toBe(stored);
    await city.writer.tick();
    expect(city.troubles()).toEqual([]);
    await city.stop();
  });

  it("what the bucket's own retention removes is not booked as lost", async () => {
    const city = await startFilling(where);
    const [now, day] = [Date.now(), 86_400_000];
    await city.receive({ measuredAt: now - 8 * day, pm25: 5 });
    await city.receive({ measuredAt: now - 3 * day, pm25: 5 });
    await city.writer.tick();
    // Somebody gives the bucket a retention while we run; nobody has told us.
    Object.assign(bucket, { retentionMs: 5 * day });
    const again = createStoreWriter(city.parts);
    await again.tick();
    expect(items(city.records)).toEqual({ received: 2, stored: 2 });
    expect(again.health().filter(({ state }) => state !== "ok")).toEqual([]);
    expect(city.records.audit.list(10).items.map(({ what }) => what)).not.toContain("store.refilled");
    await again.stop();
    await city.stop();
  });
});

/** A database of its own, an account of its own, and what lies between us and the server. */
type Real = {
  readonly influx: InfluxServer;
  readonly proxy: FaultyProxy;
  /** Name of the database and of the account. */
  readonly name: string;
};

const WRITE = /^POST \/write/;
const does = (mischief: Mischief, on = WRITE) => ({
  begin({ proxy }: Real) {
    proxy.rules = [{ on, does: mischief }];
  },
  end({ proxy }: Real) {
    proxy.rules = [];
  },
});
const PAGE = { "content-type": "text/html" };
const tomorrow = () => new Date(Date.now() + 86_400_000).toUTCString();

const FAULTS_1: readonly Fault<Real>[] = [
  { what: "slow", ...does({ slowMs: 100 }, ANY) },
  { what: "slower than we wait", ...does({ slowMs: 3_000 }), ...NO_ANSWER },
  { what: "cut while the request is sent", ...does({ cut: "request" }), told: /does not answer/ },
  { what: "cut before the answer, after the write", ...does({ cut: "answer" }), told: /does not answer/ },
  { what: "cut for all questions", ...does({ cut: "answer" }, ANY), told: /does not answer/ },
  { what: "frozen", ...does("freeze"), ...NO_ANSWER },
  { what: "frozen for all questions", ...does("freeze", ANY), ...NO_ANSWER },
  { what: "401 of a proxy", ...does({ status: 401, body: "who?" }, ANY), told: /401: who\?.*INFLUX_USERNAME/ },
  { what: "403 of a proxy", ...does({ status: 403 }), told: /403: Forbidden.*right to read and to write/ },
  {
    what: "429 with Retry-After",
    ...does({ status: 429, headers: { "retry-after": "77" } }),
    told: /429: Too Many Requests/,
    waitMs: 77_000,
  },
  { what: "503", ...does({ status: 503 }), told: /503: Service Unavailable/ },
  {
    what: "503 with Retry-After as a date",
    ...does({ status: 503, headers: { "retry-after": tomorrow() } }),
    told: /503: Service Unavailable/,
    waitMs: 3_600_000,
  },
  { what: "502 with a page", ...does({ status: 502, body: "<h1>Bad</h1>", headers: PAGE }, ANY), told: /502: <h1>Bad/ },
  {
    what: "a login page as a 200",
    ...does({ status: 200, body: "<h1>Hello</h1>", headers: PAGE }),
    told: /INFLUX_URL/,
  },
  {
    what: "an account that lost its rights",
    begin: ({ influx, name }) => influx.ask(`REVOKE ALL ON "${name}" FROM "${name}"`),
    end: ({ influx, name }) => influx.ask(`GRANT ALL ON "${name}" TO "${name}"`),
    told: /not authorized to write.*right to read and to write/,
  },
  {
    what: "an account that may read only",
    async begin({ influx, name }) {
      await influx.ask(`REVOKE ALL ON "${name}" FROM "${name}"`);
      await influx.ask(`GRANT READ ON "${name}" TO "${name}"`);
    },
    end: ({ influx, name }) => influx.ask(`GRANT ALL ON "${name}" TO "${name}"`),
    told: /not authorized to write.*right to read and to write/,
  },
  {
    what: "an account that may write only",
    async begin({ influx, name }) {
      await influx.ask(`REVOKE ALL ON "${name}" FROM "${name}"`);
      await influx.ask(`GRANT WRITE ON "${name}" TO "${name}"`);
    },
    end: ({ influx, name }) => influx.ask(`GRANT ALL ON "${name}" TO "${name}"`),
    told: /not authorized to execute.*SELECT.*right to read and to write/,
  },
  {
    what: "another password",
    begin: ({ influx, name }) => influx.ask(`SET PASSWORD FOR "${name}" = 'other'`),
    end: ({ influx, name }) => influx.ask(`SET PASSWORD FOR "${name}" = 'secret'`),
    told: /401: authorization failed.*INFLUX_USERNAME and INFLUX_PASSWORD/,
  },
  {
    what: "an account that is gone",
    begin: ({ influx, name }) => influx.ask(`DROP USER "${name}"`),
    async end({ influx, name }) {
      await influx.ask(`CREATE USER "${name}" WITH PASSWORD 'secret'`);
      await influx.ask(`GRANT ALL ON "${name}" TO "${name}"`);
    },
    told: /401: authorization failed.*INFLUX_USERNAME and INFLUX_PASSWORD/,
  },
  {
    what: "killed",
    begin: ({ influx }) => influx.halt("SIGKILL"),
    end: ({ influx }) => influx.resume(),
    told: /does not answer/,
  },
];

describe.runIf(needs("influxd"))("faults of a real InfluxDB 1.6.7 behind a proxy, with accounts", () => {
  let influx: InfluxServer;
  let proxy: FaultyProxy;
  const filled = new Map<string, number>();
  let names = 0;
  beforeAll(async () => {
    influx = await startInfluxd(undefined, true);
    proxy = await startProxy(influx.url);
  });
  afterAll(async () => {
    await proxy.stop();
    await influx.stop();
  });

  async function aPlace(options = "") {
    const name = `place-${names++}`;
    proxy.rules = [];
    await influx.ask(`CREATE DATABASE "${name}" ${options}`);
    await influx.ask(`CREATE USER "${name}" WITH PASSWORD 'secret'`);
    await influx.ask(`GRANT ALL ON "${name}" TO "${name}"`);
    const flavour = { database: name, username: name, password: "secret" };
    return { server: { influx, proxy, name }, where: { url: proxy.url, flavour } };
  }

  async function countIn(name: string, field = "receipt_1a2b3c4d"): Promise<number> {
    return Number((await influx.ask(`SELECT count("${field}") FROM air`, name))[0]?.[1] ?? 0);
  }

  it.each(FAULTS_1)("$what: nothing in quarantine, nothing lost, the books balanced", async (fault) => {
    const { server, where } = await aPlace();
    const city = await startFilling(where, fault.timeoutMs);
    const stored = await live(city, server, fault);
    expect(await countIn(server.name)).toBe(stored);
    filled.set(server.name, stored);
    await city.writer.tick();
    expect(city.troubles()).toEqual([]);
    await city.stop();
  });

  it("all of it is in its log: there after a kill", async () => {
    expect(filled.size).toBe(FAULTS_1.length);
    await influx.halt("SIGKILL");
    await influx.resume();
    for (const [name, stored] of filled) expect([name, await countIn(name)]).toEqual([name, stored]);
  });

  const HIDDEN = [{ on: /^GET \/debug\/vars/, does: { status: 404 } }];
  const rewritten = (city: Filling) => city.figure("lamppost_store_rewritten_readings_total");

  it.each([
    ["that says when it started", []],
    ["that does not", HIDDEN],
  ])("a server %s, killed, with a torn log: what is gone is written again", async (_, rules) => {
    const { server, where } = await aPlace();
    proxy.rules = rules;
    const city = await startFilling(where);
    await city.fill();
    await city.fill();
    await influx.halt("SIGKILL");
    tearLog(influx.folder, server.name);
    let left = -1;
    city.state.onWait = async (count) => {
      if (count !== 1) return;
      await influx.resume();
      left = await countIn(server.name);
    };
    await city.fill();
    expect(left).toBeLessThan(2 * BATCH);
    expect(await countIn(server.name)).toBe(3 * BATCH);
    expect(rewritten(city)).toBe(2 * BATCH);
    expect(city.records.ledger.totals().get("stored")).toBe(3 * BATCH);
    // By the journal, not by an alarm.
    expect(city.records.audit.list(10).items).toEqual([]);
    await city.stop();
  });

  it.each([
    ["is not written again where the server says that it is still the same", [], 0],
    ["is written again where the server does not say when it started", HIDDEN, 2 * BATCH],
  ])("the connection was lost: what it has %s", async (_, rules, again) => {
    const { server, where } = await aPlace();
    proxy.rules = rules;
    const city = await startFilling(where);
    await city.fill();
    proxy.rules = [...rules, { on: WRITE, does: { cut: "answer" } }];
    city.state.onWait = async (count) => {
      if (count === TRIES) proxy.rules = rules;
    };
    await city.fill();
    await city.writer.tick();
    expect(rewritten(city)).toBe(again);
    expect(await countIn(server.name)).toBe(2 * BATCH);
    await city.stop();
  });

  it("a dropped measurement is noticed by the counts within minutes, and is full again", async () => {
    const { server, where } = await aPlace();
    const city = await startFilling(where);
    await city.fill();
    await city.writer.tick();
    await influx.ask('DROP MEASUREMENT "air"', server.name);
    await city.receive({ measuredAt: Date.now() - 60_000, pm25: 5 });
    await city.tickAfter(5 * 60_000);
    expect(await countIn(server.name)).toBe(BATCH + 1);
    expect(city.records.audit.list(10).items).toMatchObject([
      { what: "store.refilled", detail: "readings of 1 days were gone; everything came back from the journal" },
    ]);
    expect(city.records.ledger.totals().get("stored")).toBe(BATCH + 1);
    await city.stop();
  });

  const foreign = async (name: string, line: string) => {
    const search = new URLSearchParams({ db: name, precision: "ms", u: "admin", p: "admin" });
    const answer = await fetch(`${influx.url}/write?${search}`, { method: "POST", body: line });
    expect(answer.status).toBe(204);
  };
  const ours = async (name: string, field: string) =>
    Number(
      (await influx.ask(`SELECT count("${field}") FROM air WHERE "installation" = '1a2b3c4d'`, name))[0]?.[1] ?? 0,
    );
  const TRY_MS = 61_000;

  it("a hold lives over the edge of a new shard, which is filled at once, and ends when nothing waits for it", async () => {
    const { server, where } = await aPlace("WITH DURATION INF SHARD DURATION 1h");
    const hour = 3_600_000;
    const start = Math.floor(Date.now() / hour) * hour - 3 * hour;
    await foreign(server.name, `air,sensorId=other pm25=7i ${start + 1}`);
    const city = await startFilling(where);
    const readings = (from: number) => [1, 2].map((n) => ({ measuredAt: from + n * 60_000, pm25: n, no2: 10 + n }));
    await city.receive(...readings(start));
    await city.receive(...readings(start + hour));
    expect([await ours(server.name, "pm25"), await ours(server.name, "no2")]).toEqual([0, 4]);
    expect(city.troubles()).toMatchObject([
      { part: "store: air.pm25", reason: expect.stringMatching(/; its values wait/) },
    ]);
    await city.tickAfter(TRY_MS);
    expect([await ours(server.name, "pm25"), await ours(server.name, "no2")]).toEqual([2, 4]);
    const before = new Date(start + hour).toISOString();
    expect(city.troubles()[0]?.reason).toContain(`its values measured before ${before} wait in the journal`);
    await city.receive(...readings(start + 2 * hour));
    expect(await ours(server.name, "pm25")).toBe(4);
    // The server no longer keeps the shard with the other type: nothing would ever be taken there.
    await influx.ask(`ALTER RETENTION POLICY "autogen" ON "${server.name}" DURATION 2h SHARD DURATION 1h DEFAULT`);
    await city.parts.upkeep?.store.limits?.ask();
    await city.tickAfter(TRY_MS);
    expect(city.troubles()).toEqual([]);
    expect(city.records.ledger.totals().get("stored")).toBe(6);
    expect(city.records.quarantine.count()).toBe(0);
    await city.stop();
  });

  it("two services on copies of one folder: both say so, and nothing is lost or removed meanwhile", async () => {
    const { server, where } = await aPlace();
    const one = await startFilling(where);
    await one.fill();
    await one.writer.tick();
    const two = await startFilling(where);
    two.records.storeState.set("mark", one.records.storeState.get("mark"));
    const LOOK_MS = 31_000;
    await two.tickAfter(0);
    expect([one.writer.isShared(), two.writer.isShared()]).toEqual([false, false]);
    for (let look = 0; look < 3; look += 1) for (const city of [one, two]) await city.tickAfter(LOOK_MS);
    for (const city of [one, two]) {
      expect(city.writer.isShared()).toBe(true);
      expect(city.troubles()).toMatchObject([
        { part: "store owner", reason: expect.stringMatching(/copies of one folder/) },
      ]);
      // What the other one has booked is no loss of ours.
      expect(city.records.audit.list(10).items).toEqual([]);
    }
    // The one that began later is the copy.
    expect([one.writer.isOutranked(), two.writer.isOutranked()]).toEqual([false, true]);
    await two.stop();
    for (let look = 0; look < 21; look += 1) await one.tickAfter(LOOK_MS);
    expect(one.writer.isShared()).toBe(false);
    expect(one.troubles()).toEqual([]);
    expect(await countIn(server.name)).toBe(BATCH);
    await one.stop();
  });

  it("an older copy of the database with the mark of an earlier run is a loss, not another service", async () => {
    const { server, where } = await aPlace();
    const city = await startFilling(where);
    await city.fill();
    await city.writer.tick();
    const [[, life] = []] = await influx.ask('SELECT "life" FROM /^lamppost_mark/', server.name);
    const hour = Date.now() - (Date.now() % 3_600_000);
    await foreign(
      server.name,
      `lamppost_mark_1a2b3c4d,installation=1a2b3c4d life="${life}",booked=1,run="earlier",beat=7 ${hour}`,
    );
    for (let look = 0; look < 3; look += 1) await city.tickAfter(31_000);
    expect(city.writer.isShared()).toBe(false);
    expect(await countIn(server.name)).toBe(BATCH);
    expect(city.records.audit.list(10).items).toMatchObject([
      { what: "store.refilled", detail: expect.stringMatching(/older copy of itself; everything came back/) },
    ]);
    await city.stop();
  });

  it("while four metrics are held a minute of load costs hardly more requests, and all else is stored", async () => {
    const { server, where } = await aPlace();
    const held = ["pm25", "pm10", "no2", "o3"];
    const start = Date.now() - 600_000;
    await foreign(server.name, `air,sensorId=other ${held.map((one) => `${one}=7i`).join(",")} ${start}`);
    const city = await startFilling(where);
    /** Of every reading another choice of the held metrics. */
    const batch = (second: number) =>
      Array.from({ length: 32 }, (_, i) => {
        const some = held.filter((_one, bit) => i & (1 << bit));
        const values = Object.fromEntries(["so2", ...some].map((metric) => [metric, i]));
        return { measuredAt: start + second * 1_000 + i, ...values };
      });
    await city.receive(...batch(0));
    expect(city.figure("lamppost_store_held_metrics")).toBe(held.length);
    proxy.seen.length = 0;
    for (let second = 1; second <= 60; second += 1) {
      city.state.aheadMs += 1_000;
      await city.receive(...batch(second));
      if (second % 10 === 0) await city.writer.tick();
    }
    const requests = proxy.seen.filter((text) => WRITE.test(text)).length;
    process.stdout.write(`a minute of 60 batches with ${held.length} metrics held: ${requests} writes\n`);
    // One for each batch, one for each metric that is tried once a minute, and our marks.
    expect(requests).toBeLessThanOrEqual(60 + held.length + 4);
    expect(await ours(server.name, "so2")).toBe(61 * 32);
    for (const metric of held) expect(await ours(server.name, metric)).toBe(0);
    expect(city.figure("lamppost_store_held_readings_total")).toBe((61 * 32 * 15) / 16);
    await influx.ask('DROP MEASUREMENT "air"', server.name);
    await city.tickAfter(TRY_MS);
    // The one reading before the first that was held is missed when the day is counted the next time.
    await city.tickAfter(5 * 60_000);
    await city.tickAfter(0);
    expect(await ours(server.name, "so2")).toBe(61 * 32);
    for (const metric of held) expect([metric, await ours(server.name, metric)]).toEqual([metric, 61 * 16]);
    expect(city.troubles()).toEqual([]);
    expect(city.records.quarantine.count()).toBe(0);
    await city.stop();
  });
});

/** Cuts the largest log file of a database in half, as a power cut may. */
function tearLog(folder: string, database: string): void {
  const files = readdirSync(join(folder, "wal", database), { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const [largest] = files.map((path) => ({ path, size: statSync(path).size })).sort((a, b) => b.size - a.size);
  truncateSync(largest!.path, largest!.size >> 1);
}
