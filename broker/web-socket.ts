import { createServer } from "node:http";
import type { Duplex } from "node:stream";
import { createWebSocketStream, WebSocketServer } from "ws";

/** Before the login; several packets may share a frame. `ws` holds a frame in memory until it is whole. */
const FRAME_BYTES_MAX = 131_072;
const SUBPROTOCOLS = ["mqtt", "mqttv3.1"];

/** `onReady`: its client has logged in. */
type Hand = (stream: Duplex, onReady: () => void) => void;

/**
 * MQTT over WebSocket (MQTT 3.1.1 section 6) for sockets that began like HTTP. `take` does the handshake and
 * hands over the stream of MQTT bytes; a plain HTTP request is answered 426. Who has logged in may send frames of
 * `frameBytesMax`: a client puts a whole packet into one.
 */
export function createWebSocketDoor(frameBytesMax: number) {
  const waiting = new WeakMap<Duplex, Hand>();
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: FRAME_BYTES_MAX,
    perMessageDeflate: false,
    handleProtocols: (offered) => SUBPROTOCOLS.find((name) => offered.has(name)) ?? false,
  });
  // Never listens: it only reads the handshake. Its own timeouts start with listening, so the listener's deadline counts.
  const http = createServer({ maxHeaderSize: 8_192 }, (_request, response) => {
    response.writeHead(426, { connection: "close", upgrade: "websocket" }).end("MQTT over WebSocket only\n");
  });
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
    take(socket: Duplex, hand: Hand): void {
      waiting.set(socket, hand);
      http.emit("connection", socket);
    },
  };
}
