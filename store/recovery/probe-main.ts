import { writeSync } from "node:fs";
import { DuckDBInstance } from "@duckdb/node-api";
import type { Checked, CheckRequest, Failed, Salvaged, SalvageRequest } from "./probe.ts";
import { countRows, readAllRows, salvage } from "./salvage.ts";

/** The program behind `probe()`: one question, one answer on stdout, written before anything is closed. */
const request = JSON.parse(process.argv[2] ?? "") as CheckRequest | SalvageRequest;

try {
  answer(await (request.what === "check" ? check(request) : salvage(request)));
} catch (error) {
  answer({ error: error instanceof Error ? error.message : String(error) });
}
// Not by closing: a damaged file can bring DuckDB down when it lets go, and the answer is out.
process.exit(0);

/** READ_ONLY: the log is replayed in memory, and both files stay as they are. */
async function check({ path, verify }: CheckRequest): Promise<Checked> {
  const instance = await DuckDBInstance.create(path, { access_mode: "READ_ONLY", memory_limit: "2GB", threads: "2" });
  const connection = await instance.connect();
  const rows = await countRows(connection);
  if (verify) await readAllRows(connection);
  return { rows };
}

function answer(value: Checked | Salvaged | Failed): void {
  const bytes = Buffer.from(JSON.stringify(value));
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
}
