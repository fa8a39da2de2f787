import type { Kind } from "./kinds.ts";
import type { RuleMetric } from "./metrics.ts";
import type { Says, Sentence } from "./sentence.ts";

export const NOTICES = ["firing", "resolved", "retracted", "escalated", "reminder"] as const;
export const SEVERITIES = ["info", "warning", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];
export const AUDIENCES = ["operators", "crews"] as const;
export type Audience = (typeof AUDIENCES)[number];
export const STATES = ["pending", "firing", "resolved", "retracted"] as const;
export type AlertState = (typeof STATES)[number];
/** Live ones are told; shadow: of a rule being tried out; history: of imported or old readings. */
export const ALERT_MODES = ["live", "shadow", "history"] as const;
export type AlertMode = (typeof ALERT_MODES)[number];
/** What people did about it. */
export const HANDLINGS = ["open", "acknowledged", "in-progress", "closed"] as const;
export type Handling = (typeof HANDLINGS)[number];

/** Of alerts about the service itself, which no rule of the city raises: its health, and its books. */
export const SERVICE_RULES = ["service-health", "ledger-imbalance"] as const;

/** What a rule watches: a sensor (then `district` is there for the reader), or a district, a gateway, all with one value of a tag. */
export type Subject = {
  readonly sensorId?: string;
  readonly district?: string;
  readonly gateway?: string;
  readonly tag?: { readonly name: string; readonly value: string };
};

export const VERDICTS = ["event", "sensor-fault", "unclear"] as const;
/** Is it the city or the sensor? `why`: the evidence in one sentence. */
export type Verdict = { readonly is: (typeof VERDICTS)[number]; readonly why: string };

/** When a forecast expects the limit: the best estimate and the interval around it. */
export type Expected = { readonly at: number; readonly from: number; readonly to: number };

export const REVIEWS = ["right", "wrong", "unclear"] as const;
/** What people said about whether the alert was right. The newest one counts. */
export type Review = {
  readonly is: (typeof REVIEWS)[number];
  readonly by: string;
  readonly at: number;
  readonly note: string;
};

/** The late reading that changed what had been said. */
export type Cause = { readonly sensorId: string; readonly measuredAt: number; readonly receivedAt: number };

/** A reading an alert rests on, as it was at the time. */
export type Evidence = {
  readonly measuredAt: number;
  readonly metric?: RuleMetric;
  readonly value?: number;
  readonly quality?: "suspect";
  /** For windows: the mean over `[from, measuredAt)` and how many readings it rests on. */
  readonly window?: { readonly from: number; readonly samples: number; readonly expected?: number };
  readonly note?: string;
  /** The note, for readers of any language. */
  readonly says?: Sentence;
};

export type TimelineEntry = {
  /** When it was so (event time for the engine's entries, wall clock for people's). */
  readonly at: number;
  /** When the service knew. */
  readonly knownAt: number;
  readonly what: string;
  readonly by?: string;
  readonly note?: string;
  /** The note of the service itself, for readers of any language. */
  readonly says?: Sentence;
  /** What was put in, and the ids of the photos that were taken. */
  readonly parts?: string;
  readonly photos?: readonly string[];
};

/** What people do that says whose turn it is. */
const TURNS: ReadonlySet<string> = new Set(["acknowledged", "assigned", "started", "returned", "closed", "reopened"]);

/** Why nobody outside can do it: it went back to the operators with these words, and none has taken it up again. */
export function returnedIn<E extends { readonly what: string }>(timeline: readonly E[]): E | undefined {
  const last = timeline.findLast(({ what }) => TURNS.has(what));
  return last?.what === "returned" ? last : undefined;
}

export type Alert = {
  /** Deterministic for the engine's alerts (rule, subject, start), so that a replay after a crash cannot double it. */
  readonly id: string;
  readonly rule: {
    readonly id: string;
    readonly version: string;
    readonly title: string;
    readonly source: string;
    /** The rule that this one, at this level, has taken the place of. */
    readonly formerly?: string;
  };
  readonly subject: Subject;
  /** "service": about Lamppost itself, not about what a sensor says. */
  readonly kind: Kind | "service";
  /** The current one: it rises and falls with the level. */
  readonly severity: Severity;
  /** Of a rule with levels: at which it is, 1 the mildest. */
  readonly level?: number;
  readonly audience: Audience;
  readonly state: AlertState;
  readonly handling: Handling;
  readonly assignee?: string;
  /** When the condition began to hold. */
  readonly startedAt: number;
  /** When it turned from pending to firing. */
  readonly firedAt?: number;
  readonly resolvedAt?: number;
  readonly metric?: RuleMetric;
  readonly value?: number;
  readonly limit?: number;
  readonly unit?: string;
  /** In English, on the city's clocks: what a program shows that knows no `says`. */
  readonly explanation: string;
  /** What it says, for readers of any language. Alerts of earlier versions have none. */
  readonly says?: Says;
  readonly evidence: readonly Evidence[];
  readonly timeline: readonly TimelineEntry[];
  /** What keeps it from being told, such as `silence:12`, `rule:gateway-outage` or `flapping`. */
  readonly suppressedBy?: string;
  /** Of which it is a part; nothing while it stands alone. */
  readonly incident?: string;
  /** Nobody is told: said by a rule that is being tried out, or of the past (imported readings, a backlog of days). */
  readonly mode?: "shadow" | "history";
  readonly verdict?: Verdict;
  readonly expected?: Expected;
  /** Ids of the alerts that a quorum counted. */
  readonly children?: readonly string[];
  readonly correctedBy?: Cause;
  readonly review?: Review;
};

/** What the rules say of an alert: without what people and the noise control add to it. */
type SaidAlert = Omit<Alert, "handling" | "assignee" | "timeline" | "suppressedBy" | "incident" | "review">;

export function saidOf({
  handling: _,
  assignee: _1,
  timeline: _2,
  suppressedBy: _3,
  review: _4,
  incident: _5,
  ...said
}: Alert): SaidAlert {
  return said;
}

/** The engine's verdict at one moment: an alert as it now is, and the entry to add to its timeline. */
export type Transition = {
  readonly alert: SaidAlert;
  readonly entry: TimelineEntry;
};

/** Something that people are to be told of an alert. The noise control decides that, the notifications how and when. */
export type Notice = {
  /** The same on every attempt and after every restart: what was told and when, of which alert. */
  readonly id: string;
  readonly at: number;
  readonly what: (typeof NOTICES)[number];
  readonly alert: Alert;
};
