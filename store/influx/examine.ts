import type { StoreFinding, StoreReportView } from "../../contract/ledger.ts";
import { DAY_MS, formatSpan } from "../../model/time.ts";
import { type KeepDays, type ReadingStore, type RollupsFound, StoreError } from "../reading-store.ts";
import { type InfluxClient, type InfluxFlavour, type Target, targetName } from "./client.ts";
import { quoteName } from "./influxql.ts";
import { askRetention, nameOf, type Place, rollupsFlavour } from "./place.ts";
import type { RollupsPlace } from "./rollups.ts";

/** The versions whose answers `causes.ts` and `place.ts` know. */
const KNOWN_VERSIONS = /^v?(1\.(6|7|8|11|12)\.|2\.[0-9]+\.)/;
/** Readings further off than this are refused as future, or are late for rules. */
const CLOCK_OFF_MS_MAX = 5_000;
/** The default of 1.x (max-series-per-database); every sensor is one series in each of its measurements. */
const SERIES_MAX = 1_000_000;

type ExamineOptions = {
  readonly client: InfluxClient;
  readonly flavour: InfluxFlavour;
  prove(): Promise<Place>;
  readonly rollups: RollupsPlace;
  readonly keepDays: KeepDays;
  readonly now: () => number;
};

/**
 * What an administrator would look up by hand: version, rights (each tried), organisation, retention, clock, disk,
 * cardinality. Never throws for what the server says: that is a finding.
 */
export async function examine(options: ExamineOptions): Promise<Pick<StoreReportView, "keepsMs" | "findings">> {
  const { client, now } = options;
  const asked = now();
  const pong = await attempt(() => client.ping());
  if (pong instanceof StoreError)
    return { findings: [bad("answers", pong.message, "start it, or correct INFLUX_URL")] };
  const place = await attempt(options.prove);
  const findings = [versionOf(pong.version), clockOf(pong.date, asked, now())];
  if (place instanceof StoreError) return { findings: [...findings, bad("rights", place.message, "see the text")] };
  const keepsMs = await attempt(() => askRetention(client, options.flavour, place.target));
  const rollups = await attempt(options.rollups.look);
  return {
    ...(typeof keepsMs === "number" ? { keepsMs } : {}),
    findings: [
      ...findings,
      rightsOf(place),
      whereOf(options.flavour, place.target),
      retentionOf(keepsMs, options.keepDays),
      rollupsOf(rollups, options.flavour, options.keepDays),
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

function retentionOf(keepsMs: number | undefined | StoreError, { raw }: KeepDays): StoreFinding {
  if (keepsMs instanceof StoreError) return ok("retention", `not told: ${keepsMs.message}`);
  if (keepsMs === undefined)
    return ok("retention", "InfluxDB itself removes nothing; Lamppost does, by its own settings");
  const found = `InfluxDB removes what was measured more than ${formatSpan(keepsMs)} ago`;
  if (keepsMs >= raw * DAY_MS) return ok("retention", found);
  const advice = `that is before Lamppost would (${raw} days): give the bucket or policy no retention, or a longer one`;
  return bad("retention", found, advice);
}

/** Rollups with the readings are right as long as InfluxDB does not remove them with the readings. */
function rollupsOf(
  place: RollupsFound | undefined | StoreError,
  flavour: InfluxFlavour,
  { hourly, daily }: KeepDays,
): StoreFinding {
  const [own, shared] = [nameOf(rollupsFlavour(flavour)), nameOf(flavour)];
  if (place instanceof StoreError) return bad("rollups", place.message, `give the account ${own} again`);
  if (!place) return ok("rollups", `move to ${own} when the next are computed`);
  const found = place.shared === undefined ? `in ${own}` : `in ${shared}, with the readings (${place.shared})`;
  const keepsDays = (place.keepsMs ?? Number.POSITIVE_INFINITY) / DAY_MS;
  const lost = [
    ...(keepsDays < hourly ? [`hourly ones (${inDays(hourly)})`] : []),
    ...(keepsDays < daily ? [`daily ones (${inDays(daily)})`] : []),
  ];
  if (lost.length === 0) return ok("rollups", found);
  const removes = `InfluxDB removes them ${formatSpan(place.keepsMs!)} after they were measured, before Lamppost would: ${lost.join(", ")}`;
  const advice = place.shared === undefined ? `give ${own} no retention` : `make ${own}: ${makeApart(flavour)}`;
  return bad("rollups", `${found}; ${removes}`, advice);
}

/** What a person runs who may. */
function makeApart(flavour: InfluxFlavour): string {
  const own = rollupsFlavour(flavour);
  if ("token" in own)
    return `influx bucket create --org ${JSON.stringify(own.org)} --name ${JSON.stringify(own.bucket)}, and a token that may read and write both`;
  const grant =
    own.username === undefined ? "" : `; GRANT ALL ON ${quoteName(own.database)} TO ${quoteName(own.username)}`;
  return `CREATE DATABASE ${quoteName(own.database)}${grant}`;
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

type Settings = {
  readonly retentionRawDays: number;
  readonly retentionHourlyDays: number;
  /** 0 is for ever. */
  readonly retentionDailyDays: number;
};

/** What whoever runs the place of the readings should know of it; nothing to say where that is a file of ours. */
export async function examineStore(
  { name, place, examine }: Pick<ReadingStore, "name" | "place" | "examine">,
  { retentionRawDays, retentionHourlyDays, retentionDailyDays }: Settings,
): Promise<StoreReportView> {
  const keepDays = {
    raw: retentionRawDays,
    hourly: retentionHourlyDays,
    daily: retentionDailyDays === 0 ? Number.POSITIVE_INFINITY : retentionDailyDays,
  };
  return { store: name, place, ...((await examine?.(keepDays)) ?? { findings: [] }) };
}
