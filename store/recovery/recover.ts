import { copyFileSync, existsSync, linkSync, readdirSync, renameSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "../../model/log.ts";
import type { Records } from "../records.ts";
import { clearMarks, type Marks, readMarks } from "./marks.ts";
import { probe, type Rows, type Span } from "./probe.ts";
import { asideOf, type DamageReport, readReports, writeReport } from "./report.ts";

type RecoveryParts = {
  /** `<data>/readings.duckdb`. */
  readonly path: string;
  /** `<data>/exports`; need not be there. */
  readonly exportsDir: string;
  readonly offsets: Records["offsets"];
  /** Messages below this number of the journal are booked. */
  readonly booked: number;
  readonly now: () => number;
  readonly log: Log;
};

/** `rows`: what the file has now, for the marks. `report`: the rebuild that still wants the journal. */
type Found = { readonly rows: Rows; readonly report: DamageReport | undefined };

const NONE: Rows = { air: 0, traffic: 0, energy: 0 };

/**
 * Looks at the DuckDB file before it is used. If it cannot be opened, has a block that cannot be read, or has fewer rows
 * than the marks say, it is set aside with its log (never deleted), and a new file is made of what can still be read in
 * it and of exports. What is booked after the marks is not the journal's to count again: see `ingest/refill.ts`.
 *
 * All of it is done in other processes (`probe`), so the service goes on in the same start. A kill at any point is
 * taken up at the next start: the report says how far it came. Throws for what an operator must clear away.
 */
export async function recoverDuckDb(parts: RecoveryParts): Promise<Found> {
  const { path, offsets, log } = parts;
  const unfinished = readReports(path).filter(({ state }) => state !== "done");
  const marks = readMarks(offsets);
  if (unfinished.at(-1)?.state === "salvaged") moveIn(path);
  const begun = unfinished.find(({ state }) => state === "found");
  // A rebuild that has not made its file yet: what stands there now, if anything, is the damaged one.
  const found = begun ? undefined : await inspect(parts, marks);
  if (found && "rows" in found) return { rows: found.rows, report: unfinished.at(-1) };
  const report = begun ?? begin(parts, marks, unfinished, found?.why ?? "");
  clearMarks(offsets);
  setAside(path, report);
  log.error(
    { file: asideOf(path, report), why: report.why },
    "the reading store is damaged: it is set aside and rebuilt from what is left",
  );
  const salvaged = await rebuildFile(parts, report, unfinished);
  for (const older of unfinished) if (older !== report) writeReport(path, { ...older, state: "done" });
  return { rows: salvaged.rows, report: salvaged.report };
}

/** The rows of a sound file, or what is wrong. */
async function inspect({ path }: RecoveryParts, marks: Marks): Promise<{ rows: Rows } | { why: string }> {
  const isThere = existsSync(path);
  if (!isThere && total(marks.rows) === 0 && !existsSync(`${path}.wal`)) return { rows: NONE };
  if (!isThere) return { why: "the file is gone" };
  const checked = await probe({ what: "check", path, verify: marks.suspect });
  if ("error" in checked) return { why: checked.error };
  const isShort = (Object.keys(marks.rows) as (keyof Rows)[]).some((kind) => checked.rows[kind] < marks.rows[kind]);
  if (!isShort) return checked;
  return { why: `it has ${total(checked.rows)} readings, and ${total(marks.rows)} were written to it` };
}

function begin(parts: RecoveryParts, marks: Marks, unfinished: readonly DamageReport[], why: string): DamageReport {
  // Damaged again before the last rebuild was done: that one's loss is still to be found out.
  const last = unfinished.at(-1);
  const report: DamageReport = {
    foundAt: parts.now(),
    why,
    hadFile: existsSync(parts.path),
    state: "found",
    expected: total(marks.rows) === 0 && last ? last.expected : marks.rows,
    span: marks.span,
  };
  writeReport(parts.path, report);
  return report;
}

/** The log first: a file set aside without its log would be opened without its newest rows. */
function setAside(path: string, report: DamageReport): void {
  const aside = asideOf(path, report);
  if (existsSync(aside)) return;
  if (existsSync(`${path}.wal`)) renameSync(`${path}.wal`, `${aside}.wal`);
  if (report.hadFile && existsSync(path)) renameSync(path, aside);
}

function moveIn(path: string): void {
  const made = `${path}.rebuilding`;
  if (!existsSync(made)) return;
  if (existsSync(path)) throw new Error(`${path} appeared while it was rebuilt: move it, or ${made}, away`);
  renameSync(made, path);
}

async function rebuildFile(parts: RecoveryParts, report: DamageReport, unfinished: readonly DamageReport[]) {
  const { path, log } = parts;
  const target = `${path}.rebuilding`;
  for (const name of [target, `${target}.wal`]) rmSync(name, { force: true });
  const reports = [report, ...unfinished.filter((older) => older !== report).reverse()];
  const sources = await readable(
    reports.map((one) => asideOf(path, one)),
    `${path}.salvage`,
    log,
  );
  const salvaged = await probe({
    what: "salvage",
    target,
    sources: sources.paths,
    exports: findExports(parts.exportsDir),
    span: wholeSpan(report.span),
    offset: parts.booked,
  });
  if ("error" in salvaged) throw new Error(`the reading store cannot be rebuilt: ${salvaged.error}`);
  sources.remove();
  const { rows, ahead, newest, fromExports, holes, notes } = salvaged;
  const kept = {
    rows,
    ahead,
    fromExports,
    holes: [...holes],
    notes: [...notes],
    ...(newest === undefined ? {} : { newest }),
  };
  const next: DamageReport = { ...report, state: "salvaged", salvaged: kept };
  // In this order: a new file that is not in place yet is found by the report, one in place needs no telling.
  writeReport(path, next);
  moveIn(path);
  log.warn({ rows: salvaged.rows, fromExports: salvaged.fromExports, notes: salvaged.notes }, "salvaged what is left");
  return { rows: salvaged.rows, report: next };
}

const wholeSpan = (span: Partial<Span>): Span => ({ from: span.from ?? 0, to: span.to ?? Number.MAX_SAFE_INTEGER });

export const total = (rows: Rows): number => rows.air + rows.traffic + rows.energy;

/** DuckDB's words for the first entry of its log that is not what was written. */
const WAL_ENTRY = /replaying WAL.*entry at byte position (\d+)/s;

/**
 * Makes of each damaged file one that can be opened, if there is a way: with its log, with its log up to the first bad
 * entry, or without. The files set aside stay as they are: `work` names links and copies, which `remove` takes away.
 */
async function readable(asides: readonly string[], work: string, log: Log) {
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
function findExports(dir: string): readonly string[] {
  if (!existsSync(dir)) return [];
  const names = readdirSync(dir).filter((name) => name.endsWith(".parquet"));
  return names.sort().map((name) => join(dir, name));
}
