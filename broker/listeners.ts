import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createServer as createTlsServer } from "node:tls";
import { createWebSocketStream, WebSocketServer } from "ws";
import { networkOf } from "../model/address.ts";
import type { Log } from "../model/log.ts";
import type { AccessReport, BrokerCounts, Refusal } from "./events.ts";
import type { BrokerOptions } from "./options.ts";
import type { Connection } from "./session.ts";

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
  const unready = new Map<string, Socket>();
  const admit = createAdmission(options, ports, unready);
  const webSocketDoor = createWebSocketDoor(options.readPastBytesMax + FRAME_ROOM_BYTES);
  function accept(socket: Socket): void {
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
    for (const socket of unready.values()) socket.destroy();
  }

  const { address, port } = tcp.address() as AddressInfo;
  return { address: { host: address, port, ...(tlsPort !== undefined && { tlsPort }) }, close };
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

/** Before the login; several packets may share a frame. `ws` holds a frame in memory until it is whole. */
const FRAME_BYTES_MAX = 131_072;
const SUBPROTOCOLS = ["mqtt", "mqttv3.1"];
const HEAD_BYTES_MAX = 8_192;
/** What Node takes for an upgrade. */
const ASKS_FOR_UPGRADE = [/\r\nupgrade:[ \t]*websocket/i, /\r\nconnection:[^\r\n]*upgrade/i];
const NOT_WEB_SOCKET =
  "HTTP/1.1 426 Upgrade Required\r\nconnection: close\r\nupgrade: websocket\r\ncontent-length: 25\r\n\r\nMQTT over WebSocket only\n";

/** `onReady`: its client has logged in. */
type Hand = (stream: Duplex, onReady: () => void) => void;

/**
 * MQTT over WebSocket (MQTT 3.1.1 section 6) for sockets that began like HTTP. `take` does the handshake and
 * hands over the stream of MQTT bytes; a plain HTTP request is answered 426. Who has logged in may send frames of
 * `frameBytesMax`: a client puts a whole packet into one.
 */
function createWebSocketDoor(frameBytesMax: number) {
  const waiting = new WeakMap<Duplex, Hand>();
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: FRAME_BYTES_MAX,
    perMessageDeflate: false,
    handleProtocols: (offered) => SUBPROTOCOLS.find((name) => offered.has(name)) ?? false,
  });
  // Never listens: it only reads the handshake. Its own timeouts start with listening, so the listener's deadline counts.
  const http = createServer({ maxHeaderSize: HEAD_BYTES_MAX });
  http.on("clientError", (_error, socket) => socket.destroy());
  http.on("upgrade", (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on("error", () => webSocket.terminate());
      webSocket.on("message", (_data, isBinary) => {
        if (!isBinary) webSocket.close(1003); // [MQTT-6.0.0-1]
      });
      // Private to ws 8, which reads it for each frame; the tests of refused messages would fail first.
      const { _receiver: receiver } = webSocket as unknown as { _receiver: { _maxPayload: number } };
      waiting.get(socket)?.(createWebSocketStream(webSocket), () => {
        receiver._maxPayload = Math.max(FRAME_BYTES_MAX, frameBytesMax);
      });
    });
  });
  sockets.on("wsClientError", (_error, socket) => socket.destroy());
  return {
    take(socket: Socket, hand: Hand): void {
      wholeHead(socket, (head) => {
        if (!ASKS_FOR_UPGRADE.every((header) => header.test(head))) {
          return void socket.end(NOT_WEB_SOCKET, () => socket.destroySoon());
        }
        waiting.set(socket, hand);
        http.emit("connection", socket);
      });
    },
  };
}

/**
 * Waits for the head of the request, and puts it back. Node's parser would make a request of each that stands in what a
 * client has sent, and a piece of each byte of a body: here one head is all that anyone is read of.
 */
function wholeHead(socket: Socket, found: (head: string) => void): void {
  let read = Buffer.alloc(0);
  socket.on("readable", function look(): void {
    const chunk = socket.read() as Buffer | null;
    if (!chunk) return;
    read = Buffer.concat([read, chunk]);
    const end = read.subarray(0, HEAD_BYTES_MAX).indexOf("\r\n\r\n");
    if (end < 0 && read.length < HEAD_BYTES_MAX) return;
    socket.off("readable", look);
    if (end < 0) return void socket.destroy();
    socket.unshift(read);
    found(read.toString("latin1", 0, end));
  });
}
