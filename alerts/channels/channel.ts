import type { Notice } from "../../model/notice.ts";
import type { Target } from "../../model/target.ts";
import type { Outcome } from "../notify/retry.ts";
import type { SendMail } from "./email.ts";

/** `id`: the same on every attempt. */
export type Outgoing = { readonly id: string; readonly notices: readonly Notice[] };

/** What a channel sends with. All of it ends when the time for one attempt is over. */
export type Ways = {
  post(target: Target, body: string, headers: Readonly<Record<string, string>>): Promise<Outcome>;
  /** Resolves when the broker has taken it. */
  publish(message: { readonly topic: string; readonly payload: string }): Promise<void>;
  /** Undefined when no mail server is set up. */
  readonly mail: SendMail | undefined;
  readonly publicUrl: string | undefined;
  readonly now: number;
};

/** How notices are written and sent on one channel; what a target of it needs is in `model/target.ts`. */
export type Channel = {
  /** One attempt. May reject: what the error says of it is `registry.ts`'s. */
  send(target: Target, message: Outgoing, ways: Ways): Promise<Outcome>;
};

export const JSON_HEADERS = { "content-type": "application/json", "user-agent": "lamppost" };
