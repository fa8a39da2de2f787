import type { Transition } from "../model/alert.ts";
import { byLabel, counter, type Figure, gauge } from "../model/health.ts";
import type { Reading } from "../model/reading.ts";
import type { Rejection } from "../model/rejection.ts";
import type { Rule } from "../model/rule.ts";
import { overValues } from "./conditions/registry.ts";
import { createDistricts } from "./districts/districts.ts";
import { createEngine, type EngineOptions } from "./engine/engine.ts";
import { createRefusals, talker } from "./engine/refusals.ts";
import { createStates } from "./engine/states.ts";

export type Detector = ReturnType<typeof createDetector>;

/**
 * What finds out: the same pure code live, over history and in the tests of rules. Knows no clock. Three parts: the
 * engine (one sensor at a time), what was refused of the sensors, and the districts (what several say together).
 */
export function createDetector(options: EngineOptions) {
  const { states = createStates() } = options;
  const engine = createEngine({ ...options, states });
  let districts = createDistricts({ ...options, states });
  let refusals = createRefusals(options.rules, options.sensor, states);
  let several = severalOf(options.rules);
  let changesSeen = engine.changes();
  let reconciled = 0;
  /** What was said of late readings, of the last call. */
  const ofLate = new Set<Transition>();
  const counts = { firing: 0, resolved: 0, retracted: 0, corrected: 0, shadow: 0, history: 0 };
  /** `isMoreToCome`: late ones among them wait for others, where late readings are settled later. */
  function observe(readings: readonly Reading[], isMoreToCome = false): Transition[] {
    const said: Transition[] = [];
    // One by one, so that what the districts know is the same however batches are cut.
    for (const reading of readings) {
      const noted = districts.note(reading);
      const transitions = engine.observeOne(reading);
      if (noted.length > 0) hand(said, noted, engine.isOfThePast(reading));
      if (transitions.length > 0) hand(said, districts.take(transitions), engine.isOfThePast(reading));
    }
    if (options.settlesLater) {
      ofLate.clear();
      const folded = isMoreToCome ? [] : engine.foldFew();
      if (folded.length === 0) return said;
      const from = said.length;
      hand(said, districts.take(folded));
      for (let i = from; i < said.length; i++) ofLate.add(said[i]!);
      return said;
    }
    engine.settleFor(readings.length);
    const settled = engine.settle(0);
    if (settled.length > 0) hand(said, districts.take(settled));
    return said;
  }

  /**
   * What was refused, of a message or of one value. Any message of a registered sensor is a sign of life. Those of a
   * batch come before its readings, so that what the rules say is the same however batches are cut.
   */
  function refuse(rejections: readonly Rejection[]): Transition[] {
    const said: Transition[] = [];
    for (const one of rejections) {
      const id = talker(one);
      const heard = id === undefined ? [] : engine.hearRefused(id, one.receivedAt);
      if (heard.length > 0) hand(said, districts.take(heard));
    }
    const refused = refusals.take(rejections);
    if (refused.length > 0) hand(said, districts.take(refused));
    return said;
  }

  /** Folds late readings of a sensor that wait, at most so many rows: see the engine's. */
  function settleOf(sensorId: string, rowsMax: number): Transition[] {
    const said: Transition[] = [];
    const transitions = engine.settleOf(sensorId, rowsMax);
    if (transitions.length > 0) hand(said, districts.take(transitions));
    return said;
  }

  /** The readings of a sensor were corrected: see the engine's. */
  function rejudge(...given: Parameters<typeof engine.rejudge>): Transition[] {
    const said: Transition[] = [];
    hand(said, districts.take(engine.rejudge(...given)));
    return said;
  }

  /** `sensorsMax`: see the engine's. The districts are looked at after the last sensor. */
  function tick(now: number, isHeld?: (sensorId: string) => boolean, sensorsMax?: number): Transition[] {
    const said: Transition[] = [];
    const transitions = engine.tick(now, isHeld, sensorsMax);
    const isLast = !engine.isTicking();
    hand(said, districts.tick(now, transitions, isLast));
    if (isLast) hand(said, districts.take(refusals.tick(now)));
    if (isLast && engine.changes() !== changesSeen) for (const one of reconcile(now)) said.push(one);
    return said;
  }

  /**
   * Everything that is kept of alerts is of rules, sensors and places as they are now; what is not, ends. Call it after
   * a start, too (`at`: wall clock).
   */
  function reconcile(at: number): Transition[] {
    const said: Transition[] = [];
    hand(said, districts.take(refusals.reconcile(at)));
    const alerts = new Set([...engine.held(), ...refusals.held()]);
    hand(
      said,
      districts.reconcile(at, (alert) => alerts.has(alert)),
    );
    changesSeen = engine.changes();
    reconciled += 1;
    return said;
  }

  /** `isPast`: what several sensors say fires by a reading of the past. The engine says it of its own. */
  function hand(said: Transition[], transitions: readonly Transition[], isPast = false): void {
    for (let i = 0; i < transitions.length; i++) {
      const isOfSeveral = several.has(transitions[i]!.alert.rule.id);
      const one = isPast && isOfSeveral ? asHistory(transitions[i]!) : transitions[i]!;
      said.push(one);
      if (isOfSeveral) count(one);
    }
  }

  function count({ alert, entry }: Transition): void {
    if (alert.mode !== undefined) counts[alert.mode] += 1;
    else if (entry.what in counts) counts[entry.what as keyof typeof counts] += 1;
  }

  /**
   * Other rules from now on (`at`, wall clock). Those that are as they were go on; what was firing under changed or
   * deleted ones is resolved with a note, and changed ones start anew.
   */
  function replaceRules(rules: readonly Rule[], at: number): Transition[] {
    const said: Transition[] = [];
    hand(said, districts.take(engine.replaceRules(rules, at)));
    hand(said, districts.end(rules, at));
    hand(said, districts.take(refusals.end(rules, at)));
    const rows = refusals.close();
    refusals = createRefusals(rules, options.sensor, states);
    if (rows.length > 0) states.load(rows);
    districts = createDistricts({ ...options, rules, states }, districts);
    several = severalOf(rules);
    hand(said, districts.take([]));
    for (const one of reconcile(at)) said.push(one);
    return said;
  }

  return {
    observe,
    refuse,
    settleOf,
    rejudge,
    reachFrom: engine.reachFrom,
    reachedBy: engine.reachedBy,
    remembersAll: engine.remembersAll,
    markOf: engine.markOf,
    backlog: engine.backlog,
    newlyLate: engine.newlyLate,
    lateOf: engine.lateOf,
    /** Whether what `observe` has just said depends on when late readings were folded, not on the journal alone. */
    isOfLate: (transition: Transition) => ofLate.has(transition),
    tick,
    isTicking: engine.isTicking,
    listen: engine.listen,
    replaceRules,
    reconcile,
    /** How often it was reconciled: what is open elsewhere can be compared with what is held. */
    reconciled: () => reconciled,
    /** The ids of all alerts that are not over: nobody else can end one. */
    held: () => new Set([...engine.held(), ...refusals.held(), ...districts.held()]),
    states,
    failures: engine.failures,
    counts: () => {
      const own = engine.counts();
      const sums = Object.entries(counts).map(([what, count]) => [what, own[what as keyof typeof counts] + count]);
      return { ...own, ...(Object.fromEntries(sums) as typeof counts) };
    },
  };
}

/** What was told before stays told: the noise control knows. */
function asHistory({ alert, entry }: Transition): Transition {
  return { alert: alert.mode === undefined ? { ...alert, mode: "history" } : alert, entry };
}

/** The rules that rest on several sensors or on what is refused: the engine does not count their alerts. */
function severalOf(rules: readonly Rule[]): Set<string> {
  return new Set(rules.flatMap(({ id, condition: { type } }) => (overValues(type) ? [] : [id])));
}

type Counts = ReturnType<Detector["counts"]>;

/** The engine's counters for `/metrics`. */
export function alertFigures(counts: Counts, rulesFailed: number, unapplied: number): Figure[] {
  const places = "Readings by their place in the order of their sensor; late ones can still change what was said.";
  const transitions =
    "Alert transitions, by what happened; shadow, history: of shadow rules and of the past, which nobody is told of.";
  const { inOrder, late, tooLate, duplicate, pending, firing, resolved, retracted, corrected, shadow, history } =
    counts;
  const byPlace = { in_order: inOrder, late, too_late: tooLate, duplicate };
  const byWhat = {
    pending,
    firing,
    resolved,
    retracted,
    corrected,
    raised: counts.raised,
    lowered: counts.lowered,
    counted: counts.counted,
    "late-confirmed": counts.lateConfirmed,
    shadow,
    history,
  };
  return [
    counter("lamppost_rules_readings_total", "Readings the rules have seen.", counts.readings),
    ...byLabel(counter, "lamppost_rules_places_total", places, "place", byPlace),
    ...byLabel(counter, "lamppost_alert_transitions_total", transitions, "what", byWhat),
    gauge("lamppost_rules_readings_remembered", "Readings kept for corrections by late ones.", counts.remembered),
    counter(
      "lamppost_rules_readings_forgotten_total",
      "Readings given up for corrections before half an hour had passed, because there were too many.",
      counts.forgotten,
    ),
    gauge("lamppost_rules", "Rules, by state.", counts.rules - rulesFailed, { state: "ok" }),
    gauge("lamppost_rules", "Rules, by state.", rulesFailed, { state: "error" }),
    gauge("lamppost_rules_subjects", "Sensors the rules keep a state of.", counts.subjects),
    gauge("lamppost_alert_transitions_waiting", "Transitions the records have not taken yet.", unapplied),
  ];
}

/** What the rules have not seen yet. */
export function waitingFigures(lagMs: number, late: number, waiting: number, behindMs: number): Figure[] {
  const readings =
    "Readings the rules have not seen yet: late ones, and those of sensors that send more than their share.";
  return [
    gauge("lamppost_rules_lag_seconds", "Since when the oldest reading the rules have not seen waits.", lagMs / 1_000),
    gauge("lamppost_rules_readings_waiting", readings, late, { place: "late" }),
    gauge("lamppost_rules_readings_waiting", readings, waiting, { place: "above_share" }),
    gauge("lamppost_clock_behind_seconds", "By which the clock lies before the newest receipt.", behindMs / 1_000),
  ];
}
