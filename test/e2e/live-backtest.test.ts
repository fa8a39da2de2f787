import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, HOME, startCity } from "../helpers/city.ts";
import { settledRules } from "../helpers/senders.ts";
import { canonical, everyAlert, type SaidAlert } from "../helpers/timelines.ts";

/**
 * One engine, any time: what the running service said while recordings were played to it is, byte for byte, what a
 * backtest says afterwards from the store, and what one says from the files alone.
 */
const DATA = join(HOME, "../shared/data");
const present = existsSync(DATA);
if (!present)
  process.stderr.write("the recordings (../shared/data) are not here: live and backtest are not compared\n");

const RECORDINGS = [
  {
    mapping: "nab",
    sensor: "t4013",
    files: ["occupancy_t4013.csv", "speed_t4013.csv"].map((name) => `nab/realTraffic/${name}`),
  },
  {
    mapping: "beijing-multisite",
    sensor: "aotizhongxin",
    files: ["beijing-multisite/PRSA_Data_Aotizhongxin_20130301-20170228.csv.gz"],
  },
];
/** `RECORDINGS` in full are minutes of work. */
const SETS = [
  { name: "a short recording", recordings: RECORDINGS.slice(0, 1), alertsMin: 10, tags: [] },
  { name: "years of recordings", recordings: RECORDINGS, alertsMin: 500, tags: ["long"] },
];
for (const { name, recordings, alertsMin, tags } of SETS)
  describe.runIf(present)(`live and backtest of ${name}`, { tags }, () => {
    let city: City;
    let live: string[];
    let all: SaidAlert[];
    beforeAll(async () => {
      city = await startCity();
      for (const { mapping, files } of recordings) {
        const { code, stdout, stderr } = await city.cli("replay", ...paths(files), "--mapping", mapping, "--json");
        expect(code, stderr).toBe(0);
        expect(JSON.parse(stdout).balanced).toBe(true);
      }
      await settledRules(city);
      // That the rules were behind is an alert of the service itself.
      all = (await everyAlert(city)).filter(({ firedAt, kind }) => firedAt !== undefined && kind !== "service");
      live = canonical(all);
    }, 360_000);
    afterAll(() => city.remove());

    it("the store gives the same timelines, byte for byte", async () => {
      const span = ["--from", "2013-01-01", "--to", "2017-12-31", "--warm-up", "0", "--json"];
      const { code, stdout, stderr } = await city.cli("rules", "backtest", ...span);
      expect(code, stderr).toBe(0);
      const stored = canonical(JSON.parse(stdout).alerts);
      expect(stored.length).toBeGreaterThan(alertsMin);
      expect(stored).toEqual(live);
    });

    it.each(recordings)(
      "the files of $mapping alone give the same timelines",
      { timeout: 240_000 },
      async (recording) => {
        const { mapping, files, sensor } = recording;
        const args = ["--recording", ...paths(files), "--mapping", mapping, "--json"];
        const { code, stdout, stderr } = await city.cli("rules", "backtest", ...args);
        expect(code, stderr).toBe(0);
        const own = canonical(all.filter(({ subject }) => subject.sensorId?.includes(sensor)));
        expect(own.length).toBeGreaterThan(10);
        expect(canonical(JSON.parse(stdout).alerts)).toEqual(own);
      },
    );
  });

const paths = (files: readonly string[]) => files.map((name) => join(DATA, name));
