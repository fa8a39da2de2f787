import "../model/city-metrics-of-thread.ts";

import { parentPort, workerData } from "node:worker_threads";
import type { Log } from "../model/log.ts";
import { startSimulation } from "./simulate.ts";

/** What `./lamppost start --simulate city` hands over as `workerData`. */
type SimulationThreadData = {
  readonly http: string;
  readonly token: string;
  readonly mqtt: string;
  readonly dataFile: string;
  /** Another seed is another city. */
  readonly seed?: number;
  /** So much faster its days pass. */
  readonly pace?: number;
};

/** To the thread: "stop". From it: log lines. If it cannot go on, it ends with the Worker's "error" event. */
export type FromSimulation = {
  readonly type: "log";
  readonly level: "debug" | "info" | "warn" | "error";
  readonly fields: object;
  readonly text: string;
};

const port = parentPort;
if (!port) throw new Error("thread.ts runs in a worker thread only");

const say = (message: FromSimulation) => port.postMessage(message);

function logTo(shared: object): Log {
  const at = (level: "debug" | "info" | "warn" | "error") => (fields: object, text: string) =>
    say({ type: "log", level, fields: { ...shared, ...fields }, text });
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => logTo({ ...shared, ...fields }),
  };
}

const simulation = startSimulation({
  seed: 1,
  ...(workerData as SimulationThreadData),
  now: Date.now,
  random: Math.random,
  log: logTo({}),
});
simulation.running.catch((error: Error) => {
  port.close();
  throw error;
});
port.on("message", (message: unknown) => {
  if (message === "stop") void simulation.stop().finally(() => port.close());
});
