import { generate, type Packet } from "mqtt-packet";
import { type Attack, DISTRICT } from "../attack.ts";
import { chunkOf, openMqtt, pour } from "../pour.ts";

/** A device each for every type of packet, and all of them as fast as the socket takes it. */
export const attack: Attack = {
  name: "floods of every MQTT packet",
  about:
    "Above its rate a device is not read, whatever it sends: PUBLISH of QoS 0 and 1, PINGREQ, SUBSCRIBE, UNSUBSCRIBE, PUBACK.",
  async run(target, signal) {
    const flood = async (name: string, packet: (topic: string) => Packet) => {
      const socket = await openMqtt(target, await target.device(name));
      const bytes = generate(packet(`city/${DISTRICT}/air/${name}`));
      const once = chunkOf(500, () => bytes)();
      return pour(socket, () => once, signal);
    };
    const publish = (qos: 0 | 1) => (topic: string) =>
      ({ cmd: "publish", topic, payload: '{"pm25":1}', qos, messageId: 1, dup: false, retain: false }) as const;
    const read = await Promise.all([
      flood("flood-qos0", publish(0)),
      flood("flood-qos1", publish(1)),
      flood("flood-ping", () => ({ cmd: "pingreq" })),
      flood("flood-subscribe", (topic) => ({
        cmd: "subscribe",
        messageId: 1,
        subscriptions: [{ topic: `${topic}/status`, qos: 1 }],
      })),
      flood("flood-unsubscribe", (topic) => ({ cmd: "unsubscribe", messageId: 1, unsubscriptions: [topic] })),
      flood("flood-puback", () => ({ cmd: "puback", messageId: 1 })),
    ]);
    return `${read.map((bytes) => `${Math.round(bytes / 1_024)} KiB`).join(", ")} were taken`;
  },
};
