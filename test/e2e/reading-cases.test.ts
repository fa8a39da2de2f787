import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, HOME, startCity } from "../helpers/city.ts";
import { settledRules } from "../helpers/senders.ts";
import { everyAlert, type SaidAlert } from "../helpers/timelines.ts";

const CASES = join(HOME, "../shared/cases/readings");
const present = existsSync(CASES);
if (!present) process.stderr.write("the cases (../shared/cases) are not here: their recordings are not replayed\n");

describe.runIf(present)("recordings that failed once", () => {
  let city: City;
  let alerts: SaidAlert[];
  const printed = new Map<string, string>();

  beforeAll(async () => {
    city = await startCity();
    const played = [
      ["f1.ndjson", "native"],
      ["f1ok.ndjson", "native"],
      ["desc.ndjson", "native"],
      ["dst.csv", join(CASES, "dst.json")],
    ] as const;
    for (const [file, mapping] of played) {
      const { code, stdout, stderr } = await city.cli("replay", join(CASES, file), "--mapping", mapping);
      expect(code, stderr).toBe(0);
      printed.set(file, stdout);
    }
    await settledRules(city);
    alerts = await everyAlert(city);
  });
  afterAll(() => city?.remove());

  const rulesOf = (sensor: string) =>
    alerts.flatMap(({ subject, rule }) => (subject.sensorId === sensor ? [rule.id] : [])).sort();

  it("both daily particle alerts fire beside an ozone analyser that sends impossible values, which is one ticket", () => {
    expect(rulesOf("f1")).toEqual(expect.arrayContaining(["eu-pm25", "eu-pm10"]));
    expect(rulesOf("f1").filter((rule) => rule === "impossible-o3")).toHaveLength(1);
    expect(rulesOf("f1").filter((rule) => rule.startsWith("sensor-silent"))).toEqual([]);
    expect(rulesOf("f1").filter((rule) => rule !== "impossible-o3")).toEqual(rulesOf("f1ok"));
  });

  it("a file that is newest first says the same, and that it was sorted", () => {
    expect(rulesOf("desc")).toEqual(rulesOf("f1ok"));
    expect(printed.get("desc.ndjson")).toContain("desc.ndjson: newest first, sorted by time");
    expect(printed.get("desc.ndjson")).toMatch(/too late for any rule, of all sensors +0\n/);
  });

  it("all stations stay in the first pass of the hour that autumn repeats, which is named", async () => {
    for (const station of ["a", "b", "c"]) {
      const span = "from=2024-10-26T20:00:00Z&to=2024-10-27T06:00:00Z";
      const { items } = await city.api(`/sensors/dst-${station}/readings?${span}`);
      expect(items.map((one: { measuredAt: string }) => one.measuredAt).sort()).toEqual([
        "2024-10-26T23:00:00.000Z",
        "2024-10-27T00:00:00.000Z",
        "2024-10-27T02:00:00.000Z",
      ]);
    }
    expect(printed.get("dst.csv")).toMatch(
      /went through twice: 2024-10-27 02:00; 3 rows taken as its first pass, 0 as/,
    );
  });

  it("nobody is told of what is past", async () => {
    expect(alerts.length).toBeGreaterThan(10);
    const told = await city.api("/alerts?mode=live&limit=1000");
    expect(told.items).toEqual([]);
    for (const text of printed.values()) expect(text).toMatch(/that people may be told of +0\n/);
  });
});
