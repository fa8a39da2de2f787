import { parentPort, workerData } from "node:worker_threads";
import { checkMapFile } from "./check-map-file.ts";
import { MapFileRefused } from "./refused.ts";

/** Looks at a file that came while the service works: the largest would hold up everybody else. */
try {
  parentPort!.postMessage({ facts: checkMapFile((workerData as { path: string }).path) });
} catch (error) {
  if (!(error instanceof MapFileRefused)) throw error;
  parentPort!.postMessage({ refused: error.message });
}
