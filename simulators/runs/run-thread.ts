import { rmSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { createServiceClient } from "../../client/client.ts";
import type { RunReport } from "../../contract/simulation.ts";
import { SILENT } from "../../model/log.ts";
import type { ScenarioName } from "../../model/simulation.ts";
import { loadMapping } from "../mapping.ts";
import { type ReplayProgress, replay } from "../replay.ts";
import { prepareRun } from "./prepare.ts";

/** What a run is told as `workerData`. */
export type RunTask = {
  readonly http: string;
  readonly token: string;
  readonly mqtt: string;
  readonly source: { readonly scenario: ScenarioName } | { readonly file: string };
  readonly speed: number | "max";
  readonly districts?: readonly string[];
  readonly gateway: string;
  /** A file of its own; it is gone afterwards. */
  readonly scratch: string;
  readonly seed: number;
};

/** To the thread: "stop". From it these; if it fails, it ends with the Worker's "error" event. */
export type FromRun =
  | ({ readonly type: "progress" } & ReplayProgress)
  | { readonly type: "report"; readonly report: RunReport };

const port = parentPort;
if (!port) throw new Error("run-thread.ts runs in a worker thread only");
const task = workerData as RunTask;
const stopping = new AbortController();
const PROGRESS_EVERY_MS = 250;
port.on("message", (message: unknown) => {
  if (message === "stop") stopping.abort();
});

let latest: ReplayProgress | undefined;
const telling = setInterval(() => {
  if (latest) port.postMessage({ type: "progress", ...latest } satisfies FromRun);
  latest = undefined;
}, PROGRESS_EVERY_MS);

try {
  await prepareRun(task.source, { ...task, to: task.scratch, now: Date.now() });
  port.postMessage({ type: "report", report: await play() } satisfies FromRun);
} finally {
  clearInterval(telling);
  rmSync(task.scratch, { force: true });
  port.close();
}

/** Through the broker's front door, like any recording. */
async function play(): Promise<RunReport> {
  const report = await replay({
    service: createServiceClient({ url: task.http, token: task.token }),
    mqtt: task.mqtt,
    mapping: loadMapping("native"),
    files: [task.scratch],
    gateway: task.gateway,
    speed: task.speed,
    start: "now",
    now: Date.now,
    random: Math.random,
    log: SILENT, // what goes wrong ends the run, and is told there
    signal: stopping.signal,
    onProgress(progress) {
      latest = progress;
    },
  });
  const { sent, stored, duplicates, quarantined, balanced } = report;
  const alertsRaised = Object.values(report.alertsRaised).reduce((sum, count) => sum + count, 0);
  return { sent, stored, duplicates, quarantined, balanced, alertsRaised };
}
