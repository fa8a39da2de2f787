import { DERIVED, isDerived, isMetricName, METRICS } from "../model/metrics.ts";
import type { Amount, Language, Moment, WindowWords } from "../model/sentence.ts";
import { DAY_MS, formatSpan, HOUR_MS, MINUTE_MS } from "../model/time.ts";
import type { Forms, Pack } from "./pack.ts";

/**
 * For whom something is said. `now`: when it is read; today's times are said without the day then. Without it the text
 * is a record that is read at any time: times in full with what the zone is ahead of UTC, numbers as a program wants them.
 */
export type Reader = { readonly locale: Language; readonly zone: string; readonly now?: number | undefined };

const formats = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();
/** Zones come from settings and targets: few, and never as many as this. */
const FORMATS_MAX = 500;

/** `Intl` objects are slow to make. */
function cached<T extends Intl.NumberFormat | Intl.DateTimeFormat>(key: string, make: () => T): T {
  const known = formats.get(key) as T | undefined;
  if (known) return known;
  if (formats.size >= FORMATS_MAX) formats.clear();
  const made = make();
  formats.set(key, made);
  return made;
}

/** Two decimals of small numbers, none of thousands. */
export function numberText(value: number, { locale }: Pack, { now }: Reader): string {
  if (now === undefined) return String(Math.round(value * 100) / 100);
  const digits = Math.abs(value) >= 1_000 ? 0 : Math.abs(value) >= 100 ? 1 : 2;
  const make = () => new Intl.NumberFormat(locale, { maximumFractionDigits: digits });
  return cached(`n ${locale} ${digits}`, make)
    .format(value)
    .replace(/^-(?=0$)/, "");
}

/** With the digits that were entered. */
export function exactText(value: number, { locale }: Pack, { now }: Reader): string {
  if (now === undefined) return String(value);
  const make = () => new Intl.NumberFormat(locale, { maximumSignificantDigits: 12 });
  return cached(`x ${locale}`, make).format(value);
}

export function formsFor(pack: Pack, reader: Reader): Forms {
  const number = (value: number) => numberText(value, pack, reader);
  // English, German and Spanish: one, and all others.
  return { number, many: (count, one, several) => `${number(count)} ${count === 1 ? one : several}` };
}

/** "61 µg/m³", "class 4 (poor)", "640 A (80 % of its rated current)". */
export function amountText({ value, of, unit, share, tag }: Amount, pack: Pack, reader: Reader): string {
  const number = numberText(value, pack, reader);
  if (of === "europeanAqi" && unit === undefined) {
    const name = pack.airQuality[value - 1];
    return name === undefined ? pack.airQualityClass(number, "") : pack.airQualityClass(number, name);
  }
  const name = unit ?? unitOf(of ?? "");
  const text = `${number} ${pack.units[name] ?? name}`.trimEnd();
  if (share === undefined || tag === undefined) return text;
  return `${text} (${pack.shareOf(`${numberText(share * 100, pack, reader)} %`, tag)})`;
}

function unitOf(metric: string): string {
  if (isDerived(metric)) return DERIVED[metric].unit;
  return isMetricName(metric) ? METRICS[metric].unit : "";
}

/** "1 h 10 min", "3 days 4 h": at most two units, seconds only below a minute. */
export function spanText(ms: number, pack: Pack, { now }: Reader): string {
  if (now === undefined || ms < MINUTE_MS) return formatSpan(ms);
  const minutes = Math.round(ms / MINUTE_MS);
  const days = Math.floor(minutes / 1_440);
  if (days === 0) return formatSpan(minutes * MINUTE_MS);
  const hours = Math.round((minutes - days * 1_440) / 60);
  const [whole, rest] = hours === 24 ? [days + 1, 0] : [days, hours];
  return `${whole} ${pack.days[whole === 1 ? 0 : 1]}${rest > 0 ? ` ${rest} h` : ""}`;
}

export function windowWords(ms: number, pack: Pack, reader: Reader): WindowWords {
  const is = ms === HOUR_MS ? "hour" : ms === DAY_MS ? "day" : "span";
  return { is, text: spanText(ms, pack, reader) };
}

/** "2026-11-21 15:00 UTC+1" in a record; for a reader "15:00" of today, else with the day. */
export function momentOf(at: number, pack: Pack, reader: Reader): Moment {
  const { zone, now } = reader;
  if (now === undefined) {
    const local = wallTime(at, zone);
    const text = `${local.slice(0, 10)} ${local.slice(11, local.slice(17, 19) === "00" ? 16 : 19)} ${zoneText(at, zone)}`;
    return { text, at: `at ${text}`, since: `since ${text}`, until: `to ${text}` };
  }
  const wall = wallTime(at, zone);
  const today = wallTime(now, zone);
  const isRepeated = wallTime(at - HOUR_MS, zone) === wall || wallTime(at + HOUR_MS, zone) === wall;
  const date = wall.slice(0, 10) === today.slice(0, 10) ? undefined : dateText(at, pack, zone, today.slice(0, 4));
  return pack.moment(wall.slice(11, 16), date, isRepeated ? zoneText(at, zone) : undefined);
}

/** "21 Nov", with the year where it is another than now. */
function dateText(at: number, { locale }: Pack, timeZone: string, thisYear: string | undefined): string {
  const year = wallTime(at, timeZone).slice(0, 4) === thisYear ? {} : ({ year: "numeric" } as const);
  const fields = { day: "numeric", month: "short", ...year, timeZone } as const;
  const make = () => new Intl.DateTimeFormat(locale, fields);
  return cached(`d ${locale} ${timeZone} ${"year" in year}`, make).format(at);
}

/** A UTC day. */
export function dayText(at: number, pack: Pack, { now }: Reader): string {
  if (now === undefined) return new Date(at).toISOString().slice(0, 10);
  return dateText(at, pack, "UTC", wallTime(now, "UTC").slice(0, 4));
}

/** "2026-11-21T15:00:00" on the clocks of a zone. By `Intl`, because the page has nothing else. */
function wallTime(at: number, timeZone: string): string {
  if (timeZone === "UTC") return new Date(at).toISOString().slice(0, 19);
  const fields = { year: "numeric", month: "2-digit", day: "2-digit" } as const;
  const time = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" } as const;
  const make = () => new Intl.DateTimeFormat("en-CA", { ...fields, ...time, timeZone });
  return cached(`w ${timeZone}`, make).format(at).replace(", ", "T");
}

/** "UTC", "UTC+1", "UTC+5:30": it tells autumn's two hours apart. */
function zoneText(at: number, zone: string): string {
  const minutes = zone === "UTC" ? 0 : Math.round((Date.parse(`${wallTime(at, zone)}Z`) - at) / MINUTE_MS);
  if (minutes === 0) return "UTC";
  const size = Math.abs(minutes);
  const part = size % 60 === 0 ? "" : `:${String(size % 60).padStart(2, "0")}`;
  return `UTC${minutes < 0 ? "-" : "+"}${Math.floor(size / 60)}${part}`;
}
