import type { Readable } from "node:stream";
import type { RecordingFile, RecordingNow, RecordingQuestion, Run, RunQuestion } from "../model/simulation.ts";

/** Scenarios and recordings, as the API needs them. What cannot be done now throws `SimulationRefused`. */
export type SimulationDeps = {
  /** Why nothing can run here. */
  refusal(): string | undefined;
  districts(): readonly string[];
  current(): Run | undefined;
  last(): Run | undefined;
  start(asked: RunQuestion, by: string): Run;
  /** False if it does not run. */
  stop(id: string): boolean;
  readonly recordings: {
    list(): readonly RecordingFile[];
    current(): RecordingNow | undefined;
    start(asked: RecordingQuestion, by: string): RecordingNow;
    stop(name: string): boolean;
    remove(name: string): boolean;
    read(name: string): Readable | undefined;
  };
};
