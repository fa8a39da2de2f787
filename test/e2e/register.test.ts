import mqtt, { type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, startCity, until } from "../helpers/city.ts";

/** What sensors that are moved, replaced and taken off the register meet, and what the rules then say. */
let city: City;
const clients: MqttClient[] = [];

async function connect(login: { username: string; password: string }): Promise<MqttClient> {
  const client = await mqtt.connectAsync(city.mqtt, { clientId: login.username, ...login, reconnectPeriod: 50 });
  clients.push(client);
  return client;
}

const send = async (method: string, path: string, body?: object) => {
  const answer = await fetch(`${city.http}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${city.token}`, ...(body && { "content-type": "application/json" }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  expect(answer.status).toBeLessThan(300);
};
const readings = async (id: string) => (await city.api(`/sensors/${id}/readings`)).items;
const quarantined = async (id: string) => (await city.api(`/quarantine?sensor=${id}`)).items;

beforeAll(async () => {
  city = await startCity();
});
afterAll(async () => {
  for (const client of clients) client.end(true);
  await city.remove();
});

describe("the register of a city that runs", () => {
  it("moves a device: its history stays, its password goes along, and its old topic says where it stands", async () => {
    const login = await city.api("/devices", { sensorId: "air-1", kind: "air", district: "north" });
    const device = await connect(login);
    await device.publishAsync("city/north/air/air-1", '{"pm25":1}', { qos: 1 });
    await until(
      () => readings("air-1"),
      (all) => all.length === 1,
    );
    const back = new Promise((resolve) => device.once("connect", resolve));
    await send("PATCH", "/sensors/air-1", { district: "harbour" });
    await back;

    const told = new Promise<{ reason: string; detail: string }>((resolve) => {
      device.on("message", (_topic, payload) => resolve(JSON.parse(payload.toString())));
    });
    await device.subscribeAsync("city/north/air/air-1/rejected");
    await device.publishAsync("city/north/air/air-1", '{"pm25":2}', { qos: 1 });
    const { reason, detail } = await told;
    expect(reason).toBe("wrong_sensor");
    expect(detail).toContain("publish to city/harbour/air/air-1");
    await device.publishAsync("city/harbour/air/air-1", '{"pm25":3}', { qos: 1 });
    const all = await until(
      () => readings("air-1"),
      (some) => some.length === 2,
    );
    expect(all.map(({ district, values }: { district: string; values: object }) => [district, values])).toEqual([
      ["north", { pm25: 1 }],
      ["harbour", { pm25: 3 }],
    ]);
    expect((await city.api("/ledger")).balanced).toBe(true);
  });

  it("takes a gateway's sensor off the register: its alerts end, what it goes on to send is refused until it is back", async () => {
    const gateway = await connect(await city.api("/gateways", { name: "gw-1", districts: ["centre"] }));
    const topic = "city/centre/air/air-2";
    for (const ageMs of [120_000, 60_000, 0]) {
      const measuredAt = new Date(Date.now() - ageMs).toISOString();
      await gateway.publishAsync(topic, JSON.stringify({ measuredAt, battery: 4 }), { qos: 1 });
    }
    const alerts = async () => (await city.api("/alerts?sensor=air-2")).items;
    await until(alerts, (all) => all.some(({ state }: { state: string }) => state === "firing"));
    await send("DELETE", "/sensors/air-2");
    await until(alerts, (all) => all.every(({ state }: { state: string }) => state === "resolved"));
    await gateway.publishAsync(topic, '{"battery":5}', { qos: 1 });
    const [refused] = await until(
      () => quarantined("air-2"),
      (all) => all.length === 1,
    );
    expect(refused).toMatchObject({ reason: "unknown_sensor", detail: expect.stringContaining("was taken off") });
    expect(await readings("air-2")).toHaveLength(3);
    await send("POST", "/sensors/air-2/restore", {});
    await gateway.publishAsync(topic, '{"battery":60}', { qos: 1 });
    await until(
      () => readings("air-2"),
      (all) => all.length === 4,
    );
  });
});
