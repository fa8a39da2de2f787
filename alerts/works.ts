import { matches, type Silence, type Span, silenceSpans } from "../model/silence.ts";
import { DAY_MS } from "../model/time.ts";
import type { Records } from "../store/records.ts";
import type { WatchedSensor } from "./conditions/condition.ts";

/** The longest past that anything is learnt from: days are compared over a month. */
const MEMORY_MS = 32 * DAY_MS;
const NONE: readonly Span[] = [];

/**
 * When people worked on a sensor, as the maintenance windows say that name it (not single rules), those that are over or
 * were ended, too: what it shows then teaches nothing. Worked out anew when a window is added or ended, and with each
 * day that the readings (`at`) come to.
 */
export function createWorks(silences: Pick<Records["silences"], "maintenanceSince" | "onChange">) {
  let windows: readonly Silence[] = [];
  let known = new WeakMap<WatchedSensor, readonly Span[]>();
  let day = Number.NEGATIVE_INFINITY;
  let renewAt = Number.NEGATIVE_INFINITY;
  silences.onChange(() => {
    renewAt = Number.NEGATIVE_INFINITY;
  });

  function renew(at: number): void {
    day = Math.max(day, Math.floor(at / DAY_MS) * DAY_MS);
    renewAt = day + DAY_MS;
    windows = silences.maintenanceSince(day - MEMORY_MS).filter(isOfSensors);
    known = new WeakMap();
  }

  /** Oldest first. */
  return function worksOn(sensor: WatchedSensor, at: number): readonly Span[] {
    if (at >= renewAt) renew(at);
    if (windows.length === 0) return NONE;
    const spans = known.get(sensor) ?? spansOf(sensor, windows, day);
    known.set(sensor, spans);
    return spans;
  };
}

function spansOf(sensor: WatchedSensor, windows: readonly Silence[], today: number): readonly Span[] {
  const own = windows.filter(({ matchers }) => namesSensor(matchers, sensor));
  const spans = own.flatMap((window) => silenceSpans(window, today - MEMORY_MS, today + 2 * DAY_MS));
  return spans.length === 0 ? NONE : spans.sort((a, b) => a.from - b.from);
}

/** Maintenance of sensors, not of some of the alerts about them. */
export const isOfSensors = ({ kind, matchers: { rule, severity, audience } }: Silence): boolean =>
  kind === "maintenance" && rule === undefined && severity === undefined && audience === undefined;

export function namesSensor(matchers: Silence["matchers"], sensor: WatchedSensor): boolean {
  const { id, kind, district, gateway, tags } = sensor;
  return matches(matchers, {
    rule: "",
    severity: "warning",
    audience: "crews",
    sensor: id,
    kind,
    district,
    gateway,
    tags,
  });
}
