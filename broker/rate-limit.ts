import type { RateLimit } from "./options.ts";

/** A token bucket (leaky from the top): `tokens` as of `at`, in epoch milliseconds. */
export type Bucket = { readonly limit: RateLimit; tokens: number; at: number };

/** Milliseconds until a token is there; 0 when there is one. Takes nothing. */
export function waitMs(bucket: Bucket, now: number): number {
  // A clock set back gives nothing and takes nothing.
  if (now > bucket.at) {
    const gained = ((now - bucket.at) * bucket.limit.perSecond) / 1_000;
    bucket.tokens = Math.min(bucket.limit.burst, bucket.tokens + gained);
  }
  bucket.at = now;
  return bucket.tokens >= 1 ? 0 : Math.ceil(((1 - bucket.tokens) * 1_000) / bucket.limit.perSecond);
}

/** Takes a token, or none: then the answer is how many milliseconds to wait. */
export function take(bucket: Bucket, now: number): number {
  const wait = waitMs(bucket, now);
  if (wait === 0) bucket.tokens -= 1;
  return wait;
}

export function newBucket(limit: RateLimit, now: number): Bucket {
  return { limit, tokens: limit.burst, at: now };
}

/** One of something for each key, made when it is first asked for. Holds at most `keysMax`; beyond it the one made first goes. */
export function createByKey<T>(keysMax: number, make: () => T): (key: string) => T {
  const known = new Map<string, T>();
  return (key) => {
    const one = known.get(key);
    if (one !== undefined) return one;
    if (known.size >= keysMax) known.delete(known.keys().next().value!);
    const made = make();
    known.set(key, made);
    return made;
  };
}
