import type { Severity } from "../../model/alert.ts";
import type { Kind } from "../../model/kinds.ts";
import type { AlertView } from "../api/alerts.ts";

export type Took = { readonly count: number; readonly medianMs: number; readonly p90Ms: number };

export type Line = {
  readonly raised: number;
  readonly bySeverity: Readonly<Record<Severity, number>>;
  readonly resolved: number;
  readonly retracted: number;
  readonly suppressed: number;
  readonly reviewed: { readonly right: number; readonly wrong: number; readonly unclear: number };
  readonly toAcknowledge?: Took;
  readonly toResolve?: Took;
};

/** As `GET /report` shows it. */
export type ReportView = {
  readonly from: string;
  readonly to: string;
  readonly total: Line & { readonly openAtEnd: number };
  readonly byDistrict: readonly (Line & { readonly district: string })[];
  readonly byRule: readonly (Line & { readonly rule: string; readonly title: string })[];
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
  return { from: new Date(now - hours * 3_600_000), to: new Date(now), hours };
}

export function addressOf({ from, to }: Asked): string {
  return `/report?from=${encodeURIComponent(from.toISOString())}&to=${encodeURIComponent(to.toISOString())}`;
}

/** For `<input type="datetime-local">`, which knows no zone: the viewer's own. */
export function toLocalInput(at: Date): string {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
