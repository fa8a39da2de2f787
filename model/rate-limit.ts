/** `perSecond` on average, up to `burst` at once. */
export type RateLimit = { readonly perSecond: number; readonly burst: number };

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

/** Takes tokens if there is one, or none: then the answer is how many milliseconds to wait. */
export function take(bucket: Bucket, now: number, tokens = 1): number {
  const wait = waitMs(bucket, now);
  if (wait === 0) spend(bucket, tokens);
  return wait;
}

/** Takes tokens, also below nothing: then the next one waits the longer. No debt is larger than this many. */
const DEBT_MIN = 1_000;
export function spend(bucket: Bucket, tokens: number): void {
  bucket.tokens = Math.max(bucket.tokens - tokens, -Math.max(bucket.limit.burst, DEBT_MIN));
}

export function newBucket(limit: RateLimit, now: number): Bucket {
  return { limit, tokens: limit.burst, at: now };
}

/** One of something for each key, made when it is first asked for. Holds at most `keysMax`; beyond it the one made first goes. */
export function createByKey<T>(keysMax: number, make: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>();
  return (key) => {
    const one = known.get(key);
    if (one !== undefined) return one;
    if (known.size >= keysMax) known.delete(known.keys().next().value!);
    const made = make(key);
    known.set(key, made);
    return made;
  };
}
