import mqtt from "mqtt";
import { type Attack, DISTRICT } from "../attack.ts";
import { watchAlerts } from "../watch.ts";

const BACKLOG = 12_000;
const SPAN_MS = 50 * 60_000;
/** Readings to a message, as loggers send them. */
const MESSAGE = 100;

/** A logger with a stack: after an outage its newest reading comes first. Some spells of it are alerts. */
export const attack: Attack = {
  name: "a backlog of 12,000 readings, newest first",
  about: "One sensor's late readings must cost the rules no more in this order, nor hold up another sensor's alert.",
  async run(target, signal) {
    const watched = await watchAlerts(target, ["logger"]);
    const login = await target.device("logger");
    const logger = await mqtt.connectAsync(target.mqtt, { clientId: "logger", ...login, reconnectPeriod: 0 });
    logger.on("error", () => {});
    const until = AbortSignal.any([signal, AbortSignal.timeout(60_000)]);

    let sent = 0;
    async function send(): Promise<void> {
      const newest = Date.now() - 60_000;
      while (!until.aborted && sent < BACKLOG) {
        const readings = Array.from({ length: MESSAGE }, (_, i) => ({
          measuredAt: newest - Math.floor(((sent + i) * SPAN_MS) / BACKLOG),
          temperature: (sent + i) % 600 < 60 ? 40 : 20,
        }));
        sent += MESSAGE;
        await logger.publishAsync(`city/${DISTRICT}/air/logger`, JSON.stringify(readings), { qos: 1 });
      }
    }

    try {
      await Promise.all([send(), watched.run(until)]);
    } finally {
      logger.end(true);
      watched.close();
    }
    return `${sent} readings; ${watched.summary()}`;
  },
};
