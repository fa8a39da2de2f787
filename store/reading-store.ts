import type { Kind } from "../model/kinds.ts";
import type { MetricName } from "../model/metrics.ts";
import type { Reading } from "../model/reading.ts";

/**
 * Where readings live: DuckDB or InfluxDB behind the same port, held to the same contract suite
 * (`test/contract/reading-store.ts`). All times are epoch milliseconds; ranges are `from <= measuredAt < to`.
 */
export type ReadingStore = {
  /** "duckdb" or "influxdb": for logs and labels. */
  readonly name: string;
  /**
   * Durable when it resolves. The caller has removed duplicates. Writing the very same readings again changes nothing
   * on InfluxDB and doubles rows on DuckDB, so the caller asks `find` first after a crash.
   * Throws `StoreError`; its `kind` says what to do.
   */
  write(readings: readonly Reading[]): Promise<void>;
  /** For each key the stored reading, or undefined; in the order of the keys. At most 10,000 keys. */
  find(kind: Kind, keys: readonly ReadingKey[]): Promise<(Reading | undefined)[]>;
  /** Newest `measuredAt` of every sensor with readings: what is later than this cannot be a duplicate. */
  newest(): Promise<Map<string, number>>;
  /** The newest reading of each sensor (or of one), one per kind and sensor. */
  latest(filter?: { readonly sensorId?: string; readonly kind?: Kind }): Promise<Reading[]>;
  /** Readings in ascending `measuredAt`, in chunks of at most 5,000: any range, in constant memory. */
  stream(query: RangeQuery): AsyncIterable<readonly Reading[]>;
  /** Buckets aligned to the epoch, in ascending order, empty ones left out; computed by the store. */
  aggregate(query: RangeQuery & { readonly sensorId: string; readonly everyMs: number }): Promise<readonly Bucket[]>;
  /** How many readings are kept, of one sensor or of all. */
  count(filter?: { readonly sensorId?: string }): Promise<number>;
  /** The same for each sensor: of messages before `seqBefore` only, or of what `deleteBefore` would remove. */
  countBySensor(filter?: CountFilter): Promise<Map<string, number>>;
  /**
   * Storage limit: removes what was measured, and received, before `time`, so that imported history stays as long as a
   * reading received today; InfluxDB can only go by the time measured. Says how many if the store can tell.
   */
  deleteBefore(kind: Kind, time: number): Promise<number | undefined>;
  /** Resolves when the store answers; throws `StoreError`. */
  ping(): Promise<void>;
  close(): Promise<void>;
};

export type ReadingKey = { readonly sensorId: string; readonly measuredAt: number };

export type CountFilter = {
  readonly seqBefore?: number;
  readonly past?: { readonly kind: Kind; readonly time: number };
};

export type RangeQuery = {
  readonly kind: Kind;
  readonly sensorId?: string;
  readonly district?: string;
  readonly from: number;
  readonly to: number;
  /** Only these metrics, and only readings that have one of them. */
  readonly metrics?: readonly MetricName[];
};

export type Aggregate = { readonly mean: number; readonly min: number; readonly max: number; readonly count: number };

export type Bucket = {
  /** Start of the bucket. */
  readonly start: number;
  readonly values: Readonly<Partial<Record<MetricName, Aggregate>>>;
};

/**
 * What the world said no with:
 * `unavailable` wait and send the same batch again (`retryAfterMs` if the server said so);
 * `too_large` send half; `refused` one of these readings is at fault: bisect;
 * `misconfigured` (wrong token, no such bucket) hold, tell the operator, probe from time to time.
 */
export type StoreErrorKind = "unavailable" | "too_large" | "refused" | "misconfigured";

export class StoreError extends Error {
  readonly kind: StoreErrorKind;
  readonly retryAfterMs: number | undefined;

  constructor(kind: StoreErrorKind, message: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "StoreError";
    this.kind = kind;
    this.retryAfterMs = options.retryAfterMs;
  }
}
