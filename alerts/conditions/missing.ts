import { silenceLimitMs } from "./cadence.ts";
import { NOTHING, type Outcome, type Step, type ValueCondition } from "./sample.ts";
import type { SilenceParams } from "./silence.ts";

type MissingState = Record<string, never>;

const QUIET: MissingState = {};
const STILL_QUIET: Step<MissingState> = [QUIET, NOTHING];

/**
 * A sensor goes on speaking and one of its values is missing for longer than max(3 x interval, `after`), the interval
 * being that of the value. Source: practice (domain notes, section 5, "data completeness"); in the recordings it is the
 * usual way in which an analyser fails while the station around it lives.
 *
 * In event time, like the silence of a sensor: it fires at (last value + limit) and ends at the next value.
 * Guards: the sensor itself was heard after that limit, or it is the sensor that is silent; no verdict while the interval
 * is unknown. There is no state: everything is in the times of the sample.
 */
export const missing: ValueCondition<SilenceParams, MissingState> = {
  quiet: QUIET,
  whileHeard: true,
  step({ afterMs }, _, { at, lastAt, heardAt, cadence }) {
    // The cheap half first: the median is only worked out for gaps that could matter.
    if (lastAt === undefined || heardAt === undefined || heardAt - lastAt <= afterMs) return STILL_QUIET;
    const limitMs = silenceLimitMs(cadence, afterMs);
    if (limitMs === undefined || heardAt - lastAt <= limitMs) return STILL_QUIET;
    return [QUIET, [begun(lastAt, limitMs), ended(lastAt + limitMs, at)]];
  },
  advance({ afterMs }, _, time, cadence) {
    const { lastAt } = cadence;
    if (lastAt === undefined || time - lastAt <= afterMs) return STILL_QUIET;
    const limitMs = silenceLimitMs(cadence, afterMs);
    if (limitMs === undefined || time - lastAt <= limitMs) return STILL_QUIET;
    return [QUIET, [begun(lastAt, limitMs)]];
  },
};

function begun(lastAt: number, limitMs: number): Outcome {
  const at = lastAt + limitMs;
  const evidence = [{ measuredAt: lastAt, note: "the last value before the gap" }];
  return { what: "firing", at, startedAt: at, limit: limitMs / 60_000, evidence };
}

function ended(since: number, at: number): Outcome {
  const evidence = [{ measuredAt: at, note: "there again" }];
  return { what: "resolved", at, startedAt: since, evidence, why: "cleared" };
}
