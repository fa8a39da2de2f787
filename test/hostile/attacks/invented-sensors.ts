import mqtt from "mqtt";
import { type Attack, DISTRICT } from "../attack.ts";

/** A gateway whose firmware numbers its sensors anew with each message. */
export const attack: Attack = {
  name: "a gateway that invents sensors",
  about: "Each message names a sensor never seen before; enrolling them must not take the thread from others.",
  async run(target, signal) {
    const login = await target.gateway("gw-inventor");
    const client = await mqtt.connectAsync(target.mqtt, { clientId: "gw-inventor", ...login, reconnectPeriod: 0 });
    client.on("error", () => {});
    let sent = 0;
    async function send(): Promise<void> {
      while (!signal.aborted && client.connected) {
        sent += 1;
        const topic = `city/${DISTRICT}/air/invented-${sent}`;
        await client.publishAsync(topic, JSON.stringify({ pm25: 12 }), { qos: 1 });
      }
    }
    await Promise.race([Promise.all(Array.from({ length: 200 }, send)), once(signal)]);
    client.end(true);
    return `${sent} readings of as many sensors`;
  },
};

const once = (signal: AbortSignal) => new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
