import { saidOf, type Transition } from "../model/alert.ts";
import { formerIds, type Rule } from "../model/rule.ts";
import { type Sentence, say } from "../model/sentence.ts";
import type { Records } from "../store/records.ts";
import { alertId } from "./alert-id.ts";
import { placeText } from "./conditions/quorum.ts";
import { type CompiledRule, compileRule } from "./engine/plan.ts";
import { noted, sayAlso, titleOf } from "./says.ts";

type SaidAlert = Transition["alert"];

type UnwatchedOptions = {
  readonly rules: readonly Rule[];
  readonly records: Pick<Records, "alerts" | "sensors">;
  /** What has been said and is not in the records yet, of each alert in its order. */
  readonly unsaid: readonly Transition[];
  /** The alerts that somebody can still end. */
  readonly held: ReadonlySet<string>;
  /** Readings of the last life are still to be judged once more: what fired by them is held when they have been. */
  readonly isReplaying: boolean;
  /** What a moment that people read may have been in the rules' time: the clock may have been set back since. */
  readonly inside: (at: number) => readonly number[];
  readonly now: number;
};

/**
 * The ends of open alerts that nobody else can end, those that nobody was told of too: their rule was deleted or changed,
 * their sensor removed or moved, whether while the service ran or not.
 */
export function endUnwatched(options: UnwatchedOptions): Transition[] {
  const { rules, records, unsaid, held, isReplaying, now } = options;
  const open = new Map<string, SaidAlert | undefined>(records.alerts.openIds().map((id) => [id, undefined]));
  for (const { alert } of unsaid) {
    if (alert.kind === "service") continue;
    if (alert.state === "firing" || alert.state === "pending") open.set(alert.id, alert);
    else open.delete(alert.id);
  }
  const watched = new Map(rules.map((rule) => [rule.id, compileRule(rule)]));
  return [...open].flatMap(([id, unsaidAlert]) => {
    if (held.has(id)) return [];
    const known = unsaidAlert ?? saidOf(records.alerts.get(id)!);
    const note = whyUnwatched(known, watched, options);
    return note === undefined && isReplaying ? [] : [endOf(known, now, note ?? say("end.anew", {}))];
  });
}

function whyUnwatched(
  { id, rule: { id: ruleId }, subject, startedAt }: SaidAlert,
  rules: ReadonlyMap<string, CompiledRule>,
  { records, inside }: Pick<UnwatchedOptions, "records" | "inside">,
): Sentence | undefined {
  const compiled = rules.get(ruleId);
  if (!compiled) return gone(ruleId, rules);
  const where = subject.sensorId ?? placeText(subject);
  const isSame = inside(startedAt).some((at) => id === alertId(ruleId, where, at, compiled.fit));
  if (!isSame) return say("end.ruleChanged", {});
  if (subject.sensorId === undefined) return undefined;
  const sensor = records.sensors.get(subject.sensorId);
  if (!sensor) return say("end.sensorRemoved", {});
  return compiled.matches(sensor) ? undefined : say("end.unwatched", {});
}

function gone(ruleId: string, rules: ReadonlyMap<string, CompiledRule>): Sentence {
  for (const { rule } of rules.values())
    if (formerIds(rule).includes(ruleId)) return say("end.nowLevel", { title: titleOf(rule) });
  return say("end.ruleDeleted", {});
}

function endOf(alert: SaidAlert, now: number, why: Sentence): Transition {
  const at = Math.max(now, alert.firedAt ?? alert.startedAt);
  return {
    alert: { ...sayAlso(alert, why), state: "resolved", resolvedAt: at },
    entry: { at, knownAt: at, what: "resolved", ...noted(why) },
  };
}
