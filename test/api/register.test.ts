import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { joinSteps } from "../../api/routes/sensors.ts";
import { aReading, T0 } from "../helpers/readings.ts";
import { startService } from "./service.ts";

const MINUTE = 60_000;

let service: ReturnType<typeof startService>;
beforeEach(() => {
  service = startService();
});
afterEach(() => service.close());

const call = (method: string, path: string, body?: object, name = "operator") =>
  service.as(name, method, `/api/v1${path}`, body);
const change = async (id: string, body: object) => (await call("PATCH", `/sensors/${id}`, body)).json();
const sensor = (id: string) => service.records.sensors.get(id);
const lastAudit = () => service.records.audit.list(1).items[0]!;

function add(id: string, fields: object = {}) {
  service.records.sensors.add({ id, kind: "air", district: "north", tags: {}, createdAt: T0, ...fields });
}

describe("PATCH /sensors/{id}", () => {
  it("changes what is said and leaves the rest, the password too", async () => {
    const before = service.records.credentials.byName("air-1");
    const tags = { site: "roadside", nominalVoltage: "230" };
    const answer = await change("air-1", { name: " New ", lat: 52.5, lon: 13.4, intervalS: 60, tags });
    expect(answer).toMatchObject({ id: "air-1", name: "New", lat: 52.5, intervalS: 60, tags, advice: [] });
    expect(answer.places).toBeUndefined();
    await change("air-1", { name: null, intervalS: null, tags: { site: null, lane: "2" } });
    expect(sensor("air-1")).toMatchObject({ lat: 52.5, tags: { nominalVoltage: "230", lane: "2" } });
    expect(sensor("air-1")!.name).toBeUndefined();
    expect(sensor("air-1")!.intervalS).toBeUndefined();
    expect(service.records.credentials.byName("air-1")).toBe(before);
    expect(service.disconnected).toEqual([]);
    expect(lastAudit()).toMatchObject({ by: "operator", what: "sensor.change", target: "air-1" });
    expect(lastAudit().detail).toContain('"lane":"2"');
  });

  it("refuses what no sensor can be, and names the place", async () => {
    const wrong: [object, string][] = [
      [{ lat: 91 }, "/lat"],
      [{ intervalS: 0 }, "/intervalS"],
      [{ kind: "energy" }, "/kind"],
      [{ district: "No" }, "/district"],
      [{ tags: { site: 1 } }, "/tags/site"],
      [{ gateway: "zz" }, "/gateway"],
      [{ tags: { nominalVoltage: "abc" } }, "/tags/nominalVoltage"],
      [{ tags: { altitude: "99999" } }, "/tags/altitude"],
      [{ tags: { standIns: "xx=5" } }, "/tags/standIns"],
      [{ tags: { standIns: "pm25=five" } }, "/tags/standIns"],
      [{ name: "a\u001b[2J" }, "/name"],
      [{ name: "a\u0000b" }, "/name"],
      [{ name: "a\u202eb" }, "/name"],
      [{ tags: { site: "a\u0007" } }, "/tags/site"],
    ];
    for (const [body, pointer] of wrong) {
      const answer = await call("PATCH", "/sensors/air-1", body);
      expect([answer.statusCode, answer.json().errors[0].pointer]).toEqual([400, pointer]);
    }
    expect((await call("PATCH", "/sensors/air-9", { name: "x" })).statusCode).toBe(404);
  });

  it("moves a sensor with its password, and keeps where it stood from when", async () => {
    service.tick(MINUTE);
    const answer = await change("air-1", { district: "harbour" });
    expect(answer.places).toEqual([
      { district: "north", from: new Date(T0).toISOString() },
      { district: "harbour", from: new Date(T0 + MINUTE).toISOString() },
    ]);
    expect(answer.advice[0]).toContain("publishes to city/harbour/air/air-1 from now on");
    expect(service.disconnected).toEqual(["air-1"]);
    const { account } = service.records.credentials.byName("air-1")!;
    expect(account).toMatchObject({ district: "harbour", former: ["north"] });
    expect(lastAudit().detail).toContain("moved from north");

    const send = (district: string) => {
      const body = { sensorId: "air-1", kind: "air", district, pm25: 1 };
      return call("POST", "/readings", body, "air-1");
    };
    expect((await send("harbour")).statusCode).toBe(202);
    const refused = await send("north");
    expect(refused.statusCode).toBe(422);
    expect(refused.json().errors[0]).toMatchObject({ reason: "wrong_sensor" });
    expect(refused.json().errors[0].detail).toContain("publish to city/harbour/air/air-1");
    expect((await send("centre")).statusCode).toBe(403);

    await change("air-1", { district: "north" });
    expect(service.records.credentials.byName("air-1")!.account).toMatchObject({ former: ["harbour"] });
    expect((await send("north")).statusCode).toBe(202);
  });

  it("says when the gateway does not speak for the new district", async () => {
    add("air-2", { gateway: "gw-north" });
    expect((await change("air-2", { district: "harbour" })).advice[1]).toContain("gw-north does not speak for harbour");
  });
});

describe("a successor", () => {
  it("takes the place of another, which goes off the register with its password", async () => {
    service.tick(MINUTE);
    const device = { sensorId: "air-2", kind: "air", district: "north" };
    expect((await call("POST", "/devices", device)).statusCode).toBe(201);
    const from = new Date(T0 + MINUTE).toISOString();
    expect(await change("air-2", { replaces: "air-1" })).toMatchObject({ replaces: { sensorId: "air-1", from } });
    expect(sensor("air-1")).toBeUndefined();
    expect(service.records.credentials.byName("air-1")).toBeUndefined();
    const former = (await call("GET", "/sensors/air-1")).json();
    expect(former).toMatchObject({ replacedBy: "air-2", retiredAt: from });
    add("air-3");
    expect((await call("PATCH", "/sensors/air-3", { replaces: "air-1" })).statusCode).toBe(409);
    expect((await call("PATCH", "/sensors/air-3", { replaces: "air-9" })).statusCode).toBe(400);
    await change("air-2", { replaces: null });
    expect((await call("GET", "/sensors/air-1")).json().replacedBy).toBeUndefined();
    expect(sensor("air-2")!.replaces).toBeUndefined();
  });

  it("is no ancestor of itself, and of the same kind", async () => {
    add("air-2");
    add("meter-1", { kind: "energy" });
    expect((await call("PATCH", "/sensors/air-2", { replaces: "air-2" })).statusCode).toBe(409);
    expect((await call("PATCH", "/sensors/air-2", { replaces: "meter-1" })).statusCode).toBe(400);
    await change("air-2", { replaces: "air-1" });
    await call("POST", "/sensors/air-1/restore", {});
    expect((await call("PATCH", "/sensors/air-1", { replaces: "air-2" })).statusCode).toBe(409);
    expect(sensor("air-2")).toBeDefined();
  });

  it("has the readings of the one before it as its history, where they are asked for", async () => {
    const [A, B] = ["air-1", "air-2"];
    add(B, { createdAt: T0 + 10 * MINUTE });
    const at = (sensorId: string, minute: number, pm25: number) =>
      aReading({ sensorId, district: "north", measuredAt: T0 + minute * MINUTE, values: { pm25 } });
    service.stored.push(at(A, 0, 1), at(A, 5, 2), at(A, 12, 99), at(B, 8, 98), at(B, 11, 3), at(B, 15, 4));
    service.tick(60 * MINUTE);
    await change(B, { replaces: A });
    const read = async (query: string) => (await call("GET", `/sensors/${B}/readings?metrics=pm25&${query}`)).json();
    const values = (page: { items: { values: { pm25: number } }[] }) => page.items.map((one) => one.values.pm25);
    expect(values(await read(""))).toEqual([98, 3, 4]);
    // What it measured beside the other, before it took the place, is its own.
    expect(values(await read("predecessors=true"))).toEqual([1, 2, 98, 3, 4]);
    const first = await read("predecessors=true&limit=3");
    expect(values(first)).toEqual([1, 2, 98]);
    expect(values(await read(`predecessors=true&limit=3&cursor=${first.next}`))).toEqual([3, 4]);
    const csv = await call("GET", `/sensors/${B}/readings?metrics=pm25&predecessors=true&format=csv`);
    expect(
      csv.body
        .split("\r\n")
        .slice(1, 6)
        .map((line) => line.split(",")[0]),
    ).toEqual([A, A, B, B, B]);
  });

  it("leaves out none of two sensors' readings of one moment, wherever a page ends", async () => {
    add("air-2", { createdAt: T0 + 10 * MINUTE });
    const at = (sensorId: string, minute: number, pm25: number) =>
      aReading({ sensorId, district: "north", measuredAt: T0 + minute * MINUTE, values: { pm25 } });
    service.stored.push(at("air-1", 1, 1), at("air-1", 2, 2), at("air-2", 2, 3), at("air-2", 3, 4));
    service.tick(60 * MINUTE);
    await change("air-2", { replaces: "air-1" });
    const seen: number[] = [];
    for (let cursor = ""; ; ) {
      const page = (await call("GET", `/sensors/air-2/readings?predecessors=true&limit=2${cursor}`)).json();
      seen.push(...page.items.map((one: { values: { pm25: number } }) => one.values.pm25));
      if (!page.next) break;
      cursor = `&cursor=${page.next}`;
    }
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  it("shares the step of the change with it", () => {
    const step = (start: number, mean: number, count: number) => ({
      start,
      values: { pm25: { mean, min: mean, max: mean, count } },
    });
    const joined = joinSteps([
      [step(0, 1, 4), step(10, 2, 1)],
      [step(10, 5, 2), step(20, 7, 1)],
    ]);
    expect(joined.map(({ start }) => start)).toEqual([0, 10, 20]);
    expect(joined[1]!.values.pm25).toEqual({ mean: 4, min: 2, max: 5, count: 3 });
  });
});

describe("DELETE /sensors/{id}", () => {
  it("takes any sensor off the register; what it sent stays, and it can be put back", async () => {
    add("air-2", { gateway: "gw-north", name: "Quay" });
    expect((await call("DELETE", "/sensors/air-2")).statusCode).toBe(204);
    expect(lastAudit()).toMatchObject({ by: "operator", what: "sensor.remove", target: "air-2" });
    expect((await call("DELETE", "/sensors/air-2")).statusCode).toBe(204);
    expect((await call("DELETE", "/sensors/air-9")).statusCode).toBe(404);
    expect(sensor("air-2")).toBeUndefined();
    const ids = async (query: string) =>
      (await call("GET", `/sensors${query}`)).json().items.map(({ id }: { id: string }) => id);
    expect(await ids("")).toEqual(["air-1"]);
    expect(await ids("?retired=true")).toEqual(["air-2"]);
    expect((await call("GET", "/sensors/air-2/readings")).statusCode).toBe(200);
    expect((await call("PATCH", "/sensors/air-2", { name: "x" })).statusCode).toBe(409);
    const reading = { sensorId: "air-2", kind: "air", district: "north", pm25: 1 };
    const refused = await call("POST", "/readings", reading, "gw-north");
    expect(refused.json().errors[0]).toMatchObject({ reason: "unknown_sensor" });
    expect(refused.json().detail).toContain("was taken off the register");
    expect((await call("POST", "/sensors/air-2/restore", {})).json()).toMatchObject({ id: "air-2", name: "Quay" });
    expect((await call("POST", "/sensors/air-2/restore", {})).statusCode).toBe(409);
    expect((await call("POST", "/readings", reading, "gw-north")).statusCode).toBe(202);
  });

  it("also of a device whose password went before, by either address", async () => {
    await call("DELETE", "/devices/air-1");
    expect((await call("DELETE", "/devices/air-1?removeSensor=true")).statusCode).toBe(204);
    expect(sensor("air-1")).toBeUndefined();
    const device = { sensorId: "air-1", kind: "air", district: "south" };
    expect((await call("POST", "/devices", { ...device, kind: "energy" })).statusCode).toBe(409);
    expect((await call("POST", "/devices", device)).statusCode).toBe(201);
    expect(sensor("air-1")).toMatchObject({ name: "Station", district: "south" });
    expect(sensor("air-1")!.places).toHaveLength(2);
  });
});
