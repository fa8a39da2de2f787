import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as score from "../../cli/score.ts";
import { runCli } from "./run-cli.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lamppost-score-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** A loop that polls every 5 minutes, is over 35 % for an hour, and is away from day 2 to day 4. */
function aLoop(name: string): string {
  const start = Date.UTC(2015, 8, 1, 5);
  const rows = Array.from({ length: 5 * 288 }, (_, i) => {
    const time = new Date(start + i * 300_000 - 5 * 3_600_000).toISOString().slice(0, 19).replace("T", " ");
    return i > 288 && i < 3 * 288 ? [] : [`${time},${i >= 100 && i < 112 ? 50 : 3 + (i % 7)}`];
  });
  const path = join(dir, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, ["timestamp,value", ...rows.flat()].join("\n"));
  return path;
}

type Score = {
  events: { found: number; of: number };
  outages: { found: number; of: number };
  rules: { rule: string }[];
};

async function json(...args: string[]): Promise<Score> {
  const { out, code, errors } = await runCli(score, "score", ...args, "--json");
  expect(errors).toBe("");
  expect(code).toBe(0);
  return JSON.parse(out).total as Score & Record<string, never>;
}

describe("lamppost score", () => {
  it("scores recordings of one's own, with labels", async () => {
    const file = aLoop("occupancy_6005.csv");
    const labels = join(dir, "labels.json");
    const window = ["2015-09-01 08:00:00.000000", "2015-09-01 10:00:00.000000"];
    const quiet = ["2015-09-01 15:00:00.000000", "2015-09-01 16:00:00.000000"];
    writeFileSync(labels, JSON.stringify({ "realTraffic/occupancy_6005.csv": [window, quiet] }));
    const total = await json(file, "--mapping", "nab", "--labels", labels);
    expect(total).toMatchObject({ events: { found: 1, of: 2 }, outages: { found: 1, of: 1 } });
  });

  it("takes every folder that has the name of a mapping, with the labels in it", async () => {
    aLoop("nab/realTraffic/occupancy_6005.csv");
    writeFileSync(join(dir, "nab/LICENSE.txt"), "not a recording");
    const windows = { "realTraffic/occupancy_6005.csv": [["2015-09-01 08:00:00", "2015-09-01 10:00:00"]] };
    mkdirSync(join(dir, "nab/labels"));
    writeFileSync(join(dir, "nab/labels/combined_windows.json"), JSON.stringify(windows));
    expect(await json("--data", dir)).toMatchObject({ events: { found: 1, of: 1 } });
    const { out } = await runCli(score, "score", "nab", "--data", dir, "--misses");
    expect(out).toMatch(/^nab +traffic-congestion +1 +1 /m);
    expect(out).toMatch(/^nab +sensor-silent-day +1 +0 +1 /m);
  });

  it.each([
    ["a folder that is not there", ["--data", "/nowhere"], /no recordings in \/nowhere/],
    ["an unknown data set", ["mars", "--data", tmpdir()], /no data set "mars"; known: .*nab/],
    ["a data set that is not in the folder", ["nab", "--data", tmpdir()], /has no recordings in a folder nab/],
    ["labels without recordings", ["--labels", "x.json"], /--labels needs --mapping/],
    ["a mapping without recordings", ["--mapping", "nab"], /needs the recordings/],
    ["a file that is not there", ["x.csv", "--mapping", "nab"], /no file x\.csv/],
  ])("says what is wrong with %s", async (_, args, message) => {
    const { code, errors } = await runCli(score, "score", ...args);
    expect(errors).toMatch(message);
    expect(code).toBe(2);
  });
});
