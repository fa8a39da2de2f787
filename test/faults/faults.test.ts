import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createTemplate } from "./records-file.ts";
import { type Row, runScenario, type Scenario } from "./run.ts";
import { SCENARIOS } from "./scenarios/all.ts";
import { CONTROL } from "./scenarios/deaths.ts";
import { runAll, SCRATCH_HOME } from "./suite.ts";
import { formatRow, replayOf } from "./table.ts";
import { REGISTERED } from "./traffic.ts";

/** A few of the scenarios of `npm run faults`, and whether its oracle can see anything at all. */
const scenario = (name: string): Scenario => SCENARIOS.find((one) => one.name === name)!;

async function run(one: Scenario, seed: number): Promise<Row> {
  const scratch = mkdtempSync(join(SCRATCH_HOME, "lamppost-faults-"));
  try {
    return await runScenario(one, seed, { scratch, template: createTemplate(scratch, REGISTERED) });
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

describe("the fault harness", () => {
  it("has at least 25 scenarios, each with a name of its own", () => {
    const names = SCENARIOS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(25);
  });

  it("loses and doubles nothing in a few of the scenarios", async () => {
    const names = ["everything", "kill-after-write", "power-cut-slow-sync", "store-503", "disk-full"];
    const { rows } = await runAll({ scenarios: names.map(scenario), seeds: [1, 2] }, () => {});
    expect(rows.filter(({ ok }) => !ok).map((row) => [formatRow(row), ...row.problems, replayOf(row)])).toEqual([]);
    expect(rows.every(({ acknowledged, stored }) => acknowledged > 50 && stored > 30)).toBe(true);
    expect(rows).toHaveLength(2 * names.length);
  });

  it("sees a loss: acknowledging before the journal has the message", async () => {
    const rows = [await run(CONTROL, 1), await run(CONTROL, 2), await run(CONTROL, 3)];
    expect(rows.reduce((sum, { lost }) => sum + lost, 0)).toBeGreaterThan(0);
    expect(rows.some(({ ok }) => !ok)).toBe(true);
  });

  it("sees a doubled reading: a store that keeps the good lines of a batch it refuses, and appends", async () => {
    const rows = await Promise.all(
      [1, 2, 3].map((seed) => run({ ...scenario("store-400-partial"), upsert: false }, seed)),
    );
    expect(rows.reduce((sum, { doubled }) => sum + doubled, 0)).toBeGreaterThan(0);
  });

  it("sees books that do not balance: a reading that vanishes from the store", async () => {
    const row = await run(
      {
        name: "vanishing",
        about: "",
        play: (world) => world.at(30_000, () => world.store.rows.delete([...world.store.rows.keys()][0]!)),
      },
      1,
    );
    expect(row).toMatchObject({ balanced: false, lost: 1, ok: false });
  });

  it("sees a fault that never happens", async () => {
    const idle: Scenario = { name: "idle", about: "", traffic: { forMs: 5_000 }, mustHappen: ["flood"] };
    const { complaints } = await runAll({ scenarios: [idle], seeds: [1, 2] }, () => {});
    expect(complaints).toEqual([expect.stringContaining('"flood" happened in none of 2 seeds')]);
  });

  it("lives through the same again with the same seed, and through something else with another", async () => {
    const [once, again, other] = [
      await run(scenario("everything"), 7),
      await run(scenario("everything"), 7),
      await run(scenario("everything"), 8),
    ];
    expect(again).toEqual(once);
    expect(other).not.toEqual({ ...once, seed: 8 });
  });
});
