import mqtt from "mqtt";
import { type Attack, DISTRICT } from "../attack.ts";

/** A gateway whose messages are all wrong, and as full of mistakes as a message can be. */
export const attack: Attack = {
  name: "messages of 500 mistakes each",
  about: "Each is explained and kept in quarantine, which holds a share for each sender and no more.",
  env: { LAMPPOST_QUARANTINE_MIB: "10", LAMPPOST_QUARANTINE_SENDER_PERCENT: "10" },
  async run(target, signal) {
    const login = await target.gateway("gw-mistakes");
    const client = await mqtt.connectAsync(target.mqtt, { clientId: "gw-mistakes", ...login, reconnectPeriod: 0 });
    client.on("error", () => {});
    const elements = Array.from({ length: 500 }, (_, i) => ({ [`temperatura${i}`]: i, measuredAt: "yesterday" }));
    const payload = JSON.stringify(elements);
    let sent = 0;
    const lane = async () => {
      while (!signal.aborted && client.connected) {
        await client.publishAsync(`city/${DISTRICT}/air/mistaken`, payload, { qos: 1 });
        sent += 1;
      }
    };
    await Promise.race([
      Promise.all([lane(), lane()]),
      new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve())),
    ]);
    client.end(true);
    return `${sent} messages`;
  },
};
