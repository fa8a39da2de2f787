import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { WatchedSensor } from "../../alerts/engine/compile.ts";
import { createEngine } from "../../alerts/engine/engine.ts";
import { loadRules } from "../../alerts/rules/load.ts";
import type { Reading } from "../../model/reading.ts";
import { rulesOf } from "./builders.ts";

/**
 * One folder per case: `rules.yaml` (copies of default rules), `readings.ndjson`, `expected.json` (every transition),
 * and `sensors.json` where a rule needs tags or an interval.
 */
const GOLDEN = join(import.meta.dirname, "../golden");

const read = (name: string, file: string) => readFileSync(join(GOLDEN, name, file), "utf8");

function readingsOf(name: string): Reading[] {
  const lines = read(name, "readings.ndjson").trim().split("\n");
  return lines.map((line, i) => {
    const { measuredAt, ...rest } = JSON.parse(line) as Omit<Reading, "measuredAt"> & { measuredAt: string };
    const at = Date.parse(measuredAt);
    return { ...rest, measuredAt: at, receivedAt: at, journalSeq: i + 1 };
  });
}

function sensorsOf(name: string): Map<string, WatchedSensor> {
  const file = existsSync(join(GOLDEN, name, "sensors.json")) ? read(name, "sensors.json") : "[]";
  return new Map((JSON.parse(file) as WatchedSensor[]).map((sensor) => [sensor.id, sensor]));
}

const cases = readdirSync(GOLDEN).filter((name) => existsSync(join(GOLDEN, name, "rules.yaml")));
const defaults = new Map(loadRules().map((rule) => [rule.id, rule.version]));

describe.each(cases)("golden: %s", (name) => {
  const rules = rulesOf(read(name, "rules.yaml"));

  it("is about the default rules as they are today", () => {
    for (const { id, version } of rules) expect(defaults.get(id), id).toBe(version);
  });

  it("says exactly what is expected", () => {
    const sensors = sensorsOf(name);
    const said = createEngine({ rules, sensor: (id) => sensors.get(id) }).observe(readingsOf(name));
    const timeline = said.map(({ alert, entry }) => ({
      what: entry.what,
      at: new Date(entry.at).toISOString(),
      rule: alert.rule.id,
      sensorId: alert.subject.sensorId,
      startedAt: new Date(alert.startedAt).toISOString(),
      explanation: alert.explanation,
    }));
    expect(timeline).toEqual(JSON.parse(read(name, "expected.json")));
  });
});

it("there are golden cases", () => {
  expect(cases.length).toBeGreaterThanOrEqual(7);
});
