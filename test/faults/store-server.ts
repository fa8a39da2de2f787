import { HttpError } from "@influxdata/influxdb-client";
import type { Reading } from "../../model/reading.ts";
import { toStoreError } from "../../store/influx/causes.ts";
import { joinMoment } from "../../store/moments.ts";
import type { ReadingKey, ReadingStore } from "../../store/reading-store.ts";
import { type Clock, never } from "./clock.ts";
import type { Life } from "./disk.ts";
import type { Random } from "./random.ts";

/** What the server says, and what it does with the readings nonetheless. */
export type Answer = {
  /** Left out: the connection breaks, nobody says anything. */
  readonly status?: number;
  readonly retryAfterS?: number;
  readonly body?: string;
  /** Left out: a write with an error keeps nothing. "good": what `refuses` does not hit. "half": the first half. */
  readonly keeps?: "all" | "good" | "half";
  readonly delayMs?: number;
};

/** `readings` is empty for a question. Undefined: all is well. */
export type Script = (readings: readonly Reading[], isWrite: boolean) => Answer | undefined;

export type StorePort = Pick<ReadingStore, "name" | "repeatable" | "write" | "find" | "newest">;

/** Of a moment that has a value of the first metric; its items are named after it. */
export const OTHER_METRIC = "battery";

const keyOf = (at: ReadingKey) => `${at.sensorId} ${at.measuredAt}`;
/** What each message brings of a moment is a row of its own. */
export const keyOfRow = (row: Reading) => (OTHER_METRIC in row.values ? keyOfOther(row) : keyOf(row));
const keyOfOther = (at: ReadingKey) => `${keyOf(at)} ${OTHER_METRIC}`;

/**
 * The store as the service meets it over a network. `upsert`: a key written twice is one row, a request in flight may
 * arrive after its sender died, and in part, as with InfluxDB. Otherwise rows are appended, all or nothing, and never
 * after the sender's death, as with DuckDB. The answers go through the translation of the real InfluxDB client.
 */
export function createStoreServer(options: { clock: Clock; random: Random; upsert: boolean }) {
  const { clock, random, upsert } = options;
  const rows = new Map<string, Reading[]>();
  let script: Script | undefined;
  let notBefore = 0;
  const counts = { requests: 0, errors: 0, tooEarly: 0 };

  function keep(reading: Reading): void {
    const key = keyOfRow(reading);
    const there = rows.get(key);
    if (there && !upsert) there.push(reading);
    else rows.set(key, [reading]);
  }

  function keepOf(readings: readonly Reading[], { keeps, status }: Answer, isAlone: boolean): void {
    if (isAlone && !upsert) return;
    const all = keeps === "all" || status === 204;
    const some = keeps === "half" || isAlone ? readings.slice(0, random.int(0, readings.length + 1)) : readings;
    if (all || keeps === "half") for (const reading of some) keep(reading);
    if (keeps === "good") for (const reading of readings) if (!isRefused(reading)) keep(reading);
  }

  async function ask(life: Life, readings: readonly Reading[], isWrite: boolean): Promise<void> {
    if (!life.alive) return never();
    clock.note();
    counts.requests += 1;
    if (clock.now() < notBefore) counts.tooEarly += 1;
    const answer = script?.(readings, isWrite) ?? { status: 204 };
    const delay = answer.delayMs ?? random.int(1, 20);
    await clock.sleep(delay / 2);
    if (isWrite) keepOf(readings, answer, !life.alive);
    await clock.sleep(delay / 2);
    if (!life.alive) return never();
    if (answer.status !== 204) fail(answer);
  }

  function fail({ status, retryAfterS, body }: Answer): never {
    counts.errors += 1;
    if (status === undefined) throw toStoreError(new Error("socket hang up"), clock.now());
    const wait = retryAfterS === undefined ? undefined : String(retryAfterS);
    if (retryAfterS !== undefined) notBefore = clock.now() + retryAfterS * 1000;
    const headers = wait === undefined ? {} : { "retry-after": wait };
    const error = new HttpError(status, "no", body ?? "", wait, "application/json", undefined, headers);
    throw toStoreError(error, clock.now());
  }

  return {
    rows,
    counts,
    upsert,
    setScript: (next: Script | undefined) => {
      script = next;
    },
    /** A new process knows nothing of what the server asked the former one to wait. */
    forget: () => {
      notBefore = 0;
    },
    portFor: (life: Life): StorePort => ({
      name: upsert ? "influxdb" : "duckdb",
      repeatable: upsert,
      write: (readings) => ask(life, readings, true),
      async find(kind, keys) {
        await ask(life, [], false);
        return keys.map((key) => {
          const both = [keyOf(key), keyOfOther(key)].flatMap((one) => rows.get(one) ?? []);
          const found = both.filter((row) => row.kind === kind).toSorted((a, b) => a.journalSeq - b.journalSeq);
          return found.length > 0 ? joinMoment(found) : undefined;
        });
      },
      async newest() {
        await ask(life, [], false);
        const newest = new Map<string, number>();
        for (const [{ sensorId, measuredAt }] of rows.values() as Iterable<[Reading]>) {
          newest.set(sensorId, Math.max(measuredAt, newest.get(sensorId) ?? 0));
        }
        return newest;
      },
    }),
  };
}

export type StoreServer = ReturnType<typeof createStoreServer>;

/** The value that a server with a grudge does not take. */
export const REFUSED_VALUE = 66.6;

export function isRefused({ values }: Reading): boolean {
  return values.pm25 === REFUSED_VALUE;
}
