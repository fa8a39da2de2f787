import type { Kind } from "../model/kinds.ts";
import type { AccessReason } from "./access.ts";
import type { BrokerCounts, Refusal } from "./counters.ts";

/** Who it was about. Strings come from outside: printable ASCII only, at most 128 characters. */
type Who = { readonly name: string; readonly clientId: string; readonly address: string };

export type DenialReason = AccessReason | "too_large" | "bad_status" | "too_many_subscriptions";

/** Something for the audit log. `repeats` counts the same event again since it was last reported. */
export type AccessEvent = Who & { readonly at: number; readonly repeats: number } & (
    | { readonly type: "refused"; readonly reason: Refusal }
    | { readonly type: "denied-publish" | "denied-subscribe"; readonly reason: DenialReason; readonly topic: string }
    | { readonly type: "slowed"; readonly reason: "over_rate" }
    | { readonly type: "takeover" }
  );

/** A sensor said, or its last will says for it, that it is there or not. */
export type StatusEvent = {
  readonly type: "status";
  readonly sensorId: string;
  readonly district: string;
  readonly kind: Kind;
  readonly online: boolean;
  readonly at: number;
};

export type BrokerEvent = StatusEvent | AccessEvent;

type WithoutCounting<E> = E extends AccessEvent ? Omit<E, "at" | "repeats"> : never;
export type AccessReport = WithoutCounting<AccessEvent>;

const KEYS_MAX = 1_000;

/** Text from outside, fit for logs and lists. */
export function safeText(text: string | undefined): string {
  return (text ?? "").slice(0, 128).replace(/[^\x20-\x7e]/g, "?");
}

/**
 * Reports an event once per `repeatMs` and client; the repeats in between are counted and told later. Call `tick` now
 * and then. Holds at most 1,000 clients' events; those beyond are counted in `eventsDropped`.
 */
export function createEventLimiter(
  repeatMs: number,
  onEvent: (event: AccessEvent) => void,
  now: () => number,
  counts: BrokerCounts,
) {
  const recent = new Map<string, { report: AccessReport; until: number; repeats: number }>();

  function report(raw: AccessReport): void {
    const safe = { name: safeText(raw.name), clientId: safeText(raw.clientId), address: safeText(raw.address) };
    const event: AccessReport = { ...raw, ...safe, ...("topic" in raw && { topic: safeText(raw.topic) }) };
    const key = `${event.type} ${"reason" in event ? event.reason : ""} ${event.name} ${event.address}`;
    const known = recent.get(key);
    if (known) {
      known.repeats += 1;
      known.report = event;
    } else if (recent.size >= KEYS_MAX) {
      counts.eventsDropped += 1;
    } else {
      const at = now();
      recent.set(key, { report: event, until: at + repeatMs, repeats: 0 });
      onEvent({ ...event, at, repeats: 0 });
    }
  }

  function tick(): void {
    const at = now();
    for (const [key, entry] of recent) {
      if (at < entry.until) continue;
      recent.delete(key);
      if (entry.repeats > 0) {
        recent.set(key, { report: entry.report, until: at + repeatMs, repeats: 0 });
        onEvent({ ...entry.report, at, repeats: entry.repeats });
      }
    }
  }

  return { report, tick };
}
