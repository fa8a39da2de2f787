import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RangeQuery } from "../../store/reading-store.ts";
import { aReading, T0 } from "../helpers/readings.ts";
import { startService } from "./service.ts";

const MINUTE = 60_000;
const service = startService();
beforeAll(() => {
  for (let i = 10; i > 0; i -= 1) service.stored.push(aReading({ measuredAt: T0 - i * MINUTE, values: { pm25: i } }));
});
afterAll(() => service.close());

const get = (query = "", id = "air-1") => service.as("viewer", "GET", `/api/v1/sensors/${id}/readings${query}`);

describe("GET /sensors/{id}/readings", () => {
  it("gives the last 24 hours in order", async () => {
    const { items, next } = (await get()).json();
    expect(items.map((one: { values: { pm25: number } }) => one.values.pm25)).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    expect(items[0]).toEqual({
      sensorId: "air-1",
      kind: "air",
      district: "north",
      measuredAt: "2026-11-21T09:50:00.000Z",
      receivedAt: "2026-11-21T09:50:00.250Z",
      values: { pm25: 10 },
    });
    expect(next).toBeUndefined();
  });

  it("says whose clock was never set, beside what its values are worth", async () => {
    const own = { sensorId: "air-2", measuredAt: T0 - MINUTE, values: { pm25: 510, no2: 3 } };
    const place = { kind: "air", district: "north", tags: {}, createdAt: T0 } as const;
    service.records.sensors.add({ id: "air-2", ...place });
    service.stored.push(aReading({ ...own, quality: { pm25: "suspect" }, clock: true }));
    const { items } = (await get("", "air-2")).json();
    expect(items).toMatchObject([{ quality: { pm25: "suspect", measuredAt: "clock" } }]);
    expect(items[0]).not.toHaveProperty("clock");
  });

  it("pages come to every reading once, whatever the limit", async () => {
    for (const limit of [1, 3, 4, 10]) {
      const seen: number[] = [];
      let cursor = "";
      do {
        const page = (await get(`?limit=${limit}${cursor}`)).json();
        expect(page.items.length).toBeLessThanOrEqual(limit);
        seen.push(...page.items.map((one: { values: { pm25: number } }) => one.values.pm25));
        cursor = page.next && `&cursor=${page.next}`;
      } while (cursor);
      expect(seen).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    }
  });

  it("takes ISO 8601 and epoch milliseconds; the end is exclusive", async () => {
    const count = async (query: string) => (await get(query)).json().items.length;
    expect(await count("?from=2026-11-21T09:55:00Z&to=2026-11-21T09:57:00Z")).toBe(2);
    expect(await count("?from=2026-11-21T10:55:00%2B01:00&to=2026-11-21T09:57:00Z")).toBe(2);
    expect(await count(`?from=${T0 - 2 * MINUTE}`)).toBe(2);
  });

  it.each([
    ["from=yesterday", "#/query/from"],
    ["from=2026-11-21T10:00:00", "#/query/from"],
    ["from=99999999999999999", "#/query/from"],
    ["from=2026-11-21T12:00:00Z", "#/query/from"],
    ["from=2020-01-01T00:00:00Z", "#/query/from"],
    ["every=0m", "#/query/every"],
    ["every=5x", "#/query/every"],
    ["every=1s", "#/query/every"],
    ["metrics=voltage", "#/query/metrics"],
    ["metrics=__proto__", "#/query/metrics"],
    ["metrics=pm25%27)%3BDROP", "#/query/metrics"],
    ["limit=1001", "#/query/limit"],
    ["format=xml", "#/query/format"],
    ["cursor=abc", "#/query/cursor"],
  ])("%s is a problem at %s", async (query, pointer) => {
    const answer = await get(`?${query}`);
    expect(answer.statusCode).toBe(400);
    expect(answer.json().errors).toMatchObject([{ pointer }]);
  });

  it("says when each metric was not heard, of readings and of steps", async () => {
    const own = { sensorId: "air-gap", values: { pm25: 3 } };
    service.records.sensors.add({ id: "air-gap", kind: "air", district: "north", tags: {}, createdAt: T0 });
    const minutes = Array.from({ length: 60 }, (_, i) => 60 - i).filter((ago) => ago > 40 || ago <= 20);
    for (const ago of minutes) service.stored.push(aReading({ ...own, measuredAt: T0 - ago * MINUTE }));
    const from = new Date(T0 - 60 * MINUTE).toISOString();
    const asked = (more: string) => get(`?from=${from}&gaps=true${more}`, "air-gap");
    const { gaps } = (await asked("&metrics=pm25")).json();
    expect(gaps).toEqual([{ metric: "pm25", from: "2026-11-21T09:19:00.000Z", to: "2026-11-21T09:40:00.000Z" }]);
    // Each page says its own part.
    const { gaps: first, next } = (await asked("&metrics=pm25&limit=20")).json();
    const { gaps: second } = (await asked(`&metrics=pm25&limit=20&cursor=${next}`)).json();
    expect([first, second.map(({ to }: { to: string }) => to)]).toEqual([[], ["2026-11-21T09:40:00.000Z"]]);
    expect((await get(`?from=${from}&metrics=pm25`, "air-gap")).json()).not.toHaveProperty("gaps");
    expect((await asked("")).json().errors).toMatchObject([{ pointer: "#/query/gaps" }]);
    expect((await asked("&metrics=pm25,pm10,no2,o3,so2,co")).statusCode).toBe(400);
  });

  it("says which step would fit when there are too many", async () => {
    const { detail } = (await get("?every=1s")).json();
    expect(detail).toContain("every=1m");
    expect(detail).toContain("5000");
  });

  it("with every: over years, and says from what", async () => {
    const year = "from=2020-01-01&to=2026-01-01&every=1d";
    expect((await get(`?${year}`)).json()).toMatchObject({ resolution: "raw" });
    const value = { mean: 2, min: 1, max: 3, count: 2 };
    const bucket = (start: number, resolution?: "hourly" | "daily") => ({
      start,
      values: { pm25: value },
      ...(resolution ? { resolution } : {}),
    });
    for (const coarsest of ["hourly", "daily"] as const) {
      const aggregate = async () => [bucket(0, coarsest), bucket(86_400_000, "hourly"), bucket(2 * 86_400_000)];
      const old = startService({ store: { ...service.deps.store, aggregate } });
      const answer = await old.as("viewer", "GET", `/api/v1/sensors/air-1/readings?${year}`);
      expect(answer.json().resolution).toBe(coarsest);
      expect(answer.json().items[2]).toEqual({ start: "1970-01-03T00:00:00.000Z", values: { pm25: value } });
      await old.close();
    }
    expect((await get("?from=2020-01-01&to=2026-01-01")).statusCode).toBe(400);
  });

  it("with every: start and mean, min, max, count", async () => {
    const { items } = (await get("?every=5m&metrics=pm25")).json();
    expect(items).toEqual([
      { start: "2026-11-20T10:00:00.000Z", values: { pm25: { mean: 2, min: 1, max: 3, count: 2 } } },
    ]);
  });

  it("404 for a sensor that is not registered", async () => {
    expect((await get("", "air-9")).statusCode).toBe(404);
  });
});

describe("CSV", () => {
  it("has a column for each metric asked for", async () => {
    const answer = await get("?format=csv&metrics=pm25,no2&from=2026-11-21T09:58:00Z");
    expect(answer.headers["content-type"]).toBe("text/csv; charset=utf-8");
    expect(answer.body.split("\r\n")).toEqual([
      "sensorId,kind,district,measuredAt,receivedAt,pm25,no2,suspect,late",
      "air-1,air,north,2026-11-21T09:58:00.000Z,2026-11-21T09:58:00.250Z,2,,,",
      "air-1,air,north,2026-11-21T09:59:00.000Z,2026-11-21T09:59:00.250Z,1,,,",
      "",
    ]);
    expect((await get("?format=csv&every=1h&metrics=pm25")).body.split("\r\n")).toEqual([
      "start,pm25_mean,pm25_min,pm25_max,pm25_count",
      "2026-11-20T10:00:00.000Z,2,1,3,2",
      "",
    ]);
  });

  it("asks the store only as fast as the client reads, and lets go when it leaves", async () => {
    let chunks = 0;
    let released = () => {};
    const left = new Promise<void>((resolve) => {
      released = resolve;
    });
    async function* endless(query: RangeQuery) {
      try {
        for (; ; chunks += 1) yield Array.from({ length: 500 }, () => aReading({ measuredAt: query.from }));
      } finally {
        released();
      }
    }
    const slow = startService({ store: { ...service.deps.store, stream: endless } });
    const url = await slow.app.listen({ host: "127.0.0.1", port: 0 });
    const abort = new AbortController();
    const response = await fetch(`${url}/api/v1/sensors/air-1/readings?format=csv`, {
      headers: { authorization: "Bearer viewer-token" },
      signal: abort.signal,
    });
    const reader = response.body!.getReader();
    expect((await reader.read()).value!.byteLength).toBeGreaterThan(0);
    let before = -1;
    // The generator runs in this very process: when it has stopped for ten turns of ten requests, it waits for us.
    while (before !== chunks) {
      before = chunks;
      for (let i = 0; i < 10; i += 1) await fetch(`${url}/livez`);
    }
    expect(chunks).toBeLessThan(1_000);
    abort.abort();
    await left;
    await slow.close();
  });
});
