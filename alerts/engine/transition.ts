import type { AlertState, Cause, Evidence, Expected, TimelineEntry, Transition } from "../../model/alert.ts";
import { wordsOf } from "../../model/metrics.ts";
import type { Rule } from "../../model/rule.ts";
import { alertId } from "../alert-id.ts";
import type { Outcome, WatchedSensor } from "../conditions/condition.ts";
import { explain, explainEnd, overValues } from "../conditions/registry.ts";
import type { CompiledRule, Params } from "./compile.ts";

/** What an alert that is not over yet rests on. Kept with the state, so that its end can tell the whole story. */
export type Active = {
  readonly startedAt: number;
  readonly firedAt?: number;
  readonly value?: number;
  readonly limit?: number;
  readonly evidence: readonly Evidence[];
  readonly explanation: string;
  readonly expected?: Expected;
};

type Case = { readonly rule: Rule; readonly params: Params; readonly sensor: WatchedSensor };

/** What is active after this outcome; undefined once it is resolved. */
export function nextActive(about: Case, former: Active | undefined, outcome: Outcome): Active {
  const { rule, params } = about;
  if (outcome.what === "resolved") {
    const past = former ?? { startedAt: outcome.startedAt, evidence: outcome.evidence, explanation: rule.title };
    return { ...past, explanation: `${past.explanation} ${explainEnd(rule, outcome)}` };
  }
  return {
    startedAt: outcome.startedAt,
    firedAt: outcome.what === "firing" ? outcome.at : undefined,
    value: outcome.value,
    limit: outcome.limit ?? overValues(rule.condition.type)?.limit?.(params),
    evidence: outcome.evidence.map((one) => (rule.metric ? { ...one, metric: rule.metric } : one)),
    explanation: explain({ ...about, outcome }),
    ...(outcome.expected ? { expected: outcome.expected } : {}),
  };
}

/** What is said of an alert: how it now is, and the line of its timeline. */
export type Verdict = {
  readonly state: AlertState;
  readonly resolvedAt?: number;
  readonly entry: TimelineEntry;
  /** The late reading that changed it. */
  readonly correctedBy?: Cause;
};

type About = { readonly compiled: Pick<CompiledRule, "rule" | "fit">; readonly sensor: WatchedSensor };

export function toTransition({ compiled, sensor }: About, active: Active, verdict: Verdict): Transition {
  const { rule, fit } = compiled;
  const { id, version, title, source, severity, audience, metric, mode } = rule;
  const { startedAt, firedAt, value, limit, evidence, explanation, expected } = active;
  const { state, resolvedAt, entry, correctedBy } = verdict;
  return {
    alert: {
      id: alertId(id, sensor.id, startedAt, fit),
      rule: { id, version, title, source: source.text },
      subject: { sensorId: sensor.id, district: sensor.district },
      kind: sensor.kind,
      severity,
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
      evidence,
      ...(mode === "shadow" ? { mode } : {}),
      ...(expected ? { expected } : {}),
      ...(correctedBy ? { correctedBy } : {}),
    },
    entry,
  };
}

function unitOf({ metric, condition }: Rule, limit: number | undefined): string | undefined {
  const own = overValues(condition.type)?.unit;
  if (own !== undefined) return limit === undefined ? undefined : own;
  return metric && wordsOf(metric).unit;
}
