import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { SILENT } from "../../model/log.ts";
import { openInfluxStore } from "../../store/influx/store.ts";
import { type InfluxServer, startInfluxd } from "../helpers/influxd.ts";
import { needs } from "../helpers/needs.ts";
import { aReading } from "../helpers/readings.ts";

const DIR = join(import.meta.dirname, "../../deploy/grafana");
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

type Target = {
  readonly query: string;
  readonly resultFormat: string;
  readonly datasource: { readonly uid: string };
};
type Panel = { readonly title: string; readonly type: string; readonly targets?: readonly Target[] };
type Dashboard = {
  readonly panels: readonly (Panel & { readonly datasource?: { readonly uid: string } })[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: string }[] };
};

const dashboard = JSON.parse(readFileSync(join(DIR, "dashboards/city-readings.json"), "utf8")) as Dashboard;
const panels = dashboard.panels.filter(({ type }) => type !== "row");

describe("Grafana's files", () => {
  it.each(["1", "2"])("the data sources for InfluxDB %s.x are those the panels ask", (version) => {
    const file = readFileSync(join(DIR, `provisioning/datasources/lamppost-influxdb-${version}.yaml`), "utf8");
    const { datasources } = parse(file) as { datasources: { uid: string; jsonData: { dbName: string } }[] };
    const names = datasources.map(({ uid, jsonData }) => [uid, jsonData.dbName]);
    const name = `\${INFLUX_${version === "1" ? "DATABASE" : "BUCKET"}}`;
    expect(names).toEqual([
      ["lamppost-readings", name],
      ["lamppost-rollups", `${name}_rollups`],
    ]);
    const asked = panels.flatMap(({ datasource, targets = [] }) => [
      datasource,
      ...targets.map((one) => one.datasource),
    ]);
    expect(new Set(asked.map((one) => one?.uid))).toEqual(new Set(datasources.map(({ uid }) => uid)));
  });
});

describe.runIf(needs("influxd"))("the questions of Grafana's dashboard", () => {
  const database = "city";
  const now = Math.floor(Date.now() / DAY) * DAY;
  let server: InfluxServer;

  /** What Grafana puts in for its own words, with all districts chosen. */
  function filled(query: string): string {
    return query
      .replaceAll("$timeFilter", `time >= ${now - 3 * DAY}ms AND time <= ${now}ms`)
      .replaceAll("$__interval", "1h")
      .replaceAll("/^$district$/", "/^.*$/")
      .replaceAll("/$installation/", "/.+/");
  }

  type Series = { readonly columns: readonly string[]; readonly values: readonly (readonly unknown[])[] };

  async function ask({ query, datasource }: Pick<Target, "query" | "datasource">): Promise<Series[]> {
    const db = datasource.uid === "lamppost-rollups" ? `${database}_rollups` : database;
    const body = new URLSearchParams({ db, q: filled(query), epoch: "ms" });
    const answer = await (await fetch(`${server.url}/query`, { method: "POST", body })).json();
    const { results } = answer as { results: { error?: string; series?: Series[] }[] };
    expect(results[0]!.error).toBeUndefined();
    return results[0]!.series ?? [];
  }

  beforeAll(async () => {
    server = await startInfluxd();
    const flavour = { database };
    const options = { url: server.url, flavour, installation: "1a2b3c4d", timeoutMs: 60_000, log: SILENT };
    const store = await openInfluxStore(options);
    const moments = Array.from({ length: 48 }, (_, n) => now - 2 * DAY + n * HOUR);
    await store.write(
      moments.flatMap((measuredAt, n) => [
        aReading({ measuredAt, values: { pm25: 10, pm10: 20, no2: 30, o3: 40, battery: 80 - n } }),
        aReading({ measuredAt, sensorId: "air-2", values: { pm25: 563 }, quality: { pm25: "suspect" } }),
        aReading({ measuredAt, sensorId: "loop-1", kind: "traffic", values: { flow: 500, speed: 40, occupancy: 7 } }),
        aReading({
          measuredAt,
          sensorId: "feeder-1",
          kind: "energy",
          values: { activePower: 120, voltage: 231, oilTemperature: 60 },
        }),
      ]),
    );
    for (const resolution of ["hourly", "daily"] as const)
      for (const kind of ["air", "traffic"] as const) {
        const span = { kind, resolution, receivedDay: now - DAY, from: now - 2 * DAY, to: now };
        await store.rollups.compute(span);
      }
    await store.close();
  });
  afterAll(() => server.stop());

  it.each(panels.map((panel) => [panel.title, panel] as const))("%s: answered with rows", async (_title, panel) => {
    for (const target of panel.targets!) {
      const series = await ask(target);
      expect(series.flatMap(({ values }) => values).length).toBeGreaterThan(0);
    }
  });

  it("leaves the suspect value out of the chart, and counts it in its table", async () => {
    const target = (title: string) => panels.find((panel) => panel.title === title)!.targets![0]!;
    const means = (await ask(target("Fine particles (PM2.5)"))).flatMap(({ values }) => values.map((row) => row[1]));
    expect(new Set(means)).toEqual(new Set([10]));
    const daily = (await ask(target("PM2.5 by day"))).flatMap(({ values }) => values.map((row) => row[1]));
    expect(daily).toEqual([10, 10]);
    expect((await ask(target("Suspect values (PM2.5)"))).map(({ values }) => values[0]![1])).toEqual([48]);
  });

  it("offers the districts there are", async () => {
    const { query } = dashboard.templating.list.find(({ name }) => name === "district")!;
    const found = (await ask({ query, datasource: { uid: "lamppost-readings" } })).flatMap(({ columns, values }) =>
      values.map((row) => row[columns.indexOf("value")]),
    );
    expect([...new Set(found)]).toEqual(["north"]);
  });
});
