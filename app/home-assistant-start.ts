import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createHomeAssistant, type DiscoveredSensor, type DiscoveryPorts } from "../alerts/home-assistant.ts";
import type { Live } from "../api/live.ts";
import type { Alert } from "../model/alert.ts";
import { METRICS_OF } from "../model/metrics.ts";
import { momentsOf } from "../model/newest.ts";
import type { Records } from "../store/records.ts";

type HomeAssistantStart = Pick<DiscoveryPorts, "publish"> & {
  readonly isOn: boolean;
  /** Where it is kept what was told. */
  readonly file: string;
  readonly records: Pick<Records, "sensors" | "alerts">;
  readonly live: Pick<Live, "find" | "seen">;
};

const PAGE = 100;
/** Many more are no other message than so many. */
const ALERTS_MAX = 2_000;

/** Discovery by Home Assistant, of the sensors and alerts there are. */
export function startHomeAssistant({ isOn, file, records, live, publish }: HomeAssistantStart) {
  function* sensors(): Iterable<DiscoveredSensor> {
    for (const { id, kind, district } of records.sensors.after(undefined)) {
      const newest = live.find(kind, id);
      const moments = newest === undefined ? [] : momentsOf(newest);
      const metrics = METRICS_OF[kind].filter((metric) => moments.some(({ values }) => metric in values));
      yield { id, kind, district, metrics, hasStatus: live.seen(id)?.online !== undefined };
    }
  }

  function openAlerts(): readonly Alert[] {
    const open: Alert[] = [];
    for (let cursor: string | undefined; open.length < ALERTS_MAX; ) {
      const { items, next } = records.alerts.list({ state: ["firing"] }, PAGE, cursor);
      open.push(...items.filter(({ mode }) => mode === undefined));
      if (next === undefined) break;
      cursor = next;
    }
    return open;
  }

  const kept = {
    load: (): string[] => (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : []),
    save(topics: readonly string[]): void {
      writeFileSync(`${file}.new`, JSON.stringify(topics));
      renameSync(`${file}.new`, file);
    },
  };
  const districts = () => records.sensors.districts().map(({ district }) => district);
  return createHomeAssistant(isOn, { sensors, districts, openAlerts, publish, kept });
}
