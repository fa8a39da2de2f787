import { setTimeout as sleep } from "node:timers/promises";
import mqtt from "mqtt";
import { type Attack, DISTRICT } from "../attack.ts";

const BACKLOG = 12_000;
const SPAN_MS = 50 * 60_000;
/** Readings to a message, as loggers send them. */
const MESSAGE = 100;
const WATCH_EVERY_MS = 500;
/** An alert that takes longer was held up: alone it takes some hundredths of a second. */
const PATIENCE_MS = 5_000;

/** A logger with a stack: after an outage its newest reading comes first. Some spells of it are alerts. */
export const attack: Attack = {
  name: "a backlog of 12,000 readings, newest first",
  about: "One sensor's late readings must cost the rules no more in this order, nor hold up another sensor's alert.",
  async run(target, signal) {
    const rule = {
      id: "hostile-heat",
      title: "Heat in the hostile test",
      kind: "air",
      metric: "temperature",
      select: { sensor: ["watched", "logger"] },
      condition: { type: "threshold", above: 50 },
      severity: "critical",
      audience: "crews",
      source: { text: "the hostile test" },
    };
    await target.api(`/rules/${rule.id}`, { rule, reason: "an alert of another sensor is watched" }, "PUT");
    const [logger, watched] = await Promise.all(
      ["logger", "watched"].map(async (sensorId) => {
        const login = await target.device(sensorId);
        const client = await mqtt.connectAsync(target.mqtt, { clientId: sensorId, ...login, reconnectPeriod: 0 });
        client.on("error", () => {});
        return { client, topic: `city/${DISTRICT}/air/${sensorId}` };
      }),
    );
    const times: number[] = [];
    const until = AbortSignal.any([signal, AbortSignal.timeout(60_000)]);

    /** Fires and ends in turn; measured from the reading to the change in the list. */
    async function watch(): Promise<void> {
      for (let hot = true; !until.aborted; hot = !hot) {
        const measuredAt = Date.now();
        await watched!.client.publishAsync(watched!.topic, JSON.stringify({ measuredAt, temperature: hot ? 60 : 20 }), {
          qos: 1,
        });
        for (let found = false; !found; ) {
          const state = hot ? "firing" : "resolved";
          const { items } = await target.api(`/alerts?sensor=watched&rule=${rule.id}&state=${state}&limit=1`);
          const at = hot ? items[0]?.startedAt : items[0]?.resolvedAt;
          found = at !== undefined && Date.parse(at) === measuredAt;
          if (Date.now() - measuredAt > PATIENCE_MS) throw new Error(`no alert of another sensor in ${PATIENCE_MS} ms`);
          if (!found) await sleep(10);
        }
        times.push(Date.now() - measuredAt);
        await sleep(WATCH_EVERY_MS);
      }
    }

    let sent = 0;
    async function send(): Promise<void> {
      const newest = Date.now() - 60_000;
      while (!until.aborted && sent < BACKLOG) {
        const readings = Array.from({ length: MESSAGE }, (_, i) => ({
          measuredAt: newest - Math.floor(((sent + i) * SPAN_MS) / BACKLOG),
          temperature: (sent + i) % 600 < 60 ? 60 : 20,
        }));
        sent += MESSAGE;
        await logger!.client.publishAsync(logger!.topic, JSON.stringify(readings), { qos: 1 });
      }
    }

    try {
      await Promise.all([send(), watch()]);
    } finally {
      logger!.client.end(true);
      watched!.client.end(true);
    }
    times.sort((a, b) => a - b);
    return `${sent} readings; another's alert after ${times[times.length >> 1]} ms (median), ${times.at(-1)} ms at most`;
  },
};
