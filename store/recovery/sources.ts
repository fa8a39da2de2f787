import { copyFileSync, existsSync, linkSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "../../model/log.ts";
import { probe } from "./probe.ts";

/** DuckDB's words for the first entry of its log that is not what was written. */
const WAL_ENTRY = /replaying WAL.*entry at byte position (\d+)/s;

/**
 * Makes of each damaged file one that can be opened, if there is a way: with its log, with its log up to the first bad
 * entry, or without. The files set aside stay as they are: `work` names links and copies, which `remove` takes away.
 */
export async function readable(asides: readonly string[], work: string, log: Log) {
  const paths: string[] = [];
  const made: string[] = [];
  const remove = () => {
    for (const path of made) for (const name of [path, `${path}.wal`]) rmSync(name, { force: true });
  };
  for (const aside of asides.filter((path) => existsSync(path))) {
    const path = `${work}-${made.length}`;
    made.push(path);
    if (await isMadeReadable(aside, path, log)) paths.push(path);
  }
  return { paths, remove };
}

async function isMadeReadable(aside: string, path: string, log: Log): Promise<boolean> {
  const wal = `${aside}.wal`;
  rmSync(path, { force: true });
  link(aside, path);
  let words = "";
  for (const logBytes of [Number.POSITIVE_INFINITY, undefined, 0]) {
    const keep = logBytes ?? Number(WAL_ENTRY.exec(words)?.[1] ?? 0);
    rmSync(`${path}.wal`, { force: true });
    if (existsSync(wal) && keep > 0) copyFileSync(wal, `${path}.wal`);
    if (existsSync(`${path}.wal`) && Number.isFinite(keep)) truncateSync(`${path}.wal`, keep);
    const checked = await probe({ what: "check", path, verify: false });
    if ("rows" in checked) {
      log.warn({ file: aside, rows: checked.rows, logBytes: Number.isFinite(keep) ? keep : "all" }, "can be read");
      return true;
    }
    words = checked.error;
    if (!/WAL/.test(words)) break;
  }
  log.error({ file: aside, reason: words }, "nothing in the damaged file can be read");
  return false;
}

/** Opened for reading only, so a second name is as good as a copy and costs nothing. */
function link(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

/** `<data>/exports/*.parquet`, by name. */
export function findExports(dir: string): readonly string[] {
  if (!existsSync(dir)) return [];
  const names = readdirSync(dir).filter((name) => name.endsWith(".parquet"));
  return names.sort().map((name) => join(dir, name));
}
