import { effect, signal } from "@preact/signals";
import { KINDS, type Kind } from "../../model/kinds.ts";
import { isMetricName, type MetricName } from "../../model/metrics.ts";

const KEY = "lamppost-map";

/** What the map of the desk shows, as it was last chosen in this browser. */
export type MapSettings = {
  readonly kinds: readonly Kind[];
  readonly alerts: boolean;
  readonly maintenance: boolean;
  /** How far each sensor speaks for its surroundings. */
  readonly coverage: boolean;
  /** The sensors are coloured by what they last said of it. */
  readonly metric: MetricName | undefined;
  readonly legend: boolean;
};

const DEFAULTS: MapSettings = {
  kinds: KINDS,
  alerts: true,
  maintenance: true,
  coverage: false,
  metric: undefined,
  legend: true,
};

export const mapSettings = signal<MapSettings>(read());

effect(() => {
  const now = JSON.stringify(mapSettings.value);
  try {
    localStorage.setItem(KEY, now);
  } catch {
    // A browser that keeps nothing still shows everything.
  }
});

export function changeMap(change: Partial<MapSettings>): void {
  mapSettings.value = { ...mapSettings.peek(), ...change };
}

/** What an older page kept, or somebody wrote there, is taken as far as it is understood. */
function read(): MapSettings {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<MapSettings>;
    const on = (name: "alerts" | "maintenance" | "coverage" | "legend") =>
      typeof kept[name] === "boolean" ? kept[name] : DEFAULTS[name];
    return {
      kinds: Array.isArray(kept.kinds) ? KINDS.filter((kind) => kept.kinds!.includes(kind)) : DEFAULTS.kinds,
      alerts: on("alerts"),
      maintenance: on("maintenance"),
      coverage: on("coverage"),
      legend: on("legend"),
      metric: typeof kept.metric === "string" && isMetricName(kept.metric) ? kept.metric : undefined,
    };
  } catch {
    return DEFAULTS;
  }
}
