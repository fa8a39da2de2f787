import { generate } from "mqtt-packet";
import { type Attack, DISTRICT } from "../attack.ts";
import { chunkOf, openMqtt, pour } from "../pour.ts";

/** A gateway that sends QoS 0 at full speed through five connections, of one sensor that is far too talkative. */
export const attack: Attack = {
  name: "a gateway at full speed through five connections",
  about: "All connections of an account share its rate, and have their share of each turn only.",
  env: { LAMPPOST_MQTT_GATEWAY_PACKETS_PER_S: "1000" },
  async run(target, signal) {
    const login = await target.gateway("gw-flood");
    const topic = `city/${DISTRICT}/air/flood-1`;
    let measuredAt = Date.now() - 3_600_000;
    const chunk = chunkOf(500, () => {
      measuredAt += 1;
      const payload = JSON.stringify({ measuredAt, pm25: 1 });
      return generate({ cmd: "publish", topic, payload, qos: 0, dup: false, retain: false });
    });
    const sockets = await Promise.all([1, 2, 3, 4, 5].map((n) => openMqtt(target, login, `-${n}`)));
    const read = await Promise.all(sockets.map((socket) => pour(socket, chunk, signal)));
    return `${Math.round(read.reduce((sum, bytes) => sum + bytes, 0) / 1_024)} KiB were taken`;
  },
};
