/** What can be played into the service beside its real sensors, and what can be recorded of it. */
export const SCENARIO_NAMES = ["ordinary-day", "episode", "outage", "storm"] as const;
export type ScenarioName = (typeof SCENARIO_NAMES)[number];

/** Sensors and districts of a run are called so, that nobody takes them for real ones and no real one gets their values. */
export const SIMULATED_PREFIX = "sim-";

export const RUN_MINUTES_MAX = 240;
export const RECORDING_MINUTES_MAX = 1_440;

/** Not now, or not here: the message says why, for people. */
export class SimulationRefused extends Error {
  override readonly name = "SimulationRefused";
}
