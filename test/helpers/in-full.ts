const IS_QUICK = process.env.TESTS_MODE === "quick";

/**
 * How often a test with random numbers tries: so many times, but only a tenth of it in `npm test`. `npm run test:long` runs
 * every file that asks this.
 */
export const inFull = (times: number): number => (IS_QUICK ? Math.ceil(times / 10) : times);

/** The same for a list of which `npm test` takes every fifth, another fifth each turn. */
export const allOf = <T>(list: readonly T[], turn: number): readonly T[] =>
  IS_QUICK ? list.filter((_, i) => (i + turn) % 5 === 0) : list;
