import { randomBytes } from "node:crypto";
import { z } from "zod";
import { counter, type Figure, type Health } from "../model/health.ts";
import { KINDS, type Kind } from "../model/kinds.ts";
import type { LedgerRow } from "../model/ledger.ts";
import type { Log } from "../model/log.ts";
import { DAY_MS, dateOf, startOfDay } from "../model/time.ts";
import type { ReadingStore, SentinelMark } from "../store/reading-store.ts";
import type { Records } from "../store/records.ts";
import type { Rewriter } from "./rewrite.ts";

/** Today and yesterday are counted so often, and one older day at every turn: all of a quarter in less than an hour. */
const RECENT_EVERY_MS = 5 * 60_000;
/** Counting takes at most one part in so many of the time. */
const REST = 20;
const MARK_EVERY_MS = 60_000;
/** Another service with our mark is told of for so long after it was last heard of. */
const SHARED_MS = 10 * 60_000;
/** A loss is told for so long; books and audit keep it. */
const TOLD_MS = DAY_MS;
const LOSSES_KEPT = 20;
const LEDGER_DAYS_MAX = 10_000;

/** `at`: when it was written, by our clock; absent in marks of earlier versions. */
const Mark = z.object({ life: z.string(), booked: z.number(), at: z.number().default(0) });
const Repair = z.object({ why: z.string(), whole: z.boolean(), days: z.array(z.number()) });
type Repair = z.output<typeof Repair>;
const Loss = z.object({ at: z.number(), readings: z.number(), from: z.number(), to: z.number(), why: z.string() });
type Loss = z.output<typeof Loss>;

/** Names in `storeState`. */
const [MARK, REPAIR, LOSSES] = ["mark", "repair", "losses"];

/** Readings that were booked as stored and are not there. */
type Missing = {
  readonly kind: Kind;
  readonly day: number;
  readonly sensorId: string;
  readonly count: number;
  /** Of some day before those that are counted. */
  readonly isOlder?: boolean;
};

/**
 * Notices in minutes that a database came back empty, as an older copy, or without some of its readings: by a point of
 * ours in it that says how far it was filled, and by the counts of each sensor and day. What the journal still has is
 * written again; the rest is booked as lost, and told.
 */
export function createStoreCheck(parts: {
  readonly store: Pick<ReadingStore, "name" | "sentinel" | "countByDay" | "countBySensor" | "limits">;
  readonly records: Pick<Records, "transaction"> & {
    readonly storeState: Records["storeState"];
    readonly ledger: Pick<Records["ledger"], "add" | "byDay" | "bySensor">;
    readonly removals: Pick<Records["removals"], "counts" | "plans">;
    readonly audit: Pick<Records["audit"], "add">;
  };
  readonly rewriter: Pick<Rewriter, "request" | "isPending">;
  /** The first number that is still in the journal, and the one below which everything is booked. */
  first(): number;
  offset(): number;
  /** Days that readings are kept: what was measured before is not missed. */
  readonly rawDays: number;
  /** Somebody said that this is the real one, should another work on a copy of the data folder. */
  readonly takesOver?: boolean;
  readonly now: () => number;
  /** The clock by which readings are removed: it does not leap. */
  readonly settled: () => number;
  readonly log: Log;
}) {
  const { store, records, rewriter, now, log } = parts;
  const state = records.storeState;
  let losses = z
    .array(Loss)
    .catch([])
    .parse(state.get(LOSSES!) ?? []);
  let countedRecentAt = Number.NEGATIVE_INFINITY;
  let rest = { since: Number.NEGATIVE_INFINITY, ms: 0 };
  let markedAt = Number.NEGATIVE_INFINITY;
  /** Older days still to be counted in this round, newest first. */
  let round: number[] = [];
  let lostSinceStart = 0;
  /** This process, and how often it wrote the mark. */
  const run = newRun(now(), parts.takesOver ?? false);
  let beat = 0;
  /** The last mark found that another process wrote after this one had written its own. */
  let stranger: string | undefined;
  /** What it said, until it is known whether that process lives. */
  let unjudged: SentinelMark | undefined;
  let strangerAt = Number.NEGATIVE_INFINITY;
  let strangerRun = "";
  const isShared = () => Math.abs(now() - strangerAt) < SHARED_MS;

  const repairNow = () => Repair.optional().catch(undefined).parse(state.get(REPAIR!));

  /** Is this still the database we filled? Call it where nothing else writes. Throws `StoreError`. */
  async function checkMark(): Promise<void> {
    if (!store.sentinel) return;
    const mine = Mark.optional().catch(undefined).parse(state.get(MARK!));
    const read = await store.sentinel.read();
    if (!mine) return writeMark(newLife());
    if (read && isOfAnother(read)) return writeMark(mine.life);
    const found = unjudged ?? read;
    unjudged = undefined;
    if (!found && (await isRemovedByServer(mine.at))) return writeMark(mine.life);
    if (!found) return lose("the database came back empty");
    if (found.life !== mine.life) return lose("the database is another one than before");
    if (found.booked < mine.booked) return lose("the database came back as an older copy of itself");
    const isOld = found.run !== run || parts.offset() > found.booked;
    if (isOld && Math.abs(now() - markedAt) >= MARK_EVERY_MS) await writeMark(mine.life);
  }

  /**
   * A mark that another process has put over ours. The first may be of an older copy of the database, and is judged at the
   * next look; who answers ours with a new one is alive, on a copy of this data folder: nothing it says is a loss of ours.
   */
  function isOfAnother(found: SentinelMark): boolean {
    if (beat === 0 || found.run === undefined || found.run === run) return isShared() && beat > 0;
    const known = stranger;
    stranger = `${found.run} ${found.beat}`;
    if (known === undefined) unjudged = found;
    if (known === undefined || known === stranger) return known === undefined || isShared();
    if (!isShared()) log.error({}, sharedWords(store.name));
    strangerAt = now();
    strangerRun = found.run;
    unjudged = undefined;
    return true;
  }

  async function writeMark(life: string): Promise<void> {
    const mark = { life, booked: parts.offset() };
    beat += 1;
    await store.sentinel!.write({ ...mark, run, beat });
    markedAt = now();
    state.set(MARK!, { ...mark, at: markedAt });
  }

  /** Something is missing, who knows what: all of it is written again, counted, and booked. */
  function lose(why: string): void {
    if (repairNow()?.whole) return;
    ask({ why, whole: true, days: [] });
  }

  function ask(repair: Repair): void {
    log.error({ why: repair.why }, "the store has lost readings; what the journal has is written again");
    records.transaction(() => {
      state.set(REPAIR!, repair);
      rewriter.request(parts.first(), repair.why);
    });
  }

  /**
   * Compares what the books say with what is there. While others write: what the books said before the question must be
   * there. `everything`: all days, not only those whose turn it is. Throws `StoreError`.
   */
  async function count(everything: boolean): Promise<void> {
    const at = now();
    if (!store.sentinel || repairNow() || rewriter.isPending() || (!everything && Math.abs(at - rest.since) < rest.ms))
      return;
    state.forgetBefore(ownFirstDay());
    const [recent, older] = split(state.days(), at);
    const isRecentDue = everything || Math.abs(at - countedRecentAt) >= RECENT_EVERY_MS;
    if (round.length === 0) round = older;
    const days = [...(isRecentDue ? recent : []), ...(everything ? older : round.splice(0, 1))];
    if (isRecentDue) countedRecentAt = at;
    let missing: Missing[] = [];
    for (const day of days) missing.push(...(await missingOn(day)));
    rest = { since: now(), ms: Math.min(DAY_MS, REST * Math.abs(now() - at)) };
    if (missing.length === 0) return;
    // Somebody may have given the server a shorter retention since it was last asked.
    await store.limits?.ask();
    missing = missing.filter(({ day }) => day >= firstDay());
    if (missing.length === 0) return;
    // One day with a hole: the others are looked at now, not in their turn.
    if (!everything) missing = (await Promise.all(state.days().map(missingOn))).flat();
    const found = [...new Set(missing.map(({ day }) => day))];
    if (found.length > 0) ask({ why: `readings of ${found.length} days were gone`, whole: false, days: found });
  }

  /** What was measured before this day is removed by us one day soon. */
  const ownFirstDay = () => startOfDay(parts.settled()) - (parts.rawDays - 1) * DAY_MS;

  /** The same, or by the server itself. */
  function firstDay(): number {
    const keepsMs = store.limits?.known()?.keepsMs;
    return keepsMs === undefined ? ownFirstDay() : Math.max(ownFirstDay(), serverKeepsFrom(keepsMs));
  }

  /** It removes whole shard groups when their end is too old, by its own clock: a day's margin is for the clocks. */
  const serverKeepsFrom = (keepsMs: number) => now() - keepsMs + DAY_MS;

  async function isRemovedByServer(at: number): Promise<boolean> {
    const keepsMs = (await store.limits?.ask())?.keepsMs;
    return keepsMs !== undefined && at < serverKeepsFrom(keepsMs);
  }

  async function missingOn(day: number): Promise<Missing[]> {
    if (day < firstDay()) return [];
    const missing: Missing[] = [];
    for (const kind of KINDS) {
      const booked = state.counts(kind, day);
      if (booked.size === 0) continue;
      const found = await store.countByDay(kind, day, day + DAY_MS);
      for (const [sensorId, n] of booked) {
        const there = found.get(sensorId)?.get(day) ?? 0;
        if (there < n) missing.push({ kind, day, sensorId, count: n - there });
      }
    }
    return missing;
  }

  /** After what the journal has was written again: books what is still missing. Call it where nothing else writes. */
  async function repair(): Promise<void> {
    const asked = repairNow();
    if (!asked || rewriter.isPending()) return;
    await store.limits?.ask();
    const missing: Missing[] = [];
    for (const day of asked.whole ? state.days() : asked.days) missing.push(...(await missingOn(day)));
    if (asked.whole) missing.push(...(await missingElsewhere(missing)));
    const readings = missing.reduce((sum, { count: n }) => sum + n, 0);
    const days = missing.map(({ day }) => day);
    const loss: Loss = { at: now(), readings, from: Math.min(...days), to: Math.max(...days) + DAY_MS, why: asked.why };
    // Before the books say so: a crash in between finds the mark of the new life and the repair still to be done.
    if (asked.whole) await writeMark(newLife());
    records.transaction(() => {
      if (readings > 0) {
        records.ledger.add(lostRows(missing, records.ledger));
        state.count(missing.filter(({ isOlder }) => !isOlder).map((one) => ({ ...one, count: -one.count })));
        losses = [...losses, loss].slice(-LOSSES_KEPT);
        state.set(LOSSES!, losses);
      }
      state.set(REPAIR!, undefined);
      const detail =
        readings > 0 ? `${loss.why}; ${wordsOf(loss)}` : `${loss.why}; everything came back from the journal`;
      records.audit.add({ at: now(), by: "service", what: "store.refilled", target: store.name, detail });
    });
    lostSinceStart += readings;
    log[readings > 0 ? "error" : "warn"]({ why: loss.why, readings }, "the store is as full as it can be made");
  }

  /** History of before the days that are counted, by sensor. Where the server removes some nobody knows what is missing. */
  async function missingElsewhere(known: readonly Missing[]): Promise<Missing[]> {
    if (store.limits?.known()?.keepsMs !== undefined) return [];
    const found = await store.countBySensor({ seqBefore: parts.offset() });
    const removed = records.removals.counts("readings");
    const plans = records.removals.plans();
    return records.ledger.bySensor().flatMap(({ sensorId, outcomes }) => {
      const planned = plans.reduce((sum, { counts }) => sum + (counts.get(sensorId) ?? 0), 0);
      const due = (outcomes.get("stored") ?? 0) - (removed.get(sensorId) ?? 0) - planned;
      const ofDays = known.reduce((sum, one) => sum + (one.sensorId === sensorId ? one.count : 0), 0);
      const more = due - (found.get(sensorId) ?? 0) - ofDays;
      return more > 0 ? [{ kind: KINDS[0], day: firstDay() - DAY_MS, sensorId, count: more, isOlder: true }] : [];
    });
  }

  function health(): readonly Health[] {
    const part = "stored readings";
    const asked = repairNow();
    const told = losses.filter(({ at }) => now() - at < TOLD_MS);
    const reasons = [
      ...(asked ? [`The store has lost readings (${asked.why}); they are written again from the journal.`] : []),
      ...told.map((loss) => `${wordsOf(loss)} (${loss.why}; noticed ${iso(loss.at)}, told for a day).`),
    ];
    const degraded = (name: string, reason: string) =>
      ({ part: name, state: "degraded", ready: true, reason }) as const;
    return [
      ...(isShared() ? [degraded("store owner", sharedWords(store.name))] : []),
      ...(reasons.length > 0 ? [degraded(part, reasons.join(" "))] : []),
    ];
  }

  return {
    checkMark,
    count,
    repair,
    lose,
    isRepairing: () => repairNow() !== undefined,
    /** Whether another service writes there with our mark. */
    isShared,
    /** The other one was there before, or somebody has said that it is the real one. */
    isOutranked: () => isShared() && isBefore(strangerRun, run),
    health,
    figures: (): readonly Figure[] => [
      counter(
        "lamppost_store_lost_readings_total",
        "Readings booked as lost since the start, because the store lost them and the journal had them no longer.",
        lostSinceStart,
      ),
    ],
  };
}

const sharedWords = (name: string) =>
  `Another service writes to ${name} with the mark of this data folder: two run on copies of one folder, and each takes the other's readings for its own. Stop one of them, or give it an empty data folder (which makes a mark of its own). Nothing is removed from ${name} meanwhile.`;
const newLife = () => randomBytes(8).toString("hex");

/** Says when it began, and whether somebody said that it is the real one: the other one can tell which of the two it is. */
function newRun(now: number, takesOver: boolean): string {
  return `${takesOver ? 1 : 0}${now.toString(16).padStart(12, "0")}${newLife()}`;
}

/** Of two that run at once: which is the real one. Former versions do not say when they began: they were there before. */
function isBefore(other: string, own: string): boolean {
  const [theirs, ours] = [other, own].map((one) => /^([01])([0-9a-f]{12})[0-9a-f]{16}$/.exec(one));
  if (!theirs || !ours) return !theirs;
  if (theirs[1] !== ours[1]) return theirs[1] === "1";
  // Whoever was told last, where both were.
  return theirs[1] === "1" ? other > own : other < own;
}
const iso = (time: number) => new Date(time).toISOString();
const wordsOf = ({ readings, from, to }: Loss) =>
  `${readings} readings measured between ${iso(from)} and ${iso(to)} are missing and booked as lost`;

function split(days: readonly number[], at: number): [number[], number[]] {
  const isRecent = (day: number) => day >= startOfDay(at) - DAY_MS;
  return [days.filter(isRecent), days.filter((day) => !isRecent(day))];
}

/** What was booked as stored becomes lost: of the sensor's days of receipt the day it was measured, then later ones, then earlier ones. */
function lostRows(missing: readonly Missing[], ledger: Pick<Records["ledger"], "byDay">): LedgerRow[] {
  const rows: LedgerRow[] = [];
  for (const [sensorId, ofSensor] of Map.groupBy(missing, (one) => one.sensorId)) {
    const stored = new Map(
      ledger
        .byDay(LEDGER_DAYS_MAX, sensorId)
        .toReversed()
        .map(({ day, outcomes }) => [day, outcomes.get("stored") ?? 0]),
    );
    for (const { day: measuredOn, count } of ofSensor) {
      let left = count;
      const all = [...stored.keys()];
      const on = dateOf(measuredOn);
      for (const day of [...all.filter((one) => one >= on), ...all.filter((one) => one < on).reverse()]) {
        const n = Math.min(left, stored.get(day)!);
        if (n === 0) continue;
        left -= n;
        stored.set(day, stored.get(day)! - n);
        rows.push({ day, sensorId, outcome: "received", count: -n });
        rows.push({ day, sensorId, outcome: "stored", count: -n }, { day, sensorId, outcome: "lost", count: n });
      }
    }
  }
  return rows;
}
