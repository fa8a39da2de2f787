import type { Log } from "../../model/log.ts";
import { personalTargets } from "../../model/push.ts";
import type { Records } from "../../store/records.ts";
import type { Outcome, PushMessage, SendPush } from "../channels/channel.ts";
import { AddressRefused, type HttpAnswer, type HttpPost } from "./http-post.ts";
import { encryptPush, vapidHeader } from "./web-push.ts";

/** A push service keeps it so long for a phone that is off: after a day an alert is told in other ways. */
const TTL_S = 86_400;

type BrowserParts = {
  readonly records: Pick<Records, "push" | "targets" | "audit" | "transaction">;
  readonly post: (request: HttpPost) => Promise<HttpAnswer>;
  /** https: or mailto:, for operators of push services. */
  readonly contact: string | undefined;
  readonly now: () => number;
  readonly log: Log;
};

/**
 * Tells all browsers of an account. One that its push service does not know any more (404, 410) is forgotten. Where some
 * have it and others could not be reached, only these are told again.
 */
export function createPushSender({ records, post, contact, now, log }: BrowserParts): SendPush {
  return async (message, signal) => {
    const { account, only } = message;
    const all = records.push.list(account);
    const browsers = only ? all.filter(({ id }) => only.includes(String(id))) : all;
    // Of those that were to be told again none is left: nothing is owed to them.
    if (browsers.length === 0) return only ? { is: "sent" } : { is: "refused", error: "no browser is set up" };
    const results = await Promise.all(browsers.map((browser) => tellOne(browser, message, signal)));
    const failed = results.flatMap((outcome, i) =>
      outcome === undefined || outcome.is === "sent" ? [] : [{ address: String(browsers[i]!.id), outcome }],
    );
    const isTold = results.some((outcome) => outcome?.is === "sent");
    if (failed.length === 0) return isTold || only ? { is: "sent" } : { is: "refused", error: "no browser is left" };
    const refusing = failed.map(({ address, outcome }) => ({ address, why: outcome.error }));
    return isTold || only ? { is: "partly", refusing } : failed[0]!.outcome;
  };

  /** Undefined: it is not there any more. */
  async function tellOne(
    browser: ReturnType<Records["push"]["list"]>[number],
    { payload, urgency, topic }: PushMessage,
    signal: AbortSignal,
  ): Promise<Exclude<Outcome, { is: "partly" }> | undefined> {
    const headers = {
      authorization: vapidHeader(records.push.keys(), browser.endpoint, contact, now()),
      "content-encoding": "aes128gcm",
      "content-type": "application/octet-stream",
      ttl: String(TTL_S),
      urgency,
      ...(topic === undefined ? {} : { topic }),
    };
    try {
      const bytes = encryptPush(browser.keys, payload);
      const { status, retryAfter } = await post({ url: browser.endpoint, headers, body: "", bytes, signal });
      if (status >= 200 && status < 300) return { is: "sent" };
      if (status === 404 || status === 410) return forget(browser.id, browser.account, status);
      const error = `the push service answered ${status}`;
      const seconds = Number(retryAfter);
      if (status === 429 || status === 408 || status >= 500)
        return { is: "unreachable", error, ...(seconds > 0 && { retryAfterMs: seconds * 1_000 }) };
      return { is: "refused", error };
    } catch (error) {
      if (error instanceof AddressRefused) return { is: "refused", error: error.message };
      const { name, code } = error as { name?: string; code?: string };
      const why = name === "TimeoutError" || name === "AbortError" ? "no answer in time" : `no connection (${code})`;
      return { is: "unreachable", error: why };
    }
  }

  function forget(id: number, account: string, status: number): undefined {
    records.transaction(() => {
      records.push.remove(account, id);
      const target = records.targets.get(personalTargets(account).push);
      if (target && records.push.list(account).length === 0) records.targets.put({ ...target, enabled: false });
      const detail = `its push service answered ${status}`;
      records.audit.add({ at: now(), by: "lamppost", what: "push.forget", target: account, detail });
    });
    log.info({ status }, "a browser that its push service does not know any more was forgotten");
    return undefined;
  }
}
