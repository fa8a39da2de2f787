import type { Evidence, Subject, Transition } from "../../model/alert.ts";
import type { Rule } from "../../model/rule.ts";
import { formatSpan } from "../../model/time.ts";
import { alertId } from "../alert-id.ts";
import type { News, Said } from "../districts/group.ts";
import type { Child } from "../districts/headcount.ts";
import { placeText, placeWords } from "../districts/place.ts";
import type { OverSeveral } from "./condition.ts";

/** Alerts of one rule counted by district, gateway or tag; `districts/quorum.ts` counts them. */
export const quorum: OverSeveral = { over: "several" };

/** What made it known: a transition of the counted rule, or a sensor that joined. */
export type Occasion = {
  readonly at: number;
  readonly knownAt: number;
  readonly correctedBy?: Transition["alert"]["correctedBy"];
};

/** What is told of an episode; `late-confirmed`: it fires, and only late readings show it. */
export type Told = { readonly what: News["what"] | "late-confirmed"; readonly episode: Said };

const EVIDENCE_MAX = 20;

export type Case = {
  readonly rule: Rule;
  readonly fit: string;
  readonly counted: Rule;
  /** What the counted sensors did: "fell silent". */
  readonly deed: string;
  readonly subject: Subject;
  readonly children: readonly Child[];
};

/** The alert of a quorum and the entry to its timeline. */
export function quorumTransition(about: Case, { what, episode }: Told, occasion: Occasion): Transition {
  const { rule, fit, counted, subject, children } = about;
  const { startedAt, endedAt, watched } = episode;
  const count = episode.children.length;
  const { id, version, title, source, severity, audience, mode } = rule;
  const corrects = what === "corrected" || what === "retracted" || what === "late-confirmed";
  const end = endedAt === undefined || what === "retracted" ? "" : ` ${endWords(endedAt, children)}`;
  return {
    alert: {
      id: alertId(id, placeText(subject), startedAt, fit),
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
    entry: { at: entryAt(what, episode, occasion), knownAt: occasion.knownAt, what, ...noteOf(what) },
  };
}

function entryAt(what: Told["what"], { startedAt, endedAt }: Said, { at }: Occasion): number {
  return what === "firing" ? startedAt : what === "resolved" ? endedAt! : at;
}

function noteOf(what: Told["what"]): { note?: string } {
  if (what === "retracted") return { note: "With the late readings there were not enough alerts at a time." };
  if (what === "corrected") return { note: "Late readings changed which alerts were counted." };
  if (what === "late-confirmed") return { note: "Late readings show it." };
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

function sentence({ deed, subject, children, watched, count }: Case & { watched: number; count: number }): string {
  const begun = children.map(({ begunAt }) => begunAt);
  const spanMs = children.length === 0 ? 0 : max(begun) - min(begun);
  const when = spanMs < 1_000 ? "at the same time" : `within ${formatSpan(spanMs)}`;
  return `${count} of ${watched} sensors ${placeWords(subject)} ${deed} ${when}.`;
}

const max = (times: readonly number[]) => times.reduce((a, b) => (a > b ? a : b), Number.NEGATIVE_INFINITY);
const min = (times: readonly number[]) => times.reduce((a, b) => (a < b ? a : b), Number.POSITIVE_INFINITY);

function endWords(endedAt: number, children: readonly Child[]): string {
  const left = children.filter((child) => child.endedAt === undefined || child.endedAt > endedAt).length;
  const when = new Date(endedAt).toISOString().slice(0, 16).replace("T", " ");
  return `It ended at ${when} UTC${left > 0 ? `, with ${left} left` : ""}.`;
}
