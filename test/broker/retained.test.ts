import { afterEach, describe, expect, it, vi } from "vitest";
import {
  DEVICE,
  OPERATOR,
  OWN_TOPIC,
  startTestBroker,
  type TestBroker,
  until,
  untilStill,
  VIEWER,
} from "./broker-fixture.ts";

const DISTRICTS = ["north", "south", "harbour", "centre"];
const EACH = 5_000;

let city: TestBroker;
afterEach(() => city.stop());

const topicOf = (district: string, n: number) => `city/${district}/air/no2-${n}/status`;

/** The status of 20,000 sensors, in four districts. */
async function retainAll(): Promise<void> {
  for (let n = 0; n < EACH; n += 1) {
    await Promise.all(
      DISTRICTS.map((district) =>
        city.broker.publish({
          topic: topicOf(district, n),
          payload: n % 2 ? "online" : "offline",
          qos: 1,
          retain: true,
        }),
      ),
    );
  }
}

async function listen(account = VIEWER) {
  const client = await city.connect(account);
  const heard = new Map<string, string>();
  const levels = new Set<number>();
  client.on("message", (topic, payload, { qos }) => {
    heard.set(topic, String(payload));
    levels.add(qos);
  });
  return { client, heard, levels };
}

describe("what is retained", () => {
  it("is found where the filter says, without a look at the rest, and all of it comes", async () => {
    city = await startTestBroker();
    await retainAll();
    const looked = () => city.broker.counts().retainedLookedAt;
    const { client, heard, levels } = await listen();
    await client.subscribeAsync(topicOf("north", 7), { qos: 1 });
    await until(() => heard.size === 1);
    expect(looked()).toBe(1);
    await client.subscribeAsync("city/south/air/no2-8/+", { qos: 1 });
    await until(() => heard.size === 2 && looked() === 1 + EACH);
    await client.subscribeAsync("alerts/#", { qos: 1 });
    await client.subscribeAsync(["city/nowhere/#", "city/+/traffic/+/status"], { qos: 1 });
    await until(() => looked() === 1 + 5 * EACH);
    expect(levels).toEqual(new Set([1]));
    expect(heard.size).toBe(2);
    await client.subscribeAsync("city/#", { qos: 0 });
    await until(() => heard.size === DISTRICTS.length * EACH);
    expect(levels).toEqual(new Set([1, 0]));
    expect([heard.get(topicOf("north", 1)), heard.get(topicOf("centre", 2))]).toEqual(["online", "offline"]);
    expect(city.broker.counts()).toMatchObject({ subscriberDrops: 0, deniedForwards: 0 });
  });

  it("is looked through a little at a time: what others send meanwhile is taken", async () => {
    city = await startTestBroker();
    await retainAll();
    const device = await city.connect(DEVICE);
    const { client } = await listen();
    const before = city.broker.counts().retainedLookedAt;
    await client.subscribeAsync(Array.from({ length: 9 }, (_, n) => `city/+/traffic/no2-${n}/status`));
    await device.publishAsync(OWN_TOPIC, "{}", { qos: 1 });
    expect(city.kept).toHaveLength(1);
    expect(city.broker.counts().retainedLookedAt - before).toBeLessThan(9 * DISTRICTS.length * EACH);
  });

  it("waits for a subscriber that reads slowly, and drops nothing", async () => {
    city = await startTestBroker({ retainedMax: 8_000 });
    for (let n = 0; n < 8_000; n += 1) {
      await city.broker.publish({ topic: topicOf("north", n), payload: "x".repeat(4_000), qos: 1, retain: true });
    }
    const slow = await city.raw();
    await slow.login(VIEWER);
    slow.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "city/#", qos: 0 }] });
    await slow.next("suback");
    slow.socket.pause();
    await untilStill(() => city.broker.counts().retainedLookedAt);
    slow.socket.resume();
    await until(() => slow.packets.length === 8_000);
    expect(city.broker.counts()).toMatchObject({ subscriberDrops: 0, connections: 1 });
  });

  it("costs the subscriber what it is to look through, and nobody else", async () => {
    const rate = { perSecond: 0.5, burst: 300 };
    city = await startTestBroker({ rates: { person: rate } });
    await retainAll();
    const { client, heard } = await listen();
    await client.subscribeAsync("city/+/air/no2-0/status");
    await until(() => heard.size === DISTRICTS.length);
    await client.subscribeAsync("city/+/air/no2-1/status"); // 200 of 300 are spent: it is asked for still
    await until(() => city.broker.counts().retainedLookedAt === 2 * DISTRICTS.length * EACH);
    client.subscribe("city/+/air/no2-2/status");
    await until(() => city.broker.counts().slowedByRate > 0);
    const olga = await listen(OPERATOR);
    await olga.client.subscribeAsync(topicOf("north", 0));
    await until(() => olga.heard.size === 1);
  });

  it("is forgotten with an empty payload, and has a limit", async () => {
    city = await startTestBroker({ retainedMax: 2 });
    const say = (n: number, payload: string) =>
      city.broker.publish({ topic: topicOf("north", n), payload, qos: 1, retain: true });
    for (const n of [1, 2, 3, 1]) await say(n, "online");
    expect(city.broker.counts().retainedRefused).toBe(1);
    await say(1, "");
    await say(3, "online");
    const { client, heard } = await listen();
    await client.subscribeAsync("city/north/#", { qos: 1 });
    await until(() => heard.size === 2);
    expect([...heard.keys()]).toEqual([topicOf("north", 2), topicOf("north", 3)]);
  });
});

describe("a last will", () => {
  it("is not sent while its client is there, also when the clock leaps", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date"] });
    try {
      city = await startTestBroker();
      const device = await city.raw();
      await device.login(DEVICE, { will: { topic: `${OWN_TOPIC}/status`, payload: "offline", qos: 1, retain: true } });
      await vi.advanceTimersByTimeAsync(239_000);
      // As after a sleep of the machine: between two looks at the clock an hour has passed.
      const { now } = Date;
      let looks = 0;
      Date.now = () => {
        looks += 1;
        return now() + looks * 3_600_000;
      };
      await vi.advanceTimersByTimeAsync(2_000);
      await new Promise((resolve) => setTimeout(resolve, 100));
      Date.now = now;
      expect(city.kept).toEqual([]);
      device.socket.destroy();
      await until(() => city.kept.length > 0);
      expect(city.kept).toMatchObject([{ topic: `${OWN_TOPIC}/status` }]);
    } finally {
      vi.useRealTimers();
    }
  });
});
