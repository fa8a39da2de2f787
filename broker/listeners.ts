import { once } from "node:events";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { addressMatcher, networkOf, plainAddress } from "../model/address.ts";
import type { Log } from "../model/log.ts";
import { parseProxyHeader, readProxyHeader } from "../model/proxy-protocol.ts";
import { createTlsListener, type TlsListener, type TlsMaterial } from "../model/tls.ts";
import type { AccessReport, BrokerCounts, Refusal } from "./events.ts";
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

/** The system asks for a sign of life where MQTT does not, or in hours only: a peer without power is gone in minutes. */
const SOCKET = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 } as const;

/**
 * Listens for MQTT, and for MQTT over WebSocket on the same port: the first byte tells. A socket has `connectTimeoutMs`
 * from accepting to `connection.onReady()`, however slowly it sends. Throws if a port cannot be had.
 */
export async function startListeners(options: BrokerOptions, ports: ListenerPorts) {
  const unready = new Map<string, Socket>();
  const admission = createAdmission(options, ports, unready);
  const arrive = createArrivals(options, admission);
  const webSocketDoor = createWebSocketDoor(options.readPastBytesMax + FRAME_ROOM_BYTES);
  function accept(socket: Socket, names: readonly string[] = []): void {
    const address = admission.addressOf(socket);
    const key = keyOf(socket);
    const refuse = (reason: Refusal) => admission.refuse(socket, address, reason);
    let isReady = false;
    // Where thousands come at once it may be we who are late: what has come by now is looked at first, in the turn between.
    const late = () => void (!isReady && refuse("connect_timeout"));
    const deadline = setTimeout(() => setImmediate(setImmediate, late), options.connectTimeoutMs);
    const onReady = () => {
      isReady = true;
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
    firstBytes(socket, (bytes) => {
      if (bytes[0] === MQTT_CONNECT) hand(socket);
      else if (bytes[0] === HTTP_GET && options.webSocket) webSocketDoor.take(socket, hand);
      else refuse(parseProxyHeader(bytes) === "bad" ? "not_mqtt" : "proxy_header");
    });
  }

  const tcp = createTcpServer(SOCKET, (socket) => arrive(socket, accept));
  const servers: Server[] = [];
  if (options.port !== undefined) {
    servers.push(tcp);
    await listen(tcp, options.host, options.port, ports.log);
  }
  let tls: TlsListener | undefined;
  if (options.tls) {
    const { port, host = options.host, clientCa } = options.tls;
    const { server, renew } = createTlsListener(options.tls, {
      // A client without a certificate shows a password; one with a wrong one is told so below.
      requestCert: clientCa !== undefined,
      rejectUnauthorized: false,
      handshakeTimeout: options.connectTimeoutMs,
    });
    tls = { server, renew };
    server.on("secureConnection", (socket) => {
      const names = clientCa === undefined ? [] : namesOf(socket);
      if (names) accept(socket, names);
      else admission.refuse(socket, admission.addressOf(socket), "bad_certificate");
    });
    // What stands before the handshake is read here.
    const below = createTcpServer(SOCKET, (socket) => arrive(socket, () => server.emit("connection", socket)));
    servers.push(below);
    await listen(below, host, port, ports.log);
  }

  /** Stops listening and drops the sockets that have not logged in. */
  function close(): void {
    for (const server of servers) server.close();
    for (const socket of unready.values()) socket.destroy();
  }

  const tlsPort = tls && (servers.at(-1)!.address() as AddressInfo).port;
  const { address, port } = servers[0]!.address() as AddressInfo;
  return {
    address: { host: address, port, ...(tlsPort !== undefined && { tlsPort }) },
    close,
    renewTls: (material: TlsMaterial) => tls?.renew(material),
  };
}

/**
 * What comes first on a connection: whether there is room for it, and, if it comes from a balancer that is trusted, the
 * header in which the balancer says whose it is. There is no guessing: who is trusted sends one, and nobody else may.
 */
function createArrivals(options: BrokerOptions, admission: ReturnType<typeof createAdmission>) {
  const isProxy = addressMatcher(options.proxiesTrusted);

  return function arrive(socket: Socket, next: (socket: Socket) => void): void {
    const peer = plainAddress(socket.remoteAddress ?? "");
    if (!isProxy(peer)) {
      if (admission.count(socket, peer) && admission.admit(socket)) next(socket);
      return;
    }
    if (!admission.admit(socket)) return;
    socket.on("error", () => {});
    const refuse = () => admission.refuse(socket, peer, "proxy_header");
    const deadline = setTimeout(refuse, options.connectTimeoutMs);
    socket.once("close", () => clearTimeout(deadline));
    readProxyHeader(socket, (header) => {
      clearTimeout(deadline);
      if (!header) return refuse();
      if (admission.count(socket, header.address ?? peer)) next(socket);
    });
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
  /** Whose a socket is, where a balancer has said so. */
  const proxied = new Map<string, string>();

  const addressOf = (socket: Socket) => proxied.get(keyOf(socket)) ?? plainAddress(socket.remoteAddress ?? "");

  function refuse(socket: Socket, address: string, reason: Refusal): void {
    counts.refused[reason] += 1;
    report({ type: "refused", reason, name: "", clientId: "", address });
    socket.destroy();
  }

  /** False if there is no room at all. */
  function admit(socket: Socket): boolean {
    if (counts.connections >= options.connectionsMax) {
      const excess = oldestOf(unready, unready) ?? socket;
      refuse(excess, addressOf(excess), "connections_max");
      if (excess === socket) return false;
    }
    const key = keyOf(socket);
    counts.accepted += 1;
    counts.connections += 1;
    unready.set(key, socket);
    socket.once("close", () => {
      counts.connections -= 1;
      unready.delete(key);
      proxied.delete(key);
    });
    return true;
  }

  /** Whose it is; false if there is no room for another of this address. */
  function count(socket: Socket, address: string): boolean {
    const network = networkOf(address);
    const key = keyOf(socket);
    const known = byAddress.get(network);
    if (known && known.open >= options.connectionsPerAddressMax && !exempt.has(address)) {
      const excess = oldestOf(known.unready, unready) ?? socket;
      refuse(excess, address, "address_connections_max");
      if (excess === socket) return false;
    }
    const ofAddress = byAddress.get(network) ?? { open: 0, unready: new Map() };
    byAddress.set(network, ofAddress);
    if (address !== plainAddress(socket.remoteAddress ?? "")) proxied.set(key, address);
    ofAddress.open += 1;
    ofAddress.unready.set(key, socket);
    socket.once("close", () => {
      ofAddress.open -= 1;
      ofAddress.unready.delete(key);
      if (ofAddress.open === 0) byAddress.delete(network);
    });
    return true;
  }

  return { addressOf, admit, count, refuse };
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

/** The names in a client's certificate, none if it has shown none; undefined if that is not of our authority, is over or taken back. */
function namesOf(socket: TLSSocket): readonly string[] | undefined {
  const { subject, subjectaltname = "" } = socket.getPeerCertificate();
  if (!subject) return [];
  if (!socket.authorized) return undefined;
  const alternative = subjectaltname.split(", ").flatMap((name) => (name.startsWith("DNS:") ? name.slice(4) : []));
  return [subject.CN, ...alternative].flat().filter((name) => name !== undefined);
}

/** Looks at the first bytes and puts them back. */
function firstBytes(socket: Socket, found: (bytes: Buffer) => void): void {
  socket.once("readable", () => {
    const chunk = socket.read() as Buffer | null;
    if (!chunk) return; // ended before it said anything: closed by the other side or the deadline
    socket.unshift(chunk);
    found(chunk);
  });
}

async function listen(server: Server, host: string, port: number, log: Log): Promise<void> {
  server.listen({ host, port, backlog: 4_096 }); // who comes while thousands of others do waits here
  await once(server, "listening");
  // Out of file descriptors, for example: connections are refused meanwhile, the process goes on.
  server.on("error", (error) => log.error({ err: error }, "the broker cannot accept a connection"));
}
