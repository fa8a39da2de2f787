import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { Aedes } from "aedes";
import mqttPacket, { type Packet, type Parser } from "mqtt-packet";
import { onTestFinished } from "vitest";
import type { MqttSourceOptions, SourceLimits } from "../../ingest/mqtt-source/options.ts";
import { startMqttSource } from "../../ingest/mqtt-source/source.ts";
import { type Log, SILENT } from "../../model/log.ts";
import type { NewMessage } from "../../model/message.ts";

export const TOPIC = "city/north/air/air-1";

/** A journal whose appends the test answers itself. */
export function createHeldJournal() {
  const asked: { messages: readonly NewMessage[]; settle: (error?: Error) => void }[] = [];
  let wake: () => void = () => {};
  return {
    asked,
    messages: () => asked.flatMap(({ messages }) => messages),
    append: (messages: readonly NewMessage[]) =>
      new Promise<void>((resolve, reject) => {
        asked.push({ messages, settle: (error) => (error ? reject(error) : resolve()) });
        wake();
      }),
    /** Resolves when so many messages have been handed over. */
    async has(count: number): Promise<void> {
      while (asked.reduce((sum, { messages }) => sum + messages.length, 0) < count) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

/** Nothing of these is waited for in the good case. */
const QUICK: Partial<SourceLimits> = { backOffMsMin: 5, backOffMsMax: 20, connectTimeoutMs: 2_000 };

export function startSource(
  port: number,
  append: (messages: readonly NewMessage[]) => Promise<void>,
  more: {
    options?: Partial<MqttSourceOptions>;
    limits?: Partial<SourceLimits>;
    log?: Log;
  } = {},
) {
  const source = startMqttSource(
    { host: "127.0.0.1", port, clientId: "lamppost-source", topics: ["city/#"], ...more.options },
    {
      append,
      now: Date.now,
      random: () => 0.5,
      log: more.log ?? SILENT,
      limits: { ...QUICK, ...more.limits },
    },
  );
  onTestFinished(() => source.close(0));
  return source;
}

/** aedes as somebody else's broker: MQTT 3.1.1 only. */
export async function startAedes(options: Parameters<typeof Aedes.createBroker>[0] = {}) {
  const broker = await Aedes.createBroker({ concurrency: 1_000, ...options });
  const port = await listen(createServer(broker.handle));
  onTestFinished(() => new Promise<void>((resolve) => broker.close(() => resolve())));
  return { broker, port };
}

/** A broker that does what the test says, packet by packet. */
export async function startScripted(version: 4 | 5, onPacket: (packet: Packet, peer: Peer) => void) {
  const server = createServer((socket) => {
    const parser: Parser = mqttPacket.parser({ protocolVersion: version });
    const peer: Peer = {
      send: (packet) => void socket.write(mqttPacket.generate(packet, { protocolVersion: version })),
      close: () => void socket.end(),
    };
    parser.on("packet", (packet) => {
      const isNewer = packet.cmd === "connect" && (packet.protocolVersion ?? 4) > version;
      if (!isNewer) return onPacket(packet, peer);
      peer.send({ cmd: "connack", returnCode: 1, sessionPresent: false });
      peer.close();
    });
    socket.on("data", (bytes: Buffer) => parser.parse(bytes));
    socket.on("error", () => {});
  });
  return listen(server);
}

export type Peer = { send(packet: Packet): void; close(): void };

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

/** Answers CONNECT and SUBSCRIBE as a willing broker. */
export function welcome(packet: Packet, peer: Peer): boolean {
  if (packet.cmd === "connect") peer.send({ cmd: "connack", reasonCode: 0, returnCode: 0, sessionPresent: false });
  if (packet.cmd === "subscribe") peer.send({ cmd: "suback", messageId: packet.messageId!, granted: [1] });
  return packet.cmd === "subscribe";
}

export const publishOf = (messageId: number, payload = `{"pm25":${messageId}}`): Packet => ({
  cmd: "publish",
  qos: 1,
  dup: false,
  retain: false,
  topic: TOPIC,
  payload: Buffer.from(payload),
  messageId,
});
