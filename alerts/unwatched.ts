import { ALERT_MODES, type Alert } from "../model/alert.ts";
import type { Rule } from "../model/rule.ts";
import type { Records } from "../store/records.ts";
import { alertId } from "./alert-id.ts";
import { placeText } from "./conditions/quorum.ts";
import { compileRule } from "./engine/plan.ts";

const PAGE = 500;

/**
 * Ids of open alerts, those that nobody was told of too, that no rule of today can end: it was deleted or has another condition. The
 * detector knows those of its last snapshot by itself; this finds what fired after it, before a crash.
 */
export function unwatchedAlerts(rules: readonly Rule[], records: Pick<Records, "alerts">): string[] {
  const fits = new Map(rules.map((rule) => [rule.id, compileRule(rule).fit]));
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const page = records.alerts.list({ state: ["pending", "firing"], mode: ALERT_MODES }, PAGE, cursor);
    for (const alert of page.items) if (!isWatched(alert, fits)) found.push(alert.id);
    cursor = page.next;
  } while (cursor !== undefined);
  return found;
}

function isWatched({ id, kind, rule, subject, startedAt }: Alert, fits: ReadonlyMap<string, string>): boolean {
  if (kind === "service") return true;
  const fit = fits.get(rule.id);
  return fit !== undefined && id === alertId(rule.id, subject.sensorId ?? placeText(subject), startedAt, fit);
}
