import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { isId } from "../../model/ids.ts";
import { SCENARIO_NAMES } from "../../model/simulation.ts";
import { cityPlaces } from "../../simulators/places.ts";
import { prepareRun, simulatedId } from "../../simulators/runs/prepare.ts";
import { SCENARIOS } from "../../simulators/scenarios.ts";
import { T0 } from "../helpers/readings.ts";

const dir = mkdtempSync(join(tmpdir(), "lamppost-prepare-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function prepared(source: Parameters<typeof prepareRun>[0], districts?: readonly string[]) {
  const to = join(dir, `${Math.random()}.ndjson`);
  const lines = await prepareRun(source, { to, now: T0, seed: 1, ...(districts ? { districts } : {}) });
  const text = readFileSync(to, "utf8").trim();
  const items: Record<string, unknown>[] = text === "" ? [] : text.split("\n").map((line) => JSON.parse(line));
  expect(items).toHaveLength(lines);
  return items;
}

describe.each(SCENARIO_NAMES)("the scenario %s", (name) => {
  it("plans something for sensors that exist, within the hour that is played", () => {
    const known = new Set(cityPlaces(1).map(({ id }) => id));
    const { events } = SCENARIOS[name];
    expect(events.flatMap(({ sensors }) => sensors).filter((id) => !known.has(id))).toEqual([]);
    expect(events.filter((event) => "fromMin" in event && event.toMin < -60 && name !== "ordinary-day")).toEqual([]);
  });

  it("is an hour of simulated sensors, in the order of time, the same with the same seed", async () => {
    const items = await prepared({ scenario: name });
    expect(items.length).toBeGreaterThan(3_000);
    expect(items.every(({ sensorId, district }) => `${sensorId}${district}`.split("sim-").length === 3)).toBe(true);
    const times = items.map(({ measuredAt }) => Date.parse(String(measuredAt))).filter(Number.isFinite);
    expect([Math.min(...times), Math.max(...times)]).toEqual([T0 - 3_600_000, expect.closeTo(T0, -4)]);
    expect(await prepared({ scenario: name })).toEqual(items);
  });
});

describe("a run", () => {
  it("has only the districts asked for, by their own names", async () => {
    const items = await prepared({ scenario: "storm" }, ["harbour"]);
    expect(new Set(items.map(({ district }) => district))).toEqual(new Set(["sim-harbour"]));
  });

  it("copies a recording line by line, leaves out what is no reading, and keeps what is wrong with one", async () => {
    const file = join(dir, "recording.ndjson");
    const line = { sensorId: "air-1", kind: "air", district: "north", measuredAt: "yesterday", values: { pm25: "x" } };
    writeFileSync(file, [JSON.stringify(line), "not json", "[]", '{"sensorId":7}', ""].join("\n"));
    expect(await prepared({ file })).toEqual([{ ...line, sensorId: "sim-air-1", district: "sim-north" }]);
  });

  it("calls sensors sim-, once, and long ones so that they stay apart", () => {
    expect([simulatedId("air-1"), simulatedId("sim-air-1")]).toEqual(["sim-air-1", "sim-air-1"]);
    const long = ["a", "b"].map((end) => simulatedId(`${"x".repeat(63)}${end}`));
    expect(long.every(isId)).toBe(true);
    expect(new Set(long).size).toBe(2);
  });
});
