import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HOUR_MS } from "../../model/time.ts";
import { startService } from "./service.ts";

let service: ReturnType<typeof startService>;
beforeEach(() => {
  service = startService();
});
afterEach(() => service.close());

const call = (name: string, method: string, path: string, body?: object) =>
  service.as(name, method, `/api/v1${path}`, body);
const withPassword = (password: string, method: string, url: string, payload?: object) =>
  service.app.inject({
    method: method as "GET",
    url: `/api/v1${url}`,
    headers: { authorization: `Bearer ${password}` },
    ...(payload && { payload }),
  });
const send = async (password: string) =>
  (await withPassword(password, "POST", "/readings", { sensorId: "air-1", kind: "air", district: "north", pm25: 1 }))
    .statusCode;
const lastAudit = (n = 1) => service.records.audit.list(n).items;

describe("a device's password", () => {
  const rotate = async (body: object = {}) => (await call("operator", "POST", "/devices/air-1/rotate", body)).json();

  it("is rotated: both are taken until the new one is used, and only the new one from then on", async () => {
    const { username, password, formerUntil } = await rotate();
    expect(username).toBe("air-1");
    expect(Date.parse(formerUntil)).toBe(service.deps.now() + 24 * HOUR_MS);
    expect((await call("operator", "GET", "/devices")).json().items[0]).toMatchObject({ formerUntil });
    expect(await send("air-1-token")).toBe(202);
    expect(await send("air-1-token")).toBe(202);
    expect(await send(password)).toBe(202);
    expect(await send("air-1-token")).toBe(401);
    expect(await send(password)).toBe(202);
    expect((await call("operator", "GET", "/devices")).json().items[0].formerUntil).toBeUndefined();
  });

  it("of before ends with its time, whether or not the new one was used", async () => {
    const { password } = await rotate({ overlapHours: 2 });
    service.tick(2 * HOUR_MS - 1);
    expect(await send("air-1-token")).toBe(202);
    service.tick(1);
    expect(await send("air-1-token")).toBe(401);
    service.records.credentials.endFormer();
    expect(service.records.credentials.byName("air-1")?.former).toBeUndefined();
    expect(await send(password)).toBe(202);
  });

  it("that was never used gives way to a newer one: the device has the one before", async () => {
    const unused = await rotate();
    const { password } = await rotate();
    expect(await send("air-1-token")).toBe(202);
    expect(await send(unused.password)).toBe(401);
    expect(await send(password)).toBe(202);
    expect(await send("air-1-token")).toBe(401);
  });

  it("is changed at once where it is known to others", async () => {
    const { password, formerUntil } = await rotate({ overlapHours: 0 });
    expect(formerUntil).toBeUndefined();
    expect(await send("air-1-token")).toBe(401);
    expect(await send(password)).toBe(202);
    expect(lastAudit(2)[1]).toMatchObject({
      by: "operator",
      what: "device.rotate",
      target: "air-1",
      detail: "at once",
    });
  });

  it("is nobody's who is no device", async () => {
    expect((await call("operator", "POST", "/devices/admin/rotate", {})).statusCode).toBe(404);
    expect((await call("operator", "POST", "/gateways/air-1/rotate", {})).statusCode).toBe(404);
    expect((await call("operator", "POST", "/devices/air-1/rotate", { overlapHours: 5_000 })).statusCode).toBe(400);
  });
});

describe("a gateway", () => {
  it("is changed and connects again with its password; the import right is an admin's to give", async () => {
    const change = (name: string, body: object) => call(name, "PATCH", "/gateways/gw-north", body);
    expect((await change("operator", { mayImport: true })).statusCode).toBe(403);
    const answer = await change("operator", { districts: ["north", "south", "south"] });
    expect(answer.json()).toMatchObject({ username: "gw-north", districts: ["north", "south"], mayImport: false });
    expect(service.disconnected).toEqual(["gw-north"]);
    expect((await change("admin", { mayImport: true })).json()).toMatchObject({ districts: ["north", "south"] });
    expect(lastAudit()).toMatchObject([
      { what: "gateway.change", target: "gw-north", detail: "north, south; may import" },
    ]);
    expect(
      (
        await withPassword("gw-north-token", "POST", "/readings", {
          sensorId: "air-9",
          kind: "air",
          district: "south",
          pm25: 1,
        })
      ).statusCode,
    ).toBe(202);
  });
});

describe("a user", () => {
  it("gets another role and name from the next request on; nobody changes their own role", async () => {
    expect((await call("viewer", "GET", "/devices")).statusCode).toBe(403);
    const answer = await call("admin", "PATCH", "/users/viewer", { role: "operator", displayName: "Vera Vogel" });
    expect(answer.json()).toMatchObject({ username: "viewer", role: "operator", displayName: "Vera Vogel" });
    expect((await call("viewer", "GET", "/devices")).statusCode).toBe(200);
    expect(lastAudit()).toMatchObject([
      { by: "admin", what: "user.change", target: "viewer", detail: "viewer to operator; Vera Vogel" },
    ]);
    const own = await call("admin", "PATCH", "/users/admin", { role: "viewer" });
    expect([own.statusCode, own.json().detail]).toEqual([409, "You cannot change your own role: ask another admin."]);
    expect((await call("admin", "PATCH", "/users/admin", { displayName: "The office" })).statusCode).toBe(200);
    expect((await call("admin", "PATCH", "/users/viewer", { displayName: null })).json().displayName).toBeUndefined();
    expect((await call("admin", "PATCH", "/users/air-1", { role: "admin" })).statusCode).toBe(404);
  });

  it("has one admin at least, whoever asks", async () => {
    service.addAccount({ role: "admin", name: "second" });
    expect((await call("second", "PATCH", "/users/admin", { role: "viewer" })).statusCode).toBe(200);
    expect((await call("admin", "DELETE", "/users/second")).statusCode).toBe(403);
    expect((await call("second", "DELETE", "/users/second")).statusCode).toBe(409);
    expect((await call("second", "PATCH", "/users/second", { role: "crew" })).statusCode).toBe(409);
    expect(service.records.credentials.list("admin").map(({ account }) => account.name)).toEqual(["second"]);
  });

  it("is signed out everywhere, and with a new password also the old and the chosen one are over", async () => {
    const signIn = async (token: string) =>
      service.app.inject({ method: "POST", url: "/api/v1/session", payload: { token } });
    const first = await signIn("crew-token");
    const cookie = String(first.headers["set-cookie"]).split(";")[0]!;
    const asked = () =>
      service.app.inject({ method: "GET", url: "/api/v1/alerts", headers: { cookie, "x-lamppost": "page" } });
    expect((await asked()).statusCode).toBe(200);
    const users = (await call("admin", "GET", "/users")).json().items;
    expect(users.find((one: { username: string }) => one.username === "crew").sessions).toBe(1);
    expect((await call("admin", "POST", "/users/crew/sign-out", {})).json()).toEqual({ ended: 1 });
    expect((await asked()).statusCode).toBe(401);
    expect((await call("crew", "GET", "/alerts")).statusCode).toBe(200);

    service.records.sessions.setPassword("crew", "scrypt$…", service.deps.now());
    const { password } = (await call("admin", "POST", "/users/crew/password", {})).json();
    expect(service.records.sessions.passwordHash("crew")).toBeUndefined();
    expect((await call("crew", "GET", "/alerts")).statusCode).toBe(401);
    expect((await withPassword(password, "GET", "/alerts")).statusCode).toBe(200);
    expect((await call("admin", "POST", "/users/admin/password", {})).statusCode).toBe(409);
  });
});

describe("what was removed", () => {
  const removed = async (name = "admin") => (await call(name, "GET", "/removed")).json().items;
  const undo = async (name: string, id: number) =>
    (await call(name, "POST", `/removed/${id}/undo`, {})).statusCode as number;

  it("is gone and can be had back for a day: a user with password, name and crews", async () => {
    service.records.crews.save({ id: "night", members: ["crew", "crew-2"], districts: [], kinds: [] });
    await call("admin", "PATCH", "/users/crew", { displayName: "Karla" });
    expect((await call("admin", "DELETE", "/users/crew")).statusCode).toBe(204);
    expect((await call("crew", "GET", "/alerts")).statusCode).toBe(401);
    const [one] = await removed();
    expect(one).toMatchObject({ what: "user", name: "crew", by: "admin" });
    expect(JSON.stringify(one)).not.toContain("ecret");
    expect(await removed("operator")).toEqual([]);
    expect(await undo("operator", one.id)).toBe(403);
    expect(await undo("admin", one.id)).toBe(204);
    expect((await call("crew", "GET", "/alerts")).statusCode).toBe(200);
    expect(service.records.credentials.byName("crew")?.account).toMatchObject({ displayName: "Karla" });
    expect(service.records.crews.get("night")?.members).toEqual(["crew-2", "crew"]);
    expect(lastAudit()).toMatchObject([{ by: "admin", what: "user.undo-remove", target: "crew" }]);
    expect(await removed()).toEqual([]);
    expect(await undo("admin", one.id)).toBe(404);
  });

  it("is forgotten after a day, and does not come back over somebody else", async () => {
    await call("admin", "DELETE", "/users/crew");
    const [one] = await removed();
    expect((await call("admin", "POST", "/users", { name: "crew", role: "viewer" })).statusCode).toBe(201);
    expect(await undo("admin", one.id)).toBe(409);
    await call("admin", "DELETE", "/users/crew-2");
    service.tick(24 * HOUR_MS);
    expect(await removed()).toEqual([]);
    expect(await undo("admin", one.id)).toBe(404);
    service.records.undos.prune();
    service.tick(-24 * HOUR_MS);
    expect(await removed()).toEqual([]);
  });

  it.each([
    ["/sensors/air-1", "sensor"],
    ["/devices/air-1?removeSensor=true", "sensor"],
    ["/devices/air-1", "device"],
  ])("DELETE %s comes back as it was, able to send", async (path, what) => {
    expect((await call("operator", "DELETE", path)).statusCode).toBe(204);
    expect(await send("air-1-token")).toBe(401);
    const all = await removed("operator");
    expect(all.map((one: { what: string; name: string }) => [one.what, one.name])).toEqual([[what, "air-1"]]);
    expect(await undo("operator", all[0].id)).toBe(204);
    expect(await send("air-1-token")).toBe(202);
    expect(service.records.sensors.get("air-1")).toMatchObject({ name: "Station" });
    expect(service.records.sensors.retired("air-1")).toBeUndefined();
  });

  it("a device whose sensor moved meanwhile comes back where it stands now", async () => {
    await call("operator", "DELETE", "/devices/air-1");
    await call("operator", "PATCH", "/sensors/air-1", { district: "south" });
    const [one] = await removed();
    expect(await undo("operator", one.id)).toBe(204);
    const account = service.records.credentials.byName("air-1")?.account;
    expect(account).toMatchObject({ district: "south", former: ["north"] });
  });

  it("a gateway, a target, a crew and what was said of a district as well", async () => {
    await call("admin", "POST", "/targets", { id: "desk", name: "Desk", type: "mqtt", to: "alerts/to/desk" });
    await call("admin", "PUT", "/crews/night", { members: ["crew"], districts: [], kinds: [] });
    await call("admin", "PUT", "/districts/north", { name: "The north" });
    for (const path of ["/gateways/gw-north", "/targets/desk", "/crews/night", "/districts/north"])
      expect((await call("admin", "DELETE", path)).statusCode, path).toBe(204);
    const all = await removed();
    expect(all.map((one: { what: string }) => one.what)).toEqual(["district", "crew", "target", "gateway"]);
    for (const { id } of all) expect(await undo("admin", id)).toBe(204);
    expect(service.records.targets.get("desk")).toMatchObject({ to: "alerts/to/desk" });
    expect(service.records.crews.get("night")?.members).toEqual(["crew"]);
    expect(service.records.districts.get("north")?.name).toBe("The north");
    expect(service.records.credentials.byName("gw-north")).toBeDefined();
  });
});

describe("a district", () => {
  const square = (lon: number, lat: number, size = 1) => ({
    type: "Polygon",
    coordinates: [
      [
        [lon, lat],
        [lon + size, lat],
        [lon + size, lat + size],
        [lon, lat + size],
        [lon, lat],
      ],
    ],
  });
  const save = (body: object) => call("operator", "PUT", "/districts/north", body);
  const place = (id: string, lat: number, lon: number) =>
    service.records.sensors.add({ id, kind: "air", district: "north", lat, lon, tags: {}, createdAt: 0 });

  it("has a name and an outline, and says which of its sensors stand outside", async () => {
    place("in", 52.5, 13.5);
    place("out", 60, 13.5);
    const saved = (await save({ name: " The north ", outline: square(13, 52) })).json();
    expect(saved).toMatchObject({ district: "north", name: "The north", inside: 1, outside: ["out"] });
    const list = (await call("viewer", "GET", "/districts")).json().items;
    expect(list).toEqual([expect.objectContaining({ district: "north", name: "The north", hasOutline: true })]);
    expect(list[0].outline).toBeUndefined();
    const whole = (await call("viewer", "GET", "/districts?outlines=true")).json().items;
    expect(whole[0].outline).toEqual(square(13, 52));
    expect((await save({ name: "North" })).json().outline).toBeUndefined();
  });

  it("a hole is outside", async () => {
    place("hole", 52.5, 13.5);
    const { coordinates } = square(13, 52);
    const outline = { type: "MultiPolygon", coordinates: [[coordinates[0], square(13.4, 52.4, 0.2).coordinates[0]]] };
    expect((await save({ outline })).json()).toMatchObject({ inside: 0, outside: ["hole"] });
  });

  it.each([
    ["no geometry", { type: "Feature" }, "/outline/type"],
    ["latitude first", square(52, 130), "/outline/coordinates/0/0"],
    [
      "not closed",
      { type: "Polygon", coordinates: [square(1, 1).coordinates[0]!.slice(0, 4)] },
      "/outline/coordinates/0",
    ],
    [
      "no area",
      {
        type: "Polygon",
        coordinates: [
          [
            [1, 1],
            [1, 1],
            [1, 1],
            [1, 1],
          ],
        ],
      },
      "/outline/coordinates/0",
    ],
    ["text", { type: "Polygon", coordinates: [[["a", 1]]] }, "/outline/coordinates/0/0"],
    ["too fine", { type: "Polygon", coordinates: [Array(5_001).fill([1, 1])] }, "/outline/coordinates"],
    ["nothing", { type: "MultiPolygon", coordinates: [] }, "/outline/coordinates"],
  ])("refuses an outline with %s, and says where", async (_, outline, pointer) => {
    const answer = await save({ outline });
    expect(answer.statusCode).toBe(400);
    expect(answer.json().errors[0].pointer).toBe(pointer);
    expect(service.records.districts.get("north")).toBeUndefined();
  });
});
