import type { LedgerRow } from "../../model/ledger.ts";
import { dateOf } from "../../model/time.ts";
import type { Records } from "../records.ts";
import type { Span } from "./probe.ts";
import { total } from "./recover.ts";
import type { DamageReport } from "./report.ts";

export type Loss = { readonly readings: number; readonly span: Partial<Span> };

/** What is gone for good, and when that was received, as far as known. `rows`: what the store has now. */
export function reckonLoss(report: DamageReport, rows: number, first: number | undefined): Loss {
  const { expected, salvaged, span } = report;
  const readings = Math.max(0, total(expected) - (rows - (salvaged?.ahead ?? 0)));
  if (readings === 0) return { readings, span: {} };
  // A hole at the edge has no neighbour on one side.
  const spans: Partial<Span>[] = (salvaged?.holes ?? []).map((hole) => ({ ...span, ...hole }));
  // What was written last is what a lost log held: it reaches from the newest reading left to the oldest of the journal.
  const [from, to] = [salvaged?.newest ?? span.from, first ?? span.to];
  if (from !== undefined && to !== undefined && from <= to) spans.push({ from, to });
  return { readings, span: spans.length > 0 ? around(spans) : span };
}

function around(spans: readonly Partial<Span>[]): Partial<Span> {
  const froms = spans.flatMap(({ from }) => from ?? []);
  const tos = spans.flatMap(({ to }) => to ?? []);
  return {
    ...(froms.length > 0 ? { from: Math.min(...froms) } : {}),
    ...(tos.length > 0 ? { to: Math.max(...tos) } : {}),
  };
}

const DAYS_MAX = 10_000;

/**
 * The rows that turn what was booked as stored and is gone into `lost`: exact by sensor; of its days the newest ones up
 * to the end of the missing span. Undefined where books and store do not tell the same story as the marks (the city has
 * used InfluxDB in between): then the books stay, and a recount shows the difference.
 */
export function lossRows(
  loss: Loss,
  ledger: Pick<Records["ledger"], "byDay" | "bySensor">,
  removals: Pick<Records["removals"], "counts" | "plans">,
  found: ReadonlyMap<string, number>,
): LedgerRow[] | undefined {
  const removed = removals.counts("readings");
  const planned = removals.plans();
  const rows: LedgerRow[] = [];
  let sum = 0;
  for (const { sensorId, outcomes } of ledger.bySensor()) {
    const gone = (removed.get(sensorId) ?? 0) + planned.reduce((n, { counts }) => n + (counts.get(sensorId) ?? 0), 0);
    const lost = (outcomes.get("stored") ?? 0) - gone - (found.get(sensorId) ?? 0);
    if (lost <= 0) continue;
    sum += lost;
    const last = loss.span.to === undefined ? "9999" : dateOf(loss.span.to);
    const days = ledger.byDay(DAYS_MAX, sensorId).filter(({ day }) => day <= last);
    rows.push(...rowsOfSensor(sensorId, lost, days));
  }
  return sum === loss.readings ? rows : undefined;
}

function rowsOfSensor(sensorId: string, lost: number, days: ReturnType<Records["ledger"]["byDay"]>): LedgerRow[] {
  let left = lost;
  return days.flatMap(({ day, outcomes }) => {
    const count = Math.min(left, outcomes.get("stored") ?? 0);
    left -= count;
    if (count === 0) return [];
    return [
      { day, sensorId, outcome: "received", count: -count },
      { day, sensorId, outcome: "stored", count: -count },
      { day, sensorId, outcome: "lost", count },
    ] satisfies LedgerRow[];
  });
}
