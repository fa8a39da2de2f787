import { expect, it } from "vitest";
import { KINDS } from "../../model/kinds.ts";
import type { Reading } from "../../model/reading.ts";
import { createBlockReader } from "../../model/reading-block.ts";
import type { ReadingStore, ScanQuery } from "../../store/reading-store.ts";
import { aReading, T0 } from "../helpers/readings.ts";

const HOUR_MS = 3_600_000;

/** What a scan over kinds, as columns, must give on each store. */
export function scanContract(current: () => ReadingStore): void {
  async function scan(query: Partial<ScanQuery> = {}): Promise<Reading[]> {
    const range = { kinds: KINDS, from: T0 - 30 * 24 * HOUR_MS, to: T0 + 30 * 24 * HOUR_MS, ...query };
    const read = createBlockReader();
    const readings: Reading[] = [];
    for await (const block of current().scan(range)) readings.push(...read(block));
    return readings;
  }

  it("scans all kinds in the order of time, every field as it was written", async () => {
    const readings = [
      aReading({ measuredAt: T0 - HOUR_MS, values: { no2: -0.5, battery: 0 }, journalSeq: 9 }),
      aReading({ kind: "traffic", sensorId: "t-1", values: { flow: 400, speed: 1 / 3 }, journalSeq: 1 }),
      aReading({
        sensorId: "air-2",
        district: "south",
        values: { pm25: 700 },
        quality: { pm25: "suspect" },
        journalSeq: 2,
      }),
      aReading({ kind: "energy", sensorId: "e-1", values: { voltage: 231 }, imported: true, journalSeq: 3 }),
      aReading({ measuredAt: T0 + 2 * HOUR_MS, district: "moved", journalSeq: 4 }),
    ];
    await current().write([...readings].reverse());
    expect(await scan()).toEqual(readings);
  });

  it("scans a range, some kinds, one sensor, one district", async () => {
    const air = [T0 - 1, T0, T0 + HOUR_MS - 1, T0 + HOUR_MS].map((measuredAt) => aReading({ measuredAt }));
    const flow = aReading({
      kind: "traffic",
      sensorId: "t-1",
      district: "south",
      measuredAt: T0 + 5,
      values: { flow: 1 },
    });
    await current().write([...air, flow]);
    expect(await scan({ kinds: ["air"], from: T0, to: T0 + HOUR_MS })).toEqual(air.slice(1, 3));
    expect(await scan({ sensorId: "t-1" })).toEqual([flow]);
    expect(await scan({ district: "south" })).toEqual([flow]);
    expect(await scan({ kinds: ["energy"] })).toEqual([]);
    expect(await scan({ from: T0 + 6, to: T0 + 6 })).toEqual([]);
  });

  it("scans what fills many blocks, those of one moment in the order of the journal", async () => {
    const readings = Array.from({ length: 40_000 }, (_, n) =>
      aReading({
        ...(n % 3 === 0 ? { kind: "traffic" as const, values: { flow: n } } : { values: { pm25: n % 50 } }),
        sensorId: `s-${n % 100}`,
        measuredAt: T0 + Math.floor(n / 50) * 1_000,
        journalSeq: n + 1,
      }),
    );
    await current().write(readings);
    expect(await scan()).toEqual(readings);
  });

  it("lets the reader of a scan leave early", async () => {
    await current().write(Array.from({ length: 20_000 }, (_, n) => aReading({ measuredAt: T0 + n, journalSeq: n })));
    for (let round = 0; round < 8; round += 1) {
      for await (const { rows } of current().scan({ kinds: KINDS, from: T0, to: T0 + HOUR_MS })) {
        expect(rows).toBeGreaterThan(0);
        break;
      }
    }
    expect(await current().count()).toBe(20_000);
  });

  it("refuses to scan after the close", async () => {
    await current().write([aReading()]);
    await current().close();
    await expect(scan()).rejects.toMatchObject({ name: "StoreError", kind: "unavailable" });
  });
}
