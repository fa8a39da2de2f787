/**
 * How often a test with random numbers tries: so many times, but only a fifth of it in `npm test`. `npm run test:long` runs
 * every file that asks this.
 */
export const inFull = (times: number): number => (process.env.TESTS_MODE === "quick" ? Math.ceil(times / 5) : times);
