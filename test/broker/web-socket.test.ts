import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { generate } from "mqtt-packet";
import { afterEach, describe, expect, it } from "vitest";
import { seededRandom } from "../helpers/senders.ts";
import { DEVICE, OWN_TOPIC, SECRET, startTestBroker, type TestBroker, until } from "./broker-fixture.ts";

const UPGRADE =
  "GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";
const BINARY = 0x82;
const PONG = 0x8a;
const EMPTY = frame(BINARY, Buffer.alloc(0));
const CONNECT = generate({
  cmd: "connect",
  protocolId: "MQTT",
  protocolVersion: 4,
  clean: true,
  keepalive: 60,
  clientId: DEVICE.name,
  username: DEVICE.name,
  password: Buffer.from(SECRET),
});
const publish = (payload: string) =>
  generate({ cmd: "publish", topic: OWN_TOPIC, payload, qos: 0, dup: false, retain: false });

/** Masked with zeros, as a client's has to be. */
function frame(opcode: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = opcode;
  if (length < 126) head[1] = 0x80 | length;
  else if (length < 65_536) {
    head[1] = 0x80 | 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 0x80 | 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, Buffer.alloc(4), payload]);
}
const times = (count: number, bytes: Buffer) => Buffer.concat(Array.from({ length: count }, () => bytes));

let city: TestBroker;
afterEach(() => city.stop());

async function upgraded(): Promise<Socket> {
  const socket = createConnection({ host: "127.0.0.1", port: Number(new URL(city.url).port), noDelay: true });
  socket.on("error", () => {});
  socket.write(UPGRADE);
  await once(socket, "data");
  return socket;
}

async function loggedIn(): Promise<Socket> {
  const socket = await upgraded();
  socket.write(frame(BINARY, CONNECT));
  await once(socket, "data");
  return socket.resume();
}

const payloads = () => city.kept.map(({ payload }) => Buffer.from(payload).toString());

describe("frames of WebSocket", () => {
  it("make the same packets however they and the writes are cut, with empty ones and pongs between them", async () => {
    const random = seededRandom("frames");
    const upTo = (max: number) => Math.floor(random() * max);
    city = await startTestBroker();
    const socket = await loggedIn();
    const sent = Array.from({ length: 60 }, (_, i) => `${i} ${"x".repeat([0, 120, 900, 60_000][i % 4]!)}`);
    const bytes = Buffer.concat(sent.map(publish));
    const frames: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const length = [1, 2 + upTo(20), 125, 126, 127, 40_000, 70_000][upTo(7)]!;
      frames.push(frame(BINARY, bytes.subarray(at, at + length)));
      if (random() < 0.2) frames.push(random() < 0.5 ? EMPTY : frame(PONG, Buffer.from("p")));
      at += length;
    }
    const all = Buffer.concat(frames);
    for (let at = 0; at < all.length; ) {
      const length = 1 + upTo(random() < 0.5 ? 16 : 60_000);
      if (!socket.write(all.subarray(at, at + length))) await once(socket, "drain");
      if (random() < 0.3) await new Promise((resolve) => setImmediate(resolve));
      at += length;
    }
    await until(() => city.kept.length === sent.length);
    expect(payloads().findIndex((payload, i) => payload !== sent[i])).toBe(-1);
    socket.destroy();
  });

  it("of one byte are all taken before the end of the connection, and another's packets go between them", async () => {
    city = await startTestBroker();
    const socket = await loggedIn();
    const bytes = Buffer.concat(Array.from({ length: 40 }, (_, i) => publish(`${i}`)));
    socket.end(Buffer.concat(Array.from(bytes, (byte) => frame(BINARY, Buffer.from([byte])))));
    await until(() => city.kept.length === 40);
    expect(payloads()).toEqual(Array.from({ length: 40 }, (_, i) => `${i}`));
    await until(() => city.broker.counts().connections === 0);
  });

  it("that hold nothing end the connection when there are more than a thousand in a row", async () => {
    city = await startTestBroker();
    const socket = await loggedIn();
    for (const empty of [EMPTY, frame(PONG, Buffer.from("x"))]) {
      socket.write(Buffer.concat([times(1_000, empty), frame(BINARY, publish("still here"))]));
    }
    await until(() => city.kept.length === 2);
    socket.write(times(1_100, EMPTY));
    await once(socket, "close");
    expect(city.broker.counts().connections).toBe(0);
  });

  it("are not read any further before the login, which has its deadline", async () => {
    city = await startTestBroker({ connectTimeoutMs: 500 });
    const socket = await upgraded();
    let answered = 0;
    socket.on("data", (bytes) => {
      answered += bytes.length;
    });
    socket.write(Buffer.concat([times(300, EMPTY), frame(BINARY, CONNECT)]));
    await once(socket, "close");
    expect(answered).toBe(0);
    expect(city.broker.counts().refused.connect_timeout).toBe(1);
  });

  it("cut of a CONNECT byte by byte are a login", async () => {
    city = await startTestBroker();
    const socket = await upgraded();
    socket.write(Buffer.concat(Array.from(CONNECT, (byte) => frame(BINARY, Buffer.from([byte])))));
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer[2]).toBe(0x20); // a CONNACK, in frames of its own
    socket.destroy();
  });
});
