import type { Background } from "../model/background.ts";
import type { Log } from "../model/log.ts";
import type { Records } from "./records.ts";

export type ClockWatchOptions = {
  readonly records: Pick<Records, "dueTimes" | "offsets" | "audit" | "transaction">;
  readonly background: Pick<Background, "every">;
  /** Epoch milliseconds, may jump. */
  readonly now: () => number;
  /** Milliseconds, may not. */
  readonly uptime: () => number;
  readonly log: Log;
};

const LOOK_EVERY_MS = 5_000;
const MARK_EVERY_MS = 60_000;
/** Less is what time servers correct. */
const BACK_MS = 5_000;
/** Offset of this name: what the clock said when this process, or the one before, last wrote it down. */
const MARK = "clock";

/** Notices that the clock was set back, also while the service was off, and sees to it that nothing waits for that. */
export function startClockWatch({ records, background, now, uptime, log }: ClockWatchOptions): void {
  let seen = { time: Math.max(now(), records.offsets.get(MARK) ?? now()), at: uptime() };
  let markedAt = Number.NEGATIVE_INFINITY;

  function look(): void {
    const [time, at] = [now(), uptime()];
    const expected = Math.floor(seen.time + at - seen.at);
    if (time < expected - BACK_MS) setBack(expected, time);
    seen = { time, at };
    if (at - markedAt < MARK_EVERY_MS) return;
    records.offsets.set(MARK, time);
    markedAt = at;
  }

  function setBack(before: number, time: number): void {
    const detail = `from ${new Date(before).toISOString()}; what was due is due, and what was to come is as far away as before`;
    records.transaction(() => {
      records.dueTimes.clockSetBack(before, time);
      records.audit.add({ at: time, by: "lamppost", what: "clock.back", target: "clock", detail });
      records.offsets.set(MARK, time);
    });
    log.warn({ from: new Date(before).toISOString(), to: new Date(time).toISOString() }, "the clock was set back");
  }

  background.every("clock", LOOK_EVERY_MS, look);
}
