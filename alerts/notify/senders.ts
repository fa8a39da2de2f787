import type { Notice } from "../../model/notice.ts";
import { addressesOf, type Target, type TargetType } from "../../model/target.ts";
import { slackBody, teamsBody } from "./chat.ts";
import { AddressRefused, abortable, type HttpAnswer, type HttpPost } from "./http-post.ts";
import { mailOf, type SendMail } from "./mail.ts";
import { type Outcome, outcomeOf, parseRetryAfter } from "./retry.ts";
import { payloadOf, webhookHeaders } from "./webhook.ts";

/** The ways out. */
export type NotifyPorts = {
  post(request: HttpPost): Promise<HttpAnswer>;
  /** Resolves when the broker has taken it. */
  publish(message: { topic: string; payload: string }): Promise<void>;
  /** Undefined when no mail server is set up. */
  readonly mail?: SendMail;
};

/** `id`: the same on every attempt. */
export type Outgoing = { readonly id: string; readonly notices: readonly Notice[] };
export type Send = (target: Target, message: Outgoing, signal: AbortSignal) => Promise<Outcome>;

export type SenderOptions = { readonly publicUrl?: string; readonly timeoutMs: number; readonly now: () => number };

/** One attempt to tell a target. Never rejects: how it went is the answer. */
export function createSend(ports: NotifyPorts, { publicUrl, timeoutMs, now }: SenderOptions): Send {
  async function post(target: Target, body: string, headers: Record<string, string>, signal: AbortSignal) {
    const answer = await ports.post({ url: target.url!, headers, body, signal });
    return outcomeOf(answer.status, parseRetryAfter(answer.retryAfter, now()));
  }

  const json = { "content-type": "application/json", "user-agent": "lamppost" };
  const senders: Readonly<Record<TargetType, Send>> = {
    webhook(target, { id, notices }, signal) {
      const body = payloadOf(notices);
      return post(target, body, webhookHeaders(target, id, body, now()), signal);
    },
    slack: (target, { notices }, signal) => post(target, slackBody(notices, publicUrl), json, signal),
    teams: (target, { notices }, signal) => post(target, teamsBody(notices, publicUrl), json, signal),
    async email(target, { id, notices }, signal) {
      if (!ports.mail) return { is: "unreachable", error: "no mail server is set up (LAMPPOST_SMTP_URL)" };
      await abortable(ports.mail(mailOf(id, addressesOf(target.to!), notices, publicUrl)), signal);
      return { is: "sent" };
    },
    async mqtt(target, { notices }, signal) {
      await abortable(ports.publish({ topic: target.to!, payload: payloadOf(notices) }), signal);
      return { is: "sent" };
    },
  };

  return async (target, message, signal) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    try {
      return await senders[target.type](target, message, limit);
    } catch (error) {
      return failureOf(error, timeoutMs);
    }
  };
}

const NO_TLS =
  "the mail server offers no TLS (STARTTLS), and without it no password is sent; LAMPPOST_SMTP_PLAINTEXT_ALLOW names exceptions";

/** The text is shown to admins: the code of the error, never what the other side said. */
function failureOf(error: unknown, timeoutMs: number): Outcome {
  if (error instanceof AddressRefused) return { is: "refused", error: error.message };
  const { name, code, responseCode } = error as { name?: string; code?: string; responseCode?: number };
  if (code === "ETLS") return { is: "unreachable", error: NO_TLS };
  if (responseCode !== undefined) {
    const text = `the mail server answered ${responseCode}`;
    return { is: responseCode >= 500 && responseCode !== 530 ? "refused" : "unreachable", error: text };
  }
  if (name === "TimeoutError" || name === "AbortError" || code === "ABORT_ERR")
    return { is: "unreachable", error: `no answer within ${timeoutMs / 1_000} s` };
  return { is: "unreachable", error: `no connection${code === undefined ? "" : ` (${code})`}` };
}
