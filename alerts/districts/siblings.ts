import type { MetricName } from "../../model/metrics.ts";

/** A metric in the time of the alert and in the sensor's recent past. */
export type Glimpse = { readonly now: number; readonly before: number | undefined };
type Look = (metric: MetricName) => Glimpse | undefined;

/** What the sensor's other metrics say: in words, each undefined if they say nothing. */
export type SiblingEvidence = {
  /** Another measurement of the same thing went with it. */
  readonly agrees?: string;
  /** Together the values cannot be true. */
  readonly contradicts?: string;
};

/** The metrics to know beside one that a rule watches. */
export const SIBLINGS: Partial<Record<MetricName, readonly MetricName[]>> = {
  pm1: ["pm25", "pm10"],
  pm25: ["pm10"],
  pm10: ["pm25"],
  flow: ["occupancy", "speed"],
  occupancy: ["flow", "speed"],
  speed: ["flow", "occupancy"],
  activePower: ["voltage", "current"],
  current: ["activePower", "voltage", "oilTemperature"],
  voltage: ["activePower", "current"],
  oilTemperature: ["current"],
};

/** Pure: `look` answers the sensor's own other values. */
export function siblingEvidence(metric: MetricName, look: Look): SiblingEvidence {
  switch (metric) {
    case "pm25":
    case "pm1":
      return finerThanCoarse(metric, look);
    case "flow":
    case "occupancy":
    case "speed":
      return loop(look);
    case "voltage":
    case "current":
    case "activePower":
    case "oilTemperature":
      return circuit(metric, look);
    default:
      return {};
  }
}

const round = (value: number) => String(Math.round(value * 10) / 10);

/**
 * Fine particles are among the coarse ones. Reference stations break that by a little in 3 to 8 % of hours, so only half
 * as much again and 20 µg/m³ count.
 */
function finerThanCoarse(metric: "pm25" | "pm1", look: Look): SiblingEvidence {
  const [fine, coarse] = [look(metric)?.now, look(metric === "pm25" ? "pm10" : "pm25")?.now];
  if (fine === undefined || coarse === undefined || fine <= 1.5 * coarse + 20) return {};
  return {
    contradicts: `its own coarser particles are at ${round(coarse)} µg/m³, of which ${round(fine)} cannot be a part`,
  };
}

/** Vehicle and detector together, in m: 10 o v / q of occupancy in %, speed in km/h and flow in veh/h. */
const LENGTH_M = [2.5, 25] as const;

/** A loop that jams shows it twice: slower, and longer covered. What it shows must fit vehicles of a possible length. */
function loop(look: Look): SiblingEvidence {
  const [flow, occupancy, speed] = [look("flow"), look("occupancy"), look("speed")];
  if (flow && occupancy && speed && flow.now > 60 && occupancy.now > 0 && speed.now > 0) {
    const length = (10 * occupancy.now * speed.now) / flow.now;
    // Medians of an hour mix jam and free flow: only what is off by twice and more cannot be.
    if (length < LENGTH_M[0] / 2 || length > LENGTH_M[1] * 2) {
      return { contradicts: `flow, occupancy and speed together would mean vehicles of ${round(length)} m` };
    }
  }
  if (!occupancy || !speed || occupancy.before === undefined || speed.before === undefined) return {};
  const jammed = speed.now <= 0.8 * speed.before && occupancy.now >= 1.2 * occupancy.before + 1;
  if (!jammed) return {};
  return {
    agrees: `its speed fell from ${round(speed.before)} to ${round(speed.now)} km/h while its occupancy rose from ${round(occupancy.before)} to ${round(occupancy.now)} %`,
  };
}

/** kW per kVA of one phase: below or above this no number of phases and no power factor explains it. */
const POWER_RATIO = [0.05, 4] as const;

/** Power is voltage times current, times up to three phases. A loaded transformer warms up; a loaded line sags. */
function circuit(metric: MetricName, look: Look): SiblingEvidence {
  const [power, volts, amps, oil] = [look("activePower"), look("voltage"), look("current"), look("oilTemperature")];
  if (power && volts && amps && Math.abs(amps.now) > 5 && volts.now > 50) {
    const ratio = (1_000 * Math.abs(power.now)) / (volts.now * Math.abs(amps.now));
    if (ratio < POWER_RATIO[0] || ratio > POWER_RATIO[1]) {
      return {
        contradicts: `${round(volts.now)} V and ${round(amps.now)} A do not make ${round(power.now)} kW`,
      };
    }
  }
  if (metric === "voltage") return {};
  const load = metric === "current" ? (power ?? oil) : amps;
  if (!load || load.before === undefined || load.now < 1.15 * load.before || load.now < 1) return {};
  const name = metric !== "current" ? "current" : power ? "power" : "oil temperature";
  return { agrees: `its ${name} rose with it, from ${round(load.before)} to ${round(load.now)}` };
}
