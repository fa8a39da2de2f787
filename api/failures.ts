/**
 * Wrong secrets, counted for each key they came from. After `free` of them the key waits 1 s after each more, then 2 s, 4 s … up to
 * `waitMaxMs`. Nothing right is counted, and nothing right forgives: a guesser could do that with a secret of their own. A key is
 * forgotten `forgetMs` after its last failure; beyond `keysMax` keys the one that failed longest ago goes first.
 */
export function createFailures(
  { free, waitMaxMs, forgetMs, keysMax }: { free: number; waitMaxMs: number; forgetMs: number; keysMax: number },
  now: () => number,
) {
  // In the order of the last failure.
  const keys = new Map<string, { count: number; at: number }>();

  const find = (key: string) => {
    const known = keys.get(key);
    if (!known) return undefined;
    // A clock that was set back makes nobody wait longer for it.
    known.at = Math.min(known.at, now());
    return now() - known.at < forgetMs ? known : undefined;
  };

  /** Milliseconds this key still has to wait; 0 if none. */
  function waitMs(key: string): number {
    const { count = 0, at = 0 } = find(key) ?? {};
    const over = count - free;
    if (over <= 0) return 0;
    const wait = Math.min(waitMaxMs, 1_000 * 2 ** Math.min(over - 1, 20));
    return Math.max(0, at + wait - now());
  }

  function add(key: string): void {
    const count = (find(key)?.count ?? 0) + 1;
    keys.delete(key); // to the end
    keys.set(key, { count, at: now() });
    for (const [oldest, { at }] of keys) {
      if (keys.size <= keysMax && Math.abs(now() - at) < forgetMs) return;
      keys.delete(oldest);
    }
  }

  /** What was added before it was looked at, and turned out right or was never looked at. */
  function takeBack(key: string): void {
    const known = keys.get(key);
    if (!known) return;
    known.count -= 1;
    if (known.count <= 0) keys.delete(key);
  }

  return { waitMs, add, takeBack, count: (key: string) => find(key)?.count ?? 0, size: () => keys.size };
}

export type Failures = ReturnType<typeof createFailures>;
