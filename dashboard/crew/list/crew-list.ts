import type { Handling, Severity, Subject, Verdict } from "../../../model/alert.ts";
import type { AlertView } from "../../api/alerts.ts";
import type { Item } from "../queue/item.ts";

/** One open warning, as `GET /crew` tells it; times in ISO 8601. */
export type Warning = {
  readonly id: string;
  readonly rule: { readonly id: string; readonly title: string };
  readonly subject: Subject;
  readonly severity: Severity;
  readonly handling: Handling;
  readonly assignee?: string;
  readonly startedAt: string;
  readonly explanation: string;
  readonly verdict?: Verdict;
  readonly expected?: { readonly at: string; readonly from: string; readonly to: string };
  /** How many alerts it speaks for, such as the sensors behind a gateway. */
  readonly counted?: number;
  readonly people: readonly Deed[];
};

/** What someone did with an alert. */
export type Deed = { readonly at: string; readonly what: string; readonly by?: string; readonly note?: string };

export type Place = { readonly id: string; readonly name?: string; readonly lat?: number; readonly lon?: number };

export type CrewList = {
  readonly alerts: readonly Warning[];
  readonly left: number;
  readonly sensors: readonly Place[];
  readonly advice: Readonly<Record<string, string>>;
};

/** Who has it: the one it is assigned to, or whoever acknowledged it or began the work last. */
export function holderOf({ assignee, handling, people }: Warning): string | undefined {
  if (assignee !== undefined) return assignee;
  if (handling === "open") return undefined;
  return people.findLast(({ what }) => what === "acknowledged" || what === "started")?.by;
}

/** The warning as it will be when what waits has arrived. */
export function foresee(warning: Warning, waiting: readonly Item[]): Warning {
  const starts = waiting.find(({ alertId, action }) => alertId === warning.id && action === "start");
  return starts ? { ...warning, handling: "in-progress", assignee: warning.assignee ?? starts.user } : warning;
}

/** The warning as the alert says it is now; nothing where nobody need go any more. */
export function merge(warning: Warning, alert: AlertView): Warning[] {
  if (warning.id !== alert.id) return [warning];
  if (alert.state !== "firing" || alert.handling === "closed") return [];
  const { handling, assignee, timeline } = alert;
  const people = timeline.filter(({ by }) => by !== undefined);
  return [{ ...warning, handling, people, ...(assignee === undefined ? {} : { assignee }) }];
}

/** The `date` of an answer is in whole seconds and was under way: less than this is no difference. */
const SAME_MS = 5_000;

/** How far the service's clock is ahead of this one. */
export function aheadOf(saidByService: number, now: number): number {
  const ahead = saidByService - now;
  return Math.abs(ahead) < SAME_MS ? 0 : ahead;
}
