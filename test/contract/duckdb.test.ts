import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, it } from "vitest";
import { KINDS } from "../../model/kinds.ts";
import { SILENT } from "../../model/log.ts";
import { METRICS_OF } from "../../model/metrics.ts";
import { openDuckDbStore } from "../../store/duckdb/store.ts";
import { aReading, collect, T0 } from "../helpers/readings.ts";
import { readingStoreContract } from "./reading-store.ts";

async function duckDbPlace() {
  const folder = await mkdtemp(join(tmpdir(), "lamppost-duckdb-"));
  const path = join(folder, "readings.duckdb");
  const open = () => openDuckDbStore({ path, memoryLimit: "512MB", log: SILENT });
  return { path, open, remove: () => rm(folder, { recursive: true, force: true }) };
}

readingStoreContract("DuckDB", duckDbPlace);

describe("the DuckDB home", () => {
  it("doubles the rows of a second write, as its port says", async () => {
    const place = await duckDbPlace();
    const store = await place.open();
    await store.write([aReading()]);
    await store.write([aReading({ journalSeq: 2 })]);
    expect(await store.count()).toBe(2);
    expect(await store.find("air", [aReading()])).toEqual([aReading()]);
    await store.close();
    await place.remove();
  });

  it("writes nothing of a batch with one impossible reading", async () => {
    const place = await duckDbPlace();
    const store = await place.open();
    const bad = aReading({ kind: "traffic", values: { flow: "x" as unknown as number } });
    await expect(store.write([aReading(), aReading({ kind: "traffic", values: {} }), bad])).rejects.toThrow();
    expect(await store.count()).toBe(0);
    expect(await store.latest()).toEqual([]);
    await store.write([aReading()]);
    expect(await store.count()).toBe(1);
    await store.close();
    await place.remove();
  });

  it("adds a column for a metric that an older file does not know", async () => {
    const place = await duckDbPlace();
    await (await place.open()).close();
    const instance = await DuckDBInstance.create(place.path);
    const connection = await instance.connect();
    await connection.run(`ALTER TABLE air DROP COLUMN pm10`);
    connection.closeSync();
    instance.closeSync();
    const store = await place.open();
    const reading = aReading({ values: Object.fromEntries(METRICS_OF.air.map((metric, n) => [metric, n])) });
    await store.write([reading]);
    expect(await collect(store)).toEqual([reading]);
    await store.close();
    await place.remove();
  });

  it("says which file cannot be opened, and why", async () => {
    const place = await duckDbPlace();
    await writeFile(place.path, "this is not a database, but a text that is long enough to be looked at".repeat(99));
    await expect(place.open()).rejects.toThrow(/cannot open the reading store .*readings\.duckdb: .+/);
    await place.remove();
  });

  it("keeps acknowledged batches whole when the process is killed", async () => {
    const place = await duckDbPlace();
    for (let round = 0; round < 3; round += 1) {
      const acknowledged = await writeUntilKilled(place.path, round * 1_000_000, 12 + round * 7);
      const store = await place.open();
      for (const kind of KINDS) {
        const from = T0 + round * 1_000_000;
        const perBatch = Map.groupBy(await collect(store, { kind, from, to: from + 1_000_000 }), (r) => r.journalSeq);
        expect([...perBatch.values()].every((readings) => readings.length === 100)).toBe(true);
        // All that was acknowledged, and at most the one batch that was under way.
        expect(perBatch.size).toBeGreaterThanOrEqual(acknowledged);
        expect(perBatch.size).toBeLessThanOrEqual(acknowledged + 1);
      }
      expect((await store.count()) % 300).toBe(0);
      await store.close();
    }
    await place.remove();
  });
});

/** Runs a child that writes batches of 100 readings of each kind, kills it after `kill` answers, returns the answers. */
async function writeUntilKilled(path: string, offset: number, kill: number): Promise<number> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "duckdb-writer.ts"), path, String(T0 + offset)]);
  let acknowledged = 0;
  let complaint = "";
  child.stderr.on("data", (bytes: Buffer) => (complaint += bytes));
  createInterface({ input: child.stdout }).on("line", () => {
    acknowledged += 1;
    if (acknowledged === kill) child.kill("SIGKILL");
  });
  await once(child, "close");
  expect(acknowledged, complaint).toBeGreaterThanOrEqual(kill);
  return acknowledged;
}
