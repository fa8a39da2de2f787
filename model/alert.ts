import type { Kind } from "./kinds.ts";
import type { MetricName } from "./metrics.ts";

export const SEVERITIES = ["info", "warning", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];
export const AUDIENCES = ["operators", "crews"] as const;
export type Audience = (typeof AUDIENCES)[number];
export const STATES = ["pending", "firing", "resolved", "retracted"] as const;
export type AlertState = (typeof STATES)[number];
/** What people did about it. */
export const HANDLINGS = ["open", "acknowledged", "in-progress", "closed"] as const;
export type Handling = (typeof HANDLINGS)[number];

/** What a rule watches. In the first set of conditions always a sensor; `district` is there for the reader. */
export type Subject = { readonly sensorId?: string; readonly district?: string; readonly gateway?: string };

/** A reading an alert rests on, as it was at the time. */
export type Evidence = {
  readonly measuredAt: number;
  readonly metric?: MetricName;
  readonly value?: number;
  readonly quality?: "suspect";
  /** For windows: the mean over `[from, measuredAt)` and how many readings it rests on. */
  readonly window?: { readonly from: number; readonly samples: number; readonly expected?: number };
  readonly note?: string;
};

export type TimelineEntry = {
  /** When it was so (event time for the engine's entries, wall clock for people's). */
  readonly at: number;
  /** When the service knew. */
  readonly knownAt: number;
  readonly what: string;
  readonly by?: string;
  readonly note?: string;
};

export type Alert = {
  /** Deterministic for the engine's alerts (rule, subject, start), so that a replay after a crash cannot double it. */
  readonly id: string;
  readonly rule: { readonly id: string; readonly version: string; readonly title: string; readonly source: string };
  readonly subject: Subject;
  /** "service": about Lamppost itself, not about what a sensor says. */
  readonly kind: Kind | "service";
  readonly severity: Severity;
  readonly audience: Audience;
  readonly state: AlertState;
  readonly handling: Handling;
  readonly assignee?: string;
  /** When the condition began to hold. */
  readonly startedAt: number;
  /** When it turned from pending to firing. */
  readonly firedAt?: number;
  readonly resolvedAt?: number;
  readonly metric?: MetricName;
  readonly value?: number;
  readonly limit?: number;
  readonly unit?: string;
  readonly explanation: string;
  readonly evidence: readonly Evidence[];
  readonly timeline: readonly TimelineEntry[];
  readonly suppressedBy?: string;
};

/** The engine's verdict at one moment: an alert as it now is, and the entry to add to its timeline. */
export type Transition = {
  readonly alert: Omit<Alert, "handling" | "assignee" | "timeline" | "suppressedBy">;
  readonly entry: TimelineEntry;
};
