import { type Correction, joinSpans, movesOf, overlap, type Span, touchedSpans } from "../model/correction.ts";
import type { Kind } from "../model/kinds.ts";
import type { MetricName } from "../model/metrics.ts";
import type { Reading } from "../model/reading.ts";
import { DAY_MS, HOUR_MS, startOfDay, startOfHour } from "../model/time.ts";
import { addGood, joined, type SiteOf, type Sums, streamCorrected, wholeSteps } from "./corrected-store.ts";
import type {
  AggregateQuery,
  Bucket,
  ReadingStore,
  RollupPart,
  RollupResolution,
  RollupRow,
  RollupSpan,
  RollupStore,
} from "./reading-store.ts";
import type { Records } from "./records.ts";
import { mergeBuckets } from "./resolutions.ts";

type Parts = {
  readonly corrections: Pick<Records["corrections"], "active" | "all" | "everCorrected">;
  readonly rollups: Pick<Records["rollups"], "cut" | "touch">;
  /** Undefined where it is not known any more: then its readings say so. */
  readonly kindOf: (sensorId: string) => Kind | undefined;
  readonly siteOf?: SiteOf;
};

/**
 * Rollups of corrected readings. Whenever an hour is computed, by what was booked or by a correction, the rows of its
 * corrected sensors are made of the corrected stream, all of them: so a late reading does not undo a correction. A revoked
 * one leaves no row behind that nothing is there for any more. What the storage limits took the readings of stays.
 */
export function withCorrectedRollups(
  store: Pick<ReadingStore, "stream" | "rollups">,
  { corrections, rollups, kindOf, siteOf }: Parts,
): RollupStore {
  const inner = store.rollups;
  const cutOf = (kind: Kind, resolution: "raw" | "hourly") => rollups.cut(kind, resolution)?.at ?? -Infinity;
  const sensorsOf = (kind: Kind) => corrections.everCorrected().filter((id) => (kindOf(id) ?? kind) === kind);

  async function compute(span: RollupSpan): Promise<void> {
    const sensors = sensorsOf(span.kind);
    if (span.resolution === "daily") {
      await forgetStale(sensors, span, cutOf(span.kind, "hourly"), DAY_MS);
      return inner.compute(span);
    }
    await forgetStale(sensors, span, cutOf(span.kind, "raw"), HOUR_MS);
    await inner.compute(span);
    for (const sensorId of sensors) await correctHours(sensorId, span);
  }

  /** The database computes only what it finds something for: what was there by a correction goes first. */
  async function forgetStale(sensors: readonly string[], span: RollupSpan, cut: number, stepMs: number): Promise<void> {
    const { kind, resolution, receivedDay } = span;
    // What is computed of is all there from here on.
    const from = receivedDay >= cut ? span.from : Math.max(span.from, cut);
    for (const sensorId of sensors) {
      const touched = wholeSteps(touchedSpans(corrections.all(sensorId)), stepMs);
      const spans = touched.flatMap((one) => overlap(one, { from, to: span.to }));
      if (spans.length > 0) await inner.replace({ kind, resolution, sensorId, spans, receivedDay }, []);
    }
  }

  async function correctHours(sensorId: string, span: RollupSpan): Promise<void> {
    const { kind } = span;
    const active = corrections.active(sensorId);
    // Also of revoked ones: where readings had met at a moment, the value of one stands in the part of the other.
    const own = touchedSpans(corrections.all(sensorId)).flatMap((one) => overlap(one, span));
    const elsewhere = movesOf(active).flatMap(({ byMs, ...piece }) =>
      byMs === 0 ? [] : overlap(piece, span).map(({ from, to }) => ({ from: from + byMs, to: to + byMs })),
    );
    const spans = wholeSteps([...own, ...elsewhere], HOUR_MS);
    if (spans.length === 0) return;
    const keepBefore = cutOf(kind, "raw");
    const rows: RollupRow[] = [];
    const days = new Map<string, RollupPart>();
    const note = ({ measuredAt, receivedAt }: Reading) => {
      const day = dayOf(kind, measuredAt, startOfDay(receivedAt));
      days.set(`${day.start} ${day.receivedDay}`, day);
    };
    for (const one of spans) {
      // Message by message: of two that meet at a moment one counts, and the day of the other one is to know.
      const read = streamCorrected(store, { kind, sensorId, ...one, byMessage: true }, active, siteOf?.(sensorId));
      rows.push(...(await rowsOf(joined(noted(read, note)))));
    }
    await inner.replace({ kind, resolution: "hourly", sensorId, spans, keepBefore }, rows);
    rollups.touch(days.values());
  }

  /** Hours that are marked invalid as a whole are left out, also where nothing but their rows is left. */
  async function aggregate(query: AggregateQuery, resolution: RollupResolution): Promise<readonly Bucket[]> {
    const active = corrections.active(query.sensorId);
    const invalid = active.filter((one) => one.what === "invalid" && overlap(one, query).length > 0);
    if (invalid.length === 0) return inner.aggregate(query, resolution);
    const { from, to, everyMs } = query;
    const hull = wholeSteps(invalid, everyMs).flatMap((one) => overlap(one, query));
    const found: Bucket[] = [];
    let done = from;
    for (const one of [...hull, { from: to, to }]) {
      if (done < one.from) found.push(...(await inner.aggregate({ ...query, from: done, to: one.from }, resolution)));
      if (one.from < one.to) found.push(...(await withoutInvalid({ ...query, ...one }, resolution, invalid)));
      done = one.to;
    }
    return mergeBuckets(found);
  }

  /** Hour by hour where there are hours, else day by day. */
  async function withoutInvalid(
    query: AggregateQuery,
    resolution: RollupResolution,
    invalid: readonly Correction[],
  ): Promise<Bucket[]> {
    const { from, to, everyMs } = query;
    const hoursFrom = resolution === "hourly" ? from : Math.min(to, Math.max(from, cutOf(query.kind, "hourly")));
    const days = from < hoursFrom ? await steps({ ...query, to: hoursFrom }, "daily", invalid) : [];
    const hours = hoursFrom < to ? await steps({ ...query, from: hoursFrom }, "hourly", invalid) : [];
    return mergeBuckets(
      [...days, ...hours].map((one) => ({ ...one, start: Math.floor(one.start / everyMs) * everyMs, resolution })),
    );
  }

  async function steps(query: AggregateQuery, resolution: RollupResolution, invalid: readonly Correction[]) {
    const everyMs = resolution === "hourly" ? HOUR_MS : DAY_MS;
    const all = await inner.aggregate({ ...query, everyMs }, resolution);
    return all.flatMap((bucket) => {
      const span = { from: bucket.start, to: bucket.start + everyMs };
      const values = Object.entries(bucket.values).filter(([name]) => !isInvalid(span, name as MetricName, invalid));
      return values.length > 0 ? [{ ...bucket, values: Object.fromEntries(values) }] : [];
    });
  }

  return { ...inner, compute, aggregate };
}

/** A step of rollups can be left out as a whole, and not in part. */
export function isInvalid(span: Span, metric: MetricName, invalid: readonly Correction[]): boolean {
  const spans = joinSpans(invalid.filter(({ metrics }) => metrics?.includes(metric) ?? true));
  return spans.some(({ from, to }) => from <= span.from && span.to <= to);
}

const dayOf = (kind: Kind, start: number, receivedDay: number): RollupPart => ({
  kind,
  resolution: "daily",
  start: startOfDay(start),
  receivedDay,
});

async function* noted(chunks: AsyncIterable<readonly Reading[]>, note: (reading: Reading) => void) {
  for await (const chunk of chunks) {
    for (const reading of chunk) note(reading);
    yield chunk;
  }
}

/** One for each hour, district and day of receipt that has good values. */
async function rowsOf(chunks: AsyncIterable<readonly Reading[]>): Promise<RollupRow[]> {
  const found = new Map<string, Omit<RollupRow, "values"> & { readonly sums: Sums }>();
  for await (const chunk of chunks) {
    for (const reading of chunk) {
      const { sensorId, district, measuredAt, receivedAt } = reading;
      const [start, receivedDay] = [startOfHour(measuredAt), startOfDay(receivedAt)];
      const key = `${start} ${receivedDay} ${district}`;
      const row = found.get(key) ?? { sensorId, district, start, receivedDay, sums: new Map() };
      found.set(key, row);
      addGood(row.sums, reading);
    }
  }
  return Array.from(found.values(), ({ sums, ...row }) => ({ ...row, values: Object.fromEntries(sums) })).filter(
    ({ values }) => Object.keys(values).length > 0,
  );
}
