import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { benchAlertLatency } from "./alert-latency.ts";
import { benchBacktest } from "./backtest.ts";
import { benchExternalBroker } from "./external-broker.ts";
import { benchFormats } from "./formats.ts";
import { benchOutage } from "./outage.ts";
import { benchLatency, benchPipeline } from "./pipeline.ts";
import { benchRestart } from "./restart.ts";
import { benchMemory, benchSpeed } from "./rules.ts";

/**
 * `npm run bench [-- <name>] [-- --json]`: prints figures, decides nothing.
 *
 * pipeline (the default)  --seconds 10 --pairs 3
 * restart                 --messages 1000000
 * rules                   --seconds 10; the engine alone, then an alert's way through the service; `node --expose-gc` gives a truer figure of the memory
 * broker                  --seconds 10; needs Mosquitto
 * formats                 --seconds 10 --pairs 3; formats of others beside our own
 * backtest                --days 30 --sensors 1000; 8.64 million readings
 * outage                  --seconds 10 --rate 1000; needs influxd 1.x
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "10" },
    pairs: { type: "string", default: "3" },
    messages: { type: "string", default: "1000000" },
    rate: { type: "string", default: "1000" },
    days: { type: "string", default: "30" },
    sensors: { type: "string", default: "1000" },
    json: { type: "boolean", default: false },
  },
});

const durationMs = Number(values.seconds) * 1000;
const BENCHES: Readonly<Record<string, () => Promise<Record<string, object>>>> = {
  pipeline: async () => ({
    pipeline: await benchPipeline({ durationMs, pairs: Number(values.pairs) }),
    latency: await benchLatency(durationMs),
  }),
  backtest: async () => ({ backtest: await benchBacktest(Number(values.days), Number(values.sensors)) }),
  formats: async () => ({ formats: await benchFormats({ durationMs, pairs: Number(values.pairs) }) }),
  broker: async () => ({ broker: await benchExternalBroker(durationMs) }),
  outage: async () => {
    const { phases, ...outage } = await benchOutage({ outageMs: durationMs, ratePerS: Number(values.rate) });
    return { phases, outage };
  },
  rules: async () => ({
    memory: benchMemory(),
    speed: benchSpeed(),
    latency: await benchAlertLatency(durationMs),
  }),
  restart: async () => ({ restart: [await benchRestart(Number(values.messages))] }),
};

const name = positionals[0] ?? "pipeline";
const bench = BENCHES[name];
if (!bench) throw new Error(`there is no benchmark "${name}": ${Object.keys(BENCHES).join(", ")}`);
const machine = { cores: cpus().length, model: cpus()[0]?.model, node: process.version };
const results = await bench();

if (values.json) console.log(JSON.stringify({ machine, ...results }));
else {
  console.log(`${machine.cores} cores (${machine.model}), node ${machine.node}, load generator on the same machine`);
  for (const table of Object.values(results)) console.table(table);
}
