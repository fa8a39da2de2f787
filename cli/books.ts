import { Argument, Command } from "commander";
import type { LedgerCheckView, LedgerSums, LedgerView, Redrive } from "../contract/ledger.ts";
import type { SensorFaultsView } from "../contract/reading.ts";
import { findService, type ServiceOptions, withService } from "./client.ts";
import { parseCount } from "./options.ts";
import { show, table } from "./output.ts";

/** What the service wrote down: messages that could not become readings, the books, and who did what. */
export function register(program: Command): void {
  const quarantine = program.command("quarantine").description("messages and values that could not be taken");
  withService(
    quarantine.command("list").description("list them, the newest first"),
    "quarantine list --reason out_of_range",
  )
    .option("--reason <reason>", "of one reason")
    .option("--sensor <sensor>", "of one sensor")
    .option("--metric <metric>", "refused values of one metric, such as o3")
    .option("--limit <n>", "at most so many", parseCount, 50)
    .action(listQuarantine);
  withService(
    quarantine.command("sensors").description("what is refused of each sensor lately, and fields nobody takes"),
    "quarantine sensors",
  ).action(listFaults);
  withService(quarantine.command("show").description("one of them, with its payload"), "quarantine show 17")
    .argument("<id>", "its number in the list", parseCount)
    .action(showQuarantined);
  withService(
    quarantine.command("redrive").description("send them through again, after a fix"),
    "quarantine redrive --reason unknown_sensor",
  )
    .argument("[ids...]", "their numbers")
    .option("--reason <reason>", "all of one reason that were not sent through yet")
    .action(redrive);

  withService(
    quarantine.command("decide").description("of two values of one moment: keep the old, or take the new"),
    `quarantine decide 17 take --reason "the first was a test"`,
  )
    .argument("<id>", "its number in the list", parseCount)
    .addArgument(new Argument("<decision>", "which").choices(["keep", "take"]))
    .requiredOption("--reason <text>", "why")
    .action(decide);

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
    .action(printLedger)
    .addCommand(trace);

  const audit = program.command("audit").description("who did what");
  withService(audit.command("list").description("list it, the newest first"), "audit list --limit 20")
    .option("--limit <n>", "at most so many", parseCount, 50)
    .action(listAudit);
  withService(
    audit.command("verify").description("check that no entry was changed or removed; exit 1 if one was"),
    "audit verify",
  ).action(verifyAudit);
}

async function listQuarantine(
  options: ServiceOptions & {
    readonly reason?: string;
    readonly sensor?: string;
    readonly metric?: string;
    readonly limit: number;
  },
): Promise<void> {
  const { reason, sensor, metric, limit } = options;
  const query = { reason, sensor, metric, limit: Math.min(limit, 1000) };
  const { items } = await findService(options).client.get("/quarantine", query);
  const text = () =>
    table(
      ["id", "received", "reason", "value", "topic", "detail"],
      items.map((item) => [item.id, item.receivedAt, item.reason, item.metric ?? "(all)", item.topic, item.detail]),
    );
  show(options, items, () => (items.length === 0 ? "the quarantine is empty" : text()));
}

async function listFaults(options: ServiceOptions): Promise<void> {
  const { client } = findService(options);
  const items: SensorFaultsView[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.get("/quarantine/sensors", { limit: 1000, cursor });
    items.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined);
  const lines = items.flatMap(({ sensorId, refused, notTaken }) => [
    ...refused.map((one) => [sensorId, one.count, one.lastAt, one.detail]),
    ...(notTaken.length > 0
      ? [[sensorId, notTaken.length, notTaken[0]!.lastAt, describeNotTaken(sensorId, notTaken)]]
      : []),
  ]);
  const text = () => table(["sensor", "times", "last", "what"], lines);
  show(options, items, () => (lines.length === 0 ? "nothing was refused lately" : text()));
}

const describeNotTaken = (sensorId: string, notTaken: SensorFaultsView["notTaken"]) =>
  `${sensorId} also sends ${notTaken.map(({ name }) => name).join(", ")}: not taken`;

async function showQuarantined(id: number, options: ServiceOptions): Promise<void> {
  const item = await findService(options).client.get(`/quarantine/${id}`);
  show(options, item, () =>
    [
      `received  ${item.receivedAt} from ${item.source}`,
      `topic     ${item.topic}`,
      `reason    ${item.reason}: ${item.detail}`,
      ...(item.metric ? [`value     ${item.metric}, measured at ${item.measuredAt}; the rest was taken`] : []),
      `redriven  ${item.redrivenAt ?? "no"}`,
      `payload   ${item.payload?.text ?? item.payload?.base64 ?? "not kept"}`,
    ].join("\n"),
  );
}

async function redrive(
  ids: readonly string[],
  options: ServiceOptions & { readonly reason?: string },
  command: Command,
): Promise<void> {
  const numbers = ids.map(Number);
  if (ids.length > 0 === (options.reason !== undefined) || numbers.some((id) => !Number.isInteger(id) || id < 1))
    command.error("error: give either the numbers of some, or --reason", { exitCode: 2 });
  // The service says which reasons there are.
  const body: Redrive =
    options.reason === undefined ? { ids: numbers } : { reason: options.reason as Redrive["reason"] };
  const answer = await findService(options).client.post("/quarantine/redrive", body);
  show(options, answer, () => `${answer.redriven} messages go through again`);
}

async function decide(
  id: number,
  decision: "keep" | "take",
  options: ServiceOptions & { readonly reason: string },
): Promise<void> {
  const { reason } = options;
  const item = await findService(options).client.post(`/quarantine/${id}/decide`, { decision, reason });
  show(options, item, () => (decision === "keep" ? "the old value stays" : "the new value counts from now on"));
}

type LedgerOptions = ServiceOptions & {
  readonly bySensor?: boolean;
  readonly sensor?: string;
  readonly day?: string;
  readonly verify?: boolean;
};

/** Exits with 1 if the books do not balance, or a count finds anything else: a check for scripts. */
async function printLedger(options: LedgerOptions): Promise<void> {
  const { client } = findService(options);
  const query = {
    by: options.bySensor ? "sensor" : undefined,
    limit: options.bySensor ? 1000 : undefined,
    day: options.day,
    sensor: options.sensor,
    verify: options.verify ? "true" : undefined,
  };
  const ledger = await client.get("/ledger", query);
  show(options, ledger, () => describe(ledger));
  if (!ledger.balanced || ledger.verified?.ok === false) process.exitCode = 1;
}

/** Options may stand before or after the word `trace`. */
async function printTrace(sensor: string, measuredAt: string, _own: unknown, command: Command): Promise<void> {
  const options = command.optsWithGlobals<ServiceOptions>();
  const { client } = findService(options);
  const trace = await client.get("/ledger/trace", { sensor, measuredAt });
  show(options, trace, () => trace.sentence);
}

const HEADER = ["received", "stored", "duplicate", "quarantined", "shed", "lost", "in journal"];

function describe(ledger: LedgerView): string {
  const line = (name: string, sums: Omit<LedgerSums, "balanced" | "reasons" | "values">) => {
    const { received, stored, duplicate, quarantined, shed, lost, inJournal } = sums;
    return [name, received, stored, duplicate, quarantined, shed, lost, inJournal];
  };
  const rows = [
    ...ledger.days.map((day) => line(day.day, day)),
    ...(ledger.sensors ?? []).map((sensor) => line(sensor.sensorId || "(no sensor)", sensor)),
    line("all", ledger),
  ];
  const { taken, suspect, missing, refused, repeated } = ledger.values;
  const reasons = Object.entries(ledger.reasons).map(([reason, count]) => `  ${count} ${reason}`);
  return [
    table(["", ...HEADER], rows),
    ...reasons,
    `values: ${taken} taken (${suspect} of them suspect), ${missing} missing, ${refused} refused, ${repeated} repeated`,
    ...(ledger.scope === "settled" ? ["too much waits in the journal: days and sensors show what is settled"] : []),
    ...(ledger.next === undefined ? [] : ["there are more sensors: ask for one with --sensor"]),
    ledger.balanced ? "the books balance" : "THE BOOKS DO NOT BALANCE",
    ...(ledger.verified ? describeCheck(ledger.verified) : []),
  ].join("\n");
}

function describeCheck({ ok, seqBefore, readings, quarantine, differences, differing }: LedgerCheckView): string[] {
  const line = (name: string, { booked, removed, found }: LedgerCheckView["readings"]) => [
    name,
    booked,
    removed,
    found,
  ];
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

async function listAudit(options: ServiceOptions & { readonly limit: number }): Promise<void> {
  const query = { limit: Math.min(options.limit, 1000) };
  const { items } = await findService(options).client.get("/audit", query);
  show(options, items, () =>
    table(
      ["id", "at", "by", "what", "target", "detail"],
      items.map((entry) => [entry.id, entry.at, entry.by, entry.what, entry.target, entry.detail ?? ""]),
    ),
  );
}

async function verifyAudit(options: ServiceOptions): Promise<void> {
  const verdict = await findService(options).client.get("/audit/verify");
  show(options, verdict, () =>
    verdict.intact
      ? `${verdict.entries} entries, none changed or removed`
      : `the chain breaks at entry ${verdict.brokenAt}: it or the one before it was changed or removed`,
  );
  if (!verdict.intact) process.exitCode = 1;
}
