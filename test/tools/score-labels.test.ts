import { describe, expect, it } from "vitest";
import { loadMapping } from "../../simulators/mapping.ts";
import { parseLabels, resolveLabel } from "../../tools/score-labels.ts";

const first = (value: unknown, dataset?: string) => parseLabels(value, dataset)[0]!;

describe("labels of a recording", () => {
  it("reads NAB windows in the recording's zone: Minneapolis in summer is five hours behind", () => {
    const raw = first({ "realTraffic/occupancy_6005.csv": [["2015-09-16 00:59:00.000000", "2015-09-16 13:19:00"]] });
    expect(resolveLabel(raw, loadMapping("nab"), new Set(["occupancy-6005"]))).toEqual({
      file: "occupancy_6005.csv",
      sensorIds: ["occupancy-6005"],
      type: "event",
      from: Date.UTC(2015, 8, 16, 5, 59),
      to: Date.UTC(2015, 8, 16, 18, 19),
      moment: Date.UTC(2015, 8, 16, 5, 59),
      floor: false,
    });
  });

  it("finds sensor and metric of a column whose station stands in the row", () => {
    const fault = { file: "PRSA_Data_Gucheng_20130301.csv.gz", column: "O3", type: "flatline" };
    const raw = first([{ ...fault, start: "2013-03-13T14:00:00", end: "2013-03-14T13:00:00" }]);
    const label = resolveLabel(raw, loadMapping("beijing-multisite"), new Set(["beijing-gucheng"]));
    expect(label).toMatchObject({ sensorIds: ["beijing-gucheng"], metric: "o3", from: Date.UTC(2013, 2, 13, 6) });
  });

  it("finds the one sensor of a column among many of the same file", () => {
    const seen = new Set(["etth2-high", "etth2-low", "etth2-oil"]);
    const raw = first([{ file: "ETTh2.csv", column: "LULL", type: "flatline", start: "2017-07-23T21:00:00" }]);
    expect(resolveLabel(raw, loadMapping("ett-transformer"), seen)).toMatchObject({
      sensorIds: ["etth2-low"],
      metric: "reactivePower",
    });
    const speed = first([{ file: "los_speed.csv", column: "718076", type: "flatline>=1h", start: "row 12" }]);
    expect(resolveLabel(speed, loadMapping("metr-la-week"), new Set(["la-718076", "la-773869"]))).toMatchObject({
      sensorIds: ["la-718076"],
      metric: "speed",
      from: Date.UTC(2012, 2, 1, 9),
    });
  });

  it("counts readings as the index column does, and takes a column that names a sensor", () => {
    const fault = { file: "data.csv", column: "mote 1", type: "labelled_event", start: "reading 2441" };
    const label = resolveLabel(first([fault]), loadMapping("suthaharan-wsn"), new Set(["mote-1", "mote-2"]));
    expect(label).toMatchObject({ sensorIds: ["mote-1"], type: "event", from: Date.UTC(2010, 6, 10) + 2440 * 5000 });
  });

  it("says which label cannot be used, and leaves out what has no time or is of another data set", () => {
    const raw = first([
      { file: "AirQuality.csv", column: "NOx(GT)", type: "sentinel_-200_gap", start: "2004-09-07T12:00:00" },
    ]);
    expect(resolveLabel(raw, loadMapping("uci-air-quality"), new Set(["italy-roadside"]))).toBe(
      "no metric for the column NOx(GT)",
    );
    const list = [
      { dataset: "a", file: "x.csv", type: "saturation_10000", n: 5 },
      { dataset: "b", file: "x.csv", type: "gap", start: "2004-09-07T12:00:00" },
    ];
    expect(parseLabels(list, "a")).toEqual([]);
    expect(() => parseLabels({ "x.csv": "a window" })).toThrow(/labels are/);
  });
});
