import { createHmac } from "node:crypto";
import { viewAlert } from "../../contract/alert.ts";
import type { Notice } from "../../model/alert.ts";
import { type Target, whsecBytes } from "../../model/target.ts";
import { type Channel, JSON_HEADERS, type Telling, wordsOf } from "./channel.ts";

/** A program of the city's own, signed as the Standard Webhooks are. */
export const webhook: Channel = {
  send(target, { id, notices }, { post, telling, now }) {
    const body = payloadOf(notices, telling);
    return post(target, body, webhookHeaders(target, id, body, now));
  },
};

const iso = (time: number) => new Date(time).toISOString();

function payload(notice: Notice, telling: Telling) {
  const { what, at, alert } = notice;
  return { type: `alert.${what}`, timestamp: iso(at), data: viewAlert(alert), text: textOf(notice, telling) };
}

/** What a mail would say, for programs that show it to people. */
function textOf(notice: Notice, telling: Telling) {
  const { subject, explanation, facts } = wordsOf(notice, telling);
  return {
    language: telling.reader.locale,
    subject,
    explanation,
    facts: facts.map(([name, text]) => `${name}: ${text}`),
  };
}

/** `{type, timestamp, data: Alert, text}`; several notices in one message are `{type: "alert.group", timestamp, data: [...]}`. */
export function payloadOf(notices: readonly Notice[], telling: Telling): string {
  const [first, ...more] = notices.map((notice) => payload(notice, telling)) as [
    ReturnType<typeof payload>,
    ...ReturnType<typeof payload>[],
  ];
  return JSON.stringify(
    more.length === 0 ? first : { type: "alert.group", timestamp: first.timestamp, data: [first, ...more] },
  );
}

/**
 * `v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`; `timestamp` in seconds.
 * Source: Standard Webhooks 1.0 (https://www.standardwebhooks.com).
 */
export function signature(secret: string, id: string, timestamp: number, body: string): string {
  const key = whsecBytes(secret);
  if (key === undefined) throw new Error("the secret of the target is not valid");
  return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
}

/** While a secret is being changed, the message carries the signatures of both. */
export function webhookHeaders(target: Target, id: string, body: string, now: number): Record<string, string> {
  const timestamp = Math.floor(now / 1_000);
  const { secret, formerSecret } = target;
  const former = formerSecret && formerSecret.until > now ? [formerSecret.secret] : [];
  const secrets = secret === undefined ? [] : [secret, ...former];
  const signatures = secrets.map((one) => signature(one, id, timestamp, body));
  return {
    ...JSON_HEADERS,
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    ...(signatures.length > 0 ? { "webhook-signature": signatures.join(" ") } : {}),
  };
}
