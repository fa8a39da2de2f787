import type { Notice } from "../model/notice.ts";
import type { RuleStats } from "../model/rule-stats.ts";
import type { Target, TargetState } from "../model/target.ts";

/** Part of the records: see `records.ts`, which every user imports. */
export type TargetRecords = {
  /** From RAM, by id: read for every notice. */
  list(): readonly Target[];
  get(id: string): Target | undefined;
  /** Adds or replaces it; how it went with it before is forgotten. */
  put(target: Target): void;
  /** With everything that waits for it. False if there was none. */
  remove(id: string): boolean;
  state(id: string): TargetState;
  setState(id: string, state: TargetState): void;
  /** Called after the commit of a `put` or `remove`. */
  onChange(listener: (id: string) => void): void;
};

export type NewDelivery = {
  readonly target: string;
  readonly notice: Notice;
  /** Rows of a target with the same key go out as one message. */
  readonly groupKey?: string;
  readonly dueAt: number;
};

/** A notice on its way to a target. */
export type Delivery = {
  readonly id: number;
  readonly target: string;
  readonly notice: Notice;
  readonly firstDueAt: number;
  /** How often the target did not want it; that it could not be reached does not count. */
  readonly refusals: number;
};

/** What goes out as one message. `id` stays the same on every attempt, in every life of the service. */
export type Message = { readonly id: string; readonly deliveries: readonly Delivery[] };

export type Escalation = { readonly alert: string; readonly target: string; readonly dueAt: number };

export type OutboxRecords = {
  /**
   * Call it in the transaction of what is told. False if the target has this notice already. A row of an open group is
   * due with the group. Beyond about `pendingMax` rows that wait for a target, the oldest are given up.
   */
  add(delivery: NewDelivery, pendingMax: number): boolean;
  /**
   * What is to be sent to the target now, at most so many; the earliest due first, never a notice while an earlier one of
   * the same alert waits. A group comes alone and is closed by this: what comes later is another message.
   */
  next(target: string, now: number, limit: number): readonly Message[];
  /** The first moment after `now` at which something becomes due. */
  nextAt(target: string, now: number): number | undefined;
  sent(deliveries: readonly Delivery[], now: number): void;
  /** The target could not be reached: due again when the target's turn comes. */
  failed(deliveries: readonly Delivery[], error: string): void;
  /** The target did not want it: not again before `dueAt`. */
  refused(deliveries: readonly Delivery[], error: string, dueAt: number): void;
  /** Kept as failed, with the reason, until pruned. */
  giveUp(deliveries: readonly Delivery[], error: string, now: number): void;
  /** All that waits for the target and was due before this; how many. */
  giveUpBefore(target: string, dueBefore: number, error: string, now: number): number;
  /** Rows that wait, by target. */
  pending(): ReadonlyMap<string, number>;
  /** Forgets what was sent or given up before. */
  prune(doneBefore: number): number;
  /** Called after the commit that added rows, once for each target. */
  onAdded(listener: (target: string) => void): void;
};

/** Who was told of which alert, so that everyone who heard of it hears of its end; and who hears next if nobody answers. */
export type RecipientRecords = {
  add(alert: string, target: string): void;
  of(alert: string): readonly string[];
  /** The alert is over: forgets who was told and what would have been escalated. */
  forget(alert: string): void;
  escalate(escalation: Escalation): void;
  /** At most so many, the earliest first. */
  escalations(dueAt: number, limit: number): readonly Escalation[];
  nextEscalationAt(): number | undefined;
  escalated(escalation: Escalation): void;
};

export type RuleStatsRecords = {
  /** Of the days before `now`, by when the alerts began. The same work however many alerts there are, but for counting them. */
  of(rule: string, now: number, days: number): RuleStats;
};
