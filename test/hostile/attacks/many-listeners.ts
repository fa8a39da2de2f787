import { once } from "node:events";
import { generate } from "mqtt-packet";
import { type Attack, DISTRICT } from "../attack.ts";
import { openMqtt } from "../pour.ts";

const CONNECTIONS = 300;
const READINGS_PER_S = 300;

/** One viewer who listens to the whole city through hundreds of connections, while a gateway sends as it may. */
export const attack: Attack = {
  name: "hundreds of listeners of one account",
  about: "What subscribers are sent takes no more than a part of the broker's thread: they hear less, no sender waits.",
  async run(target, signal) {
    const login = await target.user("vera", "viewer");
    const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, (_, n) => openMqtt(target, login, `-${n}`)));
    let heard = 0;
    for (const socket of sockets) {
      socket.on("data", (bytes: Buffer) => {
        heard += bytes.length;
      });
      socket.write(generate({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "city/#", qos: 0 }] }));
    }
    const gateway = await openMqtt(target, await target.gateway("gw-loud"));
    const publish = (n: number) => {
      const topic = `city/${DISTRICT}/air/loud-${n % 50}`;
      return generate({ cmd: "publish", topic, payload: '{"pm25":1}', qos: 0, dup: false, retain: false });
    };
    let sent = 0;
    const timer = setInterval(() => {
      for (let i = 0; i < READINGS_PER_S / 20; i += 1) gateway.write(publish(sent++));
    }, 50);
    if (!signal.aborted) await once(signal, "abort");
    clearInterval(timer);
    for (const socket of [...sockets, gateway]) socket.resetAndDestroy();
    if (heard === 0) throw new Error("nobody heard anything");
    return `${sent} readings to ${CONNECTIONS} listeners, who heard ${Math.round(heard / 1_024)} KiB`;
  },
};
