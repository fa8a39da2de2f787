import { globSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { configDefaults, defineConfig } from "vitest/config";

/** They assert how long something takes: nothing may run beside them. */
const MEASURING = ["test/dashboard/speed.test.ts", "test/e2e/backtest-load.test.ts", "test/e2e/flood.test.ts"];

/** More than there are cores: a test of a whole service waits half of its time, for disks, servers and browsers. */
const SIDE_BY_SIDE = Math.min(6, 2 * availableParallelism());

/** Files in which a test is tagged long (the stores' contract has one) or tries more often, and those that are long as a whole. */
const tests = globSync("test/**/*.test.ts").map((file) => ({ file, text: readFileSync(file, "utf8") }));
const withLong = tests
  .filter(({ text }) => /\["long"\]|@module-tag long|readingStoreContract\(|inFull\(|allOf\(/.test(text))
  .map(({ file }) => file);
const allLong = tests.filter(({ text }) => text.includes("@module-tag long")).map(({ file }) => file);

/**
 * `npm test` (`--mode quick`) leaves out what is tagged long. `npm run test:long` runs the files that have some, in full:
 * the long tests of a file build on its others. Without a mode (`npm run test:all`, `npx vitest run test/e2e/kill.test.ts`) nothing is left out.
 */
export default defineConfig(({ mode }) => {
  const files = mode === "long" ? withLong : ["test/**/*.test.ts"];
  const excluded = [
    ...configDefaults.exclude,
    ...(mode === "quick" ? allLong : []),
    // Honest clients beside each attack, for so many seconds: `npm run hostile`.
    ...(process.env.HOSTILE_S ? [] : ["test/hostile/hostile.test.ts"]),
  ];
  // Said to each project: in what they take from here (`extends`) the mode is another.
  // What the command line prints is in the language of the terminal.
  const env = { TESTS_MODE: mode, LC_ALL: "C" };
  return {
    test: {
      tags: [{ name: "long", description: "takes minutes, or does many times what another test does once" }],
      // Real brokers, databases and child processes: generous limits, so that a slow machine does not turn a pass into a fail.
      testTimeout: 300_000,
      hookTimeout: 300_000,
      expect: { poll: { timeout: 30_000 } },
      pool: "forks",
      // Files follow each other in a few processes, which load the sources once.
      isolate: false,
      projects: [
        {
          extends: true,
          test: {
            name: "side by side",
            env,
            include: files,
            exclude: [...excluded, ...MEASURING],
            maxWorkers: SIDE_BY_SIDE,
          },
        },
        {
          extends: true,
          test: {
            name: "alone",
            env,
            include: MEASURING,
            exclude: excluded,
            maxWorkers: 1,
            sequence: { groupOrder: 1 },
          },
        },
      ],
    },
  };
});
