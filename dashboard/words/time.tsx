import { signal } from "@preact/signals";
import { DAY_MS, HOUR_MS } from "../../model/time.ts";
import { language } from "../shell/preferences.ts";
import { dayOf, zone } from "./zone.ts";

/** The clock that relative times follow; moves every ten seconds. */
export const clock = signal(Date.now());
setInterval(() => {
  clock.value = Date.now();
}, 10_000);

const UNITS = [
  ["day", DAY_MS],
  ["hour", HOUR_MS],
  ["minute", 60_000],
] as const;

const formats = new Map<string, Intl.DateTimeFormat | Intl.RelativeTimeFormat>();

/** `Intl` objects are slow to make and are asked for in every row. */
function cached<T extends Intl.DateTimeFormat | Intl.RelativeTimeFormat>(key: string, make: () => T): T {
  const known = formats.get(key) as T | undefined;
  if (known) return known;
  const made = make();
  formats.set(key, made);
  return made;
}

/** "5 min ago", "yesterday" … in the language chosen. */
export function formatAgo(at: number, now: number): string {
  const format = cached(`ago ${language.value}`, () => {
    return new Intl.RelativeTimeFormat(language.value, { numeric: "auto", style: "short" });
  });
  const passed = Math.max(0, now - at);
  for (const [unit, ms] of UNITS) if (passed >= ms) return format.format(-Math.floor(passed / ms), unit);
  return format.format(0, "minute");
}

/** Day and time on the city's clocks; the day is left out for today. */
export function formatTime(at: number, now: number): string {
  const today = dayOf(at) === dayOf(now);
  const timeZone = zone.value;
  const format = cached(`time ${language.value} ${today} ${timeZone}`, () => {
    const day = today ? {} : ({ day: "numeric", month: "short" } as const);
    const time = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
    return new Intl.DateTimeFormat(language.value, { ...day, ...time, timeZone });
  });
  return format.format(at);
}

/** The same in UTC, in full: what stands in logs and in the API. */
export const formatUtc = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;

/** A moment of the API (ISO 8601): how long ago or when, with the city's time and UTC on hover. */
export function Moment({ at, as = "ago" }: { at: string; as?: "ago" | "time" }) {
  const time = Date.parse(at);
  const now = clock.value;
  const text = as === "ago" ? formatAgo(time, now) : formatTime(time, now);
  return (
    <time dateTime={at} title={`${formatTime(time, now)} (${zone.value}) · ${formatUtc(time)}`}>
      {text}
    </time>
  );
}
