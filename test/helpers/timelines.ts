import type { City } from "./city.ts";

/** Said by the engine; the rest of a timeline is what people and the noise control did. */
const SAID = ["pending", "firing", "verdict", "late-confirmed", "corrected", "resolved", "retracted"];
const DONE_TO_IT = ["handling", "assignee", "suppressedBy", "review", "mode"];

type Entry = { readonly at: string; readonly what: string; readonly note?: string };
export type SaidAlert = {
  readonly id: string;
  readonly kind: string;
  readonly rule: { readonly id: string };
  readonly firedAt?: string;
  readonly subject: { readonly sensorId?: string };
  readonly timeline: readonly Entry[];
};

/** Those of today and those of the past. */
export async function everyAlert(city: City): Promise<SaidAlert[]> {
  const items: SaidAlert[] = [];
  for (const mode of ["live", "history"]) {
    let cursor: string | undefined;
    do {
      const page = await city.api(`/alerts?mode=${mode}&limit=1000${cursor === undefined ? "" : `&cursor=${cursor}`}`);
      items.push(...page.items);
      cursor = page.next;
    } while (cursor !== undefined);
  }
  return items;
}

/** Alerts as text, without when the service knew and what was done to them, in the order of their ids. */
export function canonical(alerts: readonly SaidAlert[]): string[] {
  return alerts
    .map(({ timeline, ...alert }) => {
      const rest = Object.fromEntries(Object.entries(alert).filter(([key]) => !DONE_TO_IT.includes(key)));
      const said = timeline.filter(({ what }) => SAID.includes(what)).map(({ at, what, note }) => ({ at, what, note }));
      said.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : SAID.indexOf(a.what) - SAID.indexOf(b.what)));
      return sortedJson({ ...rest, timeline: said });
    })
    .sort();
}

function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, one) =>
    typeof one === "object" && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}
