import { say } from "../../model/sentence.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, parseDuration } from "../../model/time.ts";
import { noted } from "../says.ts";
import { pastPauses, quietLimitMs, type Rhythm, silenceLimitMs } from "./cadence.ts";
import { NOTHING, type Outcome, type OverValues, type Step } from "./condition.ts";

export type SilenceParams = { readonly afterMs: number };

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
 * nor do pauses that a sensor whose interval is learnt makes every night or every weekend (`pastPauses`).
 */
export function stepSilence({ afterMs }: SilenceParams, state: SilenceState, heard: Heard): Step<SilenceState> {
  const { at, lastAt } = heard;
  if (state.since !== undefined) return [HEARD, [ended(state.since, at)]];
  // The cheap half first: the median is only worked out for gaps that could matter.
  if (lastAt === undefined || at - lastAt <= afterMs) return [state, NOTHING];
  const limitMs = quietLimitMs(heard.cadence, afterMs);
  const from = Math.max(lastAt, heard.listeningSince ?? lastAt);
  if (limitMs === undefined || at - from <= limitMs) return [state, NOTHING];
  const silentAt = pastPauses(heard.cadence, lastAt + limitMs, limitMs);
  if (at <= silentAt) return [state, NOTHING];
  return [HEARD, [begun(lastAt, silentAt - lastAt), ended(silentAt, at)]];
}

/** Fires by the clock, at the same moment of event time as the gap would, so that both are the same alert. */
export function lookForSilence({ afterMs }: SilenceParams, state: SilenceState, look: Look): Step<SilenceState> {
  const { now, lastAt, heardAt } = look;
  const from = Math.max(lastAt, heardAt, look.listeningSince ?? lastAt);
  if (state.since !== undefined || now - from <= afterMs) return [state, NOTHING];
  const limitMs = quietLimitMs(look.cadence, afterMs);
  if (limitMs === undefined || now - from <= limitMs) return [state, NOTHING];
  const silentAt = pastPauses(look.cadence, lastAt + limitMs, limitMs);
  if (now <= silentAt || isBetweenMessages(look, from, afterMs)) return [state, NOTHING];
  return [{ since: silentAt }, [begun(lastAt, silentAt - lastAt)]];
}

/** While nobody knows how often messages come: long enough for one that sends once a day. */
const FIRST_WAIT_MS = DAY_MS + 2 * HOUR_MS;

/** The next message is not overdue yet, whatever its readings are about. */
function isBetweenMessages({ now, cadence, arrivals }: Look, from: number, afterMs: number): boolean {
  if (!arrivals) return false;
  const isKnown = arrivals.gaps.length > 0;
  if (!isKnown && cadence.declaredMs !== undefined) return false;
  const limitMs = isKnown ? quietLimitMs(arrivals, afterMs)! : FIRST_WAIT_MS;
  return now <= pastPauses(arrivals, from + limitMs, limitMs);
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
  params({ after }) {
    const params = { afterMs: parseDuration(after)! };
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
