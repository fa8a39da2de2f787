import { z } from "zod";
import { counter, type Figure, gauge, type Health } from "../model/health.ts";
import { KINDS, type Kind } from "../model/kinds.ts";
import type { Log } from "../model/log.ts";
import type { MetricName } from "../model/metrics.ts";
import type { Reading } from "../model/reading.ts";
import { HOUR_MS } from "../model/time.ts";
import { type MetricKey, type ReadingStore, StoreError } from "../store/reading-store.ts";
import type { Records } from "../store/records.ts";

/** Readings that are written together, and the metrics they are written without. */
export type Portion = { readonly readings: readonly Reading[]; readonly without?: ReadonlySet<MetricKey> };

const Held = z.object({
  metric: z.templateLiteral([z.enum(KINDS), ".", z.string()]),
  /** The first message whose value is not in the store. */
  from: z.number(),
  /** Values measured from this moment on are taken (InfluxDB fixes types shard by shard); without it none is. */
  before: z.number().optional(),
  since: z.number(),
  words: z.string(),
});
type Held = z.output<typeof Held> & { readonly metric: MetricKey };

const STATE = "held";
const TRY_EVERY_MS = 60_000;
/** The least a shard of InfluxDB can be, and where shards begin. */
const SHARD_MS = HOUR_MS;

export type HeldMetrics = ReturnType<typeof createHeldMetrics>;

/**
 * Metrics a store does not take as a whole, because another writer made integers or texts of them: no reading is at
 * fault. Everything else of a reading is stored, the values wait in the journal, and one of them is tried every minute.
 */
export function createHeldMetrics(parts: {
  readonly store: Pick<ReadingStore, "write" | "limits">;
  readonly state: Pick<Records["storeState"], "get" | "set">;
  /** The first reading at or after a message that is still in the journal, of those that `isOne` is true for. */
  findReading(from: number, isOne: (reading: Reading) => boolean): Promise<Reading | undefined>;
  /** The first message that is still in the journal. */
  first(): number;
  /** From this message on everything can be written again. */
  rewrite(from: number, why: string): void;
  readonly now: () => number;
  readonly log: Log;
}) {
  const { store, state, now, log } = parts;
  const held = new Map<MetricKey, Held>();
  for (const one of z
    .array(Held)
    .catch([])
    .parse(state.get(STATE) ?? []))
    held.set(one.metric as MetricKey, one as Held);
  /** The latest value of each that was left out: shows whether a new shard takes it. */
  const newest = new Map<MetricKey, Reading>();
  const triedAt = new Map<MetricKey, number>();
  let leftOut = 0;

  const save = () => state.set(STATE, held.size === 0 ? undefined : [...held.values()]);

  /** Whether this metric is left out of what is written of such a reading, be it there or not. */
  function isLeftOut({ kind, measuredAt }: Reading, { metric, before = Number.POSITIVE_INFINITY }: Held): boolean {
    return metric.startsWith(`${kind}.`) && measuredAt < before;
  }

  const isHeld = (reading: Reading, one: Held) => isLeftOut(reading, one) && valueIn(reading, one.metric) !== undefined;

  /**
   * The usual case costs nothing: one portion, the readings as they are. Else as many as there are kinds with a metric
   * held, and moments from which on one is taken: whatever the readings carry, a batch is never torn to pieces.
   */
  function portions(readings: readonly Reading[]): readonly Portion[] {
    if (held.size === 0) return [{ readings }];
    const all = [...held.values()];
    const groups = Map.groupBy(readings, (reading) => {
      const out = all.filter((one) => isLeftOut(reading, one)).map(({ metric }) => metric);
      for (const metric of out) {
        const isNewer = reading.measuredAt > (newest.get(metric)?.measuredAt ?? -Infinity);
        if (isNewer && valueIn(reading, metric) !== undefined) newest.set(metric, reading);
      }
      return out.join();
    });
    return Array.from(groups, ([names, group]) =>
      names === "" ? { readings: group } : { readings: group, without: new Set(names.split(",") as MetricKey[]) },
    );
  }

  /** The store named metrics it does not take. True if there is something to leave out that was not left out before. */
  function hold(error: StoreError, { readings, without }: Portion): boolean {
    const fresh = error.metrics.filter((metric) => !without?.has(metric));
    if (fresh.length === 0 || fresh.length < error.metrics.length) return false;
    for (const metric of fresh) {
      const [kind, name] = partsOf(metric);
      const first = readings.find((one) => one.kind === kind && one.values[name] !== undefined)?.journalSeq;
      if (first === undefined) return false;
      const former = held.get(metric);
      const { before: _, ...rest } = former ?? { metric, since: now(), words: error.message };
      held.set(metric, { ...rest, from: Math.min(first, former?.from ?? first) });
      triedAt.set(metric, now());
      if (!former) log.error({ metric, reason: error.message }, "the store does not take a metric; its values wait");
    }
    save();
    return true;
  }

  /** Tries one value of each, once a minute. Call it where nothing else writes. Throws what is not about the metric. */
  async function tryAgain(): Promise<void> {
    for (const one of [...held.values()]) {
      if (Math.abs(now() - (triedAt.get(one.metric) ?? -Infinity)) < TRY_EVERY_MS) continue;
      triedAt.set(one.metric, now());
      await tryOne(one);
    }
  }

  async function tryOne(one: Held): Promise<void> {
    const { metric, from } = one;
    // What the server has removed by itself meanwhile, or would at once, waits for nothing.
    const keptFrom = now() - (store.limits?.known()?.keepsMs ?? Number.POSITIVE_INFINITY);
    const oldest = await parts.findReading(from, (reading) => isHeld(reading, one) && reading.measuredAt >= keptFrom);
    // The next look begins there; what the journal has lost stays told.
    if (oldest && from >= parts.first()) held.set(metric, { ...one, from: oldest.journalSeq });
    if (!oldest || (await takes(oldest, metric))) {
      held.delete(metric);
      newest.delete(metric);
      save();
      log.warn(
        { metric },
        oldest ? "the store takes a metric again" : "nothing waits any more for a metric to be taken",
      );
      if (oldest) parts.rewrite(from, `the store takes ${metric} again`);
      return;
    }
    const latest = newest.get(metric);
    if (one.before !== undefined || !latest || latest.measuredAt < oldest.measuredAt + SHARD_MS) return;
    if (!(await takes(latest, metric))) return;
    // All of this hour lies in the same shard, because shards begin with an hour.
    held.set(metric, { ...held.get(metric)!, before: latest.measuredAt - (latest.measuredAt % SHARD_MS) });
    save();
    parts.rewrite(from, `the store takes new values of ${metric}`);
  }

  async function takes(reading: Reading, metric: MetricKey): Promise<boolean> {
    const others = [...held.values()].filter((one) => one.metric !== metric && isLeftOut(reading, one));
    try {
      await store.write([reading], { without: new Set(others.map((one) => one.metric)) });
      return true;
    } catch (error) {
      if (error instanceof StoreError && (error.reason === "field_type" || error.kind === "refused")) return false;
      throw error;
    }
  }

  function health(): readonly Health[] {
    return Array.from(held.values(), ({ metric, from, before, since, words }) => {
      const [kind, name] = partsOf(metric);
      const values =
        before === undefined ? "its values" : `its values measured before ${new Date(before).toISOString()}`;
      const isCut = parts.first() > from;
      const wait = isCut
        ? "the oldest of them have left the journal (LAMPPOST_JOURNAL_KEEP_MIB) and will stay missing"
        : "they are written when it takes them, tried every minute";
      const reason = `The store does not take ${name} of ${kind} since ${new Date(since).toISOString()}: ${words} Everything else is stored; ${values} wait in the journal, and ${wait}.`;
      return { part: `store: ${metric}`, state: "degraded", ready: true, reason } as const;
    });
  }

  return {
    portions,
    hold,
    tryAgain,
    /** Counts what was written without a metric, for `/metrics`. */
    wrote({ readings, without }: Portion): void {
      if (!without) return;
      const isShort = (one: Reading) => without.values().some((metric) => valueIn(one, metric) !== undefined);
      leftOut += readings.filter(isShort).length;
    },
    holdsFrom: () => Math.min(...Array.from(held.values(), ({ from }) => from)),
    health,
    figures: (): readonly Figure[] => [
      gauge(
        "lamppost_store_held_metrics",
        "Metrics the store does not take as a whole; /readyz names them and the repair.",
        held.size,
      ),
      counter(
        "lamppost_store_held_readings_total",
        "Readings written without a held metric, whose value waits in the journal.",
        leftOut,
      ),
    ],
  };
}

/** Undefined also where the metric is of another kind. */
function valueIn(reading: Reading, metric: MetricKey): number | undefined {
  const [kind, name] = partsOf(metric);
  return reading.kind === kind ? reading.values[name] : undefined;
}

function partsOf(metric: MetricKey): readonly [Kind, MetricName] {
  const at = metric.indexOf(".");
  return [metric.slice(0, at) as Kind, metric.slice(at + 1) as MetricName];
}
