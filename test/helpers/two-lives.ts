import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";
import { type City, startCity, until } from "./city.ts";

export const EARLY = 60;
export const LATE = 30;
export const kinds = [
  { kind: "air", metric: "pm25" },
  { kind: "traffic", metric: "flow" },
  { kind: "energy", metric: "activePower" },
] as const;

export async function post(city: City, from: number, count: number, at: number): Promise<void> {
  const readings = Array.from({ length: count }, (_, i) => {
    const { kind, metric } = kinds[i % 3]!;
    const measuredAt = new Date(at + (from + i) * 1_000).toISOString();
    return { sensorId: `${kind}-1`, kind, district: "centre", measuredAt, [metric]: from + i };
  });
  await city.api("/readings", readings);
  await settled(city, from + count);
}

export const settled = (city: City, received: number) =>
  until(
    () => city.api("/ledger"),
    (books) => books.inJournal === 0 && books.received === received,
  );

export async function started(dir: string, env: Record<string, string> = {}): Promise<City> {
  const city = await startCity({ env }, dir);
  onTestFinished(() => city.remove());
  return city;
}

export function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 0x40;
  writeFileSync(path, bytes);
}

export const names = (dir: string) => readdirSync(dir).sort();
export const aside = (dir: string) => names(dir).filter((name) => name.startsWith("readings.duckdb.damaged-"));
export const segments = (dir: string) => names(join(dir, "journal")).filter((name) => name.endsWith(".journal"));

/** The journal of the first life is past its time. */
export function forgetEarly(dir: string): void {
  rmSync(join(dir, "journal", segments(dir)[0]!));
}

export async function parts(city: City, part: string) {
  const response = await city.call("/readyz");
  const { ready, parts } = (await response.json()) as {
    ready: boolean;
    parts: { part: string; state: string; reason: string }[];
  };
  expect(ready).toBe(true);
  return parts.filter((one) => one.part === part && one.state !== "ok");
}

export async function served(city: City): Promise<number[]> {
  const all = await Promise.all(
    kinds.map(async ({ kind, metric }) => {
      const { items } = await city.api(
        `/sensors/${kind}-1/readings?limit=1000&from=${new Date(Date.now() - 7_200_000).toISOString()}`,
      );
      return items.map(({ values }: { values: Record<string, number> }) => values[metric]!);
    }),
  );
  return all.flat().sort((a, b) => a - b);
}

export const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
export const rebuilt = (city: City) =>
  until(
    () => city.api("/audit?limit=100"),
    ({ items }) => items.some(({ what }: { what: string }) => what === "store.rebuilt"),
  );

/**
 * A data folder with two lives in it: 60 readings and a clean stop, then 30 more and a kill, so that DuckDB has some in
 * its file and some in its log. Made once for the test file that asks for it.
 */
export function twoLives() {
  let origin: string;

  beforeAll(async () => {
    const at = Date.now() - 3_600_000;
    let city = await startCity();
    origin = city.dataDir;
    for (const { kind } of kinds) await city.api("/devices", { sensorId: `${kind}-1`, kind, district: "centre" });
    await post(city, 0, EARLY, at);
    await city.stop();
    city = await city.restart();
    await post(city, EARLY, LATE, at);
    // The mark of records.db is written every 5 seconds.
    const mark = join(origin, "records.mark");
    const before = readFileSync(mark, "utf8");
    await until(
      async () => readFileSync(mark, "utf8"),
      (text) => text !== before,
    );
    await city.kill();
  });
  afterAll(() => rmSync(origin, { recursive: true, force: true }));

  /** A copy of the folder, damaged. */
  function damaged(damage: (dir: string) => void): string {
    const dir = mkdtempSync(join(tmpdir(), "lamppost-recovery-"));
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
    cpSync(origin, dir, { recursive: true });
    damage(dir);
    return dir;
  }

  return { damaged, origin: () => origin };
}
