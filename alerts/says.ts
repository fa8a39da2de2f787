import { rules } from "../messages/en/rules.ts";
import { recordText } from "../messages/messages.ts";
import type { Alert, Verdict } from "../model/alert.ts";
import type { Rule } from "../model/rule.ts";
import { asText, type Says, type Sentence, say, withSentences } from "../model/sentence.ts";

/** Before what the alert says of itself, in the one notice about a series that flaps. */
export const FLAPS = say("flaps", {});

/** A note of the service: in English for programs, as a sentence for readers. */
export const noted = (says: Sentence): { note: string; says: Sentence } => ({ note: recordText([says]), says });

/** What a rule is called: in the reader's language while its title is the delivered one, else as its file says. */
export function titleOf({ title, ...ids }: Named & Pick<Rule, "title">): Sentence {
  const rule = namesOf(ids).find((id) => deliveredOf(id)?.title === title) ?? TITLES.get(title);
  return rule === undefined ? say("text", { text: title }) : say("rule.title", { rule });
}

type Named = Pick<Rule, "id" | "formerly">;

/** A level has the words of the rule that it was. */
const namesOf = ({ id, formerly }: Named) => (formerly === undefined ? [id] : [formerly, id]);
/** A level that was never a rule of its own is found by its words. */
const TITLES = new Map(Object.entries(rules).map(([id, { title }]) => [title, id]));
const deliveredOf = (id: string) => (Object.hasOwn(rules, id) ? rules[id] : undefined);

function adviceOf({ advice, ...ids }: Rule): Sentence | undefined {
  if (advice === undefined) return undefined;
  const rule = namesOf(ids).find((id) => deliveredOf(id)?.advice === advice);
  return rule === undefined ? say("text", { text: advice }) : say("rule.advice", { rule });
}

/** All that an alert of this rule says; `explanation`: what the condition has to say of it. */
export function saysOf(rule: Rule, explanation: readonly Sentence[]): Says {
  const advice = adviceOf(rule);
  return { title: titleOf(rule), explanation, ...(advice && { advice }) };
}

/** A verdict in both forms. */
export type Judged = { readonly verdict: Verdict; readonly why: Sentence };

export const judgedAs = (is: Verdict["is"], why: Sentence): Judged => ({
  verdict: { is, why: recordText([why]) },
  why,
});

/** As it was judged before; an earlier version said it in English only. */
export function judgedOf({ verdict, says }: Pick<Alert, "verdict" | "says">): Judged | undefined {
  return verdict && { verdict, why: says?.verdict ?? say("text", { text: asText(verdict.why) }) };
}

export function withVerdict<A extends Pick<Alert, "says">>(
  alert: A,
  { verdict, why }: Judged,
): A & { verdict: Verdict } {
  const { says } = alert;
  return { ...alert, verdict, ...(says && { says: { ...says, verdict: why } }) };
}

/** With one sentence more. */
export function sayAlso<A extends Pick<Alert, "explanation" | "says">>(alert: A, more: Sentence, zone?: string): A {
  const { says } = alert;
  const explanation = `${alert.explanation} ${recordText([more], zone)}`;
  return {
    ...alert,
    explanation,
    ...(says && { says: { ...says, explanation: withSentences(says.explanation, more) } }),
  };
}

/** With a sentence before it. */
export function sayFirst<A extends Pick<Alert, "explanation" | "says">>(alert: A, first: Sentence): A {
  const { says } = alert;
  const explanation = `${recordText([first])} ${alert.explanation}`;
  return {
    ...alert,
    explanation,
    ...(says && { says: { ...says, explanation: withSentences([first], ...says.explanation) } }),
  };
}
