import { say } from "../../model/sentence.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, parseDuration } from "../../model/time.ts";
import { noted } from "../says.ts";
import { silenceLimitMs } from "./cadence.ts";
import { NOTHING, type Outcome, type OverValues, type Step } from "./condition.ts";
import { type Rhythm, silentFrom } from "./rhythm.ts";

/** `zone`: whose days and nights the sensor's rhythm has; UTC where it is left out. */
export type SilenceParams = { readonly afterMs: number; readonly zone?: string };

/** `since`: when it began to count as silent; only while firing. */
type SilenceState = { readonly since?: number };

/** A reading of the sensor, whatever it measures. `cadence` is as known before it. */
export type Heard = {
  readonly at: number;
  readonly lastAt: number | undefined;
  readonly cadence: Rhythm;
  /** If the service itself was away between the two readings: since when it has been listening again. */
  readonly listeningSince?: number;
};

/** A look at the clock: for sensors that report live. Not for imported history, which is silent by nature. */
type Look = {
  readonly now: number;
  readonly lastAt: number;
  /** When anything of the sensor last arrived: one that sends old readings is not silent. */
  readonly heardAt: number;
  readonly cadence: Rhythm;
  /** How often messages come, in the time of receipt: a logger sends the samples of a day at once. */
  readonly arrivals?: Rhythm;
  readonly listeningSince?: number;
};

export const HEARD: SilenceState = {};

/**
 * No reading for longer than max(3 x interval, `after`); `after` is 15 min or more; the interval is the declared one or,
 * where it is learnt, the second longest of the last 20 gaps (`quietLimitMs`). Source: practice (domain notes, section 5,
 * "sensor offline").
 *
 * In event time: a gap longer than the limit fires at (last + limit) and resolves at the reading that ended it, also
 * when both have long passed, so that a recording replayed at full speed tells the same as the day itself.
 * Guards: no verdict while the interval is unknown; time in which the service itself was not listening does not count;
 * nor does time in which a sensor whose interval is learnt is usually not heard (`silentFrom`).
 */
export function stepSilence(params: SilenceParams, state: SilenceState, heard: Heard): Step<SilenceState> {
  const { at, lastAt } = heard;
  if (state.since !== undefined) return [HEARD, [ended(state.since, at)]];
  // The cheap half first: the median is only worked out for gaps that could matter.
  if (lastAt === undefined || at - lastAt <= params.afterMs) return [state, NOTHING];
  const from = Math.max(lastAt, heard.listeningSince ?? lastAt);
  const silentAt = overdueAt(params, heard.cadence, lastAt, from, at);
  if (silentAt === undefined) return [state, NOTHING];
  return [HEARD, [begun(lastAt, silentAt - lastAt), ended(silentAt, at)]];
}

/** Fires by the clock, at the same moment of event time as the gap would, so that both are the same alert. */
export function lookForSilence(params: SilenceParams, state: SilenceState, look: Look): Step<SilenceState> {
  const { now, lastAt, heardAt, cadence } = look;
  const from = Math.max(lastAt, heardAt, look.listeningSince ?? lastAt);
  if (state.since !== undefined || now - from <= params.afterMs) return [state, NOTHING];
  const silentAt = overdueAt(params, cadence, lastAt, from, now);
  if (silentAt === undefined || isBetweenMessages(params, look, from)) return [state, NOTHING];
  return [{ since: silentAt }, [begun(lastAt, silentAt - lastAt)]];
}

/** Since when what was last heard at `lastAt` counts as silent, if it has been by `now` for one who listened since `from`. */
function overdueAt({ afterMs, zone }: SilenceParams, rhythm: Rhythm, lastAt: number, from: number, now: number) {
  const heardOut = silentFrom(rhythm, from, afterMs, zone);
  if (heardOut === undefined || now <= heardOut) return undefined;
  const silentAt = from === lastAt ? heardOut : silentFrom(rhythm, lastAt, afterMs, zone)!;
  return now <= silentAt ? undefined : silentAt;
}

/** While nobody knows how often messages come: long enough for one that sends once a day. */
const FIRST_WAIT_MS = DAY_MS + 2 * HOUR_MS;

/** The next message is not overdue yet, whatever its readings are about. */
function isBetweenMessages({ afterMs, zone }: SilenceParams, { now, cadence, arrivals }: Look, from: number): boolean {
  if (!arrivals) return false;
  if (arrivals.gaps.length > 0) return now <= silentFrom(arrivals, from, afterMs, zone)!;
  return cadence.declaredMs === undefined && now <= from + FIRST_WAIT_MS;
}

function begun(lastAt: number, limitMs: number): Outcome {
  const at = lastAt + limitMs;
  const evidence = [{ measuredAt: lastAt, ...noted(say("note.lastReading", {})) }];
  return { what: "firing", at, startedAt: at, limit: limitMs / 60_000, evidence };
}

/** Never before its start: a buffer that comes in late may begin with readings from before the verdict. */
function ended(since: number, at: number): Outcome {
  const evidence = [{ measuredAt: at, ...noted(say("note.heardAgain", {})) }];
  return { what: "resolved", at: Math.max(at, since), startedAt: since, evidence, why: "cleared" };
}

type MissingState = Record<string, never>;

const NO_STATE: MissingState = {};
const STILL: Step<MissingState> = [NO_STATE, NOTHING];

/**
 * A sensor goes on speaking and one of its values is missing for longer than max(3 x interval, `after`), the interval
 * being that of the value. Source: practice (domain notes, section 5, "data completeness"); in the recordings it is the
 * usual way in which an analyser fails while the station around it lives.
 *
 * In event time, like the silence of a sensor: it fires at (last value + limit) and ends at the next value.
 * Guards: the sensor itself was heard after that limit, or it is the sensor that is silent; no verdict while the interval
 * is unknown. There is no state: everything is in the times of the sample.
 */
export const silence: OverValues<"silence", SilenceParams, MissingState> = {
  over: "values",
  params({ after }, { zone }) {
    const params = { afterMs: parseDuration(after)!, ...(zone === undefined || zone === "UTC" ? {} : { zone }) };
    return () => params;
  },
  unit: "min",
  explain({ rule: { metric }, sensor: { id, name }, params: { afterMs }, outcome: { limit, evidence } }) {
    const after = limit === undefined ? afterMs : limit * MINUTE_MS;
    const shared = { where: name ?? id, since: evidence[0]!.measuredAt, after };
    return metric ? say("silence.value", { metric, ...shared }) : say("silence", shared);
  },
  explainEnd({ rule, outcome }) {
    const at = outcome.evidence[0]?.measuredAt ?? outcome.at;
    return say(rule.metric ? "silence.valueBack" : "silence.heard", { at });
  },
  deed: ({ metric }) => (metric ? say("deed.missing", { metric }) : say("deed.silent", {})),
  quiet: NO_STATE,
  whileHeard: true,
  step({ afterMs }, _, { at, lastAt, heardAt, cadence }) {
    // The cheap half first: the median is only worked out for gaps that could matter.
    if (lastAt === undefined || heardAt === undefined || heardAt - lastAt <= afterMs) return STILL;
    const limitMs = silenceLimitMs(cadence, afterMs);
    if (limitMs === undefined || heardAt - lastAt <= limitMs) return STILL;
    return [NO_STATE, [gapBegun(lastAt, limitMs), gapEnded(lastAt + limitMs, at)]];
  },
  advance({ afterMs }, _, time, cadence) {
    const { lastAt } = cadence;
    if (lastAt === undefined || time - lastAt <= afterMs) return STILL;
    const limitMs = silenceLimitMs(cadence, afterMs);
    if (limitMs === undefined || time - lastAt <= limitMs) return STILL;
    return [NO_STATE, [gapBegun(lastAt, limitMs)]];
  },
};

function gapBegun(lastAt: number, limitMs: number): Outcome {
  const at = lastAt + limitMs;
  const evidence = [{ measuredAt: lastAt, ...noted(say("note.lastValue", {})) }];
  return { what: "firing", at, startedAt: at, limit: limitMs / 60_000, evidence };
}

function gapEnded(since: number, at: number): Outcome {
  const evidence = [{ measuredAt: at, ...noted(say("note.valueAgain", {})) }];
  return { what: "resolved", at, startedAt: since, evidence, why: "cleared" };
}
