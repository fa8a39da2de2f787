import { type Command, Option } from "commander";
import type { NewCalibrationBody } from "../contract/calibration.ts";
import type { CorrectionDoneView, CorrectionView, NewCorrectionBody } from "../contract/correction.ts";
import { CORRECTION_KINDS } from "../model/correction.ts";
import type { MetricName } from "../model/metrics.ts";
import { findService, type ServiceOptions, withService } from "./client.ts";
import { parseCount, parseId, parseNumber } from "./options.ts";
import { show, table } from "./output.ts";

/** What people found out about readings that are kept. */
export function register(program: Command): void {
  const correction = program.command("correction").description("correct readings that are kept; nothing is erased");
  withService(
    correction.command("add").description("readings of a sensor were invalid, or had another value, unit or time"),
    `correction add energy-7 --from 2026-11-01T00:00:00Z --to 2026-11-20T09:30:00Z --what factor --factor 0.001 --metrics activePower --reason "sent W, not kW" --dry-run`,
  )
    .argument("<sensorId>", "the sensor", parseId)
    .requiredOption("--from <time>", "ISO 8601 with a zone, or epoch milliseconds")
    .option("--to <time>", "exclusive (default: now)")
    .addOption(new Option("--what <what>", "what was wrong").choices(CORRECTION_KINDS).makeOptionMandatory())
    .option("--metrics <names>", "comma list (default: all)")
    .option("--value <n>", "of value: the right one", parseNumber)
    .option("--factor <n>", "of factor: right is value x factor + offset", parseNumber)
    .option("--offset <n>", "of factor", parseNumber)
    .option("--shift <seconds>", "of shift: so much later, or earlier if below zero", parseNumber)
    .requiredOption("--reason <text>", "why, for the audit and for whoever reads an alert")
    .option("--dry-run", "only say what would change")
    .action(add);
  withService(correction.command("list").description("those of a sensor, the newest first"), "correction list energy-7")
    .argument("<sensorId>", "the sensor", parseId)
    .option("--limit <n>", "at most so many", parseCount, 50)
    .action(list);
  withService(
    correction.command("revoke").description("take one back: everything is read as before it"),
    `correction revoke 3 --reason "it was kW after all"`,
  )
    .argument("<id>", "its number in the list", parseCount)
    .requiredOption("--reason <text>", "why")
    .action(revoke);

  const calibration = program.command("calibration").description("make what a sensor sends right from now on");
  withService(
    calibration.command("add").description("value x factor + offset; what the device said is kept beside it"),
    `calibration add air-3 no2 --factor 1.04 --offset -2 --certificate "lab report 2026-114"`,
  )
    .argument("<sensorId>", "the sensor", parseId)
    .argument("<metric>", "such as no2")
    .option("--factor <n>", "default 1", parseNumber)
    .option("--offset <n>", "default 0", parseNumber)
    .option("--from <time>", "of what was measured from then on (default: now)")
    .option("--to <time>", "exclusive (default: until it is ended)")
    .requiredOption("--certificate <text>", "who calibrated it, when, against what")
    .action(addCalibration);
  withService(calibration.command("list").description("of a sensor, the newest first"), "calibration list air-3")
    .argument("<sensorId>", "the sensor", parseId)
    .action(listCalibrations);
  withService(calibration.command("end").description("from now on it does not count"), "calibration end 2")
    .argument("<id>", "its number in the list", parseCount)
    .action(endCalibration);
}

type CalibrationOptions = ServiceOptions & Omit<NewCalibrationBody, "metric">;

async function addCalibration(sensorId: string, metric: string, options: CalibrationOptions): Promise<void> {
  const { factor, offset, from, to, certificate } = options;
  // The service says which metrics there are.
  const body = { metric: metric as MetricName, factor, offset, from, to, certificate };
  const one = await findService(options).client.post(`/sensors/${sensorId}/calibrations`, body);
  show(
    options,
    one,
    () => `calibration ${one.id} of ${sensorId}: ${one.metric} x ${one.factor} + ${one.offset} from ${one.from}`,
  );
}

async function listCalibrations(sensorId: string, options: ServiceOptions): Promise<void> {
  const { items } = await findService(options).client.get(`/sensors/${sensorId}/calibrations`);
  const lines = items.map((one) => [
    ...[one.id, one.metric, one.factor, one.offset, one.from, one.to ?? "", one.certificate, one.endedAt ?? ""],
  ]);
  const header = ["id", "metric", "factor", "offset", "from", "to", "certificate", "ended"];
  show(options, items, () => (items.length === 0 ? `${sensorId} is not calibrated` : table(header, lines)));
}

async function endCalibration(id: number, options: ServiceOptions): Promise<void> {
  const one = await findService(options).client.post(`/calibrations/${id}/end`, {});
  show(options, one, () => `calibration ${id} of ${one.sensorId} has ended`);
}

type AddOptions = ServiceOptions & {
  readonly from: string;
  readonly to?: string;
  readonly what: NewCorrectionBody["what"];
  readonly metrics?: string;
  readonly value?: number;
  readonly factor?: number;
  readonly offset?: number;
  readonly shift?: number;
  readonly reason: string;
  readonly dryRun?: boolean;
};

async function add(sensorId: string, options: AddOptions): Promise<void> {
  const { from, to, what, metrics, value, factor, offset, shift: shiftS, reason, dryRun } = options;
  const body: NewCorrectionBody = {
    from,
    to: to ?? Date.now(),
    what,
    value,
    factor,
    offset,
    shiftS,
    reason,
    // The service says which there are.
    ...(metrics === undefined ? {} : { metrics: metrics.split(",") as MetricName[] }),
  };
  const path = `/sensors/${sensorId}/corrections` as const;
  const { client } = findService(options);
  const done = dryRun ? await client.post(`${path}?dryRun=true`, body) : await client.post(path, body);
  show(options, done, () => describeDone(done, dryRun ? "would be" : "are"));
}

async function list(sensorId: string, options: ServiceOptions & { readonly limit: number }): Promise<void> {
  const query = { limit: Math.min(options.limit, 1_000) };
  const { items } = await findService(options).client.get(`/sensors/${sensorId}/corrections`, query);
  const text = () => table(["id", "from", "to", "change", "reason", "by", "revoked"], items.map(lineOf));
  show(options, items, () => (items.length === 0 ? `nothing was corrected of ${sensorId}` : text()));
}

async function revoke(id: number, options: ServiceOptions & { readonly reason: string }): Promise<void> {
  const done = await findService(options).client.post(`/corrections/${id}/revoke`, { reason: options.reason });
  show(options, done, () => describeDone(done, "are"));
}

function lineOf(one: CorrectionView): (string | number)[] {
  const revoked = one.revokedAt === undefined ? "" : `${one.revokedAt} by ${one.revokedBy}: ${one.revokeReason}`;
  return [one.id, one.from, one.to, changeOf(one), one.reason, one.by, revoked];
}

function changeOf({ what, metrics, value, factor = 1, offset = 0, shiftS }: CorrectionView): string {
  const of = metrics?.join(",") ?? "all";
  if (what === "invalid") return `${of} invalid`;
  if (what === "value") return `${of} = ${value}`;
  if (what === "shift") return `time ${shiftS} s`;
  return `${of} x ${factor}${offset === 0 ? "" : ` + ${offset}`}`;
}

function describeDone({ correction, effect }: CorrectionDoneView, are: string): string {
  const name = correction ? [`correction ${correction.id} of ${correction.sensorId}`] : [];
  if (!effect) return [...name, "it was so before: nothing changed"].join("\n");
  const examples = effect.examples.map(({ before, after }) => [
    ...[before?.measuredAt ?? "-", JSON.stringify(before?.values ?? {})],
    ...[after?.measuredAt ?? "left out", JSON.stringify(after?.values ?? {})],
  ]);
  return [
    ...name,
    `readings that ${are} read differently: ${effect.readings}; hours computed anew: ${effect.hours}; alerts marked: ${effect.alerts}`,
    ...(examples.length > 0 ? [table(["measured", "before", "then", "after"], examples)] : []),
    ...effect.notes,
  ].join("\n");
}
