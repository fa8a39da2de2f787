import type { SensorView } from "../api/sensors.ts";
import { sensors } from "./live.ts";

const NEIGHBOURS_MAX = 4;

/** The nearest of the same kind and district; in no order where nobody knows where they are. */
export function neighboursOf(id: string): SensorView[] {
  const own = sensors.peek().get(id);
  if (!own) return [];
  const others = [...sensors.peek().values()].filter(
    (one) => one.id !== id && one.kind === own.kind && one.district === own.district,
  );
  return others.sort((a, b) => distance(own, a) - distance(own, b)).slice(0, NEIGHBOURS_MAX);
}

/** Only to compare: degrees of latitude, longitude shortened to them. */
function distance(a: SensorView, b: SensorView): number {
  if (a.lat === undefined || a.lon === undefined || b.lat === undefined || b.lon === undefined) return Number.MAX_VALUE;
  return Math.hypot(a.lat - b.lat, (a.lon - b.lon) * Math.cos((a.lat * Math.PI) / 180));
}
