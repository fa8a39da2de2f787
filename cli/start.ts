import { once } from "node:events";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Command } from "commander";
import pino from "pino";
import type { App } from "../app.ts";
import { loadConfig } from "../config.ts";
import type { Log } from "../model/log.ts";
import type { FromSimulation } from "../simulators/thread.ts";

export function register(program: Command): void {
  program
    .command("start")
    .description("start the service: broker, ingest, rules and HTTP API")
    .option("--simulate <scenario>", "also start a simulated city that publishes through the real listener (city)")
    .option("--json", "print one line of JSON when ready, and log as JSON lines")
    .addHelpText(
      "after",
      "\nExample:\n  $ lamppost start --simulate city\n\nSettings come from the environment; .env.example lists them.",
    )
    .action((options: { simulate?: string; json?: boolean }) => start(options));
}

async function start(options: { simulate?: string; json?: boolean }): Promise<void> {
  const config = loadConfig(undefined, options.simulate ? { LAMPPOST_SIMULATE: options.simulate } : {});
  const log = pino({ level: config.logLevel, base: undefined }, pino.destination({ dest: 2, sync: false }));
  // Loaded here: the other commands should not wait for the whole service to be read.
  const { startApp } = await import("../app.ts");
  const app = await startApp(config, log, (error) => {
    // The journal cannot go on or the edge thread is gone: what was acknowledged is on disk, the restart replays it.
    log.error({ err: error }, "the service cannot go on");
    log.flush(() => process.exit(1));
  });
  const stopSimulation =
    config.simulate === "off" ? undefined : startSimulation(app, config.dataDir, log.child({ module: "simulation" }));
  onSignals(async () => {
    await stopSimulation?.();
    await app.stop();
    log.flush(() => process.exit(0));
  });
  if (options.json) console.log(JSON.stringify({ ready: true, http: app.http, mqtt: app.mqtt }));
  else greet(app, config.dataDir, config.simulate);
}

/** A thread of its own: a burst of simulated readings must not slow the service it is there to show. */
function startSimulation(app: App, dataDir: string, log: Log): () => Promise<void> {
  const { http, mqtt, adminToken: token } = app;
  const workerData = { http, mqtt, token, dataFile: join(dataDir, "simulator.json") };
  const worker = new Worker(new URL("../simulators/thread.ts", import.meta.url), { workerData });
  const ended = once(worker, "exit").catch(() => {}); // the error is told below
  worker.on("message", ({ level, fields, text }: FromSimulation) => log[level](fields, text));
  worker.on("error", (error: Error) =>
    log.error({ err: error }, "the simulated city has stopped; the service goes on"),
  );
  return async () => {
    worker.postMessage("stop");
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 2_000).unref())]);
  };
}

/** The first signal stops in order, the second at once. A stop that hangs ends after ten seconds: the journal has it. */
function onSignals(stop: () => Promise<void>): void {
  let stopping = false;
  const handle = () => {
    if (stopping) process.exit(1);
    stopping = true;
    setTimeout(() => process.exit(1), 10_000).unref();
    void stop();
  };
  process.on("SIGTERM", handle);
  process.on("SIGINT", handle);
}

function greet(app: App, dataDir: string, simulate: string): void {
  console.log(`
Lamppost is ready${simulate === "off" ? "" : `, with a simulated ${simulate}`}.

  web page and API   ${app.http}/        API pages ${app.http}/docs
  MQTT               ${app.mqtt}   (MQTT over WebSocket on the same port)
  data               ${dataDir}
  admin token        ${app.adminTokenFile}

  alerts             curl -s -H "Authorization: Bearer $(cat ${app.adminTokenFile})" ${app.http}/api/v1/alerts
  first own sensor   ./lamppost device add my-sensor --kind air --district centre

Ctrl+C stops it; nothing acknowledged is lost.
`);
}
