import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { Outcome } from "../../../alerts/conditions/condition.ts";
import { type FlatlineParams, flatline } from "../../../alerts/conditions/flatline.ts";

/** Recordings lie beside the repository; without them there is nothing to look at. */
const DATA = join(import.meta.dirname, "../../../../shared/data");
const here = existsSync(DATA);
if (!here) process.stderr.write(`skipped: stuck values in real recordings (no ${DATA})\n`);

const HOUR = 3_600_000;
const params: FlatlineParams = { afterMs: 24 * HOUR, samples: 6, tolerance: 0, needsGood: false, zeroByNight: false };

type Fault = {
  dataset: string;
  file: string;
  column: string;
  type: string;
  start: string;
  n: number;
  likely_detection_floor?: boolean;
};
type Series = { file: string; column: string; rows: [at: number, value: number][] };

function firings(rows: Series["rows"], change: Partial<FlatlineParams> = {}, everyMs = HOUR): Outcome[] {
  let state = flatline.quiet;
  let lastAt: number | undefined;
  const found: Outcome[] = [];
  for (const [at, value] of rows) {
    const sample = { at, value, good: true, lastAt, cadence: { declaredMs: everyMs, gaps: [] } };
    const [next, outcomes] = flatline.step({ ...params, ...change }, state, sample);
    state = next;
    lastAt = at;
    for (const one of outcomes) if (one.what === "firing") found.push(one);
  }
  return found;
}

const lines = (path: string) => readFileSync(join(DATA, path), "utf8").trim().split("\n");

function* beijing(): Generator<Series> {
  for (const station of ["Dingling", "Guanyuan", "Wanshouxigong"]) {
    const file = `PRSA_Data_${station}_20130301-20170228.csv.gz`;
    const text = gunzipSync(readFileSync(join(DATA, "beijing-multisite", file))).toString("utf8");
    const [head, ...rows] = text
      .trim()
      .split("\n")
      .map((row) => row.split(","));
    const names = head!.map((name) => name.replaceAll('"', "").trim());
    for (const column of ["PM2.5", "PM10", "SO2", "NO2", "CO", "O3"]) {
      const place = names.indexOf(column);
      const present = rows.filter((cells) => cells[place] !== "NA");
      const timed = present.map((cells): [number, number] => {
        const [, year, month, day, hour] = cells.map(Number);
        return [Date.UTC(year!, month! - 1, day!, hour), Number(cells[place])];
      });
      yield { file, column, rows: timed };
    }
  }
}

function* transformer(): Generator<Series> {
  const [head, ...rows] = lines("ett-transformer/ETTh1.csv").map((row) => row.split(","));
  for (let i = 1; i < head!.length; i++) {
    const timed = rows.map((cells): [number, number] => [
      Date.parse(`${cells[0]!.replace(" ", "T")}Z`),
      Number(cells[i]),
    ]);
    yield { file: "ETTh1.csv", column: head![i]!.trim(), rows: timed };
  }
}

describe.runIf(here)("stuck values in real recordings", () => {
  const known = here ? (JSON.parse(readFileSync(join(DATA, "known_faults.json"), "utf8")) as Fault[]) : [];
  const days = known.filter(({ type, n }) => type === "flatline" && n >= 24);

  it("finds nine of ten that last a day, leaves detection floors alone, and finds little else", () => {
    const count = { faults: 0, found: 0, floors: 0, floorsFound: 0, others: 0, sensorWeeks: 0 };
    for (const { file, column, rows } of [...beijing(), ...transformer()]) {
      const fired = firings(rows);
      const mine = days.filter((one) => one.file === file && one.column === column);
      const isOf = (one: Fault, { startedAt }: Outcome) => Math.abs(startedAt - Date.parse(`${one.start}Z`)) < 2 * HOUR;
      for (const one of mine) {
        const hit = fired.some((outcome) => isOf(one, outcome)) ? 1 : 0;
        if (one.likely_detection_floor) count.floors += 1;
        else count.faults += 1;
        count[one.likely_detection_floor ? "floorsFound" : "found"] += hit;
      }
      count.others += fired.filter((outcome) => !mine.some((one) => isOf(one, outcome))).length;
      count.sensorWeeks += (rows.at(-1)![0] - rows[0]![0]) / (7 * 24 * HOUR);
    }
    const text = JSON.stringify(count);
    expect(count.faults, text).toBeGreaterThan(100);
    expect(count.floors, text).toBeGreaterThan(50);
    expect(count.found / count.faults, text).toBeGreaterThanOrEqual(0.9);
    expect(count.floorsFound / count.floors, text).toBeLessThanOrEqual(0.05);
    expect(count.others / count.sensorWeeks, text).toBeLessThan(0.01);
  });

  it("finds the speeds that stood still for an hour (METR-LA), and no other", () => {
    const [head, ...rows] = lines("metr-la-week/los_speed.csv").map((row) => row.split(","));
    const starts = head!.flatMap((sensor, i) => {
      const timed = rows.map((cells, row): [number, number] => [row * 300_000, Number(cells[i])]);
      const found = firings(timed, { afterMs: 65 * 60_000 }, 300_000);
      return found.map(({ startedAt }) => `${sensor.trim()} row ${startedAt / 300_000}`);
    });
    const labelled = known.filter(({ dataset, type }) => dataset === "metr-la-week" && type.startsWith("flatline"));
    expect(labelled.length).toBeGreaterThan(20);
    expect(new Set(starts)).toEqual(new Set(labelled.map(({ column, start }) => `${column} ${start}`)));
  });
});
