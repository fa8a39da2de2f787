import type { Figure } from "../model/health.ts";
import type { Detector } from "./detector.ts";

type Counts = ReturnType<Detector["counts"]>;

/** The engine's counters for `/metrics`. */
export function alertFigures(counts: Counts, rulesFailed: number, unapplied: number): Figure[] {
  const places = "Readings by their place in the order of their sensor; late ones can still change what was said.";
  const transitions = "Alert transitions, by what happened; shadow: those of shadow rules, which nobody is told of.";
  const counter = (name: string, help: string, value: number, labels?: Record<string, string>): Figure => ({
    name,
    help,
    type: "counter",
    value,
    labels,
  });
  const gauge = (name: string, help: string, value: number, labels?: Record<string, string>): Figure => ({
    ...counter(name, help, value, labels),
    type: "gauge",
  });
  const place = (label: string, value: number) =>
    counter("lamppost_rules_places_total", places, value, { place: label });
  const what = (label: string, value: number) =>
    counter("lamppost_alert_transitions_total", transitions, value, { what: label });
  return [
    counter("lamppost_rules_readings_total", "Readings the rules have seen.", counts.readings),
    place("in_order", counts.inOrder),
    place("late", counts.late),
    place("too_late", counts.tooLate),
    place("duplicate", counts.duplicate),
    what("pending", counts.pending),
    what("firing", counts.firing),
    what("resolved", counts.resolved),
    what("retracted", counts.retracted),
    what("corrected", counts.corrected),
    what("late-confirmed", counts.lateConfirmed),
    what("shadow", counts.shadow),
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
  const gauge = (name: string, help: string, value: number, labels?: Record<string, string>): Figure => ({
    name,
    help,
    type: "gauge",
    value,
    labels,
  });
  return [
    gauge("lamppost_rules_lag_seconds", "Since when the oldest reading the rules have not seen waits.", lagMs / 1_000),
    gauge("lamppost_rules_readings_waiting", readings, late, { place: "late" }),
    gauge("lamppost_rules_readings_waiting", readings, waiting, { place: "above_share" }),
    gauge("lamppost_clock_behind_seconds", "By which the clock lies before the newest receipt.", behindMs / 1_000),
  ];
}
