import { join } from "node:path";
import type { SimulationDeps } from "../api/simulation-deps.ts";
import type { Background } from "../model/background.ts";
import type { Log } from "../model/log.ts";
import type { Reading } from "../model/reading.ts";
import { SIMULATED_PREFIX } from "../model/simulation.ts";
import { DISTRICT_IDS } from "../simulators/places.ts";
import { createRecorder } from "../simulators/runs/recorder.ts";
import { createRuns, RUN_GATEWAY } from "../simulators/runs/runs.ts";
import type { Records } from "../store/records.ts";
import type { StopStack } from "./lifecycle.ts";

export type SimulationsStart = {
  readonly dataDir: string;
  readonly records: Pick<Records, "sensors" | "credentials">;
  /** Live readings, for recordings. */
  subscribe(listener: (readings: readonly Reading[]) => void): () => void;
  /** Known once the listeners are up. */
  address(): { readonly http: string; readonly mqtt: string };
  readonly adminToken: string | undefined;
  readonly autoEnrol: boolean;
  disconnect(name: string): void;
  readonly background: Background;
  readonly now: () => number;
  readonly log: Log;
};

/** Long enough to look at what came of a run, and short of the time after which its sensors are called silent. */
const SENSORS_KEPT_MS = 15 * 60_000;

/** Scenarios, replays and recordings that people start on the page. */
export function startSimulations(options: SimulationsStart, onStop: StopStack["onStop"]): SimulationDeps {
  const { records, background, now, log } = options;
  const dir = join(options.dataDir, "recordings");
  let callOffCleaning = () => {};
  const recorder = createRecorder({ dir, subscribe: options.subscribe, background, now, log });
  const runs = createRuns({
    ...{ dir, now, log, service, fileOf: recorder.fileOf },
    onEnd: background.handler("end of a simulation", (gateway) => {
      removeGateway(gateway);
      removeSensorsLater();
    }),
    background,
  });
  onStop("simulations", async () => {
    callOffCleaning();
    await recorder.close();
    await runs.close();
  });
  // What a crash has left. Its sensors may come back: what is still in the journal is read again.
  for (const { account } of records.credentials.list("gateway")) {
    if (account.name.startsWith(RUN_GATEWAY)) records.credentials.remove(account.name);
  }
  removeSensorsLater();

  function service() {
    if (options.adminToken === undefined) return { refused: "The service has no admin token to make a gateway with." };
    if (!options.autoEnrol) return { refused: "LAMPPOST_AUTO_ENROL is off: simulated sensors would not be let in." };
    return { ...options.address(), token: options.adminToken };
  }

  function removeGateway(name: string): void {
    if (records.credentials.remove(name)) options.disconnect(name);
  }

  function removeSensorsLater(): void {
    callOffCleaning();
    callOffCleaning = background.later("removal of simulated sensors", SENSORS_KEPT_MS, () => {
      if (!runs.current()) removeSensors();
    });
  }

  /** They would be called silent for ever. Their readings and alerts stay. */
  function removeSensors(): void {
    for (const { id, gateway } of records.sensors.list()) {
      if (id.startsWith(SIMULATED_PREFIX) && gateway?.startsWith(RUN_GATEWAY)) records.sensors.remove(id);
    }
  }

  return {
    refusal() {
      const found = service();
      return "refused" in found ? found.refused : undefined;
    },
    districts: () => DISTRICT_IDS,
    ...{ start: runs.start, stop: runs.stop, current: runs.current, last: runs.last },
    recordings: recorder,
  };
}
