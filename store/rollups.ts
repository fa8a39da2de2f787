import type { Background } from "../model/background.ts";
import { KINDS, type Kind } from "../model/kinds.ts";
import type { Log } from "../model/log.ts";
import { DAY_MS, HOUR_MS, startOfDay } from "../model/time.ts";
import { startCron } from "./cron.ts";
import { lateSlot, type ReadingStore, type RollupResolution, type RollupSpan } from "./reading-store.ts";
import type { DuePart } from "./records/store-state.ts";
import type { Records } from "./records.ts";

type RollupsOptions = {
  readonly store: Pick<ReadingStore, "rollups">;
  readonly records: { readonly rollups: Records["rollups"]; readonly offsets: Records["offsets"] };
  readonly background: Pick<Background, "every">;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly log: Log;
};

export type Rollups = ReturnType<typeof startRollups>;

const STEP_MS = { hourly: HOUR_MS, daily: DAY_MS } as const;
const PARTS_AT_ONCE = 1_000;
/** Offset of this name: 0 or missing means that hours may be in the store that nobody wrote down as due. */
export const ROLLUPS_SEEDED = "rollups";

/**
 * Keeps the hourly and daily rollups true to the readings. Every booking writes down the hours it touched, in its own
 * transaction, so what is due is always known from the database: after a week off, after a crash between computing and
 * writing it down (the same again gives the same), and when a late reading makes an hour due once more. Hours and days
 * are computed when they are over. At start, and every minute: imported history older than the readings that are kept is
 * answered from rollups alone, and should not be long in coming.
 */
export function startRollups({ store, records, background, now, log }: RollupsOptions) {
  const { rollups } = records;
  let tail: Promise<unknown> = Promise.resolve();
  let running: Promise<void> | undefined;
  let stopping = false;
  let failing = false;

  /** Computing and removing never meet: what is removed halfway must not be computed from. */
  function exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = tail.then(work);
    tail = result.catch(() => {});
    return result;
  }

  /** Does what is due now, or waits for the run under way; never throws. */
  function run(): Promise<void> {
    running ??= exclusively(computeDue)
      .then(report, report)
      .finally(() => {
        running = undefined;
      });
    return running;
  }

  function report(error?: unknown): void {
    if (error && !failing) log.warn({ reason: String(error) }, "rollups cannot be computed; they stay due");
    if (!error && failing) log.info({}, "rollups are computed again");
    failing = error !== undefined;
  }

  async function computeDue(): Promise<void> {
    await seed();
    await computeAll("hourly");
    await computeAll("daily");
  }

  async function computeAll(resolution: RollupResolution): Promise<void> {
    const startedBefore = now() - STEP_MS[resolution] + 1;
    for (;;) {
      const due = rollups.due(resolution, startedBefore, PARTS_AT_ONCE);
      let left = 0;
      for (const { span, parts } of spansOf(due)) {
        if (stopping) return;
        if (!(await computeSpan(span, parts))) left += parts.length;
      }
      if (due.length < PARTS_AT_ONCE || left > 0) return;
    }
  }

  /** False where it has to wait: half removed, readings say neither what was nor what is new. */
  async function computeSpan(span: RollupSpan, parts: readonly DuePart[]): Promise<boolean> {
    const cut = span.resolution === "hourly" ? rollups.cut(span.kind, "raw") : undefined;
    if (!cut || span.from >= cut.at) {
      await store.rollups.compute(span);
      rollups.done(parts);
      return true;
    }
    const { kind, receivedDay } = span;
    const isLate = receivedDay < cut.at;
    if (cut.pending && isLate) return false;
    // A cut is a midnight (UTC), and a span lies within a day, or nearly: what is beyond it has its readings.
    const [old, young] = [parts.filter(({ start }) => start < cut.at), parts.filter(({ start }) => start >= cut.at)];
    if (young.length > 0) {
      await store.rollups.compute({ ...span, from: cut.at });
      rollups.done(young);
    }
    await store.rollups.compute({ ...span, to: Math.min(span.to, cut.at), rawFrom: cut.at });
    rollups.done(old);
    const slot = isLate ? lateSlot(cut.at) : receivedDay;
    rollups.touch(
      old.map(({ start }) => ({ kind, resolution: "daily" as const, start: startOfDay(start), receivedDay: slot })),
    );
    return true;
  }

  /** Hours that were stored before there were rollups, or came into the store by other ways than the books. */
  async function seed(): Promise<void> {
    if (records.offsets.get(ROLLUPS_SEEDED)) return;
    for (const kind of KINDS) rollups.touch(await store.rollups.parts(kind));
    records.offsets.set(ROLLUPS_SEEDED, 1);
  }

  /**
   * Removes what was measured before `before`, by `remove`, after everything coarser was computed from it; throws if that
   * is not done yet. A removal that broke off is finished first.
   */
  async function removeBefore(
    kind: Kind,
    resolution: "raw" | "hourly",
    before: number,
    remove: (before: number) => Promise<number | undefined>,
  ): Promise<number | undefined> {
    await run();
    return exclusively(async () => {
      const cut = rollups.cut(kind, resolution);
      const unfinished = cut?.pending === true;
      const time = unfinished ? Math.max(cut.at, before) : before;
      // InfluxDB removes what came within a day of being measured by that time, so some of it was received on the next.
      const receivedBefore = time + DAY_MS;
      const isDone = records.offsets.get(ROLLUPS_SEEDED) && (unfinished || !rollups.hasDue(kind, time, receivedBefore));
      if (!isDone) throw new Error(`the rollups of ${kind} are not all computed yet`);
      rollups.beginCut(kind, resolution, time);
      const removed = await remove(time);
      // What was broken off had removed something, maybe.
      rollups.endCut(kind, resolution, unfinished || removed !== 0);
      return removed;
    });
  }

  const cron = startCron("rollups", "* * * * *", run, { background, now });
  void run();

  return {
    run,
    removeBefore,
    /** Resolves when the span under way, if any, is computed. */
    async stop(): Promise<void> {
      stopping = true;
      cron.stop();
      await tail;
    },
  };
}

/** One question to the store covers this much at most. */
const SPAN_MAX_MS = { hourly: DAY_MS, daily: 31 * DAY_MS } as const;

/**
 * Joins parts that lie near one another, so that a day is one question and not 24. What lies between them is computed
 * again, which changes nothing. Expects the order of `RollupRecords.due`.
 */
export function spansOf(due: readonly DuePart[]): { span: RollupSpan; parts: readonly DuePart[] }[] {
  const spans: { span: RollupSpan; parts: DuePart[] }[] = [];
  for (const part of due) {
    const { kind, resolution, receivedDay, start } = part;
    const to = start + STEP_MS[resolution];
    const last = spans.at(-1);
    if (last && isNear(last.span, part)) {
      last.span = { ...last.span, to };
      last.parts.push(part);
    } else spans.push({ span: { kind, resolution, receivedDay, from: start, to }, parts: [part] });
  }
  return spans;
}

function isNear(span: RollupSpan, { kind, resolution, receivedDay, start }: DuePart): boolean {
  const isSame = span.kind === kind && span.resolution === resolution && span.receivedDay === receivedDay;
  return isSame && start + STEP_MS[resolution] - span.from <= SPAN_MAX_MS[resolution];
}
