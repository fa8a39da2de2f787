import { spawn } from "node:child_process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { needsPython, PYTHON } from "../helpers/needs.ts";
import {
  DEVICE,
  GATEWAY,
  OPERATOR,
  OWN_TOPIC,
  SECRET,
  startTestBroker,
  type TestBroker,
  until,
} from "./broker-fixture.ts";

/*
 * What can never be accepted is acknowledged and kept as refused: a client that sends it again until it is acknowledged
 * (all of them do, at QoS 1 and 2) would otherwise never get its good readings through.
 */
let city: TestBroker;
beforeEach(async () => {
  city = await startTestBroker({ rates: {} });
});
afterEach(() => city.stop());

const STATUS = `${OWN_TOPIC}/status`;
const deep = Array.from({ length: 60 }, () => "a").join("/");
const BAD: readonly [string, { topic: string; payload: string }, string][] = [
  ["a payload over 64 KiB", { topic: OWN_TOPIC, payload: "x".repeat(65_537) }, "too_large"],
  ["a payload of 1 MiB", { topic: OWN_TOPIC, payload: "x".repeat(1_048_576) }, "too_large"],
  ["the topic of someone else", { topic: "city/north/air/no2-2", payload: '{"no2":1}' }, "not_allowed"],
  ["a topic that is none", { topic: "sensors/no2-1", payload: "{}" }, "unknown_topic"],
  ["a topic in capitals", { topic: "city/North/air/no2-1", payload: "{}" }, "unknown_topic"],
  ["a topic of the broker", { topic: "$SYS/x/new/clients", payload: "no2-2" }, "unknown_topic"],
  ["a topic of the service", { topic: `${OWN_TOPIC}/rejected`, payload: "{}" }, "unknown_topic"],
  ["a topic of 300 characters", { topic: `city/${"n".repeat(300)}`, payload: "{}" }, "unknown_topic"],
  [
    "a topic of 60,000 characters and a large payload",
    { topic: "t".repeat(60_000), payload: "x".repeat(90_000) },
    "unknown_topic",
  ],
  ["a topic of 60 levels", { topic: deep, payload: "{}" }, "unknown_topic"],
  ["a topic with a control character", { topic: "city/north/air/no2-1\u0007", payload: "{}" }, "unknown_topic"],
  ["the status Online", { topic: STATUS, payload: "Online" }, "bad_status"],
  ["an empty status", { topic: STATUS, payload: "" }, "bad_status"],
  ["a status in JSON", { topic: STATUS, payload: '{"online":true}' }, "bad_status"],
];

describe.each(["mqtt", "ws"])("over %s", (scheme) => {
  it.each(BAD)(
    "%s is answered at every QoS, and the good reading behind it comes through",
    async (_name, bad, reason) => {
      const url = city.url.replace("mqtt:", `${scheme}:`);
      // Comes back and sends again what was not acknowledged.
      const device = await city.connect(DEVICE, { url, reconnectPeriod: 20 });
      for (const qos of [0, 1, 2] as const) {
        await device.publishAsync(bad.topic, bad.payload, { qos, retain: qos === 1 });
        await device.publishAsync(OWN_TOPIC, `{"no2":${qos}}`, { qos: 1 });
      }
      const refused = city.kept.filter((message) => message.refused);
      expect(refused).toHaveLength(3);
      for (const { refused: why, payload, topic } of refused) {
        expect(why).toEqual({ reason, bytes: Buffer.byteLength(bad.payload) });
        expect(Buffer.from(payload).toString()).toBe(bad.payload.slice(0, 1_024));
        expect(topic).toBe(bad.topic.slice(0, 256).replace("\u0007", "?"));
      }
      const good = city.kept
        .filter((message) => !message.refused)
        .map(({ payload }) => Buffer.from(payload).toString());
      expect(good).toEqual(['{"no2":0}', '{"no2":1}', '{"no2":2}']);
      const { accepted, deniedPublishes } = city.broker.counts();
      expect({ accepted, deniedPublishes }).toEqual({ accepted: 1, deniedPublishes: 3 });
      expect(city.events).toMatchObject([{ type: "denied-publish", name: DEVICE.name }]);
    },
  );
});

describe("a refused publish", () => {
  it("is acknowledged when it is kept, in its turn", async () => {
    const asked: ((error?: Error) => void)[] = [];
    city.journal.append = (_message, done) => asked.push(done);
    const device = await city.raw();
    await device.login(DEVICE);
    const publish = (messageId: number, topic: string) =>
      device.send({ cmd: "publish", topic, payload: "{}", qos: 1, messageId, retain: false, dup: false });
    publish(1, "no/topic");
    publish(2, OWN_TOPIC);
    await until(() => asked.length === 2);
    asked[1]!();
    // Another client's round trip through the same loop: time enough for a PUBACK out of turn.
    await (await city.raw()).login(GATEWAY);
    expect(device.packets).toEqual([]);
    asked[0]!();
    expect((await device.next("puback"))?.messageId).toBe(1);
    expect((await device.next("puback"))?.messageId).toBe(2);
  });

  it("counts against the rate of its sender, a large one by its size", async () => {
    await city.stop();
    city = await startTestBroker({ rates: { device: { perSecond: 0.1, burst: 1_000 } } });
    const device = await city.raw();
    await device.login(DEVICE);
    const payload = Buffer.alloc(1_000_000, "x");
    for (const messageId of [1, 2, 3]) {
      device.send({ cmd: "publish", topic: OWN_TOPIC, payload, qos: 1, messageId, retain: false, dup: false });
    }
    await until(() => city.broker.counts().slowedByRate === 1);
    expect(city.kept).toHaveLength(2); // the second was begun with what the first had left
  });

  it("of a person is kept under that person", async () => {
    const olga = await city.connect(OPERATOR);
    await olga.publishAsync(OWN_TOPIC, "{}", { qos: 1 });
    expect(city.kept).toMatchObject([
      { source: { role: "operator", name: "olga" }, refused: { reason: "not_allowed", bytes: 2 } },
    ]);
  });

  it("does not shut out a client that comes back with many of QoS 2", async () => {
    const gateway = await city.connect(GATEWAY);
    const sent = Array.from({ length: 1_500 }, () => gateway.publishAsync("no/topic", "{}", { qos: 2 }));
    await Promise.all(sent);
    expect(city.kept).toHaveLength(1_500);
    expect(city.broker.counts().accepted).toBe(1);
  });
});

const PAHO = `
import json, sys, paho.mqtt.client as mqtt
port, password, good = int(sys.argv[1]), sys.argv[2], sys.argv[3]
bad = json.load(sys.stdin)
make = lambda **more: mqtt.Client(client_id="no2-1", **more)
client = make(callback_api_version=mqtt.CallbackAPIVersion.VERSION1) if hasattr(mqtt, "CallbackAPIVersion") else make()
client.username_pw_set("no2-1", password)
client.connect("127.0.0.1", port)
client.loop_start()
for topic, payload in bad:
    client.publish(topic, payload, qos=1)
last = client.publish(good, '{"no2":7}', qos=1)
last.wait_for_publish(20)
print(last.is_published())
client.loop_stop()
`;

it.runIf(needsPython("paho.mqtt.client"))("Paho gets its good reading through behind all of them", async () => {
  const bad = BAD.map(([, { topic, payload }]) => [topic, payload]);
  const port = `${city.broker.address.port}`;
  const python = spawn(PYTHON, ["-c", PAHO, port, SECRET, OWN_TOPIC]);
  python.stdin.end(JSON.stringify(bad));
  let said = "";
  python.stdout.on("data", (chunk) => (said += chunk));
  python.stderr.on("data", (chunk) => (said += chunk));
  await new Promise((resolve) => python.once("close", resolve));
  expect(said.trim()).toBe("True");
  expect(city.broker.counts()).toMatchObject({ accepted: 1, deniedPublishes: bad.length });
  expect(Buffer.from(city.kept.at(-1)!.payload).toString()).toBe('{"no2":7}');
});
