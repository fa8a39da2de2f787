import type { MetricName } from "./metrics.ts";
import { metricRow } from "./metrics.ts";
import type { Quality, Reading, Values } from "./reading.ts";
import { asText, type Sentence, say } from "./sentence.ts";
import { DEFAULT_SITE, type Site } from "./site.ts";

/**
 * What people found out later about readings that are kept: they were `invalid`, had another `value`, another unit
 * (`factor`, with an `offset`) or another time (`shift`). Nothing in the store changes: a correction is a fact beside the
 * readings, and revoking it is another one.
 */
export const CORRECTION_KINDS = ["invalid", "value", "factor", "shift"] as const;
export type CorrectionKind = (typeof CORRECTION_KINDS)[number];

/** Times are epoch milliseconds, `from <= measuredAt < to`, of the readings as the corrections before this one leave them. */
export type Correction = {
  readonly id: number;
  readonly sensorId: string;
  readonly from: number;
  readonly to: number;
  /** Only these; without it all that a reading has. A shift moves the whole reading. */
  readonly metrics?: readonly MetricName[] | undefined;
  readonly what: CorrectionKind;
  readonly value?: number | undefined;
  /** The right value is `value * factor + offset`. */
  readonly factor?: number | undefined;
  readonly offset?: number | undefined;
  /** Seconds later, or earlier where it is below zero. */
  readonly shiftS?: number | undefined;
  readonly reason: string;
  /** The quarantined value that was taken instead. */
  readonly quarantineId?: number | undefined;
  /** What the device said of that one, where it was calibrated. */
  readonly said?: number | undefined;
  /** Readings from before this were kept no more when it was made; rollups of later ones were computed with it. */
  readonly rawFrom?: number | undefined;
  readonly by: string;
  readonly at: number;
  readonly revokedAt?: number | undefined;
  readonly revokedBy?: string | undefined;
  readonly revokeReason?: string | undefined;
};

export type NewCorrection = Omit<Correction, "id" | "revokedAt" | "revokedBy" | "revokeReason">;

/** In force of one sensor, so that a query of its readings does bounded work for each. */
export const CORRECTIONS_PER_SENSOR_MAX = 100;
/** Three years and a month: a unit that was wrong since a device was set up. */
export const CORRECTION_SPAN_MAX_MS = 1_127 * 86_400_000;
/** A clock that was set to the wrong year. */
export const SHIFT_MAX_S = 366 * 86_400;

export type Span = { readonly from: number; readonly to: number };

export const shiftMs = ({ shiftS = 0 }: Pick<Correction, "shiftS">): number => Math.round(shiftS * 1_000);
export const isActive = ({ revokedAt }: Correction): boolean => revokedAt === undefined;

/** The same whatever is said about it: asked for twice it is one. */
export const correctionKey = (one: NewCorrection | Correction): string =>
  JSON.stringify([
    one.sensorId,
    one.from,
    one.to,
    one.metrics && [...one.metrics].sort(),
    one.what,
    one.value,
    one.factor,
    one.offset,
    one.shiftS,
  ]);

/**
 * A reading as its sensor's corrections, in the order of their ids, leave it; undefined where nothing of it is left.
 * `withInvalid` keeps values that are invalid, marked. What comes out impossible is invalid, so that whatever is in force
 * can be read. A reading that no correction touches comes back as it is.
 */
export function correctReading(
  reading: Reading,
  corrections: readonly Correction[],
  withInvalid = false,
  site: Site = DEFAULT_SITE,
): Reading | undefined {
  let at = reading.measuredAt;
  let values: Values | undefined;
  let marks: { [Name in MetricName]?: "corrected" | "invalid" } | undefined;
  let taken = reading.raw;
  let isTouched = false;
  for (const one of corrections) {
    if (at < one.from || at >= one.to) continue;
    isTouched = true;
    if (one.what === "shift") {
      at += shiftMs(one);
      continue;
    }
    values ??= { ...reading.values };
    marks ??= {};
    for (const metric of one.metrics ?? (Object.keys(reading.values) as MetricName[])) {
      const value = values[metric];
      if (value === undefined || marks[metric] === "invalid") continue;
      if (one.what === "invalid") marks[metric] = "invalid";
      else {
        values[metric] = changeValue(one, value);
        if (one.said !== undefined) taken = { ...taken, [metric]: one.said };
        marks[metric] = "corrected";
      }
    }
  }
  if (!isTouched) return reading;
  if (!values || !marks) return { ...reading, measuredAt: at, movedFrom: reading.measuredAt };
  return dress(
    taken === reading.raw ? reading : { ...reading, ...(taken && { raw: taken }) },
    at,
    values,
    marks,
    withInvalid,
    site,
  );
}

/** What a correction of values makes of one. */
export function changeValue({ what, value, factor = 1, offset = 0 }: Correction, former: number): number {
  if (what === "value") return value!;
  return what === "factor" ? former * factor + offset : former;
}

/** Only a value that is usual now is good: a wrong unit is often what made it suspect. */
function dress(
  reading: Reading,
  at: number,
  values: Values,
  marks: { [Name in MetricName]?: "corrected" | "invalid" },
  withInvalid: boolean,
  site: Site,
): Reading | undefined {
  const quality: Quality = {};
  const raw: Values = {};
  const kept: Values = {};
  for (const metric of Object.keys(values) as MetricName[]) {
    // Only in the end: a wrong factor and the one that makes up for it are right together.
    if (marks[metric] === "corrected" && !isPossible(metric, values[metric]!)) {
      marks[metric] = "invalid";
      values[metric] = reading.values[metric]!;
    }
    const mark = marks[metric];
    if (mark === "invalid" && !withInvalid) continue;
    kept[metric] = values[metric]!;
    const isSuspect = mark === "corrected" ? isUnusual(metric, values[metric]!, site) : reading.quality?.[metric];
    if (isSuspect) quality[metric] = "suspect";
    const said = reading.raw?.[metric] ?? (mark === undefined ? undefined : reading.values[metric]);
    if (said !== undefined) raw[metric] = said;
  }
  if (Object.keys(kept).length === 0) return undefined;
  const { quality: _quality, raw: _raw, ...rest } = reading;
  return {
    ...rest,
    measuredAt: at,
    values: kept,
    ...(Object.keys(quality).length > 0 ? { quality } : {}),
    ...(Object.keys(raw).length > 0 ? { raw } : {}),
    ...(Object.keys(marks).length > 0 ? { marks } : {}),
    ...(at === reading.measuredAt ? {} : { movedFrom: reading.measuredAt }),
  };
}

function isUnusual(metric: MetricName, value: number, site: Site): boolean {
  const row = metricRow(metric);
  if (!row) return false;
  const [low, high] = row.site === undefined ? row.suspect : site[row.site];
  return value < low || value > high;
}

/** Within what physics and hardware allow. */
export function isPossible(metric: MetricName, value: number): boolean {
  const [low, high] = metricRow(metric)?.fail ?? [-Number.MAX_VALUE, Number.MAX_VALUE];
  return value >= low && value <= high;
}

/** In a sentence: what is not possible about a value. */
export function explainImpossible(metric: MetricName, value: number): string {
  const { fail, unit } = metricRow(metric)!;
  return `${metric} would be ${value}; possible is ${fail[0]} to ${fail[1]}${unit && ` ${unit}`}.`;
}

/** A piece of the time as the device said it, and how far its readings are moved. */
export type Moved = Span & { readonly byMs: number };

/** The whole of time, in ascending pieces. */
export function movesOf(corrections: readonly Correction[]): readonly Moved[] {
  let pieces: Moved[] = [{ from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY, byMs: 0 }];
  for (const one of corrections) {
    if (one.what !== "shift") continue;
    pieces = pieces.flatMap(({ from, to, byMs }) => {
      const [begins, ends] = [Math.max(from, one.from - byMs), Math.min(to, one.to - byMs)];
      if (begins >= ends) return [{ from, to, byMs }];
      const parts = [
        { from, to: begins, byMs },
        { from: begins, to: ends, byMs: byMs + shiftMs(one) },
        { from: ends, to, byMs },
      ];
      return parts.filter((part) => part.from < part.to);
    });
  }
  return pieces;
}

/**
 * Where what is read may differ from what the store has, in the time of the corrected readings: ascending, apart from each
 * other. Some of it may be the same.
 */
export function touchedSpans(corrections: readonly Correction[]): readonly Span[] {
  let spans: Span[] = [];
  for (const one of corrections) {
    if (one.what === "shift") {
      const by = shiftMs(one);
      const moved = spans
        .flatMap((span) => overlap(span, one))
        .map(({ from, to }) => ({ from: from + by, to: to + by }));
      spans = [...spans, ...moved, { from: one.from + by, to: one.to + by }];
    }
    spans.push({ from: one.from, to: one.to });
  }
  return joinSpans(spans);
}

/** The common part, if there is one. */
export function overlap(a: Span, b: Span): Span[] {
  const [from, to] = [Math.max(a.from, b.from), Math.min(a.to, b.to)];
  return from < to ? [{ from, to }] : [];
}

export function joinSpans(spans: readonly Span[]): Span[] {
  const joined: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last && span.from <= last.to) joined[joined.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
    else joined.push(span);
  }
  return joined;
}

const iso = (time: number) => new Date(time).toISOString();

/** In a sentence, for the audit and for an alert's timeline. */
export function describeChange(one: Correction): string {
  const { id, what, metrics, from, to, reason } = one;
  if (one.revokedAt !== undefined) return `Correction ${id} was revoked: ${one.revokeReason}`;
  const of = metrics ? metrics.join(", ") : "all values";
  const change = {
    invalid: `${of} invalid`,
    value: `${of} = ${one.value}`,
    factor: `${of} x ${one.factor ?? 1}${one.offset ? ` ${one.offset < 0 ? "-" : "+"} ${Math.abs(one.offset)}` : ""}`,
    shift: `time ${(one.shiftS ?? 0) < 0 ? "-" : "+"} ${Math.abs(one.shiftS ?? 0)} s`,
  }[what];
  return `Correction ${id}: ${change}, ${iso(from)} to ${iso(to)}: ${reason}`;
}

/** The same for readers of any language. */
export function sayChange(one: Correction): Sentence {
  const { metrics, from, to } = one;
  const [id, reason] = [String(one.id), asText(one.reason)];
  if (one.revokedAt !== undefined) return say("corrected.revoked", { id, reason: asText(one.revokeReason ?? "") });
  const of = metrics ? { metrics } : {};
  const shift = shiftMs(one);
  const change = {
    invalid: () => say("change.invalid", of),
    value: () => say("change.value", { ...of, value: one.value! }),
    factor: () =>
      say("change.factor", { ...of, factor: one.factor ?? 1, ...(one.offset ? { offset: one.offset } : {}) }),
    shift: () => say("change.shift", { by: Math.abs(shift), side: shift < 0 ? "earlier" : "later" }),
  }[one.what]();
  return say("corrected", { id, change, from, to, reason });
}
