import { type Correction, movesOf, sayChange, touchedSpans } from "../model/correction.ts";
import type { Kind } from "../model/kinds.ts";
import type { Log } from "../model/log.ts";
import { LATENESS_MAX_MS, type Reading } from "../model/reading.ts";
import { type Sentence, say } from "../model/sentence.ts";
import { DAY_MS } from "../model/time.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import type { Records } from "../store/records.ts";
import type { Alerts } from "./alerts.ts";

type RejudgingOptions = {
  /** Through the corrections. */
  readonly store: Pick<ReadingStore, "stream">;
  readonly records: Pick<Records, "corrections" | "offsets">;
  readonly alerts: Pick<Alerts, "position" | "reachFrom" | "remembersAll" | "markOf" | "rejudge">;
  readonly kindOf: (sensorId: string) => Kind | undefined;
  readonly now: () => number;
  readonly log: Log;
};

const AT_ONCE = 100;
/** More than the engine remembers of one sensor is not judged again. */
const READINGS_MAX = 20_000;
/** While a sensor sends faster than its readings are read. */
const TRIES_MAX = 5;
/** Offset of this name and a sensor's: since when the rules have its readings. */
const SAID_FROM = "rules judge from ";
export const REJUDGE_EVERY_MS = 1_000;

/**
 * Has the rules judge a sensor again when its readings were corrected, or a correction was revoked, as far back as the
 * engine remembers. What is to be done is in the records until the states it came to are: a crash begins it again.
 */
export function createRejudging({ store, records, alerts, kindOf, now, log }: RejudgingOptions) {
  const { corrections } = records;
  let running: Promise<void> | undefined;
  let isFailing = false;

  /** Call it every `REJUDGE_EVERY_MS`. Never throws; resolves when the run under way has ended. */
  function tick(): Promise<void> {
    running ??= run()
      .then(
        () => {
          isFailing = false;
        },
        (error) => {
          if (!isFailing)
            log.warn({ reason: String(error) }, "corrected readings could not be judged again; it is tried again");
          isFailing = true;
        },
      )
      .finally(() => {
        running = undefined;
      });
    return running;
  }

  async function run(): Promise<void> {
    const due = corrections.unfolded(AT_ONCE);
    for (const [sensorId, ofOne] of Map.groupBy(due, (one) => one.sensorId)) {
      if (await judgeAgain(sensorId, ofOne)) {
        for (const { id, revokedAt } of ofOne) corrections.setFolded(id, revokedAt === undefined ? 1 : 2);
      }
    }
  }

  /** False: not yet. */
  async function judgeAgain(sensorId: string, changed: readonly Correction[]): Promise<boolean> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const said = saidFrom(sensorId);
      const from = said === undefined ? alerts.reachFrom(sensorId) : movedTo(sensorId, said);
      const kind = kindOf(sensorId);
      if (from === undefined || kind === undefined || !reaches(sensorId, changed, from)) return true;
      // What the rules have seen must be in the store, or it would be taken for a reading that never was.
      if ((records.offsets.get("store") ?? 0) < alerts.position()) return false;
      const mark = alerts.markOf(sensorId);
      const readings = await read(kind, sensorId, from, said);
      if (!readings) return true;
      if (mark !== alerts.markOf(sensorId)) continue;
      if (said !== undefined) records.offsets.set(SAID_FROM + sensorId, said);
      return alerts.rejudge(sensorId, readings, { at: timeOf(changed), note: noteOf(changed) });
    }
    return false;
  }

  /**
   * Of a sensor whose every reading the rules remember: the time of the first, as the device said it. It is kept, because
   * a shift may leave the rules nothing by which to tell, and revoking it is to bring all of them back.
   */
  function saidFrom(sensorId: string): number | undefined {
    if (!alerts.remembersAll(sensorId)) return undefined;
    const first = alerts.reachFrom(sensorId) ?? Number.POSITIVE_INFINITY;
    const said = Math.min(...movesOf(corrections.active(sensorId)).map(({ byMs }) => first - byMs), first);
    const kept = records.offsets.get(SAID_FROM + sensorId) ?? Number.POSITIVE_INFINITY;
    const from = kept >= now() - LATENESS_MAX_MS ? Math.min(kept, said) : said;
    return Number.isFinite(from) ? from : undefined;
  }

  /** Nothing that the device said since then is now before this. */
  const movedTo = (sensorId: string, said: number): number =>
    Math.min(said, ...movesOf(corrections.active(sensorId)).map(({ byMs }) => said + byMs));

  /** Since when readings of a sensor are judged again; undefined where none can be. */
  const reachFrom = (sensorId: string): number | undefined => saidFrom(sensorId) ?? alerts.reachFrom(sensorId);

  /** Also what comes after it may have been moved. */
  function reaches(sensorId: string, changed: readonly Correction[], from: number): boolean {
    const first = Math.min(...changed.map(({ id }) => id));
    const later = corrections.all(sensorId).filter(({ id }) => id >= first);
    return touchedSpans(later).some(({ to }) => to > from);
  }

  async function read(
    kind: Kind,
    sensorId: string,
    from: number,
    said = Number.NEGATIVE_INFINITY,
  ): Promise<Reading[] | undefined> {
    const readings: Reading[] = [];
    for await (const chunk of store.stream({ kind, sensorId, from, to: now() + DAY_MS })) {
      readings.push(...chunk.filter(({ measuredAt, movedFrom }) => (movedFrom ?? measuredAt) >= said));
      if (readings.length > READINGS_MAX) return undefined;
    }
    return readings;
  }

  return { tick, reachFrom, stop: () => running };
}

function noteOf(changed: readonly Correction[]): Sentence {
  const newest = sayChange(changed.at(-1)!);
  return changed.length === 1 ? newest : say("corrected.andOthers", { newest, others: changed.length - 1 });
}
const timeOf = (changed: readonly Correction[]) => Math.max(...changed.map(({ at, revokedAt }) => revokedAt ?? at));
