import { existsSync, globSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { METRICS } from "../../model/metrics.ts";
import { loadMapping } from "../../simulators/mapping.ts";
import { newCounts, readRecording } from "../../simulators/recording.ts";

/** The recordings are not part of the repository: where they lie beside it, every row of every file is read. */
const DATA = resolve(import.meta.dirname, "../../../shared/data");
if (!existsSync(DATA)) process.stderr.write("no recordings in ../shared/data: the tests on real files do not run\n");

/** Mapping, files, rows of a file and readings of a row (from each SOURCE.md), and whether every row has values. */
const EXPECTED: readonly [mapping: string, files: string, rows: number, readingsPerRow: number][] = [
  ["beijing-multisite", "beijing-multisite/*.csv.gz", 35_064, 1],
  ["uci-air-quality", "uci-air-quality/AirQuality.csv", 9_357, 1],
  ["ett-transformer", "ett-transformer/ETT*.csv", 17_420, 4],
  ["metr-la-week", "metr-la-week/los_speed.csv", 2_016, 207],
  ["nab", "nab/artificial/*.csv", 4_032, 1],
  ["nab", "nab/realTraffic/occupancy_t4013.csv", 2_500, 1],
  ["nab", "nab/realTraffic/speed_t4013.csv", 2_495, 1],
  ["nab", "nab/realTraffic/TravelTime_451.csv", 2_162, 1],
  ["nab", "nab/realKnownCause/machine_temperature*.csv", 22_695, 1],
  ["pems-lane-flow", "pems-lane-flow/train.csv", 7_776, 1],
  ["suthaharan-wsn", "suthaharan-wsn/data.csv", 9_380, 1],
  ["tetouan-zones", "tetouan-zones/*.csv", 52_416, 4],
  ["uci-household", "uci-household-sample/*.txt", 2_000, 1],
];

describe.runIf(existsSync(DATA))("real recordings", () => {
  for (const [name, pattern, rows, per] of EXPECTED)
    it(`${name}: every row of ${pattern} has a time, and values the hardware could send`, {
      tags: rows * per > 50_000 || name === "beijing-multisite" ? ["long"] : [],
    }, async () => {
      const files = globSync(join(DATA, pattern));
      expect(files.length).toBeGreaterThan(0);
      for (const path of files) {
        const counts = newCounts();
        let readings = 0;
        const odd: string[] = [];
        for await (const items of readRecording(loadMapping(name), path, counts)) {
          for (const { at, values, sensorId } of items) {
            readings += 1;
            if (at === undefined) odd.push(`${sensorId} without a time`);
            for (const [metric, value] of Object.entries(values)) {
              const [low, high] = METRICS[metric as keyof typeof METRICS].fail;
              const ok = value === null || (typeof value === "number" && value >= low && value <= high);
              if (!ok) odd.push(`${sensorId} ${at} ${metric} ${value}`);
            }
          }
        }
        expect({ file: basename(path), rows: counts.rows, readings, odd, absent: [...counts.absent] }).toEqual({
          file: basename(path),
          rows,
          readings: rows * per,
          odd: [],
          absent: [],
        });
      }
    });
});
