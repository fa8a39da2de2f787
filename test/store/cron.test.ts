import { getTasks } from "node-cron";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startCron } from "../../store/cron.ts";
import { aBackground } from "../helpers/background.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const T0 = Date.UTC(2026, 10, 21, 10, 10);

describe("a job by the clock", () => {
  beforeEach(() => void vi.useFakeTimers({ now: T0 }));
  afterEach(() => void vi.useRealTimers());

  /** Runs, as minutes since T0 by the clock of the wall; time passes in steps of the real one. */
  function start(expression: string) {
    const runs: number[] = [];
    const run = async () => void runs.push(Math.floor((Date.now() - T0) / MINUTE));
    const cron = startCron("job", expression, run, { background: aBackground(), now: Date.now });
    return {
      ...cron,
      async passed(ms: number): Promise<number[]> {
        await vi.advanceTimersByTimeAsync(ms);
        return runs.splice(0);
      },
    };
  }
  const setClock = (by: number) => vi.setSystemTime(Date.now() + by);

  it("runs in the minutes the expression names, by UTC, once each, and leaves nothing behind", async () => {
    const before = getTasks().size;
    const { passed, stop } = start("17 * * * *");
    expect(await passed(3 * HOUR)).toEqual([7, 67, 127]);
    stop();
    expect(await passed(3 * HOUR)).toEqual([]);
    expect(getTasks().size).toBe(before);
  });

  it("runs once, and at once, after the clock was set forward: by an hour, by 30 days, from 1970", async () => {
    const { passed, stop } = start("17 * * * *");
    for (const by of [HOUR, 30 * DAY]) {
      setClock(by);
      expect(await passed(MINUTE)).toHaveLength(1);
      expect(await passed(HOUR)).toHaveLength(1);
    }
    stop();
    vi.setSystemTime(1_000);
    const old = start("* * * * *");
    expect(await old.passed(MINUTE)).toHaveLength(1);
    vi.setSystemTime(T0);
    expect(await old.passed(5 * MINUTE)).toEqual([0, 1, 2, 3, 4, 5]);
    old.stop();
  });

  it("neither runs again for a time that comes again, nor stops, when the clock was set back", async () => {
    const hourly = start("17 * * * *");
    expect(await hourly.passed(10 * MINUTE)).toEqual([7]);
    setClock(-10 * MINUTE);
    expect(await hourly.passed(2 * HOUR)).toEqual([67]);
    setClock(-30 * DAY);
    expect((await hourly.passed(DAY)).length).toBeGreaterThanOrEqual(23);
    hourly.stop();
    const everyMinute = start("* * * * *");
    await everyMinute.passed(MINUTE);
    setClock(-DAY);
    expect((await everyMinute.passed(HOUR)).length).toBeGreaterThanOrEqual(59);
    everyMinute.stop();
  });

  it("is not run twice at the same time, and a long run is not taken for a jump of the clock", async () => {
    const release = Promise.withResolvers<void>();
    let begun = 0;
    const run = () => {
      begun += 1;
      return release.promise;
    };
    const { stop } = startCron("job", "17 * * * *", run, { background: aBackground(), now: Date.now });
    await vi.advanceTimersByTimeAsync(3 * HOUR);
    expect(begun).toBe(1);
    release.resolve();
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(begun).toBe(1);
    await vi.advanceTimersByTimeAsync(HOUR);
    expect(begun).toBe(2);
    stop();
  });
});
