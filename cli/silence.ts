import { type Command, InvalidArgumentError, Option } from "commander";
import { SEVERITIES } from "../model/alert.ts";
import { parseDuration } from "../model/time.ts";
import { findService, type ServiceOptions, withService } from "./client.ts";
import { gatherIds, gatherTag } from "./options.ts";
import { show, table } from "./table.ts";

type Matchers = {
  readonly rule?: readonly string[];
  readonly district?: readonly string[];
  readonly sensor?: readonly string[];
  readonly gateway?: readonly string[];
  readonly severity?: string;
  readonly tag?: Readonly<Record<string, string>>;
};
type Row = {
  readonly id: number;
  readonly kind: string;
  readonly state: string;
  readonly matchers: Matchers;
  readonly window?: { readonly from: string; readonly to?: string };
  readonly reason: string;
  readonly createdBy: string;
};
type Add = ServiceOptions & Matchers & { readonly for: number; readonly reason: string; readonly maintenance?: true };

export function register(program: Command): void {
  const silence = program.command("silence").description("keep alerts from being told for a time");
  withService(
    silence.command("add").description("add a silence that begins now"),
    'silence add --gateway gw-north --for 2h --reason "firmware update"',
  )
    .option("--rule <ids>", "of these rules; commas between several", gatherIds)
    .option("--district <ids>", "in these districts", gatherIds)
    .option("--sensor <ids>", "of these sensors", gatherIds)
    .option("--gateway <ids>", "behind these gateways", gatherIds)
    .addOption(new Option("--severity <severity>", "of one severity").choices(SEVERITIES))
    .option("--tag <key=value>", "of sensors with this tag; may be given several times", gatherTags)
    .requiredOption("--for <duration>", "how long, such as 30m, 8h or 14d", parseSpan)
    .requiredOption("--reason <text>", "why")
    .option("--maintenance", "planned work")
    .action(add);
  withService(silence.command("list").description("list those that are not over"), "silence list").action(list);
  withService(silence.command("end").description("end one now"), "silence end 12")
    .argument("<id>", "its number")
    .action(end);
}

const gatherTags = (text: string, before: Readonly<Record<string, string>> = {}) => gatherTag(text, before);

function parseSpan(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError("A whole number and s, m, h or d was expected, such as 8h.");
  return ms;
}

async function add(options: Add): Promise<void> {
  const { rule, district, sensor, gateway, severity, tag, reason, maintenance } = options;
  const body = {
    kind: maintenance ? "maintenance" : "silence",
    matchers: { rule, district, sensor, gateway, severity, tag },
    endsAt: new Date(Date.now() + options.for).toISOString(),
    reason,
  };
  const added = await findService(options).client.post<Row>("/api/v1/silences", body);
  show(options, added, () => `${added.kind} ${added.id} is on until ${added.window?.to}`);
}

async function list(options: ServiceOptions): Promise<void> {
  const rows = await findService(options).client.all<Row>("/api/v1/silences", { ended: "false", limit: 1000 });
  const text = () =>
    table(
      ["id", "kind", "state", "from", "to", "by", "alerts", "reason"],
      rows.map(({ id, kind, state, window, createdBy, matchers, reason }) => {
        return [String(id), kind, state, window?.from, window?.to, createdBy, JSON.stringify(matchers), reason];
      }),
    );
  show(options, rows, () => (rows.length === 0 ? "no silences" : text()));
}

async function end(id: string, options: ServiceOptions): Promise<void> {
  await findService(options).client.delete(`/api/v1/silences/${encodeURIComponent(id)}`);
  show(options, { ended: id }, () => `silence ${id} is over`);
}
