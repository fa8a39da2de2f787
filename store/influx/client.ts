import { InfluxDB, type Transport } from "@influxdata/influxdb-client";
import { isId } from "../../model/ids.ts";
import type { Kind } from "../../model/kinds.ts";
import { METRICS_OF, type MetricName } from "../../model/metrics.ts";
import type { Quality, Reading, Values } from "../../model/reading.ts";
import { type Bucket, StoreError } from "../reading-store.ts";
import { queryError, toStoreError } from "./causes.ts";
import { toTime } from "./influxql.ts";
import { parseReceipt, SUSPECT } from "./lines.ts";

export type InfluxFlavour =
  /** 2.x and later. */
  | { readonly token: string; readonly org: string; readonly bucket: string }
  /** 1.x. */
  | { readonly database: string; readonly username?: string; readonly password?: string };

export type Series = {
  readonly name: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly values: readonly (readonly (string | number | null)[])[];
};

/** What InfluxQL calls a place. On 2.x a mapping of the server says which bucket that is. */
export type Target = { readonly db: string; readonly rp?: string | undefined };

export type Requests = {
  /** One request. Throws `StoreError`. */
  write(lines: readonly string[]): Promise<void>;
  /**
   * InfluxQL with bound values; the answer comes in parts of at most 5,000 rows. `patience` is how many times the usual
   * limit each part may take. Throws `StoreError`, or the reason of the signal.
   */
  query(
    text: string,
    values?: Readonly<Record<string, string>>,
    patience?: number,
    signal?: AbortSignal,
  ): AsyncGenerator<Series>;
  /**
   * Removes what one mark has in a measurement from before a time (epoch milliseconds), or of one sensor from `from` on.
   * Throws `StoreError`.
   */
  remove(points: RemovedPoints): Promise<void>;
};

type RemovedPoints = {
  readonly measurement: string;
  readonly mark: string;
  readonly before: number;
  /** An id: nothing in it needs escaping. */
  readonly sensorId?: string;
  readonly from?: number;
};

export type InfluxClient = {
  write: Requests["write"];
  query(target: Target, ...question: Parameters<Requests["query"]>): AsyncGenerator<Series>;
  remove(target: Target, ...points: Parameters<Requests["remove"]>): Promise<void>;
  /** JSON of the API of 2.x. Throws `StoreError`. */
  api(method: "GET" | "POST", path: string, body?: unknown): Promise<unknown>;
  /** What the server says of itself without any account. Throws `StoreError`. */
  ping(): Promise<Pong>;
  /** When the server was started, epoch milliseconds; undefined where it does not say. Throws `StoreError`. */
  startedAt(): Promise<number | undefined>;
};

/** `date`: its clock, epoch milliseconds in whole seconds. */
type Pong = { readonly version: string | undefined; readonly date: number | undefined };

export const targetName = ({ db, rp }: Target): string => (rp === undefined ? db : `${db}, retention policy ${rp}`);

/** Rows the server may put in one part of an answer. */
const PART_ROWS_MAX = 5_000;
/** Smaller bodies are not worth packing; on the same machine none is (it costs 10-40 % of the speed). */
const GZIP_FROM_BYTES = 1_000;

type ClientOptions = { readonly url: string; readonly flavour: InfluxFlavour; readonly timeoutMs: number };

/**
 * The two requests we need, on the transport of the official client. Its `WriteApi` is left aside: it buffers, retries
 * and drops on its own, and our journal does that better. No answer within `timeoutMs` is "unavailable".
 */
export function createInfluxClient({ url, flavour, timeoutMs }: ClientOptions): InfluxClient {
  const authorization = authorizationOf(flavour);
  const headers: Record<string, string> = authorization ? { authorization } : {};
  // The client's own timeout would count a slow reader of ours as a slow server, so it is off.
  const { transport } = new InfluxDB({ url, timeout: 0, headers });
  const local = /^(127\.|localhost$|\[::1\]$)/.test(new URL(url).hostname);
  const gzip = local ? {} : { gzipThreshold: GZIP_FROM_BYTES };
  const writePath = writePathOf(flavour);

  async function* query(
    target: Target,
    text: string,
    values: Readonly<Record<string, string>> = {},
    patience = 1,
    leaving?: AbortSignal,
  ): AsyncGenerator<Series> {
    leaving?.throwIfAborted();
    const watchdog = createWatchdog(timeoutMs * patience);
    const signal = leaving ? AbortSignal.any([watchdog.signal, leaving]) : watchdog.signal;
    const body = new URLSearchParams({ q: text, params: JSON.stringify(values) }).toString();
    const form = { "content-type": "application/x-www-form-urlencoded" };
    const options = { method: "POST", headers: form, signal };
    try {
      const bytes = transport.iterate(queryPathOf(target), body, options);
      for await (const line of splitLines(watchdog.watch(bytes))) yield* seriesOf(line);
    } catch (error) {
      leaving?.throwIfAborted();
      if (watchdog.signal.aborted) throw tooSlow(timeoutMs * patience, error);
      const known = toStoreError(error, Date.now());
      throw known.kind === "refused" ? queryError(known.message, 400) : known;
    }
  }

  async function request(method: "GET" | "POST", path: string, body: unknown = "", patience = 1): Promise<unknown> {
    const signal = AbortSignal.timeout(timeoutMs * patience);
    const text = typeof body === "string" ? body : JSON.stringify(body);
    try {
      return await transport.request(path, text, { method, signal, headers: { "content-type": "application/json" } });
    } catch (error) {
      throw signal.aborted ? tooSlow(timeoutMs * patience, error) : toStoreError(error, Date.now());
    }
  }

  return {
    write: (lines) => sendLines(transport, writePath, lines.join("\n"), { ...gzip, timeoutMs }),
    query,
    async remove(target, { measurement, mark, before, sensorId, from }) {
      if (sensorId !== undefined && !isId(sensorId)) throw new RangeError("not the id of a sensor");
      if ("token" in flavour) {
        const { org, bucket } = flavour;
        // Whether its end belongs to the range has changed between versions; no point of ours stands on it.
        const stop = toTime(before - 1).replace("Z", "999999Z");
        const start = from === undefined ? OLDEST : toTime(from);
        const ofSensor = sensorId === undefined ? "" : ` AND sensorId="${sensorId}"`;
        const predicate = `_measurement="${measurement}" AND installation="${mark}"${ofSensor}`;
        const points = { start, stop, predicate };
        await request("POST", `/api/v2/delete?${new URLSearchParams({ org, bucket })}`, points, REMOVAL_PATIENCE);
        return;
      }
      const since = from === undefined ? "" : " AND time >= $since";
      const ofSensor = sensorId === undefined ? "" : ' AND "sensorId"::tag = $sensorId';
      const text = `DELETE FROM "${measurement}" WHERE time < $time AND "installation"::tag = $mark${since}${ofSensor}`;
      const values = {
        time: toTime(before),
        mark,
        ...(from === undefined ? {} : { since: toTime(from) }),
        ...(sensorId === undefined ? {} : { sensorId }),
      };
      for await (const _ of query(target, text, values, REMOVAL_PATIENCE));
    },
    api: request,
    ping: () => ping(transport, timeoutMs),
    async startedAt() {
      // Both are open to everyone. A proxy may let only some paths through: then nothing is known.
      const path = "token" in flavour ? "/ready" : "/debug/vars";
      const said: unknown = await request("GET", path).catch((error: StoreError) => {
        if (error.kind === "unavailable") throw error;
        return {};
      });
      const { started, system } = (said ?? {}) as { started?: unknown; system?: { started?: unknown } };
      const at = Date.parse(String(started ?? system?.started));
      return Number.isNaN(at) ? undefined : at;
    },
  };
}

function ping(transport: Transport, timeoutMs: number): Promise<Pong> {
  const signal = AbortSignal.timeout(timeoutMs);
  return new Promise((resolve, reject) => {
    let pong: Pong = { version: undefined, date: undefined };
    const fail = (error: Error) => reject(signal.aborted ? tooSlow(timeoutMs, error) : toStoreError(error, Date.now()));
    const observer = {
      responseStarted(headers: Readonly<Record<string, string | string[] | undefined>>) {
        const date = Date.parse(String(headers.date));
        const version = headers["x-influxdb-version"];
        pong = {
          version: version === undefined ? undefined : String(version).slice(0, 40),
          date: Number.isNaN(date) ? undefined : date,
        };
      },
      next: () => {},
      error: fail,
      complete: () => resolve(pong),
    };
    transport.send("/ping", "", { method: "GET", signal }, observer);
  });
}

/** The oldest time of InfluxDB. */
const OLDEST = "1677-09-21T00:12:43.145224194Z";
const REMOVAL_PATIENCE = 12;

function sendLines(
  transport: Transport,
  path: string,
  body: string,
  { timeoutMs, ...packing }: { readonly timeoutMs: number; readonly gzipThreshold?: number },
): Promise<void> {
  const signal = AbortSignal.timeout(timeoutMs);
  const headers = { "content-type": "text/plain; charset=utf-8" };
  return new Promise((resolve, reject) => {
    let status = 0;
    const fail = (error: StoreError) => reject(signal.aborted ? tooSlow(timeoutMs, error) : error);
    transport.send(
      path,
      body,
      { method: "POST", headers, signal, ...packing },
      {
        responseStarted: (_headers, statusCode) => {
          status = statusCode ?? 0;
        },
        next: () => {},
        error: (error) => fail(toStoreError(error, Date.now())),
        // Only this status means "kept": a login page of some proxy is a 200, too.
        complete: () => (status === 204 ? resolve() : fail(unexpected(status))),
      },
    );
  });
}

function authorizationOf(flavour: InfluxFlavour): string | undefined {
  if ("token" in flavour) return `Token ${flavour.token}`;
  const { username, password = "" } = flavour;
  return username === undefined ? undefined : `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function writePathOf(flavour: InfluxFlavour): string {
  if (!("token" in flavour)) return `/write?${new URLSearchParams({ db: flavour.database, precision: "ms" })}`;
  const { org, bucket } = flavour;
  return `/api/v2/write?${new URLSearchParams({ org, bucket, precision: "ms" })}`;
}

function queryPathOf({ db, rp }: Target): string {
  const chunks = { epoch: "ms", chunked: "true", chunk_size: String(PART_ROWS_MAX) };
  return `/query?${new URLSearchParams({ db, ...(rp === undefined ? {} : { rp }), ...chunks })}`;
}

const tooSlow = (timeoutMs: number, cause?: unknown) =>
  new StoreError("unavailable", `InfluxDB gave no answer within ${timeoutMs} ms`, { cause, reason: "timeout" });
const unexpected = (status: number) =>
  new StoreError("misconfigured", `the server answered ${status} where InfluxDB answers 204 (check INFLUX_URL)`, {
    reason: "proxy",
  });

/** HTTP 200 does not mean success: an error stands inside, or the answer was cut off at a limit of the server. */
function* seriesOf(line: string): Generator<Series> {
  const answer = parseAnswer(line);
  if (answer.error !== undefined) throw queryError(answer.error);
  for (const result of answer.results ?? []) {
    if (result.error !== undefined) throw queryError(result.error);
    yield* result.series ?? [];
  }
}

type Answer = {
  readonly error?: string;
  readonly results?: readonly { readonly error?: string; readonly series?: readonly Series[] }[];
};

function parseAnswer(line: string): Answer {
  try {
    return JSON.parse(line) as Answer;
  } catch (cause) {
    throw new StoreError("unavailable", "the answer of InfluxDB is not JSON or breaks off", {
      cause,
      reason: "unreachable",
    });
  }
}

/** Aborts when the server keeps us waiting; the time our own reader takes does not count. */
function createWatchdog(timeoutMs: number) {
  const controller = new AbortController();
  async function* watch(bytes: AsyncIterableIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
    let timer = setTimeout(() => controller.abort(), timeoutMs);
    try {
      for await (const part of bytes) {
        clearTimeout(timer);
        yield part;
        timer = setTimeout(() => controller.abort(), timeoutMs);
      }
    } finally {
      clearTimeout(timer);
    }
  }
  return { signal: controller.signal, watch };
}

type Cell = string | number | null | undefined;

/**
 * Rows of a raw SELECT as readings, with their bookkeeping in the column `receipt`. Columns, and whole rows, that we did
 * not write are passed over.
 */
export function readingsOfSeries(kind: Kind, series: Series, receipt: string): Reading[] {
  const place = new Map(series.columns.map((name, index) => [name, index]));
  const present = METRICS_OF[kind]
    .map((metric) => ({ metric, good: place.get(metric) ?? -1, suspect: place.get(metric + SUSPECT) ?? -1 }))
    .filter(({ good, suspect }) => good >= 0 || suspect >= 0);
  const receiptAt = place.get(receipt) ?? -1;
  return series.values.flatMap((row) => {
    const cell = (name: string): Cell => series.tags?.[name] ?? row[place.get(name) ?? -1];
    const told = parseReceipt(row[receiptAt]);
    const sensorId = String(cell("sensorId") ?? "");
    const district = String(cell("district") ?? "");
    if (!told || !isId(sensorId) || !isId(district)) return [];
    const values: Values = {};
    const quality: Quality = {};
    for (const { metric, good, suspect } of present) {
      const flagged = row[suspect];
      if (typeof row[good] === "number") values[metric] = row[good];
      else if (typeof flagged === "number") {
        values[metric] = flagged;
        quality[metric] = "suspect";
      }
    }
    return {
      sensorId,
      kind,
      district,
      measuredAt: Number(cell("time")),
      values,
      ...told,
      ...(Object.keys(quality).length > 0 ? { quality } : {}),
    };
  });
}

/** Rows of `aggregates` or `rollups`: after the time four columns for each metric. */
export function bucketsOfSeries(series: Series, metrics: readonly MetricName[]): Bucket[] {
  return series.values.flatMap((row) => {
    const values: Record<string, Bucket["values"][MetricName]> = {};
    for (const [index, metric] of metrics.entries()) {
      const [mean, min, max, count] = row.slice(1 + index * 4) as [number, number, number, number | null];
      if (count) values[metric] = { mean, min, max, count };
    }
    return Object.keys(values).length > 0 ? [{ start: Number(row[0]), values }] : [];
  });
}

/** Text lines of a byte stream, without empty ones. Holds one line at a time. */
export async function* splitLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let pieces: string[] = [];
  for await (const part of bytes) {
    const lines = decoder.decode(part, { stream: true }).split("\n");
    const rest = lines.pop()!;
    for (const line of lines) {
      const whole = pieces.join("") + line;
      pieces = [];
      if (whole.trim() !== "") yield whole;
    }
    pieces.push(rest);
  }
  const last = pieces.join("") + decoder.decode();
  if (last.trim() !== "") yield last;
}
