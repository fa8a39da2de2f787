import mqtt from "mqtt";
import { type Attack, DISTRICT } from "../attack.ts";

/** A device that sends only what can never be accepted, and sends it again until it is acknowledged; then a good reading. */
export const attack: Attack = {
  name: "nothing but refused messages",
  about: "Each is acknowledged and kept with its reason; the good reading behind them comes through.",
  async run(target, signal) {
    const sensorId = "only-refused";
    const login = await target.device(sensorId);
    const client = await mqtt.connectAsync(target.mqtt, { clientId: sensorId, ...login, reconnectPeriod: 100 });
    let reconnects = 0;
    client.on("reconnect", () => {
      reconnects += 1;
    });
    const topic = `city/${DISTRICT}/air/${sensorId}`;
    const bad: readonly [string, string][] = [
      [topic, "x".repeat(70_000)],
      [`city/elsewhere/air/${sensorId}`, "{}"],
      [`${topic}/status`, "Online"],
      ["not/ours", "{}"],
      [`$SYS/${sensorId}`, "{}"],
    ];
    let refused = 0;
    while (!signal.aborted) {
      await Promise.all(bad.map(([to, payload]) => client.publishAsync(to, payload, { qos: 1 })));
      refused += bad.length;
    }
    await client.publishAsync(topic, JSON.stringify({ pm25: 7 }), { qos: 1 });
    await client.endAsync();
    if (reconnects > 0) throw new Error(`the device was cut off ${reconnects} times`);
    return `${refused} refused messages acknowledged, and the good one behind them`;
  },
};
