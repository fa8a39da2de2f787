import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { startService } from "./service.ts";

/** What is here is about who has to wait, not about how slow scrypt is. */
const CHEAP = { N: 2 ** 10, r: 8, p: 1 };
let service = startService();
beforeEach(async () => {
  await service.close();
  service = startService({ options: { limits: { authFailuresFree: 5, signInFailuresFree: 3, passwordCost: CHEAP } } });
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
      /^lamppost-session=[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Strict$/,
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
    expect([answer.statusCode, answer.json()]).toEqual([200, { publicPage: false, version: "0.0.0", timeZone: "UTC" }]);
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
    expect(answer.headers["set-cookie"]).toMatch(/; Secure;/);
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
    expect(service.records.sessions.passwordHash("operator")).toMatch(/^scrypt\$1024\$8\$1\$[\w-]{22}\$[\w-]{43}$/);
    expect((await change(mine, "correct horse battery", "another horse battery")).statusCode).toBe(204);
  });

  it("is kept with what OWASP asks of scrypt", async () => {
    const slow = startService();
    const body = { current: "crew-token", next: "correct horse battery" };
    expect((await slow.as("crew", "PUT", "/api/v1/session/password", body)).statusCode).toBe(204);
    expect(slow.records.sessions.passwordHash("crew")).toMatch(/^scrypt\$32768\$8\$3\$/);
    await slow.close();
  });

  it("needs the current one, and is not short or the name", async () => {
    const cookie = await cookieOf("operator");
    const wrong = await change(cookie, "operator-tokem", "correct horse battery");
    expect([wrong.statusCode, wrong.json().errors[0].pointer]).toEqual([400, "/current"]);
    expect((await change(cookie, "operator-token", "short")).json().errors[0].pointer).toBe("/next");
    expect((await change(cookie, "operator-token", "my-operator-password")).statusCode).toBe(400);
  });
});

describe("guessing a password", () => {
  const PASSWORD = "correct horse battery";
  const guess = (user: string, from = "192.0.2.1", headers = {}) =>
    service.app.inject({
      method: "POST",
      url: "/api/v1/session",
      payload: { user, password: "a wrong guess" },
      remoteAddress: from,
      headers,
    });
  const withPassword = (user: string, from: string, headers = {}) =>
    service.app.inject({
      method: "POST",
      url: "/api/v1/session",
      payload: { user, password: PASSWORD },
      remoteAddress: from,
      headers,
    });
  /** Signs in and answers the mark of the browser. */
  async function choose(user: string): Promise<string> {
    const cookie = await cookieOf(user);
    const answer = await call("PUT", "/session/password", cookie, { current: `${user}-token`, next: PASSWORD });
    expect(answer.statusCode).toBe(204);
    return String(answer.headers["set-cookie"]).split(";")[0]!;
  }
  const refusals = () =>
    service.records.audit.list(100).items.filter(({ what }) => what === "auth.refused" || what === "request.rate");

  it("makes the guesser wait, and neither the name from elsewhere nor another name from there", async () => {
    await choose("crew");
    await choose("crew-2");
    for (let i = 0; i < 4; i += 1) expect((await guess("crew")).statusCode).toBe(401);
    const blocked = await withPassword("crew", "192.0.2.1");
    expect([blocked.statusCode, blocked.headers["retry-after"]]).toEqual([429, "1"]);
    expect((await withPassword("crew", "192.0.2.2")).statusCode).toBe(201);
    expect((await withPassword("crew-2", "192.0.2.1")).statusCode).toBe(201);
    service.tick(1_000);
    expect((await withPassword("crew", "192.0.2.1")).statusCode).toBe(201);
  });

  it("keeps nobody out who comes from elsewhere, however long it goes on", async () => {
    await choose("crew");
    for (let minutes = 0; minutes < 15; minutes += 1) {
      for (let i = 0; i < 6; i += 1) {
        await guess("crew");
        service.tick(10_000);
      }
      expect((await withPassword("crew", "192.0.2.2")).statusCode).toBe(201);
    }
  });

  it("counts a whole IPv6 network as one guesser", async () => {
    await choose("crew");
    for (let i = 0; i < 4; i += 1) await guess("crew", `2001:db8:1:2::${i}`);
    expect((await withPassword("crew", "2001:db8:1:2:9::1")).statusCode).toBe(429);
    expect((await withPassword("crew", "2001:db8:1:3::1")).statusCode).toBe(201);
  });

  it("goes on where it was after the person themselves has signed in from there", async () => {
    await choose("crew");
    for (let i = 0; i < 3; i += 1) await guess("crew");
    expect((await withPassword("crew", "192.0.2.1")).statusCode).toBe(201);
    await guess("crew");
    expect((await guess("crew")).statusCode).toBe(429);
  });

  it("takes a hundred guesses at once for a hundred", async () => {
    await choose("crew");
    const answers = await Promise.all(Array.from({ length: 100 }, () => guess("crew")));
    expect(answers.filter(({ statusCode }) => statusCode === 401)).toHaveLength(4);
    expect(answers.filter(({ statusCode }) => statusCode === 429)).toHaveLength(96);
  });

  it("lets a person from elsewhere go before whoever tries ever fresh names, from several addresses", async () => {
    for (let i = 0; i < 30; i++) service.addAccount({ role: "viewer", name: `user-${i}` });
    for (let i = 0; i < 30; i++) {
      const chosen = { current: `user-${i}-token`, next: PASSWORD };
      expect((await service.as(`user-${i}`, "PUT", "/api/v1/session/password", chosen)).statusCode).toBe(204);
    }
    const addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"];
    for (const [i, from] of addresses.entries()) expect((await guess(`user-${i}`, from)).statusCode).toBe(401);
    const answered: string[] = [];
    const guesses = Array.from({ length: 18 }, (_, i) =>
      guess(`user-${4 + i}`, addresses[i % 4]).then(() => answered.push("a guess")),
    );
    const person = withPassword("user-29", "198.51.100.9").then(({ statusCode }) => answered.push(String(statusCode)));
    await Promise.all([...guesses, person]);
    // One of the guesses is being looked at before the person comes.
    expect(answered.indexOf("201")).toBeLessThanOrEqual(1);
  });

  it("does not lock out a browser that has signed in before, even at the guesser's address", async () => {
    const mark = await choose("crew");
    expect(mark).toMatch(/^lamppost-browser=[\w-]{22}\.[\w-]{43}$/);
    for (let i = 0; i < 5; i += 1) await guess("crew");
    expect((await withPassword("crew", "192.0.2.1")).statusCode).toBe(429);
    expect((await withPassword("crew", "192.0.2.1", { cookie: mark })).statusCode).toBe(201);
    // It is a mark for one name, gives as many guesses as an address, and is not made by others.
    expect((await guess("crew-2", "192.0.2.1", { cookie: mark })).statusCode).toBe(401);
    for (let i = 0; i < 4; i += 1) await guess("crew", "192.0.2.3", { cookie: mark });
    expect((await guess("crew", "192.0.2.3", { cookie: mark })).statusCode).toBe(429);
    const made = `lamppost-browser=${"a".repeat(22)}.${"b".repeat(43)}`;
    expect((await guess("crew", "192.0.2.1", { cookie: made })).statusCode).toBe(429);
  });

  it("says the same of names that nobody has, and forgets nothing for their sake", async () => {
    await choose("crew");
    for (let i = 0; i < 4; i += 1) await guess("crew");
    for (let i = 0; i < 300; i += 1) expect((await guess(`invented-${i}`)).statusCode).toBe(401);
    for (let i = 0; i < 4; i += 1) await guess("nobody");
    const [known, unknown] = [await guess("crew"), await guess("nobody")];
    expect([known.statusCode, unknown.statusCode]).toEqual([429, 429]);
    expect(known.json()).toEqual(unknown.json());
    expect((await withPassword("crew-2", "192.0.2.1")).statusCode).toBe(401);
    expect(service.records.audit.list(100).items.some(({ target }) => target.includes("invented"))).toBe(false);
  });

  it("takes the generated password at any time: nobody guesses 256 random bits", async () => {
    await choose("crew");
    for (let i = 0; i < 6; i += 1) await guess("crew");
    expect((await signIn({ user: "crew", password: "crew-token" })).statusCode).toBe(201);
  });

  it("with a session that was left open makes only that session wait", async () => {
    await choose("crew");
    const [left, mine] = [await cookieOf("crew"), await cookieOf("crew")];
    const change = (cookie: string, current: string) =>
      call("PUT", "/session/password", cookie, { current, next: "another horse battery" });
    for (let i = 0; i < 4; i += 1) expect((await change(left, "a wrong guess")).statusCode).toBe(400);
    expect((await change(left, PASSWORD)).statusCode).toBe(429);
    expect((await change(mine, PASSWORD)).statusCode).toBe(204);
  });

  it("is answered no sooner for a name that nobody has than for one with a password", async () => {
    const slow = startService({ options: { limits: { signInFailedAfterMs: 300 } } });
    const ask = async (body: object) => {
      const before = performance.now();
      const answer = await slow.app.inject({ method: "POST", url: "/api/v1/session", payload: body });
      return [answer.statusCode, performance.now() - before >= 299];
    };
    expect(await ask({ user: "nobody", password: "a wrong guess" })).toEqual([401, true]);
    expect(await ask({ user: "crew", password: "a wrong guess" })).toEqual([401, true]);
    await slow.close();
  });

  it("leaves one row for a burst, with how many there were", async () => {
    await choose("crew");
    for (let i = 0; i < 8; i += 1) await guess("crew");
    for (let i = 0; i < 3; i += 1) await guess(`invented-${i}`);
    await service.as("admin", "GET", "/api/v1/audit");
    expect(refusals().map(({ target, detail }) => `${target}: ${detail}`)).toEqual([
      "192.0.2.1: wrong password from 192.0.2.1, 2 more since the row before",
      "crew: wrong password from 192.0.2.1, 7 more since the row before",
      "192.0.2.1: wrong password from 192.0.2.1",
      "crew: wrong password from 192.0.2.1",
    ]);
  });
});

describe("guessing a token", () => {
  const bearer = (token: string, remoteAddress = "192.0.2.1") =>
    service.app.inject({
      method: "GET",
      url: "/api/v1/districts",
      headers: { authorization: `Bearer ${token}` },
      remoteAddress,
    });

  it("slows only what is wrong: whoever has a right one gets through beside it", async () => {
    const wrong: number[] = [];
    for (let i = 0; i < 30; i += 1) {
      wrong.push((await bearer(`guess-${i}`)).statusCode);
      expect((await bearer("crew-token")).statusCode).toBe(200);
      expect((await signIn({ token: "crew-token" })).statusCode).toBe(201);
    }
    expect(wrong.slice(0, 6)).toEqual([401, 401, 401, 401, 401, 401]);
    expect(new Set(wrong.slice(6))).toEqual(new Set([429]));
  });

  it("is one count for an address, by header and by signing in, that a token of one's own does not reset", async () => {
    for (let i = 0; i < 3; i += 1) await bearer(`guess-${i}`);
    for (let i = 0; i < 3; i += 1) await signIn({ token: `guess-${i}` });
    await bearer("viewer-token");
    await signIn({ token: "viewer-token" });
    const answer = await bearer("guess");
    expect([answer.statusCode, answer.headers["retry-after"]]).toEqual([429, "1"]);
    expect((await bearer("guess", "192.0.2.2")).statusCode).toBe(401);
  });

  it("leaves the general rate of those who are known alone", async () => {
    const busy = startService({ options: { limits: { requestsPerMinuteMax: 3 } } });
    const ask = (name: string | undefined) => busy.as(name, "GET", name ? "/api/v1/districts" : "/api/v1/session");
    const answers = async (name?: string) => {
      const codes: number[] = [];
      for (let i = 0; i < 4; i += 1) codes.push((await ask(name)).statusCode);
      return codes;
    };
    expect(await answers()).toEqual([200, 200, 200, 429]);
    expect(await answers("crew")).toEqual([200, 200, 200, 429]);
    expect(await answers("viewer")).toEqual([200, 200, 200, 429]);
    await busy.close();
  });
});

describe("what is refused, and who signs out", () => {
  const rows = async () => {
    await service.as("admin", "GET", "/api/v1/audit");
    return service.records.audit.list(100).items.map(({ by, what, target }) => `${by} ${what} ${target}`);
  };

  it("is in the audit log: a role that does not suffice, a missing header, the end of a session", async () => {
    const cookie = await cookieOf("viewer");
    await service.as("viewer", "GET", "/api/v1/users");
    await call("DELETE", "/silences/s1", cookie, undefined, {});
    await call("DELETE", "/session", cookie);
    await service.as("viewer", "GET", "/api/v1/users");
    expect(await rows()).toEqual([
      "viewer request.forbidden GET /api/v1/users", // how many more there were
      "viewer session.end 127.0.0.1",
      "viewer request.forbidden DELETE /api/v1/silences/:id",
      "viewer request.forbidden GET /api/v1/users",
      "viewer session.start 192.0.2.1",
    ]);
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
