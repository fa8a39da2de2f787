import { createHash } from "node:crypto";
import type { Evidence, Transition } from "../../model/alert.ts";
import { wordsOf } from "../../model/metrics.ts";
import type { Rule } from "../../model/rule.ts";
import type { ConsecutiveParams } from "../conditions/consecutive.ts";
import type { Outcome } from "../conditions/sample.ts";
import type { ThresholdParams } from "../conditions/threshold.ts";
import { explain, explainEnd } from "../explain.ts";
import type { Params, WatchedSensor } from "./compile.ts";

/** What an alert that is not over yet rests on. Kept with the state, so that its end can tell the whole story. */
export type Active = {
  readonly startedAt: number;
  readonly firedAt?: number;
  readonly value?: number;
  readonly limit?: number;
  readonly evidence: readonly Evidence[];
  readonly explanation: string;
};

/**
 * `al-` and 16 hex digits: the first 64 bits of the SHA-256 of rule, sensor and start. The same journal gives the same
 * ids, so a replay after a crash finds its own alerts.
 */
export function alertId(ruleId: string, sensorId: string, startedAt: number): string {
  const hash = createHash("sha256").update(`${ruleId}\n${sensorId}\n${startedAt}`).digest("hex");
  return `al-${hash.slice(0, 16)}`;
}

type Case = { readonly rule: Rule; readonly params: Params; readonly sensor: WatchedSensor };

/** What is active after this outcome; undefined once it is resolved. */
export function nextActive(about: Case, former: Active | undefined, outcome: Outcome): Active {
  const { rule, params } = about;
  if (outcome.what === "resolved") {
    const past = former ?? { startedAt: outcome.startedAt, evidence: outcome.evidence, explanation: rule.title };
    return { ...past, explanation: `${past.explanation} ${explainEnd({ rule, outcome })}` };
  }
  return {
    startedAt: outcome.startedAt,
    firedAt: outcome.what === "firing" ? outcome.at : undefined,
    value: outcome.value,
    limit: outcome.limit ?? limitOf(rule, params),
    evidence: outcome.evidence.map((one) => (rule.metric ? { ...one, metric: rule.metric } : one)),
    explanation: explain({ ...about, outcome }),
  };
}

function limitOf({ condition }: Rule, params: Params): number | undefined {
  if (condition.type === "consecutive") return (params as ConsecutiveParams).above;
  return condition.type === "threshold" ? (params as ThresholdParams).limit : undefined;
}

export type Verdict = {
  readonly what: Outcome["what"];
  readonly at: number;
  readonly knownAt: number;
  readonly note?: string;
};

export function toTransition({ rule, sensor }: Omit<Case, "params">, active: Active, verdict: Verdict): Transition {
  const { id, version, title, source, severity, audience, metric } = rule;
  const { startedAt, firedAt, value, limit, evidence, explanation } = active;
  return {
    alert: {
      id: alertId(id, sensor.id, startedAt),
      rule: { id, version, title, source: source.text },
      subject: { sensorId: sensor.id, district: sensor.district },
      kind: sensor.kind,
      severity,
      audience,
      state: verdict.what,
      startedAt,
      firedAt,
      resolvedAt: verdict.what === "resolved" ? verdict.at : undefined,
      metric,
      value,
      limit,
      unit: metric ? wordsOf(metric).unit : limit === undefined ? undefined : "min",
      explanation,
      evidence,
    },
    entry: verdict,
  };
}
