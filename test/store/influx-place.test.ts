import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import { openInfluxStore } from "../../store/influx/store.ts";
import type { ReadingStore, StoreCause, StoreError } from "../../store/reading-store.ts";
import { aReading, collect, T0 } from "../helpers/readings.ts";
import { answer } from "../helpers/scripted-http.ts";
import { type Influx2, startInflux2, type Token, type Trouble } from "../helpers/scripted-influx2.ts";

const DAY_MS = 86_400_000;
const OLD = T0 - 400 * DAY_MS;
const ADDRESS = { org: "city", bucket: "readings" };

describe("the place of the readings on InfluxDB 2.x", () => {
  let server: Influx2;
  const open: ReadingStore[] = [];
  beforeEach(async () => {
    server = await startInflux2();
    server.addOrg("city");
    server.addOrg("town");
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((store) => store.close()));
    await server.stop();
  });

  async function openStore(flavour: { token?: string; org?: string; bucket?: string } = {}): Promise<ReadingStore> {
    const whole = { token: "t", ...ADDRESS, ...flavour };
    const options = { url: server.url, flavour: whole, installation: "1a2b3c4d", timeoutMs: 2_000, log: SILENT };
    const store = await openInfluxStore(options);
    open.push(store);
    return store;
  }
  /** Points somebody else has there, old enough for every storage limit. */
  async function fill(org: string, bucket: string, count: number): Promise<void> {
    server.addToken({ text: "stranger", org, operator: true });
    const lines = Array.from(
      { length: count },
      (_, n) => `air,sensorId=air-1,district=north pm25=1,foreign=1 ${OLD + n}`,
    );
    const address = `${server.url}/api/v2/write?${new URLSearchParams({ org, bucket, precision: "ms" })}`;
    const answer = await fetch(address, {
      method: "POST",
      headers: { authorization: "Token stranger" },
      body: lines.join("\n"),
    });
    expect(answer.status).toBe(204);
  }
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => expect.fail("this should have failed"),
      (error: StoreError) => error,
    );
  const bothRights = (bucket: { id: string }) => ({ read: [bucket.id], write: [bucket.id] });
  const deletes = () =>
    server.requests.filter(({ path, body }) => path === "/api/v2/delete" || /DELETE|DROP/.test(body));

  it("is used when what was written is read back, and nothing of the test is left", async () => {
    const bucket = server.addBucket("city", "readings");
    server.addToken({ text: "t", org: "city", ...bothRights(bucket) });
    const store = await openStore();
    expect(bucket.measurements.get("lamppost_probe_1a2b3c4d")!.series.values().next().value!.points.size).toBe(0);
    await store.write([aReading()]);
    expect(await collect(store)).toEqual([aReading()]);
    // The proof is asked for once, not with every request.
    const before = server.requests.length;
    for (let n = 0; n < 5; n += 1) await store.write([aReading({ measuredAt: T0 + n })]);
    expect(server.requests.length).toBe(before + 5);
  });

  it("is refused for a token of another organisation with a bucket of the same name; its points stay", async () => {
    server.addBucket("city", "readings");
    const other = server.addBucket("town", "readings");
    await fill("town", "readings", 500);
    server.addToken({ text: "t", org: "town", operator: true });
    const store = await openStore();
    for (const work of [store.write([aReading()]), store.deleteBefore("air", T0), store.ping(), store.newest()]) {
      const error = await failure(work);
      expect(error).toMatchObject({ kind: "misconfigured", reason: "mapping" });
      expect(error.message).toMatch(/INFLUX_TOKEN is of another organisation than city/);
    }
    expect(server.count(other, "foreign")).toBe(500);
    expect(deletes()).toEqual([]);
  });

  it("is reached by a mapping of our own where another mapping has taken its name", async () => {
    const bucket = server.addBucket("city", "readings");
    const other = server.addBucket("city", "archive");
    server.addMapping("city", other, "readings");
    await fill("city", "archive", 1_000);
    server.addToken({ text: "t", org: "city", operator: true });
    const store = await openStore();
    await store.write([aReading(), aReading({ measuredAt: OLD, receivedAt: OLD })]);
    await store.deleteBefore("air", T0);
    expect(await collect(store, { from: 0 })).toEqual([aReading()]);
    expect(server.count(other, "foreign")).toBe(1_000);
    expect(server.count(other, "receipt_1a2b3c4d")).toBe(0);
    expect(server.mappings.at(-1)).toMatchObject({ database: "lamppost-1a2b3c4d", bucketID: bucket.id });
    await openStore();
    expect(server.mappings).toHaveLength(2);
  });

  it("is refused where it cannot make one, with the command that does; and used once that was run", async () => {
    const bucket = server.addBucket("city", "readings");
    const other = server.addBucket("city", "archive");
    const taken = server.addMapping("city", other, "readings");
    await fill("city", "archive", 9);
    for (const read of [[bucket.id], [bucket.id, other.id]]) {
      server.addToken({ text: "t", org: "city", read, write: [bucket.id] });
      const store = await openStore();
      const error = await failure(store.deleteBefore("air", T0));
      expect(error).toMatchObject({ kind: "misconfigured", reason: "mapping" });
      expect(error.message).toContain(
        `influx v1 dbrp create --org "city" --bucket-id ${bucket.id} --db lamppost-1a2b3c4d --rp autogen --default`,
      );
      if (read.length > 1) expect(error.message).toContain(`${taken.id} leads queries for readings to another bucket`);
    }
    expect(server.count(other, "foreign")).toBe(9);
    expect(deletes()).toEqual([]);
    const store = open.at(-1)!;
    server.addMapping("city", bucket, "lamppost-1a2b3c4d");
    await store.write([aReading()]);
    expect(await collect(store)).toEqual([aReading()]);
  });

  it("removes from a bucket db/rp and not from the bucket db beside it", async () => {
    const [raw, plain] = [server.addBucket("city", "metro/raw"), server.addBucket("city", "metro")];
    await fill("city", "metro", 7);
    server.addToken({ text: "t", org: "city", ...bothRights(raw) });
    const store = await openStore({ bucket: "metro/raw" });
    const old = aReading({ measuredAt: OLD, receivedAt: OLD });
    await store.write([old, aReading()]);
    expect(await store.count()).toBe(2);
    await store.deleteBefore("air", T0);
    expect(await collect(store, { from: 0 })).toEqual([aReading()]);
    expect([server.count(plain, "foreign"), server.count(raw, "receipt_1a2b3c4d")]).toEqual([7, 1]);
  });

  it("reads a name with two slashes, which InfluxQL does not know, by a mapping of its own", async () => {
    const bucket = server.addBucket("city", "a/b/c");
    server.addToken({ text: "t", org: "city", ...bothRights(bucket), mayMap: true });
    const store = await openStore({ bucket: "a/b/c" });
    await store.write([aReading()]);
    expect(await collect(store)).toEqual([aReading()]);
    server.mappings.length = 0;
    server.addToken({ text: "t", org: "city", ...bothRights(bucket) });
    const refused = await openStore({ bucket: "a/b/c" });
    expect((await failure(refused.ping())).message).toMatch(/a\/b\/c .*run influx v1 dbrp create/);
  });

  it("is proven again when the server was away: a mapping made meanwhile is noticed", async () => {
    const bucket = server.addBucket("city", "readings");
    const other = server.addBucket("city", "archive");
    server.addToken({ text: "t", org: "city", ...bothRights(bucket) });
    const store = await openStore();
    await store.write([aReading()]);
    server.addMapping("city", other, "readings");
    server.trouble("cut", /query/);
    await failure(store.ping());
    server.trouble(undefined);
    expect(await failure(store.ping())).toMatchObject({ reason: "mapping" });
  });

  type Case = [
    name: string,
    token: Partial<Token>,
    address: Partial<typeof ADDRESS & { token: string }>,
    StoreCause,
    RegExp,
  ];
  const mistakes: Case[] = [
    ["a wrong token", {}, { token: "wrong" }, "token", /check INFLUX_TOKEN/],
    ["a token that is switched off", { active: false }, {}, "token_inactive", /INFLUX_TOKEN is switched off/],
    ["a token of another bucket", { read: [], write: [] }, {}, "permissions", /no rights on bucket readings of city/],
    ["a token that may not write", { write: [] }, {}, "permissions", /may read bucket readings but not write/],
    ["a token that may not read", { read: [] }, {}, "permissions", /may write to bucket readings of city but not read/],
    ["a misspelt bucket", {}, { bucket: "reedings" }, "bucket_missing", /"reedings" not found.*check INFLUX_BUCKET/],
    ["a misspelt organisation", {}, { org: "citty" }, "organisation_missing", /"citty" not found.*check INFLUX_ORG/],
  ];
  it.each(mistakes)("says what is wrong with %s", async (_name, rights, address, reason, words) => {
    const bucket = server.addBucket("city", "readings");
    server.addToken({ text: "t", org: "city", ...bothRights(bucket), ...rights });
    const store = await openStore(address);
    for (const work of [store.write([aReading()]), store.ping()]) {
      const error = await failure(work);
      expect(error).toMatchObject({ kind: "misconfigured", reason });
      expect(error.message).toMatch(words);
    }
  });

  it("tells a bucket's id from its name, and a server that is not set up", async () => {
    const bucket = server.addBucket("city", "readings");
    server.addToken({ text: "t", org: "city", ...bothRights(bucket) });
    expect((await failure((await openStore({ bucket: bucket.id })).ping())).message).toMatch(/is an id .*give .* name/);
    server.state.setUp = false;
    const error = await failure((await openStore()).write([aReading()]));
    expect(error).toMatchObject({ kind: "misconfigured", reason: "not_set_up" });
    expect(error.message).toMatch(/not set up yet/);
  });

  it("makes a bucket again that was removed while it ran, if its token may; a misspelt one never", async () => {
    for (const operator of [true, false]) {
      const bucket = server.addBucket("city", "readings");
      server.addToken({ text: "t", org: "city", ...bothRights(bucket), operator });
      const store = await openStore();
      server.dropBucket(bucket);
      await expect(store.write([aReading()])).rejects.toMatchObject({ reason: "bucket_missing" });
      const again = store.write([aReading()]);
      if (operator) await again;
      else await expect(again).rejects.toMatchObject({ kind: "misconfigured", reason: "bucket_missing" });
      expect(server.buckets.map(({ name }) => name)).toEqual(operator ? ["readings"] : []);
      server.buckets.length = 0;
    }
    server.addToken({ text: "t", org: "city", operator: true });
    await failure((await openStore({ bucket: "reedings" })).write([aReading()]));
    expect(server.buckets).toEqual([]);
  });

  it("names its organisation by name or by id", async () => {
    const bucket = server.addBucket("city", "readings");
    server.addToken({ text: "t", org: "city", ...bothRights(bucket) });
    const store = await openStore({ org: bucket.orgID });
    await store.write([aReading()]);
    expect(await store.count()).toBe(1);
  });

  it.each([
    [400, "Client sent an HTTP request to an HTTPS server.\n"],
    [400, "<html><center>The plain HTTP request was sent to HTTPS port</center></html>"],
  ])("says that TLS is needed where the server says so (%s %s)", async (status, body) => {
    server.play(answer(status, body));
    const error = await failure((await openStore()).ping());
    expect(error).toMatchObject({ kind: "misconfigured", reason: "tls" });
    expect(error.message).toMatch(/INFLUX_URL must begin with https:\/\//);
  });

  it("says that one side speaks TLS and the other does not", async () => {
    const flavour = { token: "t", ...ADDRESS };
    const options = { flavour, installation: "1a2b3c4d", timeoutMs: 5_000, log: SILENT };
    const spoken = await openInfluxStore({ ...options, url: server.url.replace("http:", "https:") });
    expect(await failure(spoken.ping())).toMatchObject({ kind: "misconfigured", reason: "tls" });
    const alert = createServer((socket) => socket.end(Buffer.from("15030300020246", "hex"))).listen(0, "127.0.0.1");
    await once(alert, "listening");
    const { port } = alert.address() as AddressInfo;
    const plain = await openInfluxStore({ ...options, url: `http://127.0.0.1:${port}` });
    expect(await failure(plain.ping())).toMatchObject({ kind: "misconfigured", reason: "tls" });
    alert.close();
    open.push(spoken, plain);
  });

  const troubles: [Trouble, StoreError["kind"], StoreCause][] = [
    ["cacheLimit", "unavailable", "cache_limit"],
    ["timeout", "unavailable", "timeout"],
    ["busyLog", "unavailable", "timeout"],
    ["newShard", "unavailable", "log_not_written"],
    ["gzip", "unavailable", "other"],
    ["unauthorized", "misconfigured", "token"],
    ["forbidden", "misconfigured", "permissions"],
    ["rate", "unavailable", "rate"],
    ["unavailable", "unavailable", "rate"],
    ["queueFull", "unavailable", "busy"],
    ["frozen", "unavailable", "timeout"],
    ["cut", "unavailable", "unreachable"],
  ];
  it.each(troubles)("takes %s for %s (%s), and goes on when it is over", async (what, kind, reason) => {
    const bucket = server.addBucket("city", "readings");
    server.addToken({ text: "t", org: "city", ...bothRights(bucket) });
    const store = await openStore();
    server.trouble(what);
    expect(await failure(store.write([aReading()]))).toMatchObject({ kind, reason });
    server.trouble(undefined);
    await store.write([aReading()]);
    expect(await store.count()).toBe(1);
  });

  it("says that a full disk needs a restart, not only room; what was seen meanwhile is gone", async () => {
    const bucket = server.addBucket("city", "readings");
    server.addToken({ text: "t", org: "city", ...bothRights(bucket) });
    const store = await openStore();
    await store.write([aReading()]);
    const started = await store.startedAt();
    server.state.diskFull = true;
    const refused = async (measuredAt: number) => {
      const error = await failure(store.write([aReading({ measuredAt })]));
      expect(error).toMatchObject({ kind: "unavailable", reason: "log_not_written" });
      expect(error.message).toMatch(/restart influxd/);
    };
    await refused(T0 + 1);
    server.state.diskFull = false;
    await refused(T0 + 2);
    expect(await store.count()).toBe(3);
    server.restart();
    expect(await store.startedAt()).not.toBe(started);
    expect(await store.count()).toBe(1);
    await store.write([aReading({ measuredAt: T0 + 2 })]);
  });

  it("names the metric that is an integer there already, and writes the rest without it", async () => {
    const bucket = server.addBucket("city", "readings");
    server.addToken({ text: "t", org: "city", ...bothRights(bucket) });
    server.addToken({ text: "other", org: "city", operator: true });
    const address = `${server.url}/api/v2/write?org=city&bucket=readings&precision=ms`;
    const body = `air,sensorId=x pm25=7i ${T0}`;
    await fetch(address, { method: "POST", headers: { authorization: "Token other" }, body });
    const store = await openStore();
    const readings = [aReading({ values: { pm25: 1, no2: 2 } }), aReading({ measuredAt: T0 + 1, values: { no2: 3 } })];
    const error = await failure(store.write(readings));
    expect(error).toMatchObject({ kind: "misconfigured", reason: "field_type", metrics: ["air.pm25"] });
    await store.write(readings, { without: new Set(["air.pm25"]) });
    expect(await collect(store)).toEqual([{ ...readings[0], values: { no2: 2 } }, readings[1]]);
  });

  it("refuses what is older than the bucket keeps, and keeps the rest of the batch", async () => {
    const bucket = server.addBucket("city", "readings", 3_600_000);
    server.addToken({ text: "t", org: "city", ...bothRights(bucket) });
    const store = await openStore();
    const now = Date.now();
    const batch = [aReading({ measuredAt: now - 2 * DAY_MS, receivedAt: now }), aReading({ measuredAt: now })];
    expect(await failure(store.write(batch))).toMatchObject({ kind: "refused", reason: "retention" });
    expect(await store.count()).toBe(1);
  });
});
