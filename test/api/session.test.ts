import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { startService } from "./service.ts";

let service = startService();
beforeEach(async () => {
  await service.close();
  service = startService({ options: { limits: { authFailuresFree: 5, signInFailuresFree: 3 } } });
});
afterAll(() => service.close());

const HOUR = 3_600_000;
const PAGE = { "x-lamppost": "page" };
const call = (method: string, url: string, cookie = "", body?: unknown, headers: Record<string, string> = PAGE) =>
  service.as(undefined, method, `/api/v1${url}`, body, { ...headers, cookie });
const signIn = (body: unknown, remoteAddress = "192.0.2.1") =>
  service.app.inject({ method: "POST", url: "/api/v1/session", payload: body as object, remoteAddress });

async function cookieOf(name: string): Promise<string> {
  const answer = await signIn({ token: `${name}-token` });
  expect(answer.statusCode).toBe(201);
  return String(answer.headers["set-cookie"]).split(";")[0]!;
}

describe("signing in on the page", () => {
  it("with a token answers a cookie that no script reads and no other site sends", async () => {
    const answer = await signIn({ token: "operator-token" });
    expect(answer.json()).toEqual({ user: { name: "operator", role: "operator" }, expiresAt: expect.any(String) });
    expect(answer.headers["set-cookie"]).toMatch(
      /^lamppost-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=604800$/,
    );
    const cookie = String(answer.headers["set-cookie"]).split(";")[0]!;
    expect((await call("GET", "/session", cookie)).json()).toMatchObject({ user: { name: "operator" } });
    expect((await call("GET", "/alerts", cookie)).statusCode).toBe(200);
    expect((await call("GET", "/users", cookie)).statusCode).toBe(403);
  });

  it("with a name and the generated password, which is the token", async () => {
    expect((await signIn({ user: "crew", password: "crew-token" })).statusCode).toBe(201);
    const wrong = await signIn({ user: "crew", password: "operator-token" });
    expect([wrong.statusCode, wrong.json().detail]).toEqual([401, "The name or the password is wrong."]);
    expect((await signIn({ user: "nobody", password: "crew-token" })).json().detail).toBe(wrong.json().detail);
  });

  it("keeps only the hash of the session's id, and says who signed in", async () => {
    const id = (await cookieOf("viewer")).split("=")[1]!;
    const [session] = service.records.sessions.list("viewer");
    expect(session!.idHash).toMatch(/^[0-9a-f]{64}$/);
    expect(session!.idHash).not.toContain(id);
    expect(service.records.audit.list(1).items[0]).toMatchObject({ by: "viewer", what: "session.start" });
  });

  it("is not for devices", async () => {
    expect((await signIn({ token: "air-1-token" })).statusCode).toBe(403);
    expect((await signIn({ user: "gw-north", password: "gw-north-token" })).statusCode).toBe(403);
  });

  it("says to the page who is there without an error when nobody is", async () => {
    const answer = await call("GET", "/session");
    expect([answer.statusCode, answer.json()]).toEqual([200, { publicPage: false, version: "0.0.0" }]);
    expect((await call("GET", "/session", "lamppost-session=nonsense")).json()).not.toHaveProperty("user");
  });

  it("makes the cookie Secure where the browser came by https through a trusted proxy", async () => {
    const behind = startService({ options: { proxiesTrusted: ["127.0.0.1"] } });
    const answer = await behind.as(
      undefined,
      "POST",
      "/api/v1/session",
      { token: "viewer-token" },
      { "x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.5" },
    );
    expect(answer.headers["set-cookie"]).toMatch(/; Secure$/);
    await behind.close();
  });
});

describe("a session", () => {
  it("changes nothing without the page's header, which no other site can add", async () => {
    const cookie = await cookieOf("admin");
    const body = { name: "mallory", role: "admin" };
    expect((await call("POST", "/users", cookie, body, {})).statusCode).toBe(403);
    expect((await call("POST", "/users", cookie, body)).statusCode).toBe(201);
    await call("DELETE", "/session", cookie, undefined, {});
    expect((await call("GET", "/alerts", cookie)).statusCode).toBe(200);
  });

  it("ends when its owner signs out", async () => {
    const cookie = await cookieOf("operator");
    const answer = await call("DELETE", "/session", cookie);
    expect(answer.statusCode).toBe(204);
    expect(answer.headers["set-cookie"]).toContain("Max-Age=0");
    expect((await call("GET", "/alerts", cookie)).statusCode).toBe(401);
  });

  it("ends 12 hours after its last use and 7 days after its start", async () => {
    const [idle, busy] = [await cookieOf("operator"), await cookieOf("operator")];
    service.tick(11 * HOUR);
    expect((await call("GET", "/alerts", busy)).statusCode).toBe(200);
    service.tick(2 * HOUR);
    expect((await call("GET", "/alerts", idle)).statusCode).toBe(401);
    for (let hours = 13; hours + 11 < 7 * 24; hours += 11) {
      expect((await call("GET", "/alerts", busy)).statusCode).toBe(200);
      service.tick(11 * HOUR);
    }
    service.tick(11 * HOUR);
    expect((await call("GET", "/alerts", busy)).statusCode).toBe(401);
  });

  it("ends with its account, and follows its role", async () => {
    const cookie = await cookieOf("viewer");
    service.records.credentials.remove("viewer");
    expect((await call("GET", "/alerts", cookie)).statusCode).toBe(401);
    service.addAccount({ role: "crew", name: "viewer" });
    expect((await call("GET", "/alerts", cookie)).statusCode).toBe(401);
  });

  it("is replaced by the next one of the same browser, and there are at most 20", async () => {
    const first = await cookieOf("viewer");
    await call("POST", "/session", first, { token: "viewer-token" });
    expect((await call("GET", "/alerts", first)).statusCode).toBe(401);
    for (let i = 0; i < 25; i += 1) await cookieOf("viewer");
    expect(service.records.sessions.list("viewer")).toHaveLength(20);
  });
});

describe("a chosen password", () => {
  const change = (cookie: string, current: string, next: string) =>
    call("PUT", "/session/password", cookie, { current, next });

  it("opens the page, beside the generated one, and ends the other sessions", async () => {
    const [mine, other] = [await cookieOf("operator"), await cookieOf("operator")];
    expect((await change(mine, "operator-token", "correct horse battery")).statusCode).toBe(204);
    expect((await call("GET", "/alerts", mine)).statusCode).toBe(200);
    expect((await call("GET", "/alerts", other)).statusCode).toBe(401);
    expect((await signIn({ user: "operator", password: "correct horse battery" })).statusCode).toBe(201);
    expect((await signIn({ user: "operator", password: "correct horse batterY" })).statusCode).toBe(401);
    expect(service.records.sessions.passwordHash("operator")).toMatch(/^scrypt\$32768\$8\$3\$[\w-]{22}\$[\w-]{43}$/);
    expect((await change(mine, "correct horse battery", "another horse battery")).statusCode).toBe(204);
  });

  it("needs the current one, and is not short or the name", async () => {
    const cookie = await cookieOf("operator");
    const wrong = await change(cookie, "operator-tokem", "correct horse battery");
    expect([wrong.statusCode, wrong.json().errors[0].pointer]).toEqual([400, "/current"]);
    expect((await change(cookie, "operator-token", "short")).json().errors[0].pointer).toBe("/next");
    expect((await change(cookie, "operator-token", "my-operator-password")).statusCode).toBe(400);
  });
});

describe("guessing", () => {
  it("makes the name wait, from wherever it comes, and no other name", async () => {
    for (let i = 0; i < 4; i += 1) await signIn({ user: "crew", password: "guess" }, `192.0.2.${i}`);
    const blocked = await signIn({ user: "crew", password: "crew-token" }, "192.0.2.9");
    expect([blocked.statusCode, blocked.headers["retry-after"]]).toEqual([429, "1"]);
    expect((await signIn({ user: "crew-2", password: "crew-2-token" }, "192.0.2.9")).statusCode).toBe(201);
    expect(service.records.audit.list(1).items[0]).toMatchObject({ what: "session.start" });
    expect(service.records.audit.list(9).items.map(({ what, target }) => `${what} ${target}`)).toContain(
      "auth.refused crew",
    );
    service.tick(1_000);
    expect((await signIn({ user: "crew", password: "crew-token" }, "192.0.2.9")).statusCode).toBe(201);
  });

  it("makes the address wait, whatever the name", async () => {
    for (let i = 0; i < 6; i += 1) await signIn({ token: `guess-${i}` });
    expect((await signIn({ token: "crew-token" })).statusCode).toBe(429);
    expect((await signIn({ token: "crew-token" }, "192.0.2.2")).statusCode).toBe(201);
  });
});

describe("the live stream", () => {
  it("opens with the cookie and ends when the session does", async () => {
    await service.app.listen({ port: 0, host: "127.0.0.1" });
    const url = service.app.listeningOrigin;
    const cookie = await cookieOf("viewer");
    const stream = await fetch(`${url}/api/v1/events`, { headers: { cookie } });
    expect(stream.status).toBe(200);
    const ended = stream.text();
    await fetch(`${url}/api/v1/session`, { method: "DELETE", headers: { cookie, ...PAGE } });
    expect(await ended).toContain("retry:");
  });
});
