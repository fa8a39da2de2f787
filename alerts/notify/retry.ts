import { DAY_MS, HOUR_MS, SECOND_MS } from "../../model/time.ts";

/** How an attempt to tell a target ended. `error` is for people; it never carries what the target answered. */
export type Outcome =
  | { readonly is: "sent" }
  /** The target as such: no connection, a time-out, 5xx, 429. Everything for it waits. */
  | { readonly is: "unreachable"; readonly error: string; readonly retryAfterMs?: number }
  /** The target did not want this message, or may not be asked: tried a few times, then given up. */
  | { readonly is: "refused"; readonly error: string }
  /** 410: it is not there any more and never will be. */
  | { readonly is: "gone"; readonly error: string };

export type Failure = Exclude<Outcome, { is: "sent" }>;

const BACKOFF_MAX_MS = HOUR_MS;
/** After this a notice is no news. */
export const GIVE_UP_AFTER_MS = 3 * DAY_MS;
export const RETRY_AFTER_MAX_MS = DAY_MS;
/** 5 s, 20 s, 80 s, 5 min, 21 min, 1 h: a wrong setting can be put right meanwhile. */
const REFUSED_TRIES_MAX = 7;
const REFUSALS_IN_A_ROW = 3;

/** Doubles from 1 s (or `firstMs`, times `factor`) up to an hour; half of it is chance, so that many do not come at once. */
function backoffMs(failures: number, random: () => number, firstMs = SECOND_MS, factor = 2): number {
  const fullMs = Math.min(BACKOFF_MAX_MS, firstMs * factor ** Math.min(failures - 1, 30));
  return Math.round(fullMs / 2 + (fullMs / 2) * random());
}

/** When the same message may be tried again after the target refused it so many times; undefined: given up. */
export function refusedRetryMs(refusals: number, random: () => number): number | undefined {
  return refusals >= REFUSED_TRIES_MAX ? undefined : backoffMs(refusals, random, 5 * SECOND_MS, 4);
}

/**
 * How long the target as a whole is left alone after so many failures in a row. One refused message must not hold up the
 * others; several in a row say that the target itself is set up wrong.
 */
export function targetPauseMs(failure: Failure, failures: number, random: () => number): number {
  if (failure.is === "unreachable") return Math.max(backoffMs(failures, random), failure.retryAfterMs ?? 0);
  return failures < REFUSALS_IN_A_ROW ? 0 : backoffMs(failures - REFUSALS_IN_A_ROW + 1, random);
}

/** The Retry-After header: seconds or an HTTP date. Undefined for anything else. */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * SECOND_MS : Date.parse(value) - now;
  return Number.isFinite(ms) ? Math.min(RETRY_AFTER_MAX_MS, Math.max(0, ms)) : undefined;
}

/** The verdict on the status of an HTTP answer. */
export function outcomeOf(status: number, retryAfterMs?: number): Outcome {
  const error = `answered ${status}`;
  if (status >= 200 && status < 300) return { is: "sent" };
  if (status === 410) return { is: "gone", error: "answered 410: it is gone for good" };
  if (status >= 300 && status < 400) return { is: "refused", error: `${error}; redirects are not followed` };
  const passing = status === 408 || status === 429 || status >= 500;
  if (passing) return { is: "unreachable", error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  return { is: "refused", error };
}
