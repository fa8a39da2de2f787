import type { Command } from "commander";
import { findService, type ServiceOptions, withService } from "./client.ts";
import { parseCount } from "./options.ts";
import { show, table } from "./table.ts";

type Entry = {
  readonly id: number;
  readonly at: string;
  readonly by: string;
  readonly what: string;
  readonly target: string;
  readonly detail?: string;
};
type Verdict = { readonly entries: number; readonly intact: boolean; readonly brokenAt?: number };

export function register(program: Command): void {
  const audit = program.command("audit").description("who did what");
  withService(audit.command("list").description("list it, the newest first"), "audit list --limit 20")
    .option("--limit <n>", "at most so many", parseCount, 50)
    .action(list);
  withService(
    audit.command("verify").description("check that no entry was changed or removed; exit 1 if one was"),
    "audit verify",
  ).action(verify);
}

async function list(options: ServiceOptions & { readonly limit: number }): Promise<void> {
  const query = { limit: Math.min(options.limit, 1000) };
  const { items } = await findService(options).client.get<{ items: Entry[] }>("/api/v1/audit", query);
  show(options, items, () =>
    table(
      ["id", "at", "by", "what", "target", "detail"],
      items.map((entry) => [entry.id, entry.at, entry.by, entry.what, entry.target, entry.detail ?? ""]),
    ),
  );
}

async function verify(options: ServiceOptions): Promise<void> {
  const verdict = await findService(options).client.get<Verdict>("/api/v1/audit/verify");
  show(options, verdict, () =>
    verdict.intact
      ? `${verdict.entries} entries, none changed or removed`
      : `the chain breaks at entry ${verdict.brokenAt}: it or the one before it was changed or removed`,
  );
  if (!verdict.intact) process.exitCode = 1;
}
