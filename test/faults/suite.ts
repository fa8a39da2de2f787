import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTemplate } from "./records-file.ts";
import { type Row, runScenario, type Scenario } from "./run.ts";
import { CONTROL } from "./scenarios/deaths.ts";
import { REGISTERED } from "./traffic.ts";

/** SQLite syncs at every commit; where there is a file system in memory, that costs nothing. */
export const SCRATCH_HOME = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
const CONTROL_SEEDS = [1, 2, 3];

/**
 * The control first, then every scenario with every seed. `complaints` are what no single row can tell: a control that
 * did not lose, a fault that never happened in any seed.
 */
export async function runAll(
  options: { scenarios: readonly Scenario[]; seeds: readonly number[] },
  onRow: (row: Row) => void,
): Promise<{ rows: Row[]; complaints: string[] }> {
  const { scenarios, seeds } = options;
  const scratch = await mkdtemp(join(SCRATCH_HOME, "lamppost-faults-"));
  try {
    const template = createTemplate(scratch, REGISTERED);
    const run = (scenario: Scenario, seed: number) => runScenario(scenario, seed, { scratch, template });
    const complaints: string[] = [];
    let controlLost = 0;
    for (const seed of CONTROL_SEEDS) controlLost += (await run(CONTROL, seed)).lost;
    if (controlLost === 0)
      complaints.push("control: nothing was lost with the gate off: the harness cannot see a loss");
    const rows: Row[] = [];
    for (const scenario of scenarios) {
      const ofScenario: Row[] = [];
      for (const seed of seeds.slice(0, scenario.seedsMax)) {
        const row = await run(scenario, seed);
        ofScenario.push(row);
        onRow(row);
      }
      if (seeds.length > 1) complaints.push(...neverHappened(scenario, ofScenario));
      rows.push(...ofScenario);
    }
    return { rows, complaints };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function neverHappened({ name, mustHappen = [] }: Scenario, rows: readonly Row[]): string[] {
  return mustHappen
    .filter((what) => rows.every(({ happened }) => (happened[what] ?? 0) === 0))
    .map((what) => `${name}: "${what}" happened in none of ${rows.length} seeds, so the scenario shows nothing`);
}
