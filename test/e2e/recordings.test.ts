import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, HOME, startCity } from "../helpers/city.ts";
import { settledRules } from "../helpers/senders.ts";

/**
 * The real recordings, through the real door of the real service. Every row is accounted for, and what the alerts say is
 * checked against the files by code that shares nothing with the product.
 */
const DATA = join(HOME, "../shared/data");
const present = existsSync(DATA);
if (!present) process.stderr.write("the recordings (../shared/data) are not here: the replay tests do not run\n");

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const files = (dir: string, ending: string) =>
  present
    ? readdirSync(join(DATA, dir))
        .filter((name) => name.endsWith(ending))
        .map((name) => `${dir}/${name}`)
    : [];

/** Files, mapping, and how many readings each data row holds. */
const REPLAYS: [string, string[], number][] = [
  ["nab", files("nab/realTraffic", ".csv"), 1],
  ["nab", files("nab/realKnownCause", ".csv"), 1],
  ["nab", files("nab/artificial", ".csv"), 1],
  ["uci-household", files("uci-household-sample", ".txt"), 1],
  ["uci-air-quality", files("uci-air-quality", "AirQuality.csv"), 1],
  ["ett-transformer", files("ett-transformer", ".csv"), 4],
  ["pems-lane-flow", files("pems-lane-flow", ".csv"), 1],
  ["suthaharan-wsn", files("suthaharan-wsn", "data.csv"), 1],
  ["tetouan-zones", files("tetouan-zones", ".csv"), 4],
  ["beijing-multisite", files("beijing-multisite", ".csv.gz"), 1],
  ["metr-la-week", files("metr-la-week", "los_speed.csv"), 207],
];

/** These are played in `npm test`, too. */
const SHORT = ["nab", "uci-household"];

type AlertView = {
  id: string;
  startedAt: string;
  resolvedAt?: string;
  value: number;
  explanation: string;
  evidence: { measuredAt: string; value: number; window?: { from: string } }[];
};

describe.runIf(present)("the real recordings", () => {
  let city: City;
  beforeAll(async () => {
    city = await startCity();
  });
  afterAll(() => city.remove());

  for (const [mapping, names, readingsPerRow] of REPLAYS) {
    const tags = SHORT.includes(mapping) ? [] : ["long"];
    // Hundreds of thousands of readings, and the rules have to have judged them all.
    it(`${mapping} ${names}: every row is accounted for`, { tags, timeout: 900_000 }, async () => {
      const { code, stdout, stderr } = await city.cli(
        "replay",
        ...names.map((name) => join(DATA, name)),
        "--mapping",
        mapping,
        "--json",
      );
      expect(code, stderr).toBe(0);
      const account = JSON.parse(stdout);
      const rows = names.reduce((sum, name) => sum + dataRows(name), 0);
      expect(account).toMatchObject({
        rows,
        readings: rows * readingsPerRow,
        acknowledged: rows * readingsPerRow,
        inJournal: 0,
      });
      expect(account.stored + account.duplicates + account.quarantined).toBe(rows * readingsPerRow);
      expect(account.stored).toBeGreaterThan(account.readings * 0.98);
    });
  }

  it("the books balance over all of them", async () => {
    const ledger = await city.api("/ledger");
    expect(ledger.balanced).toBe(true);
    expect(ledger.received).toBe(ledger.stored + ledger.duplicate + ledger.quarantined);
    expect(["conflict", "no_values"]).toEqual(expect.arrayContaining(Object.keys(ledger.reasons)));
  });

  it("the rules come to the end of them", async () => {
    expect(await settledRules(city)).toHaveLength(3);
  });

  it("replayed again, all of it is a duplicate", { tags: ["long"] }, async () => {
    const { stdout } = await city.cli(
      "replay",
      join(DATA, "pems-lane-flow/train.csv"),
      "--mapping",
      "pems-lane-flow",
      "--json",
    );
    expect(JSON.parse(stdout)).toMatchObject({
      stored: 0,
      duplicates: dataRows("pems-lane-flow/train.csv"),
      quarantined: 0,
    });
  });

  it("the longest outage of t4013 is a silent sensor, from its true start to its true end", async () => {
    const gap = longestGap("nab/realTraffic/occupancy_t4013.csv");
    expect(gap.to - gap.from).toBeGreaterThan(3 * DAY_MS);
    const alerts = await all(city, "rule=sensor-silent-day");
    const found = alerts.filter(({ evidence }) => sameWallClock(evidence[0]!.measuredAt, gap.from));
    expect(found.length).toBeGreaterThan(0);
    for (const alert of found)
      expect(Date.parse(alert.resolvedAt!) - Date.parse(alert.evidence[0]!.measuredAt)).toBe(gap.to - gap.from);
  });

  it.each(files("beijing-multisite", ".csv.gz"))(
    "%s: the ozone alerts are those of the file",
    { tags: ["long"] },
    async (name) => {
      const { sensorId, hours } = beijing(name, "O3");
      const alerts = await all(city, `rule=eu-o3-information&sensor=${sensorId}`);
      expect(alerts.length).toBeGreaterThan(50);
      for (const { evidence, value } of alerts) {
        const from = Date.parse(evidence.at(-1)!.window!.from);
        expect(hours.get(from), new Date(from).toISOString()).toBe(value);
        expect(value).toBeGreaterThan(180);
      }
      // Above 400 µg/m³ a value is suspect, and the public is not warned on suspect values alone.
      const uncovered = [...hours].filter(([from, o3]) => o3 > 180 && o3 <= 400 && !covers(alerts, from));
      expect(uncovered).toEqual([]);
    },
  );

  it.each(files("beijing-multisite", ".csv.gz"))(
    "%s: the PM2.5 alerts are those of the file",
    { tags: ["long"] },
    async (name) => {
      const { sensorId, hours } = beijing(name, "PM2.5");
      const alerts = await all(city, `rule=eu-pm25&sensor=${sensorId}`);
      const days = dailyMeans(hours);
      expect(alerts.length).toBeGreaterThan(50);
      for (const { evidence, value } of alerts) {
        const from = Date.parse(evidence.at(-1)!.window!.from);
        expect(Math.abs(days.get(from)! - value)).toBeLessThan(0.01);
        expect(days.get(from)).toBeGreaterThan(25);
      }
      expect([...days].filter(([from, mean]) => mean > 25 && !covers(alerts, from))).toEqual([]);
    },
  );
});

async function all(city: City, filter: string): Promise<AlertView[]> {
  const items: AlertView[] = [];
  for (let cursor = ""; ; ) {
    const page = await city.api(`/alerts?mode=history&${filter}&limit=1000${cursor && `&cursor=${cursor}`}`);
    items.push(...page.items);
    if (!page.next) return items;
    cursor = page.next;
  }
}

/** Whether the window that starts at `from` lies in one of the alerts. */
function covers(alerts: readonly AlertView[], from: number): boolean {
  return alerts.some(
    ({ startedAt, resolvedAt }) =>
      Date.parse(startedAt) <= from && from < (resolvedAt ? Date.parse(resolvedAt) : Infinity),
  );
}

function textOf(name: string): string {
  const bytes = readFileSync(join(DATA, name));
  return (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
}

/** Lines that hold something, the header left out. */
function dataRows(name: string): number {
  return textOf(name)
    .split("\n")
    .slice(1)
    .filter((line) => /[^,;\s]/.test(line)).length;
}

function longestGap(name: string): { from: number; to: number } {
  const times = textOf(name)
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => Date.parse(`${line.split(",")[0]!.replace(" ", "T")}Z`));
  const gaps = times.slice(1).map((to, i) => ({ from: times[i]!, to }));
  return gaps.reduce((longest, gap) => (gap.to - gap.from > longest.to - longest.from ? gap : longest));
}

/** The file has local times; minutes and seconds are the same in every whole-hour zone. */
function sameWallClock(instant: string, local: number): boolean {
  const offset = local - Date.parse(instant);
  return offset % HOUR_MS === 0 && Math.abs(offset) <= 6 * HOUR_MS;
}

/** One column by hour (start, epoch ms); Beijing has kept UTC+8 without summer time all these years. */
function beijing(name: string, column: string): { sensorId: string; hours: Map<number, number> } {
  const [head, ...lines] = textOf(name)
    .trim()
    .split("\n")
    .map((line) => line.replaceAll('"', "").trim().split(","));
  const at = (title: string) => head!.indexOf(title);
  const [year, month, day, hour, value, station] = ["year", "month", "day", "hour", column, "station"].map(at) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const hours = new Map<number, number>();
  for (const cells of lines) {
    if (cells[value] === "NA") continue;
    const start =
      Date.UTC(Number(cells[year]), Number(cells[month]) - 1, Number(cells[day]), Number(cells[hour])) - 8 * HOUR_MS;
    hours.set(start, Number(cells[value]));
  }
  return { sensorId: `beijing-${lines[0]![station]!.toLowerCase()}`, hours };
}

/** Means of UTC days with at least 18 of 24 hours. */
function dailyMeans(hours: ReadonlyMap<number, number>): Map<number, number> {
  const days = new Map<number, number[]>();
  for (const [from, value] of hours) {
    const day = from - (from % DAY_MS);
    days.set(day, [...(days.get(day) ?? []), value]);
  }
  const means = new Map<number, number>();
  for (const [day, values] of days)
    if (values.length >= 18) means.set(day, values.reduce((sum, value) => sum + value, 0) / values.length);
  return means;
}
