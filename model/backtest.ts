import type { Transition } from "./alert.ts";

/** `from <= time < to`, epoch milliseconds. */
export type Span = { readonly from: number; readonly to: number };

export type Figures = {
  readonly alerts: number;
  readonly alertsPerDay: number;
  /** Time in which alerts were firing within the span, summed over the alerts. */
  readonly minutesFiring: number;
  /** Said and then taken back by a late reading. */
  readonly retracted: number;
};
export type RuleFigures = Figures & { readonly rule: string };
export type SubjectFigures = RuleFigures & { readonly subject: string };

/** An alert as a backtest tells it: as in the records, without what only the live service knows. */
export type BacktestAlert = Omit<Transition["alert"], "mode"> & {
  /** What happened to it, by event time. Unlike in the records it does not say when the service knew. */
  readonly timeline: readonly { readonly at: number; readonly what: string; readonly note?: string }[];
};

export type BacktestResult = Span & {
  readonly readings: number;
  readonly figures: Figures;
  readonly byRule: readonly RuleFigures[];
  /** The noisiest first. */
  readonly bySubject: readonly SubjectFigures[];
  /** By start. */
  readonly alerts: readonly BacktestAlert[];
  /** Alerts beyond the limit of those that are kept: counted nowhere else. */
  readonly dropped: number;
  /** Rules that threw. */
  readonly failures: readonly { readonly rule: string; readonly failure: string }[];
};
