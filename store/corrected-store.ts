import {
  type Correction,
  correctReading,
  isActive,
  joinSpans,
  movesOf,
  overlap,
  type Span,
  touchedSpans,
} from "../model/correction.ts";
import type { Kind } from "../model/kinds.ts";
import { merged } from "../model/merged-readings.ts";
import type { MetricName } from "../model/metrics.ts";
import { EARLIER_MAX_MS, momentsOf, type Newest, newestOfAll } from "../model/newest.ts";
import type { Reading } from "../model/reading.ts";
import { createBlockReader, createOriginNumbers, packReadings, type ReadingBlock } from "../model/reading-block.ts";
import type { Site } from "../model/site.ts";
import { DAY_MS, HOUR_MS } from "../model/time.ts";
import type { Aggregate, AggregateQuery, Bucket, RangeQuery, ReadingStore, ScanQuery } from "./reading-store.ts";

/** How far back the newest reading that counts is looked for, where the newest of all is invalid or was moved. */
const LOOK_BACK_FIRST_MS = HOUR_MS;
const LOOK_BACK_MAX_MS = 400 * DAY_MS;

/** The corrections in force; `createCorrectionRecords` answers from RAM. */
export type CorrectionsInForce = {
  active(sensorId: string): readonly Correction[];
  sensors(): readonly string[];
};

/** What is usual where a sensor stands; without it as in a European city at the sea. */
export type SiteOf = (sensorId: string) => Site;

/**
 * The store as its readers see it: everything that is read passes through the corrections of its sensor, and nothing in
 * the store changes. A sensor without corrections costs one look at a map for each query. For whoever keeps the books,
 * removes duplicates or moves the readings elsewhere the store itself is right: they need what was received.
 */
export function withCorrections(store: ReadingStore, corrections: CorrectionsInForce, siteOf?: SiteOf): ReadingStore {
  const inForce = (sensorId: string, span: Span) => {
    const active = corrections.active(sensorId);
    return active.length > 0 && isTouched(active, span) ? active : undefined;
  };
  /** Those whose readings of this span are not read as they are stored. */
  const touchedSensors = ({ sensorId, ...span }: Span & { readonly sensorId?: string }) => {
    const asked = sensorId === undefined ? corrections.sensors() : [sensorId];
    return asked.filter((id) => inForce(id, span) !== undefined);
  };

  function stream(query: RangeQuery): AsyncIterable<readonly Reading[]> {
    const touched = touchedSensors(query);
    if (touched.length === 0) return store.stream(query);
    const ofOne = (sensorId: string) =>
      streamCorrected(
        store,
        { ...query, sensorId },
        corrections.active(sensorId),
        siteOf?.(sensorId),
        query.withInvalid,
      );
    if (query.sensorId !== undefined) return ofOne(query.sensorId);
    const others = without(store.stream(query), new Set(touched));
    return merged([
      { from: query.from, chunks: others },
      ...touched.map((id) => ({ from: query.from, chunks: ofOne(id) })),
    ]);
  }

  async function* scan(query: ScanQuery): AsyncGenerator<ReadingBlock> {
    const touched = touchedSensors(query);
    if (touched.length === 0) return yield* store.scan(query);
    const ofOne = (sensorId: string) =>
      query.kinds.map((kind) =>
        streamCorrected(store, { ...query, kind, sensorId }, corrections.active(sensorId), siteOf?.(sensorId)),
      );
    const others = without(unpacked(store.scan(query)), new Set(touched));
    const parts = [others, ...touched.flatMap(ofOne)].map((chunks) => ({ from: query.from, chunks }));
    const numbers = createOriginNumbers();
    for await (const chunk of merged(parts)) yield packReadings(chunk, numbers);
  }

  async function aggregate(query: AggregateQuery): Promise<readonly Bucket[]> {
    const active = inForce(query.sensorId, query);
    if (!active) return store.aggregate(query);
    const { from, to } = query;
    const spans = touchedSpans(active).flatMap((span) => overlap(span, query));
    // Whole steps, so that no two parts have one in common.
    const step = query.everyMs;
    const begin = Math.max(from, Math.floor(spans[0]!.from / step) * step);
    const end = Math.min(to, Math.ceil(spans.at(-1)!.to / step) * step);
    const ofStore = (span: Span) => (span.from < span.to ? store.aggregate({ ...query, ...span }) : []);
    return [
      ...(await ofStore({ from, to: begin })),
      ...(await bucketsOf(
        streamCorrected(store, { ...query, from: begin, to: end }, active, siteOf?.(query.sensorId)),
        step,
      )),
      ...(await ofStore({ from: end, to })),
    ];
  }

  async function latest(filter?: { readonly sensorId?: string; readonly kind?: Kind }): Promise<Newest[]> {
    const found: Newest[] = [];
    for (const reading of await store.latest(filter)) {
      const active = corrections.active(reading.sensorId);
      const one = active.length === 0 ? reading : await newestCorrected(reading, active);
      if (one) found.push(one);
    }
    return found;
  }

  /** Where a newest value is invalid, the one before it is looked for, metric by metric. */
  async function newestCorrected(stored: Newest, active: readonly Correction[]): Promise<Newest | undefined> {
    const { sensorId, kind } = stored;
    const site = siteOf?.(sensorId);
    const moments = momentsOf(stored);
    const isMoved = active.some(({ what }) => what === "shift");
    let newest = isMoved ? undefined : newestOfAll(moments.map((one) => correctReading(one, active, false, site)));
    const wanted = metricsOf(moments);
    const isWhole = () => newest !== undefined && metricsOf(momentsOf(newest)).size >= wanted.size;
    if (isWhole()) return newest;
    const moved = moments.map((one) => correctReading(one, active, false, site)?.measuredAt ?? one.measuredAt);
    const top = Math.max(stored.measuredAt, ...moved, ...touchedEnds(active)) + 1;
    let to = top;
    for (let spanMs = LOOK_BACK_FIRST_MS; to > top - LOOK_BACK_MAX_MS; spanMs *= 4) {
      const from = Math.max(to - spanMs, top - LOOK_BACK_MAX_MS);
      for await (const chunk of streamCorrected(store, { kind, sensorId, from, to }, active, site))
        newest = newestOfAll(newest ? [...momentsOf(newest), ...chunk.toReversed()] : chunk.toReversed());
      to = from;
      if (isWhole() || (newest && to <= newest.measuredAt - EARLIER_MAX_MS)) break;
    }
    return newest;
  }

  return { ...store, stream, scan, aggregate, latest };
}

const metricsOf = (readings: readonly Reading[]) => new Set(readings.flatMap(({ values }) => Object.keys(values)));

/** Readings may have been moved to after the newest. */
const touchedEnds = (active: readonly Correction[]) =>
  active.some(({ what }) => what === "shift") ? touchedSpans(active).map(({ to }) => to) : [];

/** Remembered with the list, which is made anew when a correction comes or goes. */
const spansOf = new WeakMap<readonly Correction[], readonly Span[]>();

function isTouched(active: readonly Correction[], span: Span): boolean {
  let spans = spansOf.get(active);
  if (!spans) {
    spans = touchedSpans(active);
    spansOf.set(active, spans);
  }
  return spans.some(({ from, to }) => from < span.to && span.from < to);
}

type Streamed = Pick<ReadingStore, "stream">;

/** The readings of one sensor in a range of time as these corrections leave them, in ascending order. */
export function streamCorrected(
  store: Streamed,
  query: RangeQuery & { readonly sensorId: string },
  corrections: readonly Correction[],
  site?: Site,
  withInvalid = false,
): AsyncIterable<readonly Reading[]> {
  const active = corrections.filter(isActive);
  const sources = movesOf(active).flatMap(({ from, to, byMs }) =>
    overlap({ from, to }, { from: query.from - byMs, to: query.to - byMs }).map((span) => ({
      from: span.from + byMs,
      chunks: corrected(store.stream({ ...query, ...span }), active, withInvalid, site),
    })),
  );
  const sorted = sources.toSorted((a, b) => a.from - b.from);
  if (sorted.length === 1) return sorted[0]!.chunks;
  return query.byMessage ? merged(sorted) : joined(merged(sorted));
}

async function* corrected(
  chunks: AsyncIterable<readonly Reading[]>,
  active: readonly Correction[],
  withInvalid: boolean,
  site: Site | undefined,
): AsyncGenerator<readonly Reading[]> {
  for await (const chunk of chunks)
    yield chunk.flatMap((reading) => correctReading(reading, active, withInvalid, site) ?? []);
}

async function* without(
  chunks: AsyncIterable<readonly Reading[]>,
  sensors: ReadonlySet<string>,
): AsyncGenerator<readonly Reading[]> {
  for await (const chunk of chunks) yield chunk.filter(({ sensorId }) => !sensors.has(sensorId));
}

async function* unpacked(blocks: AsyncIterable<ReadingBlock>): AsyncGenerator<readonly Reading[]> {
  const read = createBlockReader();
  for await (const block of blocks) yield read(block);
}

/** A reading that was moved to the moment of another one is the same moment: what was there before wins, metric by metric. */
export async function* joined(chunks: AsyncIterable<readonly Reading[]>): AsyncGenerator<readonly Reading[]> {
  let held: Reading | undefined;
  for await (const chunk of chunks) {
    const out: Reading[] = [];
    for (const reading of chunk) {
      if (held?.measuredAt === reading.measuredAt) held = joinTwo(held, reading);
      else {
        if (held) out.push(held);
        held = reading;
      }
    }
    yield out;
  }
  if (held) yield [held];
}

function joinTwo(one: Reading, other: Reading): Reading {
  const [first, second] = one.movedFrom !== undefined && other.movedFrom === undefined ? [other, one] : [one, other];
  const isNew = ([metric]: [string, unknown]) => first.values[metric as MetricName] === undefined;
  const added = <T>(part: Partial<Record<MetricName, T>> | undefined) =>
    Object.fromEntries(Object.entries(part ?? {}).filter(isNew)) as Partial<Record<MetricName, T>>;
  const both = <T>(a: Partial<Record<MetricName, T>> | undefined, b: Partial<Record<MetricName, T>>) =>
    a === undefined && Object.keys(b).length === 0 ? undefined : { ...b, ...a };
  const quality = both(first.quality, added(second.quality));
  const raw = both(first.raw, added(second.raw));
  const marks = both(first.marks, added(second.marks));
  return {
    ...first,
    values: { ...added(second.values), ...first.values },
    ...(quality ? { quality } : {}),
    ...(raw ? { raw } : {}),
    ...(marks ? { marks } : {}),
  };
}

/** Mean, least, greatest and number of the good values of each step, as the stores compute them. */
export async function bucketsOf(chunks: AsyncIterable<readonly Reading[]>, everyMs: number): Promise<Bucket[]> {
  const buckets: Bucket[] = [];
  let start = Number.NaN;
  let sums: Sums = new Map();
  const close = () => {
    if (sums.size > 0) buckets.push({ start, values: meansOf(sums) });
    sums = new Map();
  };
  for await (const chunk of chunks) {
    for (const reading of chunk) {
      const own = Math.floor(reading.measuredAt / everyMs) * everyMs;
      if (own !== start) close();
      start = own;
      addGood(sums, reading);
    }
  }
  close();
  return buckets;
}

export type Sums = Map<MetricName, { sum: number; min: number; max: number; count: number }>;

export function addGood(sums: Sums, { values, quality }: Reading): void {
  for (const [name, value] of Object.entries(values) as [MetricName, number][]) {
    if (quality?.[name] !== undefined) continue;
    const one = sums.get(name);
    if (!one) sums.set(name, { sum: value, min: value, max: value, count: 1 });
    else {
      one.sum += value;
      one.min = Math.min(one.min, value);
      one.max = Math.max(one.max, value);
      one.count += 1;
    }
  }
}

function meansOf(sums: Sums): Partial<Record<MetricName, Aggregate>> {
  return Object.fromEntries(
    Array.from(sums, ([name, { sum, min, max, count }]) => [name, { mean: sum / count, min, max, count }]),
  );
}

/** Ascending and apart, cut to the steps they lie in. */
export const wholeSteps = (spans: readonly Span[], stepMs: number): Span[] =>
  joinSpans(
    spans.map(({ from, to }) => ({
      from: Math.floor(from / stepMs) * stepMs,
      to: Math.ceil(to / stepMs) * stepMs,
    })),
  );
