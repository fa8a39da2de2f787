import { FUTURE_MAX_MS, LATENESS_MAX_MS } from "../model/reading.ts";
import { type Fault, fault } from "../model/rejection.ts";
import { isMissingText } from "../model/stand-ins.ts";
import { DAY_MS, MINUTE_MS } from "../model/time.ts";

/**
 * ISO 8601 calendar date, time and zone, as RFC 3339 narrows it and devices write it: seconds may be left out, a blank
 * may stand for the T and before the zone, a comma before the fraction; `z`, `+0100`, `+01`, `UTC` and `GMT` are taken.
 */
const ISO =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,20}))?)? ?(?:Z|UTC|GMT|([+-])(\d\d)(?::?(\d\d))?)$/i;
const ISO_WITHOUT_ZONE = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,20})?)?$/i;
/** ISO 8601's basic format, without hyphens and colons. */
const BASIC = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)?(?!\d)/i;
const EPOCH_TEXT = /^\d{1,19}(?:\.\d{1,20})?(?:e\+?\d{1,2})?$/i;
const TEXT_CHARS_MAX = 60;
const YEAR_2100_S = 4_102_444_800;

/** Epoch milliseconds (fractions beyond are cut), or undefined unless the text names a real moment. */
export function parseIsoTime(text: string): number | undefined {
  if (text.length > TEXT_CHARS_MAX) return undefined;
  const parts = ISO.exec(text) ?? ISO.exec(extended(text));
  if (!parts) return undefined;
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  const [hour, minute, second] = [Number(parts[4]), Number(parts[5]), Number(parts[6] ?? 0)];
  if (year < 1 || month < 1 || month > 12 || day < 1 || hour > 24 || minute > 59 || second > 60) return undefined;
  if (day > 28 && day > daysIn(year, month)) return undefined;
  const ms = parts[7] ? Number(parts[7].padEnd(3, "0").slice(0, 3)) : 0;
  // 24:00 is the end of a day (ISO 8601-1:2019/Amd 1), and nothing comes after it.
  if (hour === 24 && (minute > 0 || second > 0 || ms > 0)) return undefined;
  const local = year < 100 ? earlyTime(year, month, day) : Date.UTC(year, month - 1, day);
  const offset = offsetOf(parts[8], Number(parts[9] ?? 0), Number(parts[10] ?? 0));
  if (offset === undefined) return undefined;
  const utc = local + ((hour * 60 + minute) * 60 + second) * 1000 + ms - offset;
  // A leap second is the last of a day in UTC, and the first moment of the next to every clock that has none.
  if (second === 60 && (utc - ms) % DAY_MS !== 0) return undefined;
  return utc;
}

/** Without blanks around it, and with hyphens and colons. */
function extended(text: string): string {
  return text.trim().replace(BASIC, (_, year, month, day, hour, minute, second) => {
    return `${year}-${month}-${day}T${hour}:${minute}${second === undefined ? "" : `:${second}`}`;
  });
}

const [ZERO, HYPHEN, COLON, DOT, LETTER_T, LETTER_Z] = [0x30, 0x2d, 0x3a, 0x2e, 0x54, 0x5a];

/**
 * `2026-11-21T10:00:00Z` or with milliseconds, as nearly all write it: for every reading of the city, in a third of the
 * time of the pattern, which decides on all else.
 */
function parseUsual(text: string): number | undefined {
  const { length } = text;
  if ((length !== 20 && length !== 24) || text.charCodeAt(length - 1) !== LETTER_Z) return undefined;
  if (text.charCodeAt(10) !== LETTER_T || text.charCodeAt(4) !== HYPHEN || text.charCodeAt(7) !== HYPHEN)
    return undefined;
  if (text.charCodeAt(13) !== COLON || text.charCodeAt(16) !== COLON) return undefined;
  if (length === 24 && text.charCodeAt(19) !== DOT) return undefined;
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  const second = twoDigits(text, 17);
  const ms = length === 24 ? twoDigits(text, 20) * 10 + (twoDigits(text, 21) % 10) : 0;
  // NaN is no less and no more than anything: what holds of it is false.
  if (!(year >= 1970 && month >= 1 && month <= 12 && day >= 1 && hour <= 23)) return undefined;
  if (!(day <= 28 || day <= daysIn(year, month))) return undefined;
  if (!(minute <= 59 && second <= 59 && ms >= 0)) return undefined;
  return Date.UTC(year, month - 1, day, hour, minute, second, ms);
}

function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

const daysIn = (year: number, month: number) =>
  new Date(Date.UTC(year < 100 ? year + 400 : year, month, 0)).getUTCDate();

/** Date.UTC takes 0 … 99 for 1900 … 1999. */
const earlyTime = (year: number, month: number, day: number) => new Date(0).setUTCFullYear(year, month - 1, day);

function offsetOf(sign: string | undefined, hours: number, minutes: number): number | undefined {
  if (hours > 14 || minutes > 59) return undefined;
  const offset = (hours * 60 + minutes) * MINUTE_MS;
  return sign === "-" ? -offset : offset;
}

/** `readMeasuredAt` of a clock that was never set. */
export const CLOCK_NEVER_SET = Number.NaN;

const spansOf = (days: readonly (readonly [from: string, to: string])[]) =>
  days.map(([from, to]) => [Date.parse(from) - DAY_MS, Date.parse(to)] as const);

/**
 * Where clocks begin that nobody has set, and how long one can have run since: the first and the last moment, with a day
 * before for zones. In the years that are whole here nobody measured what is sent today.
 */
const NEVER_SET = spansOf([
  ["0001-01-01", "0003-01-01"], // .NET, Go
  ["1601-01-01", "1602-01-01"], // Windows' FILETIME
  ["1899-12-30", "1902-01-01"], // OLE dates, Excel, Delphi; NTP
  ["1904-01-01", "1905-01-01"], // LabVIEW, Excel on the Mac
  ["1970-01-01", "1980-01-01"], // Unix
  ["1980-01-01", "1990-01-01"], // FAT; GPS on 6 January; many modems
  ["2000-01-01", "2001-01-01"], // real-time clock chips, Zigbee
]);

/** In history, where years with archives are known by their first days only: what was measured in March 2000 is true. */
const NEVER_SET_IN_HISTORY = spansOf([
  ["1970-01-01", "1980-01-01"],
  ["1980-01-01", "1980-01-08"],
  ["2000-01-01", "2000-01-02"],
]);

/** Where counters end or begin anew, in years to come: a clock that is there in advance was never set, either. */
const NEVER_YET: readonly (readonly [number, number])[] = [
  ["2036-02-07", "2037-02-07"], // NTP's second era
  ["2038-01-19", "2038-01-20"], // 31 bits of Unix seconds
  ["2106-02-07", "2106-02-08"], // 32 bits
  ["9999-12-31", "9999-12-31"], // .NET's last day
].map(([from, to]) => [Date.parse(from!) - DAY_MS, Date.parse(to!) + DAY_MS] as const);

const isWithin = (time: number, spans: readonly (readonly [number, number])[]) =>
  spans.some(([from, to]) => time >= from && time < to);

const DATE = /^(\d{4})-(\d\d)-(\d\d)(?![\d-])/;
const BELOW_ZERO = /^-\d{1,20}(?:\.\d{1,20})?$/;

/**
 * What names no moment, and shows all the same that the clock was never set: its first days without a zone, a month and a
 * day of 0 in them, a number before 1970 (-62135596800 is year 1).
 */
function isOfNoClock(raw: unknown): boolean {
  if (typeof raw === "number") return raw < 0;
  if (typeof raw !== "string" || raw.length > TEXT_CHARS_MAX) return false;
  const text = extended(raw);
  if (BELOW_ZERO.test(text)) return true;
  const [, year, month, day] = DATE.exec(text) ?? [];
  if (year === undefined) return false;
  const first = earlyTime(Number(year) || 1, Number(month) || 1, Number(day) || 1);
  return Number(month) <= 12 && Number(day) <= 31 && isWithin(first, NEVER_SET);
}

/** Nothing in the place of a time, or a text that says so. */
export function isNoTime(raw: unknown): boolean {
  return raw === undefined || raw === null || isMissingText(raw);
}

/**
 * When a reading was measured: `raw` is its `measuredAt` (ISO 8601 with a zone, or a number since 1970, also as text, in
 * seconds, milliseconds, microseconds or nanoseconds: by its size, for 2000 to 2100), judged by the clock rules of
 * `model/reading.ts` against `receivedAt`. Without one, or with a text that says so, it is received-at. `CLOCK_NEVER_SET` where the device's clock has
 * no time; history (`imported`) may be old, and is refused then.
 */
export function readMeasuredAt(raw: unknown, receivedAt: number, imported: boolean): number | Fault {
  if (raw === undefined || raw === null) return receivedAt;
  const time = parseTime(raw);
  if (time === undefined) return withoutMoment(raw, receivedAt, imported);
  if (time - receivedAt > FUTURE_MAX_MS) {
    if (isWithin(time, NEVER_YET)) return imported ? fault("bad_timestamp", NEVER_SET_HISTORY) : CLOCK_NEVER_SET;
    return fault(
      "future",
      `measuredAt is ${duration(time - receivedAt)} ahead of the service's clock; 5 min are allowed.`,
    );
  }
  if (receivedAt - time <= LATENESS_MAX_MS) return time;
  if (imported) {
    if (time < 0 || isWithin(time, NEVER_SET_IN_HISTORY)) return fault("bad_timestamp", NEVER_SET_HISTORY);
    return time;
  }
  if (isWithin(time, NEVER_SET)) return CLOCK_NEVER_SET;
  return fault(
    "too_late",
    `measuredAt is ${duration(receivedAt - time)} old${rolledOver(receivedAt - time)}; 7 days are allowed, history goes to import/….`,
  );
}

/** Apart from the others, which are nearly all: a short function is a fast one. */
function withoutMoment(raw: unknown, receivedAt: number, imported: boolean): number | Fault {
  if (isMissingText(raw)) return receivedAt;
  if (!isOfNoClock(raw)) return fault("bad_timestamp", badTimestamp(raw));
  return imported ? fault("bad_timestamp", NEVER_SET_HISTORY) : CLOCK_NEVER_SET;
}

/** Epoch milliseconds of `measuredAt` as it was sent, whatever the clock rules say of it. */
export function parseTime(raw: unknown): number | undefined {
  if (typeof raw === "number") return epochMs(raw);
  return typeof raw === "string" ? (parseUsual(raw) ?? parseUnusual(raw)) : undefined;
}

function parseUnusual(raw: string): number | undefined {
  if (!EPOCH_TEXT.test(raw)) return parseIsoTime(raw) ?? parseTrimmedEpoch(raw);
  // Nanoseconds have more digits than a number holds.
  return epochMs(/^\d{19}$/.test(raw) ? Number(raw.slice(0, -6)) : Number(raw));
}

function parseTrimmedEpoch(raw: string): number | undefined {
  const text = raw.length > TEXT_CHARS_MAX ? raw : raw.trim();
  return text !== raw && EPOCH_TEXT.test(text) ? parseTime(text) : undefined;
}

const YEAR_2000_S = 946_684_800;

/**
 * A moment from 2000 to 2100 in one unit is none in another: seconds have 9 or 10 digits, and each unit three more. What is
 * less is a clock that was never set, in seconds or milliseconds since it began.
 */
function epochMs(raw: number): number | undefined {
  if (!(raw >= 0)) return undefined;
  // The hair that a sum of binary fractions lacks is none of the device's.
  if (raw <= YEAR_2100_S) return Math.floor(raw * 1e3 + 1e-3);
  if (raw <= YEAR_2100_S * 1e3) return Math.floor(raw);
  if (raw < YEAR_2000_S * 1e6) return undefined;
  if (raw <= YEAR_2100_S * 1e6) return Math.floor(raw / 1e3);
  return raw >= YEAR_2000_S * 1e9 && raw <= YEAR_2100_S * 1e9 ? Math.floor(raw / 1e6) : undefined;
}

function badTimestamp(raw: unknown): string {
  const text = typeof raw === "string" && raw.length <= TEXT_CHARS_MAX ? extended(raw) : "";
  if (ISO_WITHOUT_ZONE.test(text)) return "measuredAt has no zone: end it with Z or an offset.";
  if (ISO.test(text)) return "measuredAt is not a real date and time.";
  if (typeof raw === "number") return "measuredAt as a number must be seconds, ms, µs or ns since 1970, up to 2100.";
  return "measuredAt must be ISO 8601 with a zone, such as 2026-11-21T10:00:00Z, or a number since 1970.";
}

const NEVER_SET_HISTORY = "measuredAt is of a clock that was never set, and history needs its time.";

const GPS_WEEKS_MS = 1024 * 7 * DAY_MS;

/** GPS receivers count weeks in 10 bits: an old one is 1,024 weeks behind for good (IS-GPS-200). */
function rolledOver(age: number): string {
  return Math.abs(age - GPS_WEEKS_MS) < 7 * DAY_MS ? " (1,024 weeks: a GPS receiver whose week number began anew)" : "";
}

function duration(ms: number): string {
  const minutes = Math.round(ms / MINUTE_MS);
  if (minutes < 120) return `${minutes} min`;
  return minutes < 2880 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`;
}
