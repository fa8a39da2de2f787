import { signal } from "@preact/signals";
import type { AlertAction, AlertActionAsk, AlertView } from "../../contract/alert.ts";
import { isDerived } from "../../model/metrics.ts";
import type { Rule } from "../../model/rule.ts";
import { request, send } from "../api/client.ts";
import { alerts, onAlertNews, onIncidentNews, resets } from "../live/live.ts";

/** One alert, followed while its page is open. `close` when it closes. */
export function followAlert(id: string) {
  const alert = signal<AlertView | undefined>(alerts.peek().get(id));
  const rule = signal<Rule | undefined>(undefined);
  const problem = signal<unknown>(undefined);
  const over = new AbortController();

  const path: `/alerts/${string}` = `/alerts/${encodeURIComponent(id)}`;
  function load(): void {
    request<AlertView>("GET", path, undefined, over.signal).then(
      (found) => {
        alert.value = found;
        // An alert of the service itself, or of a rule that is gone, has no rule to show.
        void request<Rule>("GET", `/rules/${encodeURIComponent(found.rule.id)}`, undefined, over.signal).then(
          (one) => {
            rule.value = one;
          },
          () => {},
        );
      },
      (error: unknown) => {
        if (!over.signal.aborted) problem.value = error;
      },
    );
  }

  // At once, and again whenever changes in between are lost.
  const stopLoading = resets.subscribe(load);
  const stop = onAlertNews((news) => {
    if (news.alert.id === id) alert.value = news.alert;
  });

  /** Of which incident it is, is said of the incident. */
  const stopIncidents = onIncidentNews(({ incident, joined, left, absorbed }) => {
    const known = alert.peek();
    if (!known) return;
    const isIn = joined.includes(id) || absorbed.includes(known.incident ?? "");
    const { incident: _, ...alone } = known;
    if (isIn) alert.value = { ...alone, incident: incident.id };
    else if (left.includes(id)) alert.value = alone;
  });

  /** What someone does to it. Throws `ApiProblem`; a 409 says who was first. */
  async function act(action: AlertAction, body: AlertActionAsk = {}): Promise<void> {
    const changed = await send("POST", `${path}/${action}`, body);
    alert.value = changed;
    if (alerts.peek().has(id)) alerts.value = new Map(alerts.peek()).set(id, changed);
  }

  /** Alerts of this rule on this sensor (or place). */
  function matchers() {
    const { rule: about, subject } = alert.peek()!;
    const { sensorId: sensor, district } = subject;
    return { rule: about.id, ...(sensor !== undefined ? { sensor } : district !== undefined ? { district } : {}) };
  }

  /** Nobody is told of them for so long. */
  async function silence(forMs: number, reason: string): Promise<void> {
    const endsAt = new Date(Date.now() + forMs).toISOString();
    await send("POST", "/silences", { matchers: matchers(), endsAt, reason });
  }

  return {
    alert,
    rule,
    problem,
    act,
    silence,
    /** What a silence would cover now. */
    covers: (signal: AbortSignal) => send("POST", "/silences/preview", { matchers: matchers() }, signal),
    close(): void {
      over.abort();
      stop();
      stopLoading();
      stopIncidents();
    },
  };
}

export type FollowedAlert = ReturnType<typeof followAlert>;

/** What is computed from other values has no readings of its own to draw. */
export const isCharted = ({ metric, subject }: Pick<AlertView, "metric" | "subject">) =>
  metric !== undefined && !isDerived(metric) && subject.sensorId !== undefined;
