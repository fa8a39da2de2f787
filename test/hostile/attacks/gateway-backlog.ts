import { once } from "node:events";
import mqtt from "mqtt";
import { type Attack, DISTRICT } from "../attack.ts";
import { watchAlerts } from "../watch.ts";

const SENSORS = 800;
/** The most a message may carry. */
const MESSAGE = 500;
const SPAN_MS = 25 * 60_000;
/** Another's alert is watched for so long before it begins. */
const ALONE_MS = 3_000;
/** Messages that are on their way at a time. */
const AT_ONCE = 20;

/** A gateway that was cut off and hands over half an hour of 800 sensors, newest first; all of them go up and down. */
export const attack: Attack = {
  name: "a gateway's backlog of 400,000 readings that all say something",
  about: "What the rules say of one gateway's sensors must not hold the service up, nor another sensor's alert.",
  async run(target, signal) {
    const ids = Array.from({ length: SENSORS }, (_, i) => `n${i}`);
    const watched = await watchAlerts(target, ids.slice(0, 40));
    const login = await target.gateway("backlog", [DISTRICT]);
    const gateway = await mqtt.connectAsync(target.mqtt, { clientId: "backlog", ...login, reconnectPeriod: 0 });
    gateway.on("error", () => {});
    await watched.run(AbortSignal.any([signal, AbortSignal.timeout(ALONE_MS)]));
    const alone = watched.summary();
    const until = AbortSignal.any([signal, AbortSignal.timeout(60_000)]);

    const over = once(until, "abort");
    let next = 0;
    async function send(): Promise<void> {
      const newest = Date.now() - 60_000;
      for (let id = ids[next++]; id !== undefined && !until.aborted; id = ids[next++]) {
        const readings = Array.from({ length: MESSAGE }, (_, i) => ({
          measuredAt: newest - Math.floor((i * SPAN_MS) / MESSAGE),
          temperature: i % 20 < 10 ? 40 : 20,
          pm25: i % 40 < 20 ? 8 : 300,
          battery: i % 100 < 50 ? 90 : 4,
        }));
        // Whoever is slowed at the socket waits here: that is a right answer, too.
        const taken = gateway.publishAsync(`city/${DISTRICT}/air/${id}`, JSON.stringify(readings), { qos: 1 });
        await Promise.race([taken, over]);
      }
    }

    try {
      await Promise.all([...Array.from({ length: AT_ONCE }, send), watched.run(until)]);
    } finally {
      gateway.end(true);
      watched.close();
    }
    return `${Math.min(next, SENSORS)} sensors with ${MESSAGE} readings each; ${watched.summary()}; before it, ${alone}`;
  },
};
