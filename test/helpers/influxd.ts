import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export type InfluxServer = {
  readonly url: string;
  /** Where its data is. */
  readonly folder: string;
  /** InfluxQL, as a person would; throws on an error. The rows of the first series. */
  ask(query: string, database?: string): Promise<(string | number | null)[][]>;
  /** Ends the process and keeps its data and its port for `resume`. */
  halt(signal?: NodeJS.Signals): Promise<void>;
  resume(): Promise<void>;
  /** Ends the process and removes its data. */
  stop(): Promise<void>;
};

/**
 * A private InfluxDB 1.x on free loopback ports with its data in a temporary folder (under `parent`). With `isClosed`
 * everybody needs an account; `ask` has that of its administrator. Ask `needs("influxd")` first.
 */
export async function startInfluxd(parent = tmpdir(), isClosed = false): Promise<InfluxServer> {
  const folder = await mkdtemp(join(parent, "lamppost-influxd-"));
  let running = await launch(folder, "0", isClosed);
  const { port } = running;
  const account: Record<string, string> = isClosed ? { u: "admin", p: "admin" } : {};
  if (isClosed)
    await ask(`http://127.0.0.1:${port}`, { q: "CREATE USER admin WITH PASSWORD 'admin' WITH ALL PRIVILEGES" });

  async function halt(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    running.server.kill(signal);
    await running.stopped;
  }

  return {
    url: `http://127.0.0.1:${port}`,
    folder,
    ask: (q, db = "") => ask(`http://127.0.0.1:${port}`, { db, q, epoch: "ms", ...account }),
    halt,
    async resume() {
      running = await launch(folder, port, isClosed);
    },
    async stop() {
      await halt();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function ask(url: string, question: Record<string, string>): Promise<(string | number | null)[][]> {
  const answer = await fetch(`${url}/query?${new URLSearchParams(question)}`, { method: "POST" });
  const { results = [], error } = (await answer.json()) as {
    error?: string;
    results?: { error?: string; series?: { values: (string | number | null)[][] }[] }[];
  };
  const problem = error ?? results[0]?.error;
  if (problem) throw new Error(problem);
  return results[0]?.series?.[0]?.values ?? [];
}

type Running = { readonly server: ChildProcess; readonly port: string; readonly stopped: Promise<unknown> };

async function launch(folder: string, wantedPort: string, isClosed: boolean): Promise<Running> {
  const configPath = join(folder, "influxdb.conf");
  await writeFile(configPath, configOf(folder, wantedPort, isClosed));
  const server = spawn("influxd", ["-config", configPath], { stdio: ["ignore", "ignore", "pipe"] });
  const stopped = once(server, "close");
  const lines = createInterface({ input: server.stderr });
  const port = await new Promise<string>((resolve, reject) => {
    const seen: string[] = [];
    server.once("error", reject);
    server.once("close", () => reject(new Error(`influxd ended at once:\n${seen.join("\n")}`)));
    lines.on("line", (line) => {
      seen.push(line);
      const address = /Listening on HTTP.* addr=\S*?:(\d+)/.exec(line);
      if (address) resolve(address[1]!);
    });
  });
  return { server, port, stopped };
}

/** Both listeners on loopback: by default the second one is open to the world. */
function configOf(folder: string, port: string, isClosed: boolean): string {
  return `
reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
  dir = "${folder}/meta"
[data]
  dir = "${folder}/data"
  wal-dir = "${folder}/wal"
  index-version = "tsi1"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:${port}"
  log-enabled = false
  auth-enabled = ${isClosed}
`;
}
