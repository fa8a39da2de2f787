import { gunzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { startService } from "./service.ts";

const service = startService();
afterAll(() => service.close());
const BROWSER = { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" };
const get = (path: string) => service.as(undefined, "GET", path);

describe("the page's files", () => {
  it.each(["/", "/alerts/a1", "/crew", "/sensors/air-1"])(
    "%s is the same document, asked for each time",
    async (path) => {
      const { statusCode, headers, body } = await get(path);
      expect(statusCode).toBe(200);
      expect(headers["content-type"]).toContain("text/html");
      expect(headers["cache-control"]).toBe("no-cache");
      expect(body).toContain("<title>The page</title>");
    },
  );

  it("come under a policy without inline code", async () => {
    const { headers } = await get("/");
    expect(headers["content-security-policy"]).toContain("default-src 'self'");
    expect(headers["content-security-policy"]).not.toContain("unsafe");
    expect(headers["x-content-type-options"]).toBe("nosniff");
  });

  it("let images come from the host of the map tiles, where there is one, and nothing else", async () => {
    const page = { dir: "/nowhere", isPublic: false, tilesUrl: "https://tiles.example/{z}/{x}/{y}.png" };
    const mapped = startService({ options: { page } });
    const policy = String((await mapped.as(undefined, "GET", "/")).headers["content-security-policy"]);
    expect(policy.split(";").filter((part) => part.includes("tiles.example"))).toEqual([
      "img-src 'self' data: https://tiles.example",
    ]);
    expect((await mapped.as(undefined, "GET", "/api/v1/session")).json().tilesUrl).toBe(page.tilesUrl);
    await mapped.close();
  });

  it("are kept for ever where their name carries a hash", async () => {
    const { statusCode, headers } = await get("/assets/main.js");
    expect([statusCode, headers["content-type"]]).toEqual([200, expect.stringContaining("javascript")]);
    expect(headers["cache-control"]).toBe("public, max-age=31536000, immutable");
    expect((await get("/icon.svg")).headers["content-type"]).toContain("image/svg+xml");
  });

  it("bring a worker for the whole page, asked for each time, and a manifest", async () => {
    const worker = await get("/service-worker.js");
    expect([worker.statusCode, worker.headers["content-type"]]).toEqual([200, expect.stringContaining("javascript")]);
    expect(worker.headers["cache-control"]).toBe("no-cache");
    expect(worker.headers["content-security-policy"]).toContain("worker-src 'self'");
    const manifest = await get("/manifest.webmanifest");
    expect(manifest.headers["content-type"]).toContain("application/manifest+json");
  });

  it.each(["/assets/none.js", "/assets/..%2Findex.html", "/assets/%2e%2e%2fservice.ts", "/nowhere"])(
    "%s is not there",
    async (path) => {
      const { statusCode, headers } = await get(path);
      expect([403, 404]).toContain(statusCode);
      expect(headers["content-type"]).toContain("application/problem+json");
    },
  );

  it.each(["/nowhere", "/alerts/a1/b/c", "/admin/users?tab=x", "/apis", "/livez/x", "/alerts%", "/sensors/%E0%A4%A?x"])(
    "%s, mistyped in a browser, is the page's own answer that there is no such page",
    async (path) => {
      const { statusCode, headers, body } = await service.as(undefined, "GET", path, undefined, BROWSER);
      expect([statusCode, headers["content-type"], headers["cache-control"]]).toEqual([404, "text/html", "no-cache"]);
      expect(body).toContain("<title>The page</title>");
      expect(headers["content-security-policy"]).toContain("default-src 'self'");
    },
  );

  it.each([
    ["GET", "/api/v1/nowhere", BROWSER],
    ["GET", "/api", BROWSER],
    ["GET", "/assets/none.js", BROWSER],
    ["GET", "/nowhere", { accept: "*/*" }],
    ["GET", "/nowhere", {}],
    ["POST", "/nowhere", BROWSER],
  ])("%s %s stays a problem for programs, %j", async (method, path, headers) => {
    const answer = await service.as(undefined, method, path, undefined, headers);
    expect(answer.statusCode).toBe(404);
    expect(answer.headers["content-type"]).toContain("application/problem+json");
  });

  it.each([
    ["/api/v1/sensors%", BROWSER],
    ["/alerts%", {}],
  ])("%s, no address at all, is a bad request for programs, %j", async (path, headers) => {
    const answer = await service.as(undefined, "GET", path, undefined, headers);
    expect([answer.statusCode, answer.headers["content-type"]]).toEqual([
      400,
      expect.stringContaining("application/problem+json"),
    ]);
  });

  it("come compressed where the build left them so and the browser takes it", async () => {
    const ask = (encoding: string) =>
      service.as(undefined, "GET", "/assets/main.js", undefined, { "accept-encoding": encoding });
    const small = await ask("br, gzip");
    expect([small.headers["content-encoding"], small.headers["content-type"]]).toEqual([
      "gzip",
      expect.stringContaining("javascript"),
    ]);
    expect(gunzipSync(small.rawPayload).toString()).toContain("Loaded");
    expect((await ask("identity")).headers["content-encoding"]).toBeUndefined();
  });

  it("say what to do when the page was never built", async () => {
    const bare = startService({ options: { page: { dir: "/nowhere/at/all", isPublic: false } } });
    const answer = await bare.as(undefined, "GET", "/");
    expect([answer.statusCode, answer.body]).toEqual([503, expect.stringContaining("npm run build")]);
    const mistyped = await bare.as(undefined, "GET", "/nowhere", undefined, BROWSER);
    expect([mistyped.statusCode, mistyped.json().title]).toEqual([404, "Not found"]);
    await bare.close();
  });
});
