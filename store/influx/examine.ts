import type { StoreFinding, StoreReport } from "../../model/store-report.ts";
import { type KeepDays, StoreError } from "../reading-store.ts";
import { type InfluxClient, type InfluxFlavour, type Target, targetName } from "./client.ts";
import { askRetention, type Place } from "./place.ts";

const DAY_MS = 86_400_000;
/** The versions whose answers `causes.ts` and `place.ts` know. */
const KNOWN_VERSIONS = /^v?(1\.(6|7|8|11|12)\.|2\.[0-9]+\.)/;
/** Readings further off than this are refused as future, or are late for rules. */
const CLOCK_OFF_MS_MAX = 5_000;
/** The default of 1.x (max-series-per-database); every sensor is one series in each of its measurements. */
const SERIES_MAX = 1_000_000;

export type ExamineOptions = {
  readonly client: InfluxClient;
  readonly flavour: InfluxFlavour;
  prove(): Promise<Place>;
  readonly keepDays: KeepDays;
  readonly now: () => number;
};

/**
 * What an administrator would look up by hand: version, rights (each tried), organisation, retention, clock, disk,
 * cardinality. Never throws for what the server says: that is a finding.
 */
export async function examine(options: ExamineOptions): Promise<Pick<StoreReport, "keepsMs" | "findings">> {
  const { client, now } = options;
  const asked = now();
  const pong = await attempt(() => client.ping());
  if (pong instanceof StoreError)
    return { findings: [bad("answers", pong.message, "start it, or correct INFLUX_URL")] };
  const place = await attempt(options.prove);
  const findings = [versionOf(pong.version), clockOf(pong.date, asked, now())];
  if (place instanceof StoreError) return { findings: [...findings, bad("rights", place.message, "see the text")] };
  const keepsMs = await attempt(() => askRetention(client, options.flavour, place.target));
  return {
    ...(typeof keepsMs === "number" ? { keepsMs } : {}),
    findings: [
      ...findings,
      rightsOf(place),
      whereOf(options.flavour, place.target),
      retentionOf(keepsMs, options.keepDays),
      ok("disk", "InfluxDB does not tell how full its disk is: watch it on its machine"),
      await cardinalityOf(client, place.target),
    ],
  };
}

const ok = (check: string, found: string): StoreFinding => ({ check, ok: true, found });
const bad = (check: string, found: string, advice: string): StoreFinding => ({ check, ok: false, found, advice });

async function attempt<T>(ask: () => Promise<T>): Promise<T | StoreError> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
}

function versionOf(version: string | undefined): StoreFinding {
  if (version === undefined) return ok("version", "it does not say its version");
  const known = KNOWN_VERSIONS.test(version) ? "" : " (not one that was tried: 1.6 to 1.12 and 2.x are)";
  return ok("version", `InfluxDB ${version}${known}`);
}

/** The header has whole seconds, and the answer took its time. */
function clockOf(date: number | undefined, asked: number, answered: number): StoreFinding {
  if (date === undefined) return ok("clock", "it does not say its time");
  const off = date + 1_000 < asked ? date + 1_000 - asked : date > answered ? date - answered : 0;
  const found = `${Math.round(Math.abs(off) / 1_000)} s ${off < 0 ? "behind" : "ahead of"} this machine's`;
  if (Math.abs(off) <= CLOCK_OFF_MS_MAX) return ok("clock", "agrees with this machine's");
  return bad("clock", found, "set both by NTP: InfluxDB's retention goes by its own clock");
}

function rightsOf({ noRemoval }: Place): StoreFinding {
  if (!noRemoval) return ok("rights", "a test point was written, read and removed");
  const advice =
    "give the account the right to write and read the whole bucket or database; until then nothing is removed";
  return bad("rights", noRemoval.message, advice);
}

function whereOf(flavour: InfluxFlavour, target: Target): StoreFinding {
  const read = targetName(target);
  if (!("token" in flavour)) return ok("database", read);
  return ok("bucket", `${flavour.bucket} of ${flavour.org}, read as ${read}`);
}

function retentionOf(keepsMs: number | undefined | StoreError, keepDays: KeepDays): StoreFinding {
  if (keepsMs instanceof StoreError) return ok("retention", `not told: ${keepsMs.message}`);
  if (keepsMs === undefined)
    return ok("retention", "InfluxDB itself removes nothing; Lamppost does, by its own settings");
  const { raw, hourly, daily } = keepDays;
  const days = keepsMs / DAY_MS;
  const found = `InfluxDB removes what was measured more than ${Math.floor(days * 10) / 10} days ago`;
  const lost = [
    ...(days < raw ? [`readings (${raw} days)`] : []),
    ...(days < hourly ? [`hourly rollups (${inDays(hourly)})`] : []),
    ...(days < daily ? [`daily rollups (${inDays(daily)})`] : []),
  ];
  if (lost.length === 0) return ok("retention", found);
  const advice = `that is before Lamppost would: ${lost.join(", ")}; give the bucket or policy no retention, or a longer one`;
  return bad("retention", found, advice);
}

const inDays = (days: number) => (Number.isFinite(days) ? `${days} days` : "for ever");

async function cardinalityOf(client: InfluxClient, target: Target): Promise<StoreFinding> {
  const count = await attempt(async () => {
    // Of 1.x; 2.x has no such question.
    for await (const { values } of client.query(target, "SHOW SERIES CARDINALITY")) return Number(values[0]?.[0]);
    return undefined;
  });
  if (count instanceof StoreError || count === undefined) return ok("series", "this version does not say how many");
  if (count < SERIES_MAX / 2) return ok("series", `about ${count}`);
  return bad(
    "series",
    `about ${count}`,
    "InfluxDB 1.x stops at max-series-per-database (1,000,000 by default): raise it",
  );
}
