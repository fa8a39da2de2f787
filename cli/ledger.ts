import type { Command } from "commander";
import { findService, type ServiceOptions, withService } from "./client.ts";
import { show, table } from "./table.ts";

type Sums = {
  readonly received: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly quarantined: number;
  readonly shed: number;
  readonly lost: number;
};
type Ledger = Sums & {
  readonly inJournal: number;
  readonly balanced: boolean;
  readonly reasons?: Readonly<Record<string, number>>;
  readonly days: readonly (Sums & { readonly day: string })[];
  readonly sensors?: readonly (Sums & { readonly sensorId: string })[];
};

export function register(program: Command): void {
  withService(
    program.command("ledger").description("the books: where everything that was received ended"),
    "ledger --by-sensor",
  )
    .option("--by-sensor", "a line for each sensor")
    .option("--day <day>", "what was received on this day (UTC), such as 2026-11-21")
    .action(print);
}

/** Exits with 1 if the books do not balance: a check for scripts. */
async function print(options: ServiceOptions & { readonly bySensor?: boolean; readonly day?: string }): Promise<void> {
  const query = {
    by: options.bySensor ? "sensor" : undefined,
    limit: options.bySensor ? 1000 : undefined,
    day: options.day,
  };
  const ledger = await findService(options).client.get<Ledger>("/api/v1/ledger", query);
  show(options, ledger, () => describe(ledger));
  if (!ledger.balanced) process.exitCode = 1;
}

function describe(ledger: Ledger): string {
  const line = (name: string, sums: Sums) => [name, sums.received, sums.stored, sums.duplicate, sums.quarantined];
  const rows = [
    ...ledger.days.map((day) => line(day.day, day)),
    ...(ledger.sensors ?? []).map((sensor) => line(sensor.sensorId || "(no sensor)", sensor)),
    line("all", ledger),
  ];
  const reasons = Object.entries(ledger.reasons ?? {}).map(([reason, count]) => `  ${count} ${reason}`);
  return [
    table(["", "received", "stored", "duplicate", "quarantined"], rows),
    ...reasons,
    `in the journal, not opened yet: ${ledger.inJournal}`,
    ledger.balanced ? "the books balance" : "THE BOOKS DO NOT BALANCE",
  ].join("\n");
}
