import mqtt, { type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, startCity, until } from "../helpers/city.ts";

/** A subscriber as Home Assistant is one: it remembers what it found until an empty config comes. */
async function homeAssistant(city: City) {
  const { username, password } = await city.api("/users", {
    name: `ha-${Math.random()}`.replace(".", "-"),
    role: "viewer",
  });
  const found = new Map<string, Record<string, unknown>>();
  const heard = new Map<string, string>();
  let client: MqttClient;
  async function connect(url: string): Promise<void> {
    client = await mqtt.connectAsync(url, { username, password });
    client.on("message", (topic, payload) => {
      const text = payload.toString();
      if (!/^homeassistant\/[^/]+\/[^/]+\/config$/.test(topic)) return void heard.set(topic, text);
      if (text === "") return void found.delete(topic);
      const config = JSON.parse(text);
      found.set(topic, config);
      const topics = [config, ...Object.values<Record<string, string>>(config.components)]
        .flatMap(({ state_topic, availability_topic }) => [state_topic, availability_topic])
        .filter((one) => one !== undefined);
      client.subscribe(topics, { qos: 1 });
    });
    await client.subscribeAsync(["homeassistant/+/+/config", "homeassistant/+/+/+/config"]);
  }
  return { connect, found, heard, end: () => client.endAsync(true) };
}

const CONFIG = "homeassistant/device/lamppost-air-1/config";

describe("discovery by Home Assistant", () => {
  let city: City;
  beforeAll(async () => {
    city = await startCity({ env: { LAMPPOST_HOME_ASSISTANT: "on" } });
  });
  afterAll(() => city?.remove());

  it("is told of sensors and alerts, hears their states, and of what is gone", async () => {
    const login = await city.api("/devices", { sensorId: "air-1", kind: "air", district: "north" });
    const device = await mqtt.connectAsync(city.mqtt, login);
    await device.publishAsync("city/north/air/air-1/status", "online", { qos: 1, retain: true });
    const send = (pm25: number) =>
      device.publishAsync("city/north/air/air-1", JSON.stringify({ pm25, battery: 3 }), { qos: 1 });
    await send(12);
    const home = await homeAssistant(city);
    await home.connect(city.mqtt);
    await until(
      async () => home.found.get(CONFIG),
      (config) => config !== undefined,
      30_000,
    );
    expect(home.found.get(CONFIG)).toMatchObject({
      device: { identifiers: ["lamppost-air-1"], name: "air-1", suggested_area: "north" },
      origin: { name: "Lamppost" },
      state_topic: "city/north/air/air-1",
      availability_topic: "city/north/air/air-1/status",
      components: {
        pm25: {
          platform: "sensor",
          unique_id: "lamppost-air-1-pm25",
          device_class: "pm25",
          unit_of_measurement: "µg/m³",
          state_class: "measurement",
          value_template: "{{ value_json.pm25 | default('') }}",
        },
        battery: { device_class: "battery", unit_of_measurement: "%" },
      },
    });
    await until(
      async () => home.heard.get("city/north/air/air-1/status"),
      (status) => status === "online",
    );
    await send(13);
    const state = await until(
      async () => home.heard.get("city/north/air/air-1"),
      (text) => text !== undefined,
    );
    expect(JSON.parse(state!)).toMatchObject({ pm25: 13, battery: 3 });

    // A battery of 3 % is an alert.
    const open = await until(
      async () => JSON.parse(home.heard.get("homeassistant/lamppost/north/alerts") ?? "{}"),
      (one) => one.open > 0,
      30_000,
    );
    expect(open).toMatchObject({ open: 1, worst: expect.stringMatching(/info|warning|critical/) });
    expect(home.found.get("homeassistant/device/lamppost-alerts-north/config")).toMatchObject({
      components: { problem: { platform: "binary_sensor", device_class: "problem" }, critical: { platform: "event" } },
    });

    await city.api("/sensors/air-1", undefined, "DELETE");
    await until(
      async () => home.found.has(CONFIG),
      (has) => !has,
      30_000,
    );
    await home.end();
    await device.endAsync(true);
  });

  it("is taken back when it is switched off", async () => {
    await city.api("/devices", { sensorId: "air-2", kind: "air", district: "north" });
    await city.api("/readings", [{ sensorId: "air-2", kind: "air", district: "north", pm25: 5 }]);
    const home = await homeAssistant(city);
    await home.connect(city.mqtt);
    await until(
      async () => home.found.size,
      (size) => size >= 3,
      30_000,
    );
    await home.end();
    await city.stop();
    city = await city.restart({ env: { LAMPPOST_HOME_ASSISTANT: "off" } });
    await home.connect(city.mqtt);
    await until(
      async () => home.found.size,
      (size) => size === 0,
      30_000,
    );
    await home.end();
  });
});
