import { createEngine, type EngineOptions } from "./engine/engine.ts";

export type Detector = ReturnType<typeof createDetector>;

/** What finds out: the same pure code live, over history and in the tests of rules. Knows no clock. */
export function createDetector(options: EngineOptions) {
  return createEngine(options);
}
