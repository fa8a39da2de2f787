import { createReadStream, createWriteStream, existsSync, readFileSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import { clientConfig } from "../app/config.ts";
import { SILENT } from "../model/log.ts";
import type { Manifest } from "../store/backup/manifest.ts";
import { type Restored, restoreBackup, takeBackup } from "../store/backup/restore.ts";
import { readTar } from "../store/backup/tar.ts";
import { findService, type ServiceOptions, withService } from "./client.ts";
import { show } from "./output.ts";

const PACKAGE = join(import.meta.dirname, "../package.json");
const { version } = JSON.parse(readFileSync(PACKAGE, "utf8")) as { version: string };

const SECRETS = `
lamppost restore reads it. Keep it like a password: signing secrets and addresses of webhooks and chat targets are in it as they
are, because messages could not be signed without them. Of tokens, passwords and sessions it holds only hashes; settings
(LAMPPOST_*, INFLUX_*) are not in it.

With InfluxDB the readings are not in it: the command that copies the database is printed, and in the manifest.`;

const RULE = `
With InfluxDB: at the first start, what the database got after the backup is taken into the books, and what it lost since is
written again from the journal or booked as lost. Never run two services on copies of one data directory and one database.

A restored service tells nobody of alerts, because the one it was made of may still do so: until it is started once with
--take-over, or was restored with it.
`;

export function register(program: Command): void {
  withService(
    program
      .command("backup")
      .description("copy everything the running service keeps, while it works")
      .argument("<target>", "a new file that ends in .tar, or a new folder"),
    "backup lamppost-2026-11-21.tar",
  )
    .addHelpText("after", SECRETS)
    .action(back);
  program
    .command("restore")
    .description("make a data directory from a backup; no service may run on it")
    .argument("<backup>", "a file or folder made by lamppost backup")
    .option("--into <dir>", "the data directory to make (default: LAMPPOST_DATA_DIR, else ./data)")
    .option("--force", "also into a directory that is not empty: what is there is moved aside, into it")
    .option("--take-over", "this is the real service from now on: it tells people of alerts")
    .option("--json", "print JSON")
    .addHelpText("after", `${RULE}\nExample:\n  $ lamppost restore lamppost-2026-11-21.tar --into ./data`)
    .action(restore);
}

/** The backup gets its name only when all of it is on disk and each file in it is as its manifest says. */
async function back(given: string, options: ServiceOptions): Promise<void> {
  const target = resolve(given);
  if (existsSync(target)) throw new Error(`${given} exists already; give a new name`);
  const { client, token } = findService(options);
  const partial = `${target}.partial`;
  try {
    const archive = await askForBackup(`${client.url}/api/v1/backup`, token);
    const manifest = await (target.endsWith(".tar") ? keepArchive : keepFolder)(archive, partial);
    await rename(partial, target);
    show(options, { target, ...manifest }, () => describeBackup(given, manifest));
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function keepArchive(archive: IncomingMessage, path: string): Promise<Manifest> {
  await pipeline(archive, createWriteStream(path, { mode: 0o600, flush: true }));
  return takeBackup(readTar(createReadStream(path, { highWaterMark: 1024 * 1024 })), version);
}

const keepFolder = (archive: IncomingMessage, path: string): Promise<Manifest> =>
  takeBackup(readTar(archive), version, path);

/** Not `fetch`, which gives up after five minutes without a byte: copying a large store may take longer. */
async function askForBackup(url: string, token: string): Promise<IncomingMessage> {
  const request = url.startsWith("https:") ? httpsRequest : httpRequest;
  const response = await new Promise<IncomingMessage>((answer, fail) => {
    request(url, { method: "POST", headers: { authorization: `Bearer ${token}` } })
      .on("response", answer)
      .on("error", fail)
      .end();
  });
  if (response.statusCode === 200) return response;
  const problem = (await text(response)).slice(0, 1_000);
  throw new Error(`the service made no backup: ${detailOf(problem) ?? `HTTP ${response.statusCode}`}`);
}

function detailOf(problem: string): string | undefined {
  try {
    const { detail, title } = JSON.parse(problem) as { detail?: string; title?: string };
    return detail ?? title;
  } catch {
    return undefined;
  }
}

function describeBackup(target: string, { files, store, createdAt, position, copyReadings }: Manifest): string {
  const mib = files.reduce((sum, { bytes }) => sum + bytes, 0) / 1024 / 1024;
  const lines = [`${target}: ${files.length} files, ${mib.toFixed(1)} MiB, as of ${createdAt}`];
  if (store === "influxdb") {
    lines.push(
      `The readings are not in it; the books are as of message ${position}. Copy the database now, where InfluxDB runs:`,
      `  ${copyReadings}`,
      "What it gets between the two copies, and after them, is settled by the first start after a restore.",
    );
  }
  return lines.join("\n");
}

type RestoreOptions = {
  readonly into?: string;
  readonly force?: boolean;
  readonly takeOver?: boolean;
  readonly json?: boolean;
};

async function restore(backup: string, options: RestoreOptions): Promise<void> {
  process.umask(0o077);
  const into = resolve(options.into ?? clientConfig().dataDir);
  const restored = await restoreBackup({
    backup: resolve(backup),
    into,
    force: options.force === true,
    takeOver: options.takeOver === true,
    version,
    now: Date.now(),
    log: SILENT,
  }).catch((error: Error) => {
    throw error.name === "BackupDamaged" ? new Error(`${backup} cannot be restored: ${error.message}`) : error;
  });
  show(options, { into, ...restored }, () => describeRestored(into, restored, options.takeOver === true));
}

function describeRestored(into: string, { manifest, readings, movedTo }: Restored, takesOver: boolean): string {
  const what = readings === undefined ? `its readings are in ${manifest.place ?? "InfluxDB"}` : `${readings} readings`;
  return [
    `${into} is as it was at ${manifest.createdAt} (lamppost ${manifest.service}); ${what}`,
    ...(movedTo ? [`what was there before is in ${movedTo}`] : []),
    ...(readings === undefined
      ? ["at its first start the readings that InfluxDB got after the backup are taken into its books"]
      : []),
    ...(takesOver
      ? []
      : ["it tells nobody of alerts until it is started with --take-over: lamppost start --take-over"]),
    "a new admin token is in admin-token; users, devices and gateways keep their secrets",
  ].join("\n");
}
