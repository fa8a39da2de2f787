import { FUTURE_MAX_MS, LATENESS_MAX_MS } from "../model/reading.ts";
import { type Fault, fault } from "../model/rejection.ts";
import { MINUTE_MS } from "../model/time.ts";

/** ISO 8601 calendar date, time and zone, as RFC 3339 narrows it; seconds may be left out, `+0100` and `+01` are taken. */
const ISO = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d\d)(?::?(\d\d))?)$/;
const YEAR_2000 = 946_684_800_000;
const YEAR_2100 = 4_102_444_800_000;

/** Epoch milliseconds (fractions beyond are cut), or undefined unless the text names a real moment from 1970 on. */
export function parseIsoTime(text: string): number | undefined {
  if (text.length > 40) return undefined;
  const parts = ISO.exec(text);
  if (!parts) return undefined;
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  const [hour, minute, second] = [Number(parts[4]), Number(parts[5]), Number(parts[6] ?? 0)];
  if (year < 1970 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return undefined;
  if (day > 28 && day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return undefined;
  const ms = parts[7] ? Number(parts[7].padEnd(3, "0").slice(0, 3)) : 0;
  const utc = Date.UTC(year, month - 1, day, hour, minute, second, ms);
  if (parts[8] === undefined) return utc;
  const [offsetHours, offsetMinutes] = [Number(parts[9]), Number(parts[10] ?? 0)];
  if (offsetHours > 14 || offsetMinutes > 59) return undefined;
  const offset = (offsetHours * 60 + offsetMinutes) * MINUTE_MS;
  return parts[8] === "-" ? utc + offset : utc - offset;
}

/**
 * When a reading was measured: `raw` is its `measuredAt` (ISO 8601 with a zone, or epoch milliseconds; missing means
 * received-at), judged by the clock rules of `model/reading.ts` against `receivedAt`. History (`imported`) may be old.
 */
export function readMeasuredAt(raw: unknown, receivedAt: number, imported: boolean): number | Fault {
  if (raw === undefined || raw === null) return receivedAt;
  const time = typeof raw === "string" ? parseIsoTime(raw) : typeof raw === "number" ? epochMs(raw) : undefined;
  if (time === undefined) return fault("bad_timestamp", badTimestamp(raw));
  if (time - receivedAt > FUTURE_MAX_MS) {
    return fault(
      "future",
      `measuredAt is ${duration(time - receivedAt)} ahead of the service's clock; 5 min are allowed.`,
    );
  }
  const seconds = typeof raw === "number" && raw < YEAR_2000;
  if (imported) return seconds ? fault("bad_timestamp", SECONDS_HINT) : time;
  if (receivedAt - time <= LATENESS_MAX_MS) return time;
  if (seconds) return fault("too_late", SECONDS_HINT);
  return fault(
    "too_late",
    `measuredAt is ${duration(receivedAt - time)} old; 7 days are allowed, history goes to import/….`,
  );
}

const SECONDS_HINT = "measuredAt lies before 2000: a number means epoch milliseconds, not seconds.";

function epochMs(raw: number): number | undefined {
  return Number.isInteger(raw) && raw >= 0 && raw <= YEAR_2100 ? raw : undefined;
}

function badTimestamp(raw: unknown): string {
  if (typeof raw === "string" && ISO.test(`${raw}Z`)) return "measuredAt has no zone: end it with Z or an offset.";
  if (typeof raw === "string" && ISO.test(raw)) return "measuredAt is not a real date and time from 1970 on.";
  if (typeof raw === "number") return "measuredAt as a number must be whole epoch milliseconds between 1970 and 2100.";
  return "measuredAt must be ISO 8601 with a zone, such as 2026-11-21T10:00:00Z, or epoch milliseconds.";
}

function duration(ms: number): string {
  const minutes = Math.round(ms / MINUTE_MS);
  if (minutes < 120) return `${minutes} min`;
  return minutes < 2880 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`;
}
