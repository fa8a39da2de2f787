import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runRuleTest } from "../../alerts/backtest/rule-tests.ts";
import { parseTests } from "../../alerts/backtest/test-file.ts";
import { createDetector } from "../../alerts/detector.ts";
import { loadRules } from "../../alerts/rules/check.ts";
import type { Transition } from "../../model/alert.ts";
import { inFull } from "../helpers/in-full.ts";
import { aReading, aSensor, DAY, HOUR, MINUTE, random } from "./builders.ts";

/** A Monday, midnight UTC. */
const MONDAY = Date.UTC(2026, 0, 5);
const WEEKS = 5;
const silences = loadRules().filter(({ id }) => id.startsWith("sensor-silent"));

type Sent = { readonly at: number; readonly received: number };
type Kind = {
  /** Everything a sensor of this kind sends until it dies. */
  readonly sends: (next: () => number) => Sent[];
  readonly intervalS?: number;
  /** From then on no silence is said that is none. */
  readonly learntIn: number;
  /** How long after its last message a dead one is found, at most. */
  readonly foundIn: number;
};

const every = (stepMs: number, weeks = WEEKS) =>
  Array.from({ length: Math.floor((weeks * 7 * DAY) / stepMs) }, (_, i) => MONDAY + i * stepMs);
const atOnce = (at: number): Sent => ({ at, received: at });
const hourOf = (at: number) => ((at - MONDAY) % DAY) / HOUR;
const dayOf = (at: number) => Math.floor((at - MONDAY) / DAY) % 7;
/** Samples that are sent together, `lateBy` after the last of them could have been. */
const uploads = (stepMs: number, periodMs: number, jitterMs = 0): Sent[] =>
  every(stepMs).map((at) => {
    const period = Math.floor((at - MONDAY) / periodMs) + 1;
    const jitter = jitterMs === 0 ? 0 : ((period * 7_919) % 1_000) / 1_000;
    return { at, received: MONDAY + period * periodMs + jitter * jitterMs };
  });
/** Events some minutes apart, while `isOn`. */
function events(next: () => number, isOn: (at: number) => boolean): Sent[] {
  const sent: Sent[] = [];
  for (let at = MONDAY; at < MONDAY + WEEKS * 7 * DAY; at += 2 * MINUTE + next() * 8 * MINUTE) {
    if (isOn(at)) sent.push(atOnce(Math.floor(at)));
  }
  return sent;
}

const KINDS: Readonly<Record<string, Kind>> = {
  "24 hourly samples once a day": {
    sends: () => uploads(HOUR, DAY, 40 * MINUTE),
    learntIn: 3 * DAY,
    foundIn: 50 * HOUR,
  },
  "24 hourly samples once a day, the interval declared": {
    sends: () => uploads(HOUR, DAY, 40 * MINUTE),
    intervalS: 3_600,
    learntIn: 3 * DAY,
    foundIn: 50 * HOUR,
  },
  "a week of hourly samples": {
    sends: () => uploads(HOUR, 7 * DAY).filter(({ at, received }) => received - at < 7 * DAY),
    learntIn: 14 * DAY + HOUR,
    foundIn: 8 * DAY + 3 * HOUR,
  },
  "twelve samples once an hour": {
    sends: () => uploads(5 * MINUTE, HOUR, 4 * MINUTE),
    learntIn: 0,
    foundIn: 4 * HOUR,
  },
  "several messages at joining, then one a day": {
    sends: (next) =>
      [0, 10_000, 20_000, 30_000, ...every(DAY).map((at) => at - MONDAY + 30 * MINUTE)].flatMap((ms, i) =>
        i > 3 && ms < DAY ? [] : [atOnce(MONDAY + ms + (i > 3 ? Math.floor(next() * 90 * MINUTE) : 0))],
      ),
    learntIn: 0,
    foundIn: 50 * HOUR,
  },
  "one message a day, an hour sooner or later": {
    sends: (next) => every(DAY).map((at) => atOnce(at + 6 * HOUR + Math.floor(next() * 2 * HOUR))),
    learntIn: 0,
    foundIn: 51 * HOUR,
  },
  "events by day, none at night": {
    sends: (next) => events(next, (at) => hourOf(at) >= 6 && hourOf(at) < 22),
    learntIn: 2 * DAY,
    foundIn: 10 * HOUR,
  },
  "office hours": {
    sends: (next) => events(next, (at) => dayOf(at) < 5 && hourOf(at) >= 8 && hourOf(at) < 17),
    learntIn: 7 * DAY,
    // One that dies on a Friday evening.
    foundIn: 2.8 * DAY,
  },
  "no weekends": {
    sends: (next) => events(next, (at) => dayOf(at) < 5),
    learntIn: 7 * DAY,
    foundIn: 2.2 * DAY,
  },
  "every ten minutes": {
    sends: () => every(10 * MINUTE).map(atOnce),
    learntIn: 0,
    foundIn: 45 * MINUTE,
  },
};

/** As a running service hears it, its clock ticking in between. */
function live({ intervalS }: Kind, sent: readonly Sent[], until: number): Transition[] {
  const sensor = aSensor(intervalS === undefined ? {} : { intervalS });
  const detector = createDetector({ rules: silences, sensor: () => sensor });
  detector.listen(MONDAY - HOUR);
  const said: Transition[] = [];
  let now = MONDAY;
  for (const { at, received } of [...sent].sort((a, b) => a.received - b.received || a.at - b.at)) {
    for (; now + 5 * MINUTE < received; now += 5 * MINUTE) said.push(...detector.tick(now + 5 * MINUTE));
    said.push(...detector.observe([aReading(at, { battery: 90 }, { receivedAt: received })]));
  }
  for (; now < until; now += 5 * MINUTE) said.push(...detector.tick(now + 5 * MINUTE));
  return said;
}

const knownAt = ({ entry }: Transition) => new Date(entry.knownAt).toISOString();

describe.each(Object.entries(KINDS))("a sensor that sends %s", (_, kind) => {
  it("is called silent when it is, and soon no more when it is not", { timeout: 60_000 }, () => {
    for (let seed = 1; seed <= inFull(4); seed++) {
      const next = random(seed);
      const all = kind.sends(next);
      const end = MONDAY + WEEKS * 7 * DAY;
      const diesAt = end - Math.floor(next() * 6 * DAY) - HOUR;
      const sent = all.filter(({ received }) => received <= diesAt);
      const last = Math.max(...sent.map(({ received }) => received));
      const said = live(kind, sent, last + kind.foundIn + HOUR);
      const wrong = said.filter(({ entry }) => entry.what === "firing" && entry.knownAt <= last);
      const unlearnt = wrong.filter(({ entry }) => entry.knownAt > MONDAY + kind.learntIn);
      expect(unlearnt.map(knownAt), `seed ${seed}: false silences`).toEqual([]);
      const right = said.filter(({ entry }) => entry.what === "firing" && entry.knownAt > last);
      expect(right.length, `seed ${seed}: the dead sensor was found`).toBeGreaterThan(0);
      expect(right[0]!.entry.knownAt - last, `seed ${seed}: in time`).toBeLessThanOrEqual(kind.foundIn);
    }
  });
});

/** Situations that were met; their files name no rules, and are about what is said once the rhythm is known. */
const CASES = join(import.meta.dirname, "../../../shared/cases/rules");

describe.skipIf(!existsSync(CASES))("the cases that were met (../shared/cases/rules)", () => {
  const said = (name: string) => {
    const text = readFileSync(join(CASES, `${name}.test.yaml`), "utf8");
    const { tests, mistakes } = parseTests(`rules: .\n${text}`, name);
    expect(mistakes).toEqual([]);
    return runRuleTest(tests[0]!, loadRules()).differences.map(
      ({ what, at, rule }) => `${what} ${rule} ${at.slice(5, 16)}`,
    );
  };

  it("batch, and a join burst: nothing is said", () => {
    expect(said("batch")).toEqual([]);
    expect(said("join-burst-then-daily")).toEqual([]);
  });

  it("event driven: the first night, and the death of the sensor", () => {
    expect(said("event-driven-night-pause")).toEqual([
      "firing sensor-silent 11-21T22:24",
      "resolved sensor-silent 11-22T06:00",
      "firing sensor-silent 11-23T13:39",
      "firing sensor-silent-day 11-24T13:09",
    ]);
  });

  it("a feed five hours behind: firing while it lasts, after the five hours in which nothing came", () => {
    expect(said("m5")).toEqual([
      "firing sensor-silent 11-21T00:30",
      "resolved sensor-silent 11-21T00:30",
      "firing eu-no2 11-21T11:00",
      "resolved eu-no2 11-21T16:00",
    ]);
  });
});

describe("a feed that is steadily behind", () => {
  const rules = loadRules().filter(({ kind }) => kind !== "traffic");
  /** Three days every five minutes, with an hour and a half of much NO2, a stuck night and a hole. */
  function feed(seed: number): { at: number; no2: number; pm25: number }[] {
    const next = random(seed);
    const from = 8 * HOUR + Math.floor(next() * 30) * HOUR;
    return Array.from({ length: 3 * 288 }, (_, i) => ({ at: MONDAY + i * 5 * MINUTE, i })).flatMap(({ at, i }) => {
      const ms = at - MONDAY;
      if (ms > from + 20 * HOUR && ms < from + 22 * HOUR) return [];
      const high = ms >= from && ms < from + 5 * HOUR;
      return [
        {
          at,
          no2: high ? 250 + (i % 7) : 20 + 5 * Math.floor(next() * 4),
          pm25: 12 + (i % 5) + Math.floor(next() * 9),
        },
      ];
    });
  }

  function play(seed: number, delayMs: number, tags: Record<string, string>): string[] {
    const sensor = aSensor({ intervalS: 300, tags });
    const detector = createDetector({ rules, sensor: () => sensor });
    const said: Transition[] = [];
    let now = MONDAY + delayMs;
    detector.listen(now - HOUR);
    const readings = feed(seed);
    for (const { at, no2, pm25 } of readings) {
      const receivedAt = at + delayMs;
      for (; now + MINUTE < receivedAt; now += MINUTE) said.push(...detector.tick(now + MINUTE));
      said.push(...detector.observe([aReading(at, { no2, pm25 }, { receivedAt })]));
    }
    for (const until = now + 2 * HOUR; now < until; now += MINUTE) said.push(...detector.tick(now + MINUTE));
    return said.map(
      ({ alert, entry }) => `${entry.what} ${alert.rule.id} ${alert.id} ${new Date(entry.at).toISOString()}`,
    );
  }

  it("has the alerts of one that is not, in the times of its readings; declared or learnt", { timeout: 60_000 }, () => {
    for (let seed = 1; seed <= inFull(4); seed++) {
      const control = play(seed, 0, {});
      expect(control.filter((one) => one.includes(" eu-no2 ")).length).toBeGreaterThan(1);
      for (const hours of [1, 5, 11, 30]) {
        expect(play(seed, hours * HOUR, {}), `seed ${seed}, ${hours} h, learnt`).toEqual(control);
        expect(play(seed, hours * HOUR, { delay: `${hours}h` }), `seed ${seed}, ${hours} h, declared`).toEqual(control);
      }
    }
  });
});
