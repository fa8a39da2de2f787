import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { hopeless, judge, type Verdict } from "./oracle.ts";
import type { Habits } from "./service.ts";
import type { Traffic } from "./traffic.ts";
import { createWorld, START, type World } from "./world.ts";

export type Scenario = {
  readonly name: string;
  /** What goes wrong, and what must hold beyond the general rule; one line. */
  readonly about: string;
  readonly traffic?: Partial<Traffic>;
  readonly habits?: Partial<Habits>;
  readonly flaky?: number;
  /** Left out, the seed decides. */
  readonly upsert?: boolean;
  /** The real DuckDB. Slower by far: give `seedsMax`. */
  readonly duckDb?: boolean;
  readonly seedsMax?: number;
  /** Puts the faults on the schedule. */
  play?(world: World): void;
  /** What must have happened in at least one of the seeds, or the scenario shows nothing. */
  readonly mustHappen?: readonly string[];
  /** More to look at when all is over. */
  check?(world: World): string[];
  /** False: alerts are not compared. */
  readonly alerts?: boolean;
  /** Parts that may still be unwell at the end. */
  readonly unwell?: readonly string[];
};

export type Row = Verdict & {
  readonly seed: number;
  readonly scenario: string;
  readonly published: number;
  readonly happened: Readonly<Record<string, number>>;
  readonly virtualMs: number;
  readonly ok: boolean;
};

const PATIENCE_MS = 2 * 3_600_000;

/** Lives through one scenario with one seed. `scratch` gets a folder that is removed again. */
export async function runScenario(
  scenario: Scenario,
  seed: number,
  { scratch, template }: { scratch: string; template: string },
): Promise<Row> {
  const dir = join(scratch, `${scenario.name}-${seed}`);
  mkdirSync(dir);
  const { name, traffic, habits, flaky, upsert, duckDb } = scenario;
  const world = createWorld({ seed, scenario: name, dir, template, traffic, habits, flaky, upsert, duckDb });
  try {
    return await live(world, scenario, seed);
  } finally {
    await world.duckDb?.close();
    world.records.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function live(world: World, scenario: Scenario, seed: number): Promise<Row> {
  const { clock, problems } = world;
  scenario.play?.(world);
  void world.start();
  world.join();
  const drained = await clock.runUntil(world.isDone, START + PATIENCE_MS);
  const virtualMs = clock.now() - START;
  if (drained) problems.push(...unwell(world, scenario));
  else problems.push("not drained: something is stuck");
  await comeBack(world);
  await readDuckDb(world);
  const service = world.service();
  if (!service) problems.push("not running at the end");
  else await world.audit.readTo(world.disk.raw(), service.next());
  const verdict = service ? judge(world, service.records, scenario.alerts ?? true) : hopeless(world);
  const all = [...verdict.problems, ...(scenario.check?.(world) ?? [])];
  const { lost, doubled, balanced } = verdict;
  const ok = lost === 0 && doubled === 0 && balanced && all.length === 0;
  const happened = Object.fromEntries(world.counts);
  return {
    seed,
    scenario: scenario.name,
    published: world.sends(),
    ...verdict,
    problems: all,
    happened,
    virtualMs,
    ok,
  };
}

/** Stops in order, starts once more and looks whether anything is done a second time. */
async function comeBack(world: World): Promise<void> {
  const { clock, problems, missing } = world;
  if (!world.isRunning()) return;
  await world.audit.readTo(world.disk.raw(), world.service()!.next());
  const named = missing.length;
  world.disarm();
  const lives = world.lives();
  void world.restart();
  const isBack = () => world.lives() > lives && world.isRunning() && world.service()?.isSettled() === true;
  await clock.runUntil(isBack, clock.now() + 60_000);
  if (!isBack()) problems.push("did not come back after the last stop");
  const isNew = missing.slice(named).some(({ gap, storeOffset }) => gap.to > storeOffset);
  if (isNew) problems.push("a stop in order left numbers missing");
}

/** Blocks are checked when they are read: who comes across a damaged one sees an error, and the next start mends it. */
async function readDuckDb(world: World): Promise<void> {
  const { duckDb, store, problems, happened } = world;
  if (!duckDb || !world.isRunning()) return;
  try {
    await duckDb.load(store.rows);
  } catch {
    happened("unreadable block");
    await comeBack(world);
    await duckDb.load(store.rows).catch((error: Error) => problems.push(`the store cannot be read: ${error.message}`));
  }
}

function unwell(world: World, { unwell = [] }: Scenario): string[] {
  const parts = world.service()!.health();
  return parts
    .filter(({ part, state }) => state !== "ok" && !unwell.includes(part))
    .map(({ part, state, reason }) => `${part} is ${state} at the end: ${reason}`);
}
