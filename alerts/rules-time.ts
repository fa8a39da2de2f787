import type { Transition } from "../model/alert.ts";
import type { Health } from "../model/health.ts";
import { FUTURE_MAX_MS, type Reading } from "../model/reading.ts";
import { DAY_MS, plausibleTime } from "../model/time.ts";
import type { StateRow } from "./engine/states.ts";

export const TIME = "~time";

/** Set back by more than this, the clock is said to be wrong; less is what time servers correct. */
const BACK_MS = 5_000;
/** A leap of the receipts by so much makes up for a clock that was set back before. */
const LEAP_MS = 60_000;
/** The process did not run for so long, or the clock jumped by so much: the sensors were not silent then. */
const PAUSE_MS = 15_000;
const JUMP_MS = 5_000;
/** From back to noticing it: messages of that time have come to a service that listens. */
const NOTICED_WITHIN_MS = 5_000;
const STEPS_MAX = 16;
/** Sensors whose own clocks went on while this machine's leapt. */
const STEADY_MAX = 20_000;
/** A clock that was ahead and has been set right stays behind the newest receipt for as long as it was ahead. */
const SAID_FOR_MS = DAY_MS;

/** From this moment of the rules' time on they are ahead of the clock by that much. */
type Step = { readonly from: number; readonly aheadMs: number };
type Json = {
  steps: Step[];
  newest: number;
  newestReceipt: number;
  steppedAt?: number;
  steady?: readonly (readonly [sensorId: string, aheadMs: number])[];
};

/**
 * The rules' time. It is the machine's clock as long as that goes forward. When the clock is set back, it goes on from
 * the newest receipt instead: readings are moved along on their way in, and what is said of them is moved back on its
 * way out, so that what people read is the time of the clock. All times are epoch milliseconds.
 *
 * `wall` may jump, `monotonic` may not; without it the clock is not watched between messages. `reachedBy`: the newest
 * moment (in the rules' time) of which a sensor has spoken.
 */
export function createRulesTime(
  wall: () => number,
  monotonic?: () => number,
  reachedBy: (sensorId: string) => number | undefined = () => undefined,
) {
  let steps: Step[] = [];
  /** By how much the rules' time is ahead of these sensors' clocks, which did not leap with this machine's. */
  let steady = new Map<string, number>();
  /** The newest receipt in the rules' time, and as the clock said it. */
  let newest = Number.NEGATIVE_INFINITY;
  let newestReceipt = Number.NEGATIVE_INFINITY;
  let steppedAt: number | undefined;
  let saved = "";
  let last = { wall: wall(), monotonic: monotonic?.() ?? 0 };

  const aheadMs = () => steps.at(-1)?.aheadMs ?? 0;
  const now = () => wall() + aheadMs();

  function step(from: number, ahead: number): void {
    steps = [...steps, { from, aheadMs: ahead }].slice(-STEPS_MAX);
  }

  /** The clock lies before the newest receipt: from here on the rules' time goes on by itself. */
  function runAhead(time: number): void {
    step(newest + 1, newest + 1 - time);
    steppedAt = wall();
  }

  function receive(receivedAt: number): void {
    const at = receivedAt + aheadMs();
    if (at >= newest) {
      if (aheadMs() > 0 && at - newest > LEAP_MS) {
        const ahead = Math.max(0, newest + 1 - receivedAt);
        step(receivedAt + ahead, ahead);
      }
    } else if (at < newest - BACK_MS && now() < newest - BACK_MS) runAhead(receivedAt);
    newest = Math.max(newest, receivedAt + aheadMs());
    newestReceipt = Math.max(newestReceipt, receivedAt);
  }

  /** The readings, in the order of their receipt, as the rules are to see them. */
  function take(readings: readonly Reading[]): readonly Reading[] {
    let moved: Reading[] | undefined;
    for (const [i, reading] of readings.entries()) {
      receive(reading.receivedAt);
      if (steps.length > 0) moved ??= readings.slice(0, i);
      moved?.push(inside(reading));
    }
    return moved ?? readings;
  }

  function inside(reading: Reading): Reading {
    const ahead = aheadMs();
    const receivedAt = reading.receivedAt + ahead;
    const measuredAt = reading.imported ? reading.measuredAt : reading.measuredAt + aheadOf(reading, ahead);
    return receivedAt === reading.receivedAt && measuredAt === reading.measuredAt
      ? reading
      : { ...reading, receivedAt, measuredAt };
  }

  /**
   * A leap of this machine's clock brings the rules' time nearer to it. A sensor with a clock of its own does not leap
   * with it: its readings would seem to be of a time that it has spoken of, and decide nothing until it is over.
   */
  function aheadOf({ sensorId, measuredAt, receivedAt }: Reading, ahead: number): number {
    const last = steps.at(-1);
    if (!last || (steady.size === 0 && last.aheadMs >= farthest())) return ahead;
    const reached = reachedBy(sensorId);
    if (reached === undefined || measuredAt + ahead > reached) {
      steady.delete(sensorId);
      return ahead;
    }
    const latest = receivedAt + ahead + FUTURE_MAX_MS;
    const isPossible = (own: number) => measuredAt + own <= latest;
    const known = steady.get(sensorId);
    if (known !== undefined) return isPossible(known) ? known : ahead;
    // What has spoken since the leap goes by this machine's clock, or is steady already: this reading is simply late.
    if (reached >= last.from || steady.size >= STEADY_MAX) return ahead;
    const former = steps.map(({ aheadMs }) => aheadMs).filter((own) => measuredAt + own > reached && isPossible(own));
    if (former.length === 0) return ahead;
    const own = Math.min(...former);
    steady.set(sensorId, own);
    return own;
  }

  const farthest = () => Math.max(...steps.map(({ aheadMs }) => aheadMs));

  /** What the clock says of that moment of the rules' time. */
  function outside(at: number): number {
    for (let i = steps.length - 1; i >= 0; i--) if (steps[i]!.from <= at) return at - steps[i]!.aheadMs;
    return at;
  }

  function show(transition: Transition): Transition {
    if (steps.length === 0) return transition;
    const { alert, entry } = transition;
    const { startedAt, firedAt, resolvedAt, evidence, correctedBy } = alert;
    const start = outside(startedAt);
    // An alert that began before the clock was set back does not end before it began.
    const after = (at: number | undefined) => (at === undefined ? undefined : Math.max(start, outside(at)));
    return {
      alert: {
        ...alert,
        startedAt: start,
        firedAt: after(firedAt),
        resolvedAt: after(resolvedAt),
        evidence: evidence.map((one) => ({ ...one, measuredAt: outside(one.measuredAt) })),
        ...(correctedBy
          ? {
              correctedBy: {
                ...correctedBy,
                measuredAt: outside(correctedBy.measuredAt),
                receivedAt: outside(correctedBy.receivedAt),
              },
            }
          : {}),
      },
      entry: { ...entry, at: outside(entry.at), knownAt: outside(entry.knownAt) },
    };
  }

  /**
   * Call it often, and before readings are taken. `isIdle`: all that was received has been taken. Answers since when the
   * service listens again, in the rules' time, if it was away: the process did not run, or the clock jumped.
   */
  function look(isIdle: boolean): number | undefined {
    const before = last;
    last = { wall: wall(), monotonic: monotonic?.() ?? 0 };
    if (isIdle && now() < newest - BACK_MS) runAhead(last.wall);
    if (!monotonic) return undefined;
    const ran = last.monotonic - before.monotonic;
    const jumped = last.wall - before.wall - ran;
    return ran >= PAUSE_MS || Math.abs(jumped) >= JUMP_MS ? now() - NOTICED_WITHIN_MS : undefined;
  }

  function health(): Health {
    const time = wall();
    const part = "clock";
    const isSaid = steppedAt === undefined || Math.abs(time - steppedAt) < SAID_FOR_MS;
    if (time >= newestReceipt - BACK_MS || !isSaid) return { part, state: "ok", ready: true };
    const reason =
      `The clock of this machine says ${new Date(time).toISOString()}, but the newest message was received at ` +
      `${new Date(newestReceipt).toISOString()}: it was set back. The rules go on in the order of receipt; times ` +
      "without a measuredAt are the clock's. Set it right (NTP).";
    return { part, state: "degraded", ready: true, reason };
  }

  const toJson = (): string =>
    Number.isFinite(newest)
      ? JSON.stringify({
          steps,
          newest,
          newestReceipt,
          steppedAt,
          ...(steady.size > 0 && { steady: [...steady] }),
        } satisfies Json)
      : "";

  return {
    now,
    aheadMs,
    take,
    show,
    look,
    health,
    /** In the rules' time, of a moment of the clock that is not before the newest receipt. */
    inside: (at: number) => at + aheadMs(),
    /** What a moment of the clock may have been in the rules' time, each time the clock was set back. */
    mayBeInside: (at: number) => [at, ...steps.map((one) => at + one.aheadMs)],
    behindMs: () => Math.max(0, newestReceipt - wall()),
    rows(): StateRow[] {
      const state = toJson();
      return state === saved ? [] : [{ rule: TIME, subject: "", state }];
    },
    saved(): void {
      saved = toJson();
    },
    load(row: StateRow | undefined): void {
      if (!row) return;
      const json = JSON.parse(row.state) as Json;
      // What an earlier version took from a clock that said what no date can be would throw wherever it is said.
      newest = plausibleTime(json.newest);
      newestReceipt = plausibleTime(json.newestReceipt);
      steppedAt = json.steppedAt;
      steps = json.steps.filter(
        ({ from, aheadMs }) => from === plausibleTime(from) && aheadMs === plausibleTime(aheadMs),
      );
      steady = new Map(json.steady);
      saved = row.state;
    },
  };
}
