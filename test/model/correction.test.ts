import { describe, expect, it } from "vitest";
import { type Correction, correctReading } from "../../model/correction.ts";
import { createSites } from "../../model/site.ts";
import { aReading, T0 } from "../helpers/readings.ts";

const about = { sensorId: "en-1", from: T0, to: T0 + 1, reason: "a test", by: "anna", at: T0 };
const factor = (id: number, by: number): Correction => ({
  ...about,
  id,
  what: "factor",
  metrics: ["voltage"],
  factor: by,
});
const reading = aReading({ sensorId: "en-1", kind: "energy", values: { voltage: 230, current: 4 } });

describe("a corrected reading", () => {
  it("is suspect by what is usual where its sensor stands", () => {
    const feeder = createSites()({ tags: { nominalVoltage: "10000" } });
    const sent = { ...reading, values: { voltage: 10 }, quality: { voltage: "suspect" as const } };
    expect(correctReading(sent, [factor(1, 1_000)], false, feeder)?.quality).toBeUndefined();
    expect(correctReading(sent, [factor(1, 1_000)])?.quality).toEqual({ voltage: "suspect" });
    expect(correctReading(reading, [factor(1, 1.001)], false, feeder)?.quality).toEqual({ voltage: "suspect" });
  });

  it("leaves out what comes out impossible, and shows what the device said of it", () => {
    const both = [factor(1, 1e308), factor(2, 1e308)];
    expect(correctReading(reading, both)?.values).toEqual({ current: 4 });
    expect(correctReading({ ...reading, values: { voltage: 230 } }, both)).toBeUndefined();
    expect(correctReading(reading, both, true)).toMatchObject({
      values: { voltage: 230 },
      marks: { voltage: "invalid" },
    });
  });

  it("is judged when all corrections are applied", () => {
    expect(correctReading(reading, [factor(1, 10_000), factor(2, 1e-4)])?.values.voltage).toBeCloseTo(230);
  });
});
