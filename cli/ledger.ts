import { Command } from "commander";
import type { LedgerSums } from "../model/ledger.ts";
import { findService, type ServiceOptions, withService } from "./client.ts";
import { show, table } from "./table.ts";

type Sums = Omit<LedgerSums, "balanced" | "reasons">;
type Recount = {
  readonly booked: number;
  readonly removed: number;
  readonly removedByStore?: number;
  readonly found: number;
};
type Difference = { what: string; day?: string; sensorId?: string; booked: number; found: number };
type Check = {
  readonly ok: boolean;
  readonly seqBefore: number;
  readonly readings: Recount;
  readonly quarantine: Recount;
  readonly differences: readonly Difference[];
  readonly differing: number;
};
type Ledger = Sums & {
  readonly balanced: boolean;
  readonly scope?: "all" | "settled";
  readonly reasons?: Readonly<Record<string, number>>;
  readonly days: readonly (Sums & { readonly day: string })[];
  readonly sensors?: readonly (Sums & { readonly sensorId: string })[];
  readonly next?: string;
  readonly verified?: Check;
};

type Options = ServiceOptions & {
  readonly bySensor?: boolean;
  readonly sensor?: string;
  readonly day?: string;
  readonly verify?: boolean;
};

export function register(program: Command): void {
  const trace = withService(
    new Command("trace").description(
      "where one reading is: stored, in quarantine, in the journal, removed, never seen",
    ),
    "ledger trace air-centre-01 2026-11-21T10:00:00Z",
  );
  trace
    .argument("<sensorId>")
    .argument("<measuredAt>", "ISO 8601 with a zone, or epoch milliseconds")
    .action(printTrace);
  withService(
    program.command("ledger").description("the books: where everything that was received ended"),
    "ledger --verify",
  )
    .option("--verify", "count again what is really there and compare")
    .option("--by-sensor", "a line for each sensor")
    .option("--sensor <sensorId>", "only what this sensor sent")
    .option("--day <day>", "what was received on this day (UTC), such as 2026-11-21")
    .action(print)
    .addCommand(trace);
}

/** Exits with 1 if the books do not balance, or a count finds anything else: a check for scripts. */
async function print(options: Options): Promise<void> {
  const { client } = findService(options);
  const query = {
    by: options.bySensor ? "sensor" : undefined,
    limit: options.bySensor ? 1000 : undefined,
    day: options.day,
    sensor: options.sensor,
    verify: options.verify ? "true" : undefined,
  };
  const ledger = await client.get<Ledger>("/api/v1/ledger", query);
  show(options, ledger, () => describe(ledger));
  if (!ledger.balanced || ledger.verified?.ok === false) process.exitCode = 1;
}

type Trace = { readonly sentence: string };

/** Options may stand before or after the word `trace`. */
async function printTrace(sensor: string, measuredAt: string, _own: unknown, command: Command): Promise<void> {
  const options = command.optsWithGlobals<ServiceOptions>();
  const { client } = findService(options);
  const trace = await client.get<Trace>("/api/v1/ledger/trace", { sensor, measuredAt });
  show(options, trace, () => trace.sentence);
}

const HEADER = ["received", "stored", "duplicate", "quarantined", "shed", "lost", "in journal"];

function describe(ledger: Ledger): string {
  const line = (name: string, sums: Sums) => {
    const { received, stored, duplicate, quarantined, shed, lost, inJournal } = sums;
    return [name, received, stored, duplicate, quarantined, shed, lost, inJournal];
  };
  const rows = [
    ...ledger.days.map((day) => line(day.day, day)),
    ...(ledger.sensors ?? []).map((sensor) => line(sensor.sensorId || "(no sensor)", sensor)),
    line("all", ledger),
  ];
  const reasons = Object.entries(ledger.reasons ?? {}).map(([reason, count]) => `  ${count} ${reason}`);
  return [
    table(["", ...HEADER], rows),
    ...reasons,
    ...(ledger.scope === "settled" ? ["too much waits in the journal: days and sensors show what is settled"] : []),
    ...(ledger.next === undefined ? [] : ["there are more sensors: ask for one with --sensor"]),
    ledger.balanced ? "the books balance" : "THE BOOKS DO NOT BALANCE",
    ...(ledger.verified ? describeCheck(ledger.verified) : []),
  ].join("\n");
}

function describeCheck({ ok, seqBefore, readings, quarantine, differences, differing }: Check): string[] {
  const line = (name: string, { booked, removed, found }: Recount) => [name, booked, removed, found];
  const rows = [line("readings", readings), line("quarantine", quarantine)];
  const { removedByStore = 0 } = readings;
  const counted = [
    `counted again, all that is booked of messages before ${seqBefore}:`,
    table(["", "booked", "removed", "found"], rows),
    ...(removedByStore > 0
      ? [
          `${removedByStore} readings more were removed by the retention of the database itself, for the time they were measured`,
        ]
      : []),
  ];
  if (ok) return [...counted, "everything is where the books say"];
  const cells = differences.map(({ what, day, sensorId, booked, found }) => [
    ...[what, day ?? "-", sensorId === "" ? "(no sensor)" : (sensorId ?? "-"), booked, found, found - booked],
  ]);
  return [
    ...counted,
    `THE BOOKS SAY OTHER THAN WHAT IS THERE: ${differing} ${differing === 1 ? "difference" : "differences"}`,
    table(["what", "day", "sensor", "in the books", "found", "too many"], cells),
  ];
}
