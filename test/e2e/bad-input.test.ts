import { connect } from "node:net";
import mqtt, { type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, startCity, until } from "../helpers/city.ts";

/** Each bad input ends in exactly one place, is counted, and harms no one else's reading. */
let city: City;
let device: MqttClient;
let password: string;
const TOPIC = "city/centre/air/good-one";

beforeAll(async () => {
  city = await startCity();
  ({ password } = await city.api("/devices", { sensorId: "good-one", kind: "air", district: "centre" }));
  device = await mqtt.connectAsync(city.mqtt, { clientId: "good-one", username: "good-one", password });
});
afterAll(async () => {
  await device.endAsync(true);
  await city.remove();
});

const settled = () =>
  until(
    () => city.api("/ledger"),
    (books) => books.inJournal === 0,
  );

const deep = "[".repeat(30_000) + "]".repeat(30_000);
const now = () => new Date().toISOString();

const QUARANTINED: [string, string | Buffer, string][] = [
  ["malformed JSON", '{"pm25":', "malformed_json"],
  ["invalid UTF-8", Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), "malformed_json"],
  ["deep JSON", deep, "malformed_reading"],
  ["a text where a number belongs", `{"measuredAt":"${now()}","pm25":"twelve"}`, "wrong_type"],
  ["an unknown key alone", `{"measuredAt":"${now()}","pm26":12}`, "no_values"],
  ["a number beyond doubles", `{"measuredAt":"${now()}","pm25":1e400}`, "out_of_range"],
  ["NaN", `{"measuredAt":"${now()}","pm25":NaN}`, "malformed_json"],
  ["long ago", '{"measuredAt":1100000000,"pm25":12}', "too_late"],
  ["next year", `{"measuredAt":"${new Date(Date.now() + 365 * 86_400_000).toISOString()}","pm25":12}`, "future"],
  ["a time without a zone", '{"measuredAt":"2026-11-21T10:00:00","pm25":12}', "bad_timestamp"],
  ["a plate number", `{"measuredAt":"${now()}","pm25":12,"licencePlate":"B-XY 123"}`, "personal_data"],
  ["nothing measured", `{"measuredAt":"${now()}","pm25":null}`, "no_values"],
  ["501 readings", JSON.stringify(Array.from({ length: 501 }, () => ({ pm25: 1 }))), "too_large"],
];

describe("bad input over MQTT", () => {
  it.each(QUARANTINED)("%s is acknowledged and quarantined", async (_, payload, reason) => {
    const before = await settled();
    await device.publishAsync(TOPIC, payload, { qos: 1 });
    const after = await until(settled, (books) => books.received === before.received + 1);
    expect(after.quarantined).toBe(before.quarantined + 1);
    expect(after.balanced).toBe(true);
    const { items } = await city.api("/quarantine?limit=1");
    expect(items[0]).toMatchObject({ reason, sensorId: "good-one" });
    expect(items[0].detail.length).toBeGreaterThan(10);
  });

  it("never shows what a personal-data message said", async () => {
    const { items } = await city.api("/quarantine?reason=personal_data");
    const shown = await city.api(`/quarantine/${items[0].id}`);
    expect(JSON.stringify(shown)).not.toContain("B-XY");
    expect(shown.payload).toBeUndefined();
  });

  it("__proto__ as a key pollutes nothing", async () => {
    const before = await settled();
    await device.publishAsync(TOPIC, '{"pm25":3,"__proto__":{"polluted":1}}', { qos: 1 });
    const after = await until(settled, (books) => books.received === before.received + 1);
    expect(after.stored).toBe(before.stored + 1);
    expect((await city.api("/sensors/good-one")).polluted).toBeUndefined();
  });

  it("one bad value is refused alone: the rest is stored, the books count one reading, the device is told", async () => {
    const told = new Promise<Record<string, unknown>>((resolve) => {
      device.on("message", (topic, payload) => topic.endsWith("/rejected") && resolve(JSON.parse(payload.toString())));
    });
    await device.subscribeAsync(`${TOPIC}/rejected`);
    // It is told once a second at most, and the tests before may have had the last word.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const before = await settled();
    const measuredAt = now();
    const payload = { measuredAt, pm25: 200, pm10: 230, o3: 1071, no2: "31,5", beep: "no" };
    await device.publishAsync(TOPIC, JSON.stringify(payload), { qos: 1 });
    const after = await until(settled, (books) => books.received === before.received + 1);
    expect([after.stored - before.stored, after.quarantined - before.quarantined]).toEqual([1, 0]);
    const { items } = await city.api("/quarantine?limit=2");
    expect(items).toMatchObject([
      { reason: "wrong_type", metric: "no2", measuredAt, detail: expect.stringContaining("decimal comma") },
      { reason: "out_of_range", metric: "o3", measuredAt },
    ]);
    expect((await city.api(`/quarantine/${items[0].id}`)).payload.text).toBe('"31,5"');
    expect(await told).toMatchObject({ reason: "out_of_range", metric: "o3", also: [{ metric: "no2" }] });
    expect(await city.api("/quarantine?metric=o3")).toMatchObject({ items: [{ metric: "o3" }] });
    const { faults } = await until(
      () => city.api("/sensors/good-one"),
      (sensor) => sensor.faults?.refused.some((one: { metric?: string }) => one.metric === "o3"),
    );
    expect(faults.notTaken).toContainEqual(expect.objectContaining({ name: "beep" }));
    expect((await city.api("/quarantine/sensors")).items).toMatchObject([{ sensorId: "good-one" }]);
    const { verified } = await city.api("/ledger?verify=true");
    expect(verified).toMatchObject({ ok: true });
  });

  it("no timestamp means now", async () => {
    const before = await settled();
    await device.publishAsync(TOPIC, '{"pm25":4}', { qos: 1 });
    const after = await until(settled, (books) => books.received === before.received + 1);
    expect(after.stored).toBe(before.stored + 1);
  });

  it("the same reading twice is stored once; other values are a conflict", async () => {
    const before = await settled();
    const measuredAt = now();
    for (const pm25 of [5, 5, 6]) await device.publishAsync(TOPIC, JSON.stringify({ measuredAt, pm25 }), { qos: 1 });
    const after = await until(settled, (books) => books.received === before.received + 3);
    expect([
      after.stored - before.stored,
      after.duplicate - before.duplicate,
      after.quarantined - before.quarantined,
    ]).toEqual([1, 1, 1]);
  });

  it("a foreign topic is acknowledged, kept as not allowed, and reaches nobody", async () => {
    const before = await settled();
    await device.publishAsync("city/centre/air/someone-else", '{"pm25":1}', { qos: 1 });
    const after = await until(settled, (books) => books.received === before.received + 1);
    expect(after).toMatchObject({ stored: before.stored, quarantined: before.quarantined + 1 });
    const { items } = await city.api("/quarantine?reason=not_allowed");
    expect(items).toMatchObject([{ topic: "city/centre/air/someone-else", source: "mqtt:device:good-one" }]);
    expect(await city.api("/quarantine/redrive", { ids: [items[0].id] })).toMatchObject({ redriven: 0 });
  });

  it("a wrong password is refused", async () => {
    const wrong = mqtt.connectAsync(city.mqtt, {
      clientId: "good-one",
      username: "good-one",
      password: "guess",
      reconnectPeriod: 0,
    });
    await expect(wrong).rejects.toThrow(/authorized|password/i);
  });

  it("a 5 MB packet is cut off, and its neighbours go on", async () => {
    const { hostname, port } = new URL(city.mqtt);
    const socket = connect(Number(port), hostname);
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.on("error", () => {});
    const header = Buffer.from([0x10, 0xc0, 0x96, 0xb1, 0x02]); // CONNECT announcing 5,000,000 bytes
    socket.write(Buffer.concat([header, Buffer.alloc(200_000)]));
    await closed;
    const before = await settled();
    await device.publishAsync(TOPIC, '{"pm25":7}', { qos: 1 });
    expect((await until(settled, (books) => books.received === before.received + 1)).stored).toBe(before.stored + 1);
  });

  it("an unknown sensor of a device's gateway district is enrolled; without enrolment it is quarantined", async () => {
    const gateway = await city.api("/gateways", { name: "gw-centre", districts: ["centre"] });
    const client = await mqtt.connectAsync(city.mqtt, {
      clientId: "gw-centre-1",
      username: gateway.username,
      password: gateway.password,
    });
    await client.publishAsync("city/centre/traffic/loop-1", '{"flow":600}', { qos: 1 });
    await until(
      () => city.call("/api/v1/sensors/loop-1"),
      (response) => response.status === 200,
    );
    expect(await city.api("/sensors/loop-1")).toMatchObject({
      kind: "traffic",
      district: "centre",
      gateway: "gw-centre",
    });
    await client.endAsync(true);
    const answer = await city.call("/api/v1/readings", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"sensorId":"nobody-knows","kind":"air","district":"centre","pm25":1}',
    });
    expect([202, 422]).toContain(answer.status);
    expect(await answer.text()).toContain("unknown_sensor");
  });
});

describe("bad input over HTTP", () => {
  const post = (body: string, type = "application/json") =>
    city.call("/api/v1/readings", { method: "POST", body, headers: { "content-type": type } });
  const sound = { sensorId: "good-one", kind: "air", district: "centre" };

  it.each([
    ["malformed JSON", "{", 400, 0],
    ["a bad id", JSON.stringify({ ...sound, sensorId: "a/+#$", pm25: 1 }), 400, 0],
    ["a wrong type", JSON.stringify({ ...sound, pm25: "x" }), 422, 1],
    ["a plate number", JSON.stringify({ ...sound, plate: "B-XY 123" }), 422, 0],
    ["too much", `[${" ".repeat(300_000)}]`, 413, 0],
    ["deep JSON", "[".repeat(100_000) + "]".repeat(100_000), 400, 0],
    ["__proto__", '{"__proto__":{"x":1},"sensorId":"good-one","kind":"air","district":"centre","pm25":1}', 400, 0],
  ])("%s is refused with a problem that says why", async (_, body, status, kept) => {
    const before = await settled();
    const answer = await post(body);
    const text = await answer.text();
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
    expect(JSON.parse(text)).toMatchObject({ status });
    expect(text).not.toContain("B-XY");
    // What a registered sensor says wrongly is kept, in quarantine.
    expect((await settled()).received).toBe(before.received + kept);
  });

  it("text/plain is not JSON", async () => {
    expect((await post("{}", "text/plain")).status).toBe(415);
  });

  it("a good reading is kept before the 202", async () => {
    const before = await settled();
    const answer = await post(JSON.stringify({ ...sound, pm25: 9.5 }));
    expect([answer.status, await answer.json()]).toEqual([202, expect.objectContaining({ accepted: 1 })]);
    expect((await until(settled, (books) => books.received === before.received + 1)).stored).toBe(before.stored + 1);
  });
});
