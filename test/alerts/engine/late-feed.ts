import { createHash } from "node:crypto";
import { createEngine, type EngineOptions } from "../../../alerts/engine/engine.ts";
import type { StateRow } from "../../../alerts/engine/states.ts";
import type { Transition } from "../../../model/alert.ts";
import type { Reading } from "../../../model/reading.ts";
import { aReading, aRule, aSensor, HOUR, MINUTE, random, T0 } from "../builders.ts";

const threshold = (id: string, fields: object) =>
  aRule({ id, metric: "temperature", condition: { type: "threshold", ...fields } });

/** Every kind of memory a condition can have: none, a span, a window, a run of windows, the gap before. */
export const RULES = [
  threshold("plain", { above: 45, clear: 30 }),
  threshold("held", { above: 25, clear: 20, for: "5m", keepFor: "3m" }),
  threshold("mean", { above: 22, window: "10m" }),
  aRule({
    id: "runs",
    metric: "no2",
    condition: { type: "consecutive", above: 50, count: 2, window: "15m", capture: 0.5 },
  }),
  aRule({ id: "silent", kind: "any", audience: "crews", condition: { type: "silence", after: "15m" } }),
  aRule({
    id: "tried",
    mode: "shadow",
    metric: "temperature",
    condition: { type: "threshold", below: 5, window: "5m" },
  }),
];

const SENSORS = [aSensor({ intervalS: 120 }), aSensor({ id: "s-2" }), aSensor({ id: "s-3", intervalS: 60 })];
const sensor = (id: string) => SENSORS.find((one) => one.id === id);
export const engineOf = (options: Partial<EngineOptions> = {}) => createEngine({ rules: RULES, sensor, ...options });

/** Six hours of three sensors in order, with holes and suspect values, each received at once. */
export function feedInOrder(seed: number): Reading[] {
  const chance = random(seed);
  const feed: Reading[] = [];
  for (const { id: sensorId } of SENSORS) {
    let at = T0;
    let level = 20;
    while (at < T0 + 6 * HOUR) {
      at += Math.round(chance() < 0.02 ? 40 * MINUTE : (0.3 + chance()) * 2 * MINUTE);
      level += (chance() - 0.5) * 25 + (20 - level) * 0.1;
      const temperature = Math.max(-40, Math.min(69, Math.round(level)));
      const values = chance() < 0.6 ? { temperature, no2: Math.round(chance() * 110) } : { temperature };
      const quality = chance() < 0.2 ? ({ temperature: "suspect" } as const) : undefined;
      feed.push(aReading(at, values, { sensorId, quality, receivedAt: at }));
    }
    // A calm end: whatever is open is resolved.
    for (let i = 0; i < 40; i++) {
      const end = T0 + 8 * HOUR + i * MINUTE;
      feed.push(aReading(end, { temperature: 10, no2: 0 }, { sensorId, receivedAt: end }));
    }
  }
  return feed.sort(byArrival);
}

/** The same readings, some delayed by less than the lateness and repeated; in the order in which they arrive. */
export function shuffled(feed: readonly Reading[], seed: number): Reading[] {
  const chance = random(seed);
  const late = feed.map((reading) => {
    const delay = chance() < 0.3 && reading.measuredAt < T0 + 7 * HOUR ? Math.floor(chance() * 29.9 * MINUTE) : 0;
    return { ...reading, receivedAt: reading.measuredAt + delay };
  });
  const again = late.filter(() => chance() < 0.05).map((one) => ({ ...one, receivedAt: one.receivedAt + MINUTE }));
  return [...late, ...again].sort(byArrival);
}

const byArrival = (a: Reading, b: Reading) => a.receivedAt - b.receivedAt || a.measuredAt - b.measuredAt;

export type Habits = {
  /** Looks at the clock whenever so much time has passed. */
  readonly tickEveryMs?: number;
  /** Is restarted from what it saved, with this chance after a batch. */
  readonly restart?: number;
  /** Is given the same rules again with this chance after a batch. */
  readonly replace?: number;
  readonly seed: number;
  readonly options?: Partial<EngineOptions>;
};

/** Plays what arrives, cut into batches of chance. */
export function play(
  arrivals: readonly Reading[],
  { tickEveryMs, restart = 0, replace = 0, seed, options }: Habits,
): Transition[] {
  const chance = random(seed);
  const rows = new Map<string, StateRow>();
  let engine = engineOf(options);
  const said: Transition[] = [];
  let tickedAt = T0;
  for (let i = 0; i < arrivals.length; ) {
    const batch = arrivals.slice(i, i + 1 + Math.floor(chance() * 20));
    i += batch.length;
    for (const reading of tickEveryMs === undefined ? [] : batch) {
      while (tickedAt + tickEveryMs! < reading.receivedAt) {
        tickedAt += tickEveryMs!;
        said.push(...engine.tick(tickedAt));
      }
      said.push(...engine.observe([reading]));
    }
    if (tickEveryMs === undefined) said.push(...engine.observe(batch));
    if (chance() < replace) said.push(...engine.replaceRules(structuredClone(RULES), tickedAt));
    if (chance() >= restart) continue;
    for (const row of engine.states.snapshot()) {
      const key = `${row.rule} ${row.subject}`;
      if (row.state === "") rows.delete(key);
      else rows.set(key, row);
    }
    engine.states.saved();
    if (chance() < 0.5) continue;
    const held = engine.held().sort().join();
    engine = engineOf(options);
    engine.states.load([...rows.values()]);
    if (engine.held().sort().join() !== held) throw new Error(`held before ${held}, after ${engine.held()}`);
  }
  return said;
}

/** What is left in the end: every alert as it was last said, without those that were taken back. */
export function finalTimeline(said: readonly Transition[]): string[] {
  const alerts = new Map(said.map(({ alert }) => [alert.id, alert]));
  return [...alerts.values()]
    .filter(({ state }) => state !== "retracted")
    .map(({ correctedBy: _, ...alert }) => JSON.stringify(alert))
    .sort();
}

export const hashOf = (lines: readonly string[]) => createHash("sha256").update(lines.join("\n")).digest("hex");
