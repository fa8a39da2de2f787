import mqtt, { type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, startCity } from "../helpers/city.ts";
import { answer, type SeenRequest, startScriptedHttp } from "../helpers/scripted-http.ts";

const ALERTS = 200;
const SINGLES = 50;

/** From the reading to the webhook: signed, once, and after a kill with the same id. */
describe("a webhook", () => {
  let city: City;
  let gateway: MqttClient;
  let hook: Awaited<ReturnType<typeof startScriptedHttp>>;
  const sentAt = new Map<string, number>();
  const seenAt = new Map<string, number>();
  let waiting: { right: () => boolean; done: () => void } | undefined;
  const start = Date.now() - 600_000;

  beforeAll(async () => {
    hook = await startScriptedHttp(take);
    city = await startCity({ env: { LAMPPOST_NOTIFY_ALLOW: "127.0.0.1" } });
    const login = await city.api("/gateways", { name: "gw-north", districts: ["north"] });
    gateway = await connect(login);
    await city.api("/targets", {
      id: "hook",
      name: "Hook",
      type: "webhook",
      url: `${hook.url}/in`,
      rules: ["battery-low"],
    });
  });
  afterAll(async () => {
    gateway.end(true);
    await hook.stop();
    await city.remove();
  });

  let login: { username: string; password: string };
  async function connect(given: typeof login) {
    login = given;
    const client = await mqtt.connectAsync(city.mqtt, { ...login, clientId: login.username });
    client.on("error", () => {}); // the kill
    return client;
  }

  function take(request: SeenRequest, response: Parameters<ReturnType<typeof answer>>[1]): void {
    const { type, data } = JSON.parse(request.body);
    if (type === "alert.firing") seenAt.set(data.subject.sensorId, performance.now());
    answer(204)(request, response);
    if (waiting?.right()) waiting.done();
  }

  const until = (right: () => boolean) =>
    right()
      ? Promise.resolve()
      : new Promise<void>((done) => {
          waiting = { right, done };
        });

  async function send(sensor: string, minute: number, battery: number): Promise<void> {
    const reading = { measuredAt: start + minute * 60_000, voltage: 230, battery };
    await gateway.publishAsync(`city/north/energy/${sensor}`, JSON.stringify(reading), { qos: 1 });
  }

  async function raise(sensor: string): Promise<void> {
    await send(sensor, 0, 80);
    sentAt.set(sensor, performance.now());
    await send(sensor, 1, 15);
  }

  /** Prints how long it took, decides nothing: the machine is shared. */
  function report(what: string, sensors: readonly string[]): void {
    const delays = sensors.map((sensor) => seenAt.get(sensor)! - sentAt.get(sensor)!).sort((a, b) => a - b);
    const at = (share: number) => Math.round(delays[Math.ceil(share * delays.length) - 1]!);
    console.log(`reading -> webhook, ${what}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`);
  }

  it("is told of every alert once, soon after the reading", async () => {
    const burst = Array.from({ length: ALERTS }, (_, n) => `lamp-${n}`);
    for (const sensor of burst) await raise(sensor);
    await until(() => seenAt.size === ALERTS);
    report(`${ALERTS} alerts at once`, burst);
    const singles = Array.from({ length: SINGLES }, (_, n) => `single-${n}`);
    for (const sensor of singles) {
      await raise(sensor);
      await until(() => seenAt.has(sensor));
    }
    report(`${SINGLES} alerts one by one`, singles);
    const ids = hook.requests.map(({ headers }) => headers["webhook-id"]);
    expect(new Set(ids).size).toBe(ALERTS + SINGLES);
    expect(ids).toHaveLength(ALERTS + SINGLES);
    expect(hook.requests.every(({ headers }) => headers["webhook-signature"]?.toString().startsWith("v1,"))).toBe(true);
    expect(await city.api("/targets/hook")).toMatchObject({ pending: 0, failures: 0 });
  });

  it("is told after a kill what it could not be told before, with the same id", async () => {
    hook.play(answer(503));
    const before = hook.requests.length;
    const refused = new Promise<void>((done) =>
      hook.play((request, response) => {
        answer(503)(request, response);
        done();
      }),
    );
    await send("lamp-killed", 0, 80);
    await send("lamp-killed", 1, 15);
    await refused;
    await city.kill();
    hook.play(take);
    city = await city.restart();
    await until(() => seenAt.has("lamp-killed"));
    const told = hook.requests.slice(before);
    expect(told.length).toBeGreaterThan(1);
    expect(new Set(told.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    // The words for people say what is so by now.
    expect(new Set(told.map(({ body }) => JSON.stringify({ ...JSON.parse(body), text: undefined }))).size).toBe(1);
  });

  it("has a sibling on MQTT, which whoever may read alerts can follow", async () => {
    const viewer = await city.api("/users", { name: "vera", role: "viewer" });
    const client = await mqtt.connectAsync(city.mqtt, { ...viewer, clientId: viewer.username });
    const [grant] = await client.subscribeAsync("alerts/to/#", { qos: 1 });
    expect(grant!.qos).toBe(1);
    const heard = new Promise<{ topic: string; payload: string }>((done) =>
      client.once("message", (topic, payload) => done({ topic, payload: payload.toString() })),
    );
    await city.api("/targets", {
      id: "desk",
      name: "Desk",
      type: "mqtt",
      to: "alerts/to/desk",
      rules: ["ledger-imbalance"],
    });
    expect(await city.api("/targets/desk/test", {})).toEqual({ sent: true });
    const { topic, payload } = await heard;
    expect(topic).toBe("alerts/to/desk");
    expect(JSON.parse(payload)).toMatchObject({ type: "alert.firing", data: { rule: { title: "This is a test" } } });
    await client.endAsync();
  });

  it("that fails is shown: in the health, at the target and in the figures", async () => {
    gateway = await connect(login);
    hook.play((request, response) => {
      answer(404)(request, response);
      if (waiting?.right()) waiting.done();
    });
    const asked = hook.requests.length;
    await send("lamp-lost", 0, 80);
    await send("lamp-lost", 1, 15);
    await until(() => hook.requests.length > asked);
    const target = await city.api("/targets/hook");
    expect(target).toMatchObject({ pending: 1, failures: 1, lastError: "answered 404" });
    const ready = await (await city.call("/readyz")).json();
    expect(JSON.stringify(ready)).toContain("Hook (answered 404)");
    const metrics = await (await city.call("/metrics")).text();
    expect(metrics).toMatch(/lamppost_notifications_pending\{type="webhook"\} 1/);
  });
});
