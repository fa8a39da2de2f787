import type { Scenario } from "../run.ts";
import { DAMAGE_SCENARIOS } from "./damage.ts";
import { DEATH_SCENARIOS } from "./deaths.ts";
import { DISK_SCENARIOS } from "./disk.ts";
import { MESSAGE_SCENARIOS } from "./messages.ts";
import { STORE_SCENARIOS } from "./store.ts";

export const SCENARIOS: readonly Scenario[] = [
  ...MESSAGE_SCENARIOS,
  ...STORE_SCENARIOS,
  ...DISK_SCENARIOS,
  ...DEATH_SCENARIOS,
  ...DAMAGE_SCENARIOS,
];
