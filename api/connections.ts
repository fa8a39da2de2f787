import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { BlockList, isIP, type Socket } from "node:net";
import type { FastifyReply, FastifyRequest } from "fastify";
import { networkOf } from "../model/address.ts";
import type { Background } from "../model/background.ts";
import { counter, type Figure, gauge } from "../model/health.ts";
import type { Log } from "../model/log.ts";
import type { Records } from "../store/records.ts";
import { answerByHand } from "./errors.ts";
import { createFairReads } from "./fair-reads.ts";
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
  const isProxy = matcherOf(ports.proxiesTrusted ?? []);
  let requests = 0;

  server.prependListener("connection", (socket: Socket) => {
    const address = socket.remoteAddress;
    if (address === undefined) return void socket.destroy(); // it has gone already
    const network = isProxy(address) ? undefined : networkOf(address);
    if (!makeRoom(network)) {
      counts.refused += 1;
      return answerByHand(socket, 503, "As many connections are open as the service can take.");
    }
    connections.set(socket, { socket, network, spoken: false, requests: 0, last: undefined, account: undefined });
    add(perNetwork, network, 1);
    socket.once("close", () => forget(socket));
  });

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
        ? new ProblemError("rate-limited", `This ${who} has ${own} requests in progress, as many as it may.`, later)
        : new ProblemError("unavailable", "As many requests are in progress as the service can take.", later);
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

  return { admit, figures, open: () => connections.size };
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

function add<K>(counts: Map<K, number>, key: K | undefined, by: number): void {
  if (key === undefined) return;
  const count = (counts.get(key) ?? 0) + by;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}

/** Of addresses and ranges such as `10.0.0.0/24`. */
function matcherOf(list: readonly string[]): (address: string) => boolean {
  const block = new BlockList();
  for (const one of list) {
    const [address = "", bits] = one.split("/", 2);
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (bits === undefined) block.addAddress(address, family);
    else block.addSubnet(address, Number(bits), family);
  }
  return (address) => {
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, "");
    return block.check(plain, isIP(plain) === 6 ? "ipv6" : "ipv4");
  };
}
