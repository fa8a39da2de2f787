import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const HOME = join(import.meta.dirname, "..", "..");

/** The whole service as a process of its own, on free loopback ports and a fresh data folder. */
export type City = {
  readonly dataDir: string;
  readonly http: string;
  readonly mqtt: string;
  readonly token: string;
  readonly pid: number;
  /** GET, or POST when there is a body; the JSON answer. Throws with the problem's text on anything but 2xx. */
  // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes; each test asserts its own
  api<T = any>(path: string, body?: unknown, method?: string): Promise<T>;
  /** The same without the check. */
  call(path: string, init?: RequestInit): Promise<Response>;
  cli(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }>;
  /** What the process has printed so far (the last 20,000 characters of stderr). */
  said(): { readonly stdout: string; readonly stderr: string };
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Resolves with how the process ended, by itself or not. */
  readonly ended: Promise<number | null>;
  /** How it ended, or undefined while it lives. */
  exitCode(): number | string | undefined;
  /** The same data folder, a new process. */
  restart(options?: CityOptions): Promise<City>;
  /** Ends the process if it lives and removes the data folder. */
  remove(): Promise<void>;
};

export type CityOptions = {
  readonly env?: Record<string, string>;
  readonly args?: readonly string[];
  /** SIGKILL so long after the spawn, ready or not. A city that dies before it is ready rejects with `EndedEarly`. */
  readonly killAfterMs?: number;
};

export class EndedEarly extends Error {
  override readonly name = "EndedEarly";
  /** `null` after a signal. */
  readonly code: number | null;

  constructor(code: number | null, stderr: string) {
    super(`ended with ${code}: ${stderr}`);
    this.code = code;
  }
}

export async function startCity(
  options: CityOptions = {},
  dataDir = mkdtempSync(join(tmpdir(), "lamppost-city-")),
): Promise<City> {
  const env = cityEnv(dataDir, options.env);
  const child = spawn(join(HOME, "lamppost"), ["start", "--json", ...(options.args ?? [])], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (options.killAfterMs !== undefined) setTimeout(() => child.kill("SIGKILL"), options.killAfterMs).unref();
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr = (stderr + chunk).slice(-20_000);
  });
  const ended = once(child, "exit").then(([code]) => code as number | null);
  const ready = await Promise.race([
    readyLine(child),
    ended.then((code) => Promise.reject(new EndedEarly(code, stderr))),
  ]);
  const token = readFileSync(join(dataDir, "admin-token"), "utf8").trim();
  const call = (path: string, init: RequestInit = {}) =>
    fetch(`${ready.http}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });
  return {
    dataDir,
    ...ready,
    token,
    pid: child.pid!,
    call,
    api: (path, body, method) => api(call, path, body, method) as Promise<never>,
    cli: (...args) => runCli(args, env),
    ended,
    exitCode: () => child.exitCode ?? child.signalCode ?? undefined,
    said: () => ({ stdout, stderr }),
    stop: () => end(child, "SIGTERM", ended),
    kill: async () => void (await end(child, "SIGKILL", ended)),
    restart: (next = options) => startCity(next, dataDir),
    remove: async () => {
      await end(child, "SIGKILL", ended);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** The service's sources without their types, as a former start left them: a third of the work of each start. */
const COMPILED = join(tmpdir(), "lamppost-compiled");

export function cityEnv(dataDir: string, extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    NODE_COMPILE_CACHE: COMPILED,
    LAMPPOST_DATA_DIR: dataDir,
    LAMPPOST_HTTP_PORT: "0",
    LAMPPOST_MQTT_PORT: "0",
    LAMPPOST_LOG_LEVEL: "warn",
    ...extra,
  };
}

async function readyLine(child: ChildProcess): Promise<{ http: string; mqtt: string }> {
  for await (const line of createInterface({ input: child.stdout! })) {
    if (!line.startsWith("{")) continue;
    child.stdout!.resume();
    return JSON.parse(line);
  }
  // The stream ended: the exit code and the words on stderr say more.
  return new Promise(() => {});
}

async function end(child: ChildProcess, signal: NodeJS.Signals, ended: Promise<number | null>): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  return ended;
}

async function api(call: City["call"], path: string, body?: unknown, method = body === undefined ? "GET" : "POST") {
  const init =
    body === undefined
      ? { method }
      : { method, body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  const response = await call(`/api/v1${path}`, init);
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.status === 204 ? undefined : response.json();
}

/** Runs `./lamppost …` as a person would; never throws. */
export function runCli(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd = tmpdir(),
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(join(HOME, "lamppost"), [...args], { env, cwd, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      resolve({ code: error ? (typeof error.code === "number" ? error.code : -1) : 0, stdout, stderr });
    });
  });
}

/** Asks again until the answer is right; fails with the last answer when the time is up. For state that settles, not for events. */
export async function until<T>(ask: () => Promise<T>, right: (answer: T) => boolean, withinMs = 60_000): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (right(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${JSON.stringify(answer).slice(0, 2_000)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
