import type { Command } from "commander";
import { findService, type ServiceOptions, withService } from "./client.ts";
import { parseCount } from "./options.ts";
import { show, table } from "./table.ts";

type Filter = {
  readonly state?: string;
  readonly severity?: string;
  readonly audience?: string;
  readonly district?: string;
  readonly kind?: string;
  readonly rule?: string;
  readonly sensor?: string;
};
type Alert = {
  readonly state: string;
  readonly severity: string;
  readonly handling: string;
  readonly startedAt: string;
  readonly rule: { readonly id: string };
  readonly subject: { readonly sensorId?: string; readonly district?: string; readonly gateway?: string };
  readonly explanation: string;
};

export function register(program: Command): void {
  withService(
    program.command("alerts").description("list alerts, the newest first"),
    "alerts --state firing --audience operators",
  )
    .option("--state <states>", "pending, firing, resolved, retracted; commas between several")
    .option("--severity <severities>", "info, warning, critical; commas between several")
    .option("--audience <audience>", "operators or crews")
    .option("--district <district>", "of one district")
    .option("--kind <kind>", "of one kind of sensor")
    .option("--rule <rule>", "of one rule")
    .option("--sensor <sensor>", "of one sensor")
    .option("--limit <n>", "at most so many", parseCount, 50)
    .action(list);
}

async function list(options: ServiceOptions & Filter & { readonly limit: number }): Promise<void> {
  const { state, severity, audience, district, kind, rule, sensor, limit } = options;
  const query = { state, severity, audience, district, kind, rule, sensor, limit: Math.min(limit, 1000) };
  const { items } = await findService(options).client.get<{ items: Alert[] }>("/api/v1/alerts", query);
  const text = () =>
    table(
      ["started", "state", "severity", "handling", "rule", "subject", "what"],
      items.map((alert) => {
        const { sensorId, district: where, gateway } = alert.subject;
        const subject = sensorId ?? gateway ?? where;
        const { startedAt, handling, explanation } = alert;
        return [startedAt, alert.state, alert.severity, handling, alert.rule.id, subject, explanation];
      }),
    );
  show(options, items, () => (items.length === 0 ? "no alerts" : text()));
}
