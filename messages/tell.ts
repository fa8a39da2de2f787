import { type Amount, type Says, type Sentence, type SentenceKey, say } from "../model/sentence.ts";
import { MINUTE_MS } from "../model/time.ts";
import type { Reader } from "./format.ts";
import type { Pack } from "./pack.ts";
import { renderAll, renderIn } from "./render.ts";

/** What is looked at of an alert; times are epoch milliseconds. */
export type TellableAlert = {
  readonly rule: { readonly title: string };
  readonly explanation: string;
  readonly says?: Says | undefined;
  readonly verdict?: { readonly why: string } | undefined;
  readonly state: string;
  readonly startedAt: number;
  readonly resolvedAt?: number | undefined;
  readonly metric?: string | undefined;
  readonly value?: number | undefined;
  readonly evidence: readonly { readonly window?: object | undefined }[];
};

/** The newest value of what the alert is about. */
export type Current = { readonly value: number; readonly at: number };

/** An alert as someone reads it. Without sentences of an earlier version it is English. */
export type Told = {
  readonly title: string;
  readonly explanation: string;
  readonly verdict?: string;
  readonly advice?: string;
};

/** An alert of these begins when the silence counts. */
const SILENCES: ReadonlySet<string> = new Set<SentenceKey>(["silence", "silence.value"]);
/** A value older than that is not how it is now. */
const NOW_MS = 15 * MINUTE_MS;

export function tellAlert(pack: Pack, alert: TellableAlert, reader: Reader, current?: Current): Told {
  const { says, rule, verdict } = alert;
  const first = says && renderAll(pack, says.explanation, reader);
  const now = statusOf(alert, reader.now, current);
  const advice = says?.advice && renderIn(pack, says.advice, reader);
  const why = (says?.verdict && renderIn(pack, says.verdict, reader)) ?? verdict?.why;
  return {
    title: (says && renderIn(pack, says.title, reader)) || rule.title,
    explanation: first ? [first, now && renderIn(pack, now, reader)].filter(Boolean).join(" ") : alert.explanation,
    ...(why === undefined ? {} : { verdict: why }),
    ...(advice === undefined ? {} : { advice }),
  };
}

/** Where the limit comes from. */
export const sourceIn = ({ sources }: Pack, source: string): string =>
  (Object.hasOwn(sources, source) ? sources[source] : undefined) ?? source;

/** How long it has lasted when it is read, and what the value is by now. */
function statusOf(alert: TellableAlert, now: number | undefined, current: Current | undefined): Sentence | undefined {
  const { state, startedAt, resolvedAt, metric, value, evidence } = alert;
  if (now === undefined) return undefined;
  if (state === "resolved" && resolvedAt !== undefined && resolvedAt - startedAt >= MINUTE_MS)
    return say("status.lasted", { span: resolvedAt - startedAt });
  if (state !== "firing" || now - startedAt < MINUTE_MS) return undefined;
  const span = now - startedAt;
  const [first] = alert.says?.explanation ?? [];
  const silentSince = first && SILENCES.has(first.key) ? first.params.since : undefined;
  if (typeof silentSince === "number") return say("status.silent", { span: now - silentSince });
  // Nothing newer than what the alert says already.
  if (!current || metric === undefined || (current.value === value && current.at <= startedAt))
    return say("status.open", { span });
  const amount: Amount = { value: current.value, of: metric };
  const isMean = evidence.some(({ window }) => window !== undefined);
  return !isMean && now - current.at <= NOW_MS
    ? say("status.now", { value: amount, span })
    : say("status.newest", { value: amount, at: current.at, span });
}
