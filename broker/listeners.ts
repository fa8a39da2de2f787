import { once } from "node:events";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createServer as createTlsServer } from "node:tls";
import type { Log } from "../model/log.ts";
import type { BrokerCounts, Refusal } from "./counters.ts";
import type { AccessReport } from "./events.ts";
import type { BrokerOptions } from "./options.ts";
import type { Connection } from "./session.ts";
import { createWebSocketDoor } from "./web-socket.ts";

const MQTT_CONNECT = 0x10;
const HTTP_GET = 0x47;
/** For the header and the topic of a packet in a WebSocket frame, and for small packets beside it. */
const FRAME_ROOM_BYTES = 131_072;

type ListenerPorts = {
  readonly onStream: (stream: Duplex, connection: Connection) => void;
  readonly report: (report: AccessReport) => void;
  readonly counts: BrokerCounts;
  readonly log: Log;
};

/**
 * Listens for MQTT, and for MQTT over WebSocket on the same port: the first byte tells. A socket has `connectTimeoutMs`
 * from accepting to `connection.onReady()`, however slowly it sends. Throws if a port cannot be had.
 */
export async function startListeners(options: BrokerOptions, ports: ListenerPorts) {
  const { counts } = ports;
  const admit = createAdmission(options, ports);
  const webSocketDoor = createWebSocketDoor(options.readPastBytesMax + FRAME_ROOM_BYTES);
  const unready = new Set<Socket>();

  function accept(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress);
    const refuse = (reason: Refusal) => {
      counts.refused[reason] += 1;
      ports.report({ type: "refused", reason, name: "", clientId: "", address });
      socket.destroy();
    };
    const deadline = setTimeout(refuse, options.connectTimeoutMs, "connect_timeout");
    const onReady = () => {
      clearTimeout(deadline);
      unready.delete(socket);
    };
    unready.add(socket);
    socket.on("error", () => {});
    socket.once("close", onReady);
    const hand = (stream: Duplex, onLogin?: () => void) =>
      ports.onStream(stream, {
        address,
        onReady: () => {
          onReady();
          onLogin?.();
        },
      });
    firstByte(socket, (byte) => {
      if (byte === MQTT_CONNECT) hand(socket);
      else if (byte === HTTP_GET && options.webSocket) webSocketDoor.take(socket, hand);
      else refuse("not_mqtt");
    });
  }

  const tcp = createTcpServer({ noDelay: true, keepAlive: true }, (socket) => {
    if (admit(socket)) accept(socket);
  });
  const servers: Server[] = [tcp];
  await listen(tcp, options.host, options.port, ports.log);
  let tlsPort: number | undefined;
  if (options.tls) {
    const { port, cert, key } = options.tls;
    const tls = createTlsServer({
      cert,
      key,
      minVersion: "TLSv1.2",
      handshakeTimeout: options.connectTimeoutMs,
      noDelay: true,
    });
    tls.on("connection", admit);
    tls.on("secureConnection", accept);
    servers.push(tls);
    await listen(tls, options.host, port, ports.log);
    tlsPort = (tls.address() as AddressInfo).port;
  }

  /** Stops listening and drops the sockets that have not logged in. */
  function close(): void {
    for (const server of servers) server.close();
    for (const socket of unready) socket.destroy();
  }

  const { address, port } = tcp.address() as AddressInfo;
  return { address: { host: address, port, ...(tlsPort !== undefined && { tlsPort }) }, close };
}

/** Counts the sockets there are, in all and per address; destroys and counts those beyond the limits. */
function createAdmission(options: BrokerOptions, { counts, report }: ListenerPorts) {
  const perAddress = new Map<string, number>();
  const exempt = new Set(options.addressesExempt);

  function reasonAgainst(address: string): Refusal | undefined {
    if (counts.connections >= options.connectionsMax) return "connections_max";
    const full = (perAddress.get(address) ?? 0) >= options.connectionsPerAddressMax;
    return full && !exempt.has(address) ? "address_connections_max" : undefined;
  }

  return function admit(socket: Socket): boolean {
    const address = plainAddress(socket.remoteAddress);
    const reason = reasonAgainst(address);
    if (reason) {
      counts.refused[reason] += 1;
      report({ type: "refused", reason, name: "", clientId: "", address });
      socket.destroy();
      return false;
    }
    counts.accepted += 1;
    counts.connections += 1;
    perAddress.set(address, (perAddress.get(address) ?? 0) + 1);
    socket.once("close", () => {
      counts.connections -= 1;
      const left = (perAddress.get(address) ?? 1) - 1;
      if (left > 0) perAddress.set(address, left);
      else perAddress.delete(address);
    });
    return true;
  };
}

/** Looks at the first byte and puts it back. */
function firstByte(socket: Socket, found: (byte: number) => void): void {
  socket.once("readable", () => {
    const chunk = socket.read() as Buffer | null;
    if (!chunk) return; // ended before it said anything: closed by the other side or the deadline
    socket.unshift(chunk);
    found(chunk[0]!);
  });
}

async function listen(server: Server, host: string, port: number, log: Log): Promise<void> {
  server.listen({ host, port, backlog: 1_024 });
  await once(server, "listening");
  // Out of file descriptors, for example: connections are refused meanwhile, the process goes on.
  server.on("error", (error) => log.error({ err: error }, "the broker cannot accept a connection"));
}

/** IPv4 in IPv6 clothing is IPv4. */
function plainAddress(address: string | undefined): string {
  return address?.startsWith("::ffff:") ? address.slice(7) : (address ?? "");
}
