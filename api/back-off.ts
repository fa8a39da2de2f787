/**
 * Slows down guessing: after `free` failures in a row an address waits 1 s, then 2 s, 4 s … up to `maxMs`. A success
 * forgets it. At most `addressesMax` addresses are remembered, the oldest goes first.
 */
export function createBackOff(options: { free: number; maxMs: number; addressesMax: number }, now: () => number) {
  const failures = new Map<string, { count: number; until: number }>();

  /** Milliseconds this address still has to wait; 0 if none. */
  function waitMs(address: string): number {
    return Math.max(0, (failures.get(address)?.until ?? 0) - now());
  }

  /** True when this failure made the address wait where it did not before: the moment to tell someone. */
  function failed(address: string): boolean {
    const count = (failures.get(address)?.count ?? 0) + 1;
    const over = count - options.free;
    const until = over > 0 ? now() + Math.min(options.maxMs, 1_000 * 2 ** Math.min(over - 1, 20)) : 0;
    failures.delete(address); // to the end: the map's order is the order of the last failure
    failures.set(address, { count, until });
    if (failures.size > options.addressesMax) failures.delete(failures.keys().next().value!);
    return over === 1;
  }

  return { waitMs, failed, succeeded: (address: string) => void failures.delete(address) };
}

export type BackOff = ReturnType<typeof createBackOff>;
