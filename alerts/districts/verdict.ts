import type { Transition, Verdict } from "../../model/alert.ts";
import { DERIVED, isDerived, METRICS_OF, type MetricName, type RuleMetric } from "../../model/metrics.ts";
import { LATE_AFTER_MS } from "../../model/reading.ts";
import type { Rule } from "../../model/rule.ts";
import type { States } from "../engine/states.ts";
import { factsOf, horizonOf } from "./facts.ts";
import type { Neighbour, Neighbours } from "./neighbours.ts";
import { SIBLINGS } from "./siblings.ts";
import { decide } from "./verdict-table.ts";

const VERDICT = "~verdict";

/** An alert that may still change or be judged again. `dueAt`: when everything it can rest on is in, in event time. */
type Case = { transition: Transition; readonly dueAt: number; readonly imported: boolean; isFinal: boolean };
/** The earliest due time of a district's cases, Infinity for none. Changed in place. */
export type Due = { at: number };

/** The metrics that every kind sends of the device itself: no neighbour knows of them. */
const HEALTH = new Set<RuleMetric>(METRICS_OF.air.filter((one) => METRICS_OF.energy.includes(one)));

/** The alerts of this rule are judged here; a drift is judged where it is found. */
function isJudged({ metric, condition: { type } }: Rule): boolean {
  return metric !== undefined && !HEALTH.has(metric) && type !== "quorum" && type !== "silence" && type !== "drift";
}

const measuredFor = (metric: RuleMetric): readonly MetricName[] =>
  isDerived(metric) ? DERIVED[metric].from : [metric];

/** Of which metrics recent values have to be kept. */
export function metricsToKeep(rules: readonly Rule[]): Set<MetricName> {
  const judged = rules.filter(isJudged).flatMap(({ metric }) => measuredFor(metric!));
  return new Set(judged.flatMap((metric) => [metric, ...(SIBLINGS[metric] ?? [])]));
}

/**
 * City or sensor? Judges every alert on a value when it fires, and once more when nothing can change any more. A sensor
 * fault goes to the crews, whoever the rule is for.
 */
export function createVerdicts(rules: readonly Rule[], neighbours: Neighbours, states: States) {
  const judged = new Map(rules.filter(isJudged).map((rule) => [rule.id, rule]));
  const cases = new Map<string, Case>();
  const dues = new Map<string, Due>();

  const table = states.open<string>({
    names: [VERDICT],
    keys: () => cases.keys(),
    rowsOf(subject) {
      const one = cases.get(subject);
      return [{ rule: VERDICT, subject, state: one ? JSON.stringify(one) : "" }];
    },
    load(rows) {
      for (const { subject, state } of rows) {
        const one = JSON.parse(state) as Case;
        if (judged.has(one.transition.alert.rule.id)) keep(one);
        else table.mark(subject);
      }
      return [];
    },
  });

  /** When the next case of a district is due: `review` has nothing to say before. */
  function dueOf(district: string): Due {
    const due = dues.get(district) ?? { at: Number.POSITIVE_INFINITY };
    dues.set(district, due);
    return due;
  }

  function judge(rule: Rule, alert: Transition["alert"], resident: Neighbour): Verdict {
    const to = horizonOf(rule, alert.firedAt ?? alert.startedAt);
    const own = (metric: MetricName) => resident.recents.get(metric);
    const verdicts = measuredFor(rule.metric!)
      .filter((metric) => !isDerived(rule.metric!) || own(metric) !== undefined)
      .map((metric) =>
        decide(factsOf({ alert, rule, metric, to, own, around: neighbours.around(resident.sensor, metric) })),
      );
    const best = ["event", "sensor-fault", "unclear"].flatMap((is) => verdicts.filter((one) => one.is === is))[0];
    return best ?? { is: "unclear", why: "Nothing is known of its values." };
  }

  /** The alert with its verdict. `watermark`: the newest time seen in its district. */
  function take(
    transition: Transition,
    resident: Neighbour | undefined,
    watermark: number,
    imported: boolean,
  ): Transition {
    const { alert } = transition;
    const rule = judged.get(alert.rule.id);
    if (!rule || !resident || alert.state === "pending") return transition;
    const former = cases.get(alert.id);
    const known = former && isSameFiring(former.transition.alert, alert) ? former.transition.alert.verdict : undefined;
    const verdict = known ?? (alert.state === "retracted" ? undefined : judge(rule, alert, resident));
    const told = withVerdict(transition, rule, verdict);
    const dueAt = horizonOf(rule, alert.firedAt ?? alert.startedAt) + LATE_AFTER_MS + 1;
    keep({ transition: told, dueAt, imported, isFinal: former?.isFinal ?? dueAt <= watermark });
    return told;
  }

  /** A case is closed once its alert is over and its verdict final. */
  function keep(one: Case): void {
    const { id, state, subject } = one.transition.alert;
    table.mark(id);
    if (state === "retracted" || (state === "resolved" && one.isFinal)) cases.delete(id);
    else cases.set(id, one);
    const due = dueOf(subject.district ?? "");
    if (!one.isFinal) due.at = Math.min(due.at, one.dueAt);
  }

  /** Judges again what is due in a district at this event time. `resident` answers the sensor as it is known now. */
  function review(
    district: string,
    time: number,
    knownAt: number,
    resident: (id: string) => Neighbour | undefined,
  ): Transition[] {
    const due = dueOf(district);
    if (time < due.at) return [];
    due.at = Number.POSITIVE_INFINITY;
    return [...cases.values()].flatMap((one) => {
      if (one.isFinal || one.transition.alert.subject.district !== district) return [];
      if (one.dueAt <= time) return close(one, knownAt, resident(one.transition.alert.subject.sensorId!));
      due.at = Math.min(due.at, one.dueAt);
      return [];
    });
  }

  function close(one: Case, knownAt: number, resident: Neighbour | undefined): Transition[] {
    const { alert } = one.transition;
    const rule = judged.get(alert.rule.id)!;
    const verdict = resident ? judge(rule, alert, resident) : alert.verdict;
    const isSame = verdict?.is === alert.verdict?.is && verdict?.why === alert.verdict?.why;
    const entry = { at: one.dueAt, knownAt, what: "verdict", note: verdict?.why };
    const transition = isSame ? one.transition : withVerdict({ alert, entry }, rule, verdict);
    keep({ ...one, transition, isFinal: true });
    return isSame ? [] : [transition];
  }

  /** By the clock: for districts from which nothing comes any more. Not for history. */
  function tick(now: number, resident: (id: string) => Neighbour | undefined): Transition[] {
    const due = [...cases.values()].filter((one) => !one.isFinal && !one.imported && one.dueAt <= now);
    return due.flatMap((one) => close(one, now, resident(one.transition.alert.subject.sensorId!)));
  }

  return { take, dueOf, review, tick, table };
}

function isSameFiring(a: Transition["alert"], b: Transition["alert"]): boolean {
  return a.startedAt === b.startedAt && a.firedAt === b.firedAt && (b.state !== "firing" || a.value === b.value);
}

function withVerdict({ alert, entry }: Transition, rule: Rule, verdict: Verdict | undefined): Transition {
  if (!verdict) return { alert, entry };
  return { alert: { ...alert, verdict, audience: verdict.is === "sensor-fault" ? "crews" : rule.audience }, entry };
}
