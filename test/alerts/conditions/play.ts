import type { Outcome, Sample, ValueCondition } from "../../../alerts/conditions/condition.ts";

const LETTERS = { pending: "p", firing: "F", raised: "+", lowered: "-", counted: "n", resolved: "R" } as const;

/** Minute, value, and "?" if the value is suspect. */
export type Note = readonly [minute: number, value: number, flag?: "?"];

/**
 * Plays samples through a condition, one letter per sample: p pending, F fires, + raised, - lowered, n counted, R resolved, `.` nothing new. Several
 * outcomes of one sample stand together in brackets. The state goes through JSON after every step, as it does on disk.
 */
export function play<Params, State>(
  condition: ValueCondition<Params, State>,
  params: Params,
  notes: readonly Note[],
  everyMs?: number,
): { letters: string; outcomes: Outcome[]; state: State } {
  let state = condition.quiet;
  let lastAt: number | undefined;
  const gaps: number[] = [];
  const all: Outcome[] = [];
  let letters = "";
  for (const [minute, value, flag] of notes) {
    const at = Math.round(minute * 60_000);
    const sample: Sample = { at, value, good: flag !== "?", lastAt, cadence: { declaredMs: everyMs, gaps } };
    const before = JSON.stringify(state);
    const kept = state;
    const [next, outcomes] = condition.step(params, state, sample);
    if (JSON.stringify(kept) !== before) throw new Error("the step changed its state in place");
    const word = outcomes.map(({ what }) => LETTERS[what]).join("");
    letters += word.length > 1 ? `[${word}]` : word || ".";
    all.push(...outcomes);
    state = JSON.parse(JSON.stringify(next));
    if (lastAt !== undefined) gaps.push(at - lastAt);
    lastAt = at;
  }
  return { letters, outcomes: all, state };
}
