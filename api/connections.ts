import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { FastifyReply, FastifyRequest } from "fastify";
import { addressMatcher, networkOf } from "../model/address.ts";
import type { Background } from "../model/background.ts";
import { counter, type Figure, gauge } from "../model/health.ts";
import type { Log } from "../model/log.ts";
import type { Records } from "../store/records.ts";
import { answerByHand } from "./errors.ts";
import type { Limits } from "./limits.ts";
import { ProblemError } from "./problems.ts";

/** Shares of `connectionsMax` that requests in progress may hold: the rest is there for those who matter more. */
const SHARE_OF_STRANGERS = 0.75;
const SHARE_OF_ACCOUNTS = 0.9;
/** Requests of one connection that are in progress: who sends more without waiting for an answer has it closed. */
const PIPELINED_MAX = 16;
/** Pieces of a body, of less than these bytes on the average: who sends more has it closed. Each costs as much as a large one. */
const TINY_CHUNKS_MAX = 1_000;
const TINY_BYTES = 16;
/** Asked by whoever watches the service: always answered, and in no time. */
const WATCHED: ReadonlySet<string> = new Set(["/livez", "/readyz"]);
/** An address that goes on hitting its limit is told of so often. */
const TELL_EVERY_MS = 10 * 60_000;
/** Milliseconds of work for one address, and for one account, in one turn of the event loop. */
const SHARE_OF_STRANGERS_MS = 1;
const SHARE_OF_ACCOUNTS_MS = 5;
/** What one chunk cost beyond its share is paid back in the turns that follow, up to this. */
const DEBT_MS_MAX = 100;

type ConnectionPorts = {
  readonly audit: Pick<Records["audit"], "add">;
  readonly background: Pick<Background, "handler">;
  readonly log: Log;
  readonly now: () => number;
  readonly proxiesTrusted?: readonly string[];
};

type Connection = {
  readonly socket: Socket;
  /** Whose it is; undefined for a trusted proxy, which speaks for many. */
  readonly network: string | undefined;
  /** Whether a whole request has ever come. */
  spoken: boolean;
  /** Requests in progress. */
  requests: number;
  /** The last of them. */
  last: IncomingMessage | undefined;
  /** Whose the last request was, if it was an account's. */
  account: string | undefined;
};

/**
 * Who may hold the connections of the HTTP server. Where one address, or all together, have as many as they may, a new
 * one is not refused: it takes the place of the one that deserves it least. So connections that say nothing, or half of
 * a request, keep nobody out, not even behind the same address. Requests in progress are counted for their account (or
 * address): nobody can hold so many that nothing is left for others.
 */
export function createConnections(server: Server, limits: Limits, ports: ConnectionPorts) {
  /** In the order in which they began to wait, or to be asked. */
  const connections = new Map<Socket, Connection>();
  const perNetwork = new Map<string, number>();
  const requestsOf = new Map<string, number>();
  const toldAt = new Map<string, number>();
  const audit = ports.background.handler("audit of the HTTP connections", ports.audit.add);
  const counts = { evicted: 0, refused: 0, requestsRefused: 0, pipelined: 0, tinyChunks: 0 };
  const isProxy = addressMatcher(ports.proxiesTrusted ?? []);
  /** TCP sockets whose TLS handshake is not over, by their ends, and whose they are. */
  const held = new Map<string, { readonly socket: Socket; readonly address: string }>();
  let requests = 0;

  server.prependListener("connection", (socket: Socket) => {
    const below = held.get(endsOf(socket));
    if (below && below.socket !== socket) {
      forget(below.socket);
      // A balancer may have said whose it is.
      if (below.address !== socket.remoteAddress)
        Object.defineProperty(socket, "remoteAddress", { value: below.address });
    }
    const address = socket.remoteAddress;
    if (address === undefined) return void socket.destroy(); // it has gone already
    if (!take(socket, address)) answerByHand(socket, 503, "As many connections are open as the service can take.");
  });

  /** False where there is no room for it. */
  function take(socket: Socket, address: string): boolean {
    const network = isProxy(address) ? undefined : networkOf(address);
    if (!makeRoom(network)) {
      counts.refused += 1;
      return false;
    }
    connections.set(socket, { socket, network, spoken: false, requests: 0, last: undefined, account: undefined });
    add(perNetwork, network, 1);
    socket.once("close", () => forget(socket));
    return true;
  }

  /** A socket that comes to the server once its TLS handshake is over; false if it was closed, for there is no room. */
  function hold(socket: Socket, address = socket.remoteAddress): boolean {
    const ends = endsOf(socket);
    if (address === undefined || !take(socket, address)) {
      socket.destroy();
      return false;
    }
    held.set(ends, { socket, address });
    socket.once("close", () => held.delete(ends));
    return true;
  }

  const fairReads = createFairReads((socket) => {
    const { account, network: address } = connections.get(socket) ?? {};
    return account !== undefined ? { account } : address !== undefined ? { address } : { socket };
  });
  server.on("connection", (socket: Socket) => {
    if (connections.has(socket)) fairReads.watch(socket);
  });

  server.prependListener("request", (request: IncomingMessage, response: ServerResponse) => {
    const connection = connections.get(request.socket);
    if (!connection) return;
    toTheEnd(connection);
    connection.spoken = true;
    connection.requests += 1;
    connection.last = request;
    if (connection.requests > PIPELINED_MAX) {
      counts.pipelined += 1;
      request.socket.destroy();
      ignoreTheRest(request.socket);
    }
    if (request.headers["transfer-encoding"] !== undefined) limitTinyChunks(request);
    response.once("close", () => {
      connection.requests -= 1;
      if (connection.last === request) connection.last = undefined;
      if (connections.has(connection.socket)) toTheEnd(connection);
    });
  });

  function limitTinyChunks(request: IncomingMessage): void {
    const push = request.push.bind(request);
    let chunks = 0;
    let bytes = 0;
    request.push = (chunk: Buffer | null, encoding) => {
      if (request.socket.destroyed) return true;
      chunks += 1;
      bytes += chunk?.length ?? 0;
      if (chunks <= TINY_CHUNKS_MAX || bytes >= chunks * TINY_BYTES) return push(chunk, encoding);
      counts.tinyChunks += 1;
      request.socket.destroy();
      return true;
    };
  }

  function toTheEnd(connection: Connection): void {
    connections.delete(connection.socket);
    connections.set(connection.socket, connection);
  }

  function forget(socket: Socket): void {
    const connection = connections.get(socket);
    if (connections.delete(socket)) add(perNetwork, connection!.network, -1);
  }

  /** False where nothing may be closed for this newcomer. */
  function makeRoom(network: string | undefined): boolean {
    const isOver = network !== undefined && (perNetwork.get(network) ?? 0) >= limits.connectionsPerAddressMax;
    if (isOver) tell(network);
    if (!isOver && connections.size < limits.connectionsMax) return true;
    const victim = leastDeserving(isOver ? network : undefined);
    if (!victim) return false;
    counts.evicted += 1;
    forget(victim.socket);
    victim.socket.destroy();
    return true;
  }

  /** The first of those that began first: of a lower rank, then of whoever holds most. At most `connectionsMax` steps. */
  function leastDeserving(within: string | undefined): Connection | undefined {
    let best: { connection: Connection; rank: number; held: number } | undefined;
    for (const connection of connections.values()) {
      if (within !== undefined && connection.network !== within) continue;
      const rank = rankOf(connection);
      if (rank === undefined) continue;
      const held = connection.network === undefined ? 1 : perNetwork.get(connection.network)!;
      if (!best || rank < best.rank || (rank === best.rank && held > best.held)) best = { connection, rank, held };
    }
    return best?.connection;
  }

  function tell(network: string): void {
    const at = ports.now();
    const last = toldAt.get(network);
    if (last !== undefined && Math.abs(at - last) < TELL_EVERY_MS) return;
    toldAt.delete(network);
    toldAt.set(network, at);
    if (toldAt.size > limits.addressesMax) toldAt.delete(toldAt.keys().next().value!);
    const detail = `${limits.connectionsPerAddressMax} open connections (LAMPPOST_HTTP_CONNECTIONS_PER_ADDRESS_MAX); for each new one an idle one is closed`;
    ports.log.warn({ address: network }, "an address holds as many HTTP connections as it may");
    audit({ at, by: "api", what: "connections.limit", target: network, detail });
  }

  /** Counts a request for `account`, or for the address of a stranger, until it is answered. Throws a problem. */
  function admit(request: FastifyRequest, reply: FastifyReply, account: string | undefined): void {
    const connection = connections.get(request.raw.socket);
    if (connection) connection.account = account;
    if (WATCHED.has(request.routeOptions.url ?? "")) return;
    const who = account === undefined ? `address ${networkOf(request.ip)}` : `account ${account}`;
    const own = requestsOf.get(who) ?? 0;
    const share = account === undefined ? SHARE_OF_STRANGERS : SHARE_OF_ACCOUNTS;
    if (own >= limits.requestsAtOnceMax || requests >= limits.connectionsMax * share) {
      counts.requestsRefused += 1;
      throw own >= limits.requestsAtOnceMax
        ? new ProblemError(
            "rate-limited",
            `This ${who} has ${own} requests in progress, the most allowed: wait until some have been answered.`,
            later,
          )
        : new ProblemError("unavailable", "The service has too many requests in progress: try again later.", later);
    }
    requests += 1;
    add(requestsOf, who, 1);
    reply.raw.once("close", () => {
      requests -= 1;
      add(requestsOf, who, -1);
    });
  }

  const figures = (): Figure[] => [
    gauge("lamppost_http_connections", "Open HTTP connections", connections.size),
    gauge("lamppost_http_requests_at_once", "Requests in progress", requests),
    counter("lamppost_http_connections_evicted_total", "Connections closed to make room for new ones", counts.evicted),
    counter("lamppost_http_connections_refused_total", "Connections refused because all were in use", counts.refused),
    counter(
      "lamppost_http_connections_pipelined_total",
      "Connections closed for too many requests without waiting for an answer",
      counts.pipelined,
    ),
    counter(
      "lamppost_http_connections_tiny_chunks_total",
      "Connections closed for a body in thousands of tiny chunks",
      counts.tinyChunks,
    ),
    counter("lamppost_http_requests_refused_total", "Requests refused for too many at once", counts.requestsRefused),
  ];

  return { admit, hold, figures, open: () => connections.size };
}

export type Connections = ReturnType<typeof createConnections>;

const later = { retryAfterS: 2 } as const;

/**
 * A newcomer takes the place of: one that has said nothing (or half of a request), a stranger's that waits, a stranger's
 * that is being answered, an account's that waits. An account's that is being answered stays.
 */
function rankOf({ spoken, requests, last, account }: Connection): number | undefined {
  if (account !== undefined) return requests > 0 ? undefined : 3;
  if (last && !last.complete) return 0; // its body has not come
  return requests > 0 ? 2 : spoken ? 1 : 0;
}

/**
 * Node would still make a request of each that stands in the same chunk, 2,400 of them, also behind the end of the
 * connection. Its parser (an undocumented part of a socket) stops at once where it is told that an upgrade follows.
 */
function ignoreTheRest(socket: Socket): void {
  const { parser } = socket as { parser?: { onIncoming?: () => number } };
  if (parser) parser.onIncoming = () => 2;
}

/** The same for a TLS socket and the TCP socket below it. */
const endsOf = ({ remoteAddress, remotePort, localPort }: Socket) => `${remoteAddress} ${remotePort} ${localPort}`;

function add<K>(counts: Map<K, number>, key: K | undefined, by: number): void {
  if (key === undefined) return;
  const count = (counts.get(key) ?? 0) + by;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}

/** Whose work it is; a socket by itself where it speaks for many. */
type Payer = { readonly account: string } | { readonly address: string } | { readonly socket: Socket };

type Lane = {
  readonly key: string | Socket;
  readonly shareMs: number;
  creditMs: number;
  readonly sockets: Set<Socket>;
  /** Those that are not read until it is their turn, in this order. */
  readonly waiting: Set<Socket>;
};

/**
 * Which socket is read next. By itself Node reads up to 2 MiB of a socket, and works on all that stands in it, before it looks
 * at the next one, and accepts one new connection after all of that: a few senders of dear bytes (pipelined requests, bodies
 * in chunks of a byte, thousands of headers) hold up everybody. Here the work that the bytes of an address or account cause is
 * charged to it. Who has had a share in this turn of the event loop is read on in a later one, one socket after the other.
 * Turns in which nobody else wants anything are over at once, so nobody is slowed for nothing.
 */
export function createFairReads(payerOf: (socket: Socket) => Payer) {
  const lanes = new Map<string | Socket, Lane>();
  /** Those that have to pay something back, or have somebody waiting. */
  const busy = new Set<Lane>();
  let current: { readonly lane: Lane; readonly since: number } | undefined;
  let isScheduled = false;

  function laneOf(socket: Socket): Lane {
    const payer = payerOf(socket);
    const isAccount = "account" in payer;
    const key = isAccount ? `account ${payer.account}` : "address" in payer ? payer.address : payer.socket;
    let lane = lanes.get(key);
    if (lane) return lane;
    const shareMs = isAccount ? SHARE_OF_ACCOUNTS_MS : SHARE_OF_STRANGERS_MS;
    lane = { key, shareMs, creditMs: shareMs, sockets: new Set(), waiting: new Set() };
    lanes.set(key, lane);
    return lane;
  }

  /** Call it when the HTTP server has its listeners on the socket: the work is between the two added here. */
  function watch(socket: Socket): void {
    let lane = laneOf(socket);
    lane.sockets.add(socket);
    socket.prependListener("data", () => {
      settle();
      const payer = laneOf(socket);
      if (payer !== lane) {
        leave(socket, lane);
        lane = payer;
        lane.sockets.add(socket);
      }
      lane.waiting.delete(socket);
      current = { lane, since: performance.now() };
      schedule(lane);
    });
    socket.on("data", () => {
      if (current?.lane !== lane || lane.creditMs > performance.now() - current.since) return;
      for (const one of lane.sockets) hold(one, lane);
    });
    // Who reads a body, or has been read, resumes the socket below.
    socket.on("resume", () => lane.waiting.has(socket) && socket.pause());
    socket.once("close", () => leave(socket, lane));
    // After the listeners: until there is one, Node hands the bytes to its parser below JavaScript.
    if (lane.creditMs <= 0 || lane.waiting.size > 0) hold(socket, lane);
  }

  function leave(socket: Socket, lane: Lane): void {
    lane.sockets.delete(socket);
    lane.waiting.delete(socket);
    if (lane.sockets.size === 0) lanes.delete(lane.key);
  }

  /** One that is paused already, because an answer or a body waits to be read, is resumed by whoever paused it. */
  function hold(socket: Socket, lane: Lane): void {
    if (socket.isPaused()) return;
    socket.pause();
    lane.waiting.add(socket);
    schedule(lane);
  }

  /** What began with a chunk goes on in promises after it: it has cost what passed until the next chunk or turn. */
  function settle(): void {
    if (!current) return;
    const { lane, since } = current;
    lane.creditMs = Math.max(-DEBT_MS_MAX, lane.creditMs - (performance.now() - since));
    current = undefined;
  }

  function schedule(lane?: Lane): void {
    if (lane) busy.add(lane);
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(turn);
  }

  function turn(): void {
    isScheduled = false;
    settle();
    for (const lane of busy) {
      const [next] = lane.waiting;
      lane.creditMs = Math.min(lane.shareMs, lane.creditMs + lane.shareMs);
      if (lane.creditMs > 0 && next) {
        lane.waiting.delete(next);
        next.resume();
      } else if (!next && lane.creditMs === lane.shareMs) busy.delete(lane);
    }
    if (busy.size > 0) schedule();
  }

  return { watch };
}
