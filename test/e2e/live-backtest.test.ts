import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, HOME, startCity } from "../helpers/city.ts";
import { settledRules } from "../helpers/senders.ts";

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
/** Said by the engine; the rest of a timeline is what people and the noise control did. */
const SAID = ["pending", "firing", "verdict", "late-confirmed", "corrected", "resolved", "retracted"];
const DONE_TO_IT = ["handling", "assignee", "suppressedBy", "review", "mode"];

type Entry = { readonly at: string; readonly what: string; readonly note?: string };
type Alert = {
  readonly id: string;
  readonly kind: string;
  readonly firedAt?: string;
  readonly subject: { readonly sensorId?: string };
  readonly timeline: readonly Entry[];
};

for (const { name, recordings, alertsMin, tags } of SETS)
  describe.runIf(present)(`live and backtest of ${name}`, { tags }, () => {
    let city: City;
    let live: string[];
    let all: Alert[];
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

async function everyAlert(city: City): Promise<Alert[]> {
  const items: Alert[] = [];
  let cursor: string | undefined;
  do {
    const page = await city.api(`/alerts?limit=1000${cursor === undefined ? "" : `&cursor=${cursor}`}`);
    items.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined);
  return items;
}

/** Alerts as text, without when the service knew and what was done to them, in the order of their ids. */
function canonical(alerts: readonly Alert[]): string[] {
  return alerts
    .map(({ timeline, ...alert }) => {
      const rest = Object.fromEntries(Object.entries(alert).filter(([key]) => !DONE_TO_IT.includes(key)));
      const said = timeline.filter(({ what }) => SAID.includes(what)).map(({ at, what, note }) => ({ at, what, note }));
      said.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : SAID.indexOf(a.what) - SAID.indexOf(b.what)));
      return sortedJson({ ...rest, timeline: said });
    })
    .sort();
}

function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, one) =>
    typeof one === "object" && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}
