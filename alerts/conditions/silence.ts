import { type Cadence, quietLimitMs } from "./cadence.ts";
import { NOTHING, type Outcome, type Step } from "./sample.ts";

export type SilenceParams = { readonly afterMs: number };

/** `since`: when it began to count as silent; only while firing. */
export type SilenceState = { readonly since?: number };

/** A reading of the sensor, whatever it measures. `cadence` is as known before it. */
export type Heard = {
  readonly at: number;
  readonly lastAt: number | undefined;
  readonly cadence: Cadence;
  /** If the service itself was away between the two readings: since when it has been listening again. */
  readonly listeningSince?: number;
};

/** A look at the clock: for sensors that report live. Not for imported history, which is silent by nature. */
export type Look = {
  readonly now: number;
  readonly lastAt: number;
  /** When anything of the sensor last arrived: one that sends old readings is not silent. */
  readonly heardAt: number;
  readonly cadence: Cadence;
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
 * Guards: no verdict while the interval is unknown; time in which the service itself was not listening does not count.
 */
export function stepSilence({ afterMs }: SilenceParams, state: SilenceState, heard: Heard): Step<SilenceState> {
  const { at, lastAt } = heard;
  if (state.since !== undefined) return [HEARD, [ended(state.since, at)]];
  // The cheap half first: the median is only worked out for gaps that could matter.
  if (lastAt === undefined || at - lastAt <= afterMs) return [state, NOTHING];
  const limitMs = quietLimitMs(heard.cadence, afterMs);
  const from = Math.max(lastAt, heard.listeningSince ?? lastAt);
  if (limitMs === undefined || at - from <= limitMs) return [state, NOTHING];
  return [HEARD, [begun(lastAt, limitMs), ended(lastAt + limitMs, at)]];
}

/** Fires by the clock, at the same moment of event time as the gap would, so that both are the same alert. */
export function lookForSilence({ afterMs }: SilenceParams, state: SilenceState, look: Look): Step<SilenceState> {
  const { now, lastAt, heardAt } = look;
  const from = Math.max(lastAt, heardAt, look.listeningSince ?? lastAt);
  if (state.since !== undefined || now - from <= afterMs) return [state, NOTHING];
  const limitMs = quietLimitMs(look.cadence, afterMs);
  if (limitMs === undefined || now - from <= limitMs) return [state, NOTHING];
  return [{ since: lastAt + limitMs }, [begun(lastAt, limitMs)]];
}

function begun(lastAt: number, limitMs: number): Outcome {
  const at = lastAt + limitMs;
  const evidence = [{ measuredAt: lastAt, note: "the last reading before the silence" }];
  return { what: "firing", at, startedAt: at, limit: limitMs / 60_000, evidence };
}

/** Never before its start: a buffer that comes in late may begin with readings from before the verdict. */
function ended(since: number, at: number): Outcome {
  const evidence = [{ measuredAt: at, note: "heard again" }];
  return { what: "resolved", at: Math.max(at, since), startedAt: since, evidence, why: "cleared" };
}
