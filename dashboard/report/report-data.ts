import type { Kind } from "../../model/kinds.ts";
import type { Report } from "../../model/report.ts";
import { HOUR_MS } from "../../model/time.ts";
import type { AlertView } from "../api/alerts.ts";

/** As `GET /report` shows it. */
export type ReportView = Report & {
  readonly from: string;
  readonly to: string;
  readonly alerts: readonly AlertView[];
  readonly truncated: boolean;
  readonly sensorsWithoutData: readonly {
    readonly sensorId: string;
    readonly district: string;
    readonly kind: Kind;
    readonly lastReadingAt?: string;
  }[];
};

/** The hours of the presets: a shift, a day, a week. */
export const PRESETS: readonly number[] = [8, 24, 168];

export type Asked = { readonly from: Date; readonly to: Date; readonly hours?: number };

/** What the address asks for: `?hours=8` moves on with the clock, `?from&to` stays. Without anything, a shift. */
export function askedOf(query: URLSearchParams, now: number): Asked {
  const [from, to] = [query.get("from"), query.get("to")].map((text) => new Date(text ?? Number.NaN));
  if (Number.isFinite(from!.getTime()) && Number.isFinite(to!.getTime())) return { from: from!, to: to! };
  const hours = Number(query.get("hours")) || PRESETS[0]!;
  return { from: new Date(now - hours * HOUR_MS), to: new Date(now), hours };
}

export function addressOf({ from, to }: Asked): string {
  return `/report?from=${encodeURIComponent(from.toISOString())}&to=${encodeURIComponent(to.toISOString())}`;
}

/** For `<input type="datetime-local">`, which knows no zone: the viewer's own. */
export function toLocalInput(at: Date): string {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
