import type { Evidence, Subject, Transition } from "../../model/alert.ts";
import { formatSpan } from "../../model/duration.ts";
import { wordsOf } from "../../model/metrics.ts";
import type { Rule } from "../../model/rule.ts";
import { alertId } from "../engine/transition.ts";
import type { News } from "./group.ts";
import type { Child } from "./headcount.ts";
import { placeText, placeWords } from "./place.ts";

/** What made it known: a transition of the counted rule, or a sensor that joined. */
export type Occasion = {
  readonly at: number;
  readonly knownAt: number;
  readonly correctedBy?: Transition["alert"]["correctedBy"];
};

const EVIDENCE_MAX = 20;

type Case = {
  readonly rule: Rule;
  readonly counted: Rule;
  readonly subject: Subject;
  readonly children: readonly Child[];
};

/** The alert of a quorum and the entry to its timeline. */
export function quorumTransition(about: Case, { what, episode }: News, occasion: Occasion): Transition {
  const { rule, counted, subject, children } = about;
  const { startedAt, endedAt, watched } = episode;
  const count = episode.children.length;
  const { id, version, title, source, severity, audience, mode } = rule;
  const corrects = what === "corrected" || what === "retracted";
  const end = endedAt === undefined || what === "retracted" ? "" : ` ${endWords(endedAt, children)}`;
  return {
    alert: {
      id: alertId(id, placeText(subject), startedAt),
      rule: { id, version, title, source: source.text },
      subject,
      kind: rule.kind === "any" ? (children[0]?.kind ?? "service") : rule.kind,
      severity,
      audience,
      state: what === "retracted" ? "retracted" : endedAt === undefined ? "firing" : "resolved",
      startedAt,
      firedAt: startedAt,
      resolvedAt: what === "retracted" ? occasion.at : endedAt,
      metric: counted.metric,
      value: count,
      limit: limitOf(rule, watched),
      unit: "sensors",
      explanation: `${sentence({ ...about, watched: Math.max(watched, count), count })}${end}`,
      evidence: children.slice(0, EVIDENCE_MAX).map(toEvidence),
      children: episode.children,
      ...(mode === "shadow" ? { mode } : {}),
      ...(corrects && occasion.correctedBy ? { correctedBy: occasion.correctedBy } : {}),
    },
    entry: { at: entryAt({ what, episode }, children, occasion), knownAt: occasion.knownAt, what, ...noteOf(what) },
  };
}

function entryAt({ what, episode }: News, children: readonly Child[], { at }: Occasion): number {
  if (what === "firing") return episode.startedAt;
  if (what === "resolved") return episode.endedAt!;
  return what === "joined" ? children.reduce((newest, { firedAt }) => Math.max(newest, firedAt), 0) : at;
}

function noteOf(what: News["what"]): { note?: string } {
  if (what === "retracted") return { note: "With the late readings there were not enough alerts at a time." };
  if (what === "corrected") return { note: "Late readings changed which alerts were counted." };
  return {};
}

function limitOf({ condition }: Rule, watched: number): number | undefined {
  if (condition.type !== "quorum") return undefined;
  return Math.max(condition.count, Math.ceil(condition.share * watched - 1e-9));
}

const toEvidence = ({ begunAt, sensorId }: Child): Evidence => ({
  measuredAt: begunAt,
  note: `${sensorId} since then`,
});

function sentence({ counted, subject, children, watched, count }: Case & { watched: number; count: number }): string {
  const begun = children.map(({ begunAt }) => begunAt);
  const spanMs = children.length === 0 ? 0 : max(begun) - min(begun);
  const when = spanMs < 1_000 ? "at the same time" : `within ${formatSpan(spanMs)}`;
  return `${count} of ${watched} sensors ${placeWords(subject)} ${deed(counted)} ${when}.`;
}

const max = (times: readonly number[]) => times.reduce((a, b) => (a > b ? a : b), Number.NEGATIVE_INFINITY);
const min = (times: readonly number[]) => times.reduce((a, b) => (a < b ? a : b), Number.POSITIVE_INFINITY);

/** What the counted sensors did. */
function deed({ condition, metric, title }: Rule): string {
  if (condition.type === "silence") return "fell silent";
  if (condition.type === "flatline" && metric) return `began to repeat one value of ${wordsOf(metric).label}`;
  return `raised "${title}"`;
}

function endWords(endedAt: number, children: readonly Child[]): string {
  const left = children.filter((child) => child.endedAt === undefined || child.endedAt > endedAt).length;
  const when = new Date(endedAt).toISOString().slice(0, 16).replace("T", " ");
  return `It ended at ${when} UTC${left > 0 ? `, with ${left} left` : ""}.`;
}
