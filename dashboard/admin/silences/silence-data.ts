import type { SilenceMatchers } from "../../../model/silence.ts";
import type { WeeklyWindow } from "../../../model/weekly-window.ts";
import { typed, typedList, typedTags } from "../parts/edit-form.tsx";

/** As `GET /silences` shows it. */
export type SilenceView = {
  readonly id: number;
  readonly kind: "silence" | "maintenance";
  readonly state: "active" | "scheduled" | "ended";
  readonly matchers: SilenceMatchers;
  readonly startsAt: string;
  readonly endsAt?: string;
  readonly weekly?: WeeklyWindow;
  readonly window?: { readonly from: string; readonly to?: string };
  readonly reason: string;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly endedAt?: string;
  readonly endedBy?: string;
};

export const MATCHERS = ["rule", "district", "sensor", "gateway", "kind", "severity", "audience", "tag"] as const;
export const SILENCE_FIELDS: readonly string[] = [
  ...["kind", "matchers", "startsAt", "endsAt", "weekly", "reason"],
  ...MATCHERS.map((name) => `matchers/${name}`),
];

/** The name of a matcher's field: the form has a `kind` of its own. */
export const matchField = (name: string): string => `match-${name}`;

/** The body of `POST /silences`: what was left empty is left out. */
export function silenceOf(data: FormData): Readonly<Record<string, unknown>> {
  return {
    kind: typed(data, "kind"),
    matchers: matchersOf(data),
    startsAt: momentOf(data, "startsAt"),
    endsAt: momentOf(data, "endsAt"),
    weekly: data.has("weekly") ? weeklyOf(data) : undefined,
    reason: typed(data, "reason") ?? "",
  };
}

function matchersOf(data: FormData): Readonly<Record<string, unknown>> {
  const named = MATCHERS.filter((name) => name !== "tag").map((name) => {
    const list = typedList(data, matchField(name));
    return [name, list?.length === 1 ? list[0] : list] as const;
  });
  return { ...Object.fromEntries(named), tag: typedTags(data, matchField("tag")) };
}

/** `<input type="datetime-local">` says the viewer's own time; the service wants a zone. */
function momentOf(data: FormData, name: string): string | undefined {
  const text = typed(data, name);
  return text === undefined ? undefined : new Date(text).toISOString();
}

function weeklyOf(data: FormData) {
  return {
    days: data.getAll("days"),
    from: typed(data, "weeklyFrom") ?? "",
    to: typed(data, "weeklyTo") ?? "",
    zone: typed(data, "zone") ?? "",
  };
}
