import type { AlertView } from "../../contract/alert.ts";
import { AUDIENCES, type Audience, SEVERITIES, type Severity } from "../../model/alert.ts";
import { KINDS } from "../../model/kinds.ts";
import { isOpen } from "../live/live.ts";

export const WHO = ["nobody", "me"] as const;

/** What the list is narrowed to. It lives in the address, so a link shows what its sender saw. */
export type Filters = {
  /** Empty: all of them. */
  readonly severities: ReadonlySet<Severity>;
  readonly kind?: AlertView["kind"];
  readonly district?: string;
  readonly audience?: Audience;
  readonly who?: (typeof WHO)[number];
  readonly text: string;
  readonly suppressed: boolean;
};

const oneOf = <T extends string>(among: readonly T[], text: string | null) => among.find((one) => one === text);
export const ALERT_KINDS = [...KINDS, "service"] as const;

/** From the address; what it does not know, it leaves out. */
export function readFilters(query: URLSearchParams): Filters {
  const severities = (query.get("severity") ?? "").split(",").flatMap((name) => oneOf(SEVERITIES, name) ?? []);
  const kind = oneOf(ALERT_KINDS, query.get("kind"));
  const audience = oneOf(AUDIENCES, query.get("for"));
  const who = oneOf(WHO, query.get("who"));
  const district = query.get("district");
  return {
    severities: new Set(severities),
    text: query.get("q") ?? "",
    suppressed: query.get("suppressed") === "yes",
    ...(kind ? { kind } : {}),
    ...(audience ? { audience } : {}),
    ...(who ? { who } : {}),
    ...(district ? { district } : {}),
  };
}

/** The same as parts of the address, all of them, so that setting them takes away what is not asked for. */
export function writeFilters(filters: Filters): Record<string, string | undefined> {
  const { severities, kind, audience, who, district, text, suppressed } = filters;
  const severity = SEVERITIES.filter((one) => severities.has(one)).join(",");
  return { severity, kind, for: audience, who, district, q: text, suppressed: suppressed ? "yes" : "" };
}

export const NO_FILTERS: Filters = { severities: new Set(), text: "", suppressed: false };

type FilterContext = {
  readonly me: string | undefined;
  readonly sensorName: (id: string) => string | undefined;
  /** In the language of the page. */
  readonly titleOf?: (alert: AlertView) => string;
};

/**
 * What people keep from being told: by a silence, or because they work there. It is so all the same, and stays in sight. Not
 * what another alert explains, or what flaps.
 */
export function quietedBy({ suppressedBy }: Pick<AlertView, "suppressedBy">): "silence" | "maintenance" | undefined {
  const kind = suppressedBy?.split(":")[0];
  return kind === "silence" || kind === "maintenance" ? kind : undefined;
}

/** Kept from being told by the service: because another alert explains it, or because it comes and goes. */
export const isExplained = (alert: Pick<AlertView, "suppressedBy">): boolean =>
  alert.suppressedBy !== undefined && quietedBy(alert) === undefined;

/** Whether an open alert belongs into the list. What another explains only if asked for. */
export function fits(alert: AlertView, filters: Filters, about: FilterContext): boolean {
  const { severities, kind, district, audience, who, suppressed } = filters;
  if (!isOpen(alert) || (isExplained(alert) && !suppressed)) return false;
  if (severities.size > 0 && !severities.has(alert.severity)) return false;
  if (kind && alert.kind !== kind) return false;
  if (district && alert.subject.district !== district) return false;
  if (audience && alert.audience !== audience) return false;
  if (who === "nobody" && alert.handling !== "open") return false;
  if (who === "me" && holderOf(alert) !== about.me) return false;
  return filters.text.trim() === "" || hasWords(alert, filters.text, about);
}

/** Who has it: the one it is assigned to, or whoever acknowledged it or began the work last. */
export function holderOf(alert: AlertView): string | undefined {
  if (alert.assignee !== undefined) return alert.assignee;
  if (alert.handling === "open") return undefined;
  return alert.timeline.findLast(({ what }) => what === "acknowledged" || what === "started")?.by;
}

/** Every word somewhere in what the row says. */
function hasWords(alert: AlertView, text: string, { sensorName, titleOf }: FilterContext): boolean {
  const { rule, subject, explanation } = alert;
  const name = subject.sensorId === undefined ? "" : (sensorName(subject.sensorId) ?? "");
  const said = `${titleOf?.(alert) ?? ""} ${rule.title} ${rule.id} ${subject.sensorId} ${name} ${subject.district} ${subject.gateway} ${explanation} ${holderOf(alert)}`;
  const low = said.toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => low.includes(word));
}

const rank = (severity: Severity): number => SEVERITIES.indexOf(severity);

/** What people are told of, the worst first, then the newest start; ids settle the rest, so that the order never wavers. */
export function byUrgency(a: AlertView, b: AlertView): number {
  const [quietA, quietB] = [a, b].map((one) => quietedBy(one) !== undefined);
  if (quietA !== quietB) return quietA ? 1 : -1;
  if (a.severity !== b.severity) return rank(b.severity) - rank(a.severity);
  if (a.startedAt !== b.startedAt) return a.startedAt < b.startedAt ? 1 : -1;
  return a.id < b.id ? -1 : 1;
}

/** A row of the list: an alert, or an incident with those of its alerts that the list shows. */
export type ListRow = { readonly id: string; readonly alerts: readonly AlertView[] };

/** Alerts of one incident are one row, where its worst would stand; of which only one is shown, it stands for itself. */
export function rowsOf(sorted: readonly AlertView[]): ListRow[] {
  const groups = Map.groupBy(sorted, ({ id, incident }) => incident ?? id);
  return [...groups].map(([id, alerts]) => ({ id: alerts.length > 1 ? id : alerts[0]!.id, alerts }));
}

/** What a sensor or a district looks like. `severity`: of the worst alert that people are told of. */
export type Mark = { readonly severity: Severity | undefined; readonly count: number; readonly quieted: number };

/** The mark of each key (a sensor, a district). What people keep quiet raises no alarm, and is counted beside it. */
export function markBy(alerts: Iterable<AlertView>, keyOf: (alert: AlertView) => string | undefined) {
  const marks = new Map<string, { severity: Severity | undefined; count: number; quieted: number }>();
  for (const alert of alerts) {
    const key = keyOf(alert);
    if (key === undefined || !isOpen(alert) || isExplained(alert)) continue;
    const mark = marks.get(key) ?? { severity: undefined, count: 0, quieted: 0 };
    marks.set(key, mark);
    if (quietedBy(alert) !== undefined) mark.quieted += 1;
    else {
      mark.count += 1;
      if (mark.severity === undefined || rank(alert.severity) > rank(mark.severity)) mark.severity = alert.severity;
    }
  }
  return marks as ReadonlyMap<string, Mark>;
}

/** Rows beyond each edge that are in the document, too, so that quick scrolling shows no holes. */
const BEYOND = 6;

/** The rows `[first, last)` of equal height that are in sight. */
export function windowOf(view: { top: number; height: number }, rowPx: number, rows: number) {
  const first = Math.max(0, Math.min(rows, Math.floor(view.top / rowPx)) - BEYOND);
  const last = Math.min(rows, Math.ceil((view.top + view.height) / rowPx) + BEYOND);
  return { first, last: Math.max(first, last) };
}
