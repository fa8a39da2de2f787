import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startService } from "./service.ts";

let service: ReturnType<typeof startService>;
beforeEach(() => {
  service = startService();
});
afterEach(() => service.close());

const call = (name: string, method: string, path: string, body?: object) =>
  service.as(name, method, `/api/v1${path}`, body);
const device = (fields: object = {}) => ({ sensorId: "air-7", kind: "air", district: "north", ...fields });

describe("devices", () => {
  it("POST registers the sensor and shows the password once", async () => {
    const answer = await call(
      "operator",
      "POST",
      "/devices",
      device({ lat: 52.5, lon: 13.4, intervalS: 60, tags: { lane: "1" } }),
    );
    expect(answer.statusCode).toBe(201);
    const { username, password } = answer.json();
    expect(username).toBe("air-7");
    expect(Buffer.from(password, "base64url")).toHaveLength(32);
    expect(service.records.sensors.get("air-7")).toMatchObject({
      kind: "air",
      lat: 52.5,
      intervalS: 60,
      tags: { lane: "1" },
    });
    const list = await call("operator", "GET", "/devices");
    expect(list.json().items.map((one: { username: string }) => one.username)).toEqual(["air-1", "air-7"]);
    expect(list.body).not.toContain(password);
    expect(JSON.stringify(service.records.credentials.list())).not.toContain(password);
    const sent = await service.app.inject({
      method: "POST",
      url: "/api/v1/readings",
      headers: { authorization: `Bearer ${password}` },
      payload: { ...device(), pm25: 1 },
    });
    expect(sent.statusCode).toBe(202);
    expect(service.records.audit.list(1).items).toMatchObject([
      { by: "operator", what: "device.add", target: "air-7" },
    ]);
  });

  it("an enrolled sensor of the same kind and district is kept; another is a conflict that leaves nothing behind", async () => {
    await call("admin", "DELETE", "/devices/air-1");
    expect((await call("admin", "POST", "/devices", device({ sensorId: "air-1", kind: "energy" }))).statusCode).toBe(
      409,
    );
    expect(service.records.credentials.byName("air-1")).toBeUndefined();
    expect((await call("admin", "POST", "/devices", device({ sensorId: "air-1" }))).statusCode).toBe(201);
    expect(service.records.sensors.get("air-1")?.name).toBe("Station");
  });

  it("a taken name is 409 and registers no sensor", async () => {
    const answer = await call("admin", "POST", "/devices", device({ sensorId: "viewer" }));
    expect([answer.statusCode, answer.json().type]).toEqual([409, "urn:lamppost:problem:conflict"]);
    expect(service.records.sensors.get("viewer")).toBeUndefined();
  });

  it("DELETE takes the password, closes the connection, keeps the sensor unless told otherwise", async () => {
    expect((await call("operator", "DELETE", "/devices/air-1")).statusCode).toBe(204);
    expect(service.disconnected).toEqual(["air-1"]);
    expect((await call("air-1", "POST", "/readings", { ...device(), pm25: 1 })).statusCode).toBe(401);
    expect(service.records.sensors.get("air-1")).toBeDefined();
    expect((await call("operator", "DELETE", "/devices/air-1")).statusCode).toBe(404);
    await call("operator", "POST", "/devices", device());
    await call("operator", "DELETE", "/devices/air-7?removeSensor=true");
    expect(service.records.sensors.get("air-7")).toBeUndefined();
    expect(service.records.audit.list(2).items).toMatchObject([
      { by: "operator", what: "sensor.remove", target: "air-7" },
      { by: "operator", what: "device.remove", target: "air-7" },
    ]);
  });

  it("does not remove accounts of another sort", async () => {
    expect((await call("operator", "DELETE", "/devices/admin")).statusCode).toBe(404);
    expect((await call("operator", "DELETE", "/gateways/air-1")).statusCode).toBe(404);
    expect((await call("admin", "DELETE", "/users/gw-north")).statusCode).toBe(404);
    expect(service.disconnected).toEqual([]);
  });

  it.each(["__proto__", "constructor", "toString"])("%s is neither an account nor a sensor", async (name) => {
    for (const path of ["/devices", "/gateways", "/users"]) {
      expect([400, 404]).toContain((await call("admin", "DELETE", `${path}/${name}`)).statusCode);
    }
    expect([400, 404]).toContain((await call("admin", "GET", `/sensors/${name}`)).statusCode);
    expect([400, 404]).toContain((await call("admin", "GET", `/rules/${name}`)).statusCode);
    expect((await call("admin", "GET", `/alerts/${name}`)).statusCode).toBe(404);
  });
});

describe("gateways", () => {
  it("are added with their districts; only an admin gives the import right", async () => {
    const body = { name: "gw-south", districts: ["south", "south", "east"] };
    expect((await call("operator", "POST", "/gateways", { ...body, mayImport: true })).statusCode).toBe(403);
    expect((await call("operator", "POST", "/gateways", body)).statusCode).toBe(201);
    expect((await call("operator", "POST", "/gateways", body)).statusCode).toBe(409);
    expect((await call("admin", "POST", "/gateways", { ...body, name: "gw-x", mayImport: true })).statusCode).toBe(201);
    const { items } = (await call("operator", "GET", "/gateways")).json();
    expect(items.at(-2)).toMatchObject({
      username: "gw-south",
      districts: ["south", "east"],
      mayImport: false,
      createdBy: "operator",
    });
    expect(items.at(-1)).toMatchObject({ username: "gw-x", mayImport: true });
    expect((await call("operator", "DELETE", "/gateways/gw-x")).statusCode).toBe(204);
    expect(service.disconnected).toEqual(["gw-x"]);
  });
});

describe("users", () => {
  it("are added with a role; the password is the token", async () => {
    const { password } = (await call("admin", "POST", "/users", { name: "ann", role: "viewer" })).json();
    const get = (url: string) => service.app.inject({ url, headers: { authorization: `Bearer ${password}` } });
    expect((await get("/api/v1/alerts")).statusCode).toBe(200);
    expect((await get("/api/v1/users")).statusCode).toBe(403);
    const { items } = (await call("admin", "GET", "/users")).json();
    expect(items.map((one: { username: string }) => one.username)).toEqual([
      "admin",
      "ann",
      "crew",
      "crew-2",
      "operator",
      "viewer",
    ]);
    expect((await call("admin", "DELETE", "/users/ann")).statusCode).toBe(204);
    expect((await get("/api/v1/alerts")).statusCode).toBe(401);
  });

  it("no device by this door, and nobody removes themselves", async () => {
    expect((await call("admin", "POST", "/users", { name: "x", role: "device" })).statusCode).toBe(400);
    expect((await call("admin", "DELETE", "/users/admin")).statusCode).toBe(409);
    expect((await call("admin", "GET", "/alerts")).statusCode).toBe(200);
  });
});
