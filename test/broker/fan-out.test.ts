import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { mayMatchReadings } from "../../broker/subscribers.ts";
import { DEVICE, OPERATOR, OWN_TOPIC, startTestBroker, type TestBroker, until, VIEWER } from "./broker-fixture.ts";

let city: TestBroker;
beforeEach(async () => {
  city = await startTestBroker();
});
afterEach(() => city.stop());

describe("what a client publishes", () => {
  it("is kept, and reaches nobody as it came: not live, not retained, not as a last will", async () => {
    const vera = await city.connect(VIEWER);
    const heard: string[] = [];
    vera.on("message", (topic, payload) => heard.push(`${topic} ${payload}`));
    await vera.subscribeAsync(["city/#", "alerts/#"], { qos: 1 });
    const device = await city.raw();
    const topic = `${OWN_TOPIC}/status`;
    await device.login(DEVICE, { will: { topic, payload: "offline", qos: 1, retain: true } });
    let messageId = 0;
    for (const retain of [false, true]) {
      for (const qos of [0, 1, 2] as const) {
        messageId += 1;
        device.send({ cmd: "publish", topic: OWN_TOPIC, payload: "{}", qos, messageId, retain, dup: false });
      }
    }
    device.send({ cmd: "publish", topic, payload: "online", qos: 1, messageId: 9, retain: true, dup: false });
    device.send({
      cmd: "publish",
      topic: "alerts/a/b/c",
      payload: "fire",
      qos: 1,
      messageId: 10,
      retain: true,
      dup: false,
    });
    device.send({ cmd: "pingreq" });
    await device.next("pingresp");
    device.socket.destroy();
    await until(() => city.kept.length === 9);
    // The same way, and after all of that.
    await city.broker.publish({ topic: OWN_TOPIC, payload: "from the service", qos: 1 });
    await vera.subscribeAsync("city/north/#", { qos: 1 });
    await until(() => heard.length > 0);
    expect(heard).toEqual([`${OWN_TOPIC} from the service`]);
  });
});

describe("who listens to readings", () => {
  it("is counted by connection, until it does no more or is gone", async () => {
    const first = await city.connect(OPERATOR);
    await first.subscribeAsync(["city/#", "city/+/air/+"]);
    const second = await city.connect(VIEWER);
    await second.subscribeAsync("alerts/#");
    await second.subscribeAsync("city/north/+/no2-1");
    await first.endAsync();
    await until(() => city.listeners.length === 3);
    await second.unsubscribeAsync("city/north/+/no2-1");
    await until(() => city.listeners.length === 4);
    expect(city.listeners).toEqual([1, 2, 1, 0]);
  });

  it.each([
    ["city/#", true],
    ["city/north/#", true],
    ["city/north/air/no2-1/#", true],
    ["city/+/air/+", true],
    ["alerts/north/critical/al-1", false],
    ["city/north/air/no2-1/rejected", false],
    ["city/+/+/+/status", false],
    ["alerts/#", false],
  ])("%s may match a topic of readings: %s", (filter, may) => {
    expect(mayMatchReadings(filter)).toBe(may);
  });
});
