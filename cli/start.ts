import { once } from "node:events";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Command } from "commander";
import pino from "pino";
import type { App } from "../app/app.ts";
import { type Config, loadConfig } from "../app/config.ts";
import { guardRejections, logLines } from "../app/lifecycle.ts";
import type { Log } from "../model/log.ts";
import type { FromSimulation } from "../simulators/thread.ts";

export function register(program: Command): void {
  program
    .command("start")
    .description("start the service: broker, ingest, rules and HTTP API")
    .option("--simulate <scenario>", "also start a simulated city that publishes through the real listener (city)")
    .option("--start-empty", "with a changed LAMPPOST_STORE, database or bucket: leave the readings where they are")
    .option(
      "--take-over",
      "this is the real service: tell people of alerts, also after a restore or beside a copy of it",
    )
    .option("--json", "print one line of JSON when ready, and log as JSON lines")
    .addHelpText(
      "after",
      "\nExample:\n  $ lamppost start --simulate city\n\nSettings come from the environment; .env.example lists them.",
    )
    .action((options: Options) => start(options));
}

type Options = {
  readonly simulate?: string;
  readonly startEmpty?: boolean;
  readonly takeOver?: boolean;
  readonly json?: boolean;
};

async function start(options: Options): Promise<void> {
  const config = loadConfig(undefined, options.simulate ? { LAMPPOST_SIMULATE: options.simulate } : {});
  // What the service keeps is for its own user, also the files that libraries make.
  process.umask(0o077);
  const log = pino({ level: config.logLevel, base: undefined }, logLines);
  guardRejections(log);
  const leaving = onSignals(log);
  // Loaded here: the other commands should not wait for the whole service to be read.
  const { startApp } = await import("../app/app.ts");
  const onFatal = (error: Error) => {
    // The journal cannot go on or the edge thread is gone: what was acknowledged is on disk, the restart replays it.
    log.error({ err: error }, "the service cannot go on");
    process.exit(1);
  };
  const app = await startApp(
    { ...config, startEmpty: options.startEmpty === true, takeOver: options.takeOver === true },
    log,
    onFatal,
    leaving.signal,
  ).catch((error: unknown) => {
    if (!leaving.signal.aborted) throw error;
    process.exit(0); // told to end while it started; what had started is stopped
  });
  const stopSimulation =
    config.simulate === "off" ? undefined : startSimulation(app, config, log.child({ module: "simulation" }));
  leaving.onHangUp(app.readAgain);
  leaving.onEnd(async () => {
    await stopSimulation?.();
    const cutOff = await app.stop();
    process.exit(cutOff.length === 0 ? 0 : 1);
  });
  if (options.json) console.log(JSON.stringify({ ready: true, http: app.http, mqtt: app.mqtt, https: app.https }));
  else greet(app, config.dataDir, config.simulate);
}

/** A thread of its own: a burst of simulated readings must not slow the service it is there to show. */
function startSimulation(
  app: App,
  { dataDir, simulatePace: pace }: Pick<Config, "dataDir" | "simulatePace">,
  log: Log,
): () => Promise<void> {
  const { http, mqtt, adminToken: token } = app;
  const workerData = { http, mqtt, token, pace, dataFile: join(dataDir, "simulator.json") };
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

const STOP_WITHIN_MS = 10_000;

/**
 * The first SIGTERM or SIGINT stops in order, also while the service starts; the second one at once. A stop that hangs
 * ends after ten seconds all the same: what was acknowledged is in the journal. SIGHUP reads the TLS files again.
 */
function onSignals(log: Log) {
  const leaving = new AbortController();
  const end = (signal: NodeJS.Signals) => {
    if (leaving.signal.aborted) process.exit(1);
    log.info({ signal }, "stopping");
    setTimeout(() => {
      log.error({}, "the stop took too long and was broken off; what was acknowledged is on disk");
      process.exit(1);
    }, STOP_WITHIN_MS).unref();
    leaving.abort(new Error(`stopped by ${signal}`));
  };
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
  let readAgain: (() => void) | undefined;
  process.on("SIGHUP", () => {
    readAgain?.();
    const what = readAgain ? "only the TLS files were read again" : "nothing was reloaded";
    log.warn({}, `SIGHUP: settings are read at the start only, ${what}; restart the service to change them`);
  });
  return {
    signal: leaving.signal,
    onHangUp(work: (() => void) | undefined): void {
      readAgain = work;
    },
    /** `work` when the process is told to end, or has been. */
    onEnd(work: () => Promise<void>): void {
      if (leaving.signal.aborted) void work();
      else leaving.signal.addEventListener("abort", () => void work(), { once: true });
    },
  };
}

function greet(app: App, dataDir: string, simulate: string): void {
  console.log(`
Lamppost is ready${simulate === "off" ? "" : `, with a simulated ${simulate}`}.

  web page and API   ${app.http}/        API pages ${app.http}/docs${app.https ? `\n  by HTTPS           ${app.https}/` : ""}
  MQTT               ${app.mqtt}   (MQTT over WebSocket on the same port)
  data               ${dataDir}
  admin token        ${app.adminTokenFile}

  alerts             curl -s -H "Authorization: Bearer $(cat ${app.adminTokenFile})" ${app.http}/api/v1/alerts
  first own sensor   ./lamppost device add my-sensor --kind air --district centre

Ctrl+C stops it; nothing acknowledged is lost.
`);
}
