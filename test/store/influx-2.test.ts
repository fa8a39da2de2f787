import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import { openInfluxStore } from "../../store/influx/store.ts";
import type { ReadingStore } from "../../store/reading-store.ts";
import { INJECTIONS } from "../contract/reading-store-ranges.ts";
import { aReading, collect, T0 } from "../helpers/readings.ts";
import { answer, type Script, type SeenRequest, startScriptedHttp } from "../helpers/scripted-http.ts";

const flavour = { token: "s3cret-token==", org: "the city & co", bucket: "readings/raw" };
/** Long enough for a sound server on a busy machine. */
const TIMEOUT_MS = 1_000;
const away: Script = (request) => request;
/** As 2.7 words it. */
const said = (code: string, message: string) => ({ code, message });

/** Answers the proof of the place as a sound server would; `seen` are the other requests, which the script answers. */
async function startProven(first: Script, port = 0) {
  let probe = "";
  let script = first;
  const seen: SeenRequest[] = [];
  const proof: Script = (request, response) => {
    const { path, body } = request;
    const isProbe = body.includes("lamppost_probe");
    if (path === "/api/v2/buckets") {
      const buckets = [{ id: "0123456789abcdef", orgID: "fedcba9876543210", name: flavour.bucket }];
      return answer(200, { buckets })(request, response);
    }
    if (path === "/api/v2/dbrps") return answer(200, { content: [] })(request, response);
    if (isProbe && path.endsWith("/write")) probe = /value="(\w+)"/.exec(body)![1]!;
    if (isProbe && (path === "/api/v2/delete" || body.includes("DELETE"))) probe = "";
    if (isProbe && path === "/query") {
      const series = probe ? [{ name: "lamppost_probe", columns: ["time", "value"], values: [[1, probe]] }] : [];
      return answer(200, { results: [{ statement_id: 0, series }] })(request, response);
    }
    if (isProbe || body.includes("CREATE+DATABASE")) return answer(204)(request, response);
    seen.push(request);
    script(request, response);
  };
  const server = await startScriptedHttp(proof, port);
  return {
    ...server,
    seen,
    play(next: Script) {
      script = next;
    },
  };
}

describe("InfluxDB 2.x", () => {
  let server: Awaited<ReturnType<typeof startProven>>;
  let store: ReadingStore;
  beforeEach(async () => {
    server = await startProven(answer(204));
    store = await openInfluxStore({
      url: server.url,
      flavour,
      installation: "1a2b3c4d",
      timeoutMs: TIMEOUT_MS,
      log: SILENT,
    });
  });
  afterEach(async () => {
    await store.close();
    await server.stop();
  });

  it("writes lines to /api/v2/write with organisation, bucket, milliseconds and token", async () => {
    const flagged = aReading({
      sensorId: "air-2",
      measuredAt: T0 + 1,
      values: { pm25: -4, battery: 1e21 },
      quality: { pm25: "suspect" },
      journalSeq: 2,
      imported: true,
    });
    await store.write([aReading(), flagged]);
    expect(server.seen).toHaveLength(1);
    const [request] = server.seen;
    expect(request).toMatchObject({ method: "POST", path: "/api/v2/write" });
    expect(Object.fromEntries(request!.params)).toEqual({
      org: "the city & co",
      bucket: "readings/raw",
      precision: "ms",
    });
    expect(request!.headers.authorization).toBe("Token s3cret-token==");
    const tags = "air,district=north,installation=1a2b3c4d";
    const receipt = (seq: number, rest: string) => `receipt_1a2b3c4d="${String(seq).padStart(16, "0")} ${rest}"`;
    expect(request!.body.split("\n")).toEqual([
      `${tags},sensorId=air-1 pm25=12.5,${receipt(1, `${T0 + 250}`)} ${T0}`,
      `${tags},sensorId=air-2 pm25_suspect=-4,battery=1e+21,${receipt(2, `${T0 + 251} imported`)} ${T0 + 1}`,
    ]);
  });

  it("sends at most 5,000 lines in a request and stops at the first that fails", async () => {
    const readings = Array.from({ length: 12_001 }, (_, n) => aReading({ measuredAt: T0 + n }));
    await store.write(readings);
    expect(server.seen.map((request) => request.body.split("\n").length)).toEqual([5_000, 5_000, 2_001]);
    server.play(answer(503));
    await expect(store.write(readings)).rejects.toMatchObject({ kind: "unavailable" });
    expect(server.seen).toHaveLength(4);
  });

  const statusTable: [string, Script, object][] = [
    [
      "400",
      answer(400, said("invalid", "unable to parse 'x'")),
      { kind: "refused", message: has("unable to parse 'x'") },
    ],
    ["401", answer(401, said("unauthorized", "no access")), { kind: "misconfigured", message: has("INFLUX_TOKEN") }],
    [
      "403",
      answer(403, said("forbidden", "no")),
      { kind: "misconfigured", message: has("the right to read and to write") },
    ],
    ["404", answer(404, said("not found", 'bucket "x" not found')), { kind: "misconfigured", message: has("bucket") }],
    ["413", answer(413, said("request too large", "…")), { kind: "too_large" }],
    ["422", answer(422, said("unprocessable entity", "partial write: something")), { kind: "refused" }],
    ["422 at a limit", answer(422, said("x", "max-series-per-database limit")), { kind: "misconfigured" }],
    [
      "the 400 of a proxy",
      answer(400, "<html>Bad Request</html>"),
      { kind: "misconfigured", message: has("Bad Request") },
    ],
    ["400 without a database", answer(400, { error: "database is required" }), { kind: "misconfigured" }],
    ["500 without a policy", answer(500, { error: "retention policy not found: x" }), { kind: "misconfigured" }],
    ["a cluster's 500", answer(500, { error: "hinted handoff queue not empty" }), { kind: "unavailable" }],
    ["a cluster's partial 500", answer(500, { error: "partial write" }), { kind: "unavailable" }],
    [
      "400 of 3.x",
      answer(400, { error: "partial write of line protocol occurred", data: [{ error_message: "type conflict" }] }),
      { kind: "refused", message: has("type conflict") },
    ],
    ["429", answer(429, said("too many", "slow down"), { "retry-after": "7" }), { retryAfterMs: 7_000 }],
    ["429 bare", answer(429), { kind: "unavailable", retryAfterMs: undefined }],
    ["429 odd", answer(429, "", { "retry-after": "soon" }), { kind: "unavailable", retryAfterMs: undefined }],
    ["503", answer(503, said("unavailable", "later"), { "retry-after": "120" }), { retryAfterMs: 120_000 }],
    ["500", answer(500, said("internal error", "engine")), { kind: "unavailable" }],
    ["502 page", answer(502, "<html>Bad Gateway</html>"), { kind: "unavailable", message: has("502") }],
    ["200", answer(200, "<html>please log in</html>"), { kind: "misconfigured", message: has("200") }],
    ["302", answer(302, "", { location: "http://elsewhere.example/" }), { kind: "misconfigured" }],
    ["silence", away, { kind: "unavailable", message: has("no answer within 1000 ms") }],
    ["a cut line", (_, response) => response.destroy(), { kind: "unavailable" }],
  ];
  it.each(statusTable)("tells the writer what %s means", async (_name, script, expected) => {
    server.play(script);
    const failure = await store.write([aReading()]).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      name: "StoreError",
      ...("kind" in expected ? {} : { kind: "unavailable" }),
      ...expected,
    });
    // One request, whatever the answer: trying again is the caller's, who knows the journal.
    expect(server.seen).toHaveLength(1);
    expect(JSON.stringify([failure, String(failure)])).not.toContain("s3cret");
  });

  it("asks on /query, where the bucket stands for database and retention policy", async () => {
    server.play(answer(200, { results: [{ statement_id: 0 }] }));
    expect(await collect(store)).toEqual([]);
    const [request] = server.seen;
    expect(request).toMatchObject({ method: "POST", path: "/query" });
    expect(Object.fromEntries(request!.params)).toMatchObject({ db: "readings", rp: "raw", epoch: "ms" });
    expect(request!.headers.authorization).toBe("Token s3cret-token==");
  });

  it("never puts a value from outside into the text of a query", async () => {
    const texts = new Set<string>();
    for (const name of ["air-1", ...INJECTIONS]) {
      server.seen.length = 0;
      server.play(answer(200, { results: [{ statement_id: 0 }] }));
      const range = { kind: "air", sensorId: name, district: name, from: T0, to: T0 + 1 } as const;
      await collect(store, range);
      await store.aggregate({ ...range, everyMs: 1_000 });
      await store.find("air", [{ sensorId: name, measuredAt: T0 }]);
      await store.count({ sensorId: name });
      const forms = server.seen.map((request) => new URLSearchParams(request.body));
      expect(forms.every((form) => Object.values(JSON.parse(form.get("params")!)).includes(name))).toBe(true);
      texts.add(forms.map((form) => form.get("q")).join("\n"));
    }
    expect(texts.size).toBe(1);
    await expect(store.aggregate({ ...range0, everyMs: "1s) --" as unknown as number })).rejects.toThrow(RangeError);
  });

  const badAnswers: [string, Script, object][] = [
    ["an error in a 200", answer(200, { results: [{ error: "timeout" }] }), { kind: "unavailable" }],
    ["no such bucket", answer(200, { results: [{ error: "database not found: x" }] }), { kind: "misconfigured" }],
    ["no mapping", answer(404, said("not found", "no dbrp mapping found")), { kind: "misconfigured" }],
    ["a parse error", answer(400, { error: "error parsing query" }), { kind: "unavailable" }],
    ["half an answer", answer(200, '{"results":[{"statement_id":0,"ser'), { kind: "unavailable" }],
    ["silence", away, { kind: "unavailable", message: has("no answer within") }],
    ["silence after a part", (_, response) => response.write('{"results":[]}\n'), { kind: "unavailable" }],
  ];
  it.each(badAnswers)("takes %s for a failed read", async (_name, script, expected) => {
    server.play(script);
    await expect(collect(store)).rejects.toMatchObject({ name: "StoreError", ...expected });
    await expect(store.newest()).rejects.toMatchObject({ name: "StoreError", ...expected });
  });

  it("does not take a slow reader of ours for a slow server", async () => {
    const part = (n: number) => {
      const series = {
        name: "air",
        columns: ["time", "sensorId", "district", "pm25", "receipt_1a2b3c4d"],
        // The last moment of a part may go on in the next one, so it waits for it.
        values: [2 * n, 2 * n + 1].map((at) => [T0 + at, "a", "b", at, `000000000000000${at} 1`]),
      };
      return `${JSON.stringify({ results: [{ series: [series], partial: n < 2 }] })}\n`;
    };
    let goOn = () => {};
    server.play((_, response) => {
      response.write(part(0));
      goOn = () => response.end(part(1) + part(2));
    });
    const values: unknown[] = [];
    for await (const chunk of store.stream(range0)) {
      if (values.length === 0) await new Promise((resolve) => setTimeout(resolve, TIMEOUT_MS * 1.5));
      goOn();
      values.push(...chunk.map((reading) => reading.values.pm25));
    }
    expect(values).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("opens while the server is away, and works when it is back", async () => {
    const { port } = server;
    await server.stop();
    for (const other of [flavour, { database: "city" }]) {
      const early = await openInfluxStore({
        url: `http://127.0.0.1:${port}`,
        flavour: other,
        installation: "1a2b3c4d",
        timeoutMs: TIMEOUT_MS,
        log: SILENT,
      });
      await expect(early.newest()).rejects.toMatchObject({ name: "StoreError", kind: "unavailable" });
      await expect(early.write([aReading()])).rejects.toMatchObject({ kind: "unavailable" });
      const back = await startProven(answer(200, { results: [{ statement_id: 0 }] }), Number(port));
      expect(await early.newest()).toEqual(new Map());
      const first = new URLSearchParams(back.requests[0]!.body).get("q");
      if (!("token" in other)) expect(first).toBe('CREATE DATABASE "city"');
      await back.stop();
      await early.close();
    }
    server = await startProven(answer(204));
  });
});

const range0 = { kind: "air", sensorId: "air-1", from: T0, to: T0 + 1_000 } as const;

function has(text: string): unknown {
  return expect.stringContaining(text);
}
