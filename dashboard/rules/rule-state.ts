import { signal } from "@preact/signals";
import type { AlertView } from "../api/alerts.ts";
import { type PageOf, request } from "../api/client.ts";
import { onAlertNews } from "../live/live.ts";
import { type ChangeView, loadRule, type RuleView, ruleHref, triedBy } from "./rules-api.ts";

export const ALERTS_SHOWN = 20;
const VERSIONS_PAGE = 20;

/** One rule with its alerts and versions, while its page is open. `close` when it closes. */
export function openRule(id: string) {
  const rule = signal<RuleView | undefined>(undefined);
  const problem = signal<unknown>(undefined);
  const alerts = signal<PageOf<AlertView> | undefined>(undefined);
  const versions = signal<PageOf<ChangeView> | undefined>(undefined);
  /** The rule that this one is a trial of. */
  const original = signal<RuleView | undefined>(undefined);
  const over = new AbortController();
  const { signal: leaving } = over;

  async function load(): Promise<void> {
    problem.value = undefined;
    try {
      const found = await loadRule(id, leaving);
      rule.value = found;
      await Promise.all([loadAlerts(found), loadVersions(), loadOriginal()]);
    } catch (error) {
      if (!leaving.aborted) problem.value = error;
    }
  }

  async function loadAlerts({ mode }: Pick<RuleView, "mode">): Promise<void> {
    const query = new URLSearchParams({
      rule: id,
      limit: String(ALERTS_SHOWN),
      ...(mode === "shadow" ? { mode } : {}),
    });
    alerts.value = await request<PageOf<AlertView>>("GET", `/alerts?${query}`, undefined, leaving);
  }

  async function loadVersions(): Promise<void> {
    const shown = versions.peek();
    const query = new URLSearchParams({ limit: String(VERSIONS_PAGE) });
    if (shown?.next !== undefined) query.set("cursor", shown.next);
    const page = await request<PageOf<ChangeView>>("GET", `${ruleHref(id)}/versions?${query}`, undefined, leaving);
    versions.value = shown?.next === undefined ? page : { ...page, items: [...shown.items, ...page.items] };
  }

  async function loadOriginal(): Promise<void> {
    const tried = triedBy(id);
    if (tried === undefined) return;
    original.value = await loadRule(tried, leaving).catch(() => undefined);
  }

  /** After a change: all of it anew. */
  async function reload(): Promise<void> {
    versions.value = undefined;
    await load();
  }

  const stop = onAlertNews(({ alert }) => {
    const mode = rule.peek()?.mode;
    if (alert.rule.id === id && mode) void loadAlerts({ mode }).catch(() => {});
  });
  void load();

  return {
    ...{ id, rule, problem, alerts, versions, original, load, loadVersions, reload },
    close(): void {
      over.abort();
      stop();
    },
  };
}

export type OpenRule = ReturnType<typeof openRule>;
