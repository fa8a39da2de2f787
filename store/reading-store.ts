import type { EpochTimes } from "../contract/common.ts";
import type { StoreReportView } from "../contract/ledger.ts";
import type { BucketsView } from "../contract/reading.ts";
import type { Kind } from "../model/kinds.ts";
import type { MetricName } from "../model/metrics.ts";
import type { Newest } from "../model/newest.ts";
import type { Reading } from "../model/reading.ts";
import type { ReadingBlock } from "../model/reading-block.ts";

/**
 * Where readings live: DuckDB or InfluxDB behind the same port, held to the same contract suite
 * (`test/contract/reading-store.ts`). All times are epoch milliseconds; ranges are `from <= measuredAt < to`.
 */
export type ReadingStore = {
  /** "duckdb" or "influxdb": for logs and labels. */
  readonly name: string;
  /** Where exactly, without secrets: `influxdb http://host:8086 org/bucket`. Another text is another store. */
  readonly place: string;
  /**
   * Whether writing the very same readings again changes nothing. Where it does (InfluxDB) only a write that resolved
   * proves anything: what a failed one left behind is visible to `find`, and gone after a restart of the server. Where it
   * does not (DuckDB) the caller asks `find` before it writes again.
   */
  readonly repeatable: boolean;
  /** Most readings that it takes in one request, if it has such a limit: more of them are several. */
  readonly writeReadingsMax?: number;
  /**
   * Durable when it resolves. The caller has removed duplicates. Throws `StoreError`; its `kind` says what to do.
   * `without`: metrics the store does not take just now ("air.pm25"); the rest of each reading is written.
   */
  write(readings: readonly Reading[], options?: WriteOptions): Promise<void>;
  /** For each key the stored reading, or undefined; in the order of the keys. At most 10,000 keys. */
  find(kind: Kind, keys: readonly ReadingKey[]): Promise<(StoredReading | undefined)[]>;
  /** Newest `measuredAt` of every sensor with readings: what is later than this cannot be a duplicate. */
  newest(): Promise<Map<string, number>>;
  /**
   * The newest reading of each sensor (or of one), one per kind and sensor; with the `earlier` ones that have metrics
   * which it has not, of the last days (`EARLIER_MAX_MS` before the newest of the kind).
   */
  latest(filter?: { readonly sensorId?: string; readonly kind?: Kind }): Promise<Newest[]>;
  /**
   * Readings in ascending `measuredAt`, in chunks of at most 5,000: any range, in constant memory. While the reader keeps
   * a chunk the store does no work for it. With `byMessage` what each message brought, for those who keep the books.
   */
  stream(query: RangeQuery): AsyncIterable<readonly Reading[]>;
  /**
   * All readings of a range over several kinds, in the order of `measuredAt`, then `journalSeq`, as columns of numbers:
   * for those who read months. In constant memory; leaving the loop early stops it.
   */
  scan(query: ScanQuery): AsyncIterable<ReadingBlock>;
  /** Buckets of the good values, aligned to the epoch, in ascending order, empty ones left out; computed by the store. */
  aggregate(query: AggregateQuery): Promise<readonly Bucket[]>;
  /** How many readings are kept, of one sensor or of all: one a moment. */
  count(filter?: { readonly sensorId?: string }): Promise<number>;
  /**
   * How many were stored for each sensor, as the books count (each message that brought something of a moment): of
   * messages before `seqBefore` only, or of what `deleteBefore` would remove.
   */
  countBySensor(filter?: CountFilter): Promise<Map<string, number>>;
  /**
   * The same of one kind in a range, by sensor and by the UTC day (its start) they were measured on; with `outside` only
   * those whose number in the journal is not in its range.
   */
  countByDay(kind: Kind, from: number, to: number, filter?: DayFilter): Promise<Map<string, Map<number, number>>>;
  /**
   * Storage limit: removes what was measured, and received, before `time`, so that imported history stays as long as a
   * reading received today; of what was received within a day of being measured InfluxDB goes by the time measured, and of
   * history by whole UTC days of receipt. Says how many if the store can tell.
   */
  deleteBefore(kind: Kind, time: number): Promise<number | undefined>;
  /** Hourly and daily summaries, kept longer than the readings. `store/rollups.ts` says when and for what. */
  readonly rollups: RollupStore;
  /**
   * Writes a copy of everything as of one moment to a new file, while others read and write. False, and no file, where
   * the readings live on a server that has its own tools for that.
   */
  copyTo(path: string, signal?: Leaving): Promise<boolean>;
  /** Where `copyTo` copies nothing: the command that does, for a person who may. */
  copyCommand?(): string;
  /** Resolves when the store answers; throws `StoreError`. */
  ping(): Promise<void>;
  /** When the server behind the store says it was started: another time means it was restarted. Throws `StoreError`. */
  startedAt(): Promise<number | undefined>;
  /** Only where the readings live on a server of its own: what its administrator should know. */
  examine?(keepDays: KeepDays): Promise<Pick<StoreReportView, "keepsMs" | "findings">>;
  /** Only where the readings live on a server of its own. */
  readonly limits?: {
    /** As the server was last found to be; undefined before it was. Costs nothing. */
    known(): StoreLimits | undefined;
    /** Asks the server. Throws `StoreError`. */
    ask(): Promise<StoreLimits | undefined>;
  };
  /** Only where the readings live on a server of its own, which may come back empty, older or as another one. */
  readonly sentinel?: Sentinel;
  close(): Promise<void>;
};

/** How long we keep readings and rollups, in days; infinite is for ever. */
export type KeepDays = { readonly raw: number; readonly hourly: number; readonly daily: number };

/** What the server does by itself, or does not let us do. */
export type StoreLimits = {
  /** It removes by itself what was measured longer ago than this (ms), in parts of up to some days; undefined: nothing. */
  readonly keepsMs: number | undefined;
  /** Why nothing can be removed there. */
  readonly noRemoval: string | undefined;
  /** Undefined as long as nobody has looked for them. */
  readonly rollups?: RollupsFound | undefined;
};

/**
 * Where rollups are. `keepsMs`: as of the place they are in. `shared`: why that is the one of the readings. `broken`: why
 * the place of their own cannot be used just now.
 */
export type RollupsFound = {
  readonly keepsMs: number | undefined;
  readonly shared?: string;
  readonly broken?: string | undefined;
};

/** `<kind>.<metric>` */
export type MetricKey = `${Kind}.${MetricName}`;

type WriteOptions = { readonly without?: ReadonlySet<MetricKey> };

/** The reading as it is written while its store does not take some metrics. */
export function withoutMetrics(reading: Reading, without: ReadonlySet<MetricKey>): Reading {
  const isKept = ([metric]: [string, unknown]) => !without.has(`${reading.kind}.${metric as MetricName}`);
  const { quality, ...rest } = reading;
  const kept = Object.fromEntries(Object.entries(quality ?? {}).filter(isKept));
  const values = Object.fromEntries(Object.entries(reading.values).filter(isKept));
  return { ...rest, values, ...(Object.keys(kept).length > 0 ? { quality: kept } : {}) };
}

/** One point among the readings that says which life of the database this is, and how far it was filled. */
export type Sentinel = {
  read(): Promise<SentinelMark | undefined>;
  write(mark: SentinelMark): Promise<void>;
};
/**
 * `life`, `run`: random lowercase letters and digits, at most 64. `booked`: messages below this number were booked. `run` is
 * the process that wrote the mark, `beat` how often it had; earlier versions wrote neither.
 */
export type SentinelMark = {
  readonly life: string;
  readonly booked: number;
  readonly run?: string | undefined;
  readonly beat?: number | undefined;
};

/** How fine the numbers behind a bucket are. Hours and days are those of UTC. */
export type Resolution = "raw" | "hourly" | "daily";
export type RollupResolution = Exclude<Resolution, "raw">;

/**
 * One hour (or day) of one kind, as far as its readings were received on one UTC day. The books of rollups are kept by
 * part, because raw readings are removed by whole parts: what is recomputed is then always there in full.
 */
export type RollupPart = {
  readonly kind: Kind;
  readonly resolution: RollupResolution;
  /** Start of the hour or day. */
  readonly start: number;
  /** Start of the day of receipt. */
  readonly receivedDay: number;
};

/** Neighbouring parts of one kind, resolution and day of receipt: `from <= start < to`. */
export type RollupSpan = {
  readonly kind: Kind;
  readonly resolution: RollupResolution;
  readonly receivedDay: number;
  readonly from: number;
  readonly to: number;
  /** What was measured, and received, before this has been removed; only where the span begins before it. */
  readonly rawFrom?: number;
};

/**
 * Under this day of receipt stand hours of what was booked after the readings of its day were removed (driven again out of
 * quarantine, say): beside the rows that were made of those, which nothing could make again. No midnight, so none else's.
 */
export const lateSlot = (rawFrom: number) => rawFrom + 1;

export type RollupStore = {
  /**
   * Computes a span anew, hourly from the readings, daily from the hourly ones; doing it again changes nothing. What it
   * finds no source for stays as it is. Suspect values are left out. Hours whose readings are removed (`rawFrom`) are added
   * to and never replaced: what was received long ago and booked now goes to the `lateSlot`; of what was received since, a
   * metric's hour with no more values than are known of it, and none beyond them, is an old buffer that was sent again.
   */
  compute(span: RollupSpan): Promise<void>;
  /** The rows of one sensor in some hours (days) are these and no others; doing it again changes nothing. */
  replace(place: RollupsOfSensor, rows: readonly RollupRow[]): Promise<void>;
  /** Like `ReadingStore.aggregate`, from rollups that start in the range. */
  aggregate(query: AggregateQuery, resolution: RollupResolution): Promise<readonly Bucket[]>;
  /** The hours there are readings for. */
  parts(kind: Kind): Promise<readonly RollupPart[]>;
  /** The UTC days (their start) with rollups that start before a time, ascending. */
  days(kind: Kind, resolution: RollupResolution, before: number): Promise<readonly number[]>;
  /** All rollups that start on one UTC day. */
  read(kind: Kind, resolution: RollupResolution, day: number): Promise<readonly RollupRow[]>;
  /** Rollups of one UTC day as they were read from another store; doing it again changes nothing. */
  write(kind: Kind, resolution: RollupResolution, day: number, rows: readonly RollupRow[]): Promise<void>;
  /** Storage limit, by the start of the hour or day and the day of receipt, as with readings. */
  deleteBefore(kind: Kind, resolution: RollupResolution, time: number): Promise<number | undefined>;
};

/** `receivedDay`: only what was received on that day. `keepBefore`: all but what was measured and received before it. */
export type RollupsOfSensor = {
  readonly kind: Kind;
  readonly resolution: RollupResolution;
  readonly sensorId: string;
  readonly spans: readonly { readonly from: number; readonly to: number }[];
  readonly receivedDay?: number;
  readonly keepBefore?: number;
};

type RollupSums = { readonly sum: number; readonly min: number; readonly max: number; readonly count: number };

/** One sensor's hour or day, as far as its readings were received on one UTC day. */
export type RollupRow = {
  readonly sensorId: string;
  readonly district: string;
  readonly start: number;
  /** Undefined where the store knows no more than that it was within a day of measuring. */
  readonly receivedDay: number | undefined;
  readonly values: Readonly<Partial<Record<MetricName, RollupSums>>>;
};

export type ReadingKey = { readonly sensorId: string; readonly measuredAt: number };

/** `parts`: what each message brought, where several brought metrics of this moment. */
export type StoredReading = Reading & { readonly parts?: readonly Reading[] };

export type CountFilter = {
  readonly seqBefore?: number;
  readonly past?: { readonly kind: Kind; readonly time: number };
  readonly signal?: Leaving;
};

/** `from <= journalSeq < to` is left out. */
export type DayFilter = { readonly outside?: { readonly from: number; readonly to: number } };

export type RangeQuery = {
  readonly kind: Kind;
  readonly sensorId?: string;
  readonly district?: string;
  readonly from: number;
  readonly to: number;
  /** Only these metrics, and only readings that have one of them. */
  readonly metrics?: readonly MetricName[];
  /** Of a store that is read through corrections (`corrected-store.ts`): values that are invalid, too, marked. */
  readonly withInvalid?: boolean;
  /** What each message brought by itself, with its `part`, instead of one reading a moment. */
  readonly byMessage?: boolean;
  readonly signal?: Leaving;
};

/** Ends the work when it is aborted: what waits is not begun, what runs is interrupted. Rejects with its reason. */
export type Leaving = AbortSignal;

export type ScanQuery = {
  readonly kinds: readonly Kind[];
  readonly sensorId?: string;
  readonly district?: string;
  readonly from: number;
  readonly to: number;
  readonly signal?: Leaving;
};

export type AggregateQuery = RangeQuery & { readonly sensorId: string; readonly everyMs: number };

export type Bucket = EpochTimes<BucketsView["items"][number], "start"> & {
  /** Set where (part of) it was computed from rollups. */
  readonly resolution?: RollupResolution;
};
export type Aggregate = NonNullable<Bucket["values"][MetricName]>;

/**
 * What the world said no with:
 * `unavailable` wait and send the same batch again (`retryAfterMs` if the server said so);
 * `too_large` send half; `refused` one of these readings is at fault: bisect;
 * `misconfigured` (wrong token, no such bucket, a metric of another type) hold, tell the operator, probe from time to time.
 */
export type StoreErrorKind = "unavailable" | "too_large" | "refused" | "misconfigured";

/** Why, as far as the store's words say (`store/influx/causes.ts` has the words): labels for figures, keys for advice. */
const STORE_CAUSES = [
  /** Nobody there, or the connection broke. */
  "unreachable",
  "timeout",
  "busy",
  /** The server asks for less (429, 503). */
  "rate",
  "too_large",
  /** The server's cache is at its limit: it takes no more until it has written some of it to disk. */
  "cache_limit",
  /** The write reached memory but not the log: gone after a restart, and one is needed once the disk has room. */
  "log_not_written",
  /** Something between us and the database answered. */
  "proxy",
  "tls",
  "not_set_up",
  "token",
  "token_inactive",
  "permissions",
  "organisation_missing",
  "bucket_missing",
  "database_missing",
  /** Queries by this name or token lead to another place than writes. */
  "mapping",
  /** Measured before what the database keeps: it would be removed at once. */
  "retention",
  /** A metric is there already with another type: none of its values is taken. `metrics` says which. */
  "field_type",
  "series_limit",
  /** The words of the line or the query themselves. */
  "syntax",
  "query_limit",
  "other",
] as const;
export type StoreCause = (typeof STORE_CAUSES)[number];

type StoreErrorDetail = {
  readonly retryAfterMs?: number | undefined;
  readonly reason?: StoreCause;
  readonly metrics?: readonly MetricKey[];
  readonly cause?: unknown;
};

export class StoreError extends Error {
  readonly kind: StoreErrorKind;
  readonly reason: StoreCause;
  /** Of `field_type`: the metrics the store named; there may be more. */
  readonly metrics: readonly MetricKey[];
  readonly retryAfterMs: number | undefined;

  constructor(kind: StoreErrorKind, message: string, detail: StoreErrorDetail = {}) {
    super(message, { cause: detail.cause });
    this.name = "StoreError";
    this.kind = kind;
    this.reason = detail.reason ?? "other";
    this.metrics = detail.metrics ?? [];
    this.retryAfterMs = detail.retryAfterMs;
  }
}
