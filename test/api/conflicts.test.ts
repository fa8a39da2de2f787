import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ApiDeps } from "../../api/deps.ts";
import type { Reading } from "../../model/reading.ts";
import { aReading, T0 } from "../helpers/readings.ts";
import { startService } from "./service.ts";

const HOUR = 3_600_000;
const about = { sensorId: "air-1", reason: "a test", by: "operator", at: T0 };

/** air-1 sent 10, 20 and 30, an hour apart, and of the second moment 99, too. */
const moments = [3, 2, 1].map((hours) => T0 - hours * HOUR);
let raw: Reading["raw"];
const conflictOf: ApiDeps["conflictOf"] = () =>
  aReading({ measuredAt: moments[1]!, values: { pm25: 99 }, ...(raw ? { raw } : {}) });

let service: ReturnType<typeof startService>;
beforeEach(() => {
  raw = undefined;
  service = startService({ conflictOf });
  for (const [i, measuredAt] of moments.entries()) {
    service.stored.push(aReading({ measuredAt, values: { pm25: 10 * (i + 1) }, journalSeq: i + 1 }));
  }
  service.records.quarantine.add([
    {
      reason: "conflict",
      detail: "another value",
      sensorId: "air-1",
      kind: "air",
      district: "north",
      metric: "pm25",
      measuredAt: moments[1]!,
      payload: Buffer.from("99"),
      topic: "city/north/air/air-1",
      source: { via: "mqtt", role: "gateway", name: "gw-north" },
      receivedAt: T0,
      journalSeq: 4,
      index: 0,
    },
  ]);
});
afterEach(() => service.close());

const decide = (decision: string) =>
  service.as("operator", "POST", "/api/v1/quarantine/1/decide", { decision, reason: "the later one is right" });
const revoke = (id: number) =>
  service.as("operator", "POST", `/api/v1/corrections/${id}/revoke`, { reason: "it was right" });
const read = () => service.stored.map((one) => service.deps.corrections.read(one)?.values.pm25);

describe("POST /quarantine/{id}/decide", () => {
  it("takes the value for the moment the device meant, also where its time was moved", async () => {
    service.records.corrections.add({ ...about, from: moments[0]!, to: T0, what: "shift", shiftS: -3_600 });
    expect((await decide("take")).statusCode).toBe(200);
    expect(read()).toEqual([10, 99, 30]);
  });

  it("takes the value in the unit that the device has it in", async () => {
    const tenths = { what: "factor" as const, metrics: ["pm25" as const], factor: 0.1 };
    service.records.corrections.add({ ...about, from: moments[0]!, to: T0, ...tenths });
    expect((await decide("take")).statusCode).toBe(200);
    expect(read()[1]).toBeCloseTo(9.9);
  });

  it("shows beside a calibrated value what the device said of the one that was taken", async () => {
    raw = { pm25: 90 };
    service.stored[1] = { ...service.stored[1]!, raw: { pm25: 18 } };
    await decide("take");
    expect(service.deps.corrections.read(service.stored[1]!)).toMatchObject({
      values: { pm25: 99 },
      raw: { pm25: 90 },
    });
  });

  it("says so where the moment is marked as invalid", async () => {
    service.records.corrections.add({ ...about, from: moments[0]!, to: T0, what: "invalid" });
    const answer = await decide("take");
    expect(answer.statusCode).toBe(409);
    expect(answer.json().detail).toContain("marked as invalid");
  });

  it("is decided anew once its correction is revoked", async () => {
    await decide("take");
    expect(read()).toEqual([10, 99, 30]);
    expect((await decide("keep")).statusCode).toBe(409);
    await revoke(1);
    expect(read()).toEqual([10, 20, 30]);
    expect((await decide("take")).statusCode).toBe(200);
    expect(read()).toEqual([10, 99, 30]);
    await revoke(2);
    expect((await decide("keep")).json()).toMatchObject({ decision: "keep" });
    expect(read()).toEqual([10, 20, 30]);
  });

  it("takes a value once, however often it is asked for", async () => {
    await decide("take");
    expect((await decide("take")).statusCode).toBe(200);
    expect(service.records.corrections.active("air-1")).toHaveLength(1);
  });
});
