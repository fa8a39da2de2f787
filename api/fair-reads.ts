import type { Socket } from "node:net";

/** Milliseconds of work for one address, and for one account, in one turn of the event loop. */
const SHARE_OF_STRANGERS_MS = 1;
const SHARE_OF_ACCOUNTS_MS = 5;
/** What one chunk cost beyond its share is paid back in the turns that follow, up to this. */
const DEBT_MS_MAX = 100;

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
