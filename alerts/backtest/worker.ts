import "../../model/city-metrics-of-thread.ts";

import { parentPort, workerData } from "node:worker_threads";
import { viewBacktest } from "../../contract/backtest.ts";
import type { Span } from "../../model/backtest.ts";
import { createBlockReader, type ReadingBlock } from "../../model/reading-block.ts";
import type { Rule } from "../../model/rule.ts";
import type { WatchedSensor } from "../conditions/condition.ts";
import { stepBack } from "../step-back.ts";
import { createBacktest } from "./run.ts";

/** The thread of one backtest: blocks of readings in, one result out. */
export type WorkerStart = {
  readonly rules: readonly Rule[];
  readonly sensors: readonly WatchedSensor[];
  readonly zone: string | undefined;
  readonly place: Rule["place"] | undefined;
  readonly holidays: readonly string[] | undefined;
};
export type ToWorker = { readonly block: ReadingBlock } | { readonly span: Span; readonly reported: readonly string[] };
export type FromWorker = { readonly taken: number } | BacktestAnswer;
/** `body`: the result as the API shows it, in JSON: thousands of alerts are written here, not where ingest runs. */
export type BacktestAnswer = { readonly readings: number; readonly body: Uint8Array<ArrayBuffer> };

stepBack();
const port = parentPort!;
const { rules, sensors, zone, place, holidays } = workerData as WorkerStart;
const registry = new Map(sensors.map((sensor) => [sensor.id, sensor]));
const backtest = createBacktest(rules, (id) => registry.get(id), { zone, place, holidays });
const read = createBlockReader();

port.on("message", (message: ToWorker) => {
  if ("block" in message) {
    backtest.observe(read(message.block));
    port.postMessage({ taken: backtest.readings() } satisfies FromWorker);
    return;
  }
  const result = backtest.finish(message.span, message.reported);
  const body = new TextEncoder().encode(JSON.stringify(viewBacktest(result)));
  port.postMessage({ readings: result.readings, body } satisfies FromWorker, [body.buffer]);
  port.close();
});
