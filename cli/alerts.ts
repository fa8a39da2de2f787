import { type Command, Option } from "commander";
import { wordsOf } from "../alerts/channels/channel.ts";
import type { AlertView } from "../contract/alert.ts";
import type { NewSilence } from "../contract/silence.ts";
import { CLI_WORDS } from "../messages/cli.ts";
import type { Reader } from "../messages/format.ts";
import { momentOf } from "../messages/format.ts";
import { PACKS, render } from "../messages/messages.ts";
import { tellAlert } from "../messages/tell.ts";
import { type Alert, SEVERITIES } from "../model/alert.ts";
import { findService, languageOf, type ServiceOptions, withService } from "./client.ts";
import { gatherIds, gatherTag, parseCount, parseSpan } from "./options.ts";
import { show, table } from "./output.ts";

/** Alerts, and the silences that keep them from being told. */
export function register(program: Command): void {
  withService(
    program.command("alerts").description("list alerts, the newest first; with an id: what is known of one"),
    "alerts --state firing --audience operators",
  )
    .argument("[id]", "of one alert")
    .option("--state <states>", "pending, firing, resolved, retracted; commas between several")
    .option("--severity <severities>", "info, warning, critical; commas between several")
    .option("--audience <audience>", "operators or crews")
    .option("--district <district>", "of one district")
    .option("--kind <kind>", "of one kind of sensor")
    .option("--rule <rule>", "of one rule")
    .option("--sensor <sensor>", "of one sensor")
    .option("--limit <n>", "at most so many", parseCount, 50)
    .action(listAlerts);
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
    .option("--tag <key=value>", "of sensors with this tag; may be given several times", gatherTag)
    .requiredOption("--for <duration>", "how long, such as 30m, 8h or 14d", parseSpan)
    .requiredOption("--reason <text>", "why")
    .option("--maintenance", "planned work")
    .option("--dry-run", "only say what it would cover")
    .action(addSilence);
  withService(silence.command("list").description("list those that are not over"), "silence list").action(listSilences);
  withService(silence.command("end").description("end one now"), "silence end 12")
    .argument("<id>", "its number")
    .action(endSilence);
}

const FILTERS = ["state", "severity", "audience", "district", "kind", "rule", "sensor"] as const;
type Filter = { readonly [Name in (typeof FILTERS)[number]]?: string };

async function listAlerts(
  id: string | undefined,
  options: ServiceOptions & Filter & { readonly limit: number },
): Promise<void> {
  if (id !== undefined) return showAlert(id, options);
  const filter: Filter = Object.fromEntries(FILTERS.map((name) => [name, options[name]]));
  const query = { ...filter, limit: Math.min(options.limit, 1000) };
  const { items } = await findService(options).client.get("/alerts", query);
  const reader = readerOf(options);
  const { columns, none, states, severities, handlings } = CLI_WORDS[reader.locale];
  const text = () =>
    table(
      Object.values(columns),
      items.map((alert) => {
        const { startedAt, state, severity, level, handling, rule, subject, mode } = alert;
        const about = subject.sensorId ?? subject.gateway ?? subject.district;
        const at = mode ? `${states[state]} (${mode})` : states[state];
        const how = level ? `${severities[severity]} (${level})` : severities[severity];
        return [startedAt, at, how, handlings[handling], rule.id, about, explanationOf(alert, reader)];
      }),
    );
  show(options, items, () => (items.length === 0 ? none : text()));
}

/** On the clocks of this machine. */
const readerOf = (options: ServiceOptions): Reader => ({
  locale: languageOf(options),
  zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  now: Date.now(),
});

/** In English as programs that read the table have always had it. */
const explanationOf = (alert: AlertView, reader: Reader): string =>
  reader.locale === "en" ? alert.explanation : tellAlert(PACKS[reader.locale], asKept(alert), reader).explanation;

/** With times as the service has them. */
function asKept({ startedAt, resolvedAt, timeline, correctedBy, ...alert }: AlertView): Alert {
  const moved = correctedBy && {
    ...correctedBy,
    measuredAt: Date.parse(correctedBy.measuredAt),
    receivedAt: Date.parse(correctedBy.receivedAt),
  };
  return {
    ...alert,
    timeline: [],
    startedAt: Date.parse(startedAt),
    ...(resolvedAt === undefined ? {} : { resolvedAt: Date.parse(resolvedAt) }),
    ...(moved && { correctedBy: moved }),
  } as unknown as Alert;
}

/** As a mail would tell of it, and what has become of it. */
async function showAlert(id: string, options: ServiceOptions): Promise<void> {
  const alert = await findService(options).client.get(`/alerts/${encodeURIComponent(id)}`);
  const reader = readerOf(options);
  const pack = PACKS[reader.locale];
  const { timeline, states, handlings } = CLI_WORDS[reader.locale];
  show(options, alert, () => {
    const kept = asKept(alert);
    const { subject, explanation, facts } = wordsOf({ id, at: reader.now!, what: "firing", alert: kept }, { reader });
    const entries = alert.timeline.map(({ knownAt, what, by, note, says }) => {
      const said = (says && render(says, reader)) ?? note;
      const done = Object.hasOwn(states, what) ? states[what as AlertView["state"]] : what;
      return `  ${[momentOf(Date.parse(knownAt), pack, reader).text, by ? `${done} (${by})` : done, said].filter(Boolean).join("  ")}`;
    });
    const lines = facts.map(([name, text]) => `${name}: ${text}`);
    const how = `${states[alert.state]}, ${handlings[alert.handling]}`;
    return [subject, explanation, how, "", ...lines, "", `${timeline}:`, ...entries].join("\n");
  });
}

type NewSilenceOptions = ServiceOptions &
  Pick<NewSilence["matchers"], "rule" | "district" | "sensor" | "gateway" | "severity" | "tag"> &
  Pick<NewSilence, "reason"> & { readonly for: number; readonly maintenance?: true; readonly dryRun?: true };

async function addSilence(options: NewSilenceOptions): Promise<void> {
  const { rule, district, sensor, gateway, severity, tag, reason, maintenance } = options;
  const { client } = findService(options);
  const matchers = { rule, district, sensor, gateway, severity, tag };
  const covered = await client.post("/silences/preview", { matchers });
  const sensors = covered.sensors === 1 ? "1 sensor" : `${covered.sensors} sensors`;
  const alerts = covered.openAlerts === 1 ? "1 open alert" : `${covered.openAlerts} open alerts`;
  if (options.dryRun) return show(options, covered, () => `it would cover ${sensors}, ${alerts}`);
  const added = await client.post("/silences", {
    kind: maintenance ? "maintenance" : "silence",
    matchers,
    endsAt: new Date(Date.now() + options.for).toISOString(),
    reason,
  });
  show(options, added, () => `${added.kind} ${added.id} is on until ${added.window?.to}: ${sensors}, ${alerts}`);
}

async function listSilences(options: ServiceOptions): Promise<void> {
  const rows = await findService(options).client.all("/silences", { ended: "false", limit: 1000 });
  const text = () =>
    table(
      ["id", "kind", "state", "from", "to", "by", "alerts", "reason"],
      rows.map(({ id, kind, state, window, createdBy, matchers, reason }) => {
        return [String(id), kind, state, window?.from, window?.to, createdBy, JSON.stringify(matchers), reason];
      }),
    );
  show(options, rows, () => (rows.length === 0 ? "no silences" : text()));
}

async function endSilence(id: string, options: ServiceOptions): Promise<void> {
  await findService(options).client.delete(`/silences/${encodeURIComponent(id)}`);
  show(options, { ended: id }, () => `silence ${id} is over`);
}
