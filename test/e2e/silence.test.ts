import mqtt, { type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, startCity } from "../helpers/city.ts";
import { answer, startScriptedHttp } from "../helpers/scripted-http.ts";

type Told = { readonly what: string; readonly sensor: string };
type List = {
  readonly items: readonly { readonly suppressedBy?: string; readonly timeline: readonly { what: string }[] }[];
};

/** The whole service: a silence over HTTP, a kill, and what a webhook hears of it. */
describe("a silence", () => {
  const told: Told[] = [];
  const start = Date.now() - 600_000;
  let city: City;
  let login: { username: string; password: string };
  let gateway: MqttClient;
  let hook: Awaited<ReturnType<typeof startScriptedHttp>>;
  let onTold = () => {};

  beforeAll(async () => {
    hook = await startScriptedHttp((request, response) => {
      const { type, data } = JSON.parse(request.body);
      told.push({ what: type.replace("alert.", ""), sensor: data.subject.sensorId });
      answer(204)(request, response);
      onTold();
    });
    city = await startCity({ env: { LAMPPOST_NOTIFY_ALLOW: "127.0.0.1" } });
    login = await city.api("/gateways", { name: "gw-north", districts: ["north", "south"] });
    const target = {
      id: "hook",
      name: "Hook",
      type: "webhook",
      url: `${hook.url}/in`,
      rules: ["oil-temperature"],
    };
    await city.api("/targets", target);
    await connect();
  });
  afterAll(async () => {
    gateway.end(true);
    await hook.stop();
    await city.remove();
  });

  async function connect(): Promise<void> {
    gateway = await mqtt.connectAsync(city.mqtt, { ...login, clientId: login.username });
    gateway.on("error", () => {}); // the kill
  }

  /** In districts of their own: two of one district would be one incident, told once. */
  const DISTRICTS = { "t-1": "north", "t-2": "south" } as const;
  async function send(sensor: keyof typeof DISTRICTS, minute: number, oilTemperature: number): Promise<void> {
    const reading = { measuredAt: start + minute * 60_000, oilTemperature };
    await gateway.publishAsync(`city/${DISTRICTS[sensor]}/energy/${sensor}`, JSON.stringify(reading), { qos: 1 });
  }

  const until = (count: number) =>
    new Promise<void>((done) => {
      onTold = () => told.length >= count && done();
      onTold();
    });
  const suppressed = async () => ((await city.api("/alerts?suppressed=true")) as List).items;

  it("keeps quiet what is recorded, over a kill, until somebody ends it; then one firing and one end are told", async () => {
    const body = {
      matchers: { sensor: "t-1" },
      endsAt: new Date(Date.now() + 3_600_000).toISOString(),
      reason: "a test",
    };
    // A silence is about what there is.
    await city.api("/devices", { sensorId: "t-1", kind: "energy", district: "north" });
    await city.api("/silences", body);
    await send("t-1", 0, 97);
    await send("t-2", 0, 97);
    await until(1);
    expect(told).toEqual([{ what: "firing", sensor: "t-2" }]);
    expect(await suppressed()).toMatchObject([{ suppressedBy: "silence:1", timeline: [{}, { what: "suppressed" }] }]);

    gateway.end(true);
    await city.kill();
    city = await city.restart();
    await connect();
    await city.call("/api/v1/silences/1", { method: "DELETE" });
    await until(2);
    expect(await suppressed()).toEqual([]);
    await send("t-1", 1, 60);
    await send("t-2", 1, 60);
    await until(4);
    expect(told.slice(1)).toEqual([
      { what: "firing", sensor: "t-1" },
      { what: "resolved", sensor: "t-1" },
      { what: "resolved", sensor: "t-2" },
    ]);
  });
});
