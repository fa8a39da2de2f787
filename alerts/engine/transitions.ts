import { recordText } from "../../messages/messages.ts";
import type { AlertState, Cause, TimelineEntry, Transition } from "../../model/alert.ts";
import { wordsOf } from "../../model/metrics.ts";
import { levelRules, type Rule } from "../../model/rule.ts";
import { type Amount, type Sentence, say, withSentences } from "../../model/sentence.ts";
import { alertId } from "../alert-id.ts";
import { amount, type Count, measured, type Outcome, type WatchedSensor } from "../conditions/condition.ts";
import type { LevelledParams } from "../conditions/levels.ts";
import { explain, explainEnd, wordsOfCondition } from "../conditions/registry.ts";
import { noted, saysOf, titleOf } from "../says.ts";
import type { Before } from "./history.ts";
import type { CompiledRule, Params, Watch } from "./plan.ts";
import { type Active, type JudgedRow, NOTHING_TOLD, type Subject, withEntry } from "./subject.ts";

type What = Outcome["what"] | "retracted" | "corrected" | "late-confirmed";

/** What made the rules say something else. `causeOf`: the reading, of an alert that began at this time. */
type Correction = {
  readonly causeOf: (startedAt: number) => Cause;
  readonly knownAt: number;
  /** A reading that came late: not only one that the clock did not wait for. */
  readonly isLate: boolean;
  /** What people found out about the readings, where it was that. */
  readonly note?: Sentence;
};

/** Makes transitions of what the rules said, and keeps them until they are handed over. */
export function createRecorder(onChange: (subject: Subject, column: number) => void) {
  const counts = {
    pending: 0,
    firing: 0,
    raised: 0,
    lowered: 0,
    counted: 0,
    resolved: 0,
    retracted: 0,
    corrected: 0,
    lateConfirmed: 0,
    shadow: 0,
    history: 0,
  };
  let said: Transition[] = [];

  /** An outcome as it came. */
  function record(subject: Subject, { column, outcome, active }: JudgedRow, knownAt: number, cause?: Cause): void {
    const { what, at, why } = outcome;
    const note = why === "cleared" ? undefined : why;
    const said = what === "counted" ? noted(active.says!.at(-1)!) : { note, ...(note && { says: WHY[note] }) };
    const entry = { what, at, knownAt, ...said };
    push(
      subject,
      column,
      active,
      { state: stateOf(what), resolvedAt: what === "resolved" ? at : undefined, entry },
      cause,
    );
  }

  /** All that follows from a late reading, or one that the clock did not wait for. */
  function correct(subject: Subject, before: Before, now: readonly JudgedRow[], about: Correction): void {
    const was = Map.groupBy(before.said, ({ column }) => column);
    const is = Map.groupBy(now, ({ column }) => column);
    for (const column of [...new Set([...was.keys(), ...is.keys()])].sort((a, b) => a - b)) {
      const base = before.actives.get(column);
      for (const one of differences(was.get(column) ?? [], is.get(column) ?? [], base, about.isLate)) {
        amend(subject, column, one, about);
      }
    }
  }

  function amend(subject: Subject, column: number, one: Difference, about: Correction): void {
    const { causeOf, knownAt, isLate } = about;
    const cause = causeOf(one.active.startedAt);
    if (one.what === "said") return record(subject, one.told!, knownAt, isLate ? cause : undefined);
    const says = about.note ?? NOTES[one.what];
    const entry = { what: one.what, at: cause.measuredAt, knownAt, ...noted(says) };
    const isOver = one.state === "resolved" || one.state === "retracted";
    const known = { startedAt: one.active.startedAt, cause };
    subject.causes = withEntry(subject.causes, column, isOver ? undefined : known);
    const change = { state: one.state, resolvedAt: one.resolvedAt, entry };
    push(subject, column, one.what === "retracted" ? withMore(one.active, says) : one.active, change, cause);
  }

  /** Nothing will ever resolve this alert: says so instead of leaving it. */
  function end(subject: Subject, column: number, time: number, knownAt: number, note: Sentence): void {
    const active = openAlert(subject, column);
    if (!active) return;
    push(subject, column, ...endOf(active, time, knownAt, note));
  }

  function push(subject: Subject, column: number, active: Active, change: Change, cause?: Cause): void {
    const watch = subject.plan.watches[column] as Watch;
    const known = subject.causes.get(column);
    const correctedBy = cause ?? (known?.startedAt === active.startedAt ? known.cause : undefined);
    if (change.state === "resolved" && !cause) subject.causes = withEntry(subject.causes, column, undefined);
    const about = { compiled: watch.compiled, sensor: subject.sensor };
    said.push(toTransition(about, active, correctedBy ? { ...change, correctedBy } : change));
    count(watch, change.entry.what as What, active.isHistory === true);
    onChange(subject, column);
  }

  function count({ compiled }: Watch, what: What, isHistory: boolean): void {
    if (compiled.rule.mode === "shadow") counts.shadow += 1;
    else if (isHistory) counts.history += 1;
    else counts[what === "late-confirmed" ? "lateConfirmed" : what] += 1;
  }

  function handOver(): Transition[] {
    if (said.length === 0) return [];
    const transitions = said;
    said = [];
    return transitions;
  }

  return { record, correct, end, touch: onChange, handOver, said: () => said.length, counts };
}

export type Recorder = ReturnType<typeof createRecorder>;

const NOTES: Readonly<Record<Exclude<Difference["what"], "said">, Sentence>> = {
  retracted: say("late.retracted", {}),
  corrected: say("late.corrected", {}),
  "late-confirmed": say("late.confirmed", {}),
};
const WHY = { "not-held": say("why.notHeld", {}), "no-data": say("why.noData", {}) } as const;

/** With one sentence more. What was said by an earlier version has none. */
function withMore(active: Active, more: Sentence, zone?: string): Active {
  const says = active.says && withSentences(active.says, more);
  return { ...active, explanation: `${active.explanation} ${recordText([more], zone)}`, ...(says && { says }) };
}

/** The alert of a column that is not over, as it was last said. */
export function openAlert(subject: Subject, column: number): Active | undefined {
  const last = (subject.tentative.get(column) ?? NOTHING_TOLD).at(-1);
  if (last) return last.outcome.what === "resolved" ? undefined : last.active;
  return subject.actives.get(column);
}

/** An alert that ends because nothing watches it any more. */
export function endOf(active: Active, time: number, knownAt: number, note: Sentence): [Active, Change] {
  const at = Math.max(time, active.firedAt ?? active.startedAt);
  const entry = { what: "resolved", at, knownAt, ...noted(note) };
  return [withMore(active, note), { state: "resolved", resolvedAt: at, entry }];
}

const stateOf = (what: Outcome["what"]) => (isFiringOn(what) ? "firing" : what);
const isFiringOn = (what: Outcome["what"]): what is "raised" | "lowered" | "counted" =>
  what === "raised" || what === "lowered" || what === "counted";

type WatchedRule = { readonly rule: Rule; readonly params: Params; readonly sensor: WatchedSensor };

/** What is active after this outcome; undefined once it is resolved. */
export function nextActive(about: WatchedRule, former: Active | undefined, outcome: Outcome): Active {
  if (about.rule.levels && "levels" in about.params) return nextLevel(about, former, outcome);
  const { rule, params } = about;
  if (outcome.what === "resolved") {
    const title = { explanation: rule.title, says: [titleOf(rule)] };
    const past = former ?? { startedAt: outcome.startedAt, evidence: outcome.evidence, ...title };
    return withMore(past, explainEnd(rule, outcome), rule.zone);
  }
  if (outcome.what === "counted" && former?.says) return countedOn(rule, former, outcome);
  const sentence = explain({ ...about, outcome });
  const says = [sentence, ...countsBeside(rule, outcome)];
  return {
    startedAt: outcome.startedAt,
    firedAt: outcome.what === "firing" ? outcome.at : undefined,
    value: outcome.value,
    limit: outcome.limit ?? wordsOfCondition(rule.condition.type)?.limit?.(params),
    evidence: outcome.evidence.map((one) => (rule.metric ? { ...one, metric: rule.metric } : one)),
    explanation: recordText(says, rule.zone),
    says,
    ...(outcome.expected ? { expected: outcome.expected } : {}),
  };
}

/** It goes on: what it said, with what is newest of how often its limits were passed. */
function countedOn(rule: Rule, former: Active, { counts = [] }: Outcome): Active {
  const [first, ...others] = former.says!.filter(({ key }) => key !== "counted");
  const newest = counts.map((one) => countOf(rule, one));
  const limits = new Set(newest.map(({ params }) => (params.limit as Amount).value));
  const kept = former.says!.filter(
    ({ key, params }) => key === "counted" && !limits.has((params.limit as Amount).value),
  );
  const says = [first!, ...others, ...kept, ...newest];
  return { ...former, says, explanation: recordText(says, rule.zone) };
}

function countOf(rule: Rule, { limit, allowed, ...which }: Count): Sentence {
  return say("counted", { ...which, limit: amount(rule, limit), ...(allowed === undefined ? {} : { allowed }) });
}

/** Of other levels: a condition that counts says its own count itself. */
function countsBeside(rule: Rule, { counts = [] }: Outcome): Sentence[] {
  const { condition } = rule;
  const saysOwn = condition.type === "running" || (condition.type === "consecutive" && condition.allowed !== undefined);
  const own = saysOwn ? condition.above : undefined;
  return counts.filter(({ limit }) => limit !== own).map((one) => countOf(rule, one));
}

/** The same of a rule with levels: as it is at the level of the outcome, which began by itself. */
function nextLevel(about: WatchedRule, former: Active | undefined, outcome: Outcome): Active {
  const { what, level, since, at, value } = outcome;
  if (what === "counted" && former?.says) return countedOn(about.rule, former, outcome);
  const place = Math.max(0, (level ?? former?.level ?? 1) - 1);
  const rule = { ...levelRules(about.rule)[place]!, levels: undefined };
  const params = (about.params as LevelledParams).levels[place] as Params;
  const { startedAt, ...own } = nextActive({ ...about, rule, params }, former, {
    ...outcome,
    startedAt: what === "resolved" ? outcome.startedAt : (since ?? outcome.startedAt),
  });
  if (what === "resolved") return { ...own, startedAt };
  const says = what === "lowered" ? [loweredTo(rule, about.sensor, own.limit!, at, value!)] : own.says;
  return {
    ...own,
    startedAt: outcome.startedAt,
    firedAt: what === "pending" ? undefined : (former?.firedAt ?? at),
    ...(says && { says, explanation: recordText(says, rule.zone) }),
    ...(level === undefined ? {} : { level }),
    ...(former?.isHistory && { isHistory: true }),
  };
}

function loweredTo(rule: Rule, sensor: WatchedSensor, limit: number, at: number, value: number): Sentence {
  const { condition } = rule as Rule & { condition: { below?: unknown } };
  const side = condition.below === undefined ? "above" : "below";
  return say("level.lowered", {
    ...measured(rule, sensor),
    value: amount(rule, value),
    at,
    side,
    limit: amount(rule, limit),
  });
}

/** What is said of an alert: how it now is, and the line of its timeline. */
export type Change = {
  readonly state: AlertState;
  readonly resolvedAt?: number;
  readonly entry: TimelineEntry;
  /** The late reading that changed it. */
  readonly correctedBy?: Cause;
};

export type RuleOnSensor = { readonly compiled: Pick<CompiledRule, "rule" | "fit">; readonly sensor: WatchedSensor };

export function toTransition({ compiled, sensor }: RuleOnSensor, active: Active, change: Change): Transition {
  const { fit } = compiled;
  const { startedAt, firedAt, value, limit, evidence, explanation, says, expected, isHistory, level } = active;
  const rule = level === undefined ? compiled.rule : levelRules(compiled.rule)[level - 1]!;
  const { id, version, title, source, severity, audience, metric, mode, formerly } = rule;
  const { state, resolvedAt, entry, correctedBy } = change;
  return {
    alert: {
      id: alertId(id, sensor.id, startedAt, fit),
      rule: { id, version, title, source: source.text, ...(formerly === undefined ? {} : { formerly }) },
      subject: { sensorId: sensor.id, district: sensor.district },
      kind: sensor.kind,
      severity,
      ...(level === undefined ? {} : { level }),
      audience,
      state,
      startedAt,
      firedAt,
      resolvedAt,
      metric,
      value,
      limit,
      unit: unitOf(rule, limit),
      explanation,
      ...(says ? { says: saysOf(rule, says) } : {}),
      evidence,
      ...(mode === "shadow" ? { mode } : isHistory ? { mode: "history" } : {}),
      ...(expected ? { expected } : {}),
      ...(correctedBy ? { correctedBy } : {}),
    },
    entry,
  };
}

function unitOf({ metric, condition }: Rule, limit: number | undefined): string | undefined {
  const own = wordsOfCondition(condition.type)?.unit;
  if (own !== undefined) return limit === undefined ? undefined : own;
  return metric && wordsOf(metric).unit;
}

/**
 * What has to be said of one rule on one sensor so that what was said becomes what is so. "said": an outcome as any
 * other. "late-confirmed": this alert is (again) so, and only a late reading shows it. "corrected": it is so, but
 * otherwise than was said. "retracted": it is not so.
 */
type Difference = {
  readonly what: "said" | "late-confirmed" | "corrected" | "retracted";
  readonly state: "pending" | "firing" | "resolved" | "retracted";
  readonly active: Active;
  readonly resolvedAt: number | undefined;
  /** For "said". */
  readonly told?: JudgedRow;
};

/**
 * `before` was said since a moment at which `base` was active; `now` should have been. Alerts are the same if they began
 * at the same time. Takes back first, so that never two alerts of one rule and sensor are open. `isLate`: by a reading
 * that came late; then every change ends in an entry of its own, because an alert that was taken back may come again
 * with the very words it had before.
 */
function differences(
  before: readonly JudgedRow[],
  now: readonly JudgedRow[],
  base: Active | undefined,
  isLate: boolean,
): Difference[] {
  if (same(before, now)) return [];
  const startOf = ({ outcome }: JudgedRow) => outcome.startedAt;
  const was = Map.groupBy(before, startOf);
  const is = Map.groupBy(now, startOf);
  const starts = [...new Set([...was.keys(), ...is.keys()])].sort((a, b) => a - b);
  const retracted: Difference[] = [];
  const others: Difference[] = [];
  for (const start of starts) {
    const old = was.get(start) ?? [];
    const next = is.get(start) ?? [];
    if (same(old, next)) continue;
    const goesOn = base?.startedAt === start ? base : undefined;
    if (next.length === 0 && !goesOn) retracted.push(takenBack(old.at(-1)!.active));
    else others.push(...changes(old, next, goesOn, isLate));
  }
  return [...retracted, ...others];
}

function changes(
  old: readonly JudgedRow[],
  next: readonly JudgedRow[],
  base: Active | undefined,
  isLate: boolean,
): Difference[] {
  const last = next.at(-1);
  if (!last) return [asBefore(base!)];
  const isPrefix = same(old, next.slice(0, old.length));
  if (!isPrefix) return [asNow("corrected", last)];
  const said = next.slice(old.length).map((told): Difference => ({ ...asNow("said", told), told }));
  if (!isLate) return said;
  if (old.length === 0 && !base) return [...said, asNow("late-confirmed", last)];
  return last.outcome.what === "firing" ? [...said, asNow("late-confirmed", last)] : [asNow("corrected", last)];
}

function asNow(what: Difference["what"], { outcome, active }: JudgedRow): Difference {
  return {
    what,
    state: stateOf(outcome.what),
    active,
    resolvedAt: outcome.what === "resolved" ? outcome.at : undefined,
  };
}

/** What ended it, or changed it, is not so: it is what it was. */
function asBefore(active: Active): Difference {
  const state = active.firedAt === undefined ? "pending" : "firing";
  return { what: "corrected", state, active, resolvedAt: undefined };
}

function takenBack(active: Active): Difference {
  return { what: "retracted", state: "retracted", active, resolvedAt: undefined };
}

function same(a: readonly JudgedRow[], b: readonly JudgedRow[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!isEqual(a[i]!.outcome, b[i]!.outcome)) return false;
  return true;
}

/** Of plain data. A field that is undefined is one that is not there. */
function isEqual(a: unknown, b: unknown): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>];
  for (const key of Object.keys(one)) if (!isEqual(one[key], other[key])) return false;
  for (const key of Object.keys(other)) if (other[key] !== undefined && one[key] === undefined) return false;
  return true;
}
