import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { setImmediate } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { LOOPBACK_HOSTS } from "../../api/deps.ts";
import { SILENT } from "../../model/log.ts";
import { StoreError } from "../../store/reading-store.ts";
import { startService } from "./service.ts";

const service = startService({ options: { version: "0", hostsAllowed: LOOPBACK_HOSTS } });
afterAll(service.close);

type Answer = Awaited<ReturnType<typeof service.as>>;

function expectProblem(answer: Answer, status: number, name: string) {
  expect(answer.statusCode).toBe(status);
  expect(answer.headers["content-type"]).toContain("application/problem+json");
  const problem = answer.json();
  expect(problem).toMatchObject({ type: `urn:lamppost:problem:${name}`, status });
  return problem;
}

const post = (payload: string, type = "application/json") =>
  service.app.inject({
    method: "POST",
    url: "/api/v1/readings",
    headers: { authorization: "Bearer admin-token", "content-type": type },
    payload,
  });

describe("a problem in the reader's language", () => {
  const ask = (language: string | undefined, url: string, payload?: object) =>
    service.app.inject({
      method: payload ? "POST" : "GET",
      url,
      headers: { authorization: "Bearer admin-token", ...(language && { "accept-language": language }) },
      ...(payload && { payload }),
    });

  it.each([
    ["de-AT,de;q=0.9,en;q=0.1", "de", "Nicht gefunden", "Sensor „no-one“ gibt es nicht."],
    ["es", "es", "No encontrado", "No existe: sensor «no-one»."],
    ["fr", "en", "Not found", 'There is no sensor "no-one".'],
    [undefined, "en", "Not found", 'There is no sensor "no-one".'],
  ])("%s", async (asked, language, title, detail) => {
    const answer = await ask(asked, "/api/v1/sensors/no-one");
    expect(expectProblem(answer, 404, "not-found")).toMatchObject({ title, detail });
    expect(answer.headers["content-language"]).toBe(language);
    expect(String(answer.headers.vary)).toContain("accept-language");
  });

  it("has each mistake in it, what zod says by itself and what we say, never with a value", async () => {
    const body = { sensorId: "UPPER", kind: "water", district: "north", lat: "hidden-value", extra: 1 };
    const [en, de, es] = await Promise.all(
      ["en", "de", "es"].map(async (language) => (await ask(language, "/api/v1/devices", body)).json()),
    );
    const pointers = (problem: { errors: { pointer: string }[] }) => problem.errors.map(({ pointer }) => pointer);
    expect(pointers(de)).toEqual(pointers(en));
    expect(pointers(es)).toEqual(pointers(en));
    const at = (problem: { errors: { pointer: string; detail: string }[] }, pointer: string) =>
      problem.errors.find((one) => one.pointer === pointer)?.detail;
    expect(at(de, "/extra")).toBe("Unbekanntes Feld: entfernen oder die Schreibweise prüfen.");
    expect(at(es, "/sensorId")).toContain("Un id tiene de 1 a 64 caracteres");
    expect(at(de, "/lat")).toMatch(/erwartet/);
    for (const problem of [de, es]) expect(JSON.stringify(problem)).not.toMatch(/hidden-value|Invalid|expected/);
    expect(de.detail).toBe(de.errors[0].detail);
  });

  it("has why a value of a reading was refused, and the same reason for programs", async () => {
    const reading = { sensorId: "air-9", kind: "air", district: "north", temperature: 900 };
    const problem = expectProblem(await ask("de", "/api/v1/readings", reading), 422, "readings-refused");
    expect(problem.title).toBe("Kein Messwert wurde angenommen");
    expect(problem.errors[0]).toMatchObject({ reason: "out_of_range" });
    expect(problem.errors[0].detail).toMatch(/^temperature ist 900; möglich ist /);
  });
});

describe("errors are problems", () => {
  it("is no error: to name the type of a body that a DELETE does not have", async () => {
    const answer = await service.app.inject({
      method: "DELETE",
      url: "/api/v1/sensors/nowhere",
      headers: { authorization: "Bearer admin-token", "content-type": "application/json" },
    });
    expectProblem(answer, 404, "not-found");
  });

  it("404 for an unknown address, 405 for an unknown method, both with safe headers", async () => {
    const missing = await service.as("admin", "GET", "/api/v1/nothing");
    expectProblem(missing, 404, "not-found");
    expect(missing.headers["content-security-policy"]).toContain("default-src 'self'");
    const wrong = await service.as("admin", "DELETE", "/api/v1/alerts/a1");
    expectProblem(wrong, 405, "method-not-allowed");
    expect(wrong.headers.allow).toBe("GET, HEAD");
  });

  it("400 names every mistake by its pointer and never shows a value", async () => {
    const body = { sensorId: "UPPER", kind: "water", district: "north", lat: "hidden-value", extra: 1 };
    const problem = expectProblem(await service.as("admin", "POST", "/api/v1/devices", body), 400, "invalid-request");
    const pointers = problem.errors.map((one: { pointer: string }) => one.pointer);
    expect(pointers.sort()).toEqual(["/extra", "/kind", "/lat", "/sensorId"]);
    expect(JSON.stringify(problem)).not.toContain("hidden-value");
  });

  it("400 for unknown and repeated query keys", async () => {
    const unknown = expectProblem(
      await service.as("admin", "GET", "/api/v1/sensors?distrct=x"),
      400,
      "invalid-request",
    );
    expect(unknown.errors).toEqual([
      { pointer: "#/query/distrct", detail: "Unknown key: remove it or check its spelling." },
    ]);
    expectProblem(await service.as("admin", "GET", "/api/v1/sensors?kind=air&kind=air"), 400, "invalid-request");
    expectProblem(await service.as("admin", "GET", "/api/v1/sensors?__proto__=x"), 400, "invalid-request");
    expectProblem(await service.as("admin", "GET", "/api/v1/sensors/%E0%A4%A"), 400, "invalid-request");
  });

  it.each(["alerts", "quarantine", "audit", "sensors", "readings/latest"])(
    "400 for a made-up cursor of %s",
    async (list) => {
      expectProblem(await service.as("admin", "GET", `/api/v1/${list}?cursor=!!!`), 400, "invalid-request");
    },
  );

  it("413 for a large body, 415 for text/plain and forms", async () => {
    expectProblem(await post(`[${"1".repeat(300_000)}]`), 413, "too-large");
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data",
      "application/\tjson",
    ]) {
      expectProblem(await post("{}", type), 415, "unsupported-media-type");
    }
  });

  it("400 for a body that is nested deeper than any of ours; brackets in a text are none", async () => {
    const nested = (depth: number) => post(`{"a":"]\\"[[[","b":${"[".repeat(depth)}${"]".repeat(depth)}}`);
    expect(expectProblem(await nested(64), 400, "invalid-request").detail).toBe(
      "The body is nested more than 64 deep.",
    );
    expect(expectProblem(await nested(63), 400, "invalid-request").detail).not.toContain("nested");
  });

  it("400 for a bare NaN, said as what it is", async () => {
    const { detail } = expectProblem(await post('{"pm25":12.4,"no2":NaN}'), 400, "invalid-request");
    expect(detail).toBe("NaN at character 19 is not JSON: send null.");
  });

  it("421 for a foreign Host header, whatever the port", async () => {
    const host = (name: string) => service.as("admin", "GET", "/api/v1/districts", undefined, { host: name });
    for (const name of ["evil.example", "evil.example:8080", "127.0.0.1.evil.example"]) {
      expectProblem(await host(name), 421, "wrong-host");
    }
    for (const name of ["localhost:8080", "127.0.0.1:1", "[::1]:8080", "LOCALHOST"]) {
      expect((await host(name)).statusCode).toBe(200);
    }
  });

  it("500 tells nothing of the inside, and is logged without the payload", async () => {
    const logged: object[] = [];
    const broken = startService({
      check: () => {
        throw new Error("secret inside");
      },
      log: { ...SILENT, error: (fields) => void logged.push(fields) },
    });
    const reading = { sensorId: "air-1", kind: "air", district: "north", pm25: 77_777 };
    const answer = await broken.as("admin", "POST", "/api/v1/readings", reading);
    expect(expectProblem(answer, 500, "internal")).toEqual({
      type: "urn:lamppost:problem:internal",
      title: expect.any(String),
      status: 500,
    });
    expect(logged).toHaveLength(1);
    expect(JSON.stringify(logged)).not.toContain("77777");
    await broken.close();
  });

  it("503 with Retry-After when the store does not answer", async () => {
    const latest = async () => {
      throw new StoreError("unavailable", "http://user:password@influx", { retryAfterMs: 4_000 });
    };
    const broken = startService({ store: { ...service.deps.store, latest } });
    const answer = await broken.as("admin", "GET", "/api/v1/readings/latest");
    expect(JSON.stringify(expectProblem(answer, 503, "unavailable"))).not.toContain("password");
    expect(answer.headers["retry-after"]).toBe("4");
    await broken.close();
  });

  it("503 with Retry-After also where nobody said when it will be over", async () => {
    const answer = await service.as("admin", "POST", "/api/v1/backup");
    expectProblem(answer, 503, "unavailable");
    expect(answer.headers["retry-after"]).toBe("30");
  });

  it("429 beyond the general rate", async () => {
    const slow = startService({ options: { version: "0", limits: { requestsPerMinuteMax: 3 } } });
    const get = () => slow.as("admin", "GET", "/api/v1/districts");
    for (let i = 0; i < 3; i += 1) expect((await get()).statusCode).toBe(200);
    const answer = await get();
    expectProblem(answer, 429, "rate-limited");
    expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
    expect((await slow.as(undefined, "GET", "/livez")).statusCode).toBe(200);
    await slow.close();
  });

  it("bytes that are not HTTP get a problem, too", async () => {
    const raw = startService();
    await raw.app.listen({ host: "127.0.0.1", port: 0 });
    const socket = connect((raw.app.server.address() as AddressInfo).port, "127.0.0.1");
    socket.end("\x16\x03\x01 nonsense\r\n\r\n");
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    await once(socket, "close");
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain("application/problem+json");
    await raw.close();
  });

  it("gives every answer an id, and keeps a harmless one of the caller", async () => {
    const id = async (given: string) =>
      (await service.as("admin", "GET", "/api/v1/districts", undefined, { "x-request-id": given })).headers[
        "x-request-id"
      ];
    expect(await id("trace-1")).toBe("trace-1");
    expect(await id("a\tb{}")).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe("a client that has left", () => {
  /** Asks for the latest readings, leaves, and lets the store fail with `error`; what was logged and counted. */
  async function leave(error: Error): Promise<{ logged: unknown[]; requests: string[] }> {
    const logged: unknown[] = [];
    const [asked, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const latest = async () => {
      asked.resolve();
      await released.promise;
      throw error;
    };
    const city = startService({
      store: { ...service.deps.store, latest },
      log: { ...SILENT, error: (fields) => void logged.push(fields) },
    });
    await city.app.listen({ host: "127.0.0.1", port: 0 });
    const socket = connect((city.app.server.address() as AddressInfo).port, "127.0.0.1");
    socket.write(
      "GET /api/v1/readings/latest HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer admin-token\r\n\r\n",
    );
    const [request] = await once(city.app.server, "request");
    await asked.promise;
    const gone = once(request.socket, "close");
    socket.destroy();
    await gone;
    released.resolve();
    await setImmediate();
    const { body } = await city.as(undefined, "GET", "/metrics");
    await city.close();
    return { logged, requests: body.match(/^lamppost_http_requests_total.*$/gm) ?? [] };
  }

  it.each([new Error("aborted"), new DOMException("left", "AbortError"), new StoreError("refused", "interrupted")])(
    "is no fault of the service: nothing is logged, and it is counted as 499 (%s)",
    async (error) => {
      const { logged, requests } = await leave(error);
      expect(logged).toEqual([]);
      expect(requests).toEqual([
        'lamppost_http_requests_total{route="/api/v1/readings/latest",method="GET",status="499"} 1',
      ]);
    },
  );

  it("does not hide a mistake of ours", async () => {
    const { logged } = await leave(new TypeError("x is not a function"));
    expect(logged).toHaveLength(1);
  });
});

describe("hostile JSON", () => {
  const item = '"sensorId":"air-1","kind":"air","district":"north"';

  it.each([
    ["__proto__ as a key", `{${item},"__proto__":{"polluted":1}}`],
    ["constructor.prototype", `{${item},"constructor":{"prototype":{"polluted":1}}}`],
    ["100,000 levels", `${"[".repeat(100_000)}${"]".repeat(100_000)}`],
    ["100,000 levels of objects", `${'{"a":'.repeat(40_000)}1${"}".repeat(40_000)}`],
    ["depth in a value", `{${item},"pm25":${"[".repeat(50_000)}${"]".repeat(50_000)}}`],
    ["20,000 keys", `{${item},${Array.from({ length: 20_000 }, (_, i) => `"k${i}":1`).join(",")}}`],
    ["a cut body", `{${item},`],
    ["a bare word", "NaN"],
    ["null", "null"],
    ["nothing", ""],
    ["501 readings", JSON.stringify(Array.from({ length: 501 }, () => ({ sensorId: "air-1" })))],
    ["an id with wildcards", '{"sensorId":"a/+/#","kind":"air","district":"north","pm25":1}'],
  ])("%s is 400 and pollutes nothing", async (_name, payload) => {
    expectProblem(await post(payload), 400, "invalid-request");
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(service.submitted).toEqual([]);
  });

  it("invalid UTF-8 is 400", async () => {
    const answer = await service.app.inject({
      method: "POST",
      url: "/api/v1/readings",
      headers: { authorization: "Bearer admin-token", "content-type": "application/json" },
      payload: Buffer.concat([Buffer.from(`{${item},"pm25":"`), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]),
    });
    expect(expectProblem(answer, 400, "invalid-request").detail).toContain("UTF-8");
  });
});
