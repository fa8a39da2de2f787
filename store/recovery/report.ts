import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";

const Span = z.object({ from: z.number().optional(), to: z.number().optional() });
const Rows = z.object({ air: z.number(), traffic: z.number(), energy: z.number() });

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
  expected: Rows,
  /** When that was received, as far as known. */
  span: Span,
  salvaged: z
    .object({
      rows: Rows,
      ahead: z.number(),
      newest: z.number().optional(),
      fromExports: z.number(),
      holes: z.array(Span),
      notes: z.array(z.string()),
    })
    .optional(),
  /** Known when it is done. */
  refilled: z.number().optional(),
  missing: z.object({ readings: z.number(), span: Span }).optional(),
});

/**
 * What was found wrong with the reading store, and how far its rebuild has come: a file beside the one set aside, so that
 * the alarm stays for as long as that is there, and a rebuild that was interrupted goes on.
 */
export type DamageReport = z.output<typeof Report>;

const SUFFIX = ".json";

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
