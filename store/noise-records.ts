import type { Alert } from "../model/alert.ts";
import type { Silence } from "../model/silence.ts";

// Part of the records: see `records.ts`, which every user imports.

export type SilenceRecords = {
  add(silence: Omit<Silence, "id">): Silence;
  /** Undefined if there is none or somebody has ended it before. */
  end(id: number, at: number, by: string): Silence | undefined;
  get(id: number): Silence | undefined;
  /** Newest first. `ended`: somebody ended it, or its time was over at `at`. */
  list(filter: { ended?: boolean; at: number }, limit: number, cursor?: string): { items: Silence[]; next?: string };
  /** From RAM: those nobody has ended; the time of some may be over. */
  current(): readonly Silence[];
};

/** What people have been told of an alert. `told - ended` is 1 while they are owed its end, else 0. */
export type NoiseRow = {
  readonly alert: string;
  /** Rule and subject. */
  readonly series: string;
  readonly about: Pick<Alert, "subject" | "kind" | "severity" | "audience"> & { readonly rule: string };
  /** It fires. */
  readonly open: boolean;
  /** Event time, and when the service knew. */
  readonly firedAt: number;
  readonly firedKnownAt: number;
  readonly endedAt?: number;
  readonly endedKnownAt?: number;
  readonly suppressedBy?: string;
  /** Not told before this: a cause may come that explains it. */
  readonly holdUntil: number;
  /** How often its firing and its end were told, and how often people were reminded. */
  readonly told: number;
  readonly ended: number;
  readonly reminders: number;
  /** Audience and severity as they were when it was told. */
  readonly toldAs?: string;
  /** When people last heard of it. */
  readonly saidAt?: number;
  /** When to look at it again. */
  readonly dueAt?: number;
};

export type NoiseRecords = {
  get(alert: string): NoiseRow | undefined;
  save(row: NoiseRow, former?: NoiseRow): void;
  open(): readonly NoiseRow[];
  /** Those to look at by now, the longest due first. */
  due(now: number, limit: number): readonly NoiseRow[];
  /** Of one rule and subject: those that fired or ended after `time` (event time), in that order, the first of them. */
  changedSince(series: string, time: number, limit: number): readonly NoiseRow[];
  /** Of one rule and subject: those whose end people are owed. */
  owed(series: string): readonly NoiseRow[];
  /** When the service last learnt of a change of this rule and subject. */
  newestChange(series: string): number | undefined;
  /** Where an alert of a rule stands in the city's trees ("gateway:gw-1"); no places once it has ended. */
  place(alert: string, rule: string, places: readonly string[]): void;
  /** Ids of the alerts of a rule that stand there. */
  at(rule: string, place: string): readonly string[];
  /** Firing alerts that are kept from being told, by what stands before ":" in `suppressedBy`, and those that wait. */
  counts(): { readonly suppressed: ReadonlyMap<string, number>; readonly held: number };
  /** Alerts whose firing or end has not been seen here: looks at all that are open. */
  unnoticed(): readonly string[];
};
