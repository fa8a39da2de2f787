import mqtt, { type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, startCity, until } from "../helpers/city.ts";
import { settledBooks } from "../helpers/senders.ts";

/** What becomes of messages between the device that sends them and the viewer that listens to the whole city. */
let city: City;
let device: MqttClient;
let gateway: MqttClient;
let viewer: MqttClient;
const heard: { topic: string; payload: string; retain: boolean; qos: number }[] = [];
const TOPIC = "city/centre/air/good-one";

async function connect(login: { username: string; password: string }): Promise<MqttClient> {
  return mqtt.connectAsync(city.mqtt, { clientId: login.username, ...login, reconnectPeriod: 50 });
}

beforeAll(async () => {
  city = await startCity();
  device = await connect(await city.api("/devices", { sensorId: "good-one", kind: "air", district: "centre" }));
  await city.api("/devices", { sensorId: "elsewhere", kind: "air", district: "harbour" });
  gateway = await connect(await city.api("/gateways", { name: "gw-centre", districts: ["centre"] }));
  viewer = await connect(await city.api("/users", { name: "vera", role: "viewer" }));
  viewer.on("message", (topic, payload, { retain, qos }) =>
    heard.push({ topic, payload: payload.toString(), retain, qos }),
  );
  await viewer.subscribeAsync("city/#", { qos: 1 });
});
afterAll(async () => {
  for (const client of [device, gateway, viewer]) client?.end(true);
  await city.remove();
});

const now = Date.now();
const time = (seconds: number) => new Date(now - 60_000 + seconds * 1_000).toISOString();
const sensor = (id: string) => city.api(`/sensors/${id}`);
const quarantine = async () =>
  (await city.api("/quarantine?limit=100")).items as { reason: string; topic: string; source: string }[];

describe("the city over MQTT", () => {
  it("is what was found good, as the service understood it", async () => {
    const plate = "B-AB 123";
    for (const bad of [
      `{"plate":"${plate}","pm25":1}`,
      `{"pm25":"${plate}"}`,
      `"${plate}"`,
      "x".repeat(70_000),
      `[{"measuredAt":"${time(1)}","pm25":11},{"measuredAt":"${time(2)}","owner":"${plate}"}]`,
      // What JSON lets pass: the second pm25 is the one that counts.
      `{"measuredAt":"${time(3)}","pm25":"${plate}","pm25":12}`,
    ]) {
      await device.publishAsync(TOPIC, bad, { qos: 1, retain: true });
    }
    await gateway.publishAsync("city/harbour/air/elsewhere", `{"pm25":13,"measuredAt":"${time(3)}"}`, { qos: 1 });
    await device.publishAsync(TOPIC, `{"seq":1,"battery":90,"measuredAt":"${time(4)}","pm25":600}`, { qos: 1 });
    await until(
      async () => heard,
      (all) => all.some(({ payload }) => payload.includes("battery")),
    );
    const readings = heard.filter(({ topic }) => !topic.endsWith("/rejected"));
    expect(readings.map(({ payload }) => JSON.parse(payload))).toEqual([
      { measuredAt: time(1), pm25: 11 },
      { measuredAt: time(3), pm25: 12 },
      { measuredAt: time(4), battery: 90, pm25: 600 },
    ]);
    for (const { topic, qos, retain } of readings)
      expect({ topic, qos, retain }).toEqual({ topic: TOPIC, qos: 1, retain: false });
    expect(JSON.stringify(heard)).not.toContain("AB 123");
  });

  it("has the status of registered sensors, from those who may say it", async () => {
    await device.publishAsync(`${TOPIC}/status`, "online", { qos: 1 });
    await until(
      () => sensor("good-one"),
      ({ online }) => online === true,
    );
    const before = heard.length;
    await gateway.publishAsync("city/harbour/air/elsewhere/status", "offline", { qos: 1 }); // not its district
    await gateway.publishAsync("city/centre/air/elsewhere/status", "offline", { qos: 1 }); // not the sensor's district
    await gateway.publishAsync("city/centre/traffic/good-one/status", "offline", { qos: 1 }); // not its kind
    await gateway.publishAsync("city/centre/air/invented/status", "offline", { qos: 1 });
    await device.publishAsync(`${TOPIC}/status`, "Offline", { qos: 1 });
    await gateway.publishAsync(`${TOPIC}/status`, "offline", { qos: 1 });
    await until(
      () => sensor("good-one"),
      ({ online }) => online === false,
    );
    await until(
      async () => heard.slice(before),
      (all) => all.some(({ payload }) => payload === "offline"),
    );
    expect(heard.slice(before).filter(({ topic }) => topic.endsWith("/status"))).toMatchObject([
      { topic: `${TOPIC}/status`, payload: "offline" },
    ]);
    expect((await sensor("elsewhere")).online).toBeUndefined();
    await settledBooks(city);
    const refused = (await quarantine()).filter(({ topic }) => topic.endsWith("/status"));
    expect(refused.map(({ reason }) => reason).sort()).toEqual([
      "bad_status",
      "not_allowed",
      "wrong_sensor",
      "wrong_sensor",
    ]);
    const audit = (await city.api("/audit?limit=200")).items as { what: string; by: string; detail: string }[];
    const rows = audit.filter(({ what }) => what === "mqtt.denied-publish").map(({ by, detail }) => `${by} ${detail}`);
    for (const words of [
      "gw-centre not_yours",
      "gw-centre unknown_sensor",
      "gw-centre wrong_sensor",
      "good-one bad_status",
    ]) {
      expect(rows.filter((row) => row.startsWith(words))).toHaveLength(1);
    }
    // Whoever comes later is told the newest of each.
    const later = await connect(await city.api("/users", { name: "late", role: "viewer" }));
    const told = new Promise((resolve) =>
      later.once("message", (topic, payload, { retain }) => resolve([topic, `${payload}`, retain])),
    );
    await later.subscribeAsync("city/+/+/+/status");
    expect(await told).toEqual([`${TOPIC}/status`, "offline", true]);
    await later.endAsync();
  });

  it("gets a good reading through behind all that is bad, on the same connection", async () => {
    let reconnects = 0;
    device.on("reconnect", () => (reconnects += 1));
    const bad: [string, string][] = [
      [TOPIC, "x".repeat(1_000_000)],
      ["city/harbour/air/elsewhere", `{"pm25":1}`],
      ["nothing/of/ours", "{}"],
      [`${TOPIC}/status`, "Online"],
    ];
    for (const [topic, payload] of bad) await device.publishAsync(topic, payload, { qos: 1 });
    await device.publishAsync(TOPIC, `{"measuredAt":"${time(9)}","pm25":9}`, { qos: 1 });
    await until(
      () => city.api("/readings/latest"),
      ({ items }) => items.some((one: { values: object }) => JSON.stringify(one.values) === '{"pm25":9}'),
    );
    expect(reconnects).toBe(0);
    const books = await settledBooks(city);
    expect(books).toMatchObject({ balanced: true });
    expect(books.reasons).toMatchObject({ too_large: 2, unknown_topic: 1 });
  });
});
