import { resolve } from "node:path";
import type { Command } from "commander";
import { clientConfig } from "../app/config.ts";
import { SILENT } from "../model/log.ts";
import { type Restored, restoreBackup } from "../store/backup/restore.ts";
import { show } from "./table.ts";
import { VERSION } from "./version.ts";

type Options = { readonly into?: string; readonly force?: boolean; readonly json?: boolean };

const RULE = `
With InfluxDB: at the first start, what the database got after the backup is taken into the books, and what it lost since is
written again from the journal or booked as lost. Never run two services on copies of one data directory and one database.
`;

export function register(program: Command): void {
  program
    .command("restore")
    .description("make a data directory from a backup; no service may run on it")
    .argument("<backup>", "a file or folder made by lamppost backup")
    .option("--into <dir>", "the data directory to make (default: LAMPPOST_DATA_DIR, else ./data)")
    .option("--force", "also into a directory that is not empty: what is there is moved aside, into it")
    .option("--json", "print JSON")
    .addHelpText("after", `${RULE}\nExample:\n  $ lamppost restore lamppost-2026-11-21.tar --into ./data`)
    .action(restore);
}

async function restore(backup: string, options: Options): Promise<void> {
  process.umask(0o077);
  const into = resolve(options.into ?? clientConfig().dataDir);
  const restored = await restoreBackup({
    backup: resolve(backup),
    into,
    force: options.force === true,
    version: VERSION,
    now: Date.now(),
    log: SILENT,
  }).catch((error: Error) => {
    throw error.name === "BackupDamaged" ? new Error(`${backup} cannot be restored: ${error.message}`) : error;
  });
  show(options, { into, ...restored }, () => describe(into, restored));
}

function describe(into: string, { manifest, readings, movedTo }: Restored): string {
  const what = readings === undefined ? `its readings are in ${manifest.place ?? "InfluxDB"}` : `${readings} readings`;
  return [
    `${into} is as it was at ${manifest.createdAt} (lamppost ${manifest.service}); ${what}`,
    ...(movedTo ? [`what was there before is in ${movedTo}`] : []),
    ...(readings === undefined
      ? ["at its first start the readings that InfluxDB got after the backup are taken into its books"]
      : []),
    "a new admin token is in admin-token; users, devices and gateways keep their secrets",
  ].join("\n");
}
