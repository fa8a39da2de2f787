import { createServer } from "node:http";
import type { Duplex } from "node:stream";
import { createWebSocketStream, WebSocketServer } from "ws";

/** Several packets may share a frame. */
const FRAME_BYTES_MAX = 131_072;
const SUBPROTOCOLS = ["mqtt", "mqttv3.1"];

/**
 * MQTT over WebSocket (MQTT 3.1.1 section 6) for sockets that began like HTTP. `take` does the handshake and
 * hands over the stream of MQTT bytes; a plain HTTP request is answered 426.
 */
export function createWebSocketDoor() {
  const waiting = new WeakMap<Duplex, (stream: Duplex) => void>();
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
      waiting.get(socket)?.(createWebSocketStream(webSocket));
    });
  });
  sockets.on("wsClientError", (_error, socket) => socket.destroy());
  return {
    take(socket: Duplex, hand: (stream: Duplex) => void): void {
      waiting.set(socket, hand);
      http.emit("connection", socket);
    },
  };
}
