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

/**
 * Takes one token from each bucket, or none: then the answer is how many milliseconds to wait. Outlives connections, so
 * that a reconnect does not refill a bucket.
 */
export function take(buckets: readonly Bucket[], now: number): number {
  let wait = 0;
  for (const bucket of buckets) wait = Math.max(wait, waitMs(bucket, now));
  if (wait > 0) return wait;
  for (const bucket of buckets) bucket.tokens -= 1;
  return 0;
}

/** Buckets by key. Holds at most `keysMax`; beyond it the one made first goes. */
export function createBuckets(limit: RateLimit, keysMax: number) {
  const buckets = new Map<string, Bucket>();
  return function bucketOf(key: string, now: number): Bucket {
    const known = buckets.get(key);
    if (known) return known;
    if (buckets.size >= keysMax) {
      const first = buckets.keys().next();
      if (!first.done) buckets.delete(first.value);
    }
    const bucket: Bucket = { limit, tokens: limit.burst, at: now };
    buckets.set(key, bucket);
    return bucket;
  };
}
