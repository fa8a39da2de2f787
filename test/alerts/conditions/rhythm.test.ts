import { describe, expect, it } from "vitest";
import { SILENCE_MIN_MS } from "../../../alerts/conditions/cadence.ts";
import { PAUSES_MAX, silentFrom } from "../../../alerts/conditions/rhythm.ts";
import {
  type Clock,
  clockFrom,
  clockToJson,
  countHour,
  createClock,
  isNewBurst,
  moveClock,
  notePause,
} from "../../../alerts/engine/stream.ts";
import { inFull } from "../../helpers/in-full.ts";
import { DAY, HOUR, MINUTE, random } from "../builders.ts";

/** A Monday, midnight UTC. */
const MONDAY = Date.UTC(2026, 0, 5);
const WEEK = 7 * DAY;
const AFTER = 30 * MINUTE;

type Silence = { readonly lastAt: number; readonly from: number; readonly to: number };

/** What a sensor that sends at these times is taken for: its clock at the end, and the silences that were said. */
function live(times: Iterable<number>, { zone, declaredMs }: { zone?: string; declaredMs?: number } = {}) {
  const clock = createClock(declaredMs);
  const said: Silence[] = [];
  for (const at of times) {
    const { lastAt } = clock;
    if (lastAt !== undefined && at <= lastAt) continue;
    const isLong = lastAt !== undefined && at - lastAt > AFTER;
    const from = isLong ? silentFrom(clock, lastAt, AFTER, zone) : undefined;
    if (lastAt !== undefined && from !== undefined && at > from && at - lastAt > AFTER)
      said.push({ lastAt, from, to: at });
    if (lastAt !== undefined && at - lastAt > SILENCE_MIN_MS) notePause(clock, at, zone);
    if (declaredMs === undefined && isNewBurst(clock, at)) countHour(clock, at, zone);
    moveClock(clock, at);
  }
  return { clock, said };
}

function* times(step: (at: number) => number, weeks: number, isOn: (at: number) => boolean = () => true) {
  for (let at = MONDAY + 9 * HOUR; at < MONDAY + weeks * WEEK; at += Math.max(MINUTE, step(at)))
    if (isOn(at)) yield Math.round(at);
}

const hourOf = (at: number) => ((((at - MONDAY) % DAY) + DAY) % DAY) / HOUR;
const dayOf = (at: number) => Math.floor((at - MONDAY) / DAY) % 7;
const perWeek = (said: readonly Silence[], from: number, to: number) =>
  said.filter(({ lastAt }) => lastAt >= from && lastAt < to).length / ((to - from) / WEEK);
const delayOf = (clock: Clock, zone?: string) => silentFrom(clock, clock.lastAt!, AFTER, zone)! - clock.lastAt!;

/** Gaps of feeds that no clock makes: the events of a road, with as many shapes as roads have. Minutes. */
const IRREGULAR: Readonly<Record<string, (next: () => number, at: number) => number>> = {
  "events at random": (next) => -10 * Math.log(1 - next()),
  "rare events": (next) => -30 * Math.log(1 - next()),
  "more by day than by night": (next, at) =>
    -20 * (1.2 + Math.cos((2 * Math.PI * (hourOf(at) - 2)) / 24)) * Math.log(1 - next()),
  "often, and seldom for long": (next) => 5 * (1 - next()) ** -0.5,
};

describe("a feed that pauses at any time", () => {
  it.each(Object.entries(IRREGULAR))(
    "%s: at most 0.2 false silences a week once it is known, and found all the same",
    (_, gap) => {
      let wrong = 0;
      let longest = 0;
      const seeds = inFull(10);
      for (let seed = 1; seed <= seeds; seed++) {
        const next = random(seed);
        const { clock, said } = live(times((at) => gap(next, at) * MINUTE, 8));
        wrong += perWeek(said, MONDAY + 2 * WEEK, MONDAY + 8 * WEEK) / seeds;
        longest = Math.max(longest, delayOf(clock));
      }
      expect(wrong).toBeLessThanOrEqual(0.2);
      expect(longest).toBeLessThanOrEqual(DAY);
    },
  );
});

describe("a rhythm of days", () => {
  const officeHours = (at: number) => dayOf(at) < 5 && hourOf(at) >= 8 && hourOf(at) < 17;
  const every = (next: () => number) => () => (2 + 8 * next()) * MINUTE;

  it("office hours: one that dies in them is found in them, and one that dies in the evening in the morning", () => {
    const { said } = live(times(every(random(1)), 3, officeHours));
    expect(perWeek(said, MONDAY + WEEK, MONDAY + 3 * WEEK)).toBe(0);
    const until = (end: number) => live([...times(every(random(1)), 3, officeHours)].filter((at) => at < end)).clock;
    const thursday = MONDAY + 2 * WEEK + 3 * DAY;
    expect(delayOf(until(thursday + 14 * HOUR))).toBeLessThanOrEqual(2 * HOUR);
    const evening = until(thursday + 17 * HOUR);
    const found = evening.lastAt! + delayOf(evening);
    expect(found).toBeGreaterThan(thursday + DAY + 8 * HOUR);
    expect(found).toBeLessThan(thursday + DAY + 10 * HOUR);
    const friday = until(thursday + DAY + 17 * HOUR);
    expect(friday.lastAt! + delayOf(friday)).toBeLessThan(MONDAY + 3 * WEEK + 10 * HOUR);
  });

  it("a weekend may not begin a quarter of its length sooner", () => {
    const isOn = (at: number) => dayOf(at) < 5;
    const all = [...times(every(random(2)), 4, isOn)];
    const friday = MONDAY + 3 * WEEK + 4 * DAY;
    const { clock } = live(all.filter((at) => at < friday + 12 * HOUR));
    expect(delayOf(clock)).toBeLessThanOrEqual(HOUR);
  });

  it("a day that is missing is said, whatever was missing in the weeks before", () => {
    const missing = [2, 9, 16].map((day) => MONDAY + day * DAY);
    const isOn = (at: number) => !missing.some((from) => at >= from && at < from + DAY);
    const { said } = live(times(() => 5 * MINUTE, 4, isOn));
    expect(said.map(({ lastAt }) => Math.round((lastAt - MONDAY) / DAY))).toEqual([2, 9, 16]);
  });

  it("goes by the clocks of its city, through both changes", () => {
    const zone = "Europe/Vienna";
    const start = Date.UTC(2026, 2, 2);
    const local = (at: number) => at + (at < Date.UTC(2026, 2, 29, 1) ? HOUR : 2 * HOUR);
    const sent = (isOn: (at: number) => boolean) =>
      Array.from({ length: 6 * 7 * 24 * 12 }, (_, i) => start + i * 5 * MINUTE).filter((at) => isOn(local(at)));
    const { said, clock } = live(
      sent((at) => hourOf(at) >= 6 && hourOf(at) < 22),
      { zone },
    );
    expect(said.filter(({ lastAt }) => lastAt > start + 2 * DAY)).toEqual([]);
    // It would have been silent for an hour longer in summer.
    expect(delayOf(clock, zone)).toBeLessThan(10 * HOUR);
  });
});

describe("outages", () => {
  const hourly = (from: number, hours: number) => Array.from({ length: hours }, (_, i) => from + i * HOUR);

  it.each([
    ["of weeks", []],
    ["of weeks, with a stray message in it", [10 * DAY]],
    ["of weeks, with two of them", [10 * DAY, 15 * DAY]],
  ])("a hole %s is forgotten: a silence of 34 h after it is said", (_, stray) => {
    const back = MONDAY + 3 * DAY + 24 * DAY;
    const sent = [...hourly(MONDAY, 72), ...stray.map((after) => MONDAY + 3 * DAY + after), ...hourly(back, 8)];
    const last = sent.at(-1)!;
    const { said } = live([...sent, last + 34 * HOUR]);
    expect(said.at(-1)).toEqual({ lastAt: last, from: last + 3 * HOUR, to: last + 34 * HOUR });
  });

  it("are no habit of a sensor that is out once a week", () => {
    const isOn = (at: number) =>
      ![3, 11, 17, 26].some((day) => at >= MONDAY + day * DAY + 10 * HOUR && at < MONDAY + day * DAY + 44 * HOUR);
    const { said } = live(times(() => 5 * MINUTE, 5, isOn));
    expect(said).toHaveLength(4);
  });

  it("a declared interval is taken at its word", () => {
    const { clock, said } = live(
      times(
        () => 5 * MINUTE,
        2,
        (at) => hourOf(at) < 20,
      ),
      { declaredMs: 5 * MINUTE },
    );
    expect(said).toHaveLength(13);
    expect(clock.pauses).toEqual([]);
    expect(clock.hours).toEqual([]);
  });
});

describe("what is kept of a rhythm", () => {
  it("is bounded, plain, and gives the same after a restart; what versions before kept is read", () => {
    const next = random(5);
    const { clock } = live(times((at) => IRREGULAR["more by day than by night"]!(next, at) * MINUTE, 8));
    const json = JSON.parse(JSON.stringify(clockToJson(clock)));
    expect(JSON.stringify(json).length).toBeLessThan(5_000);
    expect(clock.pauses.length).toBeLessThanOrEqual(PAUSES_MAX);
    const again = clockFrom(undefined, json);
    expect(clockToJson(again)).toEqual(json);
    expect(delayOf(again)).toBe(delayOf(clock));
    const { hours, hourAt, inHour, pauses, ...former } = json;
    const pairs = clock.pauses.slice(-32);
    expect(clockFrom(undefined, { ...former, pauses: pairs }).pauses).toEqual(pairs);
  });
});
