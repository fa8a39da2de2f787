import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createDetector } from "../../alerts/detector.ts";
import { loadRules } from "../../alerts/rules/check.ts";
import { decodeMessage } from "../../ingest/decode.ts";
import type { Transition } from "../../model/alert.ts";
import { aMessage, CITY } from "../ingest/helpers.ts";
import { HOUR, MINUTE } from "./builders.ts";

const CASES = join(import.meta.dirname, "../../../shared/cases/readings");
const sensor = { id: "air-1", kind: "air", district: "north", intervalS: 3_600, tags: {} } as const;

/** Each line as a message when it was measured, through what decides about values and the default rules, the clock ticking. */
function play(name: string): string[] {
  const lines = readFileSync(join(CASES, name), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const detector = createDetector({ rules: loadRules(), sensor: () => sensor });
  const said: Transition[] = [];
  let seq = 0;
  for (const { sensorId: _, kind: _1, district: _2, ...values } of lines) {
    const receivedAt = Date.parse(values.measuredAt) + 1_000;
    const { readings, rejections } = decodeMessage(aMessage(values, { seq: ++seq, receivedAt }), CITY);
    said.push(...detector.refuse(rejections), ...detector.observe(readings));
    for (let minute = 10; minute < 60; minute += 10) said.push(...detector.tick(receivedAt + minute * MINUTE));
  }
  const end = Date.parse(lines.at(-1).measuredAt);
  said.push(...detector.tick(end + HOUR));
  return said.filter(({ entry }) => entry.what === "firing").map(({ alert }) => `${alert.rule.id} ${alert.audience}`);
}

describe.skipIf(!existsSync(CASES))("four days with a day of much dust (../shared/cases/readings)", () => {
  it("raise both daily PM alerts, whatever the ozone analyser says meanwhile; it gets one ticket, and nothing is silent", () => {
    const well = play("f1ok.ndjson");
    expect(well).toEqual(expect.arrayContaining(["eu-pm25 operators", "eu-pm10 operators"]));
    expect(well.filter((one) => one.includes("silent") || one.includes("impossible"))).toEqual([]);
    const impossible = play("f1.ndjson");
    expect(impossible).toEqual(expect.arrayContaining(["eu-pm25 operators", "eu-pm10 operators"]));
    expect(impossible.filter((one) => one.includes("silent") || one.includes("refused"))).toEqual([]);
    expect(impossible.filter((one) => one.includes("o3"))).toEqual(["impossible-o3 crews"]);
    expect(impossible.filter((one) => one !== "impossible-o3 crews")).toEqual(
      well.filter((one) => !one.includes("o3")),
    );
  });
});
