import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { generate } from "mqtt-packet";
import type { Login } from "../helpers/senders.ts";
import type { Target } from "./attack.ts";

/** Logs in over a bare socket. Answers are read and forgotten; throws when the login is refused. */
export async function openMqtt({ mqtt }: Pick<Target, "mqtt">, login: Login, suffix = ""): Promise<Socket> {
  const { hostname, port } = new URL(mqtt);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  socket.on("error", () => {});
  const { username, password } = login;
  const protocol = { protocolId: "MQTT", protocolVersion: 4, clean: true, keepalive: 600 } as const;
  const clientId = `${username}${suffix}`;
  socket.write(generate({ cmd: "connect", ...protocol, clientId, username, password: Buffer.from(password) }));
  const [answer] = (await once(socket, "data")) as [Buffer];
  if (answer[0] !== 0x20 || answer[3] !== 0) throw new Error(`refused: ${answer.toString("hex")}`);
  socket.resume();
  return socket;
}

/** Writes chunk after chunk, as fast as the other side reads, until `signal` aborts. How many bytes were read from us. */
export async function pour(socket: Socket, chunk: () => Buffer, signal: AbortSignal): Promise<number> {
  const over = once(signal, "abort");
  while (!signal.aborted && !socket.destroyed) {
    if (socket.write(chunk())) await new Promise((resolve) => setImmediate(resolve));
    else await Promise.race([once(socket, "drain").catch(() => {}), once(socket, "close"), over]);
  }
  const read = socket.bytesWritten - socket.writableLength;
  if (socket.destroyed && !signal.aborted) throw new Error("the connection was closed, instead of not being read");
  // With a reset: what lies in the sockets' buffers would go on being read, at the sender's rate, for minutes.
  socket.resetAndDestroy();
  return read;
}

/** So many packets, made anew for each chunk where they should differ. */
export const chunkOf = (count: number, packet: (index: number) => Buffer) => () =>
  Buffer.concat(Array.from({ length: count }, (_, index) => packet(index)));
