import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { LoadOptions, LoadResult } from "./load-generator.ts";

/** Something that takes readings over MQTT, started fresh for one run and ended by its own pid. */
export type Contender = {
  readonly name: string;
  readonly load: Pick<LoadOptions, "host" | "port" | "credentials">;
  /** Waits until everything acknowledged is where it belongs; resolves to how many readings are stored. */
  settled(acked: number): Promise<number>;
  stop(): Promise<void>;
};

/** Lamppost also answers over HTTP. */
export type Service = Contender & {
  readonly http: string;
  readonly token: string;
  /** Seconds of processor time so far, of all its threads: says more than a clock where others use the machine, too. Linux only, else 0. */
  cpuS(): number;
};

const HOME = join(import.meta.dirname, "../..");

export async function startBareAedes(): Promise<Contender> {
  const child = fork(join(import.meta.dirname, "bare-aedes.ts"), { stdio: "inherit" });
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  return {
    name: "bare aedes",
    load: { host: "127.0.0.1", port, credentials: [{ username: "bench", password: "none" }] },
    settled: async (acked) => acked,
    stop: async () => {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

export async function startLamppost(extra: NodeJS.ProcessEnv = {}): Promise<Service> {
  const dataDir = mkdtempSync(join(tmpdir(), "lamppost-bench-"));
  const child = spawn(process.execPath, [join(HOME, "cli/main.ts"), "start", "--json"], {
    env: {
      PATH: process.env.PATH,
      LAMPPOST_DATA_DIR: dataDir,
      LAMPPOST_HTTP_PORT: "0",
      LAMPPOST_MQTT_PORT: "0",
      LAMPPOST_LOG_LEVEL: "warn",
      ...extra,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { http, mqtt } = await readyLine(child.stdout);
  const token = readFileSync(join(dataDir, "admin-token"), "utf8").trim();
  const call = async <T>(path: string, body?: object): Promise<T> => {
    const response = await fetch(`${http}/api/v1${path}`, {
      method: body ? "POST" : "GET",
      headers: { authorization: `Bearer ${token}`, ...(body ? { "content-type": "application/json" } : {}) },
      body: body ? JSON.stringify(body) : undefined,
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json() as Promise<T>;
  };
  // One gateway is held to its rate limit; twenty share the load.
  const names = Array.from({ length: 20 }, (_, index) => `bench-${index}`);
  const credentials = await Promise.all(
    names.map((name) => call<{ username: string; password: string }>("/gateways", { name, districts: ["bench"] })),
  );
  const url = new URL(mqtt);
  return {
    name: "lamppost",
    http,
    token,
    load: { host: url.hostname, port: Number(url.port), credentials },
    settled: (acked) => waitForStored(() => call<Record<string, number>>("/ledger"), acked),
    cpuS: () => cpuOf(child.pid!),
    stop: async () => {
      child.kill("SIGTERM");
      await once(child, "exit");
      rmSync(dataDir, { recursive: true });
    },
  };
}

const TICKS_PER_S = 100;

/** utime and stime of proc(5): the 14th and 15th field, counted behind the name, which may have blanks in it. */
function cpuOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
  } catch {
    return 0;
  }
}

async function readyLine(stdout: NodeJS.ReadableStream): Promise<{ http: string; mqtt: string }> {
  for await (const line of createInterface({ input: stdout })) {
    if (!line.startsWith('{"ready"')) continue;
    stdout.resume();
    return JSON.parse(line);
  }
  throw new Error("the service ended before it was ready");
}

async function waitForStored(ledger: () => Promise<Record<string, number>>, acked: number): Promise<number> {
  for (;;) {
    const { stored, duplicate, quarantined } = await ledger();
    if (stored! + duplicate! + quarantined! >= acked) return stored!;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The load generator as a process of its own. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const child = fork(join(import.meta.dirname, "load-generator.ts"), { stdio: "inherit" });
  child.send(options);
  const [message] = (await once(child, "message")) as [{ result?: LoadResult; error?: string }];
  if (message.result) return message.result;
  throw new Error(message.error);
}
