import { describe, expect, it } from "vitest";
import type { Transition } from "../../../model/alert.ts";
import { inFull } from "../../helpers/in-full.ts";
import { HOUR, MINUTE, random, T0 } from "../builders.ts";
import { aDistrict, SENSORS, said, togetherByPairs } from "./district.ts";

const RUNS = inFull(60);
const OF_KIND = {
  energy: [
    "transformer-load",
    "transformer-overload-ahead",
    "oil-temperature",
    "undervoltage",
    "sensor-silent",
    "power-unusual",
  ],
  air: ["eu-no2", "eu-o3", "air-quality", "battery-level", "stuck-no2", "sensor-silent"],
  traffic: ["traffic-congestion", "slow-traffic", "detector-locked", "sensor-silent"],
} as const;

function dice(seed: number) {
  const next = random(seed);
  const below = (n: number) => Math.floor(next() * n);
  return {
    next,
    below,
    often: (share: number) => next() < share,
    oneOf: <T>(all: readonly T[]): T => all[below(all.length)]!,
  };
}
type Chance = ReturnType<typeof dice>;

/** What becomes of some alerts, each its own list of transitions in their order. */
function lives(chance: Chance, count: number, withinHours = 8): Transition[][] {
  const known = new Map<string, Transition[]>();
  for (let i = 0; i < count; i++) {
    const sensor = chance.oneOf(SENSORS);
    const rule = chance.oneOf(OF_KIND[sensor.kind]);
    const start = T0 + chance.below(withinHours * 60) * MINUTE;
    const up = said("firing", rule, sensor.id, start);
    const end = start + (1 + chance.below(150)) * MINUTE;
    const life = [up];
    if (up.alert.severity === "warning" && chance.often(0.3)) {
      const { alert } = said("firing", rule, sensor.id, start, { severity: "critical" });
      life.push({ alert, entry: { at: start + 30_000, knownAt: start + 30_000, what: "raised" } });
      if (chance.often(0.5))
        life.push({ alert: up.alert, entry: { at: start + 45_000, knownAt: start + 45_000, what: "lowered" } });
    }
    if (chance.often(0.6)) life.push(said("resolved", rule, sensor.id, end, { start }));
    if (chance.often(0.15)) life.push(said("retracted", rule, sensor.id, end + 1, { start }));
    known.set(up.alert.id, life);
  }
  const silent = [...known.values()].flatMap(([up]) => (up!.alert.rule.id === "sensor-silent" ? [up!.alert] : []));
  for (const district of ["north", "south"]) {
    const some = silent.filter((one) => one.subject.district === district && chance.often(0.5)).map(({ id }) => id);
    if (some.length === 0 || chance.often(0.5)) continue;
    const start = T0 + chance.below(8 * 60) * MINUTE;
    const fields = { start, children: some, subject: { gateway: "gw-1", district } };
    known.set(`gw ${district}`, [said("firing", "gateway-outage", `gw-1-${district}`, start, fields)]);
  }
  return [...known.values()];
}

/** One after the other, those of an alert in their order and all else by chance. */
function shuffled(all: readonly Transition[][], { below }: Chance): Transition[] {
  const queues = all.map((life) => [...life]);
  const order: Transition[] = [];
  while (queues.length > 0) {
    const at = below(queues.length);
    order.push(queues[at]!.shift()!);
    if (queues[at]!.length === 0) queues.splice(at, 1);
  }
  return order;
}

const lastOf = (all: readonly Transition[][]) =>
  all.map((life) => life.at(-1)!.alert).filter(({ state }) => state !== "retracted");

/** What is said of each, without its name: which is that of whatever was known first. */
const saidOf = (city: ReturnType<typeof aDistrict>) =>
  city
    .incidents()
    .map(({ id: _, ...rest }) => JSON.stringify(rest))
    .sort();

describe("incidents", () => {
  it("are the same in every order, cut into batches in any way, through kills, restarts and repeats", () => {
    let gathered = 0;
    for (let seed = 1; seed <= RUNS; seed++) {
      const chance = dice(seed);
      const all = lives(chance, 4 + chance.below(25));
      const expected = togetherByPairs(lastOf(all));
      gathered += expected.length;
      let before: string[] | undefined;
      for (let order = 0; order < 3; order++) {
        const city = aDistrict();
        const rest = shuffled(all, chance);
        for (
          let batch = rest.splice(0, 1 + chance.below(4));
          batch.length > 0;
          batch = rest.splice(0, 1 + chance.below(4))
        ) {
          if (chance.often(0.1)) city.fail(...batch);
          city.apply(...batch);
          if (chance.often(0.1)) city.apply(...batch);
          if (chance.often(0.1)) city.restart();
        }
        expect(city.together(), `seed ${seed}, order ${order}`).toEqual(expected);
        const now = saidOf(city);
        expect(now, `seed ${seed}, order ${order}`).toEqual(before ?? now);
        before = now;
        city.records.close();
      }
    }
    expect(gathered).toBeGreaterThan(RUNS);
  });

  it("tell every target the end of just what it was told, once, and no target of an alert it knows by another", () => {
    let quiet = 0;
    for (let seed = 1; seed <= RUNS; seed++) {
      const chance = dice(10_000 + seed);
      const all = lives(chance, 4 + chance.below(20), 3);
      const city = aDistrict([
        { id: "all" },
        { id: "critical", severityMin: "critical" },
        { id: "crews", audience: "crews" },
        { id: "some", rules: ["eu-no2", "sensor-silent"] },
      ]);
      for (const one of shuffled(all, chance)) {
        if (chance.often(0.1)) city.fail(one);
        city.apply(one);
        if (chance.often(0.1)) city.restart();
        city.pass(chance.below(20) * MINUTE);
        city.sent();
      }
      for (const { alert } of all.map((life) => life.at(-1)!)) {
        if (alert.state !== "firing") continue;
        const end = { ...alert, state: "resolved" as const, resolvedAt: city.now() };
        city.apply({ alert: end, entry: { at: city.now(), knownAt: city.now(), what: "resolved" } });
      }
      for (let i = 0; i < 12; i++) city.pass(HOUR / 2);
      const owed = new Map<string, number>();
      for (const { target, what, alert, id } of city.sent()) {
        if (what === "reminder") continue;
        const key = `${target} ${alert}`;
        // A rise is one more line about what people know.
        const isRise = what === "firing" && /-(warning|critical)$/.test(id);
        const count = isRise ? 1 : (owed.get(key) ?? 0) + (what === "firing" ? 1 : -1);
        expect([0, 1], `seed ${seed}: ${what} ${key}`).toContain(count);
        owed.set(key, count);
      }
      expect(
        [...owed].filter(([, count]) => count !== 0),
        `seed ${seed}`,
      ).toEqual([]);
      quiet += all.length - new Set(city.sent().map(({ alert }) => alert)).size;
      city.records.close();
    }
    expect(quiet).toBeGreaterThan(RUNS / 2);
  });
});
