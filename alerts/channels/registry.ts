import type { TargetType } from "../../model/channels.ts";
import type { Language } from "../../model/sentence.ts";
import type { Target } from "../../model/target.ts";
import { DAY_MS, SECOND_MS } from "../../model/time.ts";
import { AddressRefused, abortable, type HttpAnswer, type HttpPost } from "../notify/http-post.ts";
import type { Channel, CurrentOf, IncidentOf, Outcome, Outgoing, SendMail, SendPush } from "./channel.ts";
import { email } from "./email.ts";
import { mqtt } from "./mqtt.ts";
import { push } from "./push.ts";
import { slack } from "./slack.ts";
import { teams } from "./teams.ts";
import { webhook } from "./webhook.ts";

/** The ways out. */
export type NotifyPorts = {
  post(request: HttpPost): Promise<HttpAnswer>;
  /** Resolves when the broker has taken it. */
  publish(message: { topic: string; payload: string }): Promise<void>;
  /** Undefined when no mail server is set up. */
  readonly mail?: SendMail;
  /** To the browsers of people; undefined where nothing is sent to any. */
  readonly push?: SendPush;
};

export type Send = (target: Target, message: Outgoing, signal: AbortSignal) => Promise<Outcome>;

type SenderOptions = {
  readonly publicUrl?: string;
  readonly cityZone?: string;
  /** Of targets that name none. */
  readonly cityLanguage?: Language | undefined;
  readonly current?: CurrentOf | undefined;
  readonly incidentOf?: IncidentOf | undefined;
  readonly timeoutMs: number;
  readonly now: () => number;
};

/** Every channel; what a target of it needs is in `model/channels.ts`. */
const CHANNELS: { readonly [T in TargetType]: Channel } = { webhook, slack, teams, email, mqtt, push };

/** One attempt to tell a target. Never rejects: how it went is the answer. */
export function createSend(ports: NotifyPorts, options: SenderOptions): Send {
  const { publicUrl, cityZone = "UTC", cityLanguage = "en", current, incidentOf, timeoutMs, now } = options;
  const { mail } = ports;
  return async (target, message, signal) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    try {
      return await CHANNELS[target.type].send(target, message, {
        async post({ url }, body, headers, read) {
          const readsBody = read !== undefined;
          const answer = await ports.post({ url: url!, headers, body, signal: limit, readsBody });
          const outcome = outcomeOf(answer.status, parseRetryAfter(answer.retryAfter, now()));
          return (outcome.is === "sent" && read?.(answer.body ?? "")) || outcome;
        },
        publish: (publication) => abortable(ports.publish(publication), limit),
        mail: mail && ((one) => abortable(mail(one), limit)),
        push: ports.push && ((message) => ports.push!(message, limit)),
        telling: {
          reader: {
            locale: target.language ?? cityLanguage,
            zone: target.timeZone ?? target.quietHours?.timeZone ?? cityZone,
            now: now(),
          },
          publicUrl,
          current,
          incidentOf,
        },
        now: now(),
      });
    } catch (error) {
      return failureOf(error, timeoutMs);
    }
  };
}

const RETRY_AFTER_MAX_MS = DAY_MS;

/** The Retry-After header: seconds or an HTTP date. Undefined for anything else. */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * SECOND_MS : Date.parse(value) - now;
  return Number.isFinite(ms) ? Math.min(RETRY_AFTER_MAX_MS, Math.max(0, ms)) : undefined;
}

/** The verdict on the status of an HTTP answer. */
function outcomeOf(status: number, retryAfterMs?: number): Outcome {
  const error = `answered ${status}`;
  if (status >= 200 && status < 300) return { is: "sent" };
  if (status === 410) return { is: "gone", error: "answered 410: it is gone for good" };
  if (status >= 300 && status < 400) return { is: "refused", error: `${error}; redirects are not followed` };
  const passing = status === 408 || status === 429 || status >= 500;
  if (passing) return { is: "unreachable", error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  return { is: "refused", error };
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
