import { HttpError } from "@influxdata/influxdb-client";
import { isKind } from "../../model/kinds.ts";
import { metricRowOf } from "../../model/metrics.ts";
import { type MetricKey, type StoreCause, StoreError, type StoreErrorKind } from "../reading-store.ts";
import { SUSPECT } from "./lines.ts";

type Row = {
  /** HTTP status; absent: any, also that of an error inside a 200. */
  readonly status?: readonly number[];
  /** What the server says. */
  readonly words?: RegExp;
  readonly cause: StoreCause;
  readonly kind: StoreErrorKind;
  /** What the operator can do about it, by the names of our settings. */
  readonly advice?: string;
  /** Where these words were seen, or stand in the source. */
  readonly versions: string;
};

const TOKEN = "check INFLUX_TOKEN, or INFLUX_USERNAME and INFLUX_PASSWORD";
const RIGHTS =
  "the account needs the right to read and to write there, which a dropped database takes along: give it both, or use another";
const RESTART =
  "influxd could not write its log: readings it seems to have are lost when it stops; free its disk, then restart influxd";

/**
 * What InfluxDB says, and what it means; the first row that fits counts. On 422 2.x has kept the good lines of the batch,
 * on 400 none of them; 1.x keeps the good ones of a 400. Either way a batch may be sent again: a line written twice is one.
 */
const CAUSES: readonly Row[] = [
  // Before all others: the words of one row may stand inside the words of another, "timeout" in the name of a bucket.
  {
    words: /no space left on device|error writing WAL entry|opening shard previously failed|disk quota exceeded/i,
    cause: "log_not_written",
    kind: "unavailable",
    advice: RESTART,
    versions: "1.6 1.8 2.7",
  },
  {
    words: /read-only file system|input\/output error|too many open files/i,
    cause: "log_not_written",
    kind: "unavailable",
    advice: RESTART,
    versions: "1.6 1.8 2.7 (errors of Linux)",
  },
  {
    words: /cache-max-memory-size exceeded/,
    cause: "cache_limit",
    kind: "unavailable",
    advice: "it takes more when its cache is written",
    versions: "1.6 2.7",
  },
  {
    words: /field type conflict|column type mismatch|invalid column type for column/i,
    status: [400, 422],
    cause: "field_type",
    kind: "misconfigured",
    versions: "1.6 1.8 2.7 2.9 3",
    advice:
      "somebody wrote it there first: use a bucket of our own, or wait for the next shard (docs/influxdb.md says how else, under Types)",
  },
  {
    words: /points beyond retention policy|outside retention policy|violates a Retention Policy/i,
    cause: "retention",
    kind: "refused",
    advice:
      "measured before what the bucket or policy keeps: give it a longer retention, then drive these again from the quarantine",
    versions: "1.6 1.8 2.7",
  },
  {
    words: /max-(series|values)-per-/,
    cause: "series_limit",
    kind: "misconfigured",
    advice: "check the server's settings",
    versions: "1.6 1.8",
  },
  {
    words: /max-select-(series|point|buckets) limit|memory allocation limit/,
    cause: "query_limit",
    kind: "unavailable",
    advice: "ask for less, or raise the server's limit",
    versions: "1.6 2.7",
  },
  { words: /queue length exceeded/, cause: "busy", kind: "unavailable", versions: "2.7 (as a 400)" },
  {
    words: /client sent an HTTP request to an HTTPS server|plain HTTP request was sent to HTTPS port/i,
    cause: "tls",
    kind: "misconfigured",
    versions: "all behind TLS",
    advice: "the server speaks TLS: INFLUX_URL must begin with https://",
  },
  {
    words: /token is inactive/,
    cause: "token_inactive",
    kind: "misconfigured",
    advice: "INFLUX_TOKEN is switched off: activate it",
    versions: "2.7",
  },
  {
    words: /token is expired/i,
    cause: "token",
    kind: "misconfigured",
    advice: TOKEN,
    versions: "1.6 1.8 3",
  },
  {
    words: /not authorized|insufficient permissions|authorization failed for|unauthorized to (read|write)/i,
    status: [200, 400, 403],
    cause: "permissions",
    kind: "misconfigured",
    advice: RIGHTS,
    versions: "1.6 1.8 2.7",
  },
  {
    words: /organization (name )?.*not found|provide either orgID or org/,
    cause: "organisation_missing",
    kind: "misconfigured",
    advice: "check INFLUX_ORG",
    versions: "2.7",
  },
  {
    words: /bucket .*not found/,
    cause: "bucket_missing",
    kind: "misconfigured",
    versions: "2.7 2.9",
    advice: "there is no such bucket in INFLUX_ORG: make it, or check INFLUX_BUCKET",
  },
  {
    words: /dbrp mapping|default retention policy not set/,
    cause: "mapping",
    kind: "misconfigured",
    advice: "check INFLUX_BUCKET",
    versions: "2.0 2.7",
  },
  {
    words: /database (is required|name required|.*not found)|retention policy not found/,
    cause: "database_missing",
    kind: "misconfigured",
    versions: "1.6 1.8 2.7",
    advice: "it is gone, or the name is wrong: make it, or check INFLUX_DATABASE (2.x: INFLUX_ORG and INFLUX_BUCKET)",
  },
  { words: /hinted handoff|partial write/, status: [500], cause: "busy", kind: "unavailable", versions: "1.x cluster" },
  {
    words: /\btimeout\b|timed out|deadline exceeded|context canceled/i,
    status: [200, 408, 500, 503, 504],
    cause: "timeout",
    kind: "unavailable",
    versions: "1.6 2.7",
  },
  { status: [401], cause: "token", kind: "misconfigured", advice: TOKEN, versions: "all" },
  { status: [403], cause: "permissions", kind: "misconfigured", advice: RIGHTS, versions: "all" },
  {
    status: [404],
    cause: "database_missing",
    kind: "misconfigured",
    versions: "all",
    advice: "check INFLUX_URL, and INFLUX_ORG and INFLUX_BUCKET or INFLUX_DATABASE",
  },
  { status: [408], cause: "timeout", kind: "unavailable", versions: "proxies" },
  { status: [413], cause: "too_large", kind: "too_large", versions: "1.6 3, proxies" },
  { status: [429], cause: "rate", kind: "unavailable", versions: "cloud, proxies" },
  { status: [503], cause: "rate", kind: "unavailable", versions: "cloud, proxies" },
];

const WORDS_MAX = 500;

/** What InfluxDB's answer, or its absence, means to the writer. */
export function toStoreError(error: unknown, now: number): StoreError {
  if (error instanceof StoreError) return error;
  if (!(error instanceof HttpError)) return noAnswer(error);
  const words = serverWords(error);
  const { cause, kind, advice } = rowOf(error, words);
  const hint = advice ? ` (${advice})` : "";
  return new StoreError(kind, `InfluxDB answered ${error.statusCode}: ${shortened(words)}${hint}`, {
    cause: error,
    reason: cause,
    metrics: cause === "field_type" ? metricsIn(words) : [],
    retryAfterMs: parseRetryAfter(headerOf(error, "retry-after"), now),
  });
}

/** 1.x repeats the whole statement: nobody reads what stands behind it. */
const shortened = (words: string) => words.replace(/(execute statement '\S+ \S{0,12})[^']*(?='|$)/, "$1 …");

function rowOf(error: HttpError, words: string): Pick<Row, "cause" | "kind" | "advice"> {
  const status = error.statusCode;
  const row = CAUSES.find((one) => fits(one, status, words));
  if (row) return row;
  const own = isInflux(error);
  // Only InfluxDB itself can say that a reading is bad: the 400 of a proxy is about the request, and all would go out.
  if ((status === 400 || status === 422) && own) return { cause: "syntax", kind: "refused" };
  if (status === 400 || status === 422) return { cause: "proxy", kind: "misconfigured", advice: "check INFLUX_URL" };
  if (status >= 500) return { cause: own ? "other" : "proxy", kind: "unavailable" };
  return { cause: "proxy", kind: "misconfigured", advice: "check INFLUX_URL: is this InfluxDB?" };
}

const fits = ({ status, words }: Row, given: number, said: string) =>
  (status?.includes(given) ?? true) && (words?.test(said) ?? true);

/** An error inside a 200 answer. Reads never answer `refused`: there is no reading at fault. */
export function queryError(words: string, status = 200): StoreError {
  const row = CAUSES.find((one) => fits(one, status, words));
  const kind = row?.kind === "misconfigured" ? "misconfigured" : "unavailable";
  const hint = row?.advice ? ` (${row.advice})` : "";
  const text = `InfluxDB could not answer the query: ${words.slice(0, WORDS_MAX)}${hint}`;
  return new StoreError(kind, text, { reason: row?.cause ?? "other" });
}

/** Node's and OpenSSL's codes where one side speaks TLS and the other does not, or a certificate is not trusted. */
const TLS_CODES = /^(EPROTO|HPE_|ERR_SSL_|ERR_TLS_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

function noAnswer(error: unknown): StoreError {
  const { code = "", message = String(error), name = "" } = error as { code?: string; message?: string; name?: string };
  const text = message || code || name;
  if (TLS_CODES.test(code)) {
    const advice = "check whether INFLUX_URL must begin with http:// or https://, and its certificate";
    return new StoreError("misconfigured", `no TLS with InfluxDB: ${text} (${advice})`, {
      cause: error,
      reason: "tls",
    });
  }
  return new StoreError("unavailable", `InfluxDB does not answer: ${text}`, { cause: error, reason: "unreachable" });
}

const CONFLICT = /input field \\?"([^"\\]+)\\?" on measurement \\?"([^"\\]+)\\?"/g;

const SUSPECT_END = new RegExp(`${SUSPECT}$`);

/** The metrics a type conflict names, of readings or rollups; each answer names one. What is not ours is left out. */
function metricsIn(words: string): MetricKey[] {
  return [...words.matchAll(CONFLICT)].flatMap(([, field = "", measurement = ""]) => {
    const rollup = /^(.+)_(?:hourly|daily)$/.exec(measurement);
    const kind = rollup?.[1] ?? measurement;
    const metric = field.replace(rollup ? /(Sum|Min|Max|Count)$/ : SUSPECT_END, "");
    return isKind(kind) && metricRowOf(kind, metric) ? [`${kind}.${metric}` as MetricKey] : [];
  });
}

/** Its words are JSON; a header of its own is as good, whatever has become of them. */
const isInflux = ({ json, headers }: HttpError): boolean =>
  headers?.["x-influxdb-version"] !== undefined ||
  (typeof json === "object" && json !== null && ("error" in json || "message" in json));

/** 1.x says `{"error":…}`, 2.x `{"code":…,"message":…}`, 3 has each line's own words in `data`; a proxy sends a page. */
function serverWords(error: HttpError): string {
  const json: unknown = error.json;
  const said = typeof json === "object" && json !== null ? { ...json } : {};
  const { error: v1, message: v2, data } = said as { error?: unknown; message?: unknown; data?: unknown };
  const v3: unknown = Array.isArray(data) ? data[0]?.error_message : undefined;
  const words = [v3, v1, v2, error.body, error.statusMessage].find((text) => typeof text === "string" && text !== "");
  return String(words ?? "no words").slice(0, WORDS_MAX);
}

function headerOf(error: HttpError, name: string): string | undefined {
  const value = error.headers?.[name];
  return Array.isArray(value) ? value[0] : value;
}

/** RFC 9110, 10.2.3: whole seconds or a date. (The client's own `retryAfter()` takes the seconds for milliseconds.) */
export function parseRetryAfter(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(text)) return Number(text) * 1_000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
