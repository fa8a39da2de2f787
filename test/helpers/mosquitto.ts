import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { programPath } from "./needs.ts";

export type Mosquitto = {
  readonly url: string;
  readonly port: number;
  /** SIGTERM: saves its sessions and queues. SIGKILL: whatever it had not saved is gone. Keeps port and data for `resume`. */
  halt(signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
  resume(): Promise<void>;
  /** Ends the process and removes its data. */
  stop(): Promise<void>;
};

/**
 * A private Mosquitto on a free loopback port with persistence in a temporary folder and no limit on its queues. Ask
 * `needs("mosquitto")` first. `extra`: more lines of its configuration.
 */
export async function startMosquitto(extra: readonly string[] = []): Promise<Mosquitto> {
  const folder = await mkdtemp(join(tmpdir(), "lamppost-mosquitto-"));
  const port = await freePort();
  const config = join(folder, "mosquitto.conf");
  await writeFile(config, [...configOf(folder, port), ...extra, ""].join("\n"));
  let server = await launch(config);

  async function halt(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, "exit");
    server.kill(signal);
    await ended;
  }

  return {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    halt,
    async resume() {
      server = await launch(config);
    },
    async stop() {
      await halt("SIGKILL");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** `user root`: started by root it would become somebody who may not write to the folder; others cannot change it. */
function configOf(folder: string, port: number): string[] {
  const persistence = ["persistence true", `persistence_location ${folder}/`];
  return [`listener ${port} 127.0.0.1`, ...persistence, "user root", "max_queued_messages 0", "log_dest stderr"];
}

async function launch(config: string): Promise<ChildProcess> {
  const server = spawn(programPath("mosquitto")!, ["-c", config], { stdio: ["ignore", "ignore", "pipe"] });
  const lines = createInterface({ input: server.stderr! });
  await new Promise<void>((resolve, reject) => {
    const seen: string[] = [];
    server.once("error", reject);
    server.once("exit", () => reject(new Error(`mosquitto ended at once:\n${seen.join("\n")}`)));
    lines.on("line", (line) => {
      seen.push(line);
      if (/ running$/.test(line)) resolve();
    });
  });
  return server;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}
