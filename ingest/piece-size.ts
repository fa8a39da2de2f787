/** How many readings the first write after an outage tries, and by how much each one that works may be larger. */
const PROBE_READINGS = 100;
const RAMP = 4;
/** Writes at a limit learned from a refusal before twice as much is tried again: the refusal may have been a passing one. */
const CALM_WRITES = 64;

/**
 * How many readings the next write takes: all it may, but little after one that broke off (a store that comes back is
 * not met with everything that has waited), and never more than what was too large lately.
 */
export function createPieceSize(max: number) {
  let ceiling = max;
  let next = max;
  let calm = 0;

  return {
    next: () => next,
    worked(count: number): void {
      next = Math.min(ceiling, next * RAMP);
      if (ceiling === max || count < ceiling) return;
      calm += 1;
      if (calm < CALM_WRITES) return;
      calm = 0;
      ceiling = Math.min(max, ceiling * 2);
    },
    brokeOff(): void {
      next = Math.min(ceiling, PROBE_READINGS);
    },
    tooLarge(count: number): void {
      ceiling = Math.max(1, count >> 1);
      next = ceiling;
      calm = 0;
    },
  };
}
