import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import { openDuckDbStore } from "../../store/duckdb/store.ts";
import { StoreError } from "../../store/reading-store.ts";
import { openRecords } from "../../store/records.ts";
import { startRetention } from "../../store/retention.ts";
import { aBackground } from "../helpers/background.ts";
import { aReading, collect, T0 } from "../helpers/readings.ts";

const DAY_MS = 86_400_000;
const midnight = T0 - (T0 % DAY_MS);

describe("retention", () => {
  let stop = async () => {};
  afterEach(async () => {
    await stop();
    kept.clear();
    days = [];
  });

  /** Of receipt, the newest, as the books have it. */
  let days: readonly string[] = [];
  const kept = new Map<string, number>();
  const offsets = { get: (name: string) => kept.get(name), set: (name: string, at: number) => void kept.set(name, at) };

  function play(fails: () => boolean = () => false, held: () => boolean = () => false, startedAt = T0) {
    const calls: string[] = [];
    let time = startedAt;
    let uptime = 0;
    const note = (what: string) => (at: number) => {
      calls.push(`${what} ${(midnight - at) / DAY_MS}`);
      return 0;
    };
    const retention = startRetention({
      store: {
        countBySensor: async () => new Map([["air-1", 1]]),
        async deleteBefore(kind, at) {
          if (kind === "traffic" && fails()) throw new StoreError("unavailable", "away");
          return note(kind)(at);
        },
      },
      records: {
        removals: { plans: () => [], plan: () => {}, settle: () => {} },
        quarantine: { prune: note("quarantine") },
        events: { deleteBefore: note("events") },
        offsets,
        ledger: { byDay: () => days.map((day) => ({ day, outcomes: new Map() })) },
      },
      held,
      background: aBackground(),
      rawDays: 90,
      quarantineDays: 14,
      eventDays: 7,
      now: () => time,
      uptime: () => uptime,
      log: SILENT,
    });
    stop = retention.stop;
    /** `setAhead`: so much of it did not pass, the clock was set. */
    const runAt = async (later: number, setAhead = 0) => {
      uptime += later - time - setAhead;
      time = later;
      calls.length = 0;
      await retention.run();
      return [...calls];
    };
    return { retention, calls, runAt };
  }

  it("removes nothing while a copy is made, and makes up for it afterwards", async () => {
    let isHeld = true;
    const { runAt } = play(undefined, () => isHeld);
    expect(await runAt(T0)).toEqual([]);
    isHeld = false;
    expect(await runAt(T0 + 3_600_000)).toEqual(["air 90", "traffic 90", "energy 90", "quarantine 14", "events 7"]);
  });

  it("catches up on start, in whole UTC days", async () => {
    const { retention, calls } = play();
    await retention.run();
    expect(calls).toEqual(["air 90", "traffic 90", "energy 90", "quarantine 14", "events 7"]);
  });

  it("works once a day", async () => {
    const { retention, runAt } = play();
    await retention.run();
    expect(await runAt(T0 + 3_600_000)).toEqual([]);
    expect(await runAt(midnight + DAY_MS - 1)).toEqual([]);
    expect(await runAt(midnight + DAY_MS)).toEqual(["air 89", "traffic 89", "energy 89", "quarantine 13", "events 6"]);
  });

  it("tries again only what failed, and lets it harm nothing else", async () => {
    let away = true;
    const { retention, calls, runAt } = play(() => away);
    await retention.run();
    expect(calls).toEqual(["air 90", "energy 90", "quarantine 14", "events 7"]);
    expect(await runAt(T0 + 3_600_000)).toEqual([]);
    away = false;
    expect(await runAt(T0 + 7_200_000)).toEqual(["traffic 90"]);
  });

  it("removes nothing because of a clock that is set ahead by mistake, and believes one that stays so for a day", async () => {
    const { retention, runAt } = play();
    await retention.run();
    const years = 3_650 * DAY_MS;
    const wrong = T0 + years;
    expect(await runAt(wrong, years)).toEqual([]);
    expect(await runAt(wrong + 3_600_000)).toEqual([]);
    expect(await runAt(T0 + 7_200_000, -years)).toEqual([]);
    const days = 30 * DAY_MS;
    expect(await runAt(T0 + days, days)).toEqual([]);
    expect(await runAt(T0 + days + DAY_MS - 1)).toEqual([
      "air 89",
      "traffic 89",
      "energy 89",
      "quarantine 13",
      "events 6",
    ]);
    expect(await runAt(T0 + days + DAY_MS)).toEqual([
      "air 59",
      "traffic 59",
      "energy 59",
      "quarantine -17",
      "events -24",
    ]);
  });

  it("removes nothing either when it is started with such a clock, and adds up how long that has stood over restarts", async () => {
    /** One life of the service, so many hours long; up to how many days before T0 it removed readings of air. */
    async function live(startedAt: number, hours: number): Promise<number> {
      const { retention, calls, runAt } = play(undefined, undefined, startedAt);
      await retention.run();
      const all = [...calls, ...(await runAt(startedAt + hours * 3_600_000))];
      await retention.stop();
      return Math.min(...all.filter((call) => call.startsWith("air")).map((call) => Number(call.slice(4))));
    }
    expect(await live(T0, 1)).toBe(90);
    const wrong = T0 + 30 * DAY_MS;
    expect(await live(wrong, 20)).toBe(89);
    // Set right: as if nothing had been.
    expect(await live(T0 + 21 * 3_600_000, 1)).toBe(89);
    // It was right, the service was away for a month, and is switched off every night.
    expect(await live(wrong, 13)).toBe(89);
    expect(await live(wrong + DAY_MS, 12)).toBe(59);
  });

  it("removes nothing on the first start of an older folder with a clock that is years ahead of its newest receipt", async () => {
    days = [new Date(T0).toISOString().slice(0, 10)];
    const first = play(undefined, undefined, T0 + 3_650 * DAY_MS);
    await first.retention.run();
    expect(first.calls.filter((call) => call.startsWith("air"))).toEqual(["air 89"]);
    await first.retention.stop();
    kept.clear();
    // A clock that was ahead once: the books have a day that is yet to come.
    days = ["2036-01-01"];
    const second = play();
    await second.retention.run();
    expect(second.calls[0]).toBe("air 90");
  });

  it("does not run twice at the same time", async () => {
    const { retention } = play();
    expect(retention.run()).toBe(retention.run());
    await retention.stop();
  });

  it("removes old readings from a store and nothing younger", async () => {
    const folder = await mkdtemp(join(tmpdir(), "lamppost-retention-"));
    const store = await openDuckDbStore({ path: join(folder, "readings.duckdb"), log: SILENT });
    const [old, young] = [-1_000, 0].map((ms) => aReading({ measuredAt: midnight - 90 * DAY_MS + ms }));
    await store.write([old!, young!]);
    const records = openRecords({ path: ":memory:", now: () => T0, log: SILENT });
    const retention = startRetention({
      store,
      records,
      rawDays: 90,
      background: aBackground(),
      now: () => T0,
      log: SILENT,
    });
    await retention.stop();
    expect(await collect(store, { from: 0 })).toEqual([young]);
    expect(records.removals.counts("readings")).toEqual(new Map([["air-1", 1]]));
    records.close();
    await store.close();
    await rm(folder, { recursive: true });
  });
});
