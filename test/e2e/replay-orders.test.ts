import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, HOME, startCity } from "../helpers/city.ts";
import { seededRandom, settledRules } from "../helpers/senders.ts";
import { canonical, everyAlert, type SaidAlert } from "../helpers/timelines.ts";

/**
 * A recording comes to the same alerts, timeline by timeline, however it is played: at full speed, paced, from a file in
 * any order, and in a backtest of the store or of the files.
 */
const HOUR_MS = 3_600_000;

type Line = { readonly sensorId: string; readonly measuredAt: string } & Readonly<Record<string, unknown>>;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "lamppost-orders-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

describe("several sensors over weeks", () => {
  const RUNS = ["max", "shuffled", "blocks", "backwards", "paced"] as const;
  const random = seededRandom("replay orders");
  const lines = feed(random, 6, 24 * 24);
  const files = {
    max: lines,
    shuffled: shuffle(lines, random),
    blocks: lines.toSorted((a, b) => (a.sensorId < b.sensorId ? 1 : a.sensorId > b.sensorId ? -1 : 0)),
    backwards: lines.toReversed(),
    paced: lines,
  };
  let city: City;
  const said = new Map<string, string[]>();

  beforeAll(async () => {
    city = await startCity();
    for (const run of RUNS) {
      // About four seconds.
      const speed = run === "paced" ? ["--speed", "500000"] : [];
      const { code, stdout, stderr } = await city.cli("replay", fileOf(run), "--mapping", "native", ...speed, "--json");
      expect(code, stderr).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({
        balanced: true,
        tooLateForRules: 0,
        alertsTold: 0,
        stored: lines.length,
      });
    }
    await settledRules(city);
    const all = await everyAlert(city);
    for (const run of RUNS) said.set(run, told(all, run));
  });
  afterAll(() => city?.remove());

  function fileOf(run: keyof typeof files): string {
    const path = join(dir, `${run}.ndjson`);
    const text = files[run].map((line) =>
      JSON.stringify({ ...line, district: run, sensorId: `${run}-${line.sensorId}` }),
    );
    writeFileSync(path, `${text.join("\n")}\n`);
    return path;
  }

  /** Without the names, which are those of the run. */
  const told = (alerts: readonly SaidAlert[], run: string) =>
    canonical(alerts.filter((alert) => alert.subject.sensorId?.startsWith(`${run}-`) && alert.firedAt !== undefined))
      .map((text) => text.replaceAll(`${run}-`, "").replaceAll(run, "x"))
      .map((text) => text.replace(/"id":"[^"]*",(?="kind")/, ""))
      .sort();

  it("says something of it, also of what sensors say together", () => {
    expect(said.get("max")!.length).toBeGreaterThan(30);
    expect(said.get("max")!.some((text) => text.includes('"is":"event"'))).toBe(true);
    expect(said.get("max")!.some((text) => text.includes("drift"))).toBe(true);
  });

  it.each(RUNS.filter((run) => run !== "max"))("%s: the same timelines", (run) => {
    expect(said.get(run)).toEqual(said.get("max"));
  });

  it("a backtest of the store: the same timelines", async () => {
    const span = ["--from", "2026-03-01", "--to", "2026-04-30", "--warm-up", "0", "--json"];
    const { code, stdout, stderr } = await city.cli("rules", "backtest", ...span);
    expect(code, stderr).toBe(0);
    for (const run of RUNS) expect(told(JSON.parse(stdout).alerts, run)).toEqual(said.get("max"));
  });

  it.each(["max", "shuffled"] as const)("a backtest of the file %s: the same timelines", async (run) => {
    const args = ["--recording", fileOf(run), "--mapping", "native", "--json"];
    const { code, stdout, stderr } = await city.cli("rules", "backtest", ...args);
    expect(code, stderr).toBe(0);
    expect(told(JSON.parse(stdout).alerts, run)).toEqual(said.get("max"));
  });
});

/** Hourly air of stations that move alike; episodes of all and of one, a drift, a stuck one, gaps and repeated rows. */
function feed(random: () => number, stations: number, hours: number): Line[] {
  const from = Date.parse("2026-03-02T00:00:00Z");
  const lines: Line[] = [];
  for (let hour = 0; hour < hours; hour++) {
    const day = Math.floor(hour / 24);
    const wave = 12 * Math.sin((hour / 24) * 2 * Math.PI) + 6 * Math.sin(hour / 31);
    for (let station = 0; station < stations; station++) {
      if (random() < 0.02 || (station === 4 && hour > 300 && hour < 340)) continue;
      const noise = () => 4 * (random() - 0.5);
      const episode = day === 9 || day === 15 ? 70 : station === 1 && day === 12 ? 160 : 0;
      // What it always shows is known by then.
      const drift = station === 2 && day >= 10 ? 40 : 0;
      const pm25 = station === 3 && hour > 200 && hour < 290 ? 31.5 : 25 + wave + noise() + episode + drift;
      const no2 = 40 + wave + noise() + (day === 7 && hour % 24 > 6 ? 420 : 0);
      const values = { pm25: round(pm25), no2: round(no2), o3: round(70 - wave + noise()) };
      const measuredAt = new Date(from + hour * HOUR_MS).toISOString();
      lines.push({ sensorId: `s${station}`, kind: "air", district: "", measuredAt, ...values });
    }
  }
  return lines;
}

const round = (value: number) => Math.round(value * 10) / 10;

function shuffle<T>(list: readonly T[], random: () => number): T[] {
  const all = [...list];
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all;
}

const DATA = join(HOME, "../shared/data");
const present = existsSync(DATA);
if (!present) process.stderr.write("the recordings (../shared/data) are not here: their orders are not compared\n");

const filesIn = (folder: string, ending: string) =>
  present
    ? readdirSync(join(DATA, folder)).flatMap((name) => (name.endsWith(ending) ? [join(DATA, folder, name)] : []))
    : [];

const RECORDINGS: readonly (readonly [mapping: string, years: readonly [number, number], files: readonly string[]])[] =
  [
    [
      "nab",
      [2013, 2016],
      ["realTraffic", "realKnownCause", "artificial"].flatMap((part) => filesIn(`nab/${part}`, ".csv")),
    ],
    ["uci-household", [2006, 2008], filesIn("uci-household-sample", ".txt")],
    ["uci-air-quality", [2004, 2006], filesIn("uci-air-quality", "AirQuality.csv")],
    ["ett-transformer", [2016, 2019], filesIn("ett-transformer", ".csv")],
    ["pems-lane-flow", [2015, 2018], filesIn("pems-lane-flow", ".csv")],
    ["suthaharan-wsn", [2010, 2011], filesIn("suthaharan-wsn", "data.csv")],
    ["tetouan-zones", [2017, 2018], filesIn("tetouan-zones", ".csv")],
    // One of its six stations, four years played four times; all of them with EVERY_STATION=1.
    [
      "beijing-multisite",
      [2013, 2018],
      filesIn("beijing-multisite", ".csv.gz").slice(0, process.env.EVERY_STATION ? 6 : 1),
    ],
    ["metr-la-week", [2012, 2013], filesIn("metr-la-week", "los_speed.csv")],
  ];

describe.runIf(present)("every recording there is", { tags: ["long"], timeout: 1_800_000 }, () => {
  it.each(RECORDINGS)(
    "%s: at full speed, paced, and in both backtests the same timelines",
    async (mapping, [from, to], files) => {
      const played = async (speed: string) => {
        const city = await startCity();
        const { code, stdout, stderr } = await city.cli(
          "replay",
          ...files,
          "--mapping",
          mapping,
          "--speed",
          speed,
          "--json",
        );
        expect(code, stderr).toBe(0);
        expect(JSON.parse(stdout)).toMatchObject({ balanced: true, tooLateForRules: 0 });
        await settledRules(city);
        return city;
      };
      // That messages are refused is said of when they came: no backtest has those.
      const isOfReadings = ({ subject, firedAt, rule }: SaidAlert) =>
        subject.sensorId !== undefined && firedAt !== undefined && rule.id !== "messages-refused";
      const ofSensors = (alerts: readonly SaidAlert[]) => canonical(alerts.filter(isOfReadings));
      const city = await played("max");
      try {
        const live = ofSensors(await everyAlert(city));
        const span = ["--from", `${from}-01-01`, "--to", `${to}-01-01`, "--warm-up", "0", "--json"];
        const stored = await city.cli("rules", "backtest", ...span);
        expect(stored.code, stored.stderr).toBe(0);
        expect(ofSensors(JSON.parse(stored.stdout).alerts)).toEqual(live);
        const recorded = await city.cli("rules", "backtest", "--recording", ...files, "--mapping", mapping, "--json");
        expect(recorded.code, recorded.stderr).toBe(0);
        expect(ofSensors(JSON.parse(recorded.stdout).alerts)).toEqual(live);
        // Years in some seconds: one reading a message, each when it is due.
        const paced = await played("20000000");
        try {
          expect(ofSensors(await everyAlert(paced))).toEqual(live);
        } finally {
          await paced.remove();
        }
      } finally {
        await city.remove();
      }
    },
  );
});
