import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // It measures honest clients beside each attack, so nothing else may run beside it: `npm run hostile`.
    exclude: [...configDefaults.exclude, ...(process.env.HOSTILE_S ? [] : ["test/hostile/hostile.test.ts"])],
    // Real brokers, databases and child processes: generous limits, so that a slow machine does not turn a pass into a fail.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "forks",
    maxWorkers: 2,
  },
});
