import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { benchLatency, benchPipeline } from "./pipeline.ts";

/** `npm run bench [-- --seconds 10 --pairs 3 --json]`: prints figures, decides nothing. */
const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    pairs: { type: "string", default: "3" },
    json: { type: "boolean", default: false },
  },
});

const machine = { cores: cpus().length, model: cpus()[0]?.model, node: process.version };
const pipeline = await benchPipeline({ durationMs: Number(values.seconds) * 1000, pairs: Number(values.pairs) });
const latency = await benchLatency(Number(values.seconds) * 1000);

if (values.json) console.log(JSON.stringify({ machine, pipeline, latency }));
else {
  console.log(`${machine.cores} cores (${machine.model}), node ${machine.node}, load generator on the same machine`);
  console.table(pipeline);
  console.table(latency);
}
