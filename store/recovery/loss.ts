import { existsSync } from "node:fs";
import { basename } from "node:path";
import { type Figure, gauge, type Health } from "../../model/health.ts";
import type { LedgerRow } from "../../model/ledger.ts";
import type { Log } from "../../model/log.ts";
import { dateOf } from "../../model/time.ts";
import type { ReadingStore } from "../reading-store.ts";
import type { Records } from "../records.ts";
import type { StoreMarks } from "./marks.ts";
import { asideOf, type DamageReport, readReports, reportPathOf, total, writeReport } from "./recover.ts";
import type { Span } from "./salvage.ts";

type Loss = { readonly readings: number; readonly span: Partial<Span> };

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
    from: froms.length > 0 ? Math.min(...froms) : undefined,
    to: tos.length > 0 ? Math.max(...tos) : undefined,
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

const LOSS_BOOKED = "duckdb.loss-booked";

export type LossParts = {
  /** Of the DuckDB file. */
  readonly path: string;
  readonly store: Pick<ReadingStore, "count" | "countBySensor">;
  readonly records: Pick<Records, "transaction" | "offsets" | "ledger" | "removals" | "audit">;
  readonly marks: Pick<StoreMarks, "removed">;
  readonly alarm: LossAlarm;
  /** Messages below this number are booked. */
  readonly booked: number;
  readonly now: () => number;
  readonly log: Log;
};

/**
 * When the journal has given back what it had (`written` readings, its oldest message received at `first`): what is gone
 * for good goes into books and audit, in one transaction with the mark that says so, because a crash must not book it twice.
 */
export async function bookLoss(
  { path, store, records, marks, alarm, booked, now, log }: LossParts,
  report: DamageReport,
  { written, first }: { readonly written: number; readonly first?: number | undefined },
): Promise<void> {
  const rows = (await store.countBySensor()).values().reduce((sum, n) => sum + n, 0);
  const loss = reckonLoss(report, rows + marks.removed(), first);
  const words = wordsOf(loss);
  const found = await store.countBySensor({ seqBefore: booked });
  records.transaction(() => {
    if (records.offsets.get(LOSS_BOOKED) === report.foundAt) return;
    const lost = lossRows(loss, records.ledger, records.removals, found);
    if (lost) records.ledger.add(lost);
    else log.warn(loss, "what is lost could not be booked by sensor; the books still call it stored");
    const detail = `${report.why}; ${written} readings came back from the journal; ${words}`;
    records.audit.add({ at: now(), by: "service", what: "store.rebuilt", target: basename(path), detail });
    records.offsets.set(LOSS_BOOKED, report.foundAt);
  });
  writeReport(path, { ...report, state: "done", refilled: written, missing: { ...loss, span: { ...loss.span } } });
  alarm.look();
  log[loss.readings > 0 ? "error" : "warn"]({ written, ...loss }, `the reading store is rebuilt: ${words}`);
}

type LossAlarm = ReturnType<typeof createLossAlarm>;

const PART = "reading store";

/** The alarm stays for as long as the files set aside: whoever has dealt with it moves them away. */
export function createLossAlarm(path: string, isSuspect: () => boolean) {
  let reports = readReports(path);
  const remaining = () => reports.filter((report) => existsSync(reportPathOf(path, report)));

  return {
    /** Reads the reports again: call it when one has changed. */
    look(): void {
      reports = readReports(path);
    },
    health: (): readonly Health[] =>
      [...remaining().flatMap((report) => reasonOf(path, report) ?? []), ...(isSuspect() ? [SUSPECT] : [])].map(
        (reason) => ({ part: PART, state: "degraded", ready: true, reason }),
      ),
    figures: (): readonly Figure[] => [
      gauge(
        "lamppost_store_missing_readings",
        "Readings lost with a damaged store file, as far as the files set aside are still there.",
        remaining().reduce((sum, { missing }) => sum + (missing?.readings ?? 0), 0),
      ),
    ],
  };
}

const SUSPECT =
  "A part of the DuckDB file cannot be read. Restart the service: it sets the file aside and keeps what is readable.";

function reasonOf(path: string, report: DamageReport): string | undefined {
  const { missing, state, why, hadFile } = report;
  const aside = basename(asideOf(path, report));
  const kept = hadFile ? `The damaged file is kept as ${aside}` : "There was no file to keep";
  if (state !== "done" || !missing) return `The store was damaged (${why}) and is filled up from the journal. ${kept}.`;
  if (missing.readings === 0) return undefined;
  return `${wordsOf(missing)} (${why}). ${kept}; move ${aside}* away when you have dealt with it.`;
}

function wordsOf({ readings, span }: Loss): string {
  if (readings === 0) return "nothing is missing";
  const at = (time: number | undefined) => (time === undefined ? "an unknown time" : new Date(time).toISOString());
  return `${readings} readings received between ${at(span.from)} and ${at(span.to)} are missing`;
}
