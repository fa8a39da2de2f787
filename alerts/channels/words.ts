import type { Alert } from "../../model/alert.ts";
import type { Notice } from "../../model/notice.ts";

/** What all templates say, in plain text: each of them escapes it in its own way. */
export type Words = {
  /** One line: severity or what happened, rule, place. */
  readonly subject: string;
  readonly explanation: string;
  readonly facts: readonly (readonly [string, string])[];
  readonly link?: string;
};

const HAPPENED: Readonly<Record<Notice["what"], string>> = {
  firing: "",
  resolved: "resolved",
  retracted: "withdrawn",
  escalated: "escalated",
  reminder: "still",
};

/** What mail headers, log lines and terminals would take for more than text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g;
export const oneLine = (text: string) => text.replace(CONTROLS, " ").trim();

export function wordsOf({ what, alert }: Notice, publicUrl: string | undefined): Words {
  const { id, rule, severity, explanation } = alert;
  const happened = HAPPENED[what];
  const mark = happened === "" ? severity : `${happened}, ${severity}`;
  return {
    subject: oneLine(`[${mark}] ${rule.title}: ${placeOf(alert)}`),
    explanation: oneLine(explanation),
    facts: factsOf(alert).map(([name, text]) => [name, oneLine(text)]),
    ...(publicUrl === undefined ? {} : { link: `${publicUrl.replace(/\/+$/, "")}/alerts/${encodeURIComponent(id)}` }),
  };
}

export function placeOf({ subject, kind }: Alert): string {
  const { sensorId, gateway, tag, district } = subject;
  const what = sensorId ?? gateway ?? (tag && `${tag.name} ${tag.value}`);
  const parts = [what, district].filter((part) => part !== undefined && part !== "");
  return parts.length > 0 ? parts.join(", ") : kind;
}

function factsOf(alert: Alert): [string, string][] {
  const { startedAt, resolvedAt, verdict, rule, correctedBy } = alert;
  const facts: [string, string][] = [
    ["Where", placeOf(alert)],
    ["Since", time(startedAt)],
  ];
  if (resolvedAt !== undefined) facts.push(["Until", time(resolvedAt)]);
  if (verdict !== undefined) facts.push(["Verdict", `${verdict.is}: ${verdict.why}`]);
  if (correctedBy !== undefined)
    facts.push(["Corrected by", `a late reading of ${correctedBy.sensorId}, measured ${time(correctedBy.measuredAt)}`]);
  facts.push(["Limit from", rule.source], ["Alert", alert.id]);
  return facts;
}

const time = (at: number) => new Date(at).toISOString().replace(/\.\d{3}Z$/, "Z");

/** The subject of a message with several notices. */
export function digestSubject(notices: readonly Notice[]): string {
  const counts = new Map<string, number>();
  for (const { what } of notices) counts.set(what, (counts.get(what) ?? 0) + 1);
  const parts = [...counts].map(([what, count]) => `${count} ${HAPPENED[what as Notice["what"]] || "new"}`);
  return `${notices.length} notices: ${parts.join(", ")}`;
}

/** Notices shown in one chat message; the others are counted. */
export const SHOWN_MAX = 15;
/** Characters of one piece of text in a chat. */
export const SECTION_MAX = 2_900;

export const cut = (text: string, max: number) => (text.length > max ? `${text.slice(0, max - 1)}…` : text);
