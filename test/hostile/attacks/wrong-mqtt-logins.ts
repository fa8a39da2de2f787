import { once } from "node:events";
import { connect } from "node:net";
import { generate } from "mqtt-packet";
import { type Attack, ELSEWHERE } from "../attack.ts";
import { openMqtt } from "../pour.ts";

/** Guesses secrets over MQTT under ever new names, from one address, and keeps idle connections open there. */
export const attack: Attack = {
  name: "wrong MQTT logins under invented names",
  about: "A right login is let in all the same, and the audit has a few rows of it, not one per guess.",
  async run(target, signal) {
    const { hostname, port } = new URL(target.mqtt);
    const login = await target.device("right-one");
    const open = () => connect({ host: hostname, port: Number(port), localAddress: ELSEWHERE }).on("error", () => {});
    let guesses = 0;
    let right = 0;
    async function guess(): Promise<void> {
      while (!signal.aborted) {
        const socket = open();
        guesses += 1;
        const username = `guess-${guesses}`;
        const protocol = { protocolId: "MQTT", protocolVersion: 4, clean: true, keepalive: 60 } as const;
        socket.write(
          generate({ cmd: "connect", ...protocol, clientId: username, username, password: Buffer.from("x") }),
        );
        socket.resume();
        await once(socket, "close");
      }
    }
    async function comeIn(): Promise<void> {
      while (!signal.aborted) {
        (await openMqtt(target, login)).destroy();
        right += 1;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
    const idle = Array.from({ length: 500 }, open);
    await Promise.all([comeIn(), ...Array.from({ length: 50 }, guess)]);
    for (const socket of idle) socket.destroy();
    if (right === 0) throw new Error("a right login was kept out");
    const { items } = await target.api("/audit?limit=1000");
    const rows = items.filter((row: { what: string }) => row.what === "mqtt.refused").length;
    if (rows === 0 || rows > 50) throw new Error(`${rows} audit rows of the refusals`);
    return `${guesses} guesses, ${right} right logins meanwhile, ${rows} audit rows`;
  },
};
