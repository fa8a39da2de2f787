import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { type Attack, ELSEWHERE } from "../attack.ts";

/** Somebody who scans ports: connects, sends bytes that are no packet of anything, is cut off, comes again. */
export const attack: Attack = {
  name: "random bytes on both ports",
  about: "Bytes that are neither MQTT nor HTTP end that connection and nothing else.",
  async run(target, signal) {
    const ports = [target.http, target.mqtt].map((address) => Number(new URL(address).port));
    let connections = 0;
    async function scan(port: number): Promise<void> {
      while (!signal.aborted) {
        const socket = connect({ host: new URL(target.http).hostname, port, localAddress: ELSEWHERE });
        socket.on("error", () => {});
        const leave = () => socket.destroy();
        signal.addEventListener("abort", leave);
        socket.once("connect", () => socket.write(randomBytes(2_000)));
        socket.resume();
        await once(socket, "close");
        signal.removeEventListener("abort", leave);
        connections += 1;
      }
    }
    await Promise.all(ports.flatMap((port) => Array.from({ length: 10 }, () => scan(port))));
    return `${connections} connections of random bytes`;
  },
};
