import { once } from "node:events";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from "node:tls";
import { networkOf } from "../model/address.ts";
import type { Log } from "../model/log.ts";
import type { AccessReport, BrokerCounts, Refusal } from "./events.ts";
import type { BrokerOptions, TlsMaterial } from "./options.ts";
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

/** The system asks for a sign of life where MQTT does not, or in hours only: a peer without power is gone in minutes. */
const SOCKET = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 } as const;

/**
 * Listens for MQTT, and for MQTT over WebSocket on the same port: the first byte tells. A socket has `connectTimeoutMs`
 * from accepting to `connection.onReady()`, however slowly it sends. Throws if a port cannot be had.
 */
export async function startListeners(options: BrokerOptions, ports: ListenerPorts) {
  const { counts } = ports;
  const unready = new Map<string, Socket>();
  const admit = createAdmission(options, ports, unready);
  const webSocketDoor = createWebSocketDoor(options.readPastBytesMax + FRAME_ROOM_BYTES);
  function accept(socket: Socket, names: readonly string[] = []): void {
    const address = plainAddress(socket.remoteAddress);
    const key = keyOf(socket);
    const refuse = (reason: Refusal) => {
      counts.refused[reason] += 1;
      ports.report({ type: "refused", reason, name: "", clientId: "", address });
      socket.destroy();
    };
    const deadline = setTimeout(refuse, options.connectTimeoutMs, "connect_timeout");
    const onReady = () => {
      clearTimeout(deadline);
      unready.delete(key);
    };
    socket.on("error", () => {});
    socket.once("close", onReady);
    const hand = (stream: Duplex, onLogin?: Connection["onReady"]) =>
      ports.onStream(stream, {
        address,
        names,
        onReady(charge) {
          onReady();
          onLogin?.(charge);
        },
      });
    firstByte(socket, (byte) => {
      if (byte === MQTT_CONNECT) hand(socket);
      else if (byte === HTTP_GET && options.webSocket) webSocketDoor.take(socket, hand);
      else refuse("not_mqtt");
    });
  }

  const tcp = createTcpServer(SOCKET, (socket) => {
    if (admit(socket)) accept(socket);
  });
  const servers: Server[] = [];
  if (options.port !== undefined) {
    servers.push(tcp);
    await listen(tcp, options.host, options.port, ports.log);
  }
  let tls: TlsServer | undefined;
  if (options.tls) {
    const { port, host = options.host, clientCa } = options.tls;
    tls = createTlsServer({
      ...contextOf(options.tls),
      // A client without a certificate shows a password; one with a wrong one is told so below.
      requestCert: clientCa !== undefined,
      rejectUnauthorized: false,
      handshakeTimeout: options.connectTimeoutMs,
      ...SOCKET,
    });
    tls.on("connection", admit);
    tls.on("secureConnection", (socket) => {
      const names = clientCa === undefined ? [] : namesOf(socket);
      if (names) return accept(socket, names);
      const address = plainAddress(socket.remoteAddress);
      counts.refused.bad_certificate += 1;
      ports.report({ type: "refused", reason: "bad_certificate", name: "", clientId: "", address });
      socket.destroy();
    });
    servers.push(tls);
    await listen(tls, host, port, ports.log);
  }

  /** Stops listening and drops the sockets that have not logged in. */
  function close(): void {
    for (const server of servers) server.close();
    for (const socket of unready.values()) socket.destroy();
  }

  const tlsPort = tls && (tls.address() as AddressInfo).port;
  const { address, port } = servers[0]!.address() as AddressInfo;
  return {
    address: { host: address, port, ...(tlsPort !== undefined && { tlsPort }) },
    close,
    /** For connections that come; those that are there stay. */
    renewTls: (material: TlsMaterial) => tls?.setSecureContext(contextOf(material)),
  };
}

/**
 * Counts the sockets there are, in all and per address. Where there is no room, one that has not logged in yet makes room
 * for the next, the oldest first: who only opens sockets, or guesses secrets, keeps nobody with a right secret out.
 * Without one the new socket is destroyed and counted. `unready`: all that have not logged in, in the order they came.
 */
function createAdmission(options: BrokerOptions, { counts, report }: ListenerPorts, unready: Map<string, Socket>) {
  const byAddress = new Map<string, { open: number; readonly unready: Map<string, Socket> }>();
  const exempt = new Set(options.addressesExempt);

  function refuse(socket: Socket, address: string, reason: Refusal): void {
    counts.refused[reason] += 1;
    report({ type: "refused", reason, name: "", clientId: "", address });
    socket.destroy();
  }

  /** The socket that has to go, and why. */
  function tooMuch(socket: Socket, address: string): { socket: Socket; reason: Refusal } | undefined {
    const known = byAddress.get(networkOf(address));
    if (known && known.open >= options.connectionsPerAddressMax && !exempt.has(address)) {
      return { socket: oldestOf(known.unready, unready) ?? socket, reason: "address_connections_max" };
    }
    if (counts.connections < options.connectionsMax) return undefined;
    return { socket: oldestOf(unready, unready) ?? socket, reason: "connections_max" };
  }

  return function admit(socket: Socket): boolean {
    const address = plainAddress(socket.remoteAddress);
    const excess = tooMuch(socket, address);
    if (excess) refuse(excess.socket, plainAddress(excess.socket.remoteAddress), excess.reason);
    if (excess?.socket === socket) return false;
    const network = networkOf(address);
    const key = keyOf(socket);
    const ofAddress = byAddress.get(network) ?? { open: 0, unready: new Map() };
    byAddress.set(network, ofAddress);
    counts.accepted += 1;
    counts.connections += 1;
    ofAddress.open += 1;
    ofAddress.unready.set(key, socket);
    unready.set(key, socket);
    socket.once("close", () => {
      counts.connections -= 1;
      ofAddress.open -= 1;
      ofAddress.unready.delete(key);
      unready.delete(key);
      if (ofAddress.open === 0) byAddress.delete(network);
    });
    return true;
  };
}

/** The oldest of `some` that is still in `unready`; those that are not are forgotten on the way. */
function oldestOf(some: Map<string, Socket>, unready: ReadonlyMap<string, Socket>): Socket | undefined {
  for (const [key, socket] of some) {
    const isUnready = unready.get(key) === socket;
    some.delete(key);
    if (isUnready && !socket.destroyed) return socket;
  }
  return undefined;
}

/** The same for a TLS socket and the TCP socket below it. */
const keyOf = ({ remoteAddress, remotePort, localPort }: Socket) => `${remoteAddress} ${remotePort} ${localPort}`;

const contextOf = ({ cert, key, clientCa, crl }: TlsMaterial) => ({
  cert,
  key,
  minVersion: "TLSv1.2" as const,
  ...(clientCa !== undefined && { ca: clientCa }),
  ...(crl !== undefined && { crl }),
});

/** The names in a client's certificate, none if it has shown none; undefined if that is not of our authority, is over or taken back. */
function namesOf(socket: TLSSocket): readonly string[] | undefined {
  const { subject, subjectaltname = "" } = socket.getPeerCertificate();
  if (!subject) return [];
  if (!socket.authorized) return undefined;
  const alternative = subjectaltname.split(", ").flatMap((name) => (name.startsWith("DNS:") ? name.slice(4) : []));
  return [subject.CN, ...alternative].flat().filter((name) => name !== undefined);
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
  server.listen({ host, port, backlog: 4_096 }); // who comes while thousands of others do waits here
  await once(server, "listening");
  // Out of file descriptors, for example: connections are refused meanwhile, the process goes on.
  server.on("error", (error) => log.error({ err: error }, "the broker cannot accept a connection"));
}

/** IPv4 in IPv6 clothing is IPv4. */
function plainAddress(address: string | undefined): string {
  return address?.startsWith("::ffff:") ? address.slice(7) : (address ?? "");
}
