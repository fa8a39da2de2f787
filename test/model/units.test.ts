import { describe, expect, it } from "vitest";
import { METRIC_NAMES, METRICS } from "../../model/metrics.ts";
import { conversion, unitsFor } from "../../model/units.ts";

describe("units", () => {
  it.each([
    ["mph", "speed", 60, 96.56064],
    ["m/s", "speed", 10, 36],
    ["knots", "speed", 10, 18.52],
    ["°F", "enclosureTemperature", 212, 100],
    ["°F", "temperature", -40, -40],
    ["degF", "temperature", 32, 0],
    ["K", "temperature", 273.15, 0],
    ["µg/m³", "co", 10_000, 10],
    ["ug/m3", "pm25", 12, 12],
    ["μg m-3", "pm10", 12, 12],
    ["ug.m-3", "pm10", 12, 12],
    ["µg·m⁻³", "pm10", 12, 12],
    ["µg-m3", "no2", 12, 12],
    ["mg.m-3", "pm10", 0.05, 50],
    ["m·s-1", "speed", 10, 36],
    ["km h⁻¹", "speed", 36, 36],
    ["mg/m3", "pm10", 0.05, 50],
    ["veh/5min", "flow", 12, 144],
    ["veh/30s", "flow", 1, 120],
    ["vehicles per hour", "flow", 7, 7],
    ["ppb NO2", "no2", 100, 191.25],
    ["ppb", "no2", 100, 191.25],
    ["ppm", "no2", 0.1, 191.25],
    // 24.465 l/mol instead of 24.055.
    ["ppb (25 °C)", "no2", 100, 188.042722],
    ["ppm", "co", 1, 1.1644],
    ["ppb", "co", 1000, 1.1644],
    ["ppb", "co2", 420_000, 420],
    ["Pa", "pressure", 101_325, 1013.25],
    ["kPa", "pressure", 101.325, 1013.25],
    ["inHg", "pressure", 29.92, 1013.207589],
    ["W", "activePower", 1500, 1.5],
    ["KW", "activePower", 3, 3],
    ["kWh/15min", "activePower", 2, 8],
    ["Wh/min", "activePower", 50, 3],
    ["kWh / 0.5 h", "activePower", 2, 4],
    ["kvarh/15min", "reactivePower", 1, 4],
    ["MJ", "energyImport", 3.6, 1],
    ["share", "occupancy", 0.125, 12.5],
    ["%", "powerFactor", 95, 0.95],
    ["mA", "current", 1500, 1.5],
    ["mV", "batteryVoltage", 3300, 3.3],
    ["µg/m³", "pm25", 12.345678901, 12.345678901],
    ["as is", "activePower", -3, -3],
  ] as const)("%s of %s: %d is %d", (unit, metric, value, expected) => {
    expect(conversion(unit, metric)!(value)).toBe(expected);
  });

  it("knows the length of an interval where it is told", () => {
    expect(conversion("kWh/interval", "activePower", 1800)!(2)).toBe(4);
    expect(conversion("veh/interval", "flow", 300)!(12)).toBe(144);
    expect(conversion("kWh/interval", "activePower")).toBeUndefined();
  });

  it.each([
    ["mph", "co"],
    ["ppb NO2", "o3"],
    ["ppb", "pm25"],
    ["kWh", "activePower"],
    // Milliwatt or megawatt: case decides, so another case is neither.
    ["Mw", "activePower"],
    ["m/h", "speed"],
    ["furlong", "speed"],
    ["kWh/5m", "activePower"],
    ["%", "rssi"],
    ["", "pm25"],
  ] as const)("%s of %s: does not guess", (unit, metric) => expect(conversion(unit, metric)).toBeUndefined());

  it("names units that it takes, for every metric, its own first", () => {
    for (const metric of METRIC_NAMES) {
      expect(unitsFor(metric)[0]).toBe(METRICS[metric].unit);
      for (const unit of unitsFor(metric)) expect(conversion(unit, metric, 60), `${unit} ${metric}`).toBeDefined();
    }
    expect(unitsFor("no2")).toContain("ppb");
    expect(unitsFor("pm25")).not.toContain("ppb");
  });
});
