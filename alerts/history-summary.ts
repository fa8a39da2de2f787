import type { Transition } from "../model/alert.ts";
import type { Log } from "../model/log.ts";

const HISTORY_CALM_MS = 10_000;

/** One line for all that was said of the past, once no more of it has come for some seconds: an import may say thousands. */
export function createHistorySummary(log: Log) {
  const alerts = new Set<string>();
  let span = { from: Number.POSITIVE_INFINITY, to: Number.NEGATIVE_INFINITY };
  /** How many there were at the last look that saw more of them. */
  let seen = { count: 0, at: 0 };

  function note({ alert, entry }: Transition): void {
    if (alert.mode !== "history" || entry.what !== "firing") return;
    alerts.add(alert.id);
    span = { from: Math.min(span.from, alert.startedAt), to: Math.max(span.to, entry.at) };
  }

  function look(time: number): void {
    if (alerts.size !== seen.count) seen = { count: alerts.size, at: time };
    if (alerts.size === 0 || time - seen.at < HISTORY_CALM_MS) return;
    const [from, to] = [new Date(span.from).toISOString(), new Date(span.to).toISOString()];
    const about = { alerts: alerts.size, from, to };
    log.info(about, "alerts of imported or old readings were recorded as history; nobody was told");
    alerts.clear();
    span = { from: Number.POSITIVE_INFINITY, to: Number.NEGATIVE_INFINITY };
    seen = { count: 0, at: time };
  }

  return { note, look, isWaiting: () => alerts.size > 0 };
}
