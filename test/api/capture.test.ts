import { describe, expect, it } from "vitest";
import { captureOf, sumOf } from "../../api/capture.ts";
import type { ApiDeps } from "../../api/deps.ts";
import { DAY_MS, HOUR_MS } from "../../model/time.ts";
import { createZone } from "../../model/zone.ts";
import { T0 } from "../helpers/readings.ts";
import { startService } from "./service.ts";

const MINUTE = 60_000;
const START = Date.UTC(2025, 0, 1);
const hoursOf = (days: number, count: (hour: number) => number, from = START) =>
  Array.from({ length: days * 24 }, (_, i) => ({ at: from + i * HOUR_MS, count: count(i) })).filter(
    (one) => one.count > 0,
  );
const part = (days: number, count: (hour: number) => number) => ({
  stepMs: HOUR_MS,
  from: START,
  to: START + days * DAY_MS,
  heard: hoursOf(days, count),
});
const whole = (days: number) => [START, START + days * DAY_MS];

describe("data capture", () => {
  it("counts what came of what a declared interval asks for, and too much of one hour makes up for no other", () => {
    const half = part(10, (hour) => (hour % 2 === 0 ? 60 : 30));
    const [one] = captureOf([half], whole(10), MINUTE);
    expect(one).toMatchObject({ values: 10_800, expected: 14_400, share: 0.75, hours: 240, validHours: 120, gaps: 0 });
    const [twice] = captureOf([part(10, (hour) => (hour % 2 === 0 ? 120 : 30))], whole(10), MINUTE);
    expect(twice!.share).toBeCloseTo(0.758, 3);
  });

  it("takes a new interval for no loss, be it shorter or longer, and a silence for one", () => {
    const faster = part(10, (hour) => (hour < 100 ? 60 : 360));
    expect(captureOf([faster], whole(10), undefined)[0]!.share).toBeGreaterThan(0.999);
    const slower = part(10, (hour) => (hour < 100 ? 360 : 60));
    expect(captureOf([slower], whole(10), undefined)[0]!.share).toBeGreaterThan(0.999);
    const silent = part(10, (hour) => (hour >= 48 && hour < 72 ? 0 : 60));
    expect(captureOf([silent], whole(10), undefined)[0]).toMatchObject({
      share: 0.9,
      gaps: 1,
      gapMs: DAY_MS,
      longestGapMs: DAY_MS,
    });
  });

  it("knows a sensor that sends every six hours, and says nothing of one that was hardly heard", () => {
    const rare = part(10, (hour) => (hour % 6 === 0 && hour !== 60 ? 1 : 0));
    const [one] = captureOf([rare], whole(10), undefined);
    expect(one!.share).toBeCloseTo(39 / 40, 3);
    expect(one!.hours).toBeUndefined();
    const [hardly] = captureOf([part(10, (hour) => (hour < 2 ? 1 : 0))], whole(10), undefined);
    expect(hardly).toMatchObject({ values: 2 });
    expect(hardly!.share).toBeUndefined();
  });

  it("gives each month what lies in it, and the year the sum of it", () => {
    const bounds = [START, START + 5 * DAY_MS, START + 10 * DAY_MS];
    const months = captureOf([part(10, (hour) => (hour >= 108 && hour < 132 ? 0 : 60))], bounds, MINUTE);
    expect(months).toMatchObject([
      { gaps: 1, gapMs: 12 * HOUR_MS, share: 0.9 },
      { gaps: 0, gapMs: 12 * HOUR_MS, share: 0.9 },
    ]);
    expect(sumOf(months)).toMatchObject({ gaps: 1, gapMs: DAY_MS, share: 0.9, expected: 14_400 });
  });
});

/** Every hour of this sensor has sixty values, but for those of one day. */
function storeOf(lost: number): ApiDeps["store"] {
  return {
    latest: async () => [],
    stream: async function* () {},
    aggregate: async ({ from, to, everyMs }) => {
      const buckets = [];
      for (let at = Math.ceil(from / everyMs) * everyMs; at < to; at += everyMs) {
        const count = everyMs === DAY_MS ? 1_440 : 60;
        if (everyMs === DAY_MS || at < lost || at >= lost + DAY_MS)
          buckets.push({ start: at, values: { pm25: { mean: 1, min: 1, max: 1, count } } });
      }
      return buckets;
    },
  };
}

describe("GET /capture", () => {
  it("has a row for each sensor and metric by the city's months, and says what it does not know", async () => {
    const lost = Date.UTC(2025, 10, 10);
    const service = startService({ store: storeOf(lost), zone: createZone("Europe/Madrid") });
    const { records, as } = service;
    const base = { kind: "air", district: "north", tags: {}, createdAt: Date.UTC(2020, 0, 1) } as const;
    records.sensors.add({ ...base, id: "air-2", intervalS: 60 });
    records.sensors.add({ ...base, id: "air-3", district: "south" });
    records.rollups.beginCut("air", "hourly", Date.UTC(2025, 2, 1));
    records.rollups.endCut("air", "hourly", true);
    const mistake = { what: "invalid", reason: "Calibration", by: "operator", at: T0 } as const;
    records.corrections.add({ ...mistake, sensorId: "air-2", from: lost, to: lost + HOUR_MS });

    const first = (await as("viewer", "GET", "/api/v1/capture?year=2025&limit=2")).json();
    expect(first).toMatchObject({ year: 2025, zone: "Europe/Madrid", silent: [] });
    expect(first.items.map((row: { sensorId: string }) => row.sensorId)).toEqual(["air-1", "air-2"]);
    const [, row] = first.items;
    expect(row).toMatchObject({ metric: "pm25", intervalS: 60, unknown: ["days-only", "invalid-left-out"] });
    expect(row.months.map(({ month }: { month: number }) => month)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(row.months[10]).toMatchObject({
      from: "2025-10-31T23:00:00.000Z",
      share: 29 / 30,
      gaps: 1,
      gapMs: DAY_MS,
      corrections: 1,
      hours: 720,
      validHours: 696,
    });
    expect(row.months[0].share).toBe(1);
    expect(row.months[0].hours).toBeUndefined();
    expect(row.year).toMatchObject({ gaps: 1, corrections: 1 });
    expect(row.year.share).toBeCloseTo(364 / 365, 3);

    const next = (await as("viewer", "GET", `/api/v1/capture?year=2025&limit=2&cursor=${first.next}`)).json();
    expect(next.items[0]).toMatchObject({ sensorId: "air-3", unknown: ["interval-learnt", "days-only"] });
    const south = (await as("viewer", "GET", "/api/v1/capture?year=2025&district=south")).json();
    expect(south.items).toHaveLength(1);

    const csv = await as("viewer", "GET", "/api/v1/capture?year=2025&sensor=air-2&format=csv");
    const lines = csv.body.trim().split("\r\n");
    expect(lines).toHaveLength(14);
    expect(lines[11]).toContain("air-2,,north,air,pm25,2025,11,");
    expect(lines[11]).toContain(",0.9667,43200,41760,720,696,1,24,24,1,days-only invalid-left-out");
    await service.close();
  });

  it("refuses years to come and sensors that nobody knows", async () => {
    const service = startService();
    expect((await service.as("viewer", "GET", "/api/v1/capture?year=2999")).statusCode).toBe(400);
    expect((await service.as("viewer", "GET", "/api/v1/capture?sensor=nobody")).statusCode).toBe(404);
    await service.close();
  });
});
