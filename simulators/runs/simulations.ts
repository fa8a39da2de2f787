import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Run, RunQuestion, RunReport } from "../../contract/simulation.ts";
import type { Background } from "../../model/background.ts";
import type { Log } from "../../model/log.ts";
import type { Reading } from "../../model/reading.ts";
import { SIMULATED_PREFIX, SimulationRefused } from "../../model/simulation.ts";
import { DISTRICT_IDS } from "../places.ts";
import { createRecorder } from "./recorder.ts";
import type { FromRun, RunTask } from "./run-thread.ts";

type SimulationsOptions = {
  /** Of the recordings, and for scratch files. */
  readonly dir: string;
  /** The service's accounts: each run has a gateway of its own, which goes with it. */
  readonly credentials: {
    list(role: "gateway"): readonly { readonly account: { readonly name: string } }[];
    remove(name: string): boolean;
  };
  /** The service's sensors: those that a run brought with it go some time after it. */
  readonly sensors: {
    list(): readonly { readonly id: string; readonly gateway?: string | undefined }[];
    remove(id: string): unknown;
  };
  /** Whether sensors of gateways are let in. */
  readonly autoEnrol: boolean;
  /** Live readings, for recordings. */
  subscribe(listener: (readings: readonly Reading[]) => void): () => void;
  /** Ends the connections of an account. */
  disconnect(name: string): void;
  readonly background: Background;
  readonly now: () => number;
  readonly log: Log;
};

/** Where the service listens, and its admin's token if it has one. */
type Service = { readonly http: string; readonly mqtt: string; readonly token: string | undefined };

/** Long enough to look at what came of a run, and short of the time after which its sensors are called silent. */
const SENSORS_KEPT_MS = 15 * 60_000;

/** Scenarios, replays and recordings that people start on the page: from `open` on. */
export function createSimulations(options: SimulationsOptions) {
  const { dir, credentials, sensors, background, now, log } = options;
  let service: Service | undefined;
  let callOffCleaning = () => {};
  const recorder = createRecorder({ dir, subscribe: options.subscribe, background, now, log });
  const onEnd = background.handler("end of a simulation", (gateway: string) => {
    if (credentials.remove(gateway)) options.disconnect(gateway);
    removeSensorsLater();
  });
  const runs = createRuns({ dir, now, log, serviceFor, fileOf: recorder.fileOf, onEnd, background });
  // What a crash has left. Its sensors may come back: what is still in the journal is read again.
  for (const { account } of credentials.list("gateway")) {
    if (account.name.startsWith(RUN_GATEWAY)) credentials.remove(account.name);
  }
  removeSensorsLater();

  function serviceFor(): Required<Pick<RunTask, "http" | "token" | "mqtt">> | { readonly refused: string } {
    if (!service) return { refused: "The service is still starting." };
    const { token, ...address } = service;
    if (token === undefined) return { refused: "The service has no admin token to make a gateway with." };
    if (!options.autoEnrol) return { refused: "LAMPPOST_AUTO_ENROL is off: simulated sensors would not be let in." };
    return { ...address, token };
  }

  function removeSensorsLater(): void {
    callOffCleaning();
    callOffCleaning = background.later("removal of simulated sensors", SENSORS_KEPT_MS, () => {
      if (!runs.current()) removeSensors();
    });
  }

  /** They would be called silent for ever. Their readings and alerts stay. */
  function removeSensors(): void {
    for (const { id, gateway } of sensors.list()) {
      if (id.startsWith(SIMULATED_PREFIX) && gateway?.startsWith(RUN_GATEWAY)) sensors.remove(id);
    }
  }

  return {
    /** The listeners are up: runs can be started. */
    open(at: Service): void {
      service = at;
    },
    /** Why nothing can run now; undefined if it can. */
    refusal(): string | undefined {
      const found = serviceFor();
      return "refused" in found ? found.refused : undefined;
    },
    districts: () => DISTRICT_IDS,
    start: runs.start,
    stop: runs.stop,
    current: runs.current,
    last: runs.last,
    recordings: recorder,
    async close(): Promise<void> {
      callOffCleaning();
      await recorder.close();
      await runs.close();
    },
  };
}

type RunsOptions = {
  /** Where the service is and the admin's token; or why nothing can run here. */
  serviceFor(): Pick<RunTask, "http" | "token" | "mqtt"> | { readonly refused: string };
  /** A recording's file; undefined if there is none. */
  fileOf(recording: string): string | undefined;
  /** For scratch files. */
  readonly dir: string;
  readonly now: () => number;
  readonly log: Log;
  /** Its gateway is not needed any more, however it ended. */
  onEnd(gateway: string): void;
  readonly background: Pick<Background, "later">;
};

/** After a stop: sent readings are still booked and counted. A thread that takes longer is ended. */
const STOP_WITHIN_MS = 60_000;
/** Names of the gateways of runs begin so. */
const RUN_GATEWAY = "sim-run-";

/** One run at a time, each in a thread of its own: a burst must not slow the service it is there to show. */
function createRuns(options: RunsOptions) {
  const { background, now, log } = options;
  let current: { run: Run; worker: Worker; stopped: boolean; callOff: (() => void)[] } | undefined;
  let last: Run | undefined;

  /** Throws `SimulationRefused`. */
  function start(asked: RunQuestion, by: string): Run {
    const service = options.serviceFor();
    if ("refused" in service) throw new SimulationRefused(service.refused);
    if (current) throw new SimulationRefused(`${current.run.by} has one running; there is one at a time.`);
    const id = randomBytes(4).toString("hex");
    const startedAt = now();
    const endsAt = startedAt + asked.minutes * 60_000;
    const run: Run = { ...asked, id, by, startedAt, endsAt, phase: "preparing", done: 0, total: 0 };
    const worker = new Worker(new URL("./run-thread.ts", import.meta.url), { workerData: taskOf(run, service) });
    current = { run, worker, stopped: false, callOff: [] };
    current.callOff.push(background.later("end of a simulation's time", endsAt - startedAt, () => void stop(id)));
    listen(worker, `${RUN_GATEWAY}${id}`);
    log.info({ run: id, by, source: asked.source }, "a simulation has started");
    return run;
  }

  function taskOf(run: Run, service: Pick<RunTask, "http" | "token" | "mqtt">): RunTask {
    const { id, source, speed, districts } = run;
    const file = "recording" in source ? options.fileOf(source.recording) : undefined;
    if ("recording" in source && !file) throw new SimulationRefused(`There is no recording "${source.recording}".`);
    return {
      ...service,
      speed,
      districts,
      gateway: `${RUN_GATEWAY}${id}`,
      scratch: join(options.dir, `.run-${id}.ndjson`),
      source: "scenario" in source ? source : { file: file! },
      seed: Number.parseInt(id, 16) % 1_000_000,
    };
  }

  function listen(worker: Worker, gateway: string): void {
    let report: RunReport | undefined;
    let failure: Error | undefined;
    worker.on("message", (message: FromRun) => {
      if (message.type === "report") report = message.report;
      else if (current?.worker === worker) {
        const { phase, done, total } = message;
        // Phases after the sending count other things than readings.
        const counts = phase === "sending" ? { done, total } : {};
        current.run = { ...current.run, phase, ...counts };
      }
    });
    worker.on("error", (error: Error) => {
      failure = error;
    });
    worker.on("exit", () => {
      end(report, failure);
      options.onEnd(gateway);
    });
  }

  function end(report: RunReport | undefined, failure: Error | undefined): void {
    if (!current) return;
    const { run, stopped, callOff } = current;
    for (const one of callOff) one();
    const how = stopped ? "stopped" : failure || !report ? "failed" : "done";
    const reason = how === "failed" ? { reason: failure?.message ?? "It ended without a word." } : {};
    last = { ...run, ended: { at: now(), how, ...reason, ...(report ? { report } : {}) } };
    current = undefined;
    log.info({ run: run.id, how, ...reason, ...report }, "a simulation has ended");
  }

  /** False if it does not run. It ends when what was sent is booked. */
  function stop(id: string): boolean {
    if (current?.run.id !== id) return false;
    const { worker } = current;
    current.stopped = true;
    worker.postMessage("stop");
    current.callOff.push(
      background.later("end of a simulation's thread", STOP_WITHIN_MS, () => void worker.terminate()),
    );
    return true;
  }

  async function close(): Promise<void> {
    if (!current) return;
    current.stopped = true;
    await current.worker.terminate();
  }

  return { start, stop, close, current: () => current?.run, last: () => last };
}
