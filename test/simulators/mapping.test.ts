import { describe, expect, it } from "vitest";
import {
  builtInMappings,
  fileSpec,
  loadMapping,
  matchAll,
  parseMapping,
  RecordingError,
  readMapping,
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

describe("patterns", () => {
  it("give up after a second, and say which", () => {
    expect(matchAll("^c(?<n>\\d+)$", ["C7", "x"])).toEqual([{ n: "7" }, null]);
    for (const pattern of ["^(a+)+$", "^(a|a)*$", "^(\\w|\\d|_)*!$"]) {
      const began = performance.now();
      expect(() => matchAll(pattern, [`${"a1".repeat(40)}?`, `${"a".repeat(42)}!?`])).toThrow(/takes too long/);
      expect(performance.now() - began).toBeLessThan(5_000);
    }
  });
});

describe("mappings", () => {
  it("are all valid and named like their files", () => {
    expect(builtInMappings().length).toBe(10);
    for (const name of builtInMappings()) expect(loadMapping(name).name).toBe(name);
  });

  it("name the mistake: unit, metric of another kind, unknown metric, zone, pattern, stray key", () => {
    expect(() => parseMapping({ ...about, files: [file] })).not.toThrow();
    expect(() => parseMapping(withMetric({ metric: "pm25", unit: "mph" }))).toThrow(
      /no conversion from mph for pm25; it comes in µg\/m³/,
    );
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

const YAML = `
files:
  - time: { columns: [when], patterns: [DD.MM.YYYY HH:mm], zone: Europe/Paris, stamp: end, stepS: 900 }
    district: north
    decimal: ","
    thousands: .
    missing: [-999, n/a]
    readings:
      - sensor: "{station}"
        kind: energy
        metrics:
          - { column: load, metric: activePower, unit: kWh/interval }
          - { column: cos phi, metric: powerFactor, unit: "%" }
`;

describe("mappings in YAML", () => {
  it("need no more than what cannot be known", () => {
    const mapping = readMapping(YAML);
    expect(mapping).toMatchObject({ form: "table", name: "mapping" });
    const { spec } = fileSpec(mapping as never, "whatever.txt");
    expect(spec).toMatchObject({ match: ".", decimal: ",", thousands: ".", missing: ["-999", "n/a"], skip: 0 });
  });

  it("are the same in JSON", () => {
    const { files } = readMapping(YAML) as { files: unknown };
    expect(readMapping(JSON.stringify({ files }, undefined, "\t"))).toEqual(readMapping(YAML));
  });

  it.each([
    [
      "unit: kWh/interval",
      "unit: furlong",
      /line 12, files.0.readings.0.metrics.0.unit: no conversion from furlong for activePower; it comes in kW, W, .*kWh\/15min/,
    ],
    [", stepS: 900", "", /line 12, .*no conversion from kWh\/interval for activePower \(with "stepS" in "time"\)/],
    ["metric: powerFactor", "metric: cosPhi", /line 13, .*not a metric .*energy: activePower reactivePower/],
    [
      "metric: powerFactor",
      "metric: speed",
      /line 13, .*speed is not a metric of energy sensors; they have activePower/,
    ],
    ["kind: energy", "kind: water", /line 10, .*kind: .*"air"\|"traffic"\|"energy"/],
    ["zone: Europe/Paris", "zone: Paris", /line 3, files.0.time.zone: neither an IANA time zone/],
    ["zone: Europe/Paris, ", "", /line 3, files.0.time.zone: is missing: times in these patterns/],
    ["DD.MM.YYYY HH:mm", "daily", /line 3, files.0.time.patterns.0: neither one of iso, epoch-s/],
    ["stamp: end", "stamp: middle", /line 3, files.0.time.stamp: .*"start"\|"end"/],
    ["    district: north\n", "    town: north\n", /line \d+, files.0.*district|Unrecognized key: "town"/],
    ["readings:", "readings: [", /line \d+: /],
  ])("%s as %s: the mistake, its line and what is allowed", (right, wrong, message) => {
    expect(() => readMapping(YAML.replace(right, wrong))).toThrow(message);
  });
});
