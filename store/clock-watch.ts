import type { Background } from "../model/background.ts";
import type { Log } from "../model/log.ts";
import { createSettledClock, DAY_MS, plausibleTime } from "../model/time.ts";
import type { Records } from "./records.ts";

type ClockWatchOptions = {
  readonly records: Pick<Records, "dueTimes" | "offsets" | "audit" | "transaction">;
  readonly background: Pick<Background, "every">;
  /** Epoch milliseconds, may jump. */
  readonly now: () => number;
  /** Milliseconds, may not. */
  readonly uptime: () => number;
  readonly log: Log;
};

/** Offsets of these names: the settled time when it was last written down, and how long a clock that differs from it had stood. */
const SETTLED = "retention clock";
const STOOD = "retention clock stood";

/**
 * The clock by which things are removed for their age, as the process before left it. A folder that has none yet is
 * judged by its newest day of receipt: one that is started for the first time under a clock that is years ahead loses
 * nothing either. `keep` writes it down for the next process; throws what the records throw.
 */
export function openSettledClock(
  { offsets, ledger }: { readonly offsets: Records["offsets"]; readonly ledger: Pick<Records["ledger"], "byDay"> },
  now: () => number,
  uptime: () => number,
  onLeap?: (clock: number) => void,
) {
  const [kept, stoodMs] = [offsets.get(SETTLED), offsets.get(STOOD) ?? 0];
  const [newest] = kept === undefined ? ledger.byDay(1) : [];
  // A clock that was ahead once has left days behind that are yet to come.
  const time = newest ? Math.min(now(), Date.parse(newest.day) + DAY_MS) : kept;
  const clock = createSettledClock(now, uptime, { from: time === undefined ? undefined : { time, stoodMs }, onLeap });
  return {
    now: clock.now,
    keep(): void {
      const { time, stoodMs } = clock.state();
      offsets.set(SETTLED, Math.floor(time));
      offsets.set(STOOD, Math.floor(stoodMs));
    },
  };
}

const LOOK_EVERY_MS = 5_000;
const MARK_EVERY_MS = 60_000;
/** Less is what time servers correct. */
const BACK_MS = 5_000;
/** Offset of this name: what the clock said when this process, or the one before, last wrote it down. */
const MARK = "clock";

/** Notices that the clock was set back, also while the service was off, and sees to it that nothing waits for that. */
export function startClockWatch({ records, background, now, uptime, log }: ClockWatchOptions): void {
  let seen = { time: Math.max(now(), plausibleTime(records.offsets.get(MARK) ?? 0)), at: uptime() };
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
