import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseTime, timeWriter } from "../../api/time-range.ts";
import { createZone } from "../../model/zone.ts";
import { aReading, T0 } from "../helpers/readings.ts";
import { startService } from "./service.ts";

let service: ReturnType<typeof startService>;
beforeEach(() => {
  service = startService({ zone: createZone("Europe/Madrid") });
});
afterEach(() => service.close());

const get = (path: string) => service.as("viewer", "GET", `/api/v1${path}`);

describe("times of an answer", () => {
  it.each([
    ["Europe/Paris", "2026-10-25T00:59:59Z", "2026-10-25T02:59:59.000+02:00"],
    ["Europe/Paris", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00.000+01:00"],
    ["America/St_Johns", "2026-11-21T10:00:00Z", "2026-11-21T06:30:00.000-03:30"],
    ["Asia/Kathmandu", "2026-11-21T10:00:00Z", "2026-11-21T15:45:00.000+05:45"],
    ["UTC", "2026-11-21T10:00:00Z", "2026-11-21T10:00:00.000Z"],
  ])("are those of %s", (zone, at, written) => {
    const write = timeWriter(zone);
    write(Date.parse(at) - 1);
    expect(write(Date.parse(at))).toBe(written);
    expect(Date.parse(written)).toBe(Date.parse(at));
  });

  it("are asked for with a comma before the fraction, too", () => {
    expect(parseTime("2026-11-21T10:00:00,25Z", "from")).toBe(T0 + 250);
    expect(parseTime("2026-11-21T11:00:00,5", "from", "Europe/Madrid")).toBe(T0 + 500);
  });

  it.each(["include=invalid", "raw=true"])("are of single readings where %s is asked for", async (asked) => {
    const answer = await get(`/sensors/air-1/readings?every=1h&${asked}`);
    expect(answer.statusCode).toBe(400);
    expect(answer.json().errors[0].pointer).toBe(`#/query/${asked.split("=")[0]}`);
  });

  it("stand in CSV and JSON in the zone that was asked for, numbers as the locale has them", async () => {
    service.stored.push(aReading({ values: { pm25: 12.5 } }));
    service.tick(60_000);
    const path = "/sensors/air-1/readings?metrics=pm25&zone=Europe/Paris";
    expect((await get(path)).json().items[0].measuredAt).toBe("2026-11-21T11:00:00.000+01:00");
    const csv = (await get(`${path}&format=csv&locale=de`)).body;
    expect(csv).toMatch(/^\ufeffsensorId;kind;/);
    expect(csv).toContain("air-1;air;north;2026-11-21T11:00:00.000+01:00;2026-11-21T11:00:00.250+01:00;12,5;");
    const steps = (await get(`${path}&every=1h&format=csv&locale=en`)).body;
    expect(steps).toMatch(/^\ufeffstart,pm25_mean/);
    expect(steps).toMatch(/\r\n2026-11-20T\S+\+01:00,2,1,3,2\r\n$/);
    const report = (await get("/report?format=csv&locale=es&zone=Europe/Madrid")).body;
    expect(report).toMatch(/^\ufeffid;rule;/);
    expect((await get("/readings/latest?zone=Europe/Paris")).json().items[0]).toMatchObject({
      measuredAt: "2026-11-21T11:00:00.000+01:00",
      receivedAt: "2026-11-21T11:00:00.250+01:00",
    });
    expect((await get("/readings/latest?zone=Mars")).statusCode).toBe(400);
    for (const wrong of ["zone=Mars", "locale=!!"]) expect((await get(`${path}&${wrong}`)).statusCode).toBe(400);
  });
});

describe("times of a question", () => {
  it("may have a plus that the address made a blank, and a blank for T", () => {
    const at = Date.parse("2026-11-21T09:00:00Z");
    for (const text of ["2026-11-21T10:00:00+01:00", "2026-11-21T10:00:00 01:00", "2026-11-21 10:00 01:00"]) {
      expect(parseTime(text, "from")).toBe(at);
    }
    expect(parseTime("2026-11-21T10:00:00-01:00", "from")).toBe(at + 2 * 3_600_000);
    expect(() => parseTime("2026-11-21T10:00:00", "from")).toThrow(/%2B/);
    for (const wrong of ["2026-02-30", "2026-11-21T25:00Z", "soon"])
      expect(() => parseTime(wrong, "from", "Europe/Paris")).toThrow();
  });

  it("without a zone are meant in the one that was named; of an hour that comes twice, the first", () => {
    expect(parseTime("2026-11-21", "from")).toBe(Date.parse("2026-11-21T00:00Z"));
    expect(parseTime("2026-11-21", "from", "Europe/Paris")).toBe(Date.parse("2026-11-20T23:00Z"));
    expect(parseTime("2026-10-25T02:30", "from", "Europe/Paris")).toBe(Date.parse("2026-10-25T00:30Z"));
    expect(parseTime("2026-11-21T10:00Z", "from", "Europe/Paris")).toBe(T0);
  });

  it("of the report are the city's days, and the page is told whose they are", async () => {
    service.tick(86_400_000);
    const report = (await get("/report?from=2026-11-21&to=2026-11-22")).json();
    expect(report).toMatchObject({
      zone: "Europe/Madrid",
      from: "2026-11-20T23:00:00.000Z",
      to: "2026-11-21T23:00:00.000Z",
    });
    expect((await get("/session")).json().timeZone).toBe("Europe/Madrid");
  });
});
