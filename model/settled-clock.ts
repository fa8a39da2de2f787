import { DAY_MS, plausibleTime } from "./time.ts";

/** Where another life of the process left it: the time, and how long a clock that differs from it had stood. */
export type SettledState = { readonly time: number; readonly stoodMs: number };

/**
 * The clock for what ends or is removed by its age: a clock that is set years ahead or back for a minute must cost a city
 * no history, and nobody their session. A difference of more than a day counts when it has stood for a day; until then
 * the time goes on as it was. `now`: epoch milliseconds, may jump; `uptime`: milliseconds, may not. `onLeap` is called
 * once for each leap that is not believed yet.
 */
export function createSettledClock(
  now: () => number,
  uptime: () => number,
  options: { readonly from?: SettledState | undefined; readonly onLeap?: (clock: number) => void } = {},
) {
  const { from, onLeap } = options;
  let known = { time: plausibleTime(from?.time ?? now()), at: uptime() };
  /** By how much the clock is off, since when. */
  let leap: { readonly byMs: number; readonly at: number } | undefined;
  let stoodBefore = from?.stoodMs ?? 0;

  function read(): number {
    const [time, at] = [now(), uptime()];
    const expected = known.time + (at - known.at);
    const byMs = time - expected;
    if (Math.abs(byMs) > DAY_MS) {
      if (!leap || Math.abs(byMs - leap.byMs) > DAY_MS) {
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
