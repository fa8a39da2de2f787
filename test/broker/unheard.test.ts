import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { mayMatchReadings } from "../../broker/unheard.ts";
import { DEVICE, OPERATOR, OWN_TOPIC, startTestBroker, type TestBroker, until, VIEWER } from "./broker-fixture.ts";

let city: TestBroker;
beforeEach(async () => {
  city = await startTestBroker();
});
afterEach(() => city.stop());

async function listen(filter: string, account = OPERATOR) {
  const client = await city.connect(account);
  const heard: string[] = [];
  client.on("message", (topic, payload) => heard.push(`${topic} ${payload}`));
  await client.subscribeAsync(filter, { qos: 1 });
  return { client, heard };
}

describe("readings without a listener", () => {
  it("are kept and acknowledged all the same", async () => {
    const device = await city.connect(DEVICE);
    await device.publishAsync(OWN_TOPIC, "{}", { qos: 1 });
    expect(city.kept.map(({ topic }) => topic)).toEqual([OWN_TOPIC]);
  });

  it("reach whoever begins to listen, and nobody after the last has gone", async () => {
    const device = await city.connect(DEVICE);
    await device.publishAsync(OWN_TOPIC, "1", { qos: 1 });
    const first = await listen("city/#");
    const second = await listen("city/north/+/no2-1", VIEWER);
    await device.publishAsync(OWN_TOPIC, "2", { qos: 1 });
    await until(() => first.heard.length === 1 && second.heard.length === 1);
    await first.client.endAsync();
    await device.publishAsync(OWN_TOPIC, "3", { qos: 1 });
    await until(() => second.heard.length === 2);
    await second.client.unsubscribeAsync("city/north/+/no2-1");
    await device.publishAsync(OWN_TOPIC, "4", { qos: 1 });
    await second.client.subscribeAsync("city/#", { qos: 1 });
    await device.publishAsync(OWN_TOPIC, "5", { qos: 1 });
    await until(() => second.heard.length === 3);
    expect(first.heard).toEqual([`${OWN_TOPIC} 2`]);
    expect(second.heard).toEqual([`${OWN_TOPIC} 2`, `${OWN_TOPIC} 3`, `${OWN_TOPIC} 5`]);
  });

  it("do not keep a status from those who listen only to that", async () => {
    const { heard } = await listen(`${OWN_TOPIC}/status`);
    const device = await city.connect(DEVICE);
    await device.publishAsync(OWN_TOPIC, "{}", { qos: 1 });
    await device.publishAsync(`${OWN_TOPIC}/status`, "online", { qos: 1 });
    await until(() => heard.length === 1);
    expect(heard).toEqual([`${OWN_TOPIC}/status online`]);
  });

  it.each([
    ["city/#", true],
    ["city/north/#", true],
    ["city/north/air/no2-1/#", true],
    ["city/+/air/+", true],
    ["alerts/north/critical/al-1", true],
    ["city/north/air/no2-1/rejected", false],
    ["city/+/+/+/status", false],
    ["alerts/north/critical", false],
  ])("%s may match a topic of readings: %s", (filter, may) => {
    expect(mayMatchReadings(filter)).toBe(may);
  });
});
