import type { Severity } from "./alert.ts";

/** How many, and how long it took: milliseconds, of those where it happened. */
export type Took = { readonly count: number; readonly medianMs: number; readonly p90Ms: number };

export type ReportLine = {
  /** Began to fire within the range. */
  readonly raised: number;
  readonly bySeverity: Readonly<Record<Severity, number>>;
  /** Ended within the range; retracted ones should never have fired. */
  readonly resolved: number;
  readonly retracted: number;
  /** Told nobody, for a silence, another rule or flapping. */
  readonly suppressed: number;
  readonly reviewed: { readonly right: number; readonly wrong: number; readonly unclear: number };
  /** From firing to the first acknowledgement, or the first work on it. */
  readonly toAcknowledge?: Took;
  /** From firing to the end of the trouble. */
  readonly toResolve?: Took;
};

/** What happened in a shift. */
export type Report = {
  readonly total: ReportLine & { readonly openAtEnd: number };
  readonly byDistrict: readonly (ReportLine & { readonly district: string })[];
  readonly byRule: readonly (ReportLine & { readonly rule: string; readonly title: string })[];
};
