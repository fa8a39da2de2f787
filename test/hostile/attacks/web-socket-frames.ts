import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { generate } from "mqtt-packet";
import { type Attack, DISTRICT, type Target } from "../attack.ts";

const UPGRADE = [
  "GET /mqtt HTTP/1.1",
  "Host: 127.0.0.1",
  "Upgrade: websocket",
  "Connection: Upgrade",
  `Sec-WebSocket-Key: ${"A".repeat(22)}==`,
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Protocol: mqtt",
  "\r\n",
].join("\r\n");
const BINARY = 0x82;
const PONG = 0x8a;
const NO_MASK = [0, 0, 0, 0];
const frame = (opcode: number, payload: Buffer = Buffer.alloc(0)) =>
  Buffer.concat([Buffer.from([opcode, 0x80 | payload.length, ...NO_MASK]), payload]);
const many = (bytes: Buffer) => Buffer.concat(Array.from({ length: 2_000 }, () => bytes));

/** Frames of WebSocket that hold nothing, or a byte: nothing of it is a packet, so no rate of packets counts it. */
export const attack: Attack = {
  name: "WebSocket frames that hold nothing, or a byte",
  about:
    "Frames are taken in turns; who has not logged in is not read any further, and who only sends empty ones goes.",
  async run(target, signal) {
    const login = await target.gateway("gw-frames");
    const { username, password } = login;
    const bytes = { protocolId: "MQTT", protocolVersion: 4, clean: true, keepalive: 600, username } as const;
    const topic = `city/${DISTRICT}/air/frames-1`;
    const publish = generate({ cmd: "publish", topic, payload: '{"pm25":1}', qos: 0, dup: false, retain: false });
    const pieces = Buffer.concat(Array.from(publish, (byte) => frame(BINARY, Buffer.from([byte]))));
    const loggedIn = (n: number) =>
      frame(
        BINARY,
        generate({ cmd: "connect", ...bytes, clientId: `${username}-${n}`, password: Buffer.from(password) }),
      );
    const kinds = [
      ...Array.from({ length: 20 }, () => ["empty, no login", many(frame(BINARY))] as const),
      ...Array.from({ length: 10 }, () => ["pongs, no login", many(frame(PONG))] as const),
      ...Array.from({ length: 10 }, (_, n) => ["empty", many(frame(BINARY)), loggedIn(n)] as const),
      ...Array.from({ length: 10 }, (_, n) => ["a byte each", many(pieces), loggedIn(10 + n)] as const),
    ];
    const taken = new Map<string, number>();
    const flood = async ([kind, chunk, first]: (typeof kinds)[number]) => {
      const socket = await upgraded(target, signal, first);
      const read = await pourUntilClosed(socket, chunk, signal);
      taken.set(kind, (taken.get(kind) ?? 0) + read);
    };
    await Promise.all(kinds.map(flood));
    return [...taken].map(([kind, read]) => `${kind}: ${Math.round(read / 1_024)} KiB`).join(", ");
  },
};

async function upgraded({ mqtt }: Pick<Target, "mqtt">, signal: AbortSignal, first?: Buffer): Promise<Socket> {
  const { hostname, port } = new URL(mqtt);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  socket.on("error", () => {});
  socket.write(UPGRADE);
  await once(socket, "data", { signal });
  if (first) {
    socket.write(first);
    await once(socket, "data", { signal });
  }
  return socket.resume();
}

/** How many bytes were read of us. */
async function pourUntilClosed(socket: Socket, chunk: Buffer, signal: AbortSignal): Promise<number> {
  const over = once(signal, "abort");
  while (!signal.aborted && !socket.destroyed) {
    if (socket.write(chunk)) await new Promise((resolve) => setImmediate(resolve));
    else await Promise.race([once(socket, "drain").catch(() => {}), once(socket, "close").catch(() => {}), over]);
  }
  const read = socket.bytesWritten - socket.writableLength;
  socket.resetAndDestroy();
  return read;
}
