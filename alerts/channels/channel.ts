import { momentOf, type Reader } from "../../messages/format.ts";
import { PACKS } from "../../messages/messages.ts";
import type { Pack } from "../../messages/pack.ts";
import { type Current, sourceIn, type Told, tellAlert } from "../../messages/tell.ts";
import type { Alert, Notice } from "../../model/alert.ts";
import type { Incident } from "../../model/incident.ts";
import type { Kind } from "../../model/kinds.ts";
import type { Refusing, Target } from "../../model/target.ts";

/** How an attempt to tell a target ended. `error` is for people; it never carries what the target answered. */
export type Outcome =
  | { readonly is: "sent" }
  | PartlySent
  /** The target as such: no connection, a time-out, 5xx, 429. Everything for it waits. */
  | { readonly is: "unreachable"; readonly error: string; readonly retryAfterMs?: number }
  /** The target did not want this message, or may not be asked: tried a few times, then given up. */
  | { readonly is: "refused"; readonly error: string }
  /** 410: it is not there any more and never will be. */
  | { readonly is: "gone"; readonly error: string };

/** Some of the addresses did not want it; the others have it. */
export type PartlySent = { readonly is: "partly"; readonly refusing: readonly Omit<Refusing, "at">[] };

export type Failure = Exclude<Outcome, { is: "sent" | "partly" }>;

/** `id`: the same on every attempt. `only`: of the addresses those that have not taken it yet. */
export type Outgoing = { readonly id: string; readonly notices: readonly Notice[]; readonly only?: readonly string[] };

export type Mail = {
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  /** The same on every attempt, so that a mailbox can drop what it has. */
  readonly messageId: string;
  /** All mails about one incident, or about one alert of none, belong together. */
  readonly thread?: string;
};

/** Answers which of the addresses did not take it while others did. Rejects where none did. */
export type SendMail = (mail: Mail) => Promise<PartlySent["refusing"]>;

/** Encrypted for each browser on its way. `only`: of the browsers of the account those that have not taken it yet. */
export type PushMessage = {
  readonly account: string;
  readonly payload: Uint8Array;
  readonly urgency: "low" | "normal" | "high";
  readonly topic: string | undefined;
  readonly only?: readonly string[];
};
export type SendPush = (message: PushMessage, signal: AbortSignal) => Promise<Outcome>;

/** What an answer of 2xx says nevertheless; undefined: nothing against it. */
type ReadAnswer = (body: string) => Failure | undefined;

/** What a channel sends with. All of it ends when the time for one attempt is over. */
type Ways = {
  /** `read`: where the status alone does not say that it was taken. */
  post(target: Target, body: string, headers: Readonly<Record<string, string>>, read?: ReadAnswer): Promise<Outcome>;
  /** Resolves when the broker has taken it. */
  publish(message: { readonly topic: string; readonly payload: string }): Promise<void>;
  /** Undefined when no mail server is set up. */
  readonly mail: SendMail | undefined;
  readonly push: ((message: PushMessage) => Promise<Outcome>) | undefined;
  /** How it is to be written: the target's own language and zone, or the city's. */
  readonly telling: Telling;
  readonly now: number;
};

/** How notices are written and sent on one channel; what a target of it needs is in `model/channels.ts`. */
export type Channel = {
  /** One attempt. May reject: what the error says of it is `registry.ts`'s. */
  send(target: Target, message: Outgoing, ways: Ways): Promise<Outcome>;
};

export const JSON_HEADERS = { "content-type": "application/json", "user-agent": "lamppost" };

/** What all templates say, in plain text: each of them escapes it in its own way. */
export type Words = {
  /** One line: severity or what happened, rule, place. */
  readonly subject: string;
  readonly explanation: string;
  readonly facts: readonly (readonly [string, string])[];
  readonly link?: string;
};

/** What mail headers, log lines and terminals would take for more than text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g;
export const oneLine = (text: string) => text.replace(CONTROLS, " ").trim();

/** For whom and when a message is written. */
export type Telling = {
  /** `now`: when it is written. Times are the target's, or the city's. */
  readonly reader: Reader;
  readonly publicUrl?: string | undefined;
  /** What a sensor's value is by now. */
  readonly current?: CurrentOf | undefined;
  readonly incidentOf?: IncidentOf | undefined;
};
/** The incident that an alert belongs to by now. */
export type IncidentOf = (alert: string) => Pick<Incident, "id" | "alerts" | "firing"> | undefined;
export type CurrentOf = (kind: Kind, sensorId: string, metric: string) => Current | undefined;

export function wordsOf({ what, alert }: Notice, { reader, publicUrl, current, incidentOf }: Telling): Words {
  const pack = PACKS[reader.locale];
  const { happened, severity } = pack.notices;
  const { id, subject, metric, kind } = alert;
  const isOfSensor = subject.sensorId !== undefined && metric !== undefined && kind !== "service";
  const told = tellAlert(pack, alert, reader, isOfSensor ? current?.(kind, subject.sensorId!, metric) : undefined);
  const mark = [happened[what], severity[alert.severity]].filter(Boolean).join(", ");
  return {
    subject: oneLine(`[${mark}] ${told.title}: ${whereText(alert, pack)}`),
    explanation: oneLine(told.explanation),
    facts: factsOf(alert, told, pack, reader, incidentOf?.(alert.id)).map(([name, text]) => [name, oneLine(text)]),
    ...(publicUrl === undefined ? {} : { link: `${publicUrl.replace(/\/+$/, "")}/alerts/${encodeURIComponent(id)}` }),
  };
}

function whereText({ subject, kind }: Alert, pack: Pack): string {
  const { sensorId, gateway, tag, district } = subject;
  const what = sensorId ?? gateway ?? (tag && `${tag.name} ${tag.value}`);
  const parts = [what, district].filter((part) => part !== undefined && part !== "");
  return parts.length > 0 ? parts.join(", ") : pack.notices.kind[kind];
}

function factsOf(
  alert: Alert,
  told: Told,
  pack: Pack,
  reader: Reader,
  incident: ReturnType<IncidentOf>,
): [string, string][] {
  const moment = (at: number) => momentOf(Math.floor(at / 1_000) * 1_000, pack, reader);
  const { startedAt, resolvedAt, verdict, rule, correctedBy } = alert;
  const { facts: names, verdict: verdicts, lateReading, ofIncident } = pack.notices;
  const facts: [string, string][] = [
    [names.where, whereText(alert, pack)],
    [names.since, moment(startedAt).text],
  ];
  if (resolvedAt !== undefined) facts.push([names.until, moment(resolvedAt).text]);
  if (verdict !== undefined) facts.push([names.verdict, `${verdicts[verdict.is]}: ${told.verdict}`]);
  if (correctedBy !== undefined)
    facts.push([names.corrected, lateReading(correctedBy.sensorId, moment(correctedBy.measuredAt))]);
  if (incident && incident.alerts > 1) facts.push([names.incident, ofIncident(incident.alerts, incident.firing)]);
  if (told.advice !== undefined) facts.push([names.advice, told.advice]);
  facts.push([names.source, sourceIn(pack, rule.source)]);
  if (reader.now !== undefined) facts.push([names.zone, reader.zone]);
  facts.push([names.alert, alert.id]);
  return facts;
}

/** The subject of a message with several notices. */
export function digestSubject(notices: readonly Notice[], { reader }: Telling): string {
  const { happened, fresh, digest } = PACKS[reader.locale].notices;
  const counts = new Map<Notice["what"], number>();
  for (const { what } of notices) counts.set(what, (counts.get(what) ?? 0) + 1);
  const parts = [...counts].map(([what, count]) => `${count} ${happened[what] || fresh}`);
  return digest(notices.length, parts.join(", "));
}

/** Notices shown in one chat message; the others are counted. */
export const SHOWN_MAX = 15;
/** Characters of one piece of text in a chat. */
export const SECTION_MAX = 2_900;

export const cut = (text: string, max: number) => (text.length > max ? `${text.slice(0, max - 1)}…` : text);
