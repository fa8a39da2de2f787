import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type Attack, ELSEWHERE } from "../attack.ts";

const HELD = 2_010;
/** In 20 ms: all of them within two seconds. */
const OPENED_AT_ONCE = 20;
/** What each says: nothing, half of a head, half of a body, half of a body that waits to be asked for. */
const WORDS = [
  "",
  "GET /livez HTTP/1.1\r\nHost: x\r\nX-Half: ",
  "POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
  "POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n",
];

/** More connections than there are, from two addresses, one of which is that of the honest. */
export const attack: Attack = {
  name: "idle and half-sent connections",
  about: "2,010 HTTP connections say nothing, or a byte a second; they must not take anybody's place.",
  async run(target, signal) {
    const { hostname: host, port } = new URL(target.http);
    const held = new Set<Socket>();
    let opened = 0;
    function open(): void {
      const localAddress = opened % 2 === 0 ? "127.0.0.1" : ELSEWHERE;
      const words = WORDS[(opened >> 1) % WORDS.length]!;
      opened += 1;
      const socket = connect({ host, port: Number(port), localAddress });
      held.add(socket);
      socket.on("error", () => {}).once("close", () => held.delete(socket));
      socket.once("connect", () => words !== "" && socket.write(words)).resume();
    }
    const trickle = setInterval(() => {
      for (const socket of held) if (socket.bytesWritten > 0) socket.write("a");
    }, 1_000);
    let most = 0;
    while (!signal.aborted) {
      for (let i = 0; i < OPENED_AT_ONCE && held.size < HELD; i++) open();
      most = Math.max(most, held.size);
      await sleep(20);
    }
    clearInterval(trickle);
    for (const socket of held) socket.destroy();
    return `${opened} connections, at most ${most} at a time`;
  },
};
