import { randomBytes } from "node:crypto";
import type { Log } from "../../model/log.ts";
import { type StoreCause, StoreError, type StoreLimits } from "../reading-store.ts";
import type { InfluxClient, InfluxFlavour, Target } from "./client.ts";
import { probeOf, quoteName, toTime } from "./influxql.ts";

/** Where queries have to go to find what we write. */
export type Place = {
  readonly target: Target;
  /** Why nothing may be removed here; undefined where a point of ours was, and only that. */
  readonly noRemoval?: StoreError;
};

type PlaceOptions = {
  readonly client: InfluxClient;
  readonly flavour: InfluxFlavour;
  /** Of rollups: where the readings are. A missing bucket is made beside theirs, kept for ever. */
  readonly beside?: InfluxFlavour;
  readonly installation: string;
  readonly now: () => number;
  readonly log: Log;
};

/** People change mappings, tokens and buckets while we run. */
export const PROVEN_FOR_MS = 600_000;

/** Rollups outlive readings: they get a bucket, or database, of their own, whose retention is not that of the readings. */
export function rollupsFlavour(flavour: InfluxFlavour): InfluxFlavour {
  if ("token" in flavour) return { ...flavour, bucket: `${flavour.bucket}_rollups` };
  // Not a retention policy of the same database: a DELETE of 1.x goes through all of them, and cannot name one.
  return { ...flavour, database: `${flavour.database}_rollups` };
}

/** As people call it: "bucket readings", "database readings". */
export const nameOf = (flavour: InfluxFlavour): string =>
  "token" in flavour ? `bucket ${flavour.bucket}` : `database ${flavour.database}`;

/**
 * On 2.x writes name an organisation and a bucket, but InfluxQL knows a name only, which the server resolves by its
 * mappings inside the token's own organisation: both can lead to different buckets. So before anything is read or removed
 * a point with a random value is written, read back and removed again. `prove` answers from memory for ten minutes, unless
 * `doubt` was called. Throws `StoreError`: "misconfigured" with what to do about it.
 */
export function createPlace(options: PlaceOptions) {
  const { client, flavour, beside, now, log } = options;
  const what = beside ? "the place of rollups" : "the reading store";
  let known: { readonly place: Place; readonly at: number } | undefined;
  let proving: Promise<Place> | undefined;
  /** As of the last proof, also while there is doubt. */
  let limits: StoreLimits | undefined;

  /** The bucket as it was when it was last seen: made again like this if somebody removes it while we run. */
  let seen: Bucket | undefined;

  async function proveNow(): Promise<Place> {
    const see = (bucket: Bucket) => {
      seen = bucket;
    };
    const place =
      "token" in flavour ? await proveBucket(options, flavour, { seen, see }) : await proveDatabase(options, flavour);
    if (!known) {
      log.info({ ...place.target }, `${what} is open`);
      if (place.noRemoval) log.warn({ reason: place.noRemoval.message }, `nothing will be removed from ${what}`);
    }
    // An account that may not ask is no reason to stop.
    const keepsMs = await askRetention(client, flavour, place.target).catch((error: StoreError) => {
      if (error.kind === "unavailable") throw error;
      return undefined;
    });
    limits = { keepsMs, noRemoval: place.noRemoval?.message };
    known = { place, at: now() };
    return place;
  }

  return {
    prove(): Promise<Place> {
      if (known && Math.abs(now() - known.at) < PROVEN_FOR_MS) return Promise.resolve(known.place);
      proving ??= proveNow().finally(() => {
        proving = undefined;
      });
      return proving;
    },
    doubt(): void {
      known = undefined;
    },
    limits: () => limits,
  };
}

type Two = Extract<InfluxFlavour, { readonly token: string }>;
type One = Exclude<InfluxFlavour, Two>;

/** Writes the probe; `isRead` says whether a target leads to it, `remove` why it could not be removed. */
function createProbe({ client, installation, now }: PlaceOptions) {
  const measurement = probeOf(installation);
  const value = randomBytes(8).toString("hex");
  const at = now();
  async function isRead(target: Target): Promise<boolean> {
    const text = `SELECT "value"::string FROM "${measurement}" WHERE "installation"::tag = $mark AND time = $at`;
    for await (const { values } of client.query(target, text, { mark: installation, at: toTime(at) }))
      if (values.some((row) => row.includes(value))) return true;
    return false;
  }
  return {
    write: () => client.write([`${measurement},installation=${installation} value="${value}" ${at}`]),
    isRead,
    async remove(target: Target): Promise<StoreError | undefined> {
      try {
        await client.remove(target, { measurement, mark: installation, before: at + 1 });
      } catch (error) {
        if (!(error instanceof StoreError) || error.kind === "unavailable") throw error;
        return misconfigured(error.reason, `the test point could not be removed: ${error.message}`);
      }
      if (!(await isRead(target))) return undefined;
      return misconfigured("permissions", "the test point is still there after its removal");
    },
  };
}

// ---- 1.x --------------------------------------------------------------------------------------------------------

async function proveDatabase(options: PlaceOptions, { database }: One): Promise<Place> {
  const { client, log } = options;
  const target = { db: database };
  try {
    // Creating one that is there already changes nothing. An account that may not create one may still use one.
    for await (const _ of client.query(target, `CREATE DATABASE ${quoteName(database)}`));
  } catch (error) {
    if (!(error instanceof StoreError) || error.kind === "unavailable") throw error;
    log.debug({ database, reason: error.message }, "the database could not be created; it may exist already");
  }
  const probe = createProbe(options);
  await probe.write();
  if (!(await probe.isRead(target)))
    throw misconfigured("mapping", `what is written to database ${database} is not there when it is read`);
  return placeOf(target, await probe.remove(target));
}

const placeOf = (target: Target, noRemoval: StoreError | undefined): Place =>
  noRemoval ? { target, noRemoval } : { target };

// ---- 2.x --------------------------------------------------------------------------------------------------------

async function proveBucket(
  options: PlaceOptions,
  flavour: Two,
  { seen, see }: { readonly seen: Bucket | undefined; see(bucket: Bucket): void },
): Promise<Place> {
  const { client, beside, installation, log } = options;
  const { bucket } = flavour;
  const probe = createProbe(options);
  await probe.write().catch(async (error: StoreError) => {
    const model = error.reason === "bucket_missing" ? (seen ?? (await neighbour(client, beside))) : undefined;
    if (!model) throw await explainWrite(client, flavour, error);
    const { orgID, retentionRules = [] } = model;
    // A token for one bucket may not, and is of no use for a new one: then it is as missing as it was.
    await client.api("POST", "/api/v2/buckets", { orgID, name: bucket, retentionRules }).catch(() => {
      throw error;
    });
    if (seen) log.warn({ bucket }, "the bucket was gone and is made again");
    else log.info({ bucket }, "the bucket for rollups is made");
    await probe.write();
  });
  const own = { db: `lamppost-${installation}${beside ? "-rollups" : ""}` };
  const named = targetOf(bucket);
  const found = await findBucket(client, flavour);
  if (found === "unknown") {
    // No API of 2.x: a later version, or 1.8, which knows one name only. What the probe shows has to do.
    if (await probe.isRead(named)) return placeOf(named, await probe.remove(named));
    throw misconfigured("mapping", `what is written to bucket ${bucket} is not there when it is read`);
  }
  if (!found) throw unreadable(flavour);
  see(found);

  const mappings = await mappingsOf(client, flavour, named.db);
  const stranger = mappings.find((one) => isMeant(one, named) && one.virtual !== true && one.bucketID !== found.id);
  if (!stranger && (await isReadOr(probe, named))) return placeOf(named, await probe.remove(named));
  // Mappings to buckets that the token does not see are not in the list: a name of our own shows what it is.
  await makeMapping(client, flavour, own.db, found).catch((error: StoreError) => {
    throw error.kind === "unavailable" ? error : noMapping(flavour, own.db, found, stranger, error);
  });
  if (await isReadOr(probe, own)) return placeOf(own, await probe.remove(own));
  throw foreignToken(flavour);
}

/** A bucket of the same organisation, kept for ever. */
async function neighbour(client: InfluxClient, beside: InfluxFlavour | undefined): Promise<Bucket | undefined> {
  if (!beside || !("token" in beside)) return undefined;
  const found = await findBucket(client, beside);
  return found && found !== "unknown" ? { ...found, retentionRules: [] } : undefined;
}

/** The names that 2.x gives every bucket by itself: up to the first slash the database, then the retention policy. */
function targetOf(bucket: string): Target {
  const slash = bucket.indexOf("/");
  return slash < 0 ? { db: bucket } : { db: bucket.slice(0, slash), rp: bucket.slice(slash + 1) };
}

/** A name that leads nowhere is one more place where the probe is not. */
async function isReadOr(probe: ReturnType<typeof createProbe>, target: Target): Promise<boolean> {
  try {
    return await probe.isRead(target);
  } catch (error) {
    if (error instanceof StoreError && /database_missing|mapping/.test(error.reason)) return false;
    throw error;
  }
}

type Bucket = {
  readonly id: string;
  readonly orgID: string;
  readonly retentionRules?: readonly { readonly everySeconds?: number }[];
};

/** Undefined if the token does not see it; "unknown" where the server has no such question. */
async function findBucket(client: InfluxClient, flavour: Two): Promise<Bucket | undefined | "unknown"> {
  try {
    const name = { name: flavour.bucket };
    const said = await client.api("GET", `/api/v2/buckets?${new URLSearchParams({ ...orgOf(flavour), ...name })}`);
    const { buckets } = said as { buckets?: readonly (Bucket & { readonly name: string })[] };
    if (!Array.isArray(buckets)) return "unknown";
    return buckets.find((one) => one.name === flavour.bucket);
  } catch (error) {
    if (!(error instanceof StoreError) || error.kind === "unavailable") throw error;
    if (error.reason === "bucket_missing") return undefined;
    if (/path not found|page not found|answered 40[45]/.test(error.message)) return "unknown";
    throw error;
  }
}

/** Names and ids have the same place in a write, but not here. */
const orgOf = ({ org }: Two): Record<string, string> => (ID.test(org) ? { orgID: org } : { org });
const ID = /^[0-9a-f]{16}$/;

type Mapping = {
  readonly id?: string;
  readonly bucketID: string;
  readonly database: string;
  readonly retention_policy: string;
  readonly virtual?: boolean;
};

/** Of one name; none where the token may not ask: then the probe alone has to show it. */
async function mappingsOf(client: InfluxClient, flavour: Two, db: string): Promise<readonly Mapping[]> {
  try {
    const said = await client.api("GET", `/api/v2/dbrps?${new URLSearchParams({ ...orgOf(flavour), db })}`);
    const { content } = said as { content?: readonly Mapping[] };
    return Array.isArray(content) ? content : [];
  } catch (error) {
    if (error instanceof StoreError && error.kind !== "unavailable") return [];
    throw error;
  }
}

/** Mappings made by hand win over those the server gives by itself; without a policy any of them may be the default. */
const isMeant = (mapping: Mapping, { db, rp }: Target) =>
  mapping.database === db && (rp === undefined || mapping.retention_policy === rp);

async function makeMapping(client: InfluxClient, flavour: Two, db: string, { id, orgID }: Bucket): Promise<void> {
  const there = await mappingsOf(client, flavour, db);
  if (there.some((one) => one.database === db && one.bucketID === id)) return;
  await client.api("POST", "/api/v2/dbrps", {
    bucketID: id,
    orgID,
    database: db,
    retention_policy: "autogen",
    default: true,
  });
}

// ---- what the server removes by itself -------------------------------------------------------------------------

/** How long the bucket, or the default policy of 1.x, keeps what was measured (ms); undefined: for ever, or not told. */
export async function askRetention(
  client: InfluxClient,
  flavour: InfluxFlavour,
  target: Target,
): Promise<number | undefined> {
  if ("token" in flavour) {
    const found = await findBucket(client, flavour);
    if (found === "unknown") return undefined;
    const seconds = found?.retentionRules?.[0]?.everySeconds;
    return seconds ? seconds * 1_000 : undefined;
  }
  for await (const { columns, values } of client.query(target, `SHOW RETENTION POLICIES ON ${quoteName(target.db)}`)) {
    const row = values.find((one) => one[columns.indexOf("default")] as unknown as boolean);
    const found = row && durationMs(String(row[columns.indexOf("duration")]));
    if (found) return found;
  }
  return undefined;
}

/** As 1.x writes one: "168h0m0s"; 0 is for ever. */
export function durationMs(text: string): number | undefined {
  const parts = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  if (!parts) return undefined;
  const [hours, minutes, seconds] = parts.slice(1).map((part) => Number(part ?? 0)) as [number, number, number];
  return ((hours * 60 + minutes) * 60 + seconds) * 1_000 || undefined;
}

// ---- what is wrong, in one sentence -----------------------------------------------------------------------------

const misconfigured = (reason: StoreCause, text: string, cause?: unknown) =>
  new StoreError("misconfigured", text, { reason, cause });

async function explainWrite(client: InfluxClient, flavour: Two, error: StoreError): Promise<StoreError> {
  const { bucket, org } = flavour;
  if (error.reason === "token" && (await isNotSetUp(client)))
    return misconfigured(
      "not_set_up",
      "InfluxDB is not set up yet: open it in a browser, or run `influx setup`",
      error,
    );
  if (error.reason !== "permissions") return error;
  const found = await findBucket(client, flavour).catch(() => undefined);
  const what = found
    ? `INFLUX_TOKEN may read bucket ${bucket} but not write to it: give it both rights`
    : `INFLUX_TOKEN has no rights on bucket ${bucket} of ${org}: it is for another bucket, or of another organisation`;
  return misconfigured("permissions", what, error);
}

async function isNotSetUp(client: InfluxClient): Promise<boolean> {
  const said = await client.api("GET", "/api/v2/setup").catch(() => undefined);
  return (said as { allowed?: unknown } | undefined)?.allowed === true;
}

function unreadable({ bucket, org }: Two): StoreError {
  if (ID.test(bucket))
    return misconfigured("bucket_missing", `INFLUX_BUCKET is an id (${bucket}): give the bucket's name`);
  return misconfigured(
    "permissions",
    `INFLUX_TOKEN may write to bucket ${bucket} of ${org} but not read it: give it both rights`,
  );
}

function foreignToken({ bucket, org }: Two): StoreError {
  return misconfigured(
    "mapping",
    `INFLUX_TOKEN is of another organisation than ${org}: what it writes to bucket ${bucket} there cannot be read with it; use a token of ${org}`,
  );
}

function noMapping(
  flavour: Two,
  db: string,
  { id }: Bucket,
  stranger: Mapping | undefined,
  cause: StoreError,
): StoreError {
  const { bucket, org } = flavour;
  const why = stranger
    ? `the server's mapping ${stranger.id ?? ""} leads queries for ${bucket} to another bucket (${stranger.bucketID})`
    : `queries for ${bucket} do not find what is written to it (a mapping leads them elsewhere, InfluxQL does not know such a name, or INFLUX_TOKEN is of another organisation than ${org})`;
  const command = `influx v1 dbrp create --org ${JSON.stringify(org)} --bucket-id ${id} --db ${db} --rp autogen --default`;
  return misconfigured("mapping", `${why}, and INFLUX_TOKEN may not make another mapping: run ${command}`, cause);
}
