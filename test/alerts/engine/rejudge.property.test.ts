import { describe, expect, it } from "vitest";
import { createEngine } from "../../../alerts/engine/engine.ts";
import type { StateRow } from "../../../alerts/engine/states.ts";
import type { Transition } from "../../../model/alert.ts";
import type { Reading } from "../../../model/reading.ts";
import { say } from "../../../model/sentence.ts";
import { inFull } from "../../helpers/in-full.ts";
import { aReading, aRule, aSensor, HOUR, MINUTE, random, T0 } from "../builders.ts";
import { engineOf, feedInOrder, finalTimeline, RULES } from "./late-feed.ts";

const SEEDS = Array.from({ length: inFull(100) }, (_, i) => i + 1);

/** What people may find out: some were wrong, some were in another unit, some were elsewhere in time. */
function corrected(feed: readonly Reading[], sensorId: string, from: number, seed: number): Reading[] {
  const chance = random(seed);
  const [begin, end] = [from + chance() * 10 * MINUTE, from + (10 + chance() * 40) * MINUTE];
  const what = Math.floor(chance() * 3);
  const found = feed.flatMap((one): Reading[] => {
    if (one.sensorId !== sensorId || one.measuredAt < begin || one.measuredAt >= end) return [one];
    if (what === 0) return [];
    if (what === 1) return [{ ...one, values: { ...one.values, temperature: one.values.temperature! * 2 } }];
    return [{ ...one, measuredAt: one.measuredAt + 7 }];
  });
  return found.sort((a, b) => a.measuredAt - b.measuredAt);
}

/** Nothing is silent because what it said was wrong. */
const judged = (said: readonly Transition[]) => finalTimeline(said).filter((one) => !one.includes('"id":"silent"'));

const upTo = (feed: readonly Reading[], time: number) => feed.filter(({ receivedAt }) => receivedAt < time);
const after = (feed: readonly Reading[], time: number) => feed.filter(({ receivedAt }) => receivedAt >= time);

describe("readings that people correct, within what the engine remembers", () => {
  it("come to the alerts of readings that were right from the start, and back when it is revoked, over restarts", () => {
    let different = 0;
    for (const seed of SEEDS) {
      const feed = feedInOrder((seed % 4) + 1);
      const sensorId = `s-${(seed % 3) + 1}`;
      const time = T0 + HOUR + ((seed * 37) % 280) * MINUTE;
      let engine = engineOf();
      const said = engine.observe(upTo(feed, time));
      const from = engine.reachFrom(sensorId)!;
      const right = corrected(feed, sensorId, from, seed);
      const rejudge = (readings: readonly Reading[], at: number) => {
        const own = upTo(readings, time).filter((one) => one.sensorId === sensorId && one.measuredAt >= from);
        said.push(...engine.rejudge(sensorId, own, { at, note: say("text", { text: "Correction 1." }) }));
      };
      const before = judged(said);
      rejudge(right, 1);
      const expected = judged(engineOf().observe(upTo(right, time)));
      expect(judged(said), `seed ${seed}`).toEqual(expected);
      if (JSON.stringify(before) !== JSON.stringify(expected)) different += 1;
      rejudge(feed, 2);
      expect(judged(said), `seed ${seed}, revoked`).toEqual(before);
      rejudge(right, 3);
      if (seed % 2 === 0) engine = restarted(engine);
      said.push(...engine.observe(after(right, time)));
      expect(judged(said), `seed ${seed}, to the end`).toEqual(judged(engineOf().observe(right)));
    }
    expect(different).toBeGreaterThan(SEEDS.length / 5);
  });

  it("says why in the timeline, each time anew", () => {
    const hot = aRule({ id: "hot", metric: "temperature", condition: { type: "threshold", above: 40 } });
    const engine = createEngine({ rules: [hot], sensor: () => aSensor({ intervalS: 60 }) });
    const readings = [20, 50, 51].map((temperature, i) => aReading(T0 + i * MINUTE, { temperature }));
    expect(engine.observe(readings).map(({ entry }) => entry.what)).toEqual(["firing"]);
    const cool = readings.map((one) => ({ ...one, values: { temperature: one.values.temperature! / 2 } }));
    const why = (n: number) => ({ at: T0 + HOUR + n, note: say("text", { text: `Correction ${n}.` }) });
    const lines = (said: readonly Transition[]) =>
      said.map(({ entry, alert }) => [entry.what, entry.at, entry.note, alert.state]);
    expect(lines(engine.rejudge("s-1", cool, why(1)))).toEqual([
      ["retracted", T0 + HOUR + 1, "Correction 1.", "retracted"],
    ]);
    expect(lines(engine.rejudge("s-1", readings, why(2)))).toEqual([
      ["firing", T0 + MINUTE, undefined, "firing"],
      ["late-confirmed", T0 + HOUR + 2, "Correction 2.", "firing"],
    ]);
    expect(engine.rejudge("s-1", readings, why(3))).toEqual([]);
  });

  it("does not call a sensor silent whose readings were left out", () => {
    const silent = RULES.find(({ id }) => id === "silent")!;
    const engine = createEngine({ rules: [silent], sensor: () => aSensor({ intervalS: 60 }) });
    const readings = Array.from({ length: 60 }, (_, i) => aReading(T0 + i * MINUTE, { temperature: 20 }));
    engine.observe(readings);
    engine.rejudge("s-1", readings.slice(0, 40), { at: T0 + HOUR, note: say("text", { text: "Correction 1." }) });
    expect(engine.tick(T0 + 60 * MINUTE + 1)).toEqual([]);
    expect(engine.tick(T0 + 90 * MINUTE).map(({ entry }) => entry.what)).toEqual(["firing"]);
  });
});

function restarted(engine: ReturnType<typeof engineOf>) {
  const rows = new Map<string, StateRow>();
  for (const row of engine.states.snapshot()) rows.set(`${row.rule} ${row.subject}`, row);
  const next = engineOf();
  next.states.load([...rows.values()].filter(({ state }) => state !== ""));
  return next;
}
