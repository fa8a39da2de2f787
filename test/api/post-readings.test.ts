import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { T0 } from "../helpers/readings.ts";
import { startService } from "./service.ts";

let service: ReturnType<typeof startService>;
beforeEach(() => {
  service = startService();
});
afterEach(() => service.close());

const reading = (fields: object = {}) => ({ sensorId: "air-1", kind: "air", district: "north", pm25: 12.4, ...fields });
const post = (name: string, body: unknown, query = "") => service.as(name, "POST", `/api/v1/readings${query}`, body);
const payloads = () => service.submitted.map(({ payload }) => Buffer.from(payload).toString());

describe("POST /readings", () => {
  it("journals one reading as if it had come on its topic, then answers 202", async () => {
    const answer = await post("air-1", reading({ measuredAt: "2026-11-21T09:59:00Z", seq: 7 }));
    expect([answer.statusCode, answer.json()]).toEqual([202, { accepted: 1, rejected: [] }]);
    expect(service.submitted).toMatchObject([
      { topic: "city/north/air/air-1", receivedAt: T0, source: { via: "http", role: "device", name: "air-1" } },
    ]);
    expect(payloads()).toEqual(['{"measuredAt":"2026-11-21T09:59:00Z","seq":7,"pm25":12.4}']);
  });

  it("answers only after the journal has it, and 503 when it cannot", async () => {
    for (const [state, retryAfter] of [
      ["full", "30"],
      ["failed", "60"],
      ["closed", "5"],
      ["over_share", "300"],
    ] as const) {
      const submit = async () => {
        throw Object.assign(new Error("no space at /secret/path"), { state });
      };
      const full = startService({ submit });
      const answer = await full.as("air-1", "POST", "/api/v1/readings", reading());
      expect(answer.statusCode).toBe(503);
      expect(answer.headers["retry-after"]).toBe(retryAfter);
      expect(answer.body).not.toContain("secret");
      await full.close();
    }
  });

  it("does not answer before the journal does", async () => {
    let done = () => {};
    const kept = new Promise<void>((resolve) => {
      done = resolve;
    });
    const slow = startService({ submit: () => kept });
    let answered = false;
    const answer = slow.as("air-1", "POST", "/api/v1/readings", reading()).then((result) => {
      answered = true;
      return result;
    });
    await slow.as("viewer", "GET", "/api/v1/districts");
    expect(answered).toBe(false);
    done();
    expect((await answer).statusCode).toBe(202);
    await slow.close();
  });

  it("counts an array by what it holds: above its rate an account is told when to come back, others are not", async () => {
    const readingRates = { device: { perSecond: 1, burst: 3 }, gateway: { perSecond: 10, burst: 1_000 } };
    const own = startService({ options: { limits: { readingRates } } as never });
    const send = (name: string, count: number) =>
      own.as(
        name,
        "POST",
        "/api/v1/readings",
        Array.from({ length: count }, () => reading()),
      );
    expect((await send("air-1", 5)).statusCode).toBe(202);
    const refused = await send("air-1", 1);
    expect([refused.statusCode, refused.headers["retry-after"]]).toEqual([429, "3"]);
    expect(refused.json().detail).toContain("LAMPPOST_DEVICE_READINGS_PER_S");
    for (let i = 0; i < 2; i += 1) expect((await send("gw-north", 500)).statusCode).toBe(202);
    expect((await send("gw-north", 1)).json().detail).toContain("LAMPPOST_GATEWAY_READINGS_PER_S");
    expect(own.submitted).toHaveLength(1_005);
    own.tick(3_000);
    expect((await send("air-1", 1)).statusCode).toBe(202);
    await own.close();
  });

  it("keeps good and bad ones of an array, and names the bad ones", async () => {
    const body = [reading(), reading({ pm25: 1e9 }), reading({ pm25: "12,1" }), reading({ plate: "B-XY 1" })];
    const answer = await post("gw-north", body);
    expect(answer.statusCode).toBe(202);
    expect(answer.json().accepted).toBe(1);
    expect(answer.json().rejected.map((one: { pointer: string; reason: string }) => [one.pointer, one.reason])).toEqual(
      [
        ["/1", "out_of_range"],
        ["/2", "wrong_type"],
        ["/3", "personal_data"],
      ],
    );
    expect(answer.body).not.toContain("B-XY");
    expect(service.submitted).toHaveLength(4);
  });

  it("answers 422 when none can be taken, and journals what a known sensor said: it is not silent", async () => {
    const ahead = { measuredAt: new Date(T0 + 7_200_000).toISOString() };
    const answer = await post("air-1", [
      reading({ pm25: 1e9 }),
      reading({ pm25: undefined, nonsense: 1 }),
      reading(ahead),
    ]);
    expect(answer.statusCode).toBe(422);
    const reasons = answer.json().errors.map((one: { reason: string }) => one.reason);
    expect(reasons).toEqual(["out_of_range", "no_values", "future"]);
    expect(payloads()).toEqual(['{"pm25":1000000000}', '{"nonsense":1}', JSON.stringify({ ...ahead, pm25: 12.4 })]);
    expect(service.submitted[0]!.topic).toBe("city/north/air/air-1");
  });

  it("journals nothing of what is refused and is not a known sensor's own fault", async () => {
    for (const [name, body, query] of [
      ["air-1", reading({ plate: "B-XY 1" }), ""],
      ["operator", reading({ sensorId: "nobody" }), ""],
      ["gw-north", reading({ sensorId: "nobody", pm25: 1e9 }), ""],
      ["gw-import", reading({ pm25: 1e9 }), "?import=true"],
    ] as const)
      expect((await post(name, body, query)).statusCode).toBe(422);
    expect(service.submitted).toEqual([]);
  });

  it("takes the rest of a reading with a bad value, and names the value and what is no metric", async () => {
    const bad = { o3: 1071, no2: { value: 3 }, tvoc: 3, "a/b": [1] };
    const answer = await post("gw-north", [reading(), reading(bad)]);
    expect([answer.statusCode, answer.json().accepted]).toEqual([202, 2]);
    expect(answer.json().rejected).toMatchObject([
      { pointer: "/1/no2", metric: "no2", reason: "wrong_type" },
      { pointer: "/1/o3", metric: "o3", reason: "out_of_range" },
    ]);
    expect(answer.json().ignored).toMatchObject([
      { pointer: "/1/tvoc", detail: expect.stringContaining("not a metric of air sensors") },
      { pointer: "/1/a~1b" },
    ]);
    expect(service.submitted).toHaveLength(2);
    expect((await post("gw-north", reading({ pm25: undefined, ...bad }))).statusCode).toBe(422);
  });

  it("1e400 is refused, and stays what it was when journalled beside a good one", async () => {
    const raw = (text: string) =>
      service.app.inject({
        method: "POST",
        url: "/api/v1/readings",
        headers: { authorization: "Bearer air-1-token", "content-type": "application/json" },
        payload: text,
      });
    const item = '{"sensorId":"air-1","kind":"air","district":"north","pm25":1e400}';
    expect((await raw(item)).json().errors).toMatchObject([{ reason: "out_of_range" }]);
    expect((await raw(`[${item},${JSON.stringify(reading())}]`)).json().accepted).toBe(1);
    expect(payloads()).toEqual(['{"pm25":1e400}', '{"pm25":1e400}', '{"pm25":12.4}']);
  });

  it("a device sends for itself, a gateway for its districts, people for all", async () => {
    service.records.sensors.add({ id: "air-2", kind: "air", district: "south", tags: {}, createdAt: T0 });
    const other = reading({ sensorId: "air-2", district: "south" });
    const statuses = async (body: unknown) => {
      const callers = ["air-1", "gw-north", "operator", "admin"];
      return Promise.all(callers.map(async (name) => (await post(name, body)).statusCode));
    };
    expect(await statuses(reading())).toEqual([202, 202, 202, 202]);
    expect(await statuses(other)).toEqual([403, 403, 202, 202]);
    expect(await statuses([reading(), other])).toEqual([403, 403, 202, 202]);
    service.records.sensors.add({ id: "air-3", kind: "air", district: "north", tags: {}, createdAt: T0 });
    expect(await statuses(reading({ sensorId: "air-3" }))).toEqual([403, 202, 202, 202]);
    expect((await post("air-1", reading({ district: "south" }))).statusCode).toBe(403);
    expect((await post("air-1", reading({ kind: "traffic", flow: 1 }))).statusCode).toBe(403);
  });

  it("unknown sensors: a gateway's may be enrolled, others are told", async () => {
    const body = reading({ sensorId: "air-new" });
    expect((await post("gw-north", body)).statusCode).toBe(202);
    expect((await post("operator", body)).json().errors).toMatchObject([{ reason: "unknown_sensor" }]);
    const moved = reading({ kind: "energy", pm25: undefined, voltage: 230 });
    expect((await post("gw-north", moved)).json().errors).toMatchObject([{ reason: "wrong_sensor" }]);
  });

  it("history needs the import right and goes to the import topic", async () => {
    const old = reading({ measuredAt: "2014-06-01T00:00:00Z" });
    expect((await post("gw-north", old)).json().errors).toMatchObject([{ reason: "too_late" }]);
    const statuses = ["air-1", "gw-north", "operator"].map(
      async (name) => (await post(name, old, "?import=true")).statusCode,
    );
    expect(await Promise.all(statuses)).toEqual([403, 403, 403]);
    expect((await post("gw-import", old, "?import=true")).statusCode).toBe(202);
    expect((await post("admin", old, "?import=true")).statusCode).toBe(202);
    expect(service.submitted.map(({ topic }) => topic)).toEqual([
      "city/north/air/air-1",
      "import/north/air/air-1",
      "import/north/air/air-1",
    ]);
  });

  it("history that the database would remove at once is refused as a whole, with the limit; all else is not", async () => {
    const limits = { known: () => ({ keepsMs: 30 * 86_400_000, noRemoval: undefined }), ask: async () => undefined };
    const stream = async function* () {};
    const short = startService({ store: { latest: async () => [], aggregate: async () => [], stream, limits } });
    const send = (body: unknown, query = "?import=true") =>
      short.as("gw-import", "POST", `/api/v1/readings${query}`, body);
    const at = (daysAgo: number) => reading({ measuredAt: new Date(T0 - daysAgo * 86_400_000).toISOString() });
    const refused = await send([at(29), at(31), reading({ measuredAt: "noon" }), at(3_000)]);
    expect([refused.statusCode, refused.json().errors]).toEqual([
      422,
      ["/1", "/3"].map((pointer) => ({
        pointer,
        reason: "store_refused",
        detail: expect.stringMatching(
          /^Measured at .*Z, and the database removes .* more than 30 d ago: give its bucket/,
        ),
      })),
    ]);
    expect(short.submitted).toEqual([]);
    expect((await send([at(29), at(30)])).statusCode).toBe(202);
    await short.close();
  });

  it("takes 500 at once", async () => {
    const answer = await post(
      "gw-north",
      Array.from({ length: 500 }, (_, seq) => reading({ seq })),
    );
    expect([answer.statusCode, answer.json().accepted, service.submitted.length]).toEqual([202, 500, 500]);
  });
});
