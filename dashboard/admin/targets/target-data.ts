import type { Audience, Severity } from "../../../model/alert.ts";
import type { Weekday } from "../../../model/weekly-window.ts";
import { typed, typedList } from "../parts/edit-form.tsx";

/** As in `model/target.ts`, which is for the service only. */
export const TYPES = ["webhook", "slack", "teams", "email", "mqtt"] as const;
export type TargetType = (typeof TYPES)[number];

/** As `GET /targets` shows it. */
export type TargetView = {
  readonly id: string;
  readonly name: string;
  readonly type: TargetType;
  readonly url?: string;
  readonly to?: string;
  readonly audience?: Audience;
  readonly severityMin: Severity;
  readonly districts?: readonly string[];
  readonly rules?: readonly string[];
  readonly groupBy?: "district" | "rule" | "gateway";
  readonly groupWait: string;
  readonly quietHours?: {
    readonly timeZone: string;
    readonly from: string;
    readonly to: string;
    readonly days?: readonly Weekday[];
  };
  readonly escalateAfter?: string;
  readonly escalateTo?: string;
  readonly enabled: boolean;
  readonly pending: number;
  readonly failures: number;
  readonly lastError?: string;
  readonly lastErrorAt?: string;
  readonly lastSentAt?: string;
  readonly disabledBecause?: string;
};

export const hasUrl = (type: TargetType): boolean => type === "webhook" || type === "slack" || type === "teams";

/** The parts of the body that have a field of their own. */
export const TARGET_FIELDS: readonly string[] = ["id", "name", "type", "url", "to", "secret", "audience"].concat([
  ...["severityMin", "districts", "rules", "groupBy", "groupWait", "quietHours/timeZone", "quietHours/from"],
  ...["quietHours/to", "quietHours/days", "escalateAfter", "escalateTo"],
]);

/** The body of `POST` and `PUT`: what was left empty is left out. `id` is taken for a new one only. */
export function targetOf(data: FormData, isNew: boolean): Readonly<Record<string, unknown>> {
  return {
    ...(isNew ? { id: typed(data, "id") } : {}),
    name: typed(data, "name") ?? "",
    type: typed(data, "type"),
    url: typed(data, "url"),
    to: typed(data, "to"),
    secret: typed(data, "secret"),
    audience: typed(data, "audience"),
    severityMin: typed(data, "severityMin"),
    districts: typedList(data, "districts"),
    rules: typedList(data, "rules"),
    groupBy: typed(data, "groupBy"),
    groupWait: typed(data, "groupWait"),
    quietHours: data.has("quiet") ? quietHoursOf(data) : undefined,
    escalateAfter: typed(data, "escalateAfter"),
    escalateTo: typed(data, "escalateTo"),
    enabled: data.has("enabled"),
  };
}

function quietHoursOf(data: FormData) {
  const days = data.getAll("days");
  return {
    timeZone: typed(data, "timeZone") ?? "",
    from: typed(data, "quietFrom") ?? "",
    to: typed(data, "quietTo") ?? "",
    ...(days.length > 0 ? { days } : {}),
  };
}
