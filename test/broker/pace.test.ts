import mqttPacket, { type Packet } from "mqtt-packet";
import { afterEach, describe, expect, it } from "vitest";
import {
  ADMIN,
  DEVICE,
  GATEWAY,
  OPERATOR,
  OTHER_DEVICE,
  OWN_TOPIC,
  startTestBroker,
  type TestBroker,
  until,
  untilStill,
} from "./broker-fixture.ts";

let city: TestBroker;
afterEach(() => city.stop());

/** Hardly anything comes back to a bucket during a test. */
const RATE = { perSecond: 0.5, burst: 50 };
const SLOW = { device: RATE, gateway: RATE, person: RATE };
const publish = (payload: string, qos: 0 | 1 | 2, messageId = 1) =>
  mqttPacket.generate({ cmd: "publish", topic: OWN_TOPIC, payload, qos, messageId, retain: false, dup: false });
const PINGREQ = mqttPacket.generate({ cmd: "pingreq" });

/** What is sent, and how often one sees from the answers, or from the journal, that it was taken. */
const TYPES: readonly [string, Buffer, Packet["cmd"] | undefined][] = [
  ["PUBLISH of QoS 0", publish("{}", 0), undefined],
  ["PUBLISH of QoS 1", publish("{}", 1), "puback"],
  ["PINGREQ", PINGREQ, "pingresp"],
  [
    "SUBSCRIBE",
    mqttPacket.generate({ cmd: "subscribe", messageId: 3, subscriptions: [{ topic: "x/y", qos: 0 }] }),
    "suback",
  ],
  ["UNSUBSCRIBE", mqttPacket.generate({ cmd: "unsubscribe", messageId: 3, unsubscriptions: ["x/y"] }), "unsuback"],
  ["PUBREL", mqttPacket.generate({ cmd: "pubrel", messageId: 9 }), "pubcomp"],
];

describe("above its rate a sender is not read", () => {
  it.each(TYPES)("that sends %s", async (_name, bytes, answer) => {
    city = await startTestBroker({ rates: SLOW });
    const client = await city.raw();
    await client.login(DEVICE);
    const many = Buffer.concat(Array.from({ length: 2_000 }, () => bytes));
    for (let sent = 0; sent < 48 * 1024 * 1024; sent += many.length) client.socket.write(many);
    const taken = () =>
      answer ? client.packets.filter(({ cmd }) => cmd === answer).length : city.broker.counts().received;
    // A filter costs ten more.
    const expected = answer === "suback" || answer === "unsuback" ? Math.ceil(RATE.burst / 11) : RATE.burst;
    await until(() => taken() >= expected);
    const { written } = await untilStill(() => ({
      written: client.socket.bytesWritten - client.socket.writableLength,
    }));
    // 48 MiB are more than the buffers of both ends: had they been read to be dropped, they would be gone.
    expect(written).toBeLessThan(40 * 1024 * 1024);
    expect(taken()).toBeLessThan(expected + 20);
    expect(city.broker.counts()).toMatchObject({ shedQos0: 0, connections: 1 });
    const slowed = city.events.filter(({ type }) => type === "slowed");
    expect(slowed).toMatchObject([{ reason: "over_rate", name: DEVICE.name, repeats: 0 }]);
    // Nobody else is: also not on the same address.
    const other = await city.connect(OTHER_DEVICE);
    await other.publishAsync("city/north/air/no2-2", "{}", { qos: 1 });
  });

  it("through several connections of one account no more than through one", async () => {
    city = await startTestBroker({ rates: SLOW });
    const clients = await Promise.all(Array.from({ length: 5 }, () => city.raw()));
    for (const [index, client] of clients.entries()) await client.login(GATEWAY, { clientId: `gw-${index}` });
    for (const { socket } of clients) socket.write(Buffer.concat(Array.from({ length: 500 }, () => publish("{}", 0))));
    await until(() => city.broker.counts().received >= RATE.burst);
    await untilStill(() => city.broker.counts().slowedByRate);
    expect(city.kept.length).toBeLessThan(RATE.burst + 20);
  });

  it("counts a packet by its size, and each filter of a SUBSCRIBE", async () => {
    city = await startTestBroker({ rates: SLOW });
    const device = await city.raw();
    await device.login(DEVICE);
    device.socket.write(Buffer.concat([publish("x".repeat(60_000), 0), PINGREQ]));
    await until(() => city.kept.length === 1 && city.broker.counts().slowedByRate > 0);
    const gateway = await city.raw();
    await gateway.login(GATEWAY);
    const subscriptions = Array.from({ length: 60 }, (_, i) => ({ topic: `x/${i}`, qos: 0 as const }));
    gateway.send({ cmd: "subscribe", messageId: 3, subscriptions });
    gateway.send({ cmd: "pingreq" });
    await gateway.next("suback");
    await until(() => city.broker.counts().slowedByRate > 1);
    expect([...device.packets, ...gateway.packets]).toEqual([]);
  });

  it("closes on more filters in one packet than anyone may have, before it decides on them", async () => {
    city = await startTestBroker();
    const gateway = await city.raw();
    await gateway.login(GATEWAY);
    const subscriptions = Array.from({ length: 1_001 }, (_, i) => ({ topic: `x/${i}`, qos: 0 as const }));
    gateway.send({ cmd: "subscribe", messageId: 3, subscriptions });
    await gateway.whenClosed();
    expect(city.broker.counts().deniedSubscribes).toBe(0);
    expect(city.events).toMatchObject([{ type: "closed", detail: "1001 filters in one packet" }]);
  });

  it("counts an array by the readings it holds, and never closes who has to wait for long", async () => {
    const gatewayReadings = { perSecond: 100, burst: 1_000 };
    city = await startTestBroker({ rates: { gatewayReadings } });
    const gateway = await city.raw();
    await gateway.login(GATEWAY, { keepalive: 1 });
    // One more and the connection would be closed for silence before it is read again.
    const readings = [500, 400, 300];
    const arrays = readings.map((count) => publish(`[${Array.from({ length: count }, () => "{}").join()}]`, 1));
    for (const bytes of [...arrays, PINGREQ]) gateway.socket.write(bytes);
    await until(() => city.broker.counts().slowedByRate > 0);
    expect(city.kept).toHaveLength(readings.length);
    expect(city.events).toMatchObject([{ type: "slowed", reason: "over_readings_rate", name: GATEWAY.name }]);
    const device = await city.connect(DEVICE);
    await device.publishAsync(OWN_TOPIC, "{}", { qos: 1 });
    expect(gateway.packets.map(({ cmd }) => cmd)).toEqual(["puback", "puback", "puback"]);
    expect((await gateway.next("pingresp"))?.cmd).toBe("pingresp");
  });

  it("and not while it has had its share of a nearly full disk: it waits, connected, and nothing is lost", async () => {
    city = await startTestBroker();
    const gateway = await city.raw();
    await gateway.login(GATEWAY, { keepalive: 1 });
    city.held.add("gateway gw");
    const from = Date.now();
    gateway.socket.write(Buffer.concat(Array.from({ length: 50 }, () => publish("{}", 1))));
    await until(() => city.events.some(({ type }) => type === "slowed"));
    expect(city.events).toMatchObject([{ reason: "disk_share", name: GATEWAY.name }]);
    const device = await city.connect(DEVICE);
    await device.publishAsync(OWN_TOPIC, "{}", { qos: 1 });
    expect(city.kept).toHaveLength(1);
    // Longer than a silent client would be left.
    await until(() => Date.now() - from > 2_500);
    expect(gateway.isClosed()).toBe(false);
    city.held.clear();
    await until(() => gateway.packets.length === 50);
    expect(city.kept).toHaveLength(51);
  });

  it("and not while it is ahead of the rules: it goes on at once when they have caught up, and nobody is told", async () => {
    city = await startTestBroker();
    const gateway = await city.raw();
    await gateway.login(GATEWAY);
    city.ahead.add("gateway gw");
    gateway.socket.write(Buffer.concat([...Array.from({ length: 50 }, () => publish("{}", 1)), PINGREQ]));
    const device = await city.connect(DEVICE);
    await device.publishAsync(OWN_TOPIC, "{}", { qos: 1 });
    expect(city.kept).toHaveLength(1);
    city.ahead.clear();
    expect((await gateway.next("pingresp"))?.cmd).toBe("pingresp");
    await until(() => city.kept.length === 51);
    expect(city.events.filter(({ type }) => type === "slowed")).toEqual([]);
  });

  it("but may answer what it was sent", async () => {
    city = await startTestBroker({ rates: SLOW });
    const olga = await city.connect(OPERATOR);
    let heard = 0;
    olga.on("message", () => (heard += 1));
    await olga.subscribeAsync("alerts/#", { qos: 1 });
    for (let i = 0; i < 200; i += 1) {
      await city.broker.publish({ topic: "alerts/north/critical/a", payload: `${i}`, qos: 1 });
    }
    await until(() => heard === 200);
    await olga.subscribeAsync("city/#");
    expect(city.broker.counts().slowedByRate).toBe(0);
    // Answers to nothing are packets like others.
    const ada = await city.raw();
    await ada.login(ADMIN);
    const puback = mqttPacket.generate({ cmd: "puback", messageId: 7 });
    ada.socket.write(Buffer.concat(Array.from({ length: 100 }, () => puback)));
    await until(() => city.broker.counts().slowedByRate > 0);
  });

  it.each(["mqtt", "ws"])("and is read again when it may send: nothing is lost or out of order over %s", async (by) => {
    const rate = { perSecond: 2_000, burst: 20 };
    city = await startTestBroker({ rates: { device: rate } });
    const device = await city.connect(DEVICE, { url: city.url.replace("mqtt:", `${by}:`) });
    const count = 1_000;
    const sent = Array.from({ length: count }, (_, i) =>
      device.publishAsync(OWN_TOPIC, `${i} ${"x".repeat((i * 7) % 900)}`, { qos: i % 3 === 0 ? 0 : 1 }),
    );
    await Promise.all(sent);
    await until(() => city.kept.length === count);
    expect(city.kept.map(({ payload }) => Number.parseInt(Buffer.from(payload).toString(), 10))).toEqual(
      Array.from(Array(count).keys()),
    );
    expect(city.broker.counts().slowedByRate).toBeGreaterThan(10);
  });
});

describe("below its rate", () => {
  it("an account has a share of each turn: what another sends meanwhile waits behind that, not behind all", async () => {
    city = await startTestBroker();
    const gateways = await Promise.all(Array.from({ length: 3 }, () => city.raw()));
    for (const [index, client] of gateways.entries()) await client.login(GATEWAY, { clientId: `gw-${index}` });
    const device = await city.raw();
    await device.login(OTHER_DEVICE);
    const flood = Buffer.concat(Array.from({ length: 8_000 }, () => publish("{}", 0)));
    for (const { socket } of gateways) socket.write(flood);
    await until(() => city.kept.length > 0);
    const before = city.kept.length;
    device.send({
      cmd: "publish",
      topic: "city/north/air/no2-2",
      payload: "{}",
      qos: 1,
      messageId: 1,
      retain: false,
      dup: false,
    });
    await device.next("puback");
    const place = city.kept.findIndex(({ topic }) => topic.endsWith("no2-2"));
    expect(place - before).toBeLessThan(4_000);
    await until(() => city.kept.length === 24_001);
  });
});
