import type { Evidence } from "../../model/alert.ts";
import { type DimmingStep, parseDimming } from "../../model/dimming.ts";
import { type Sentence, say } from "../../model/sentence.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, parseDuration } from "../../model/time.ts";
import { noted } from "../says.ts";
import {
  amount,
  type Case,
  NOTHING,
  type Outcome,
  type OverValues,
  type Sample,
  type Step,
  type WatchedSensor,
} from "./condition.ts";
import { foldLamps } from "./lamp-nights.ts";
import { TOLERANCE_MIN_MS } from "./lamp-times.ts";
import type { LampParams, Lamps, Learnt } from "./lamps.ts";

export type LightingParams = {
  readonly metric: string;
  /** So many lamps there are. */
  readonly count?: number;
  readonly fault: "dark" | "lamps-out" | "by-day" | "switching" | "interruption";
  readonly forMs: number;
  readonly share: number;
  readonly toleranceMs: number;
  readonly nights: number;
  readonly lamps: LampParams;
  readonly place: "own" | "city" | "unknown";
};

/** `since`: what it looks for has held from then on, in so many samples. `clearSince`: no more. */
type LightingState = {
  readonly lamps?: Lamps;
  readonly since?: number;
  readonly heldAt?: number;
  readonly held?: number;
  readonly firing?: number;
  readonly clearSince?: number;
};

const QUIET: LightingState = {};
const NEW_USUAL = say("note.lampsUsual", {});
const SHARE = 0.1;
const NIGHTS = 3;
const FOR = { dark: "15m", "lamps-out": "30m", "by-day": "1h", switching: "1s", interruption: "1s" } as const;
/** A cabinet that nothing was heard of for so long is silent: another rule's matter. */
const LOST_MS = 2 * DAY_MS;
const GAP_MS = 2 * HOUR_MS;
const INTERRUPTION_MAX_MS = 2 * HOUR_MS;

/**
 * What goes wrong with street lights, seen from one cabinet or lamp: its power (or its state). When it has to be on
 * follows from the sun where it stands and from how it was switched in the last weeks; how much it has to draw from the
 * last nights, by the time of the night or the level it was told (`lamp-nights.ts`).
 *
 * dark: off for `for` while it is surely night. lamps-out: `share` of the expected power is missing for `for`. by-day: on
 * for `for` while it is surely day. switching: on or off by more than `tolerance` too early or too late, in `nights`
 * nights in a row. interruption: off in the middle of the night, or back with the ramp of a cold start.
 *
 * Source: practice of cabinet monitoring (SLightliMon), luminaire controllers' failure lists; domain notes, section 3.6.
 */
export const lighting: OverValues<"lighting", LightingParams, LightingState> = {
  over: "values",
  beside: ["lampState", "dimLevel"],
  looksAt: ({ lat, lon, tags }) => JSON.stringify([lat, lon, tags.ratedPower, tags.dimming, tags.lamps]),
  params(spec, rule) {
    const { fault } = spec;
    const own = {
      metric: rule.metric!,
      fault,
      forMs: parseDuration(spec.for ?? FOR[fault])!,
      share: spec.share ?? SHARE,
      toleranceMs: parseDuration(spec.tolerance ?? "15m")!,
      nights: spec.nights ?? NIGHTS,
    };
    const exact = rule.metric === "lampState" ? 1 : rule.metric === "dimLevel" ? 100 : undefined;
    return (sensor) => {
      const { lat, lon } = sensor;
      const spot = lat !== undefined && lon !== undefined ? { lat, lon } : rule.place;
      const full = exact ?? (rule.metric === "activePower" ? numberIn(sensor, "ratedPower") : undefined);
      const dimming = stepsIn(sensor);
      const lamps: LampParams = {
        zone: rule.zone ?? "UTC",
        ...(spot ? { spot } : {}),
        ...(full === undefined ? {} : { full }),
        ...(exact === undefined ? {} : { isExact: true as const }),
        ...(dimming ? { dimming } : {}),
      };
      const count = numberIn(sensor, "lamps");
      return {
        ...own,
        ...(count ? { count } : {}),
        lamps,
        place: lat !== undefined && lon !== undefined ? "own" : spot ? "city" : "unknown",
      };
    };
  },
  explain,
  explainEnd,
  quiet: QUIET,
  step(params, state, sample) {
    const [known, lost] = loseTrack(state, sample.at);
    const lamps = foldShared(params.lamps, known.lamps, sample);
    const next: LightingState = { ...known, lamps };
    const [judged, outcomes] = LOOKS[params.fault](params, next, known.lamps, sample);
    return [judged, lost.length > 0 ? [...lost, ...outcomes] : outcomes];
  },
  advance: (_, state, time) => loseTrack(state, time),
};

function numberIn({ tags }: WatchedSensor, name: string): number | undefined {
  const value = Object.hasOwn(tags, name) ? Number(tags[name]) : Number.NaN;
  return value > 0 && Number.isFinite(value) ? value : undefined;
}

function stepsIn({ tags }: WatchedSensor): readonly DimmingStep[] | undefined {
  return Object.hasOwn(tags, "dimming") ? parseDimming(tags.dimming!) : undefined;
}

/**
 * Five rules look at one cabinet, and what it does is the same for all of them: worked out for the first, and shared by the
 * others in time and in memory. A memory of a pure function, nothing else.
 */
let last: { sample: Sample; params: LampParams; before: Lamps | undefined; after: Lamps } | undefined;

function foldShared(params: LampParams, before: Lamps | undefined, sample: Sample): Lamps {
  if (last && last.sample === sample && isSame(last.before, before) && isSame(last.params, params)) return last.after;
  const { at, value, lastAt, works, beside } = sample;
  const after = foldLamps(params, before, { at, value, lastAt, works, ...beside });
  last = { sample, params, before, after };
  return after;
}

/** By value, too: what came out of the records is shared again from the next sample on. */
function isSame(a: Lamps | LampParams | undefined, b: Lamps | LampParams | undefined): boolean {
  if (a === b) return true;
  if (!a || !b || ("since" in a && "since" in b && (a.since !== b.since || a.samples !== b.samples))) return false;
  return JSON.stringify(a) === JSON.stringify(b);
}

function loseTrack(state: LightingState, time: number): Step<LightingState> {
  const { lamps, firing } = state;
  if (firing === undefined || !lamps || time < lamps.at + LOST_MS) return [state, NOTHING];
  const at = lamps.at + LOST_MS;
  return [{ lamps }, [{ what: "resolved", at, startedAt: firing, evidence: [], why: "no-data" }]];
}

type Look = (
  params: LightingParams,
  state: LightingState,
  before: Lamps | undefined,
  sample: Sample,
) => Step<LightingState>;

const LOOKS: { readonly [Fault in LightingParams["fault"]]: Look } = {
  dark(params, state, before, sample) {
    const lamps = state.lamps!;
    const { isOn, isLit, night, turnedAt, at } = lamps;
    if (isOn === true) return clear(state, sample);
    if (isOn === undefined || !isLit) return state.firing === undefined ? [{ lamps }, NOTHING] : [state, NOTHING];
    const from = Math.min(at, Math.max(turnedAt ?? 0, night.on ?? night.lit![0]));
    return hold(params, state, before, sample, {
      startedAt: from,
      limit: onLimit(lamps),
      note: expectedText(params, lamps, "on"),
    });
  },
  "by-day"(params, state, before, sample) {
    const lamps = state.lamps!;
    const { isOn, isDay, night, turnedAt, at } = lamps;
    if (isOn === false) return clear(state, sample);
    if (isOn === undefined || !isDay) return state.firing === undefined ? [{ lamps }, NOTHING] : [state, NOTHING];
    const dawn = night.dayFrom !== undefined && at >= night.dayFrom ? (night.off ?? night.dayFrom) : night.from;
    return hold(params, state, before, sample, {
      startedAt: Math.min(at, Math.max(turnedAt ?? 0, dawn)),
      limit: onLimit(lamps),
      note: expectedText(params, lamps, "off"),
    });
  },
  "lamps-out"(params, state, before, sample) {
    const lamps = state.lamps!;
    const { missing, learnt, expected, at } = lamps;
    const share = Math.max(params.share, 4 * learnt.spread);
    if (missing === undefined) return lamps.isOn ? [state, NOTHING] : [pausedBy(state), NOTHING];
    if (missing < share) {
      if (state.firing === undefined) return [{ lamps }, NOTHING];
      if (missing > share / 2) return [withoutClear(state), NOTHING];
      const clearSince = state.clearSince ?? at;
      if (at - clearSince < TOLERANCE_MIN_MS) return [{ ...state, clearSince }, NOTHING];
      const { newSince } = learnt;
      const isNew = newSince !== undefined && newSince > state.firing;
      return clear(state, sample, isNew ? NEW_USUAL : undefined);
    }
    return hold(params, withoutClear(state), before, sample, {
      startedAt: at,
      limit: round(expected! - share * (expected! - learnt.off)),
      note: missingText(params, lamps, missing),
    });
  },
  switching(params, state, before, sample) {
    const lamps = state.lamps!;
    if (!before || before.night.from === lamps.night.from) return [state, NOTHING];
    const recent = lamps.learnt.deviations.slice(-params.nights);
    const isNew = recent.at(-1)?.night === Math.round(before.night.from / DAY_MS);
    if (state.firing !== undefined) {
      // Learnt anew: what it did for weeks is how it is switched now.
      if (recent.length === 0) return clear(state, sample, NEW_USUAL);
      return isNew && !straying(params, recent.slice(-1)) ? clear(state, sample) : [state, NOTHING];
    }
    const stray = isNew && recent.length === params.nights ? straying(params, recent) : undefined;
    if (!stray) return [state, NOTHING];
    const startedAt = recent[0]!.night * DAY_MS + (before.night.from % DAY_MS);
    return fire(state, sample, startedAt, { note: stray });
  },
  interruption(_, state, before, sample) {
    const lamps = state.lamps!;
    const { isOn, restart, dip, at } = lamps;
    const note = say("note.lampsBack", { at, restart: restart ? "cold" : "plain" });
    if (state.firing !== undefined) {
      if (isOn && dip) return [state, NOTHING];
      return clear(state, sample, note);
    }
    const cut = isOn ? before?.cut : undefined;
    // What is off for longer is dark; one value of nothing may be the meter's.
    const isLong = cut !== undefined && cut.samples >= 2 && at - cut.from <= INTERRUPTION_MAX_MS;
    if (!restart && !isLong) return [{ lamps }, NOTHING];
    const [fired, begun] = fire(state, sample, restart?.[0] ?? cut!.from, { note });
    if (dip) return [fired, begun];
    const [ended, over] = clear(fired, sample, note);
    return [ended, [...begun, ...over]];
  },
};

type Found = { readonly startedAt: number; readonly limit?: number; readonly note: Sentence };

/** Fires once it has held for `for`, in two samples at least, without a hole between them. */
function hold(
  { forMs }: LightingParams,
  state: LightingState,
  before: Lamps | undefined,
  sample: Sample,
  { startedAt, ...found }: Found,
): Step<LightingState> {
  if (state.firing !== undefined) return [state, NOTHING];
  const { at } = sample;
  const isOn = state.since !== undefined && before !== undefined && at - before.at <= GAP_MS;
  const since = isOn ? state.since! : startedAt;
  const heldAt = isOn ? state.heldAt! : at;
  const held = isOn ? state.held! + 1 : 1;
  const next = { ...state, since, heldAt, held };
  return held >= 2 && at - heldAt >= forMs ? fire(next, sample, since, found) : [next, NOTHING];
}

function fire(
  { lamps }: LightingState,
  sample: Sample,
  startedAt: number,
  { limit, note }: Omit<Found, "startedAt">,
): Step<LightingState> {
  const { at, value } = sample;
  // What is about times says no power.
  const shown = limit === undefined ? {} : { value, limit };
  const fired: Outcome = { what: "firing", at, startedAt, ...shown, evidence: [evidenceOf(sample, note)] };
  return [{ lamps: lamps!, firing: startedAt }, [fired]];
}

function clear({ lamps, firing }: LightingState, sample: Sample, note?: Sentence): Step<LightingState> {
  const next: LightingState = { lamps: lamps! };
  if (firing === undefined) return [next, NOTHING];
  const { at, value } = sample;
  return [
    next,
    [{ what: "resolved", at, startedAt: firing, value, evidence: [evidenceOf(sample, note)], why: "cleared" }],
  ];
}

function evidenceOf({ at, value, good }: Sample, note: Sentence | undefined): Evidence {
  return { measuredAt: at, value, ...(good ? {} : { quality: "suspect" as const }), ...(note ? noted(note) : {}) };
}

const withoutClear = ({ clearSince: _, ...state }: LightingState): LightingState => state;
/** Off, or just on: what fires goes on, what was about to begins anew. */
const pausedBy = (state: LightingState): LightingState =>
  state.firing === undefined ? { lamps: state.lamps! } : withoutClear(state);

const round = (value: number) => Math.round(value * 1_000) / 1_000;
const onLimit = ({ learnt }: Lamps) => round(learnt.off + 0.15 * learnt.full);

/** When it was expected: whoever reads it sees whether a place is missing. */
function expectedText({ place: basis }: LightingParams, { night }: Lamps, edge: "on" | "off"): Sentence {
  return say(edge === "on" ? "note.lampsOn" : "note.lampsOff", { from: night[edge], basis });
}

function missingText({ count: of, metric }: LightingParams, { expected }: Lamps, missing: number): Sentence {
  const lamps = of === undefined ? {} : { lamps: Math.max(1, Math.round(missing * of)), of };
  return say("note.lampsMissing", {
    missing: Math.round(100 * missing) / 100,
    usual: { value: round(expected!), of: metric },
    ...lamps,
  });
}

/** What the last nights have in common: on or off, too early or too late in all of them. */
function straying({ toleranceMs: wanted, place }: LightingParams, recent: Learnt["deviations"]): Sentence | undefined {
  // By the last nights alone the weather moves a photocell by as much.
  const toleranceMs = place === "unknown" ? Math.max(wanted, 2 * TOLERANCE_MIN_MS) : wanted;
  const sides = (["on", "off"] as const).map((edge) => {
    const minutes = recent.map((one) => one[edge] ?? 0);
    const isLate = minutes.every((one) => one * MINUTE_MS > toleranceMs);
    if (!isLate && !minutes.every((one) => one * MINUTE_MS < -toleranceMs)) return undefined;
    return { span: Math.round(Math.abs(minutes.at(-1)!)) * MINUTE_MS, side: isLate ? "later" : "earlier" } as const;
  });
  const [on, off] = sides;
  if (!on && !off) return undefined;
  const edge = on?.side === off?.side ? "both" : on ? "on" : "off";
  const { span: by, side } = (on ?? off)!;
  return say("note.lampsSwitched", { edge, by, side });
}

function explain({ rule, sensor, params, outcome }: Case<"lighting", LightingParams>): Sentence {
  const { at, startedAt: since, evidence } = outcome;
  const where = sensor.name ?? sensor.id;
  const why = evidence.at(-1)!.says!;
  const value = amount(rule, outcome.value ?? 0);
  // A state is said by the sentence itself.
  const shown = rule.metric === "lampState" ? undefined : value;
  switch (params.fault) {
    case "dark":
      return say("lighting.dark", { where, since, at, value: shown, why });
    case "by-day":
      return say("lighting.byDay", { where, since, at, value: shown, why });
    case "lamps-out":
      return say("lighting.lampsOut", { where, since, at, value, why });
    case "switching":
      return say("lighting.switching", { where, nights: params.nights, why });
    case "interruption":
      return say("lighting.interruption", { where, since, why });
  }
}

const ENDS = {
  dark: "lighting.onAgain",
  "by-day": "lighting.offAgain",
  "lamps-out": "lighting.fullAgain",
  switching: "lighting.asExpected",
} as const;

function explainEnd({
  spec: { fault },
  outcome: { at, evidence },
}: Pick<Case<"lighting">, "spec" | "outcome">): Sentence {
  const note = evidence.at(-1)?.says;
  if (note?.key === NEW_USUAL.key) return say("lighting.newUsual", { at });
  if (fault !== "interruption") return say(ENDS[fault], { at });
  const restart = note?.key === "note.lampsBack" ? (note.params.restart as "cold" | "plain") : "plain";
  return say("lighting.over", { at, restart });
}
