import { join } from "node:path";
import { type Command, Option } from "commander";
import pino from "pino";
import { clientConfig } from "../app/config.ts";
import { startSimulation } from "../simulators/simulate.ts";
import { findService, type ServiceOptions, withService } from "./client.ts";
import { parseCount } from "./options.ts";

type Options = ServiceOptions & { readonly mqtt?: string; readonly seed: number; readonly secrets?: string };

const REPORT_EVERY_MS = 10_000;

export function register(program: Command): void {
  withService(
    program
      .command("simulate")
      .description("a made-up city of 65 sensors that publish over MQTT, each with its own password, until Ctrl+C")
      .argument("<scenario>", 'which one: "city"'),
    "simulate city --url http://127.0.0.1:8080 --mqtt mqtt://127.0.0.1:1883 --token …",
  )
    .addOption(new Option("--mqtt <url>", "MQTT address of the service (needed with --url)"))
    .option("--seed <n>", "another seed is another city", parseCount, 1)
    .option("--secrets <file>", "where its passwords are kept (default: <data>/simulator.json)")
    .action(simulate);
}

async function simulate(scenario: string, options: Options, command: Command): Promise<void> {
  if (scenario !== "city") command.error(`error: there is no scenario "${scenario}"; there is: city`, { exitCode: 2 });
  const service = findService(options);
  const mqtt = options.mqtt ?? service.mqtt;
  if (!mqtt) return command.error("error: --url needs --mqtt beside it", { exitCode: 2 });
  const log = pino({ level: "info", base: undefined }, pino.destination({ dest: 2, sync: true }));
  const simulation = startSimulation({
    http: service.client.url,
    token: service.token,
    mqtt,
    dataFile: options.secrets ?? join(clientConfig().dataDir, "simulator.json"),
    seed: options.seed,
    now: Date.now,
    random: Math.random,
    log,
  });
  const report = () => console.log(describe(simulation.counts(), options.json));
  const timer = setInterval(report, REPORT_EVERY_MS);
  const stop = () => void simulation.stop();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  try {
    await simulation.running;
    await simulation.stop();
    report();
  } finally {
    clearInterval(timer);
  }
}

function describe(counts: ReturnType<ReturnType<typeof startSimulation>["counts"]>, json?: boolean): string {
  if (json) return JSON.stringify(counts);
  const { sensors, connections, history, live, resent, skipped } = counts;
  return `${sensors} sensors, ${connections} connections, acknowledged: ${history} of the past, ${live} live; resent ${resent}, skipped ${skipped}`;
}
