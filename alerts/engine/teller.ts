import type { Cause, TimelineEntry, Transition } from "../../model/alert.ts";
import { type Difference, differences } from "./differences.ts";
import type { Before } from "./history.ts";
import type { Watch } from "./plan.ts";
import { NOTHING_TOLD, type Subject, type Told, withEntry } from "./subject.ts";
import { type Active, toTransition, type Verdict } from "./transition.ts";

type What = "pending" | "firing" | "resolved" | "retracted" | "corrected" | "late-confirmed";

/** What made the rules say something else. `causeOf`: the reading, of an alert that began at this time. */
type Correction = {
  readonly causeOf: (startedAt: number) => Cause;
  readonly knownAt: number;
  /** A reading that came late: not only one that the clock did not wait for. */
  readonly isLate: boolean;
};

/** Makes transitions of what the rules said, and keeps them until they are handed over. */
export function createRecorder(onChange: (subject: Subject, column: number) => void) {
  const counts = { pending: 0, firing: 0, resolved: 0, retracted: 0, corrected: 0, lateConfirmed: 0, shadow: 0 };
  let said: Transition[] = [];

  /** An outcome as it came. */
  function tell(subject: Subject, { column, outcome, active }: Told, knownAt: number, cause?: Cause): void {
    const { what, at, why } = outcome;
    const note = why === "cleared" ? undefined : why;
    const entry = { what, at, knownAt, note };
    say(subject, column, active, { state: what, resolvedAt: what === "resolved" ? at : undefined, entry }, cause);
  }

  /** All that follows from a late reading, or one that the clock did not wait for. */
  function correct(subject: Subject, before: Before, now: readonly Told[], about: Correction): void {
    const was = Map.groupBy(before.said, ({ column }) => column);
    const is = Map.groupBy(now, ({ column }) => column);
    for (const column of [...new Set([...was.keys(), ...is.keys()])].sort((a, b) => a - b)) {
      const base = before.actives.get(column);
      for (const one of differences(was.get(column) ?? [], is.get(column) ?? [], base, about.isLate)) {
        amend(subject, column, one, about);
      }
    }
  }

  function amend(subject: Subject, column: number, one: Difference, { causeOf, knownAt, isLate }: Correction): void {
    const cause = causeOf(one.active.startedAt);
    if (one.what === "said") return tell(subject, one.told!, knownAt, isLate ? cause : undefined);
    const entry = { what: one.what, at: cause.measuredAt, knownAt, note: NOTES[one.what] };
    const isOver = one.state === "resolved" || one.state === "retracted";
    const known = { startedAt: one.active.startedAt, cause };
    subject.causes = withEntry(subject.causes, column, isOver ? undefined : known);
    const verdict = { state: one.state, resolvedAt: one.resolvedAt, entry };
    const explanation = one.what === "retracted" ? `${one.active.explanation} ${NOTES.retracted}` : undefined;
    say(subject, column, explanation ? { ...one.active, explanation } : one.active, verdict, cause);
  }

  /** Nothing will ever resolve this alert: says so instead of leaving it. */
  function end(subject: Subject, column: number, time: number, knownAt: number, note: string): void {
    const active = openAlert(subject, column);
    if (!active) return;
    const at = Math.max(time, active.firedAt ?? active.startedAt);
    const ended = { ...active, explanation: `${active.explanation} ${note}` };
    const entry: TimelineEntry = { what: "resolved", at, knownAt, note };
    say(subject, column, ended, { state: "resolved", resolvedAt: at, entry });
  }

  function say(subject: Subject, column: number, active: Active, verdict: Verdict, cause?: Cause): void {
    const watch = subject.plan.watches[column] as Watch;
    const known = subject.causes.get(column);
    const correctedBy = cause ?? (known?.startedAt === active.startedAt ? known.cause : undefined);
    if (verdict.state === "resolved" && !cause) subject.causes = withEntry(subject.causes, column, undefined);
    const about = { compiled: watch.compiled, sensor: subject.sensor };
    said.push(toTransition(about, active, correctedBy ? { ...verdict, correctedBy } : verdict));
    count(watch, verdict.entry.what as What);
    onChange(subject, column);
  }

  function count({ compiled }: Watch, what: What): void {
    if (compiled.rule.mode === "shadow") counts.shadow += 1;
    else counts[what === "late-confirmed" ? "lateConfirmed" : what] += 1;
  }

  function handOver(): Transition[] {
    if (said.length === 0) return [];
    const transitions = said;
    said = [];
    return transitions;
  }

  return { tell, correct, end, touch: onChange, handOver, said: () => said.length, counts };
}

export type Teller = ReturnType<typeof createRecorder>;

const NOTES: Readonly<Record<Exclude<Difference["what"], "said">, string>> = {
  retracted: "It was taken back: a reading that came late shows that it was not so.",
  corrected: "A reading that came late shows that it was otherwise.",
  "late-confirmed": "A reading that came late shows it.",
};

/** The alert of a column that is not over, as it was last said. */
export function openAlert(subject: Subject, column: number): Active | undefined {
  const last = (subject.tentative.get(column) ?? NOTHING_TOLD).at(-1);
  if (last) return last.outcome.what === "resolved" ? undefined : last.active;
  return subject.actives.get(column);
}
