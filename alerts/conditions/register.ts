import type { Evidence } from "../../model/alert.ts";
import { say } from "../../model/sentence.ts";
import { HOUR_MS } from "../../model/time.ts";
import {
  amount,
  limitFor,
  measured,
  NOTHING,
  type Outcome,
  type OverValues,
  type Sample,
  type Step,
} from "./condition.ts";

export type RegisterParams = { readonly maxPowerKw: number; readonly digits?: number };

/** `sound`: plausible steps in a row since what fired; `soundSince`: when the first of them began. */
type RegisterState = {
  readonly last?: { readonly at: number; readonly value: number };
  readonly since?: number;
  readonly soundSince?: number;
  readonly sound?: number;
};

/** Each pair of readings is exactly one of these. */
type RegisterStep = "interval" | "rollover" | "decrease" | "jump";

const QUIET: RegisterState = {};
/** For clocks that are a little off and power above the rating for a moment. */
const MARGIN = 1.2;
const SOUND_STEPS = 3;
const SOUND_FOR_MS = HOUR_MS;

/**
 * A meter's register in kWh must never fall, nor rise by more than the connection can draw:
 * 0 <= step <= maxPower x hours x 1.2 + one least count. Source: domain notes, section 3.4.
 *
 * A fall is a rollover, and no fault, if `digits` is given, the register stood above 0.9 x 10^digits, now stands below
 * 0.1 x 10^digits, and step + 10^digits is a plausible step. Any other fall is a fault of the register (or a meter
 * exchange that nobody entered), a rise beyond the limit a jump. Either starts a new epoch: the next reading is compared
 * with the new value. It ends after three plausible steps in a row that span an hour.
 * Guards: the least count (1, 0.1, … as the two values are written), so that one tick within a second is no jump; the
 * real time between readings, so that a gap may be long.
 */
export const register: OverValues<"register", RegisterParams, RegisterState> = {
  over: "values",
  params({ maxPower, digits }) {
    return (sensor) => {
      const maxPowerKw = limitFor(maxPower, sensor);
      return maxPowerKw === undefined || maxPowerKw <= 0 ? undefined : { maxPowerKw, digits };
    };
  },
  explain({ rule, sensor, outcome: { value, limit, evidence } }) {
    const [former, newest] = evidence as [Evidence, Evidence];
    const stood = { from: amount(rule, former.value!), fromAt: former.measuredAt };
    const step = { ...measured(rule, sensor), ...stood, to: amount(rule, value!), at: newest.measuredAt };
    if (value! < former.value!) return say("register.fell", step);
    return say("register.rose", { ...step, limit: amount(rule, limit!) });
  },
  explainEnd: ({ outcome: { at } }) => say("register.ended", { at }),
  quiet: QUIET,
  step(params, state, sample) {
    const { at, value } = sample;
    const last = { at, value };
    if (!state.last) return [{ last }, NOTHING];
    const step = classify(params, state.last, last);
    if (step === "interval" || step === "rollover") return takePlausible(state, last, sample);
    if (state.since !== undefined) return [{ last, since: state.since }, NOTHING];
    return [{ last, since: at }, [begun(params, state.last, sample, step)]];
  },
};

type Stand = NonNullable<RegisterState["last"]>;

export function classify({ maxPowerKw, digits }: RegisterParams, former: Stand, newest: Stand): RegisterStep {
  const step = newest.value - former.value;
  // Nearly every step of a meter ends here.
  if (step >= 0 && step <= energyOf(maxPowerKw, former, newest)) return "interval";
  const most = mostOf(maxPowerKw, former, newest);
  if (step >= 0) return step <= most ? "interval" : "jump";
  if (digits === undefined) return "decrease";
  const span = 10 ** digits;
  const turned = former.value > 0.9 * span && newest.value < 0.1 * span && step + span <= most;
  return turned ? "rollover" : "decrease";
}

function energyOf(maxPowerKw: number, former: Stand, newest: Stand): number {
  return ((maxPowerKw * (newest.at - former.at)) / HOUR_MS) * MARGIN;
}

function mostOf(maxPowerKw: number, former: Stand, newest: Stand): number {
  const tick = Math.max(leastCount(former.value), leastCount(newest.value));
  return energyOf(maxPowerKw, former, newest) + tick;
}

/** The place of the last digit: 12 -> 1, 12.5 -> 0.1; 0.001 and finer is 0.001. A whole number is taken for a tick of 1. */
function leastCount(value: number): number {
  for (const tick of [1, 0.1, 0.01]) {
    if (Math.abs(value / tick - Math.round(value / tick)) < 1e-6) return tick;
  }
  return 0.001;
}

function takePlausible(state: RegisterState, last: Stand, { at, value }: Sample): Step<RegisterState> {
  const { since } = state;
  if (since === undefined) return [{ last }, NOTHING];
  const soundSince = state.soundSince ?? state.last!.at;
  const sound = (state.sound ?? 0) + 1;
  if (sound < SOUND_STEPS || at - soundSince < SOUND_FOR_MS) return [{ last, since, soundSince, sound }, NOTHING];
  const evidence = [{ measuredAt: at, value }];
  return [{ last }, [{ what: "resolved", at, startedAt: since, value, evidence, why: "cleared" }]];
}

function begun(params: RegisterParams, former: Stand, sample: Sample, step: "decrease" | "jump"): Outcome {
  const { at, value, good } = sample;
  const highest = former.value + mostOf(params.maxPowerKw, former, sample);
  const limit = step === "jump" ? Math.round(highest * 1_000) / 1_000 : former.value;
  const note = step === "jump" ? "rose by more than the connection can draw" : "fell, and did not roll over";
  const newest: Evidence = { measuredAt: at, value, note, ...(good ? {} : { quality: "suspect" }) };
  return {
    what: "firing",
    at,
    startedAt: at,
    value,
    limit,
    evidence: [{ measuredAt: former.at, value: former.value }, newest],
  };
}
