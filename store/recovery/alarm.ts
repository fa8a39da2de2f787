import { existsSync } from "node:fs";
import { basename } from "node:path";
import { type Figure, gauge, type Health } from "../../model/health.ts";
import type { Loss } from "./loss.ts";
import { asideOf, type DamageReport, readReports, reportPathOf } from "./report.ts";

export type LossAlarm = ReturnType<typeof createLossAlarm>;

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

export function wordsOf({ readings, span }: Loss): string {
  if (readings === 0) return "nothing is missing";
  const at = (time: number | undefined) => (time === undefined ? "an unknown time" : new Date(time).toISOString());
  return `${readings} readings received between ${at(span.from)} and ${at(span.to)} are missing`;
}
