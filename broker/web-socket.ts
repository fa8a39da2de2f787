import { createServer } from "node:http";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { createWebSocketStream, WebSocketServer } from "ws";
import type { Connection } from "./session.ts";

/** Before the login; several packets may share a frame. `ws` holds a frame in memory until it is whole. */
const FRAME_BYTES_MAX = 131_072;
const SUBPROTOCOLS = ["mqtt", "mqttv3.1"];
const HEAD_BYTES_MAX = 8_192;
/** What Node takes for an upgrade. */
const ASKS_FOR_UPGRADE = [/\r\nupgrade:[ \t]*websocket/i, /\r\nconnection:[^\r\n]*upgrade/i];
const NOT_WEB_SOCKET =
  "HTTP/1.1 426 Upgrade Required\r\nconnection: close\r\nupgrade: websocket\r\ncontent-length: 25\r\n\r\nMQTT over WebSocket only\n";

/** Frames that are taken in one turn of the loop, of everybody, and of one connection while others wait for theirs. */
const FRAMES_PER_TURN = 64;
const FRAMES_IN_A_ROW = 8;
/** Some clients make a frame of each part of a packet, five or so: that costs them little. */
const FRAMES_PER_TOKEN = 32;
/** Read before the login: a CONNECT may come in pieces. */
const FRAMES_BEFORE_LOGIN_MAX = 256;
/** One after the other without a byte of MQTT: empty ones, and pongs that nobody asked for. */
const EMPTY_FRAMES_MAX = 1_024;
/** `ws` hands on each frame by itself: so many bytes wait for aedes, and the frames behind them are not read. */
const UNREAD_BYTES_MAX = 2_048;

type Hand = (stream: Duplex, onLogin: Connection["onReady"]) => void;

/**
 * MQTT over WebSocket (MQTT 3.1.1 section 6) for sockets that began like HTTP. `take` does the handshake and
 * hands over the stream of MQTT bytes; a plain HTTP request is answered 426. Who has logged in may send frames of
 * `frameBytesMax`: a client puts a whole packet into one.
 */
export function createWebSocketDoor(frameBytesMax: number) {
  const waiting = new WeakMap<Duplex, Hand>();
  const turns = createFrameTurns();
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
    const frames = inTurns(socket, head, turns);
    sockets.handleUpgrade(request, frames.stream, Buffer.alloc(0), (webSocket) => {
      webSocket.on("error", () => webSocket.terminate());
      webSocket.on("message", (_data, isBinary) => {
        if (!isBinary) webSocket.close(1003); // [MQTT-6.0.0-1]
      });
      // Private to ws 8, which reads it for each frame; the tests of refused messages would fail first.
      const { _receiver: receiver } = webSocket as unknown as { _receiver: { _maxPayload: number } };
      const stream = createWebSocketStream(webSocket, { readableHighWaterMark: UNREAD_BYTES_MAX });
      waiting.get(socket)?.(stream, (charge) => {
        receiver._maxPayload = Math.max(FRAME_BYTES_MAX, frameBytesMax);
        frames.onLogin(charge);
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

type FrameTurns = ReturnType<typeof createFrameTurns>;

/**
 * A frame costs the same whether it holds a byte, a packet or nothing, and none of that is seen by who paces packets. So
 * all connections share the frames of a turn of the loop, and who waits has a few of the next one.
 */
function createFrameTurns() {
  let left = FRAMES_PER_TURN;
  let isOpen = false;
  let isTaking = false;
  const waiting = new Set<(max: number) => number>();

  /** In turn; those who ask for more stand at the end again. */
  function go(): void {
    isTaking = true;
    for (const take of waiting) {
      if (left <= 0) break;
      waiting.delete(take);
      left -= take(Math.min(left, FRAMES_IN_A_ROW));
    }
    isTaking = false;
    if (isOpen || (waiting.size === 0 && left === FRAMES_PER_TURN)) return;
    isOpen = true;
    setImmediate(() => {
      isOpen = false;
      left = FRAMES_PER_TURN;
      go();
    });
  }

  return {
    /** Calls `take`, now or in a later turn, with how many frames it may take; it answers how many it took. */
    ask(take: (max: number) => number): void {
      waiting.add(take);
      if (!isTaking) go();
    },
    leave: (take: (max: number) => number) => void waiting.delete(take),
  };
}

/**
 * The socket for `ws`, which gets frames only when it is their turn. Until then the socket is not read. It ends the
 * connection of who sends frames and no MQTT. `head`: what has been read of the socket.
 */
function inTurns(socket: Duplex, head: Buffer, turns: FrameTurns) {
  let read = head;
  let isWanted = false;
  let hasEnded = false;
  let allowed = FRAMES_BEFORE_LOGIN_MAX;
  let charge = (_tokens: number): void => {};
  const count = createFrameCounter();

  const stream = new Duplex({
    // ws closes its side by itself.
    allowHalfOpen: true,
    read() {
      isWanted = true;
      more();
    },
    write: (chunk, _encoding, done) => void socket.write(chunk, done),
    writev(chunks, done) {
      socket.cork();
      for (const [i, { chunk }] of chunks.entries()) socket.write(chunk, i === chunks.length - 1 ? done : undefined);
      socket.uncork();
    },
    final: (done) => void socket.end(done),
    destroy(error, done) {
      turns.leave(take);
      read = Buffer.alloc(0);
      socket.destroy();
      done(error);
    },
  });

  function more(): void {
    if (!isWanted || allowed <= 0) return;
    if (read.length === 0) read = (socket.read() as Buffer | null) ?? read;
    if (read.length > 0) return turns.ask(take);
    if (!hasEnded) return;
    isWanted = false;
    stream.push(null);
  }

  function take(max: number): number {
    const { frames, to, isEmpty } = count(read, Math.min(max, allowed));
    allowed -= frames;
    charge(frames / FRAMES_PER_TOKEN);
    if (isEmpty) {
      stream.destroy();
      return frames;
    }
    const part = read.subarray(0, to);
    read = read.subarray(to);
    isWanted = stream.push(part);
    more();
    return frames;
  }

  socket.on("readable", more);
  socket.on("end", () => {
    hasEnded = true;
    more();
  });
  socket.on("error", (error) => stream.destroy(error));
  socket.on("close", () => {
    // What came before an orderly end is still taken.
    if (!hasEnded) stream.destroy();
  });

  return {
    stream,
    onLogin(account: typeof charge): void {
      charge = account;
      allowed = Number.POSITIVE_INFINITY;
      more();
    },
  };
}

/**
 * Counts the frames (RFC 6455 section 5.2) that begin in what is read: answers how many begin before `to`, `max` at most,
 * and whether too many in a row held nothing of MQTT.
 */
function createFrameCounter() {
  /** The header that is being read, and the bytes that are left of its payload. */
  const header = Buffer.alloc(14);
  let have = 0;
  let payload = 0;
  let empty = 0;

  return (bytes: Buffer, max: number): { frames: number; to: number; isEmpty: boolean } => {
    let frames = 0;
    let at = 0;
    while (at < bytes.length) {
      if (payload > 0) {
        const part = Math.min(payload, bytes.length - at);
        payload -= part;
        at += part;
        continue;
      }
      if (have === 0) {
        if (frames === max) break;
        frames += 1;
      }
      header[have++] = bytes[at++]!;
      if (have < 2 || have < headerBytes(header)) continue;
      have = 0;
      payload = payloadBytes(header);
      const isData = (header[0]! & 0x08) === 0;
      empty = isData && payload > 0 ? 0 : empty + 1;
    }
    return { frames, to: at, isEmpty: empty > EMPTY_FRAMES_MAX };
  };
}

const MASKED = 0x80;

function headerBytes(header: Buffer): number {
  const length = header[1]! & 0x7f;
  const mask = header[1]! & MASKED ? 4 : 0;
  return 2 + mask + (length === 126 ? 2 : length === 127 ? 8 : 0);
}

/** A length beyond what a number holds exactly is beyond every limit of `ws`, too, which closes the connection. */
function payloadBytes(header: Buffer): number {
  const length = header[1]! & 0x7f;
  if (length === 126) return header.readUInt16BE(2);
  return length === 127 ? Number(header.readBigUInt64BE(2)) : length;
}
