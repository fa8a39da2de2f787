import { byLabel, counter, type Figure, gauge } from "../model/health.ts";
import type { Detector } from "./detector.ts";

type Counts = ReturnType<Detector["counts"]>;

/** The engine's counters for `/metrics`. */
export function alertFigures(counts: Counts, rulesFailed: number, unapplied: number): Figure[] {
  const places = "Readings by their place in the order of their sensor; late ones can still change what was said.";
  const transitions = "Alert transitions, by what happened; shadow: those of shadow rules, which nobody is told of.";
  const { inOrder, late, tooLate, duplicate, pending, firing, resolved, retracted, corrected, shadow } = counts;
  const byPlace = { in_order: inOrder, late, too_late: tooLate, duplicate };
  const byWhat = { pending, firing, resolved, retracted, corrected, "late-confirmed": counts.lateConfirmed, shadow };
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
