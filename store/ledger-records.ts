import type { Kind } from "../model/kinds.ts";
import type { LedgerOutcome, LedgerRow } from "../model/ledger.ts";
import type { RollupPart } from "./reading-store.ts";

// Part of the records: see `records.ts`, which every user imports.

/** `identity`: items received and items with an outcome. `sums`: sums of the day and of its sensors, of any outcome. */
export type LedgerMistake = {
  readonly what: "identity" | "sums";
  readonly day: string;
  /** Only for `identity`. */
  readonly sensorId?: string;
  readonly booked: number;
  readonly found: number;
};

export type LedgerRecords = {
  /** Adds to the books; call it in the transaction that moves the offset. */
  add(rows: Iterable<LedgerRow>): void;
  /** Sums, all or of some; grouped as asked. */
  totals(filter?: { day?: string; sensors?: readonly string[] }): ReadonlyMap<LedgerOutcome, number>;
  byDay(limitDays: number, sensorId?: string): readonly { day: string; outcomes: ReadonlyMap<LedgerOutcome, number> }[];
  bySensor(day?: string): readonly { sensorId: string; outcomes: ReadonlyMap<LedgerOutcome, number> }[];
  /** Where the books of a day contradict themselves, at most so many. */
  mistakes(day: string, limit: number): readonly LedgerMistake[];
  /** Newest first. */
  days(): readonly string[];
  /** |received - outcomes| over all days: 0 unless something is wrong. Cheap. */
  imbalance(): number;
};

/** What was booked as stored or quarantined and is gone on purpose, by sensor: the books less this is what is there. */
export type Removable = "readings" | "quarantined";

/** Readings about to be removed: all of a kind that are measured, and received, before this moment. */
export type RemovalPlan = {
  readonly kind: Kind;
  readonly before: number;
  readonly counts: ReadonlyMap<string, number>;
};

export type RemovalRecords = {
  counts(what: Removable): ReadonlyMap<string, number>;
  add(what: Removable, removed: ReadonlyMap<string, number>): void;
  /** Written down before the store is told, because the store is another file: one plan for each kind. */
  plan(plan: RemovalPlan): void;
  plans(): readonly RemovalPlan[];
  /** Books what was removed and forgets the plan. */
  settle(kind: Kind, removed: ReadonlyMap<string, number>): void;
};

// ---- what is known of the reading store --------------------------------------------------------------------------

/** `day`: the start of the UTC day it was measured on, in epoch milliseconds. `count` may be negative: what is lost. */
export type StoredCount = {
  readonly kind: Kind;
  readonly day: number;
  readonly sensorId: string;
  readonly count: number;
};

export type StoreStateRecords = {
  /** A JSON value, or undefined. */
  get(name: string): unknown;
  /** `undefined` forgets it. */
  set(name: string, value: unknown): void;
  /** Adds what was booked as stored; call it in the transaction that moves the offset. */
  count(rows: Iterable<StoredCount>): void;
  /** By sensor, what was booked as stored of one day; only what is above 0. */
  counts(kind: Kind, day: number): ReadonlyMap<string, number>;
  /** Those with something booked, newest first. */
  days(): readonly number[];
  forgetBefore(day: number): void;
};

// ---- rollups ----------------------------------------------------------------------------------------------------

/** `touched` counts bookings: a part is done only as it was when it was read. */
export type DuePart = RollupPart & { readonly touched: number };

export type RollupRecords = {
  /** These must be computed (again); call it in the transaction that books the readings. */
  touch(parts: Iterable<RollupPart>): void;
  /** By kind, day of receipt and start. */
  due(resolution: RollupPart["resolution"], startedBefore: number, limit: number): readonly DuePart[];
  /** They were computed. The days of hours become due with it. */
  done(parts: readonly DuePart[]): void;
  /** Whether something measured and received before these times is still to be computed. */
  hasDue(kind: Kind, before: number, receivedBefore: number): boolean;
  firstDue(kind: Kind, resolution: RollupPart["resolution"]): number | undefined;
  /** Some of what was measured before this time has been removed, or (`pending`) may have been: the removal has begun. */
  cut(kind: Kind, resolution: "raw" | "hourly"): { readonly at: number; readonly pending: boolean } | undefined;
  beginCut(kind: Kind, resolution: "raw" | "hourly", at: number): void;
  /** Without anything removed the cut stays where it was. It never goes back. */
  endCut(kind: Kind, resolution: "raw" | "hourly", hasRemoved: boolean): void;
};
