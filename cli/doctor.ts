import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import type { Command } from "commander";
import { ConfigError, clientConfig, loadConfig } from "../app/config.ts";
import { ServiceError } from "../client/client.ts";
import type { ReadyView } from "../contract/status.ts";
import { problemIn } from "../messages/problems.ts";
import type { Language } from "../model/sentence.ts";
import { findService, languageOf, type Service, type ServiceOptions, withService } from "./client.ts";
import { show } from "./output.ts";

/** `advice` is what to do when it is not `ok`. */
type Finding = {
  readonly check: string;
  readonly ok: boolean;
  readonly found: string;
  readonly advice?: string;
};

const NODE_MAJOR_MIN = 26;

export function register(program: Command): void {
  withService(
    program.command("doctor").description("check the machine and the running service; exit 1 if something is wrong"),
    "doctor",
  ).action(examine);
}

async function examine(options: ServiceOptions): Promise<void> {
  const { dataDir } = clientConfig();
  const findings = [
    checkRuntime(process.versions.node),
    checkSettings(),
    checkDataDir(dataDir),
    ...(await checkService(options)),
  ];
  show(options, { ok: findings.every((one) => one.ok), findings }, () =>
    findings.map((one) => line(one, languageOf(options))).join("\n"),
  );
  if (!findings.every((one) => one.ok)) process.exitCode = 1;
}

function line({ check, ok, ...texts }: Finding, language: Language): string {
  const said = (text: string) => problemIn(language, text);
  const found = said(texts.found);
  const advice = texts.advice && said(texts.advice);
  const name = said(check).padEnd(16);
  return `${ok ? "ok " : "BAD"}  ${name} ${found}${!ok && advice ? `\n     ${"".padEnd(16)} ${advice}` : ""}`;
}

export function checkRuntime(version: string): Finding {
  const ok = Number(version.split(".")[0]) >= NODE_MAJOR_MIN;
  return { check: "runtime", ok, found: `Node ${version}`, advice: "run npm ci: it brings the pinned runtime" };
}

/** What `lamppost start` would refuse. `load` is handed in by tests. */
export function checkSettings(load: () => unknown = loadConfig): Finding {
  try {
    load();
    return { check: "settings", ok: true, found: "as .env.example describes them" };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { check: "settings", ok: false, found: error.mistakes.join("; "), advice: "see .env.example" };
  }
}

export function checkDataDir(dataDir: string): Finding {
  // A directory that is not there yet is made by the first start, if its parent lets it.
  const there = existsSync(dataDir);
  const found = there ? dataDir : `${dataDir} (not there yet)`;
  try {
    accessSync(there ? dataDir : dirname(dataDir), constants.R_OK | constants.W_OK);
    return { check: "data directory", ok: true, found };
  } catch (error) {
    const advice = "make it writable for this user, or set LAMPPOST_DATA_DIR to another place";
    return { check: "data directory", ok: false, found: `${found}: ${(error as Error).message}`, advice };
  }
}

/** Each check needs the one before it. */
async function checkService(options: ServiceOptions): Promise<Finding[]> {
  let service: Service;
  try {
    service = findService(options);
  } catch (error) {
    return [{ check: "service", ok: false, found: (error as Error).message }];
  }
  const ready = await checkReady(service);
  if (ready.some((one) => one.check === "service")) return ready;
  return [...ready, ...(await checkStore(service)), await checkBooks(service), ...(await checkSensors(service))];
}

const SENSORS_NAMED = 3;

/** What sensors send that is not taken. It is said, and it is not wrong with the service: `ok` stays. */
async function checkSensors({ client }: Service): Promise<Finding[]> {
  try {
    const { items, next } = await client.get("/quarantine/sensors", { limit: 1000 });
    if (items.length === 0) return [{ check: "sensors", ok: true, found: "nothing was refused lately" }];
    const named = items.slice(0, SENSORS_NAMED).map(({ sensorId, refused, notTaken }) => {
      const what = refused[0]?.detail ?? `also sends ${notTaken.map(({ name }) => name).join(", ")}: not taken`;
      return `${sensorId}: ${what}`;
    });
    const many = `${items.length}${next === undefined ? "" : " and more"}`;
    const found = `${many} send what is refused or not taken (lamppost quarantine sensors). ${named.join(" ")}`;
    return [{ check: "sensors", ok: true, found }];
  } catch (error) {
    if (error instanceof ServiceError && [401, 403, 404].includes(error.status ?? 0)) return [];
    return [{ check: "sensors", ok: false, found: (error as Error).message, advice: "look at the log of the service" }];
  }
}

/** InfluxDB's version, rights, retention, clock and so on; nothing where the readings are in a file of the service. */
async function checkStore({ client }: Service): Promise<Finding[]> {
  try {
    const { store, findings } = await client.get("/store");
    return findings.map((one) => ({ ...one, check: `${store} ${one.check}` }));
  } catch (error) {
    // An older service does not know the question; who may not ask is told with the books.
    if (error instanceof ServiceError && [401, 403, 404].includes(error.status ?? 0)) return [];
    return [{ check: "store", ok: false, found: (error as Error).message, advice: "look at the log of the service" }];
  }
}

async function checkReady({ client, token }: Service): Promise<Finding[]> {
  try {
    // Asked directly: a 503 of /readyz says which part is not ready, which is what we want to read.
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${client.url}/readyz`, { headers, signal: AbortSignal.timeout(5_000) });
    const { parts } = (await response.json()) as ReadyView;
    const reach: Finding = { check: "reachable", ok: true, found: client.url };
    return [reach, ...parts.map(checkPart)];
  } catch (error) {
    const advice = 'it may have stopped: look at its log, then "lamppost start"';
    const cause = ((error as Error).cause ?? error) as Error;
    return [{ check: "service", ok: false, found: `${client.url} does not answer: ${cause.message}`, advice }];
  }
}

function checkPart({ part, state, reason }: ReadyView["parts"][number]): Finding {
  if (state === "ok") return { check: part, ok: true, found: reason === undefined ? state : `${state}, ${reason}` };
  return { check: part, ok: false, found: state, advice: reason ?? "look at the log of the service" };
}

async function checkBooks({ client }: Service): Promise<Finding> {
  try {
    const { received, inJournal, balanced } = await client.get("/ledger");
    const found = `${received} received, ${inJournal} in the journal, ${balanced ? "balanced" : "NOT balanced"}`;
    return { check: "ledger", ok: balanced, found, advice: "keep the data directory as it is and report this" };
  } catch (error) {
    const refused = error instanceof ServiceError && (error.status === 401 || error.status === 403);
    const advice = refused
      ? "the token is not the admin's: give --token-file, or read <data>/admin-token"
      : "see above";
    return { check: "ledger", ok: false, found: (error as Error).message, advice };
  }
}
