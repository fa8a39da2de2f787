import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aReading, T0 } from "../helpers/readings.ts";
import { startService } from "./service.ts";

let service: ReturnType<typeof startService>;
beforeEach(() => {
  service = startService();
  service.stored.push(
    ...[0, 1, 2].map((i) =>
      aReading({
        sensorId: "air-1",
        district: "north",
        measuredAt: T0 - 60_000 * (3 - i),
        values: { pm25: 10 + i, no2: 30 },
      }),
    ),
  );
});
afterEach(() => service.close());

const iso = (time: number) => new Date(time).toISOString();
const FACTOR = {
  from: iso(T0 - 3_600_000),
  to: iso(T0),
  what: "factor",
  metrics: ["pm25"],
  factor: 0.1,
  reason: "sent in tenths",
};
const post = (body: object, query = "", name = "operator") =>
  service.as(name, "POST", `/api/v1/sensors/air-1/corrections${query}`, body);
const list = async () => (await service.as("viewer", "GET", "/api/v1/sensors/air-1/corrections")).json().items;

describe("POST /sensors/{id}/corrections", () => {
  it("makes one, says what it changes and writes that down", async () => {
    const answer = await post(FACTOR);
    expect(answer.statusCode).toBe(201);
    expect(answer.json()).toMatchObject({
      correction: { id: 1, sensorId: "air-1", what: "factor", factor: 0.1, by: "operator", at: iso(T0) },
      effect: {
        readings: 3,
        hours: 1,
        alerts: 0,
        examples: [
          {
            before: { measuredAt: iso(T0 - 180_000), values: { pm25: 10, no2: 30 } },
            after: { measuredAt: iso(T0 - 180_000), values: { pm25: 1, no2: 30 } },
          },
          {},
          {},
        ],
      },
    });
    expect(service.records.audit.list(10).items).toMatchObject([
      { by: "operator", what: "correction.add", target: "air-1 1", detail: expect.stringContaining("sent in tenths") },
    ]);
    expect(service.records.audit.verify().brokenAt).toBeUndefined();
    expect(await list()).toMatchObject([{ id: 1, what: "factor", metrics: ["pm25"], reason: "sent in tenths" }]);
  });

  it("changes nothing when it is asked for again", async () => {
    await post(FACTOR);
    const again = await post(FACTOR);
    expect(again.statusCode).toBe(200);
    expect(again.json()).toMatchObject({ correction: { id: 1 } });
    expect(again.json().effect).toBeUndefined();
    expect(service.records.audit.list(10).items).toHaveLength(1);
  });

  it("shows a moment that came in two messages as the one reading that it is", async () => {
    const moment = { sensorId: "air-1", district: "north", measuredAt: T0 - 60_000 };
    service.stored.splice(
      2,
      1,
      aReading({ ...moment, journalSeq: 8, values: { pm25: 12 } }),
      aReading({ ...moment, journalSeq: 9, part: 1, values: { no2: 30 } }),
    );
    const answer = await post({ ...FACTOR, from: iso(T0 - 60_000), what: "invalid", factor: undefined });
    expect(answer.json().effect).toMatchObject({
      readings: 1,
      examples: [
        {
          before: { measuredAt: iso(T0 - 60_000), values: { pm25: 12, no2: 30 } },
          after: { measuredAt: iso(T0 - 60_000), values: { no2: 30 } },
        },
      ],
    });
  });

  it("only says what would change in a dry run", async () => {
    const answer = await post({ ...FACTOR, what: "invalid", factor: undefined, metrics: undefined }, "?dryRun=true");
    expect(answer.statusCode).toBe(200);
    expect(answer.json().effect).toMatchObject({ readings: 3, hours: 1 });
    expect(answer.json().effect.examples[0]).toEqual({
      before: { measuredAt: iso(T0 - 180_000), values: { pm25: 10, no2: 30 } },
    });
    expect(await list()).toEqual([]);
    expect(service.records.rollups.due("hourly", T0 + 1, 10)).toEqual([]);
  });

  it("writes down the hours a shift leaves and those it comes to", async () => {
    const shift = { from: iso(T0 - 3_600_000), to: iso(T0), what: "shift", shiftS: -7_200, reason: "summer time" };
    expect((await post(shift)).json().effect).toMatchObject({ readings: 6, hours: 2 });
    const starts = service.records.rollups.due("hourly", T0 + 1, 10).map(({ start }) => start);
    expect([...new Set(starts)]).toEqual([T0 - 3 * 3_600_000, T0 - 3_600_000]);
  });

  it.each([
    ["/to", { to: iso(T0 - 7_200_000) }],
    ["/to", { to: iso(T0 + 2 * 86_400_000) }],
    ["/from", { from: iso(T0 + 1), to: iso(T0 + 2) }],
    ["/from", { from: "yesterday" }],
    ["/metrics", { metrics: ["flow"] }],
    ["/metrics", { metrics: undefined }],
    ["/factor", { factor: undefined }],
    ["/factor", { factor: 0 }],
    ["/value", { value: 3 }],
    ["/shiftS", { what: "shift", factor: undefined, metrics: undefined }],
    ["/metrics", { what: "shift", factor: undefined, shiftS: 5 }],
    ["/reason", { reason: " " }],
    ["/what", { what: "delete" }],
  ])("refuses what makes no sense, at %s", async (pointer, change) => {
    const answer = await post({ ...FACTOR, ...change });
    expect(answer.statusCode).toBe(400);
    expect(answer.json().errors[0].pointer).toBe(pointer);
  });

  it("has a limit for each sensor, of those in force", async () => {
    for (let i = 1; i <= 100; i++) expect((await post({ ...FACTOR, factor: 1 + i / 1e5 })).statusCode).toBe(201);
    expect((await post({ ...FACTOR, factor: 1.1 })).statusCode).toBe(409);
    await service.as("operator", "POST", "/api/v1/corrections/1/revoke", { reason: "too many" });
    expect((await post({ ...FACTOR, factor: 1.1 })).statusCode).toBe(201);
  });

  it.each([
    ["factor", { factor: 1e308 }, "pm25 would be Infinity; possible is -5 to 1000"],
    ["factor", { factor: 100 }, "pm25 would be 1100; possible is -5 to 1000"],
    ["value", { what: "value", factor: undefined, value: 1e9 }, "pm25 would be 1000000000; possible is -5 to 1000"],
    ["value", { what: "value", factor: undefined, value: -6 }, "pm25 would be -6"],
  ])("refuses a %s that comes to what is impossible", async (field, change, words) => {
    const answer = await post({ ...FACTOR, ...change });
    expect(answer.statusCode).toBe(400);
    expect(answer.json().errors[0]).toMatchObject({ pointer: `/${field}`, detail: expect.stringContaining(words) });
    expect(await list()).toEqual([]);
  });

  it("is read and can be revoked whatever is in force", async () => {
    const range = { sensorId: "air-1", from: T0 - 3_600_000, to: T0 };
    const about = { reason: "a test", by: "operator", at: T0 };
    service.records.corrections.add({ ...range, ...about, what: "factor", metrics: ["pm25"], factor: 1e308 });
    const revoked = await service.as("operator", "POST", "/api/v1/corrections/1/revoke", { reason: "too much" });
    expect(revoked.statusCode).toBe(200);
    expect(revoked.json().effect.examples[0]).toMatchObject({
      before: { values: { no2: 30 } },
      after: { values: { pm25: 10, no2: 30 } },
    });
  });
});

describe("POST /corrections/{id}/revoke", () => {
  it("takes it back, once, and keeps it in the list", async () => {
    await post(FACTOR);
    const revoke = () => service.as("admin", "POST", "/api/v1/corrections/1/revoke", { reason: "it was right" });
    expect((await revoke()).json()).toMatchObject({
      correction: { id: 1, revokedBy: "admin", revokeReason: "it was right" },
      effect: { readings: 3, hours: 1 },
    });
    const again = await revoke();
    expect(again.statusCode).toBe(200);
    expect(again.json().effect).toBeUndefined();
    expect(await list()).toMatchObject([{ id: 1, revokedAt: iso(T0) }]);
    expect(service.records.corrections.active("air-1")).toEqual([]);
  });

  it("is refused where its readings are gone and their hours were computed with it", async () => {
    const shift = { from: iso(T0 - 3_600_000), to: iso(T0), what: "shift", shiftS: -7_200, reason: "summer time" };
    await post(shift);
    service.stored.length = 0;
    service.records.rollups.beginCut("air", "raw", T0);
    service.records.rollups.endCut("air", "raw", true);
    const answer = await service.as("admin", "POST", "/api/v1/corrections/1/revoke", { reason: "it was right" });
    expect(answer.statusCode).toBe(409);
    expect(answer.json().detail).toMatch(/ to 2026-11-21T10:00:00.000Z were computed .* cannot be brought back\.$/);
    expect(await list()).toMatchObject([{ id: 1, what: "shift" }]);
  });

  it("answers 404 where there is none", async () => {
    expect((await service.as("admin", "POST", "/api/v1/corrections/7/revoke", { reason: "none" })).statusCode).toBe(
      404,
    );
  });
});
