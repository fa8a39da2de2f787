import { describe, expect, it } from "vitest";
import { type Calibration, calibrate } from "../../model/calibration.ts";
import { aReading, T0 } from "../helpers/readings.ts";

const aCalibration = (fields: Partial<Calibration> = {}): Calibration => ({
  ...{
    id: 1,
    sensorId: "air-1",
    metric: "no2",
    factor: 2,
    offset: 1,
    from: T0,
    certificate: "lab",
    by: "anna",
    at: T0,
  },
  ...fields,
});

describe("a calibrated reading", () => {
  it("has the right value, what the device said beside it, and is judged by the right one", () => {
    const said = aReading({ values: { no2: 250, pm25: 3 } });
    expect(calibrate(said, [aCalibration()])).toEqual({
      ...said,
      values: { no2: 501, pm25: 3 },
      quality: { no2: "suspect" },
      raw: { no2: 250 },
    });
    const suspect = aReading({ values: { no2: 450 }, quality: { no2: "suspect" } });
    expect(calibrate(suspect, [aCalibration({ factor: 0.5 })])).not.toHaveProperty("quality");
  });

  it.each([
    ["measured before it is valid", { from: T0 + 1 }],
    ["measured after it was valid", { from: T0 - 9, to: T0 }],
    ["received before anybody said so", { at: T0 + 251 }],
    ["received after it was ended", { endedAt: T0 + 250 }],
    ["without that metric", { metric: "o3" as const }],
  ])("is as it was where it was %s", (_, fields) => {
    const said = aReading({ values: { no2: 20 } });
    expect(calibrate(said, [aCalibration(fields)])).toBe(said);
  });

  it("goes by the newest that is valid", () => {
    const both = [aCalibration(), aCalibration({ id: 2, factor: 3, offset: 0 })];
    expect(calibrate(aReading({ values: { no2: 20 } }), both).values.no2).toBe(60);
    expect(calibrate(aReading({ values: { no2: 20 } }), [both[0]!, { ...both[1]!, endedAt: T0 }]).values.no2).toBe(41);
  });
});
