import mqtt, { type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type City, startCity } from "../helpers/city.ts";

/** Whoever may read alerts gets them on MQTT as they happen, with the words of the API. */
describe("alerts on MQTT", () => {
  let city: City;
  let device: MqttClient;
  let login: { username: string; password: string };
  let viewer: { username: string; password: string };
  const clients: MqttClient[] = [];
  const gone: string[] = [];
  const start = Date.now() - 600_000;

  beforeAll(async () => {
    city = await startCity();
    login = await city.api("/devices", { sensorId: "lamp-7", kind: "energy", district: "harbour" });
    viewer = await city.api("/users", { name: "vera", role: "viewer" });
    device = await connect(login);
  });
  afterAll(async () => {
    for (const client of clients) client.end(true);
    await city.remove();
  });

  async function connect({ username, password }: { username: string; password: string }): Promise<MqttClient> {
    const client = await mqtt.connectAsync(city.mqtt, { clientId: username, username, password });
    clients.push(client);
    return client;
  }

  type Told = { topic: string; alert: Record<string, unknown>; qos: number };
  /** Subscribes; `next` gives one message after the other, waiting for those to come. */
  async function subscribe(client: MqttClient, filter: string): Promise<() => Promise<Told>> {
    const told: Told[] = [];
    const waiting: ((one: Told) => void)[] = [];
    client.on("message", (topic, payload, { qos }) => {
      if (payload.length === 0) return void gone.push(topic); // the broker keeps it no more
      const one = { topic, alert: JSON.parse(payload.toString()), qos };
      const first = waiting.shift();
      if (first) first(one);
      else told.push(one);
    });
    const [grant] = await client.subscribeAsync(filter, { qos: 1 });
    expect(grant!.qos).toBe(1);
    return async () => told.shift() ?? new Promise<Told>((resolve) => void waiting.push(resolve));
  }

  const battery = (minute: number, percent: number) =>
    device.publishAsync(
      "city/harbour/energy/lamp-7",
      JSON.stringify({ measuredAt: start + minute * 60_000, voltage: 230, battery: percent }),
      { qos: 1 },
    );

  it("a viewer hears of the firing and of the end, with the explanation, as the API tells it", async () => {
    const next = await subscribe(await connect(viewer), "alerts/#");
    await battery(0, 80);
    await battery(1, 15);
    const fired = await next();
    expect(fired).toMatchObject({
      qos: 1,
      alert: {
        rule: { id: "battery-level", formerly: "battery-low", source: expect.stringContaining("20 %") },
        subject: { sensorId: "lamp-7", district: "harbour" },
        state: "firing",
        audience: "crews",
        metric: "battery",
        value: 15,
        limit: 20,
        unit: "%",
        explanation: expect.stringMatching(/lamp-7.*15/s),
        evidence: [{ measuredAt: new Date(start + 60_000).toISOString(), metric: "battery", value: 15 }],
      },
    });
    expect(fired.topic).toBe(`alerts/harbour/warning/${fired.alert.id}`);
    expect(await city.api(`/alerts/${fired.alert.id}`)).toEqual(fired.alert);

    await battery(2, 60);
    const resolved = await next();
    expect(resolved).toMatchObject({
      topic: fired.topic,
      alert: { id: fired.alert.id, state: "resolved", resolvedAt: new Date(start + 120_000).toISOString() },
    });
    expect(await city.api(`/alerts/${fired.alert.id}`)).toEqual(resolved.alert);
  });

  it("what people do is told as well, and a filter takes only its district and severity", async () => {
    const other = await city.api("/users", { name: "carl", role: "crew" });
    const critical = await subscribe(await connect(other), "alerts/harbour/critical/+");
    await battery(3, 5);
    await battery(4, 5); // below 20 and, twice, below 10: one alert, which becomes critical
    const { alert } = await critical();
    expect(alert).toMatchObject({
      rule: { id: "battery-level", formerly: "battery-critical" },
      level: 2,
      state: "firing",
      handling: "open",
    });
    await city.api(`/alerts/${alert.id}/acknowledge`, { note: "on my way" });
    expect((await critical()).alert).toMatchObject({
      id: alert.id,
      handling: "acknowledged",
      timeline: [{ what: "firing" }, { what: "raised" }, { what: "acknowledged", note: "on my way" }],
    });
  });

  it("who subscribes later knows what is open, also after a restart, and nothing that is over", async () => {
    const nextBefore = await subscribe(await connect(viewer), "alerts/#");
    expect((await nextBefore()).topic.split("/")[2]).toBe("critical");
    await city.kill();
    city = await city.restart();
    device = await connect(login);
    const next = await subscribe(await connect(viewer), "alerts/#");
    const told = [await next()];
    expect(told.map(({ topic }) => topic.split("/")[2])).toEqual(["critical"]);
    await battery(5, 60);
    expect((await next()).alert.state).toBe("resolved");
    await vi.waitUntil(() => told.every(({ topic }) => gone.includes(topic)));
    const later = await connect(viewer);
    const [grant] = await later.subscribeAsync("alerts/#", { qos: 1 });
    expect(grant!.qos).toBe(1);
    const heard: string[] = [];
    later.on("message", (topic) => void heard.push(topic));
    await later.subscribeAsync("city/#", { qos: 1 }); // an answer that comes after whatever is kept
    expect(heard).toEqual([]);
  });

  it("who was away when the service was killed right behind the PUBACK hears of the alert all the same", async () => {
    const options = { ...viewer, clientId: "control-room", clean: false, reconnectPeriod: 0 };
    const before = await mqtt.connectAsync(city.mqtt, options);
    await before.subscribeAsync("alerts/harbour/#", { qos: 1 });
    await before.endAsync();
    await battery(6, 15);
    await city.kill();
    city = await city.restart();
    device = await connect(login);
    const back = mqtt.connect(city.mqtt, options);
    clients.push(back);
    const heard: unknown[] = [];
    back.on("message", (_topic, payload) => {
      if (payload.length > 0) heard.push(JSON.parse(payload.toString()).evidence?.at(-1)?.value);
    });
    const present = await new Promise((resolve) => back.once("connect", (answer) => resolve(answer.sessionPresent)));
    expect(present).toBe(true);
    await vi.waitUntil(() => heard.includes(15), { timeout: 30_000 });
  });

  const isMadeUp = ({ topic, reason }: { topic: string; reason: string }) =>
    topic === "alerts/harbour/critical/made-up" && reason === "unknown_topic";

  it("a device may not listen, and no one may speak there", async () => {
    expect((await device.subscribeAsync("alerts/#", { qos: 1 }).catch(() => [{ qos: 128 }]))[0]!.qos).toBe(128);
    const speaker = await connect({ ...viewer, username: "vera" });
    await speaker.publishAsync("alerts/harbour/critical/made-up", "{}", { qos: 1 });
    await vi.waitUntil(async () => (await city.api("/quarantine")).items.some(isMadeUp), { timeout: 30_000 });
  });
});
