import mqttPacket, { type Packet } from "mqtt-packet";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEVICE, OPERATOR, OWN_TOPIC, SECRET, startTestBroker, type TestBroker, until } from "./broker-fixture.ts";

let city: TestBroker;
beforeAll(async () => {
  city = await startTestBroker({ rates: {} });
});
afterAll(() => city.stop());

const text = (value: string | Buffer) => {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
};
function frame(header: number, ...parts: (Buffer | number[])[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as Buffer)));
  return Buffer.concat([Buffer.from([header, body.length]), body]);
}
function connectFrame(over: {
  id?: string | Buffer;
  name?: string | Buffer;
  flags?: number;
  tail?: number[];
  will?: Buffer;
}) {
  const { id = DEVICE.name, name = DEVICE.name, flags = 0xc2, tail = [], will } = over;
  const willParts = will ? [text(will), text("offline")] : [];
  const flag = will ? flags | 0x2c : flags;
  return frame(0x10, text("MQTT"), [4, flag, 0, 60], text(id), ...willParts, text(name), text(SECRET), tail);
}

const U0 = Buffer.from("city/north/air/\0no2-1");
const CONTROL = Buffer.from("city/north/\u0007/no2-1");
const SURROGATE = Buffer.concat([Buffer.from("city/"), Buffer.from([0xed, 0xa0, 0x80])]);
const OVERLONG = Buffer.from([0xc0, 0xaf, 0x61]);
const UNFIT = { "U+0000": U0, control: CONTROL, surrogate: SURROGATE, overlong: OVERLONG };

const BEFORE_LOGIN: Record<string, Buffer> = {
  "publish first": frame(0x30, text(OWN_TOPIC)),
  pingreq: frame(0xc0),
  "wrong protocol name": frame(0x10, text("MQTX"), [4, 2, 0, 60], text("a")),
  "MQIsdp with level 4": frame(0x10, text("MQIsdp"), [4, 2, 0, 60], text("a")),
  "MQTT with level 3": frame(0x10, text("MQTT"), [3, 2, 0, 60], text("a")),
  "reserved flag": connectFrame({ flags: 0xc3 }),
  "bytes left over": connectFrame({ tail: [1, 2, 3] }),
  "password without name": frame(0x10, text("MQTT"), [4, 0x42, 0, 60], text("a"), text("x")),
  "will QoS 3": frame(
    0x10,
    text("MQTT"),
    [4, 0xde, 0, 60],
    text("no2-1"),
    text("t"),
    text("x"),
    text("no2-1"),
    text(SECRET),
  ),
  ...Object.fromEntries(Object.entries(UNFIT).map(([kind, id]) => [`client id with ${kind}`, connectFrame({ id })])),
  ...Object.fromEntries(
    Object.entries(UNFIT).map(([kind, name]) => [`user name with ${kind}`, connectFrame({ name })]),
  ),
  ...Object.fromEntries(
    Object.entries(UNFIT).map(([kind, will]) => [`will topic with ${kind}`, connectFrame({ will })]),
  ),
  "packet over 4 KiB": connectFrame({ id: "x".repeat(50) }).fill(0x10, 0, 1),
};
BEFORE_LOGIN["packet over 4 KiB"] = Buffer.concat([Buffer.from([0x10, 0x81, 0x20]), Buffer.alloc(10)]);

const AFTER_LOGIN: Record<string, Buffer> = {
  "second CONNECT": connectFrame({}),
  "packet identifier 0 in PUBLISH": frame(0x32, text(OWN_TOPIC), [0, 0, 0x7b]),
  "packet identifier missing": Buffer.concat([frame(0x32, text(OWN_TOPIC)), frame(0xc0)]),
  "packet identifier 0 in SUBSCRIBE": frame(0x82, [0, 0], text("city/#"), [0]),
  "packet identifier 0 in UNSUBSCRIBE": frame(0xa2, [0, 0], text("city/#")),
  "empty topic": frame(0x30, text(""), [0x7b]),
  "wildcard in topic": frame(0x30, text("city/+/air/no2-1"), [0x7b]),
  "QoS 3": frame(0x36, text(OWN_TOPIC), [0, 1]),
  "DUP with QoS 0": frame(0x38, text(OWN_TOPIC)),
  "SUBSCRIBE without filters": frame(0x82, [0, 1]),
  "SUBSCRIBE with QoS 3": frame(0x82, [0, 1], text("city/#"), [3]),
  "SUBSCRIBE with wrong flags": frame(0x80, [0, 1], text("city/#"), [0]),
  "UNSUBSCRIBE without filters": frame(0xa2, [0, 1]),
  "a+": frame(0x82, [0, 1], text("a+"), [0]),
  "+a": frame(0x82, [0, 1], text("+a"), [0]),
  "city/a+/x": frame(0x82, [0, 1], text("city/a+/x"), [0]),
  "city/#/x": frame(0x82, [0, 1], text("city/#/x"), [0]),
  "city#": frame(0x82, [0, 1], text("city#"), [0]),
  "a+ in UNSUBSCRIBE": frame(0xa2, [0, 1], text("a+")),
  "PUBACK of 3 bytes": frame(0x40, [0, 1, 0]),
  "PUBREL of 1 byte": frame(0x62, [1]),
  "PINGREQ with a body": frame(0xc0, [0]),
  "DISCONNECT with a body": frame(0xe0, [0]),
  CONNACK: frame(0x20, [0, 0]),
  SUBACK: frame(0x90, [0, 1, 0]),
  PINGRESP: frame(0xd0),
  "type 0": frame(0x00),
  "type 15": frame(0xf0),
  "endless length": Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0xff]),
  "packet over 1 MiB": Buffer.concat([Buffer.from([0x30, 0x81, 0xa0, 0x40]), Buffer.alloc(100)]),
  ...Object.fromEntries(
    Object.entries({ "U+0000": U0, surrogate: SURROGATE, overlong: OVERLONG }).map(([kind, topic]) => [
      `topic with ${kind}`,
      frame(0x30, text(topic)),
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(UNFIT).map(([kind, filter]) => [`filter with ${kind}`, frame(0x82, [0, 1], text(filter), [0])]),
  ),
};

describe("what MQTT forbids closes the connection", () => {
  for (const [name, bytes] of Object.entries(BEFORE_LOGIN)) {
    it(`before the login: ${name}`, async () => {
      const client = await city.raw();
      client.socket.write(bytes);
      await client.whenClosed();
      expect(client.packets).toEqual([]);
    });
  }

  for (const [name, bytes] of Object.entries(AFTER_LOGIN)) {
    it(`after the login: ${name}`, async () => {
      const client = await city.raw();
      client.socket.write(connectFrame({ id: OPERATOR.name, name: OPERATOR.name }));
      expect((await client.next("connack"))?.returnCode).toBe(0);
      client.socket.write(bytes);
      await client.whenClosed();
      expect(client.packets).toEqual([]);
    });
  }

  it.each([
    ["PUBREC", 0x50, 4],
    ["PUBCOMP", 0x70, 4],
    ["PUBREC", 0x50, 5],
    ["PUBCOMP", 0x70, 5],
  ] as const)("after a message of QoS 1: %s (%i) in version %i", async (_, header, protocolVersion) => {
    const client = await city.raw();
    const own = mqttPacket.parser({ protocolVersion });
    const said: Packet[] = [];
    own.on("packet", (packet) => said.push(packet));
    client.socket.removeAllListeners("data");
    client.socket.on("data", (chunk: Buffer) => own.parse(chunk));
    const next = async (cmd: string) => {
      await until(() => said.some((packet) => packet.cmd === cmd) || client.isClosed());
      return said.find((packet) => packet.cmd === cmd);
    };
    const write = (packet: object) =>
      client.socket.write(mqttPacket.generate(packet as unknown as Packet, { protocolVersion }));
    const { name: username } = OPERATOR;
    write({ cmd: "connect", protocolVersion, clientId: "x", username, password: SECRET, clean: true });
    write({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "alerts/#", qos: 1 }] });
    await next("suback");
    client.socket.write(Buffer.from([header, 2, 0, 1])); // of an older exchange, perhaps: no reason to go
    await city.broker.publish({ topic: "alerts/north/info/1", payload: "x", qos: 1 });
    const { messageId = 0 } = ((await next("publish")) ?? {}) as { messageId?: number };
    client.socket.write(Buffer.from([header, 2, messageId >> 8, messageId & 0xff]));
    await client.whenClosed();
    if (protocolVersion === 5) expect(said.at(-1)).toMatchObject({ cmd: "disconnect", reasonCode: 0x82 });
  });

  it("lets MQTT 3.1 have the bits that only 3.1.1 reserves", async () => {
    const client = await city.raw();
    const level3 = (level: number) =>
      frame(0x10, text("MQIsdp"), [level, 0xc3, 0, 60], text("three"), text(OPERATOR.name), text(SECRET));
    client.socket.write(level3(3));
    client.socket.write(frame(0x8a, [0, 2], text("city/#"), [0]));
    client.socket.write(frame(0xaa, [0, 3], text("city/#")));
    expect((await client.next("connack"))?.returnCode).toBe(0);
    expect((await client.next("suback"))?.granted).toEqual([0]);
    expect((await client.next("unsuback"))?.messageId).toBe(3);
    const bridge = await city.raw();
    for (const byte of level3(0x83)) bridge.socket.write(Buffer.from([byte]));
    expect((await bridge.next("connack"))?.returnCode).toBe(0);
    for (const socket of [client.socket, bridge.socket]) socket.destroy();
  });

  it("leaves a well-formed exchange alone", async () => {
    const client = await city.raw();
    for (const byte of connectFrame({})) client.socket.write(Buffer.from([byte]));
    expect((await client.next("connack"))?.returnCode).toBe(0);
    client.socket.write(frame(0x3a, text(OWN_TOPIC), [0, 1], Buffer.from("{}")));
    expect((await client.next("puback"))?.messageId).toBe(1);
    client.socket.write(frame(0x82, [0, 2], text("#"), [0], text(`${OWN_TOPIC}/status`), [1]));
    expect((await client.next("suback"))?.granted).toEqual([0x80, 1]);
    client.socket.write(frame(0xa2, [0, 3], text("#")));
    expect((await client.next("unsuback"))?.messageId).toBe(3);
    client.socket.destroy();
  });

  it("takes a payload of 64 KiB in pieces, and refuses one byte more", async () => {
    const device = await city.connect(DEVICE, { clientId: "" });
    const topic = OWN_TOPIC;
    await device.publishAsync(topic, Buffer.alloc(65_536, "x"), { qos: 1 });
    expect(city.kept.at(-1)?.payload.length).toBe(65_536);
    await device.publishAsync(topic, Buffer.alloc(65_537, "x"), { qos: 1 });
    expect(city.kept.at(-1)).toMatchObject({ topic, refused: { reason: "too_large", bytes: 65_537 } });
  });
});

describe("an announced giant", () => {
  for (const loggedIn of [false, true]) {
    it(`of 256 MiB is cut off before 64 KiB are taken, ${loggedIn ? "after" : "before"} the login`, async () => {
      const client = await city.raw();
      if (loggedIn) await client.login(DEVICE);
      const header = loggedIn ? 0x30 : 0x10;
      client.socket.write(Buffer.from([header, 0xff, 0xff, 0xff, 0x7f]));
      const before = client.socket.bytesWritten;
      const pour = () => {
        while (
          !client.isClosed() &&
          client.socket.bytesWritten - before < 2_000_000 &&
          client.socket.write(Buffer.alloc(4_096))
        );
      };
      client.socket.on("drain", pour);
      await client.whenClosed();
      expect(client.socket.bytesWritten - before).toBeLessThan(65_536);
      expect(city.broker.counts().malformedPackets).toBeGreaterThan(0);
    });
  }
});
