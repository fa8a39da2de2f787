import { describe, expect, it } from "vitest";
import { isMetricName, METRICS } from "../../model/metrics.ts";
import { createSites, DEFAULT_SITE, pressureAt, SITE_DEFAULTS } from "../../model/site.ts";
import { isStandInOutside, parseStandIns, standInsWithin } from "../../model/stand-ins.ts";

describe("a site", () => {
  it("expects the pressure of the standard atmosphere", () => {
    // ISO 2533, table of the standard atmosphere.
    for (const [metres, hPa] of [
      [0, 1013.25],
      [1000, 898.75],
      [2000, 794.95],
      [5000, 540.2],
      [-400, 1062.2],
    ] as const) {
      expect(pressureAt(metres)).toBeCloseTo(hPa, 0);
    }
  });

  it("is the city's where a sensor says nothing, or nothing that can be read", () => {
    const siteOf = createSites({ ...SITE_DEFAULTS, nominalFrequency: 60, altitudeM: 2240 });
    const city = siteOf(undefined);
    expect(city.frequency).toEqual([58.8, 61.2]);
    expect(city.pressure[0]).toBeLessThan(770);
    expect(city.pressure[1]).toBeLessThan(900);
    const none: Record<string, string>[] = [
      {},
      { nominalVoltage: "high" },
      { altitude: "1e9" },
      { nominalVoltage: "0" },
    ];
    for (const tags of none) expect(siteOf({ tags })).toEqual(city);
  });

  it("is a sensor's own by its tags, worked out once", () => {
    const siteOf = createSites();
    const sensor = { tags: { nominalVoltage: "400", standIns: "voltage=1, 2;x" } };
    const site = siteOf(sensor);
    expect(site.voltage[0]).toBeCloseTo(340);
    expect(site.frequency).toEqual(DEFAULT_SITE.frequency);
    expect(site.standIns).toEqual(new Map([["voltage", [1, 2]]]));
    expect(siteOf(sensor)).toBe(site);
  });
});

describe("stand-ins", () => {
  it("within a metric's range are few, and of metrics that there are", () => {
    for (const [name, { fail }] of Object.entries(METRICS)) {
      const { missing, suspect } = standInsWithin(name, fail);
      expect(missing.length + suspect.length).toBeLessThan(16);
      for (const value of [...missing, ...suspect]) expect(value >= fail[0] && value <= fail[1]).toBe(true);
    }
    expect(isMetricName("activePower")).toBe(true);
    expect(standInsWithin("nothing", [0, 1])).toEqual({ missing: [], suspect: [] });
  });

  it("outside it are the usual ones, and those of the metric", () => {
    for (const value of [-127, 85, 127, 327.67, 3276.7, 6553.5, 655.35, 65_535, 32_767, -32_768, 4_294_967_295]) {
      expect(isStandInOutside("temperature", value)).toBe(true);
    }
    for (const value of [255, 254, -1, 999, -999, 9999]) expect(isStandInOutside("battery", value)).toBe(true);
    expect(isStandInOutside("pressure", 0)).toBe(true);
    expect(isStandInOutside("temperature", 294.15)).toBe(false);
  });

  it("of a sensor are read from its tag, and bounded", () => {
    expect(parseStandIns("temperature=-55,0 ; pm25 = 0.5")).toEqual(
      new Map([
        ["temperature", [-55, 0]],
        ["pm25", [0.5]],
      ]),
    );
    expect(parseStandIns("=1;a=;b=x;;c")).toEqual(new Map());
    expect(parseStandIns(`a=${"1,".repeat(1000)}1`).get("a")).toHaveLength(20);
  });
});
