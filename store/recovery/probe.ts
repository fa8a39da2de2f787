import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Kind } from "../../model/kinds.ts";

/** What `probe-main.ts`, a process of its own, is asked and answers. Times are epoch milliseconds. */
export type CheckRequest = {
  readonly what: "check";
  readonly path: string;
  /** Read every block, not only what opening needs. */
  readonly verify: boolean;
};
export type SalvageRequest = {
  readonly what: "salvage";
  /** The file to make. */
  readonly target: string;
  /** Files that can be opened, the best one first. */
  readonly sources: readonly string[];
  readonly exports: readonly string[];
  /** Only what was received in here is taken from exports. */
  readonly span: Span;
  /** Readings of messages from this number on are not booked yet. */
  readonly offset: number;
};

export type Span = { readonly from: number; readonly to: number };
export type Rows = Readonly<Record<Kind, number>>;
export type Failed = { readonly error: string };
export type Checked = { readonly rows: Rows };
export type Salvaged = {
  readonly rows: Rows;
  /** Rows with a number that is not booked yet. */
  readonly ahead: number;
  /** Newest `receivedAt` of what came from the sources and is booked. */
  readonly newest?: number;
  /** Where blocks could not be read: what they held was received in here, as far as their neighbours tell. */
  readonly holes: readonly Partial<Span>[];
  readonly fromExports: number;
  /** Exports that could not be used, with the reason. */
  readonly notes: readonly string[];
};

const PROGRAM = fileURLToPath(new URL("./probe-main.ts", import.meta.url));

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
