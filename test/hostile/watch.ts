import { setTimeout as sleep } from "node:timers/promises";
import mqtt from "mqtt";
import { DISTRICT, type Target } from "./attack.ts";

const WATCH_EVERY_MS = 500;
/** An alert that takes longer was held up: alone it takes some hundredths of a second. */
const PATIENCE_MS = 5_000;

/**
 * A rule for a critical alert, and one honest sensor whose alert fires and ends in turn until `until` aborts; measured
 * from the reading to the change in the list. Throws when one does not come.
 */
export async function watchAlerts(target: Target, sensors: readonly string[]) {
  const rule = {
    id: "hostile-heat",
    title: "Heat in the hostile test",
    kind: "air",
    metric: "temperature",
    select: { sensor: ["watched", ...sensors] },
    condition: { type: "threshold", above: 30 },
    severity: "critical",
    audience: "operators",
    source: { text: "the hostile test" },
  };
  await target.api(`/rules/${rule.id}`, { rule, reason: "an alert of another sensor is watched" }, "PUT");
  const login = await target.device("watched");
  const client = await mqtt.connectAsync(target.mqtt, { clientId: "watched", ...login, reconnectPeriod: 0 });
  client.on("error", () => {});
  let times: number[] = [];
  let isHot = false;

  async function once(hot: boolean): Promise<void> {
    const measuredAt = Date.now();
    const payload = JSON.stringify({ measuredAt, temperature: hot ? 40 : 20 });
    await client.publishAsync(`city/${DISTRICT}/air/watched`, payload, { qos: 1 });
    for (let found = false; !found; ) {
      const state = hot ? "firing" : "resolved";
      const { items } = await target.api(`/alerts?sensor=watched&rule=${rule.id}&state=${state}&limit=1`);
      const at = hot ? items[0]?.startedAt : items[0]?.resolvedAt;
      found = at !== undefined && Date.parse(at) === measuredAt;
      if (Date.now() - measuredAt > PATIENCE_MS) throw new Error(`no alert of another sensor in ${PATIENCE_MS} ms`);
      if (!found) await sleep(10);
    }
    times.push(Date.now() - measuredAt);
  }

  return {
    async run(until: AbortSignal): Promise<void> {
      while (!until.aborted) {
        isHot = !isHot;
        await once(isHot);
        await sleep(WATCH_EVERY_MS);
      }
    },
    /** In words; of the times since the last call. */
    summary(): string {
      const taken = times.sort((a, b) => a - b);
      times = [];
      return `another's alert after ${taken[taken.length >> 1]} ms (median), ${taken.at(-1)} ms at most`;
    },
    close: () => void client.end(true),
  };
}
