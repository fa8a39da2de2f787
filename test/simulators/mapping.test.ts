import { describe, expect, it } from "vitest";
import {
  builtInMappings,
  conversion,
  fileSpec,
  loadMapping,
  parseMapping,
  RecordingError,
} from "../../simulators/mapping.ts";

const about = { name: "m", title: "t", source: "s", form: "table" };
const file = {
  match: "csv$",
  time: { columns: ["t"], patterns: ["iso"], zone: "UTC" },
  district: "d",
  readings: [{ sensor: "s", kind: "air", metrics: [{ column: "a", metric: "pm25", unit: "µg/m³" }] }],
};
const withMetric = (metric: object) => ({
  ...about,
  files: [{ ...file, readings: [{ sensor: "s", kind: "air", metrics: [{ column: "a", ...metric }] }] }],
});

describe("mappings", () => {
  it("are all valid and named like their files", () => {
    expect(builtInMappings().length).toBe(10);
    for (const name of builtInMappings()) expect(loadMapping(name).name).toBe(name);
  });

  it("name the mistake: unit, metric of another kind, unknown metric, zone, pattern, stray key", () => {
    expect(() => parseMapping({ ...about, files: [file] })).not.toThrow();
    expect(() => parseMapping(withMetric({ metric: "pm25", unit: "mph" }))).toThrow(/no conversion from mph for pm25/);
    expect(() => parseMapping(withMetric({ metric: "speed", unit: "km/h" }))).toThrow(/speed is not a metric of air/);
    expect(() => parseMapping(withMetric({ metric: "plate", unit: "" }))).toThrow(/not a metric/);
    expect(() => parseMapping({ ...about, files: [{ ...file, match: "(" }] })).toThrow(RecordingError);
    expect(() => parseMapping({ ...about, files: [{ ...file, timezone: "UTC" }] })).toThrow(RecordingError);
    const time = { ...file.time, zone: "Mars/Base" };
    expect(() => parseMapping({ ...about, files: [{ ...file, time }] })).toThrow(RecordingError);
  });

  it("say what there is when a name is unknown", () => {
    expect(() => loadMapping("beijing")).toThrow(/beijing-multisite.*uci-household/);
    expect(() => loadMapping("/nowhere/mine.json")).toThrow(/cannot be read/);
  });

  it("choose the entry by the file's name, gzipped or not, also for files nobody has seen", () => {
    const nab = loadMapping("nab") as never;
    expect(fileSpec(nab, "/x/occupancy_6005.csv").groups).toEqual({ station: "6005" });
    expect(fileSpec(nab, "speed_7578.csv.gz").groups).toEqual({ station: "7578" });
    expect(fileSpec(nab, "TravelTime_387.csv").groups).toEqual({ station: "387" });
    expect(fileSpec(loadMapping("ett-transformer") as never, "ETTm2.csv").groups).toEqual({ transformer: "ETTm2" });
    expect(() => fileSpec(nab, "nyc_taxi.csv")).toThrow(/no entry for a file of this name/);
  });
});

describe("units", () => {
  it.each([
    ["mph", "speed", 60, 96.56064],
    ["°F", "enclosureTemperature", 212, 100],
    ["°F", "temperature", -40, -40],
    ["µg/m³", "co", 10_000, 10],
    ["veh/5min", "flow", 12, 144],
    ["ppb NO2", "no2", 100, 191.25],
    ["Pa", "pressure", 101_325, 1013.25],
    ["W", "activePower", 1500, 1.5],
    ["share", "occupancy", 0.125, 12.5],
    ["µg/m³", "pm25", 12.345678901, 12.345678901],
  ] as const)("%s of %s: %d is %d", (unit, metric, value, expected) => {
    expect(conversion(unit, metric)!(value)).toBe(expected);
  });

  it("does not guess", () => {
    expect(conversion("mph", "co")).toBeUndefined();
    expect(conversion("ppb NO2", "o3")).toBe(undefined);
  });
});
