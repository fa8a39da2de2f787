import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createInfluxClient } from "../../store/influx/client.ts";
import type { StoreCause, StoreError } from "../../store/reading-store.ts";
import { answer, startScriptedHttp } from "../helpers/scripted-http.ts";
import { type Influx2, startInflux2, TROUBLES } from "../helpers/scripted-influx2.ts";

const FILE = resolve(import.meta.dirname, "../../../shared/influx/answers-2.7.12.json");
if (!existsSync(FILE))
  process.stderr.write(
    "no ../shared/influx/answers-2.7.12.json: the scripted server is not compared with a real one\n",
  );

type Recorded = {
  readonly case: string;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Long ones are cut. */
  readonly body?: string;
};
const recorded = existsSync(FILE) ? (JSON.parse(readFileSync(FILE, "utf8")) as Recorded[]) : [];
/** A name may come several times: "(query: were the good lines kept?)". */
const all = (name: string) => recorded.filter((one) => one.case === name);

/** What differs from day to day: moments, ids, folders and numbers of shards. */
function constant(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<moment>")
    .replaceAll(/\b(?:write )?\/var\/lib\/influxdb2\/\S*?: /g, "<file>: ")
    .replaceAll(/\b[0-9a-f]{16}\b/g, "<id>")
    .replaceAll(/\b1\d{12}\b/g, "<ms>");
}

/** Rows differ, what they are columns of does not. Of a parse error the place is InfluxQL's own. */
function comparable({ status, body }: { status: number; body: string }) {
  if (!body.startsWith("{")) return { status, body };
  type Answer = { code?: string; message?: string; results?: { error?: string; series?: { columns: string[] }[] }[] };
  const { code, message, results } = JSON.parse(body) as Answer;
  if (!results)
    return { status, code, message: constant(message ?? "").replace(/^(failed to parse query): .*/s, "$1") };
  return {
    status,
    results: results.map(({ error, series }) => ({
      error: error && constant(error),
      columns: series?.map(({ columns }) => columns),
    })),
  };
}

type Ask = {
  readonly path?: string;
  readonly token?: string | null;
  readonly body?: string;
  readonly params?: Readonly<Record<string, string | undefined>>;
  readonly query?: string;
  /** Before it is asked. */
  readonly first?: (server: Influx2) => unknown;
  readonly basic?: string;
};

const NOW = Date.now();
const LINE = `air,district=north,sensorId=a-1 pm25=1,journalSeq=1 ${NOW}`;
const OLD = `air,district=n,sensorId=b pm25=1 ${NOW - 86_400_000}`;
const SELECT = 'SELECT "journalSeq"::float FROM "air" WHERE time >= $from';
const good = { body: LINE };
const write = (server: Influx2, body: string, bucket = "readings") =>
  fetch(`${server.url}/api/v2/write?${new URLSearchParams({ org: "city", bucket, precision: "ms" })}`, {
    method: "POST",
    body,
    headers: { authorization: "Token operator" },
  });
const pm25 = { query: 'SELECT "pm25"::float FROM "air" WHERE time >= $from' };
const conflict = (field: string, type: string) => ({
  first: (server: Influx2) => write(server, `air,district=n,sensorId=c ${field}=${type} ${NOW}`),
});
const diskFull = (server: Influx2) => {
  server.state.diskFull = true;
};
const freed = async (server: Influx2) => {
  diskFull(server);
  await write(server, LINE);
  server.state.diskFull = false;
};
const trouble = (what: Parameters<Influx2["trouble"]>[0]) => ({
  ...good,
  first: (server: Influx2) => server.trouble(what),
});

/** Each case of the recording as it is asked of the scripted server. */
const ASKED: Readonly<Record<string, Ask>> = {
  "write: good": good,
  "query: good": { query: SELECT },
  "query: no such measurement": { query: 'SELECT "value"::float FROM "nothing" WHERE time >= $from' },
  "write: wrong token": { ...good, token: "wrong" },
  "query: wrong token": { query: SELECT, token: "wrong" },
  "query: no token": { query: SELECT, token: null },
  "write: no token": { ...good, token: null },
  "query: Basic auth of the setup user": { query: SELECT, basic: "city:password" },
  "write: read-only token": { ...good, token: "reader" },
  "query: read-only token": { query: SELECT, token: "reader" },
  "write: write-only token": { ...good, token: "writer" },
  "query: write-only token": { query: SELECT, token: "writer" },
  "write: read+write token of the bucket": { ...good, token: "both" },
  "query: read+write token of the bucket": { query: SELECT, token: "both" },
  "write: token of another bucket": { ...good, token: "other" },
  "query: token of another bucket": { query: SELECT, token: "other" },
  "write: inactive token": { ...good, token: "inactive" },
  "query: inactive token": { query: SELECT, token: "inactive" },
  "write: missing bucket": { ...good, params: { bucket: "nope" } },
  "query: missing bucket": { query: SELECT, params: { db: "nope" } },
  "write: missing org": { ...good, params: { org: "nobody" } },
  "write: no org given": { ...good, params: { org: undefined } },
  "write: no bucket given": { ...good, params: { bucket: undefined } },
  "write: bad precision": { ...good, params: { precision: "fortnights" } },
  "write: bad line alone": { body: "air,district=north sensorId" },
  "write: bad line between two good": { body: `${LINE}\nair,district=north,sensorId=x pm25=abc 1\n${LINE}` },
  "write: empty body": { body: "" },
  "write: blank lines": { body: "\n\n  \n" },
  "write: NaN": { body: `air,district=north,sensorId=a-2 pm25=NaN,receivedAt=${NOW},journalSeq=1 ${NOW}` },
  "write: time out of range": { body: "air,district=n,sensorId=b pm25=1 -9300000000000" },
  "write: time beyond int64 ms": { body: "air,district=n,sensorId=b pm25=1 99999999999999999999" },
  'write: text field first (o3="much")': { body: `air,district=n,sensorId=b o3="much" ${NOW}` },
  "write: field type conflict alone": {
    ...conflict("o3", '"much"'),
    body: `air,district=n,sensorId=b o3=1 ${NOW}`,
  },
  "write: field type conflict among good lines": {
    ...conflict("o3", '"much"'),
    body: `${LINE}\nair,district=n,sensorId=b o3=1 ${NOW}\n${LINE}`,
  },
  "(query: were the good lines of it kept?)": {
    ...pm25,
    first: async (server) => {
      await write(server, `air o3="much" ${NOW}`);
      await write(server, `air pm25=1 ${NOW}\nair o3=1 ${NOW}\nair pm25=1 ${NOW + 1}`);
    },
  },
  "write: integer field first (no2=1i)": { body: `air,district=n,sensorId=b no2=1i ${NOW}` },
  "write: float into it": { ...conflict("no2", "1i"), body: `air,district=n,sensorId=b no2=1 ${NOW}` },
  "(before) type conflict, so that the _monitoring bucket has its shard": {
    body: `air,district=n,sensorId=b pm25="x" ${NOW}`,
  },
  "write: one point beyond retention (1h)": { body: OLD, params: { bucket: "hour" } },
  "write: beyond retention among good lines": { body: `${LINE}\n${OLD}\n${LINE}`, params: { bucket: "hour" } },
  "query: parse error": { query: 'SELECT FROM "air"' },
  "query: CREATE DATABASE": { query: 'CREATE DATABASE "readings"' },
  "query: SHOW SERIES CARDINALITY": { query: "SHOW SERIES CARDINALITY" },
  "query: retention policy not found": { query: SELECT, params: { rp: "raw" } },
  "query: no db": { query: SELECT, params: { db: undefined } },
  "query: bucket db/rp with rp": { query: SELECT, params: { db: "metro", rp: "raw" } },
  "query: bucket db/rp as db without rp": { query: SELECT, params: { db: "metro/raw" } },
  "query: bucket a/b/c as db a rp b": { query: SELECT, params: { db: "a", rp: "b" } },
  "query: bucket a/b/c as db a rp b/c": { query: SELECT, params: { db: "a", rp: "b/c" } },
  "query: bucket a/b/c as db alone": { query: SELECT, params: { db: "a/b/c" } },
  "wrong path /api/v2/writ": { ...good, path: "/api/v2/writ" },
  "write: server not set up yet": { ...good, first: (server) => Object.assign(server.state, { setUp: false }) },
  "query: server not set up yet": {
    query: SELECT,
    first: (server) => Object.assign(server.state, { setUp: false }),
  },
  "write: bucket given by its id": { ...good, params: { bucket: "<bucket id>" } },
  "query: bucket given by its id": { query: SELECT, params: { db: "<bucket id>" } },
  "write: org given by its id": { ...good, params: { org: "<org id>" } },
  "write: operator token to the bucket of the same name in another org": { ...good, params: { org: "town" } },
  "query: the same token, no org given: whose bucket?": { query: SENSORS() },
  "query: with &org=town": { query: SENSORS(), params: { org: "town" } },
  "query: with &orgID=…": { query: SENSORS(), params: { orgID: "<town id>" } },
  "disk full (WAL): first refused write, n=37": { ...good, first: diskFull },
  "disk full: is the refused point visible?": {
    ...pm25,
    first: async (server) => {
      diskFull(server);
      await write(server, LINE);
    },
  },
  "disk full: 50th write after": {
    ...good,
    first: async (server) => {
      diskFull(server);
      await write(server, LINE);
    },
  },
  "disk full: GET /health": { path: "/health", first: diskFull },
  "disk freed: next write": { ...good, first: freed },
  "disk freed: 50th write after": { ...good, first: freed },
  "after a graceful restart: write": {
    ...good,
    first: async (server) => {
      await freed(server);
      server.restart();
    },
  },
  "cache-max-memory 200 kB: write": trouble("cacheLimit"),
  "storage-write-timeout 1ns: write": trouble("timeout"),
  "wal max-concurrent-writes 1 delay 1ns: write": trouble("busyLog"),
  "wal max-concurrent-writes 1 delay 1ns: 40 writes at once 500": trouble("busyLog"),
  "write: gzip header, not gzip": trouble("gzip"),
  "(on a Lamppost under load) disk full: write to a new shard": trouble("newShard"),
  "(on a Lamppost under load) after freeing: write": trouble("newShard"),
  "(on a Lamppost under load) 15 s after freeing: write": trouble("newShard"),
  "Flux queries, --query-concurrency 1 --query-queue-size 1, 40 at once": trouble("queueFull"),
};
function SENSORS(): string {
  return 'SELECT "sensorId"::tag, "pm25"::float FROM "air" WHERE time >= $from';
}

/** What the service never asks of 2.x, or what is about a server's own settings and has no words for us. */
const NOT_PLAYED =
  /^query DELETE|^\(on a Lamppost under load\) disk full: (?!write to)|\/write with a token|1\.x path|^influxql-max|^query concurrency|hardening|^http-write-timeout|^shutdown|: query (raw|buckets|newest)$|40 writes at once 204|count|64 MB|^write: (gzip|key of 66,000 bytes)$|^\(query: were the good lines kept\?\)$/;

describe.runIf(recorded.length > 0)("the scripted server and a real 2.7.12", () => {
  let server: Influx2;
  let ids: Record<string, string>;
  beforeEach(async () => {
    server = await startInflux2();
    const [city, town] = [server.addOrg("city"), server.addOrg("town")];
    const [bucket, other] = [server.addBucket("city", "readings"), server.addBucket("city", "other")];
    server.addBucket("city", "hour", 3_600_000);
    server.addBucket("town", "readings");
    for (const name of ["metro/raw", "a/b/c"]) server.addBucket("city", name);
    const token = (text: string, rights: object) => server.addToken({ text, org: "city", ...rights });
    token("operator", { operator: true });
    token("reader", { read: [bucket.id] });
    token("writer", { write: [bucket.id] });
    token("both", { read: [bucket.id], write: [bucket.id] });
    token("other", { read: [other.id], write: [other.id] });
    token("inactive", { read: [bucket.id], write: [bucket.id], active: false });
    ids = { "<bucket id>": bucket.id, "<org id>": city, "<town id>": town };
    await write(server, LINE);
  });
  afterEach(() => server.stop());

  it("plays every case of the recording that the service can meet", () => {
    const names = [...new Set(recorded.map((one) => one.case))];
    expect(names.filter((name) => !(name in ASKED) && !NOT_PLAYED.test(name))).toEqual([]);
    expect(Object.keys(ASKED).filter((name) => !names.includes(name))).toEqual([]);
    expect(Object.keys(ASKED).length).toBeGreaterThan(70);
  });

  it.each(Object.entries(ASKED))("%s", async (name, asked) => {
    await asked.first?.(server);
    const { query, body = "", token = "operator", basic } = asked;
    const from = new Date(NOW - 3_600_000).toISOString();
    const form = new URLSearchParams({ q: query ?? "", params: JSON.stringify({ from }) }).toString();
    const usual = query === undefined ? { org: "city", bucket: "readings", precision: "ms" } : { db: "readings" };
    const params = Object.entries({ ...usual, epoch: "ms", ...asked.params }).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, ids[value] ?? value]],
    );
    const path = asked.path ?? (query === undefined ? "/api/v2/write" : "/query");
    const authorization = basic
      ? `Basic ${Buffer.from(basic).toString("base64")}`
      : token === null
        ? undefined
        : `Token ${token}`;
    const health = path === "/health";
    const answered = await fetch(`${server.url}${path}?${new URLSearchParams(params)}`, {
      method: health ? "GET" : "POST",
      headers: {
        ...(authorization && { authorization }),
        ...(query !== undefined && { "content-type": "application/x-www-form-urlencoded" }),
      },
      ...(health ? {} : { body: query === undefined ? body : form }),
    });
    const given = comparable({ status: answered.status, body: await answered.text() });
    for (const { status = 0, body: real = "" } of all(name)) expect(given).toEqual(comparable({ status, body: real }));
  });
});

/** What the service makes of what the real one said: the cause it counts, alerts and advises by. */
const CAUSES: readonly [name: string, cause: StoreCause, kind: StoreError["kind"]][] = [
  ["write: wrong token", "token", "misconfigured"],
  ["write: no token", "token", "misconfigured"],
  ["write: server not set up yet", "token", "misconfigured"],
  ["write: read-only token", "permissions", "misconfigured"],
  ["write: token of another bucket", "permissions", "misconfigured"],
  ["write: inactive token", "token_inactive", "misconfigured"],
  ["write: missing bucket", "bucket_missing", "misconfigured"],
  ["write: no bucket given", "bucket_missing", "misconfigured"],
  ["write: missing org", "organisation_missing", "misconfigured"],
  ["write: no org given", "organisation_missing", "misconfigured"],
  ["write to 1.x path, missing db", "mapping", "misconfigured"],
  ["wrong path /api/v2/writ", "database_missing", "misconfigured"],
  ["write: bad precision", "syntax", "refused"],
  ["write: bad line alone", "syntax", "refused"],
  ["write: bad line between two good", "syntax", "refused"],
  ["write: NaN", "syntax", "refused"],
  ["write: time out of range", "syntax", "refused"],
  ["write: time beyond int64 ms", "syntax", "refused"],
  ["write: key of 66,000 bytes", "syntax", "refused"],
  ["write: field type conflict alone", "field_type", "misconfigured"],
  ["write: field type conflict among good lines", "field_type", "misconfigured"],
  ["(before) type conflict, so that the _monitoring bucket has its shard", "field_type", "misconfigured"],
  ["write: float into it", "field_type", "misconfigured"],
  ["write: one point beyond retention (1h)", "retention", "refused"],
  ["write: beyond retention among good lines", "retention", "refused"],
  ["write: gzip header, not gzip", "other", "unavailable"],
  ["disk full (WAL): first refused write, n=37", "log_not_written", "unavailable"],
  ["disk full: 50th write after", "log_not_written", "unavailable"],
  ["disk freed: next write", "log_not_written", "unavailable"],
  ["(on a Lamppost under load) disk full: write, first", "log_not_written", "unavailable"],
  ["(on a Lamppost under load) disk full: write to a new shard", "log_not_written", "unavailable"],
  ["cache-max-memory 200 kB: write", "cache_limit", "unavailable"],
  ["storage-write-timeout 1ns: write", "timeout", "unavailable"],
  ["wal max-concurrent-writes 1 delay 1ns: write", "timeout", "unavailable"],
  ["Flux queries, --query-concurrency 1 --query-queue-size 1, 40 at once", "busy", "unavailable"],
  ["query: wrong token", "token", "misconfigured"],
  ["query: no token", "token", "misconfigured"],
  ["query: inactive token", "token", "misconfigured"],
  ["query: write-only token", "database_missing", "misconfigured"],
  ["query: missing bucket", "database_missing", "misconfigured"],
  ["query: retention policy not found", "database_missing", "misconfigured"],
  ["query: no db", "database_missing", "misconfigured"],
  ["query DELETE: read-only token", "permissions", "misconfigured"],
  ["query DELETE: missing bucket", "mapping", "misconfigured"],
  ["query: parse error", "other", "unavailable"],
  ["influxql-max-select-series 1, point 10, buckets 5: query raw", "query_limit", "unavailable"],
  ["influxql-max-select-series 1, point 10, buckets 5: query buckets", "query_limit", "unavailable"],
  ["query concurrency 1 queue 1 memory 1024: 30 Flux queries at once 400", "query_limit", "unavailable"],
];

describe.runIf(recorded.length > 0)("what is made of the words of a real 2.7.12", () => {
  let server: Awaited<ReturnType<typeof startScriptedHttp>>;
  beforeAll(async () => {
    server = await startScriptedHttp(answer(204));
  });
  afterAll(() => server.stop());

  it.each(CAUSES)("%s: %s (%s)", async (name, reason, kind) => {
    const flavour = { token: "t", org: "city", bucket: "readings" };
    const client = createInfluxClient({ url: server.url, flavour, timeoutMs: 5_000 });
    const cases = all(name);
    expect(cases.length).toBeGreaterThan(0);
    for (const { status = 0, body = "", headers } of cases) {
      const { "content-length": _, "transfer-encoding": __, ...sent } = headers ?? {};
      server.play(answer(status, body, sent));
      const work = /query/.test(name)
        ? Array.fromAsync(client.query({ db: "readings" }, "SELECT"))
        : client.write(["air pm25=1"]);
      await expect(work).rejects.toMatchObject({ name: "StoreError", reason, kind });
    }
  });

  it("leaves out no refused write of it", () => {
    const refused = recorded.filter(({ case: name, status = 0 }) => status >= 400 && !/query/i.test(name));
    const names = new Set(CAUSES.map(([name]) => name));
    const words = new Set(CAUSES.flatMap(([name]) => all(name).map(({ body = "" }) => constant(body))));
    expect(refused.filter((one) => !names.has(one.case) && !words.has(constant(one.body ?? "")))).toEqual([]);
    expect(Object.keys(TROUBLES).length).toBeGreaterThan(5);
  });
});
