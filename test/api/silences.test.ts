import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { seriesOf, traitsOf } from "../../alerts/noise/judge.ts";
import { aRule } from "../alerts/builders.ts";
import { T0 } from "../helpers/readings.ts";
import { firing, startService } from "./service.ts";

let service: ReturnType<typeof startService>;
beforeEach(() => {
  service = startService({
    rules: () => [aRule({ id: "no2-high", ...WATCH }), aRule({ id: "battery-low", audience: "crews", ...WATCH })],
  });
  const sensor = { kind: "air", district: "centre", tags: { feeder: "f-1" }, createdAt: T0 } as const;
  for (const id of ["air-2", "air-3"]) service.records.sensors.add({ ...sensor, id, gateway: "gw-north" });
  service.records.sensors.add({ ...sensor, id: "traffic-1", kind: "traffic" });
});
afterEach(() => service.close());

const HOUR = 3_600_000;
const WATCH = { metric: "no2", condition: { type: "threshold", above: 40 } };
const iso = (time: number) => new Date(time).toISOString();
const BODY = { matchers: { sensor: "air-1" }, endsAt: iso(T0 + HOUR), reason: "cleaning the inlet" };
const post = (body: object, name = "operator") => service.as(name, "POST", "/api/v1/silences", body);
const list = async (query = "") => (await service.as("viewer", "GET", `/api/v1/silences${query}`)).json().items;

describe("POST /silences", () => {
  it("adds one, with its author, and writes that down", async () => {
    const answer = await post({ ...BODY, matchers: { district: ["north", "centre"], tag: { feeder: "f-1" } } });
    expect(answer.statusCode).toBe(201);
    expect(answer.json()).toEqual({
      id: 1,
      kind: "silence",
      state: "active",
      matchers: { district: ["north", "centre"], tag: { feeder: "f-1" } },
      startsAt: iso(T0),
      endsAt: iso(T0 + HOUR),
      window: { from: iso(T0), to: iso(T0 + HOUR) },
      reason: "cleaning the inlet",
      createdAt: iso(T0),
      createdBy: "operator",
    });
    expect(service.records.audit.list(10).items).toMatchObject([
      { by: "operator", what: "silence.add", target: "1", detail: expect.stringContaining("cleaning the inlet") },
    ]);
  });

  it("lists each time that they are on, for a calendar", async () => {
    const weekly = { days: ["sun"], from: "22:00", to: "04:00", zone: "Europe/Madrid" };
    const asked = { kind: "maintenance", matchers: { gateway: "gw-north" }, weekly, reason: "updates" };
    const { id } = (await post(asked)).json();
    const windows = (from: string, to: string) =>
      service.as("viewer", "GET", `/api/v1/silences/windows?from=${from}&to=${to}`);
    const found = (await windows("2026-11-29T00:00:00Z", "2026-12-08T00:00:00Z")).json();
    expect(found).toEqual({
      items: [
        { silence: id, from: "2026-11-29T21:00:00.000Z", to: "2026-11-30T03:00:00.000Z" },
        { silence: id, from: "2026-12-06T21:00:00.000Z", to: "2026-12-07T03:00:00.000Z" },
      ],
      truncated: false,
    });
    expect((await windows("2026-11-29T00:00:00Z", "2027-11-29T00:00:00Z")).statusCode).toBe(400);
  });

  it("takes a weekly maintenance window without an end", async () => {
    const weekly = { days: ["sun"], from: "22:00", to: "04:00", zone: "Europe/Madrid" };
    const answer = await post({ kind: "maintenance", matchers: { gateway: "gw-north" }, weekly, reason: "updates" });
    // T0 is a Saturday; Sunday 22:00 in Madrid is 21:00 UTC in November.
    expect(answer.json()).toMatchObject({
      state: "scheduled",
      weekly,
      window: { from: "2026-11-22T21:00:00.000Z", to: "2026-11-23T03:00:00.000Z" },
    });
    service.tick(36 * HOUR);
    expect(await list()).toMatchObject([{ state: "active" }]);
    service.tick(6 * HOUR);
    expect(await list()).toMatchObject([{ state: "scheduled", window: { from: "2026-11-29T21:00:00.000Z" } }]);
  });

  it.each([
    ["/matchers", { matchers: {} }],
    ["/matchers/severity", { matchers: { severity: "loud" } }],
    ["/matchers/tag", { matchers: { tag: {} } }],
    ["/matchers/colour", { matchers: { colour: "red" } }],
    ["/reason", { reason: undefined }],
    ["/reason", { reason: "  " }],
    ["/endsAt", { endsAt: undefined }],
    ["/endsAt", { endsAt: "tomorrow" }],
    ["/endsAt", { endsAt: iso(T0 - 1) }],
    ["/endsAt", { endsAt: iso(T0 + 30 * 24 * HOUR + 1) }],
    ["/endsAt", { startsAt: iso(T0 + 2 * HOUR) }],
    ["/startsAt", { startsAt: iso(T0 + 400 * 24 * HOUR), endsAt: iso(T0 + 401 * 24 * HOUR) }],
    ["/weekly", { weekly: { days: ["mon"], from: "22:00", to: "23:00", zone: "Europe/Madrid" } }],
    [
      "/weekly/zone",
      { kind: "maintenance", weekly: { days: ["mon"], from: "22:00", to: "23:00", zone: "Mars/North" } },
    ],
    ["/weekly/from", { kind: "maintenance", weekly: { days: ["mon"], from: "24:00", to: "23:00", zone: "UTC" } }],
    // T0 is a Saturday, and it ends an hour later.
    ["/weekly", { kind: "maintenance", weekly: { days: ["mon"], from: "22:00", to: "23:00", zone: "UTC" } }],
  ])("400 at %s for %j", async (pointer, change) => {
    const answer = await post({ ...BODY, ...change });
    expect([answer.statusCode, answer.json().errors?.[0]?.pointer]).toEqual([400, pointer]);
    expect(await list()).toEqual([]);
  });

  it.each([
    ["/matchers/sensor", { sensor: "air-9" }, 'There is no sensor "air-9"; did you mean "air-1", "air-2" or "air-3"?'],
    [
      "/matchers/district/1",
      { district: ["north", "center"] },
      'There is no district "center"; did you mean "centre"?',
    ],
    ["/matchers/rule", { rule: "batery-low" }, 'There is no rule "batery-low"; did you mean "battery-low"?'],
    ["/matchers/gateway", { gateway: "gw-nord" }, 'There is no gateway "gw-nord"; did you mean "gw-north"?'],
  ])("400 at %s for names that nobody has: %j", async (pointer, matchers, detail) => {
    for (const path of ["/api/v1/silences", "/api/v1/silences/preview"]) {
      const body = path.endsWith("preview") ? { matchers } : { ...BODY, matchers };
      const answer = await service.as("operator", "POST", path, body);
      expect([answer.statusCode, answer.json().errors]).toEqual([400, [{ pointer, detail }]]);
    }
  });

  it("has at most 1,000 that are not over", async () => {
    const silence = {
      kind: "silence",
      matchers: { rule: "x" },
      reason: "test",
      createdAt: T0,
      createdBy: "a",
    } as const;
    for (let i = 0; i < 1_000; i++) service.records.silences.add({ ...silence, startsAt: T0, endsAt: T0 + HOUR });
    expect((await post(BODY)).statusCode).toBe(409);
    service.tick(HOUR);
    expect((await post({ ...BODY, endsAt: iso(T0 + 2 * HOUR) })).statusCode).toBe(201);
  });
});

describe("POST /silences/preview", () => {
  const covers = async (matchers: object) =>
    (await service.as("operator", "POST", "/api/v1/silences/preview", { matchers })).json();

  function fires(id: string, sensorId: string, fields: object = {}): void {
    const transition = firing(id, { subject: { sensorId, district: "centre" }, ...fields });
    const { alert } = transition;
    service.records.alerts.apply(transition);
    const counts = { told: 1, ended: 0, reminders: 0 };
    const times = { firedAt: T0, firedKnownAt: T0, holdUntil: T0 };
    service.records.noise.save({
      alert: id,
      series: seriesOf(alert),
      about: traitsOf(alert),
      open: true,
      ...times,
      ...counts,
    });
  }

  it("counts the sensors and the open alerts it would cover, and saves nothing", async () => {
    fires("a1", "air-2");
    fires("a2", "air-3", { startedAt: T0 + 1, severity: "critical" });
    fires("a3", "traffic-1", { startedAt: T0 + 2, kind: "traffic" });
    fires("a4", "air-2", { startedAt: T0 + 3, rule: { id: "battery-low", version: "1", title: "x", source: "y" } });
    service.records.alerts.handle("a4", { handling: "closed" }, { at: T0, knownAt: T0, what: "closed" });
    expect(await covers({ district: "centre" })).toEqual({ sensors: 3, openAlerts: 3 });
    expect(await covers({ district: "centre", kind: "air" })).toEqual({ sensors: 2, openAlerts: 2 });
    expect(await covers({ sensor: ["air-2", "air-1"] })).toEqual({ sensors: 2, openAlerts: 1 });
    expect(await covers({ gateway: "gw-north", severity: "critical" })).toMatchObject({ openAlerts: 1 });
    expect(await covers({ tag: { feeder: "f-1" } })).toEqual({ sensors: 3, openAlerts: 3 });
    expect(await covers({ rule: "battery-low", district: "centre" })).toEqual({ sensors: 2, openAlerts: 0 });
    expect(await covers({ rule: "service-health" })).toEqual({ sensors: 0, openAlerts: 0 });
    expect(await list()).toEqual([]);
    expect(service.records.audit.list(10).items).toEqual([]);
  });

  it("counts thousands of alerts, page by page", async () => {
    service.records.transaction(() => {
      for (let n = 0; n < 2_500; n += 1) fires(`a${n}`, "air-2", { startedAt: T0 + n });
    });
    expect(await covers({ sensor: "air-2" })).toEqual({ sensors: 1, openAlerts: 2_500 });
  });
});

describe("DELETE /silences", () => {
  it("ends one, which stays listed with who ended it; a second time is a 409 that says so", async () => {
    await post(BODY);
    service.tick(60_000);
    expect((await service.as("admin", "DELETE", "/api/v1/silences/1")).statusCode).toBe(204);
    expect(await list()).toMatchObject([{ id: 1, state: "ended", endedAt: iso(T0 + 60_000), endedBy: "admin" }]);
    const again = await service.as("operator", "DELETE", "/api/v1/silences/1");
    expect([again.statusCode, again.json().detail]).toEqual([409, expect.stringContaining("ended by admin")]);
    expect((await service.as("operator", "DELETE", "/api/v1/silences/7")).statusCode).toBe(404);
    expect(service.records.audit.list(10).items[0]).toMatchObject({ by: "admin", what: "silence.end", target: "1" });
    expect(service.records.silences.current()).toEqual([]);
  });

  it("is a 409 where its time is over", async () => {
    await post(BODY);
    service.tick(HOUR);
    expect((await service.as("operator", "DELETE", "/api/v1/silences/1")).statusCode).toBe(409);
    expect((await list())[0].endedBy).toBeUndefined();
  });
});

it("GET /silences: newest first, by whether they are over, in pages", async () => {
  for (const hours of [1, 2, 3]) await post({ ...BODY, endsAt: iso(T0 + hours * HOUR) });
  service.tick(HOUR);
  const ids = async (query: string) => (await list(query)).map(({ id }: { id: number }) => id);
  expect(await ids("")).toEqual([3, 2, 1]);
  expect(await ids("?ended=true")).toEqual([1]);
  expect(await ids("?ended=false")).toEqual([3, 2]);
  const page = (await service.as("viewer", "GET", "/api/v1/silences?limit=2")).json();
  expect(await ids(`?limit=2&cursor=${page.next}`)).toEqual([1]);
  expect((await service.as("viewer", "GET", "/api/v1/silences/2")).json()).toMatchObject({ id: 2, state: "active" });
  expect((await service.as("viewer", "GET", "/api/v1/silences/x")).statusCode).toBe(400);
});

it("GET /alerts?suppressed: all are shown, unless one asks for some", async () => {
  const { alerts } = service.records;
  alerts.apply(firing("a1"));
  alerts.apply(firing("a2", { startedAt: T0 + 1 }), "silence:1");
  const ids = async (query: string) =>
    (await service.as("viewer", "GET", `/api/v1/alerts${query}`)).json().items.map(({ id }: { id: string }) => id);
  expect(await ids("")).toEqual(["a2", "a1"]);
  expect(await ids("?suppressed=true")).toEqual(["a2"]);
  expect(await ids("?suppressed=false")).toEqual(["a1"]);
  expect(await ids("?suppressed=true&state=firing&sensor=air-1")).toEqual(["a2"]);
  expect((await service.as("viewer", "GET", "/api/v1/alerts/a2")).json().suppressedBy).toBe("silence:1");
  alerts.suppress("a2", undefined, { at: 1, knownAt: 1, what: "released" });
  expect(await ids("?suppressed=true")).toEqual([]);
});
