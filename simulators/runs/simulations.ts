import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Background } from "../../model/background.ts";
import type { Log } from "../../model/log.ts";
import { type Run, type RunQuestion, type RunReport, SimulationRefused } from "../../model/simulation.ts";
import type { FromRun, RunTask } from "./run-thread.ts";

export type RunsOptions = {
  /** Where the service is and the admin's token; or why nothing can run here. */
  service(): Pick<RunTask, "http" | "token" | "mqtt"> | { readonly refused: string };
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
export const RUN_GATEWAY = "sim-run-";

/** One run at a time, each in a thread of its own: a burst must not slow the service it is there to show. */
export function createRuns(options: RunsOptions) {
  const { background, now, log } = options;
  let current: { run: Run; worker: Worker; stopped: boolean; callOff: (() => void)[] } | undefined;
  let last: Run | undefined;

  /** Throws `SimulationRefused`. */
  function start(asked: RunQuestion, by: string): Run {
    const service = options.service();
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
      ...{ speed, districts, gateway: `${RUN_GATEWAY}${id}`, scratch: join(options.dir, `.run-${id}.ndjson`) },
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
