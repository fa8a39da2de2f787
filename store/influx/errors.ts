import { HttpError } from "@influxdata/influxdb-client";
import { StoreError, type StoreErrorKind } from "../reading-store.ts";

/** Refused not for what the lines say but for how the server or we are set up: no reading is at fault. */
const SETTINGS_WORDS = /max-(series|values)-per-|database is required|(database|retention policy|bucket) not found/;
const WORDS_MAX = 500;

/**
 * What InfluxDB's answer means to the writer. 1.x and 2.x differ in one point a caller must bear: on 400/422 1.x has
 * kept the good lines of the batch, 2.x has kept none. Either way halves may be sent again: a line written twice is one.
 */
export function toStoreError(error: unknown, now: number): StoreError {
  if (error instanceof StoreError) return error;
  if (!(error instanceof HttpError)) {
    const text = error instanceof Error ? error.message || error.name : String(error);
    return new StoreError("unavailable", `InfluxDB does not answer: ${text}`, { cause: error });
  }
  const words = serverWords(error);
  const kind = kindOf(error.statusCode, words, isInflux(error));
  const hint = kind === "misconfigured" ? ` (${hintFor(error.statusCode)})` : "";
  return new StoreError(kind, `InfluxDB answered ${error.statusCode}: ${words}${hint}`, {
    cause: error,
    retryAfterMs: parseRetryAfter(headerOf(error, "retry-after"), now),
  });
}

function kindOf(status: number, words: string, isInflux: boolean): StoreErrorKind {
  if (SETTINGS_WORDS.test(words)) return "misconfigured";
  // Only InfluxDB itself can say that a reading is bad: the 400 of a proxy is about the request, and all would go out.
  if (status === 400 || status === 422) return isInflux ? "refused" : "misconfigured";
  if (status === 413) return "too_large";
  // A 500 may also be "hinted handoff queue not empty": a cluster that has the lines, but not yet where they belong.
  if (status === 408 || status === 429 || status >= 500) return "unavailable";
  // 401, 403, 404 and what no InfluxDB says: the address, the account or the database is wrong.
  return "misconfigured";
}

/** What the operator can do about it, by the names of our settings. */
function hintFor(status: number): string {
  if (status === 401) return "check INFLUX_TOKEN, or INFLUX_USERNAME and INFLUX_PASSWORD";
  if (status === 403) return "the account may not write there: give it the right to, or use another";
  if (status === 404) return "check INFLUX_URL, and INFLUX_ORG and INFLUX_BUCKET or INFLUX_DATABASE";
  if (status === 400 || status === 422 || status >= 500) return "check the server's settings";
  return "check INFLUX_URL: is this InfluxDB?";
}

const isInflux = ({ json }: HttpError): boolean =>
  typeof json === "object" && json !== null && ("error" in json || "message" in json);

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

/** An error inside a 200 answer. Reads never answer `refused`: there is no reading at fault. */
export function queryError(words: string): StoreError {
  const misconfigured = /database not found|retention policy not found|not authorized|dbrp/.test(words);
  const text = `InfluxDB could not answer the query: ${words.slice(0, WORDS_MAX)}`;
  return new StoreError(misconfigured ? "misconfigured" : "unavailable", text);
}
