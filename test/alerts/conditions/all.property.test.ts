import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import type { Outcome, Sample, ValueCondition, WatchedSensor } from "../../../alerts/conditions/condition.ts";
import { CONDITIONS, paramsMaker } from "../../../alerts/conditions/registry.ts";
import { inFull } from "../../helpers/in-full.ts";
import { aRule, random } from "../builders.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STATE_BYTES_MAX = 40_000;
const sensor: WatchedSensor = { id: "s-1", kind: "energy", district: "north", tags: {} };

/** Where five minutes between values would take too long to learn anything. */
const EVERY_MS: Record<string, number> = {
  "forecast in days": 6 * HOUR,
  "anomaly of the week": HOUR,
  "anomaly of the day": 30 * MINUTE,
  "dark lights": 20 * MINUTE,
  "lights out": 20 * MINUTE,
  "lights by day": 20 * MINUTE,
  "lights switched late": 20 * MINUTE,
  "lights interrupted": 10 * MINUTE,
};

const SPECS: Record<string, object> = {
  threshold: { type: "threshold", above: 50, for: "10m", keepFor: "5m" },
  "threshold on windows": { type: "threshold", below: 5, clear: 8, window: "15m" },
  consecutive: { type: "consecutive", above: 50, count: 2, window: "15m" },
  flatline: { type: "flatline", after: "1h", tolerance: 0.5 },
  spike: { type: "spike", above: 20, count: 2, within: "3h" },
  rise: { type: "change", rise: 30, within: "20m", keepFor: "10m" },
  fall: { type: "change", fall: 30, within: "6h" },
  register: { type: "register", maxPower: 10, digits: 4 },
  "forecast in hours": { type: "forecast", above: 60, within: "2h", over: "4h" },
  "forecast in days": { type: "forecast", below: 10, within: "30d", over: "20d" },
  "anomaly of the week": { type: "anomaly", window: "2h" },
  "anomaly of the day": { type: "anomaly", season: "day", window: "30m", sigmas: 3, count: 1 },
  "running mean": { type: "running", above: 50, over: "3h" },
  "dark lights": { type: "lighting", fault: "dark", for: "5m" },
  "lights out": { type: "lighting", fault: "lamps-out" },
  "lights by day": { type: "lighting", fault: "by-day", for: "5m" },
  "lights switched late": { type: "lighting", fault: "switching", nights: 1 },
  "lights interrupted": { type: "lighting", fault: "interruption" },
  "anomaly without a season": { type: "anomaly", season: "none", window: "15m", count: 1 },
};

/** On by night and off by day, but for some days of the week. */
function lights(value: number, at: number): number {
  const [day, hour] = [Math.floor(at / DAY) % 7, (at % DAY) / HOUR];
  const isNight = hour < 6 || hour >= 18;
  if (Math.abs(value) > 1e6) return value;
  if (day === 1 && hour > 2 && hour < 2.7) return 0;
  if (day === 3) return isNight ? 0 : 40;
  if (day === 5 && hour >= 18) return hour < 20 ? 0 : 20;
  return isNight ? 40 + value / 1_000 : 0.5;
}

/** Batteries that are used up in forty days and replaced, but for the awkward values. */
function battery(value: number, at: number): number {
  return Math.abs(value) > 1e3 ? value : 100 - 2.3 * ((at / DAY) % 40) + value / 100;
}

const SHAPES: Readonly<Record<string, (value: number, at: number) => number>> = { "forecast in days": battery };

/** Ordinary and awkward: constants, steps, ramps, enormous and tiny numbers, holes, bursts, suspect values. */
function* samples(seed: number, everyMs: number, shape = (value: number, _at: number) => value): Generator<Sample> {
  const next = random(seed);
  const gaps: number[] = [];
  let at = Date.UTC(2026, 0, 1) + Math.floor(next() * 7 * DAY);
  let value = 40;
  let lastAt: number | undefined;
  const declaredMs = next() < 0.5 ? everyMs : undefined;
  for (let i = 0; i < 1_500; i++) {
    const dice = next();
    if (dice < 0.4) value += next() * 4 - 2;
    else if (dice < 0.45) value = next() * 100;
    else if (dice < 0.46) value = [0, -0.1, 1e12, -1e12, 1e-12, 9_999, 1][Math.floor(next() * 7)]!;
    const hole = next();
    at += hole < 0.005 ? Math.floor(next() * 20 * DAY) + 1 : hole < 0.02 ? 1 : Math.floor((0.5 + next()) * everyMs);
    yield { at, value: shape(value, at), good: next() > 0.1, lastAt, cadence: { declaredMs, gaps: [...gaps] } };
    if (lastAt !== undefined) gaps.push(at - lastAt);
    if (gaps.length > 20) gaps.shift();
    lastAt = at;
  }
}

function must(holds: boolean, name: string): void {
  if (!holds) throw new Error(name);
}

/** Fires and ends by turns, each not before the one before; answers what is open now. */
function check(outcomes: readonly Outcome[], open: Outcome | undefined, name: string): Outcome | undefined {
  let now = open;
  for (const one of outcomes) {
    must(one.startedAt <= one.at, `${name}: begins after its verdict`);
    if (one.what === "pending") must(now === undefined, `${name}: pending twice`);
    if (one.what === "firing") must(now?.what !== "firing", `${name}: fires twice`);
    if (now) must(one.startedAt === now.startedAt && one.at >= now.at, `${name}: another start, or back in time`);
    if (one.what === "resolved") must(now !== undefined, `${name}: ends what had not begun`);
    const { expected } = one;
    if (expected)
      must(expected.from <= expected.at && expected.at <= expected.to, `${name}: expected outside its interval`);
    now = one.what === "resolved" ? undefined : one;
  }
  return now;
}

/** JSON writes NaN and infinities as null. */
const hasNoNumber = (json: string) => json.includes("null");

describe.each(Object.entries(SPECS))("%s, whatever comes", (label, spec) => {
  const metric = label === "register" ? "energyImport" : "activePower";
  const rule = aRule({ kind: "energy", metric, condition: spec });
  const condition = CONDITIONS[rule.condition.type] as ValueCondition<unknown, unknown>;
  const isLights = rule.condition.type === "lighting";
  const params = paramsMaker(rule)(isLights ? { ...sensor, lat: 50, lon: 0 } : sensor);

  it("fires and ends by turns, keeps little, writes no NaN, and is the same from its JSON and by the clock", () => {
    let fired = 0;
    for (let seed = 1; seed <= inFull(12); seed++) {
      const name = `${label}, seed ${seed}`;
      let state = condition.quiet;
      let open: Outcome | undefined;
      for (const sample of samples(seed, EVERY_MS[label] ?? 5 * MINUTE, isLights ? lights : SHAPES[label])) {
        const text = JSON.stringify(state);
        const kept = state;
        const [next, outcomes] = condition.step(params, state, sample);
        must(JSON.stringify(kept) === text, `${name}: changed its state in place`);
        open = check(outcomes, open, name);
        fired += outcomes.filter(({ what }) => what === "firing").length;
        const json = JSON.stringify([next, outcomes]);
        must(!hasNoNumber(json), `${name}: ${json.slice(0, 400)}`);
        must(json.length < STATE_BYTES_MAX, `${name}: ${json.length} bytes`);
        const again = JSON.stringify(condition.step(params, JSON.parse(text), sample));
        must(
          again === json || isDeepStrictEqual(JSON.parse(again), JSON.parse(json)),
          `${name}: another verdict from the state's JSON`,
        );
        state = next;
        if (condition.advance && sample.at % 7 === 0) {
          const [later, told] = condition.advance(params, state, sample.at, sample.cadence);
          must(!hasNoNumber(JSON.stringify([later, told])), `${name}: not a number, by the clock`);
          open = check(told, open, name);
          state = later;
        }
      }
    }
    // Otherwise nothing was looked at.
    expect(fired).toBeGreaterThan(0);
  });
});
