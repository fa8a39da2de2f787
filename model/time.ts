export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** The beginning of the hour or UTC day a moment lies in: epoch milliseconds, before 1970 too. */
export const startOfHour = (at: number) => Math.floor(at / HOUR_MS) * HOUR_MS;
export const startOfDay = (at: number) => Math.floor(at / DAY_MS) * DAY_MS;
/** Its UTC day: "2026-11-21". */
export const dateOf = (at: number) => new Date(at).toISOString().slice(0, 10);

/** The last year of which every moment can be said in nanoseconds of 64 bits (InfluxDB); a `Date` ends at 8.64e15 ms. */
const TIME_MAX = Date.UTC(2261, 0, 1);

/** A time that every calendar can say, whatever a clock said or an earlier version kept: from 1970 to 2261. */
export const plausibleTime = (at: number): number => (at >= 0 ? Math.min(at, TIME_MAX) : 0);

const UNITS_MS = { s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS } as const;

/** "90s", "10m", "1h", "1d" as milliseconds; undefined for anything else. Whole numbers only: "1.5h" is "90m". */
export function parseDuration(text: string): number | undefined {
  const match = /^([1-9]\d{0,5})([smhd])$/.exec(text);
  return match ? Number(match[1]) * UNITS_MS[match[2] as keyof typeof UNITS_MS] : undefined;
}

/** A span in the words of the alerts: "84 h 21 min", "10 min", "45 s". Rounded to the second, at most two units. */
export function formatSpan(spanMs: number): string {
  const seconds = Math.round(spanMs / 1_000);
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  const parts = [
    [days, "d"],
    [hours, "h"],
    [minutes, "min"],
    [seconds % 60, "s"],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return "0 s";
  const shown = parts.slice(first, first + 2).filter(([count]) => count > 0);
  return shown.map(([count, unit]) => `${count} ${unit}`).join(" ");
}

export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** Where another life of the process left it: the time, and how long a clock that differs from it had stood. */
export type SettledState = { readonly time: number; readonly stoodMs: number };

/**
 * The clock for what ends or is removed by its age: a clock that is set years ahead or back for a minute must cost a city
 * no history, and nobody their session. A difference of more than `leapMs` (a day) counts when it has stood for a day; until then
 * the time goes on as it was. `now`: epoch milliseconds, may jump; `uptime`: milliseconds, may not. `onLeap` is called
 * once for each leap that is not believed yet.
 */
export function createSettledClock(
  now: () => number,
  uptime: () => number,
  options: {
    readonly from?: SettledState | undefined;
    readonly leapMs?: number;
    readonly onLeap?: (clock: number) => void;
  } = {},
) {
  const { from, leapMs = DAY_MS, onLeap } = options;
  let known = { time: plausibleTime(from?.time ?? now()), at: uptime() };
  /** By how much the clock is off, since when. */
  let leap: { readonly byMs: number; readonly at: number } | undefined;
  let stoodBefore = from?.stoodMs ?? 0;

  function read(): number {
    const [time, at] = [now(), uptime()];
    const expected = known.time + (at - known.at);
    const byMs = time - expected;
    if (Math.abs(byMs) > leapMs) {
      if (!leap || Math.abs(byMs - leap.byMs) > leapMs) {
        if (leap) stoodBefore = 0;
        leap = { byMs, at };
        onLeap?.(time);
      }
      if (at - leap.at + stoodBefore < DAY_MS) return expected;
    }
    leap = undefined;
    stoodBefore = 0;
    known = { time, at };
    return time;
  }

  // What a former life left is compared at once: that is when its leap begins.
  read();
  return {
    now: read,
    state(): SettledState {
      const time = read();
      return { time, stoodMs: leap ? uptime() - leap.at + stoodBefore : 0 };
    },
  };
}
