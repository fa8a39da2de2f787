import type { ScenarioName } from "../../model/simulation.ts";
import type { Scenario } from "../events.ts";
import { EPISODE } from "./episode.ts";
import { ORDINARY_DAY } from "./ordinary-day.ts";
import { OUTAGE } from "./outage.ts";
import { STORM } from "./storm.ts";

export const SCENARIOS: Readonly<Record<ScenarioName, Scenario>> = {
  "ordinary-day": ORDINARY_DAY,
  episode: EPISODE,
  outage: OUTAGE,
  storm: STORM,
};
