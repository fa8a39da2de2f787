import type { Evidence, Transition, Verdict } from "../../model/alert.ts";
import { METRICS, type MetricName } from "../../model/metrics.ts";
import { DAY_MS } from "../../model/time.ts";
import { alertId } from "../alert-id.ts";
import type { Compared } from "../districts/drift-days.ts";
import type { CompiledRule } from "../engine/compile.ts";
import type { OverSeveral, WatchedSensor } from "./condition.ts";

/** A daily value that stays off the neighbours'; `districts/drift.ts` compares the days. */
export const drift: OverSeveral = { over: "several" };

const EVIDENCE_MAX = 10;

/** The alert of a drift that has been found. `run`: the days it rests on, oldest first. */
export function driftAlert(
  { rule, fit }: Pick<CompiledRule, "rule" | "fit">,
  sensor: WatchedSensor,
  run: readonly Compared[],
): Transition["alert"] {
  const { id, version, title, source, severity, audience, mode, condition } = rule;
  const metric = rule.metric as MetricName;
  const last = run.at(-1)!;
  const startedAt = run[0]!.day * DAY_MS;
  const verdict = verdictOf(run, condition.type === "drift" ? condition.ratio : 0);
  return {
    id: alertId(id, sensor.id, startedAt, fit),
    rule: { id, version, title, source: source.text },
    subject: { sensorId: sensor.id, district: sensor.district },
    kind: sensor.kind,
    severity,
    audience: verdict.is === "sensor-fault" ? "crews" : audience,
    state: "firing",
    startedAt,
    firedAt: (last.day + 1) * DAY_MS,
    metric,
    value: round(last.value),
    limit: round(last.around),
    unit: METRICS[metric].unit,
    explanation: sentence(metric, sensor, run),
    evidence: run.slice(-EVIDENCE_MAX).map((one) => toEvidence(metric, one)),
    verdict,
    ...(mode === "shadow" ? { mode } : {}),
  };
}

const round = (value: number) => Math.round(value * 100) / 100;

/** Neighbours that do not agree among themselves prove nothing. */
function verdictOf(run: readonly Compared[], ratio: number): Verdict {
  const { count } = run.at(-1)!;
  const agree = run.filter(({ spread }) => spread <= ratio).length >= run.length / 2;
  return agree
    ? {
        is: "sensor-fault",
        why: `Its ${count} neighbours agree with each other and moved as it did, at another level.`,
      }
    : { is: "unclear", why: `Its ${count} neighbours differ as much from each other.` };
}

function sentence(metric: MetricName, { id, name }: WatchedSensor, run: readonly Compared[]): string {
  const { label, unit } = METRICS[metric];
  const last = run.at(-1)!;
  const days = last.day - run[0]!.day + 1;
  const mean = run.reduce((sum, { off }) => sum + off, 0) / run.length;
  const amount = (value: number) => `${round(value)} ${unit}`.trimEnd();
  const where = `${label.charAt(0).toUpperCase()}${label.slice(1)} at ${name ?? id}`;
  const off = `${Math.round(Math.abs(mean) * 100)} % ${mean > 0 ? "above" : "below"}`;
  return `${where} has been ${off} the median of its ${last.count} neighbours for ${days} days (${dateText(last.day)}: ${amount(last.value)} against ${amount(last.around)}).`;
}

export const dateText = (day: number) => new Date(day * DAY_MS).toISOString().slice(0, 10);

function toEvidence(metric: MetricName, { day, value, around }: Compared): Evidence {
  return {
    measuredAt: day * DAY_MS,
    metric,
    value: round(value),
    note: `median of the day; neighbours ${round(around)}`,
  };
}
