import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import { openDuckDbStore } from "../../store/duckdb/store.ts";
import type { ReadingStore, StoreError } from "../../store/reading-store.ts";
import { aReading, T0 } from "../helpers/readings.ts";
import { mountSmallDisk } from "../helpers/small-disk.ts";

const disk = mountSmallDisk(64);

/** DuckDB gives up on its instance when a checkpoint meets a full disk; its log has everything. */
describe.runIf(disk !== undefined)("DuckDB on a full disk", () => {
  let path: string;
  let runs = 0;
  beforeEach(() => {
    disk!.free();
    runs += 1;
    path = join(disk!.folder, `run-${runs}.duckdb`);
  });
  afterAll(() => disk!.remove());

  let next = 0;
  const batch = () =>
    Array.from({ length: 2_000 }, () => {
      next += 1;
      const values = { pm25: Math.random(), pm10: Math.random(), no2: Math.random(), o3: Math.random() };
      return aReading({ sensorId: `air-${next % 50}`, measuredAt: T0 + next, values, journalSeq: next });
    });

  /** Writes until the store says no; the error, and how many batches it had taken. */
  async function writeUntilFull(store: ReadingStore): Promise<{ error: StoreError; taken: number }> {
    for (let taken = 0; ; taken += 1) {
      try {
        await store.write(batch());
      } catch (error) {
        return { error: error as StoreError, taken };
      }
    }
  }

  const open = () => openDuckDbStore({ path, memoryLimit: "512MB", checkpointThreshold: "4MB", log: SILENT });

  it("answers and goes on after a checkpoint that found no room, without a new process", async () => {
    const store = await open();
    await store.write(batch());
    disk!.fill(5_000_000);
    const { error, taken } = await writeUntilFull(store);
    expect(error.message).toMatch(/checkpoint/);
    expect(error.kind).toBe("unavailable");
    // All that was acknowledged; the batch that met the failure is there as a whole or not at all.
    const kept = await store.count();
    expect([taken + 1, taken + 2]).toContain(kept / 2_000);
    expect(await store.find("air", [aReading({ sensorId: "air-1", measuredAt: T0 + 1 })])).toMatchObject([
      { journalSeq: 1 },
    ]);
    await expect(store.write(batch())).rejects.toMatchObject({ kind: "unavailable" });

    disk!.free();
    await store.write(batch());
    expect(await store.count()).toBe(kept + 2_000);
    await store.close();
    const again = await open();
    expect(await again.count()).toBe(kept + 2_000);
    await again.close();
  });

  it("reads that run meanwhile end in an answer or in an error to try again", async () => {
    const store = await open();
    for (let n = 0; n < 3; n += 1) await store.write(batch());
    disk!.fill(5_000_000);
    const stream = store.stream({ kind: "air", from: T0, to: T0 + 1e9 })[Symbol.asyncIterator]();
    const first = await stream.next();
    const reads = Array.from({ length: 20 }, () => store.count().catch((error: StoreError) => error.kind));
    await writeUntilFull(store);
    for (const answer of await Promise.all(reads))
      expect(answer === "unavailable" || Number(answer) >= 6_000).toBe(true);
    // What a reader has in its hands is its own, whatever became of the instance.
    expect(await store.count()).toBeGreaterThan(6_000);
    let rows = first.value!.length;
    for (let step = await stream.next(); !step.done; step = await stream.next()) rows += step.value.length;
    expect(rows).toBeGreaterThanOrEqual(6_000);
    disk!.free();
    await store.close();
  });
});
