import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { connectAsync } from "mqtt";
import mqttPacket, { type Packet } from "mqtt-packet";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Account } from "../../model/people.ts";
import {
  DEVICE,
  GATEWAY,
  OPERATOR,
  OTHER_DEVICE,
  OWN_TOPIC,
  SECRET,
  startTestBroker,
  type TestBroker,
  until,
} from "./broker-fixture.ts";

let city: TestBroker;
beforeEach(async () => {
  city = await startTestBroker({ receiveMaximum: 5 });
});
afterEach(() => city.stop());

const V5 = { protocolVersion: 5 } as const;

/** A bare socket that speaks MQTT 5, in packets or in bytes. */
async function raw5() {
  const socket = connectTcp(city.broker.address.port, "127.0.0.1");
  await once(socket, "connect");
  const parser = mqttPacket.parser(V5);
  const packets: Record<string, unknown>[] = [];
  parser.on("packet", (packet) => packets.push(packet as never));
  socket.on("data", (bytes: Buffer) => parser.parse(bytes));
  socket.on("error", () => {});
  const closed = once(socket, "close");
  const send = (packet: object) => socket.write(mqttPacket.generate(packet as Packet, V5));
  async function next(cmd: string): Promise<Record<string, unknown>> {
    await until(() => packets.some((packet) => packet.cmd === cmd));
    return packets.splice(
      packets.findIndex((packet) => packet.cmd === cmd),
      1,
    )[0]!;
  }
  async function login(account: Account, more: object = {}) {
    send(connectOf(account, more));
    return next("connack");
  }
  return { socket, packets, send, next, login, closed };
}

const connectOf = (account: Account, more: object = {}) => ({
  cmd: "connect",
  protocolVersion: 5,
  clientId: account.name,
  username: account.name,
  password: Buffer.from(SECRET),
  clean: true,
  ...more,
});

const text = (value: string) => Buffer.from([value.length >> 8, value.length & 255, ...Buffer.from(value)]);
function frame(header: number, ...parts: (Buffer | number[])[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as Buffer)));
  return Buffer.concat([Buffer.from([header]), variable(body.length), body]);
}
function variable(length: number): Buffer {
  const bytes: number[] = [];
  for (let left = length; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...bytes, left]);
    bytes.push((left % 128) + 128);
  }
}
const connectFrame = (properties: number[], will: Buffer[] = []) =>
  frame(
    0x10,
    text("MQTT"),
    [5, will.length > 0 ? 0xc6 : 0xc2, 0, 60, properties.length],
    properties,
    text(DEVICE.name),
    ...will,
    text(DEVICE.name),
    text(SECRET),
  );

describe("a client of MQTT 5", () => {
  it("is told the limits, its id and its keepalive", async () => {
    const client = await raw5();
    const connack = await client.login(DEVICE, { clientId: "", keepalive: 0 });
    expect(connack).toMatchObject({
      reasonCode: 0,
      sessionPresent: false,
      properties: { receiveMaximum: 5, maximumPacketSize: 69_888, topicAliasMaximum: 32, serverKeepAlive: 57_600 },
    });
    expect((connack.properties as { assignedClientIdentifier: string }).assignedClientIdentifier).toMatch(
      /^[\w-]{36}$/,
    );
    client.send({ cmd: "pingreq" });
    await client.next("pingresp");
  });

  it.each([
    [{ password: Buffer.from("wrong") }, 0x86],
    [{ clientId: "x".repeat(257) }, 0x85],
    [{ properties: { authenticationMethod: "SCRAM-SHA-1" } }, 0x8c],
  ])("is refused with the reason: %j", async (more, reasonCode) => {
    const client = await raw5();
    expect(await client.login(DEVICE, more)).toMatchObject({ reasonCode });
    await client.closed;
  });

  it("hears in the PUBACK why a reading is refused, stays connected, and the reading is in the quarantine", async () => {
    const client = await raw5();
    await client.login(DEVICE);
    const topic = "city/north/air/no2-2";
    client.send({ cmd: "publish", qos: 1, messageId: 7, topic, payload: "{}" });
    expect(await client.next("puback")).toMatchObject({
      messageId: 7,
      reasonCode: 0x87,
      properties: { reasonString: "the topic is not yours", userProperties: { reason: "not_allowed" } },
    });
    client.send({ cmd: "publish", qos: 2, messageId: 8, topic: "elsewhere", payload: "{}" });
    expect(await client.next("pubrec")).toMatchObject({ messageId: 8, reasonCode: 0x90 });
    client.send({ cmd: "publish", qos: 1, messageId: 9, topic: OWN_TOPIC, payload: '{"no2":31}' });
    expect(await client.next("puback")).toMatchObject({ messageId: 9, reasonCode: 0 });
    expect(city.kept.map(({ refused }) => refused?.reason)).toEqual(["not_allowed", "unknown_topic", undefined]);
  });

  it.each([
    ["{", 0x99, { reason: "malformed_json" }],
    ['{"no2":9999999}', 0x99, { reason: "no_values" }],
    ['[{"no2":1},{"no2":"much"}]', 0, { reason: "wrong_type", refused: "1" }],
    ['{"no2":1,"o3":"much"}', 0, { reason: "wrong_type", refused: "0" }],
    ['{"plate":"B-XY 12"}', 0x99, { reason: "personal_data" }],
  ])("hears what will be refused of %s once it is kept", async (payload, reasonCode, userProperties) => {
    const client = await raw5();
    await client.login(DEVICE);
    client.send({ cmd: "publish", qos: 1, messageId: 7, topic: OWN_TOPIC, payload });
    expect(await client.next("puback")).toMatchObject({ reasonCode, properties: { userProperties } });
    expect(city.kept).toHaveLength(1);
  });

  it("is not told why when it asks for no reasons", async () => {
    const client = await raw5();
    await client.login(DEVICE, { properties: { requestProblemInformation: false } });
    client.send({ cmd: "publish", qos: 1, messageId: 7, topic: "elsewhere", payload: "{}" });
    const puback = await client.next("puback");
    expect(puback).toMatchObject({ reasonCode: 0x90 });
    expect(puback.properties).toBeUndefined();
  });

  it("may give a topic a short name, of its connection only", async () => {
    const client = await raw5();
    await client.login(DEVICE);
    client.send({
      cmd: "publish",
      qos: 1,
      messageId: 1,
      topic: OWN_TOPIC,
      payload: "1",
      properties: { topicAlias: 32 },
    });
    client.send({ cmd: "publish", qos: 1, messageId: 2, topic: "", payload: "2", properties: { topicAlias: 32 } });
    await until(() => city.kept.length === 2);
    expect(city.kept.map(({ topic }) => topic)).toEqual([OWN_TOPIC, OWN_TOPIC]);
    const other = await raw5();
    await other.login(DEVICE, { clientId: "other" });
    other.send({ cmd: "publish", qos: 1, messageId: 2, topic: "", payload: "2", properties: { topicAlias: 32 } });
    expect(await other.next("disconnect")).toMatchObject({ reasonCode: 0x82 });
    await other.closed;
  });

  it("hears what it subscribed to as it asked for it", async () => {
    await city.broker.publish({ topic: "alerts/north/warning/1", payload: "old", qos: 1, retain: true });
    const client = await raw5();
    await client.login(OPERATOR);
    const subscribe = (messageId: number, ...subscriptions: object[]) =>
      client.send({ cmd: "subscribe", messageId, properties: { subscriptionIdentifier: 300 }, subscriptions });
    subscribe(
      1,
      { topic: "alerts/#", qos: 1, rap: true, rh: 2 },
      { topic: "#", qos: 0 },
      { topic: "$share/a/x", qos: 0 },
      { topic: "$share/a", qos: 0 },
    );
    expect((await client.next("suback")).granted).toEqual([1, 0x87, 0x87, 0x8f]);
    await city.broker.publish({ topic: "alerts/north/warning/2", payload: "new", qos: 1, retain: true });
    const message = await client.next("publish");
    expect(String(message.payload)).toBe("new");
    expect(message).toMatchObject({ retain: true, qos: 1, properties: { subscriptionIdentifier: 300 } });
    subscribe(2, { topic: "alerts/#", qos: 1, rh: 1 }); // is there already: nothing retained
    await client.next("suback");
    subscribe(3, { topic: "alerts/north/+/1", qos: 0, rh: 1 });
    expect(await client.next("publish")).toMatchObject({ topic: "alerts/north/warning/1", retain: true });
    client.send({ cmd: "unsubscribe", messageId: 4, unsubscriptions: ["alerts/#", "nothing"] });
    expect((await client.next("unsuback")).granted).toEqual([0, 0x11]);
  });

  it("is sent no more than it takes at once, and nothing larger than it takes", async () => {
    const client = await raw5();
    await client.login(OPERATOR, { properties: { receiveMaximum: 1, maximumPacketSize: 100 } });
    client.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "alerts/#", qos: 1 }] });
    await client.next("suback");
    for (const id of ["1", "2"]) await city.broker.publish({ topic: `alerts/a/info/${id}`, payload: id, qos: 1 });
    await city.broker.publish({ topic: "alerts/a/info/3", payload: "x".repeat(100), qos: 1 });
    const first = await client.next("publish");
    client.send({ cmd: "pingreq" });
    await client.next("pingresp");
    expect(client.packets).toEqual([]);
    client.send({ cmd: "puback", messageId: first.messageId, reasonCode: 0 });
    expect(await client.next("publish")).toMatchObject({ topic: "alerts/a/info/2" });
    expect(city.broker.counts().subscriberDrops).toBe(1);
  });

  it("is told which limit it met, and which setting that is", async () => {
    await city.stop();
    const unreleased = { unreleasedPerAccountMax: 2, unreleasedPerConnectionMin: 1 };
    city = await startTestBroker({ connectionsPerAccountMax: 1, subscriptionsPerUserMax: 1, ...unreleased });
    const olga = await raw5();
    await olga.login(OPERATOR);
    const subscriptions = ["alerts/a/#", "alerts/b/#"].map((topic) => ({ topic, qos: 0 }));
    for (const [at, one] of subscriptions.entries())
      olga.send({ cmd: "subscribe", messageId: at + 1, subscriptions: [one] });
    const acks = [await olga.next("suback"), await olga.next("suback")];
    expect(acks).toContainEqual(
      expect.objectContaining({
        granted: [0x97],
        properties: { reasonString: expect.stringContaining("LAMPPOST_MQTT_SUBSCRIPTIONS_PER_USER_MAX") },
      }),
    );
    const second = await raw5();
    expect(await second.login(OPERATOR, { clientId: "second" })).toMatchObject({
      reasonCode: 0x97,
      properties: { reasonString: "account_connections_max (LAMPPOST_MQTT_CONNECTIONS_PER_ACCOUNT_MAX)" },
    });
    const gateway = await raw5();
    await gateway.login(GATEWAY);
    for (const messageId of [1, 2, 3]) {
      gateway.send({ cmd: "publish", topic: OWN_TOPIC, payload: "{}", qos: 2, messageId });
      if (messageId < 3) await gateway.next("pubrec");
    }
    expect(await gateway.next("disconnect")).toMatchObject({
      reasonCode: 0x97,
      properties: { reasonString: expect.stringContaining("LAMPPOST_MQTT_UNRELEASED_PER_ACCOUNT_MAX") },
    });
    await gateway.closed;
  });

  it("is told that another one has taken over, or that its credential is gone", async () => {
    const [first, second] = [await raw5(), await raw5()];
    await first.login(DEVICE);
    await second.login(DEVICE);
    expect(await first.next("disconnect")).toMatchObject({ reasonCode: 0x8e });
    city.credentials.delete(DEVICE.name);
    city.broker.disconnect(DEVICE.name);
    expect(await second.next("disconnect")).toMatchObject({ reasonCode: 0x98 });
    await second.closed;
  });

  it("leaves with its last will if it says so, and without it otherwise", async () => {
    const will = { topic: `${OWN_TOPIC}/status`, payload: Buffer.from("offline"), qos: 1, retain: true };
    const [quiet, loud] = [await raw5(), await raw5()];
    await quiet.login(DEVICE, { will });
    quiet.send({ cmd: "disconnect", reasonCode: 0 });
    await quiet.closed;
    await loud.login(DEVICE, { will });
    expect(city.kept).toEqual([]);
    loud.send({ cmd: "disconnect", reasonCode: 4 });
    await until(() => city.kept.length === 1);
    expect(Buffer.from(city.kept[0]!.payload).toString()).toBe("offline");
  });

  it("may leave at once: what it published is kept", async () => {
    const client = await raw5();
    client.socket.write(
      Buffer.concat(
        [
          connectOf(GATEWAY),
          ...Array.from({ length: 50 }, (_, i) => ({ cmd: "publish", qos: 0, topic: OWN_TOPIC, payload: `${i}` })),
          { cmd: "disconnect", reasonCode: 0 },
        ].map((packet) => mqttPacket.generate(packet as Packet, V5)),
      ),
    );
    await client.closed;
    expect(city.kept.map(({ payload }) => Number(Buffer.from(payload).toString()))).toEqual([...Array(50).keys()]);
  });
});

const pub = (qos: number, properties: number[], topic = OWN_TOPIC) =>
  frame(0x30 | (qos << 1), text(topic), qos > 0 ? [0, 1] : [], [properties.length], properties, [0x7b]);

/** After the login, as an operator: what may not be said, and the reason. */
const FORBIDDEN: Record<string, [Buffer, number]> = {
  "a second CONNECT": [connectFrame([]), 0x82],
  "topic alias 0": [pub(0, [0x23, 0, 0]), 0x94],
  "topic alias beyond the maximum": [pub(0, [0x23, 0, 33]), 0x94],
  "no topic and no alias": [pub(0, [], ""), 0x82],
  "wildcard in a topic": [pub(0, [], "city/+/x"), 0x90],
  "property twice": [pub(0, [0x02, 0, 0, 0, 1, 0x02, 0, 0, 0, 1]), 0x82],
  "property of another packet": [pub(0, [0x11, 0, 0, 0, 1]), 0x82],
  "property only a server sends": [pub(0, [0x12, 0, 1, 0x61]), 0x81],
  "property that is none": [pub(0, [0x7f]), 0x81],
  "property cut off": [pub(0, [0x02, 0, 0]), 0x81],
  "properties past the end": [frame(0x30, text(OWN_TOPIC), [9, 1, 1]), 0x81],
  "properties with an endless length": [frame(0x30, text(OWN_TOPIC), [0xff, 0xff, 0xff, 0xff, 0xff]), 0x81],
  "property length in too many bytes": [frame(0x30, text(OWN_TOPIC), [0x80, 0]), 0x81],
  "payload format 2": [pub(0, [0x01, 2]), 0x82],
  "bad UTF-8 in a user property": [pub(0, [0x26, 0, 1, 0x61, 0, 1, 0xff]), 0x81],
  "U+0000 in a user property": [pub(0, [0x26, 0, 1, 0x61, 0, 1, 0]), 0x81],
  "wildcard in a response topic": [pub(0, [0x08, 0, 1, 0x23]), 0x82],
  "packet identifier 0": [frame(0x32, text(OWN_TOPIC), [0, 0, 0, 0x7b]), 0x81],
  "DUP with QoS 0": [frame(0x38, text(OWN_TOPIC), [0]), 0x81],
  "QoS 3": [frame(0x36, text(OWN_TOPIC), [0, 1, 0]), 0x81],
  "U+0000 in a topic": [pub(0, [], "a\0b"), 0x81],
  "SUBSCRIBE without filters": [frame(0x82, [0, 1, 0]), 0x81],
  "SUBSCRIBE with reserved options": [frame(0x82, [0, 1, 0], text("city/#"), [0x40]), 0x81],
  "SUBSCRIBE with retain handling 3": [frame(0x82, [0, 1, 0], text("city/#"), [0x30]), 0x81],
  "subscription identifier 0": [frame(0x82, [0, 1, 2, 0x0b, 0], text("city/#"), [0]), 0x82],
  "no local on a shared subscription": [frame(0x82, [0, 1, 0], text("$share/a/city/#"), [4]), 0x82],
  "filter a+": [frame(0x82, [0, 1, 0], text("a+"), [0]), 0x81],
  "UNSUBSCRIBE without filters": [frame(0xa2, [0, 1, 0]), 0x81],
  "PUBACK with an unknown reason": [frame(0x40, [0, 1, 0x42]), 0x81],
  "PUBACK with bytes left over": [frame(0x40, [0, 1, 0, 0, 9]), 0x81],
  "PINGREQ with a body": [frame(0xc0, [0]), 0x81],
  "DISCONNECT with an unknown reason": [frame(0xe0, [0x42]), 0x81],
  "DISCONNECT that keeps a session that was to end": [frame(0xe0, [0, 5, 0x11, 0, 0, 0, 9]), 0x82],
  "AUTH out of nothing": [frame(0xf0, [0x18, 0]), 0x82],
  "AUTH with nothing in it": [frame(0xf0), 0x82],
  CONNACK: [frame(0x20, [0, 0, 0]), 0x81],
  "type 0": [frame(0x00), 0x81],
  "packet that is too large": [Buffer.concat([Buffer.from([0x30]), variable(70_000)]), 0x95],
};

/** In the CONNECT. */
const FORBIDDEN_IN_CONNECT: Record<string, [Buffer, number]> = {
  "receive maximum 0": [connectFrame([0x21, 0, 0]), 0x82],
  "maximum packet size 0": [connectFrame([0x27, 0, 0, 0, 0]), 0x82],
  "request problem information 2": [connectFrame([0x17, 2]), 0x82],
  "session expiry twice": [connectFrame([0x11, 0, 0, 0, 1, 0x11, 0, 0, 0, 1]), 0x82],
  "will delay outside a will": [connectFrame([0x18, 0, 0, 0, 1]), 0x82],
  "receive maximum in a will": [
    connectFrame([], [Buffer.from([3, 0x21, 0, 1]), text(`${OWN_TOPIC}/status`), text("offline")]),
    0x82,
  ],
  "authentication data without a method": [connectFrame([0x16, 0, 1, 1]), 0x82],
  "property cut off": [connectFrame([0x21, 1]), 0x81],
};

describe("what MQTT 5 forbids is told, and ends the connection", () => {
  for (const [name, [bytes, reasonCode]] of Object.entries(FORBIDDEN)) {
    it(name, async () => {
      const client = await raw5();
      await client.login(OPERATOR);
      client.socket.write(bytes);
      await client.closed;
      expect(client.packets).toMatchObject([{ cmd: "disconnect", reasonCode }]);
      expect(city.broker.counts().malformedPackets).toBe(1);
    });
  }
  for (const [name, [bytes, reasonCode]] of Object.entries(FORBIDDEN_IN_CONNECT)) {
    it(`in a CONNECT: ${name}`, async () => {
      const client = await raw5();
      client.socket.write(bytes);
      await client.closed;
      expect(client.packets).toMatchObject([{ cmd: "connack", reasonCode }]);
    });
  }

  it("has more on the way than the receive maximum", async () => {
    city.journal.append = () => {}; // never answers
    const client = await raw5();
    await client.login(DEVICE);
    const publish = (messageId: number) => frame(0x32, text(OWN_TOPIC), [0, messageId, 0], text("{}"));
    client.socket.write(Buffer.concat([1, 2, 3, 4, 5, 6].map(publish)));
    expect(await client.next("disconnect")).toMatchObject({ reasonCode: 0x93 });
    await client.closed;
  });

  it("takes a frame that comes byte by byte", async () => {
    const client = await raw5();
    for (const byte of connectFrame([0x21, 0, 9, 0x26, 0, 1, 0x61, 0, 1, 0x62]))
      client.socket.write(Buffer.from([byte]));
    expect(await client.next("connack")).toMatchObject({ reasonCode: 0 });
  });
});

it.each([4, 5] as const)("MQTT.js speaks version %i with an id of its own", async (protocolVersion) => {
  const { port } = city.broker.address;
  for (const url of [`mqtt://127.0.0.1:${port}`, `ws://127.0.0.1:${port}`]) {
    const login = (account: Account) =>
      connectAsync(url, { username: account.name, password: SECRET, protocolVersion, reconnectPeriod: 0 });
    const [device, operator] = [await login(OTHER_DEVICE), await login(OPERATOR)];
    const heard = new Promise<string[]>((resolve) =>
      operator.once("message", (topic, payload) => resolve([topic, payload.toString()])),
    );
    await operator.subscribeAsync("alerts/#", { qos: 1 });
    await city.broker.publish({ topic: "alerts/north/warning/1", payload: "fires", qos: 1 });
    expect(await heard).toEqual(["alerts/north/warning/1", "fires"]);
    await device.publishAsync("city/north/air/no2-2", '{"no2":31}', { qos: 1 });
    await device.publishAsync("city/north/air/no2-2", '{"no2":31}', { qos: 2 });
    const elsewhere = device.publishAsync("elsewhere", "{}", { qos: 1 });
    if (protocolVersion === 5) await expect(elsewhere).rejects.toMatchObject({ code: 0x90 });
    else await elsewhere;
    await Promise.all([device.endAsync(), operator.endAsync()]);
  }
  expect(city.kept).toHaveLength(6);
});

it("keeps a session for as long as it was asked, within the limit, and with its identifiers", async () => {
  await city.stop();
  const saved: string[] = [];
  city = await startTestBroker(
    { sessionExpiryMaxS: 1_000 },
    {
      keeper: {
        save: async ({ subscriptions, expiryS }) => {
          saved.push(`${expiryS} ${JSON.stringify(subscriptions)}`);
          return 0;
        },
        forget: (name, clientId) => void saved.push(`forgotten ${name}/${clientId}`),
        progress() {},
        replay: async (after) => ({ publications: [], to: after, isLast: true, missed: 0 }),
      },
    },
  );
  const client = await raw5();
  const connack = await client.login(OPERATOR, { properties: { sessionExpiryInterval: 5_000 } });
  expect(connack).toMatchObject({ sessionPresent: false, properties: { sessionExpiryInterval: 1_000 } });
  const subscriptions = [{ topic: "alerts/#", qos: 1, rap: true }];
  client.send({ cmd: "subscribe", messageId: 1, properties: { subscriptionIdentifier: 7 }, subscriptions });
  await client.next("suback");
  expect(saved).toEqual(['1000 [{"topic":"alerts/#","qos":1,"nl":false,"rap":true,"identifier":7}]']);
  client.socket.destroy();
  await until(() => city.broker.counts().connections === 0);
  const back = await raw5();
  expect(await back.login(OPERATOR, { clean: false })).toMatchObject({ sessionPresent: true });
  await city.broker.publish({ topic: "alerts/a/info/1", payload: "1", qos: 1, event: 1, retain: true });
  const message = await back.next("publish");
  expect(message).toMatchObject({ retain: true, properties: { subscriptionIdentifier: 7 } });
  back.send({ cmd: "puback", messageId: message.messageId, reasonCode: 0 });
  back.send({ cmd: "disconnect", reasonCode: 0 }); // it asked for no expiry this time
  await until(() => saved.at(-1) === "forgotten olga/olga");
});
