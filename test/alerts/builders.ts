import type { Live } from "../../alerts/alerts.ts";
import type { WatchedSensor } from "../../alerts/conditions/condition.ts";
import { parseRules, versionOf } from "../../alerts/rules/check.ts";
import type { Transition } from "../../model/alert.ts";
import type { Batch } from "../../model/batch.ts";
import type { Reading, Values } from "../../model/reading.ts";
import { type Rule, ruleSchema } from "../../model/rule.ts";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** Midnight UTC, so that windows are easy to see. */
export const T0 = Date.UTC(2026, 10, 21);

/** A rule from the fields that matter. */
export function aRule(fields: object): Rule {
  const defaults = { id: "a-rule", title: "A rule", kind: "air", severity: "warning", audience: "operators" };
  const data = ruleSchema.parse({ ...defaults, source: { text: "a test" }, ...fields }) as Omit<Rule, "version">;
  return { ...data, version: versionOf(data) };
}

export function rulesOf(yaml: string): Rule[] {
  const { rules, mistakes } = parseRules(yaml, "rules.yaml");
  if (mistakes.length > 0) throw new Error(JSON.stringify(mistakes));
  return rules.map(({ rule }) => ({ ...rule, version: versionOf(rule) }));
}

let seq = 0;

/** The rules in real time. `journal`: what has been taken, one batch behind the other, to be read again. */
export function liveOf(monotonic: () => number, journal: readonly Batch[] = [], onWaiting = () => {}): Live {
  return {
    monotonic,
    onWaiting,
    async readAgain(from, before) {
      const batch = journal.find(({ to }) => to > from);
      if (!batch) throw new Error(`nothing at ${from}`);
      const to = Math.min(before, batch.to);
      const isMeant = (seq: number) => seq >= from && seq < to;
      const readings = batch.readings.filter(({ journalSeq }) => isMeant(journalSeq));
      return { ...batch, from, to, readings, messages: batch.messages?.filter(({ seq }) => isMeant(seq)) };
    },
  };
}

export function aReading(measuredAt: number, values: Values, rest: Partial<Reading> = {}): Reading {
  seq += 1;
  const where = { sensorId: "s-1", kind: "air", district: "north" } as const;
  return { ...where, measuredAt, receivedAt: measuredAt + 500, values, journalSeq: seq, ...rest };
}

export function aSensor(rest: Partial<WatchedSensor> = {}): WatchedSensor {
  return { id: "s-1", kind: "air", district: "north", tags: {}, ...rest };
}

/** "firing eu-no2 s-1 2026-11-21T03:00": a transition as one line. */
export function line({ alert, entry }: Transition): string {
  return `${entry.what} ${alert.rule.id} ${alert.subject.sensorId} ${new Date(entry.at).toISOString().slice(0, 16)}`;
}

/** A small random generator with a seed (mulberry32), so that a failing feed can be made again. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
