import { setImmediate as immediate } from "node:timers/promises";
import {
  CORRECTIONS_PER_SENSOR_MAX,
  type Correction,
  changeValue,
  correctionKey,
  correctReading,
  describeChange,
  explainImpossible,
  isPossible,
  type NewCorrection,
  overlap,
  type Span,
  sayChange,
  shiftMs,
  touchedSpans,
} from "../model/correction.ts";
import type { Kind } from "../model/kinds.ts";
import type { MetricName } from "../model/metrics.ts";
import { joinReadings } from "../model/moment.ts";
import type { Reading, Values } from "../model/reading.ts";
import { DAY_MS, HOUR_MS, startOfDay, startOfHour } from "../model/time.ts";
import { isInvalid } from "./corrected-rollups.ts";
import { type SiteOf, streamCorrected } from "./corrected-store.ts";
import type { Leaving, RangeQuery, ReadingStore, RollupPart } from "./reading-store.ts";
import type { Records } from "./records.ts";

/** What a correction changes, or its revoking. Times in epoch milliseconds. */
export type CorrectionEffect = {
  /** Readings that are read differently. */
  readonly readings: number;
  readonly examples: readonly { readonly before?: Moment | undefined; readonly after?: Moment | undefined }[];
  readonly hours: number;
  readonly alerts: number;
  readonly notes: readonly string[];
};
type Moment = { readonly measuredAt: number; readonly values: Values };

export type CorrectionDone = { readonly correction: Correction; readonly effect?: CorrectionEffect };

/** What cannot be; the message is for a person. */
export class CorrectionRefused extends Error {
  override readonly name = "CorrectionRefused";
  /** Of what was asked for; without it of what is there. */
  readonly field: "value" | "factor" | undefined;

  constructor(message: string, field?: "value" | "factor") {
    super(message);
    this.field = field;
  }
}

/** What the rules do with it; `alerts/` stands behind it. */
export type RulesReach = {
  /** Since when readings of a sensor can still be judged anew; undefined where the rules know nothing of it. */
  reachFrom(sensorId: string): number | undefined;
  /** A correction came or went: its sensor is to be judged anew. */
  changed(): void;
};

type CorrectionsOptions = {
  /** As it is, without corrections. */
  readonly store: Pick<ReadingStore, "stream"> & { readonly rollups?: Pick<ReadingStore["rollups"], "aggregate"> };
  readonly records: Pick<Records, "corrections" | "rollups" | "alerts" | "audit" | "transaction">;
  readonly rules: RulesReach;
  readonly siteOf?: SiteOf;
  readonly now: () => number;
};

const EXAMPLES = 5;
/** Of a sensor's alerts, the newest so many are looked at. */
const ALERTS_MAX = 2_000;
const ALERTS_PAGE = 200;

type Changed = {
  readonly kind: Kind;
  readonly sensorId: string;
  /** Those in force before and after. */
  readonly before: readonly Correction[];
  readonly after: readonly Correction[];
  readonly changed: Correction;
};

/**
 * Corrections and what follows from them. What was found out, the hours that are to be computed again and the marks on
 * alerts are one transaction: a crash leaves all of it or nothing. One at a time, so that none is counted against readings
 * that another one is changing.
 */
export function createCorrections({ store, records, rules, siteOf, now }: CorrectionsOptions) {
  const { corrections } = records;
  let tail: Promise<unknown> = Promise.resolve();

  function exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = tail.then(work);
    tail = result.catch(() => {});
    return result;
  }

  /** Says what it would change. Throws `CorrectionRefused`. */
  const dryRun = (kind: Kind, correction: NewCorrection, signal?: Leaving): Promise<CorrectionEffect> =>
    exclusively(async () => (await plan(addedOf(kind, correction), signal)).effect);

  /** The same asked for again is the one that is there. Throws `CorrectionRefused`. */
  function add(kind: Kind, correction: NewCorrection, signal?: Leaving): Promise<CorrectionDone> {
    return exclusively(async () => {
      const { sensorId } = correction;
      const key = correctionKey(correction);
      const same = corrections.active(sensorId).find((one) => correctionKey(one) === key);
      if (same) return { correction: same };
      const { parts, effect, alerts } = await plan(addedOf(kind, correction), signal);
      const added = records.transaction(() => {
        const one = corrections.add({ ...correction, rawFrom: records.rollups.cut(kind, "raw")?.at });
        follow(one, parts, alerts, { by: correction.by, what: "correction.add" });
        return one;
      });
      rules.changed();
      return { correction: added, effect };
    });
  }

  /** Undefined if there is none. One that was revoked before stays as it is. */
  function revoke(id: number, kindOf: (sensorId: string) => Kind, by: string, reason: string, signal?: Leaving) {
    return exclusively(async (): Promise<CorrectionDone | undefined> => {
      const known = corrections.get(id);
      if (!known || known.revokedAt !== undefined) return known && { correction: known };
      const before = corrections.active(known.sensorId);
      const after = before.filter((one) => one.id !== id);
      const changed = { kind: kindOf(known.sensorId), sensorId: known.sensorId, before, after, changed: known };
      const { parts, effect, alerts } = await plan(changed, signal);
      const revoked = records.transaction(() => {
        const one = corrections.revoke(id, now(), by, reason)!;
        follow(one, parts, alerts, { by, what: "correction.revoke" });
        return one;
      });
      rules.changed();
      return { correction: revoked, effect };
    });
  }

  function addedOf(kind: Kind, correction: NewCorrection): Changed {
    const before = corrections.active(correction.sensorId);
    if (before.length >= CORRECTIONS_PER_SENSOR_MAX) {
      throw new CorrectionRefused(
        `${correction.sensorId} has ${before.length} corrections in force already: revoke some, or correct more with one.`,
      );
    }
    const changed: Correction = { ...correction, id: Number.MAX_SAFE_INTEGER };
    return { kind, sensorId: correction.sensorId, before, after: [...before, changed], changed };
  }

  /** In the transaction that writes the correction itself. */
  function follow(
    one: Correction,
    parts: readonly RollupPart[],
    alerts: readonly string[],
    { by, what }: { by: string; what: string },
  ): void {
    const at = now();
    const { id, sensorId } = one;
    const note = describeChange(one);
    const entry = { at, knownAt: at, what: "readings-corrected", by, note, says: sayChange(one) };
    records.rollups.touch(parts);
    for (const alert of alerts) {
      records.alerts.handle(alert, {}, entry);
    }
    records.audit.add({ at, by, what, target: `${sensorId} ${id}`, detail: note });
  }

  async function plan(changed: Changed, signal: Leaving | undefined) {
    const { kind, sensorId, before, after } = changed;
    const spans = touchedSpans([changed.changed, ...changed.after.filter(({ id }) => id > changed.changed.id)]);
    const cut = records.rollups.cut(kind, "raw")?.at ?? Number.NEGATIVE_INFINITY;
    const found = createFound(kind);
    const site = siteOf?.(sensorId);
    const impossible = createImpossible(changed);
    const watched = { stream: (query: RangeQuery) => impossible.watch(store.stream(query)) };
    for (const span of spans) {
      // Message by message: each has a day of receipt, and with it a part of the rollups.
      const query = { kind, sensorId, ...span, byMessage: true, ...(signal ? { signal } : {}) };
      await compare(
        streamCorrected(store, query, before, site),
        streamCorrected(watched, query, after, site),
        found.note,
      );
    }
    const parts = found.parts();
    const hours = new Set(parts.map(({ start }) => start));
    for (const span of spans) for (const start of await hoursLeftOut(changed, span, cut, signal)) hours.add(start);
    const notes = [...notesOn(changed, cut, found.readings() > 0 || hours.size > 0), ...impossible.notes()];
    const alerts = restingOn(sensorId, spans, changed.changed.metrics);
    const effect: CorrectionEffect = {
      readings: found.readings(),
      examples: found.examples(),
      hours: hours.size,
      alerts: alerts.length,
      notes,
    };
    return { parts, effect, alerts };
  }

  /** Where only rollups are left: those of its hours that are left out now, and were not, or the other way round. */
  async function hoursLeftOut(
    { kind, sensorId, before, after }: Changed,
    span: Span,
    cut: number,
    signal: Leaving | undefined,
  ): Promise<number[]> {
    const [from, to] = [span.from, Math.min(span.to, cut)];
    if (!store.rollups || from >= to) return [];
    const query = { kind, sensorId, from, to, everyMs: HOUR_MS, ...(signal ? { signal } : {}) };
    const [was, is] = [before, after].map((all) => all.filter(({ what }) => what === "invalid"));
    const rows = await store.rollups.aggregate(query, "hourly");
    return rows.flatMap(({ start, values }) => {
      const hour = { from: start, to: start + HOUR_MS };
      const names = Object.keys(values) as MetricName[];
      return names.some((name) => isInvalid(hour, name, was!) !== isInvalid(hour, name, is!)) ? [start] : [];
    });
  }

  function notesOn({ changed, sensorId, after }: Changed, cut: number, isSeen: boolean): string[] {
    const notes: string[] = [];
    if (!after.includes(changed)) notes.push(...lostBy(changed, cut, isSeen));
    else if (changed.from < cut) {
      if (changed.what !== "invalid" && changed.to <= cut && !isSeen) {
        throw new CorrectionRefused(
          `Readings before ${iso(cut)} are no longer kept, only their hours and days: whole hours there can be marked invalid, and nothing else.`,
        );
      }
      notes.push(
        `Readings before ${iso(cut)} are no longer kept. Of their hours and days only whole ones can be left out (invalid); everything else stays as it was.`,
      );
    }
    const reachFrom = rules.reachFrom(sensorId);
    if (reachFrom === undefined || changed.from < reachFrom) {
      const reach = reachFrom === undefined ? "" : ` back to ${iso(reachFrom)}`;
      notes.push(
        reachFrom === undefined || changed.to <= reachFrom
          ? `The rules do not judge this time again${reach === "" ? "" : ` (they reach${reach})`}: its alerts stay, marked as resting on corrected readings.`
          : `The rules judge again${reach}: older alerts stay, marked as resting on corrected readings.`,
      );
    }
    return notes;
  }

  /** What revoking it does not bring back: hours that were computed with it, of readings that are gone. */
  function lostBy(revoked: Correction, cut: number, isSeen: boolean): string[] {
    const computed = { from: revoked.rawFrom ?? Number.NEGATIVE_INFINITY, to: cut };
    const lost = touchedSpans([revoked]).flatMap((span) => overlap(span, computed));
    if (lost.length === 0) return [];
    const when = lost.map(({ from, to }) => `${iso(from)} to ${iso(to)}`).join(" and ");
    const why = `The hours and days of ${when} were computed with this correction, and their readings are no longer kept`;
    if (!isSeen) throw new CorrectionRefused(`${why}: what was before cannot be brought back.`);
    return [`${why}: they stay as they are.`];
  }

  /** Ids of a sensor's alerts with evidence in these spans. */
  function restingOn(sensorId: string, spans: readonly Span[], metrics: readonly MetricName[] | undefined): string[] {
    const found: string[] = [];
    const end = spans.at(-1)!.to;
    let cursor: string | undefined;
    for (let seen = 0; seen < ALERTS_MAX; seen += ALERTS_PAGE) {
      const filter = { sensor: sensorId, state: ["firing", "resolved", "retracted"] as const };
      const page = records.alerts.list(filter, ALERTS_PAGE, cursor);
      for (const { id, startedAt, evidence } of page.items) {
        if (startedAt >= end) continue;
        const rests = evidence.some(({ measuredAt, window, metric }) => {
          const isOther = metrics && metric && !metrics.includes(metric as MetricName) && isMetric(metric);
          const span = { from: window?.from ?? measuredAt, to: measuredAt + 1 };
          return !isOther && spans.some((one) => overlap(one, span).length > 0);
        });
        if (rests) found.push(id);
      }
      cursor = page.next;
      if (cursor === undefined) break;
    }
    return found;
  }

  const read = (reading: Reading) => readCorrected(corrections, reading, siteOf);
  return { dryRun, add, revoke, read, changes: corrections.changes };
}

/** From RAM: a look at a map where its sensor has no corrections. */
function readCorrected(
  corrections: Pick<Records["corrections"], "active">,
  reading: Reading,
  siteOf: SiteOf | undefined,
): Reading | undefined {
  const active = corrections.active(reading.sensorId);
  return active.length === 0 ? reading : correctReading(reading, active, false, siteOf?.(reading.sensorId));
}

/** The same of many: the same array where none is corrected, which is nearly always. */
export function readAllCorrected(
  corrections: Pick<Records["corrections"], "active">,
  readings: readonly Reading[],
  siteOf?: SiteOf,
): readonly Reading[] {
  if (!readings.some(({ sensorId }) => corrections.active(sensorId).length > 0)) return readings;
  return readings.flatMap((one) => readCorrected(corrections, one, siteOf) ?? []);
}

export type Corrections = ReturnType<typeof createCorrections>;

const iso = (time: number) => new Date(time).toISOString();
/** A rule may watch what is derived from several metrics: then any of them may have been meant. */
const isMetric = (name: string) => !name.includes(".") && /^[a-z][A-Za-z0-9]*$/.test(name);

/**
 * Values that come out impossible. They are read as invalid; a correction that makes such is refused, because it is not
 * what a person meant. Only those of the metrics of the one that comes or goes: others are as they were.
 */
function createImpossible({ after, changed }: Changed) {
  const isAdded = after.includes(changed);
  let count = 0;

  function look(reading: Reading): void {
    let at = reading.measuredAt;
    const values = { ...reading.values };
    const isOut = new Set<MetricName>();
    let isMeant = changed.metrics === undefined;
    for (const one of after) {
      if (at < one.from || at >= one.to) continue;
      if (one === changed) isMeant = true;
      if (one.what === "shift") at += shiftMs(one);
      for (const metric of one.metrics ?? (Object.keys(values) as MetricName[])) {
        const value = values[metric];
        if (one.what === "invalid") isOut.add(metric);
        else if (value !== undefined && !isOut.has(metric)) values[metric] = changeValue(one, value);
      }
    }
    if (!isMeant && isAdded) return;
    for (const metric of changed.metrics ?? []) {
      const value = values[metric];
      if (value === undefined || isOut.has(metric) || value === reading.values[metric]) continue;
      if (isPossible(metric, value)) continue;
      count += 1;
      if (isAdded && (changed.what === "factor" || changed.what === "value")) {
        const hint = " If that reading is the one that is wrong, mark it as invalid first.";
        throw new CorrectionRefused(`At ${iso(at)} ${explainImpossible(metric, value)}${hint}`, changed.what);
      }
    }
  }

  async function* watch(chunks: Chunks): AsyncGenerator<readonly Reading[]> {
    for await (const chunk of chunks) {
      if (changed.metrics) for (const reading of chunk) look(reading);
      yield chunk;
    }
  }
  const notes = () =>
    count === 0 ? [] : [`${count} values come out impossible by the other corrections: they are read as invalid.`];
  return { watch, notes };
}

/** What differs, gathered. */
function createFound(kind: Kind) {
  const parts = new Map<string, RollupPart>();
  const examples: { before?: Moment | undefined; after?: Moment | undefined }[] = [];
  let readings = 0;

  /**
   * The part it lies in, and those of the day it was measured on and the day after: where the store joins them in one row
   * (InfluxDB), that row is made anew of all of them.
   */
  function touch({ measuredAt, receivedAt }: Reading): void {
    const [start, day] = [startOfHour(measuredAt), startOfDay(measuredAt)];
    for (const receivedDay of [startOfDay(receivedAt), day, day + DAY_MS])
      parts.set(`${start} ${receivedDay}`, { kind, resolution: "hourly", start, receivedDay });
  }

  function note(before: readonly Reading[], after: readonly Reading[]): void {
    for (const one of before) touch(one);
    for (const one of after) touch(one);
    readings += 1;
    if (examples.length < EXAMPLES) examples.push({ before: momentOf(before), after: momentOf(after) });
  }
  return { note, parts: () => [...parts.values()], examples: () => examples, readings: () => readings };
}

/** As a reader sees it, whatever number of messages it came in. */
function momentOf(messages: readonly Reading[]): Moment | undefined {
  if (messages.length === 0) return undefined;
  const { measuredAt, values } = messages.reduce(joinReadings);
  return { measuredAt, values };
}

type Chunks = AsyncIterable<readonly Reading[]>;

/** Walks both beside each other, moment by moment: all messages of one are one reading. */
async function compare(
  before: Chunks,
  after: Chunks,
  note: (before: readonly Reading[], after: readonly Reading[]) => void,
): Promise<void> {
  const [a, b] = [walk(before), walk(after)];
  let [one, other] = [await a(), await b()];
  while (one || other) {
    const time = Math.min(one?.measuredAt ?? Number.POSITIVE_INFINITY, other?.measuredAt ?? Number.POSITIVE_INFINITY);
    const [left, right]: [Reading[], Reading[]] = [[], []];
    for (; one?.measuredAt === time; one = await a()) left.push(one);
    for (; other?.measuredAt === time; other = await b()) right.push(other);
    if (!isSameMoment(left, right)) note(left, right);
  }
}

/** In their order, too: of two that meet at a moment it says which counts. */
const isSameMoment = (a: readonly Reading[], b: readonly Reading[]): boolean =>
  a.length === b.length && a.every((each, place) => isSame(each, b[place]!));

function isSame(a: Reading, b: Reading): boolean {
  const names = Object.keys(a.values) as MetricName[];
  if (names.length !== Object.keys(b.values).length || a.journalSeq !== b.journalSeq) return false;
  return names.every((name) => a.values[name] === b.values[name] && a.quality?.[name] === b.quality?.[name]);
}

/** Reading by reading; between the chunks others have the thread. */
function walk(chunks: Chunks): () => Promise<Reading | undefined> | Reading | undefined {
  const iterator = chunks[Symbol.asyncIterator]();
  let chunk: readonly Reading[] = [];
  let next = 0;
  async function more(): Promise<Reading | undefined> {
    do {
      const { done, value } = await iterator.next();
      if (done) return undefined;
      chunk = value;
      next = 0;
      await immediate();
    } while (chunk.length === 0);
    return chunk[next++];
  }
  return () => (next < chunk.length ? chunk[next++] : more());
}
