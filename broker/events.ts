import { networkOf } from "../model/address.ts";
import type { Reason } from "../model/rejection.ts";
import type { AccessReason } from "./access.ts";
import type { Refusal } from "./counters.ts";
import type { Slowed } from "./pace.ts";

/** Who it was about. Strings come from outside: printable ASCII only, at most 128 characters. */
type Who = { readonly name: string; readonly clientId: string; readonly address: string };

export type PublishDenial = AccessReason | "too_large" | "bad_status";
/** A status is only found wrong by the registry, when it is decoded: then as the `Reason` of its rejection. */
export type DenialReason = PublishDenial | "too_many_subscriptions" | "will_not_allowed" | Reason;

/**
 * Something for the audit log. `repeats` counts the same event again since it was last reported; `names` how many user
 * names it was under then (at most 20 are counted).
 */
export type AccessEvent = Who & { readonly at: number; readonly repeats: number; readonly names: number } & (
    | { readonly type: "refused"; readonly reason: Refusal }
    | { readonly type: "denied-publish" | "denied-subscribe"; readonly reason: DenialReason; readonly topic: string }
    | { readonly type: "slowed"; readonly reason: Slowed }
    | { readonly type: "closed"; readonly reason: "malformed_packet" | "unreleased"; readonly detail: string }
    | { readonly type: "takeover" }
  );

type WithoutCounting<E> = E extends AccessEvent ? Omit<E, "at" | "repeats" | "names"> : never;
export type AccessReport = WithoutCounting<AccessEvent>;

/** Addresses, and accounts, that are told apart at a time. */
const KEYS_MAX = 10_000;
const NAMES_MAX = 20;
/** Something that goes on and on is reported ever less often, down to once in so many times the first pause. */
const PAUSES_MAX = 64;

/** Text from outside, fit for logs and lists. */
export function safeText(text: string | undefined, charsMax = 128): string {
  return (text ?? "").slice(0, charsMax).replace(/[^\x20-\x7e]/g, "?");
}

type Burst = { report: AccessReport; saidAt: number; pauseMs: number; repeats: number; readonly names: Set<string> };

/**
 * Reports an event when it first happens, and then once per pause with the number of repeats; the pause begins with
 * `repeatMs` and doubles while it goes on. Call `tick` now and then: it forgets what was not repeated for a pause.
 *
 * Refused logins, and what is not MQTT, are the same event for an address, whatever names it tries; everything else for an account, and there
 * are only so many of those. Nothing is dropped: beyond 10,000 addresses (or accounts) at a time the others are counted
 * together, and neither of the two ever takes the place of the other.
 */
export function createEventLimiter(repeatMs: number, onEvent: (event: AccessEvent) => void, now: () => number) {
  const byAddress = new Map<string, Burst>();
  const byAccount = new Map<string, Burst>();

  function report(raw: AccessReport): void {
    const isAnonymous = raw.type === "refused" || raw.type === "closed";
    const bursts = isAnonymous ? byAddress : byAccount;
    const kind = `${raw.type} ${"reason" in raw ? raw.reason : ""}`;
    const key = `${kind} ${isAnonymous ? networkOf(raw.address) : raw.name}`;
    const known = bursts.get(key);
    if (known) return repeat(known, raw);
    if (bursts.size < KEYS_MAX) return begin(bursts, key, raw);
    const others = bursts.get(kind);
    if (others) repeat(others, { ...raw, address: "many addresses" });
    else begin(bursts, kind, { ...raw, address: "many addresses" });
  }

  function begin(bursts: Map<string, Burst>, key: string, raw: AccessReport): void {
    const at = now();
    const report = safe(raw);
    bursts.set(key, { report, saidAt: at, pauseMs: repeatMs, repeats: 0, names: new Set() });
    onEvent({ ...report, at, repeats: 0, names: 1 });
  }

  function repeat(burst: Burst, raw: AccessReport): void {
    burst.repeats += 1;
    burst.report = raw;
    if (burst.names.size < NAMES_MAX) burst.names.add(safeText(raw.name));
  }

  function tick(): void {
    const at = now();
    for (const bursts of [byAddress, byAccount]) {
      for (const [key, burst] of bursts) {
        if (Math.abs(at - burst.saidAt) < burst.pauseMs) continue;
        if (burst.repeats === 0) {
          bursts.delete(key);
          continue;
        }
        const { report, repeats, names } = burst;
        burst.pauseMs = Math.min(2 * burst.pauseMs, PAUSES_MAX * repeatMs);
        burst.saidAt = at;
        burst.repeats = 0;
        onEvent({ ...safe(report), at, repeats, names: names.size });
        names.clear();
      }
    }
  }

  return { report, tick };
}

function safe(report: AccessReport): AccessReport {
  const { name, clientId, address } = report;
  const who = { name: safeText(name), clientId: safeText(clientId), address: safeText(address) };
  return { ...report, ...who, ...("topic" in report && { topic: safeText(report.topic) }) };
}
