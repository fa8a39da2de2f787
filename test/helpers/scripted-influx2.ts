import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { answerSelect, type Bucket, type Measurement, parseSelect, seriesKey } from "./influxql.ts";
import { type Field, type Point, parseLines } from "./line-protocol.ts";
import { type Script, type SeenRequest, startScriptedHttp } from "./scripted-http.ts";

export type Token = {
  readonly text: string;
  readonly org: string;
  /** Bucket ids; an operator may do everything everywhere. */
  readonly read?: readonly string[];
  readonly write?: readonly string[];
  readonly operator?: boolean;
  readonly active?: boolean;
  /** Whether it may make mappings for the buckets it may write to. */
  readonly mayMap?: boolean;
};

export type Mapping = {
  readonly id: string;
  readonly orgID: string;
  readonly bucketID: string;
  readonly database: string;
  readonly retention_policy: string;
  readonly default: boolean;
  readonly virtual?: boolean;
};

const said = (code: string, message: string) => JSON.stringify({ code, message });
const iso = (time: number) => new Date(time).toISOString();
const internal = (words: string) => said("internal error", `unexpected error writing points to database: ${words}`);

const HEALTH = { name: "influxdb", message: "ready for queries and writes", status: "pass", checks: [] };

/** What a 2.7.12 said to writes when something was the matter with it. */
export const TROUBLES = {
  cacheLimit: [500, internal("engine: cache-max-memory-size exceeded: (240190/200000)")],
  timeout: [500, internal("timeout")],
  busyLog: [500, internal("engine: context deadline exceeded")],
  newShard: [
    500,
    internal(
      'not attempting to open shard 2; opening shard previously failed with: error loading series file for database "74835438f96d8155": write /var/lib/influxdb2/engine/data/_series/00/0000.initializing: no space left on device',
    ),
  ],
  gzip: [500, said("internal error", "An internal error has occurred - check server logs")],
  unauthorized: [401, said("unauthorized", "unauthorized access")],
  forbidden: [403, said("forbidden", "insufficient permissions for write")],
  rate: [429, said("too many requests", "org 1 has exceeded limited_write plan limit")],
  unavailable: [503, said("unavailable", "service unavailable")],
  queueFull: [400, said("invalid", "queue length exceeded")],
} as const satisfies Record<string, readonly [number, string]>;

/** Of those without an answer: `lost` did what was asked, and the answer never came. */
export type Trouble = keyof typeof TROUBLES | "frozen" | "cut" | "lost" | "slow";
const SLOW_MS = 100;
const NO_SPACE = "write /var/lib/influxdb2/engine/wal/6f2a921d1d69519a/autogen/2/_00001.wal: no space left on device";

/**
 * An InfluxDB 2.x as far as we use it, in memory: organisations, buckets with retention, tokens with rights, mappings,
 * writes, deletes and the InfluxQL we send, with the words of a real 2.7.12. Troubles are switched on and off.
 */
export async function startInflux2(port = 0) {
  const orgs = new Map<string, string>();
  const buckets: Bucket[] = [];
  const tokens = new Map<string, Token>();
  const mappings: Mapping[] = [];
  /** What is in the log, and so survives a restart. */
  let log: { readonly bucket: Bucket; redo(): void }[] = [];
  const state = {
    started: new Date(),
    setUp: true,
    diskFull: false,
    /** Since a write did not get into the log no write does, until the server is restarted. */
    logBroken: false,
    /** So many requests are answered, all others broken off. */
    answersLeft: undefined as number | undefined,
    trouble: undefined as
      | { readonly what: Trouble; readonly path: RegExp; readonly headers: Record<string, string> }
      | undefined,
  };
  const newId = () => randomBytes(8).toString("hex");

  // ---- what tests set up ---------------------------------------------------------------------------------------

  function addOrg(name: string): string {
    orgs.set(name, newId());
    return orgs.get(name)!;
  }
  function addBucket(org: string, name: string, retentionMs = 0): Bucket {
    const bucket: Bucket = { id: newId(), orgID: orgs.get(org)!, name, retentionMs, measurements: new Map() };
    buckets.push(bucket);
    return bucket;
  }
  function dropBucket(bucket: Bucket): void {
    buckets.splice(buckets.indexOf(bucket), 1);
    log = log.filter((one) => one.bucket !== bucket);
  }
  function addToken(token: Omit<Token, "org"> & { readonly org: string }): void {
    tokens.set(token.text, { ...token, org: orgs.get(token.org)! });
  }
  function addMapping(org: string, bucket: Bucket, database: string, policy = "autogen"): Mapping {
    const ids = { id: newId(), orgID: orgs.get(org)!, bucketID: bucket.id };
    const mapping = { ...ids, database, retention_policy: policy, default: true };
    mappings.push(mapping);
    return mapping;
  }

  // ---- who may what --------------------------------------------------------------------------------------------

  function tokenOf({ headers }: SeenRequest): Token | undefined {
    const [scheme = "", rest = ""] = (headers.authorization ?? "").split(/ (.*)/s);
    if (scheme === "Basic") return tokens.get(Buffer.from(rest, "base64").toString().split(":")[1] ?? "");
    return tokens.get(rest);
  }
  const mayRead = (token: Token, { id }: Bucket) => token.operator || token.read?.includes(id);
  const mayWrite = (token: Token, { id }: Bucket) => token.operator || token.write?.includes(id);

  type Answer = readonly [status: number, body: string];
  const notFound = (what: string): Answer => [404, said("not found", what)];

  /** Organisation and bucket of a write or a delete, by name or id. */
  function bucketOf(params: URLSearchParams): Bucket | Answer {
    const [org, name] = [params.get("org") ?? params.get("orgID"), params.get("bucket")];
    if (!org) return [400, said("invalid", "Please provide either orgID or org")];
    const orgID = orgs.get(org) ?? [...orgs.values()].find((id) => id === org);
    if (!orgID) return notFound(`organization name "${org}" not found`);
    if (!name) return notFound("bucket not found");
    const bucket = buckets.find((one) => one.orgID === orgID && (one.name === name || one.id === name));
    return bucket ?? notFound(`bucket "${name}" not found`);
  }

  // ---- writes and deletes --------------------------------------------------------------------------------------

  function write(request: SeenRequest, token: Token): Answer {
    const precision = request.params.get("precision") ?? "ns";
    if (!["ns", "us", "ms", "s"].includes(precision))
      return [400, said("invalid", "invalid precision; valid precision units are ns, us, ms, and s")];
    const bucket = bucketOf(request.params);
    if (!("id" in bucket)) return bucket;
    if (token.active === false)
      return [403, said("forbidden", "insufficient permissions for write: token is inactive")];
    if (!mayWrite(token, bucket)) return TROUBLES.forbidden;
    const parsed = parseLines(request.body, precision);
    if ("error" in parsed) return [400, said("invalid", parsed.error)];
    const { kept, complaint } = sift(bucket, parsed.points);
    // Into the cache first, then into the log: what cannot be logged can be seen all the same.
    const redo = () => {
      for (const point of kept) put(bucket, point);
    };
    redo();
    if (state.logBroken) return [500, internal(`engine: error writing WAL entry: ${NO_SPACE}`)];
    if (state.diskFull) {
      state.logBroken = true;
      return [500, internal(`engine: ${NO_SPACE}`)];
    }
    log.push({ bucket, redo });
    if (complaint) return [422, said("unprocessable entity", `failure writing points to database: ${complaint}`)];
    return [204, ""];
  }

  /** The good lines, and the first thing that was wrong with the others. */
  function sift(bucket: Bucket, points: readonly Point[]): { kept: Point[]; complaint?: string } {
    const oldest = bucket.retentionMs ? Date.now() - bucket.retentionMs : Number.NEGATIVE_INFINITY;
    const young = points.filter(({ time }) => time >= oldest);
    const old = points.length - young.length;
    let conflict: string | undefined;
    const types = new Map<string, string>();
    const kept = young.filter(({ measurement, fields }) => {
      for (const [name, { type }] of fields) {
        const key = `${measurement} ${name}`;
        const known = bucket.measurements.get(measurement)?.types.get(name) ?? types.get(key) ?? type;
        if (known !== type) {
          conflict ??= `input field "${name}" on measurement "${measurement}" is type ${type}, already exists as type ${known}`;
          return false;
        }
        types.set(key, type);
      }
      return true;
    });
    const dropped = points.length - kept.length;
    if (conflict) return { kept, complaint: `partial write: field type conflict: ${conflict} dropped=${dropped}` };
    if (old === 0) return { kept };
    const duration = `${bucket.retentionMs / 3_600_000}h0m0s`;
    const late = points.filter(({ time }) => time < oldest).sort((a, b) => a.time - b.time);
    const why = ({ measurement, tags, time }: Point) => {
      const key = [
        measurement,
        ...Object.entries(tags)
          .map(([name, value]) => `${name}=${value}`)
          .sort(),
      ].join();
      return `${key} at ${iso(time)} dropped because it violates a Retention Policy Lower Bound at ${iso(oldest)}`;
    };
    const complaint = `partial write: dropped ${old} points outside retention policy of duration ${duration} - oldest point ${why(late[0]!)}, newest point ${why(late.at(-1)!)} dropped=${dropped}`;
    return { kept, complaint: `${complaint} for database: ${bucket.id} for retention policy: autogen` };
  }

  function put(bucket: Bucket, { measurement, tags, fields, time }: Point): void {
    const fresh: Measurement = { types: new Map(), series: new Map() };
    const { types, series } = bucket.measurements.get(measurement) ?? fresh;
    bucket.measurements.set(measurement, { types, series });
    const key = seriesKey(tags);
    const one = series.get(key) ?? { tags, points: new Map<number, Map<string, Field["value"]>>() };
    series.set(key, one);
    const row = one.points.get(time) ?? new Map<string, Field["value"]>();
    one.points.set(time, row);
    for (const [name, { type, value }] of fields) {
      types.set(name, type);
      row.set(name, value);
    }
  }

  function remove(request: SeenRequest, token: Token): Answer {
    const bucket = bucketOf(request.params);
    if (!("id" in bucket)) return bucket;
    if (!mayWrite(token, bucket)) return [403, said("forbidden", "insufficient permissions to delete")];
    const { start, stop, predicate } = JSON.parse(request.body) as Record<"start" | "stop" | "predicate", string>;
    const wanted = [...predicate.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name!, value!] as const);
    const [from, to] = [Date.parse(start), Date.parse(stop)];
    const redo = () => {
      for (const [name, { series }] of bucket.measurements) {
        for (const { tags, points } of series.values()) {
          const fits = wanted.every(([key, value]) => (key === "_measurement" ? name : (tags[key] ?? "")) === value);
          if (fits) for (const time of points.keys()) if (time >= from && time <= to) points.delete(time);
        }
      }
    };
    redo();
    log.push({ bucket, redo });
    return [204, ""];
  }

  // ---- queries -------------------------------------------------------------------------------------------------

  function virtualMappings(): Mapping[] {
    return buckets.map(({ id, orgID, name }) => {
      const [database = "", policy] = name.split(/\/(.*)/s);
      return { id, orgID, bucketID: id, database, retention_policy: policy ?? "autogen", default: true, virtual: true };
    });
  }

  /** By mapping, in the token's own organisation: what stands in `org` and `orgID` does not matter. */
  function resolve(token: Token, db: string, rp: string | null): Bucket | string | undefined {
    const all = [...mappings, ...virtualMappings()].filter((one) => one.orgID === token.org && one.database === db);
    const fits = all.filter((one) => (rp === null ? one.default : one.retention_policy === rp));
    if (rp !== null && fits.length === 0 && all.length > 0) return `retention policy not found: ${rp}`;
    const bucket = buckets.find((one) => one.id === fits[0]?.bucketID);
    if (!bucket || !mayRead(token, bucket)) return `database not found: ${db}`;
    // A name with two slashes is found and has nothing in it.
    return bucket.name.split("/").length > 2 && fits[0]!.virtual ? undefined : bucket;
  }

  function query(request: SeenRequest, token: Token | undefined, response: ServerResponse): void {
    const form = new URLSearchParams(request.body);
    const values = JSON.parse(form.get("params") || "{}") as Record<string, string>;
    const results = (text: object) => `${JSON.stringify({ results: [text] })}\n`;
    if (!request.headers.authorization) return send(response, TROUBLES.unauthorized);
    if (!token || token.active === false) return send(response, [401, said("unauthorized", "Unauthorized")]);
    const [db, rp] = [request.params.get("db"), request.params.get("rp")];
    const chunk = Number(request.params.get("chunk_size") ?? 10_000);
    const statements = (form.get("q") ?? "").split(/;\s*/);
    const unparsed = statements.find(
      (text) => !/^\s*(SELECT .+ FROM|SHOW TAG VALUES FROM|DELETE|CREATE|SHOW)/s.test(text),
    );
    if (unparsed !== undefined) return send(response, [400, said("invalid", `failed to parse query: ${unparsed}`)]);
    let body = "";
    for (const [id, text] of statements.entries()) {
      const statement_id = id;
      const other = /^\s*(CREATE DATABASE|SHOW SERIES CARDINALITY)/.exec(text);
      const place = db ? resolve(token, db, rp) : "database name required";
      if (other) body += results({ statement_id, error: `not implemented: ${other[1]}` });
      else if (typeof place === "string") body += results({ statement_id, error: place });
      else if (!place) body += results({ statement_id });
      else {
        const series = answerSelect(place, parseSelect(text, values), chunk);
        for (const [n, one] of series.entries())
          body += results({ statement_id, series: [one], ...(n < series.length - 1 ? { partial: true } : {}) });
        if (series.length === 0) body += results({ statement_id });
      }
    }
    send(response, [200, body]);
  }

  // ---- the rest of the API -------------------------------------------------------------------------------------

  function api({ method, path, params, body }: SeenRequest, token: Token): Answer {
    const org = params.get("org");
    const orgID = params.get("orgID") ?? (org === null ? token.org : orgs.get(org));
    if (!orgID) return notFound(`organization name "${org}" not found`);
    const seen = buckets.filter((one) => one.orgID === orgID && mayRead(token, one));
    if (`${method} ${path}` === "GET /api/v2/orgs")
      return [
        200,
        JSON.stringify({ orgs: [...orgs].filter(([, id]) => id === orgID).map(([name, id]) => ({ name, id })) }),
      ];
    if (`${method} ${path}` === "GET /api/v2/buckets") {
      const found = seen.filter(({ name }) => name === (params.get("name") ?? name));
      const rules = (ms: number) => (ms ? [{ type: "expire", everySeconds: ms / 1_000 }] : []);
      const views = found.map(({ id, name, retentionMs }) => ({ id, orgID, name, retentionRules: rules(retentionMs) }));
      return [200, JSON.stringify({ buckets: views })];
    }
    if (`${method} ${path}` === "POST /api/v2/buckets") {
      if (!token.operator) return [403, said("forbidden", `write:orgs/${orgID}/buckets is unauthorized`)];
      const wanted = JSON.parse(body) as { name: string; orgID: string; retentionRules?: { everySeconds: number }[] };
      const { name, retentionRules = [] } = wanted;
      const ofOrg = [...orgs].find(([, one]) => one === wanted.orgID)![0];
      const { id } = addBucket(ofOrg, name, (retentionRules[0]?.everySeconds ?? 0) * 1_000);
      return [201, JSON.stringify({ id, orgID, name, retentionRules })];
    }
    if (`${method} ${path}` === "GET /api/v2/dbrps") {
      const of = [...mappings, ...virtualMappings()].filter((one) => one.orgID === orgID);
      const content = of.filter(
        (one) => seen.some(({ id }) => id === one.bucketID) && one.database === (params.get("db") ?? one.database),
      );
      return [200, JSON.stringify({ content })];
    }
    if (`${method} ${path}` === "POST /api/v2/dbrps") {
      if (!token.operator && !token.mayMap) return [403, said("forbidden", "insufficient permissions for write")];
      const wanted = JSON.parse(body) as Omit<Mapping, "id">;
      mappings.push({ ...wanted, id: newId() });
      return [201, JSON.stringify(mappings.at(-1))];
    }
    return [404, '{\n\t"code": "not found",\n\t"message": "path not found"\n}'];
  }

  function send(response: ServerResponse, [status, body]: Answer, more: Record<string, string> = {}): void {
    const type = { "content-type": "application/json; charset=utf-8" };
    const version = { "x-influxdb-build": "OSS", "x-influxdb-version": "v2.7.12" };
    response.writeHead(status, { ...version, ...(body ? type : {}), ...more });
    response.end(body);
  }

  const script: Script = (request, response) => {
    if (state.answersLeft === 0) return void response.destroy();
    if (state.answersLeft !== undefined) state.answersLeft -= 1;
    const { trouble } = state;
    if (!trouble?.path.test(request.path)) return serve(request, response);
    if (trouble.what === "frozen") return;
    if (trouble.what === "slow") return void setTimeout(serve, SLOW_MS, request, response);
    if (trouble.what === "cut") return void response.destroy();
    if (trouble.what !== "lost") return send(response, TROUBLES[trouble.what], trouble.headers);
    const token = tokenOf(request);
    if (token && request.path === "/api/v2/write") write(request, token);
    response.destroy();
  };
  const serve: Script = (request, response) => {
    const { path, headers } = request;
    if (path === "/ready")
      return send(response, [200, JSON.stringify({ status: "ready", started: state.started, up: "1m" })]);
    if (path === "/ping") return send(response, [204, ""]); // every answer names the version
    if (path === "/health") return send(response, [200, JSON.stringify(HEALTH)]);
    if (path === "/api/v2/setup") return send(response, [200, JSON.stringify({ allowed: !state.setUp })]);
    const token = state.setUp ? tokenOf(request) : undefined;
    if (path === "/query") return query(request, token, response);
    if (!token || !headers.authorization) return send(response, TROUBLES.unauthorized);
    if (path === "/api/v2/write") return send(response, write(request, token));
    if (token.active === false) return send(response, [401, said("unauthorized", "unauthorized access")]);
    send(response, path === "/api/v2/delete" ? remove(request, token) : api(request, token));
  };
  const server = await startScriptedHttp(script, port);

  return {
    ...server,
    addOrg,
    addBucket,
    dropBucket,
    addToken,
    addMapping,
    mappings,
    buckets,
    state,
    /** Until `undefined`; by default for writes only. */
    trouble(what: Trouble | undefined, path = /^\/api\/v2\/write$/, headers: Record<string, string> = {}) {
      state.trouble = what && { what, path, headers };
    },
    /** Until `undefined`. */
    cutAfter(answers: number | undefined) {
      state.answersLeft = answers;
    },
    /** What was in memory only is gone; a log that could not be written can be again if the disk has room. */
    restart() {
      for (const bucket of buckets) bucket.measurements.clear();
      for (const { redo } of log) redo();
      state.started = new Date(state.started.getTime() + 60_000);
      state.logBroken = false;
    },
    /** Points with a field of the name, over all measurements. */
    count(bucket: Bucket, field: string): number {
      let sum = 0;
      for (const { series } of bucket.measurements.values())
        for (const { points } of series.values()) for (const row of points.values()) if (row.has(field)) sum += 1;
      return sum;
    },
  };
}

export type Influx2 = Awaited<ReturnType<typeof startInflux2>>;
