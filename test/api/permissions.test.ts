import { afterAll, describe, expect, it } from "vitest";
import { PERMISSIONS, permissionOf } from "../../api/permissions.ts";
import { createApi } from "../../api/server.ts";
import { startService } from "./service.ts";

const V = "viewer crew operator admin";
const H = "crew operator admin";
const M = "operator admin";
/** Written by hand, apart from the table in the code: who may call what. */
const EXPECTED: Record<string, string> = {
  "POST /api/v1/readings": "device gateway operator admin",
  "GET /api/v1/readings/latest": V,
  "GET /api/v1/sensors": V,
  "GET /api/v1/sensors/:id": V,
  "GET /api/v1/register": M,
  "POST /api/v1/register": M,
  "PATCH /api/v1/sensors/:id": M,
  "DELETE /api/v1/sensors/:id": M,
  "POST /api/v1/sensors/:id/restore": M,
  "GET /api/v1/sensors/:id/readings": V,
  "GET /api/v1/sensors/:id/corrections": V,
  "POST /api/v1/sensors/:id/corrections": M,
  "POST /api/v1/corrections/:id/revoke": M,
  "GET /api/v1/sensors/:id/calibrations": V,
  "POST /api/v1/sensors/:id/calibrations": M,
  "POST /api/v1/calibrations/:id/end": M,
  "POST /api/v1/quarantine/:id/decide": M,
  "GET /api/v1/districts": V,
  "PUT /api/v1/districts/:id": M,
  "DELETE /api/v1/districts/:id": M,
  "GET /api/v1/removed": M,
  "POST /api/v1/removed/:id/undo": M,
  "POST /api/v1/devices/:id/rotate": M,
  "PATCH /api/v1/gateways/:id": M,
  "POST /api/v1/gateways/:id/rotate": M,
  "PATCH /api/v1/users/:id": "admin",
  "POST /api/v1/users/:id/password": "admin",
  "POST /api/v1/users/:id/sign-out": "admin",
  "GET /api/v1/alerts": V,
  "GET /api/v1/crew": V,
  "GET /api/v1/crews": V,
  "GET /api/v1/assignees": H,
  "PUT /api/v1/crews/:id": "admin",
  "DELETE /api/v1/crews/:id": "admin",
  "GET /api/v1/alerts/:id": V,
  "POST /api/v1/alerts/:id/acknowledge": H,
  "POST /api/v1/alerts/:id/assign": H,
  "POST /api/v1/alerts/:id/comment": H,
  "POST /api/v1/alerts/:id/start": H,
  "POST /api/v1/alerts/:id/close": H,
  "POST /api/v1/alerts/:id/return": H,
  "POST /api/v1/alerts/:id/reopen": H,
  "POST /api/v1/alerts/:id/review": H,
  "POST /api/v1/alerts/:id/photos": H,
  "GET /api/v1/alerts/:id/photos/:photo": V,
  "GET /api/v1/incidents": V,
  "GET /api/v1/incidents/:id": V,
  "POST /api/v1/incidents/:id/acknowledge": H,
  "POST /api/v1/incidents/:id/assign": H,
  "POST /api/v1/incidents/:id/comment": H,
  "POST /api/v1/incidents/:id/start": H,
  "POST /api/v1/incidents/:id/close": H,
  "POST /api/v1/incidents/:id/reopen": H,
  "GET /api/v1/silences": V,
  "GET /api/v1/silences/windows": V,
  "GET /api/v1/silences/:id": V,
  "POST /api/v1/silences": M,
  "POST /api/v1/silences/preview": M,
  "DELETE /api/v1/silences/:id": M,
  "GET /api/v1/rules": V,
  "GET /api/v1/rules/:id": V,
  "GET /api/v1/rules/:id/versions": V,
  "PUT /api/v1/rules/:id": M,
  "DELETE /api/v1/rules/:id": M,
  "POST /api/v1/rules/:id/promote": M,
  "POST /api/v1/rules/:id/backtest": M,
  "POST /api/v1/rules/backtest": M,
  "POST /api/v1/rules/check": M,
  "GET /api/v1/mappings": V,
  "GET /api/v1/mappings/:id": M,
  "GET /api/v1/mappings/:id/versions": M,
  "PUT /api/v1/mappings/:id": M,
  "DELETE /api/v1/mappings/:id": M,
  "POST /api/v1/mappings/check": M,
  "POST /api/v1/mappings/try": M,
  "GET /api/v1/mapping-bases": V,
  "GET /api/v1/mappings/:id/messages": M,
  "GET /api/v1/unmapped": M,
  "GET /api/v1/unmapped/suggestion": M,
  "GET /api/v1/rules/:id/stats": V,
  "GET /api/v1/schemas/rules": V,
  "GET /api/v1/devices": M,
  "POST /api/v1/devices": M,
  "DELETE /api/v1/devices/:id": M,
  "GET /api/v1/gateways": M,
  "POST /api/v1/gateways": M,
  "DELETE /api/v1/gateways/:id": M,
  "GET /api/v1/targets": "admin",
  "POST /api/v1/targets": "admin",
  "GET /api/v1/targets/:id": "admin",
  "PUT /api/v1/targets/:id": "admin",
  "DELETE /api/v1/targets/:id": "admin",
  "POST /api/v1/targets/:id/test": "admin",
  "GET /api/v1/users": "admin",
  "POST /api/v1/users": "admin",
  "DELETE /api/v1/users/:id": "admin",
  "GET /api/v1/quarantine": M,
  "GET /api/v1/quarantine/sensors": M,
  "GET /api/v1/quarantine/:id": M,
  "POST /api/v1/quarantine/redrive": M,
  "POST /api/v1/quarantine/dismiss": M,
  "POST /api/v1/quarantine/correct": M,
  "POST /api/v1/quarantine/:id/edit": M,
  "GET /api/v1/ledger": V,
  "GET /api/v1/map": V,
  "GET /api/v1/map/:name": V,
  "PUT /api/v1/map/:name": "admin",
  "DELETE /api/v1/map/:name": "admin",
  "GET /api/v1/report": V,
  "GET /api/v1/capture": V,
  "GET /api/v1/session/notifications": V,
  "PUT /api/v1/session/notifications": V,
  "POST /api/v1/session/notifications/test": V,
  "POST /api/v1/session/browsers": V,
  "DELETE /api/v1/session/browsers/:id": V,
  "GET /api/v1/views": V,
  "POST /api/v1/views": V,
  "DELETE /api/v1/views/:id": V,
  "GET /api/v1/favourites": V,
  "PUT /api/v1/favourites/:id": V,
  "DELETE /api/v1/favourites/:id": V,
  "GET /api/v1/handover": V,
  "POST /api/v1/handover": H,
  "POST /api/v1/handover/:id/seen": H,
  "GET /api/v1/sensors/:id/annotations": V,
  "POST /api/v1/sensors/:id/annotations": H,
  "DELETE /api/v1/annotations/:id": H,
  "GET /api/v1/wall-displays": "admin",
  "POST /api/v1/wall-displays": "admin",
  "DELETE /api/v1/wall-displays/:id": "admin",
  "GET /api/v1/status": V,
  "GET /api/v1/simulations": V,
  "POST /api/v1/simulations": "admin",
  "DELETE /api/v1/simulations/:id": "admin",
  "GET /api/v1/recordings": V,
  "GET /api/v1/recordings/:id": V,
  "POST /api/v1/recordings": M,
  "POST /api/v1/recordings/:id/stop": M,
  "DELETE /api/v1/recordings/:id": M,
  "GET /api/v1/ledger/trace": M,
  "GET /api/v1/store": M,
  "POST /api/v1/backup": "admin",
  "GET /api/v1/audit": M,
  "GET /api/v1/audit/export": M,
  "GET /api/v1/audit/verify": "admin",
  "GET /api/v1/events": V,
  "PUT /api/v1/session/password": V,
};
const PAGES = [
  "/",
  "/alerts/:id",
  "/crew",
  "/sensors/:id",
  "/rules",
  "/rules/:id",
  "/rules/:id/edit",
  "/new-rule",
  "/mappings/:id",
  "/new-mapping",
  "/feed",
  "/report",
  "/capture",
  "/sensors",
  "/compare",
  "/wall",
  "/admin",
  "/account",
  "/city",
];
const PUBLIC = [
  ...PAGES,
  "/assets/:file",
  "/icon.svg",
  "/manifest.webmanifest",
  "/service-worker.js",
  "/city-metrics.js",
  "/livez",
  "/readyz",
  "/openapi.json",
].map((path) => `GET ${path}`);
/** A display's token opens them, which is no account's: see `walls.test.ts`. */
const WALL = ["GET /api/v1/wall", "GET /api/v1/wall/events"];
/** Public by nature, and each with tests of its own: signing in, and the page that may be switched on. */
const SESSION = ["GET", "POST", "DELETE"].map((method) => `${method} /api/v1/session`).concat("GET /api/v1/city");
const CALLERS = {
  viewer: "viewer",
  crew: "crew",
  operator: "operator",
  admin: "admin",
  device: "air-1",
  gateway: "gw-north",
};

const service = startService();
afterAll(service.close);

/** They look for the secret themselves, where each of their senders can put it: their own tests are elsewhere. */
const DOORS_OF_OTHERS = [
  "/in/:mapping",
  "/in/:mapping/*",
  "/api/v1/in/:mapping",
  "/api/v1/in/:mapping/*",
  "/write",
  "/api/v2/write",
].map((path) => `POST ${path}`);

/** An id that exists nowhere, and a stream that is refused before it opens: a right caller gets anything but 401 and 403. */
function call(name: string | undefined, key: string) {
  const [method = "", path = ""] = key.split(" ");
  const url = path.replace(":file", "main.js").replace(":id", path.includes("quarantine") ? "999" : "nothing");
  return service.as(
    name,
    method,
    key.endsWith("/events") ? `${url}?lastEventId=no` : key.endsWith("/trace") ? `${url}?sensor=a&measuredAt=1` : url,
    method === "POST" || method === "PUT" ? {} : undefined,
  );
}

describe("permissions", () => {
  it("the table names exactly these routes", () => {
    expect([...PERMISSIONS.keys()].sort()).toEqual(
      [
        ...Object.keys(EXPECTED),
        ...PUBLIC,
        ...SESSION,
        ...WALL,
        ...DOORS_OF_OTHERS,
        "GET /metrics",
        "GET /ping",
      ].sort(),
    );
  });

  it.each(Object.entries(EXPECTED))("%s is for %s", async (key, roles) => {
    for (const [role, name] of Object.entries(CALLERS)) {
      const { statusCode } = await call(name, key);
      if (roles.split(" ").includes(role)) expect([401, 403], role).not.toContain(statusCode);
      else expect(statusCode, role).toBe(403);
    }
    expect((await call(undefined, key)).statusCode).toBe(401);
  });

  it.each(PUBLIC)("%s needs no token", async (key) => {
    expect((await call(undefined, key)).statusCode).toBe(200);
  });

  it.each(DOORS_OF_OTHERS)("%s lets nobody in without a secret, nor viewers with one", async (key) => {
    const path = key.slice(5).replace(":mapping", "x").replace("*", "y");
    expect((await service.as(undefined, "POST", path)).statusCode).toBe(401);
    expect([403, 404]).toContain((await service.as("viewer", "POST", path)).statusCode);
  });

  it("/metrics is for this machine, and for viewers from elsewhere", async () => {
    const from = async (remoteAddress: string, headers = {}) =>
      (await service.app.inject({ url: "/metrics", remoteAddress, headers })).statusCode;
    expect(await from("127.0.0.1")).toBe(200);
    expect(await from("192.0.2.7")).toBe(401);
    expect(await from("127.0.0.1", { "x-forwarded-for": "192.0.2.7" })).toBe(401);
    expect(await from("192.0.2.7", { authorization: "Bearer viewer-token" })).toBe(200);
    expect(await from("192.0.2.7", { authorization: "Bearer air-1-token" })).toBe(403);
  });

  it("a route without a permission cannot be registered", () => {
    const { records, live } = service;
    const app = createApi({ ...service.deps, records, live });
    expect(() => app.get("/api/v1/secret", async () => "open")).toThrow(/no permission/);
    expect(permissionOf("GET", "/api/v1/secret")).toBeUndefined();
  });

  it("HEAD is as closed as GET", async () => {
    expect((await service.as(undefined, "HEAD", "/api/v1/users")).statusCode).toBe(401);
    expect((await service.as("viewer", "HEAD", "/api/v1/users")).statusCode).toBe(403);
    expect((await service.as("admin", "HEAD", "/api/v1/users")).statusCode).toBe(200);
  });
});

describe("private answers", () => {
  const paths = [...PERMISSIONS].flatMap(([route, permission]) =>
    route.startsWith("GET ") && permission !== "public" ? [route.slice(4).replace(":id", "x")] : [],
  );

  it.each(paths.filter((path) => path !== "/api/v1/events"))(
    "%s is kept by no cache, nor is its refusal",
    async (path) => {
      for (const name of ["admin", "viewer", undefined]) {
        expect((await service.as(name, "GET", path)).headers["cache-control"]).toBe("no-store");
      }
    },
  );
});

describe("wrong tokens", () => {
  it("are answered 401, then told to wait by their address, and no other; a right one never is", async () => {
    const { app, tick, records, close } = startService({ options: { version: "0", limits: { authFailuresFree: 3 } } });
    const from = (remoteAddress: string, token: string) =>
      app.inject({ url: "/api/v1/districts", remoteAddress, headers: { authorization: `Bearer ${token}` } });
    for (let i = 0; i < 4; i += 1) {
      const answer = await from("192.0.2.1", "guess");
      expect(answer.statusCode).toBe(401);
      expect(answer.headers["www-authenticate"]).toContain("Bearer");
    }
    const blocked = await from("192.0.2.1", "guess");
    expect(blocked.statusCode).toBe(429);
    expect(blocked.headers["retry-after"]).toBe("1");
    expect((await from("192.0.2.1", "viewer-token")).statusCode).toBe(200);
    expect((await from("192.0.2.2", "viewer-token")).statusCode).toBe(200);
    expect(records.audit.list(10).items.map(({ what, target }) => [what, target])).toEqual([
      ["auth.refused", "192.0.2.1"],
    ]);
    tick(1_000);
    expect((await from("192.0.2.1", "guess")).statusCode).toBe(401);
    await close();
  });

  it.each([
    "",
    "Bearer",
    "Bearer ",
    "Basic dmlld2VyOnZpZXdlci10b2tlbg==",
    "Bearer viewer-token x",
    `Bearer ${"x".repeat(9_000)}`,
  ])("%.20s… is 401", async (authorization) => {
    const { app, close } = startService();
    expect((await app.inject({ url: "/api/v1/districts", headers: { authorization } })).statusCode).toBe(401);
    await close();
  });
});
