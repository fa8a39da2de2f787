import { describe, expect, it } from "vitest";
import { DERIVES } from "../../alerts/derived/registry.ts";
import { createDetector } from "../../alerts/detector.ts";
import type { Transition } from "../../model/alert.ts";
import type { MetricName } from "../../model/metrics.ts";
import type { Reading } from "../../model/reading.ts";
import { aReading, aSensor, DAY, HOUR, MINUTE, rulesOf, T0 } from "./builders.ts";

/** Rules as a city writes them, through the whole detector: every condition is known to all of it. */
function detect(
  rule: string,
  readings: readonly Reading[],
  tags: Record<string, string> = {},
  place: { readonly lat?: number; readonly lon?: number } = {},
): Transition[] {
  const kind = readings[0]!.kind;
  const sensor = aSensor({ kind, name: "Station 4", tags, ...place });
  const yaml = `rules:\n  - { id: a-rule, title: A rule, kind: ${kind}, severity: warning, audience: crews, source: { text: a test }, ${rule} }`;
  return createDetector({ rules: rulesOf(yaml), sensor: () => sensor, derives: DERIVES }).observe(readings);
}
const of = (kind: Reading["kind"], metric: MetricName, everyMs: number, values: readonly number[]): Reading[] =>
  values.map((value, i) => aReading(T0 + i * everyMs, { [metric]: value }, { kind }));
const told = (transitions: readonly Transition[]) => transitions.map(({ alert }) => alert.explanation);

describe("an alert in one plain sentence, and how it ended in another", () => {
  it("flatline", () => {
    const values = [8.5, 8.5, 8.5, 8.5, 8.5, 8.5, 9];
    const found = detect("metric: no2, condition: { type: flatline, after: 6h }", of("air", "no2", HOUR, values));
    expect(told(found)).toEqual([
      "Nitrogen dioxide at Station 4 has stayed at 8.5 µg/m³ since 2026-11-21 00:00 UTC (6 equal values in a row); the sensor is probably stuck.",
      "Nitrogen dioxide at Station 4 has stayed at 8.5 µg/m³ since 2026-11-21 00:00 UTC (6 equal values in a row); the sensor is probably stuck. Another value came at 2026-11-21 06:00 UTC: 9 µg/m³.",
    ]);
    expect(found[0]!.alert).toMatchObject({ metric: "no2", value: 8.5, unit: "µg/m³", startedAt: T0 });
  });

  it("spike", () => {
    const readings = of("air", "temperature", MINUTE, [20, 20, 34, 22, 22]);
    const found = detect("metric: temperature, condition: { type: spike, above: 10, within: 1h }", [
      ...readings,
      aReading(T0 + 2 * HOUR, { temperature: 22 }),
    ]);
    expect(told(found)[0]).toBe(
      "Air temperature at Station 4: a single value of 34 °C at 2026-11-21 00:02 UTC, between 20 °C and 22 °C: more than 10 °C off the values beside it.",
    );
    expect(told(found)[1]).toMatch(/ It ended at 2026-11-21 01:02 UTC, after 1 h without another\.$/);
    expect(found[0]!.alert.limit).toBe(10);
  });

  it("change", () => {
    const found = detect(
      "metric: queueLength, condition: { type: change, rise: 100, within: 10m }",
      of("traffic", "queueLength", MINUTE, [50, 40, 90, 150, 150]),
    );
    expect(told(found)).toEqual([
      "Queue length at Station 4 rose by 110 m, from 40 m at 2026-11-21 00:01 UTC to 150 m at 2026-11-21 00:03 UTC; 100 m or more within 10 min counts.",
    ]);
  });

  it("register: a fall, and a jump of a meter whose connection is in its tags", () => {
    const falls = detect(
      "metric: energyImport, condition: { type: register, maxPower: 10 }",
      of("energy", "energyImport", HOUR, [900, 905, 3]),
    );
    expect(told(falls)).toEqual([
      "The register of energy taken at Station 4 fell from 905 kWh to 3 kWh between 2026-11-21 01:00 UTC and 2026-11-21 02:00 UTC; a register never falls, unless the meter was exchanged or reset.",
    ]);
    const rule = "metric: energyImport, condition: { type: register, maxPower: { tag: connectionKw, times: 2 } }";
    const jumps = of("energy", "energyImport", HOUR, [900, 940]);
    expect(told(detect(rule, jumps, { connectionKw: "5" }))).toEqual([
      "The register of energy taken at Station 4 rose from 900 kWh to 940 kWh between 2026-11-21 00:00 UTC and 2026-11-21 01:00 UTC; with the power of its connection it could stand at 913 kWh at most.",
    ]);
    expect(detect(rule, jumps, { connectionKw: "50" })).toEqual([]);
    expect(detect(rule, jumps)).toEqual([]);
  });

  it("forecast, with when it is expected", () => {
    const values = Array.from({ length: 17 }, (_, day) => 50 - 2 * day + (day % 2) / 2);
    const found = detect(
      "metric: battery, condition: { type: forecast, below: 10, within: 30d, over: 14d }",
      of("air", "battery", DAY, values),
    );
    expect(told(found)).toEqual([
      "Battery at Station 4 is expected to fall below 10 % around 2026-12-11 14:50 UTC (80 % likely between 2026-12-11 11:08 UTC and 2026-12-11 18:32 UTC): it stood at 22.18 % at 2026-12-06 00:00 UTC, with a trend of -2 percentage points per day over the last 14 d.",
    ]);
    const { at, from, to } = found[0]!.alert.expected!;
    expect(from <= at && at <= to).toBe(true);
  });

  it("lighting", () => {
    // Lamps of 4 kW that are off in the night of the 24th.
    const hours = Array.from({ length: 4 * 24 * 6 + 6 }, (_, i) => i / 6);
    const values = hours.map((hour) => ((hour % 24 < 7.2 || hour % 24 >= 16.3) && hour < 3 * 24 + 14 ? 4 : 0));
    const found = detect(
      "metric: activePower, condition: { type: lighting, fault: dark }",
      of("energy", "activePower", 10 * MINUTE, values),
      {},
      { lat: 50, lon: 0 },
    );
    expect(told(found)).toEqual([
      "Street lights at Station 4 have been dark since 2026-11-24 16:18 UTC (0 kW at 2026-11-24 17:20 UTC): expected on since 2026-11-24 16:18 UTC (by the sun at its place and how it was switched before).",
    ]);
  });

  it("anomaly", () => {
    const values = Array.from({ length: 130 }, (_, hour) => (hour >= 120 ? 400 : 100 + (hour % 5)));
    const found = detect(
      "metric: flow, condition: { type: anomaly, season: none }",
      of("traffic", "flow", HOUR, values),
    );
    expect(told(found)).toEqual([
      "Traffic flow at Station 4 averaged 400 veh/h over the hour to 2026-11-26 02:00 UTC, the second hour in a row outside its usual range, now above 107.9 veh/h (usual at this time: 102 veh/h, from 96.07 veh/h to 107.9 veh/h).",
    ]);
  });

  it("a derived index, with its version and the names of its classes", () => {
    const hours = [5, 5, 70, 5].map((no2, hour) => aReading(T0 + hour * HOUR, { no2, pm25: 2, o3: 20 }));
    const found = detect("metric: europeanAqi, condition: { type: threshold, above: 3 }", hours);
    expect(told(found)[0]).toBe(
      "European air quality index (bands of 2025) at Station 4 was class 4 (poor), from nitrogen dioxide at 70 µg/m³, at 2026-11-21 03:00 UTC, above class 3 (moderate).",
    );
    expect(found[0]!.alert).toMatchObject({ metric: "europeanAqi", unit: "class", value: 4 });
  });
});
