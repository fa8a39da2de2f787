import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import { openInfluxStore } from "../../store/influx/store.ts";
import { HOME } from "../helpers/city.ts";
import { startInfluxd } from "../helpers/influxd.ts";
import { needs } from "../helpers/needs.ts";
import { aReading, collect } from "../helpers/readings.ts";

const page = readFileSync(join(HOME, "docs/influxdb.md"), "utf8");
const questions = [...page.matchAll(/```influxql\n(.+?)\n```/gs)].map((match) => match[1]!);
const DAY_MS = 86_400_000;

type Answer = { results: { error?: string; series?: { columns: string[]; values: (number | string | null)[][] }[] }[] };

describe.runIf(needs("influxd"))("docs/influxdb.md", () => {
  it("has questions that a real InfluxDB answers, without suspect values and bookkeeping in the means", async () => {
    const server = await startInfluxd();
    const flavour = { database: "readings" };
    const options = { url: server.url, flavour, installation: "1a2b3c4d", timeoutMs: 60_000, log: SILENT };
    const store = await openInfluxStore(options);
    const now = Date.now();
    const readings = Array.from({ length: 10 }, (_, n) =>
      aReading({ measuredAt: now - 9_000 + n, values: { pm25: 13 } }),
    );
    const flagged = aReading({ measuredAt: now - 5_000, values: { pm25: 900 }, quality: { pm25: "suspect" } });
    await store.write([...readings, flagged]);
    const [today, receivedDay] = [now - (now % DAY_MS), now - (now % DAY_MS)];
    for (const resolution of ["hourly", "daily"] as const)
      await store.rollups.compute({ kind: "air", resolution, receivedDay, from: today - DAY_MS, to: today + DAY_MS });

    const ask = async (q: string) => {
      const form = new URLSearchParams({ db: "readings", q });
      return (await (await fetch(`${server.url}/query`, { method: "POST", body: form })).json()) as Answer;
    };
    expect(questions.length).toBeGreaterThan(5);
    for (const question of questions) {
      const { results } = await ask(question);
      expect(results[0]!.error, question).toBeUndefined();
      const { columns, values } = results[0]!.series![0]!;
      expect(values.length, question).toBeGreaterThan(0);
      const cell = (name: string) => values[0]![columns.indexOf(name)];
      if (columns.includes("mean")) expect(cell("mean"), question).toBe(13);
      if (columns.includes("mean_pm25")) expect(columns.filter((name) => name.includes("receipt"))).toEqual([]);
      if (columns.includes("good")) expect([cell("good"), cell("suspect")]).toEqual([10, 1]);
    }

    // What earlier versions wrote goes by the command on the page, and nothing of today.
    const old = `air,district=north,sensorId=air-1 pm25=1,receivedAt=1,journalSeq=1 ${now - 20_000}`;
    await fetch(`${server.url}/write?db=readings&precision=ms`, { method: "POST", body: old });
    const removal = /`(DELETE FROM [^`]+)`/.exec(page)![1]!;
    expect((await ask(removal)).results[0]!.error).toBeUndefined();
    expect((await ask('SELECT count("pm25") FROM "air"')).results[0]!.series![0]!.values[0]![1]).toBe(10);
    expect(await collect(store, { from: now - DAY_MS, to: now + 1 })).toHaveLength(11);
    await store.close();
    await server.stop();
  });
});
