import type { Transition } from "../../model/alert.ts";
import type { BacktestAlert } from "../../model/backtest.ts";

/** Alerts that are kept whole; figures count all. */
const ALERTS_KEPT_MAX = 20_000;

type Kept = { alert: Transition["alert"]; timeline: { at: number; what: string; note?: string }[] };

/**
 * Folds transitions into alerts as the records do: the newest verdict counts, a repeated entry changes nothing, and a
 * pending alert that never fired is none.
 */
export function createTimeline() {
  const kept = new Map<string, Kept>();
  let dropped = 0;

  function take(transition: Transition): void {
    const { alert, entry } = transition;
    const known = kept.get(alert.id);
    if (!known && kept.size >= ALERTS_KEPT_MAX) {
      if (entry.what === "firing") dropped += 1;
      return;
    }
    const { at, what, note } = entry;
    if (known?.timeline.some((one) => one.at === at && one.what === what)) return;
    const line = note === undefined ? { at, what } : { at, what, note };
    if (known) {
      known.alert = alert;
      known.timeline.push(line);
    } else kept.set(alert.id, { alert, timeline: [line] });
  }

  return {
    take,
    /** How many more there were than are kept. */
    dropped: () => dropped,
    /** Those that fired, by start, rule and id. */
    alerts: (): BacktestAlert[] =>
      [...kept.values()]
        .filter(({ alert, timeline }) => alert.firedAt !== undefined || timeline.some(({ what }) => what === "firing"))
        .map(({ alert: { mode: _, ...alert }, timeline }) => ({ ...alert, timeline: [...timeline].sort(byTime) }))
        .sort(byStart),
  };
}

const ORDER = ["pending", "firing", "verdict", "late-confirmed", "corrected", "resolved", "retracted"];
type Line = { readonly at: number; readonly what: string };
const byTime = (a: Line, b: Line) => a.at - b.at || ORDER.indexOf(a.what) - ORDER.indexOf(b.what);

const byStart = (a: BacktestAlert, b: BacktestAlert) =>
  a.startedAt - b.startedAt || compareText(a.rule.id, b.rule.id) || compareText(a.id, b.id);
const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
