/** What can be played into the service beside its real sensors, and what can be recorded of it. */
export const SCENARIO_NAMES = ["ordinary-day", "episode", "outage", "storm"] as const;
export type ScenarioName = (typeof SCENARIO_NAMES)[number];

/** Sensors and districts of a run are called so, that nobody takes them for real ones and no real one gets their values. */
export const SIMULATED_PREFIX = "sim-";

export const RUN_MINUTES_MAX = 240;
export const RECORDING_MINUTES_MAX = 1_440;

export type RunQuestion = {
  readonly source: { readonly scenario: ScenarioName } | { readonly recording: string };
  readonly speed: number | "max";
  /** Only these districts of it. */
  readonly districts?: readonly string[];
  /** It is stopped after so long. */
  readonly minutes: number;
};

type RunPhase = "preparing" | "reading" | "sending" | "booking" | "rules";

export type RunReport = {
  readonly sent: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly quarantined: number;
  readonly balanced: boolean;
  readonly alertsRaised: number;
};

/** One run; times are epoch milliseconds. */
export type Run = RunQuestion & {
  readonly id: string;
  readonly by: string;
  readonly startedAt: number;
  readonly endsAt: number;
  readonly phase: RunPhase;
  readonly done: number;
  readonly total: number;
  readonly ended?: {
    readonly at: number;
    readonly how: "done" | "stopped" | "failed";
    readonly reason?: string;
    readonly report?: RunReport;
  };
};

export type RecordingQuestion = {
  readonly name: string;
  /** Only these; all without. */
  readonly sensors?: readonly string[];
  readonly districts?: readonly string[];
  readonly minutes: number;
};

/** A recording on its way. */
export type RecordingNow = RecordingQuestion & {
  readonly by: string;
  readonly startedAt: number;
  readonly endsAt: number;
  readonly readings: number;
  readonly bytes: number;
  /** Readings that came while the disk was too slow. */
  readonly missed: number;
};

export type RecordingFile = { readonly name: string; readonly bytes: number; readonly at: number };

/** Not now, or not here: the message says why, for people. */
export class SimulationRefused extends Error {
  override readonly name = "SimulationRefused";
}
