import { execFile } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Log } from "../../model/log.ts";
import type { Records } from "../records.ts";
import { clearMarks, type Marks, readMarks } from "./marks.ts";
import type { Checked, CheckRequest, Failed, Rows, Salvaged, SalvageRequest } from "./salvage.ts";

type RecoveryParts = {
  /** `<data>/readings.duckdb`. */
  readonly path: string;
  readonly offsets: Records["offsets"];
  /** Messages below this number of the journal are booked. */
  readonly booked: number;
  readonly now: () => number;
  readonly log: Log;
};

/** `rows`: what the file has now, for the marks. `report`: the rebuild that still wants the journal. */
type Found = { readonly rows: Rows; readonly report: DamageReport | undefined };

const SpanShape = z.object({ from: z.number().optional(), to: z.number().optional() });
const RowsShape = z.object({ air: z.number(), traffic: z.number(), energy: z.number() });

const Report = z.object({
  /** Epoch milliseconds; the report's name has the same moment. */
  foundAt: z.number(),
  /** In words for an operator. */
  why: z.string(),
  /** Whether there was a file to set aside. */
  hadFile: z.boolean(),
  /** "found": set aside and salvage what is readable; "salvaged": fill up from the journal; then "done". */
  state: z.enum(["found", "salvaged", "done"]),
  /** What the books say was in it. */
  expected: RowsShape,
  /** When that was received, as far as known. */
  span: SpanShape,
  salvaged: z
    .object({
      rows: RowsShape,
      ahead: z.number(),
      newest: z.number().optional(),
      holes: z.array(SpanShape),
    })
    .optional(),
  /** Known when it is done. */
  refilled: z.number().optional(),
  missing: z.object({ readings: z.number(), span: SpanShape }).optional(),
});

/**
 * What was found wrong with the reading store, and how far its rebuild has come: a file beside the one set aside, so that
 * the alarm stays for as long as that is there, and a rebuild that was interrupted goes on.
 */
export type DamageReport = z.output<typeof Report>;

const SUFFIX = ".json";
const PROGRAM = fileURLToPath(new URL("./salvage.ts", import.meta.url));
/** DuckDB's words for the first entry of its log that is not what was written. */
const WAL_ENTRY = /replaying WAL.*entry at byte position (\d+)/s;
const NONE: Rows = { air: 0, traffic: 0, energy: 0 };

/**
 * Looks at the DuckDB file before it is used. If it cannot be opened, has a block that cannot be read, or has fewer rows
 * than the marks say, it is set aside with its log (never deleted), and a new file is made of what can still be read in
 * it. What is booked after the marks is not the journal's to count again: see `refillStore` of `ingest/rewrite.ts`.
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
    offset: parts.booked,
  });
  if ("error" in salvaged) throw new Error(`the reading store cannot be rebuilt: ${salvaged.error}`);
  sources.remove();
  const { rows, ahead, newest, holes } = salvaged;
  const next: DamageReport = { ...report, state: "salvaged", salvaged: { rows, ahead, newest, holes: [...holes] } };
  // In this order: a new file that is not in place yet is found by the report, one in place needs no telling.
  writeReport(path, next);
  moveIn(path);
  log.warn({ rows }, "salvaged what is left");
  return { rows, report: next };
}

export const total = (rows: Rows): number => rows.air + rows.traffic + rows.energy;

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

/**
 * Touches a DuckDB file that may be damaged in a short-lived process: after a failure DuckDB may take its process down or
 * leave it unusable (duckdb-node-neo#393), and the service should neither crash nor need a second start. What is in the
 * way of looking (no memory, no rights, the file in use) is thrown: that is not damage.
 */
export function probe(request: CheckRequest): Promise<Checked | Failed>;
export function probe(request: SalvageRequest): Promise<Salvaged | Failed>;
export async function probe(request: CheckRequest | SalvageRequest): Promise<Checked | Salvaged | Failed> {
  const { stdout, signal, stderr } = await run(JSON.stringify(request));
  if (stdout === "") {
    if (signal === "SIGKILL") throw new Error("the look at the reading store was killed; is there enough memory?");
    return { error: `DuckDB took its process down (${signal ?? "no answer"}) ${stderr.slice(-300)}`.trim() };
  }
  const answer = JSON.parse(stdout) as Checked | Salvaged | Failed;
  if ("error" in answer && isInTheWay(answer.error)) throw new Error(`the reading store: ${answer.error}`);
  return answer;
}

/** Words of DuckDB and of the system for what an operator must clear away, and no rebuild would. */
function isInTheWay(error: string): boolean {
  return /could not set lock|permission denied|EACCES|out of memory|no space left|too many open files|version number/i.test(
    error,
  );
}

function run(request: string) {
  return new Promise<{ stdout: string; stderr: string; signal: string | undefined }>((resolve) => {
    const options = { maxBuffer: 64 * 1024 * 1024 };
    execFile(process.execPath, [PROGRAM, request], options, (error, stdout, stderr) => {
      resolve({ stdout, stderr, signal: error?.signal ?? undefined });
    });
  });
}

/** Where the damaged file goes; its log goes beside it, as DuckDB expects, so that it can be opened there. */
export function asideOf(storePath: string, { foundAt }: Pick<DamageReport, "foundAt">): string {
  return `${storePath}.damaged-${new Date(foundAt).toISOString().replaceAll(":", "-")}`;
}

export const reportPathOf = (storePath: string, report: Pick<DamageReport, "foundAt">) =>
  `${asideOf(storePath, report)}${SUFFIX}`;

/** Oldest first. Throws for one that cannot be read: half a rebuild must not be taken for none. */
export function readReports(storePath: string): DamageReport[] {
  const prefix = `${basename(storePath)}.damaged-`;
  const names = readdirSync(dirname(storePath)).filter((name) => name.startsWith(prefix) && name.endsWith(SUFFIX));
  return names.sort().map((name) => {
    const path = join(dirname(storePath), name);
    try {
      return Report.parse(JSON.parse(readFileSync(path, "utf8")));
    } catch (cause) {
      throw new Error(`${path}, the report on a damaged reading store, cannot be read; move it away`, { cause });
    }
  });
}

/** Replaces it as a whole, durably. */
export function writeReport(storePath: string, report: DamageReport): void {
  const path = reportPathOf(storePath, report);
  const unfinished = `${path}.unfinished`;
  const file = openSync(unfinished, "w", 0o600);
  try {
    writeSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(unfinished, path);
}
