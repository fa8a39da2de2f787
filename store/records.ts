import type {
  Alert,
  AlertState,
  Audience,
  Handling,
  Review,
  Severity,
  TimelineEntry,
  Transition,
} from "../model/alert.ts";
import type { Kind } from "../model/kinds.ts";
import type { Account, Credential } from "../model/people.ts";
import type { Reason, Rejection } from "../model/rejection.ts";
import type { RuleChange } from "../model/rule-change.ts";
import type { LedgerRecords, RemovalRecords, RollupRecords, StoreStateRecords } from "./ledger-records.ts";
import type { NoiseRecords, SilenceRecords } from "./noise-records.ts";
import type { OutboxRecords, RecipientRecords, RuleStatsRecords, TargetRecords } from "./outbox-records.ts";

/**
 * Everything that is not a reading, in one SQLite file: small, relational, transactional. Each user takes the part it
 * needs. All calls are synchronous and throw on a database error; times are epoch milliseconds, `now` comes as an
 * argument where it matters.
 */
export type Records = {
  readonly sensors: SensorRecords;
  readonly credentials: CredentialRecords;
  readonly sessions: SessionRecords;
  readonly alerts: AlertRecords;
  readonly silences: SilenceRecords;
  readonly noise: NoiseRecords;
  readonly events: EventRecords;
  readonly ruleStates: RuleStateRecords;
  readonly ruleChanges: RuleChangeRecords;
  readonly quarantine: QuarantineRecords;
  readonly ledger: LedgerRecords;
  readonly removals: RemovalRecords;
  readonly rollups: RollupRecords;
  readonly storeState: StoreStateRecords;
  readonly offsets: OffsetRecords;
  readonly audit: AuditRecords;
  readonly targets: TargetRecords;
  readonly outbox: OutboxRecords;
  readonly recipients: RecipientRecords;
  readonly ruleStats: RuleStatsRecords;
  readonly dueTimes: {
    /** Whatever waits in the records for a time of the clock: moved with it (`before`: what it would say now). */
    clockSetBack(before: number, now: number): void;
  };
  /** All or nothing; nested calls join the outer transaction. */
  transaction<T>(work: () => T): T;
  /** A transaction that is on disk with the next one: for what the journal would say again. */
  relaxed<T>(work: () => T): T;
  close(): void;
};

// ---- sensors ----------------------------------------------------------------------------------------------------

export type Sensor = {
  readonly id: string;
  readonly kind: Kind;
  readonly district: string;
  readonly name?: string;
  readonly lat?: number;
  readonly lon?: number;
  /** Declared interval between readings; without it the rules estimate it. */
  readonly intervalS?: number;
  /** What the rules may select by, e.g. { "feeder": "f-12", "lane": "1" }. */
  readonly tags: Readonly<Record<string, string>>;
  /** The gateway that enrolled it, if it was first seen through one. */
  readonly gateway?: string;
  readonly createdAt: number;
};

export type SensorFilter = { readonly district?: string; readonly kind?: Kind };

export type SensorRecords = {
  /** From RAM: called for every reading. */
  get(id: string): Sensor | undefined;
  /** In order of their ids. All are looked at: not for every message. */
  list(filter?: SensorFilter): readonly Sensor[];
  /** The same from after this id on, one by one: who stops early looks at no more. */
  after(id: string | undefined, filter?: SensorFilter): Iterable<Sensor>;
  /** From RAM, at no cost. */
  count(): number;
  /** Throws `RecordConflict` if the id is taken. */
  add(sensor: Sensor): void;
  update(id: string, change: Partial<Omit<Sensor, "id" | "createdAt">>): Sensor | undefined;
  /** False if there was none. The readings stay. */
  remove(id: string): boolean;
  districts(): readonly { district: string; sensors: number; kinds: Readonly<Record<Kind, number>> }[];
};

// ---- credentials ------------------------------------------------------------------------------------------------

export type StoredCredential = Credential & { readonly createdAt: number; readonly createdBy: string };

export type CredentialRecords = {
  /** Throws `RecordConflict` if the name is taken. */
  add(credential: StoredCredential): void;
  remove(name: string): boolean;
  byName(name: string): StoredCredential | undefined;
  /** From RAM: the account whose secret has this SHA-256 (hex). */
  bySecretHash(hash: string): Account | undefined;
  list(role?: Account["role"]): readonly StoredCredential[];
  /** Called with every later change, so that the edge thread can follow. */
  onChange(listener: (change: { name: string; credential?: Credential }) => void): void;
};

// ---- sessions: people signed in on the page -----------------------------------------------------------------------

export type Session = { readonly account: string; readonly createdAt: number; readonly usedAt: number };

export type SessionRecords = {
  /** `idHash`: SHA-256 (hex) of the id in the cookie. The account must exist; removing it ends its sessions. */
  add(idHash: string, session: Session): void;
  get(idHash: string): Session | undefined;
  touch(idHash: string, at: number): void;
  remove(idHash: string): boolean;
  /** Least recently used first. */
  list(account: string): readonly (Session & { readonly idHash: string })[];
  removeOld(createdBefore: number, usedBefore: number): number;
  /** The hash (see `api/passwords.ts`) of a password someone chose; undefined where the generated one is the only one. */
  passwordHash(name: string): string | undefined;
  setPassword(name: string, hash: string, at: number): void;
};

// ---- notifications: in a file of their own ------------------------------------------------------------------------

export type {
  Delivery,
  Message,
  OutboxRecords,
  RecipientRecords,
  RuleStatsRecords,
  TargetRecords,
} from "./outbox-records.ts";

// ---- alerts -----------------------------------------------------------------------------------------------------

export type AlertFilter = {
  readonly state?: readonly AlertState[];
  readonly handling?: readonly Handling[];
  readonly severity?: readonly Severity[];
  readonly audience?: Audience;
  readonly district?: string;
  readonly kind?: Kind;
  readonly rule?: string;
  readonly sensor?: string;
  /** Kept from being told, or not. */
  readonly suppressed?: boolean;
  /** Alerts of rules that are being tried out are left out of every list and count unless asked for. */
  readonly mode?: "live" | "shadow";
};

export type AlertRecords = {
  /**
   * Creates or changes the alert, adds the timeline entry and an event, unless an entry with the same `what` and `at`
   * is there already (a replay after a crash): then nothing changes and the answer is undefined. `suppressedBy`: what
   * keeps it from being told; without it that stays as it was.
   */
  apply(transition: Transition, suppressedBy?: string): Alert | undefined;
  /** What keeps it from being told from now on; undefined: nothing. Adds the entry and an event. */
  suppress(id: string, suppressedBy: string | undefined, entry: TimelineEntry): void;
  /** What people do. Undefined if there is no such alert. Adds the entry and an event. */
  handle(
    id: string,
    change: { handling?: Handling; assignee?: string | null; review?: Review },
    entry: TimelineEntry,
  ): Alert | undefined;
  get(id: string): Alert | undefined;
  /** Newest start first; `cursor` is opaque, from a former page. Pending alerts are left out unless asked for. */
  list(filter: AlertFilter, limit: number, cursor?: string): { items: Alert[]; next?: string };
  countsByRule(filter?: AlertFilter & { sensors?: readonly string[] }): Readonly<Record<string, number>>;
  /** Those that something happened to in a time range (`from <= known < to`), and those that fired all along; oldest start first. */
  touched(range: { from: number; to: number }, limit: number): readonly Alert[];
  /** Open alerts of every state but resolved and retracted, for `/metrics`. */
  openCounts(): readonly { severity: Severity; audience: Audience; count: number }[];
};

// ---- noise: in a file of its own ----------------------------------------------------------------------------------

export type { NoiseRecords, NoiseRow, SilenceRecords } from "./noise-records.ts";

// ---- events: the resumable stream behind SSE and the MQTT alert topics --------------------------------------------

export type AlertEvent = { readonly id: number; readonly at: number; readonly what: string; readonly alert: Alert };

export type EventRecords = {
  /** Events after `id`, oldest first. */
  after(id: number, limit: number): readonly AlertEvent[];
  newestId(): number;
  /** Called after the transaction that wrote them has committed. */
  onEvent(listener: (event: AlertEvent) => void): void;
  deleteBefore(time: number): number;
};

export type RuleChangeRecords = {
  add(change: Omit<RuleChange, "id">): RuleChange;
  /** The newest change of each rule, by rule: what lies over the files. */
  newest(): readonly RuleChange[];
  /** Newest first. */
  of(rule: string, limit: number, cursor?: string): { items: RuleChange[]; next?: string };
};

export type RuleStateRecords = {
  /** Every (rule, subject) with its state as JSON text, for the start. */
  load(): Iterable<{ rule: string; subject: string; state: string }>;
  /** State "" removes the row. */
  save(rows: Iterable<{ rule: string; subject: string; state: string }>): void;
};

// ---- quarantine -------------------------------------------------------------------------------------------------

export type QuarantineItem = {
  readonly id: number;
  readonly rejection: Rejection;
  /** Set when it was driven again: when, by whom. */
  readonly redrivenAt?: number;
  readonly redrivenBy?: string;
};

export type QuarantineFilter = { readonly reason?: Reason; readonly sensorId?: string; readonly redriven?: boolean };

/** What waits for a quota and not for a person. */
export type WaitingReason = "enrolment_quota";

/** The oldest go first where there is more, and are booked as removed. */
export type QuarantineLimits = {
  readonly itemsMax: number;
  /** Of rows and payloads; SQLite's indexes come on top. */
  readonly bytesMax: number;
  /** What one sender may have of both: 0 to 1. An external broker stands for many and may have half. */
  readonly senderShare: number;
};

export type QuarantineRecords = {
  /** Ignores one that is there already (same journalSeq and index). Payloads are kept up to 64 KiB. */
  add(rejections: readonly Rejection[]): void;
  get(id: number): QuarantineItem | undefined;
  /** Newest first. Payloads are left out of lists. */
  list(filter: QuarantineFilter, limit: number, cursor?: string): { items: QuarantineItem[]; next?: string };
  markRedriven(ids: readonly number[], by: string, now: number): void;
  /** Who has items of this kind that wait to be driven again by themselves; as `formatSource` writes them. */
  senders(reason: WaitingReason): readonly string[];
  /** Their oldest such items with a payload. */
  waiting(reason: WaitingReason, sender: string, limit: number): readonly { id: number; sensorId: string }[];
  count(): number;
  /** What it holds, and how many were removed since the start because there was more than the limits allow. */
  use(): { readonly items: number; readonly bytes: number; readonly removed: number };
  /** Who has had items removed by the limits since it was last asked: for the audit. */
  overflow(): readonly { readonly sender: string; readonly removed: number }[];
  /** Those of messages from `from` to `to - 1`, as `<journalSeq> <index>`; `*` for a whole message of a stranger. */
  places(from: number, to: number): ReadonlySet<string>;
  /** "" where the topic has no sensor. */
  countBySensor(): ReadonlyMap<string, number>;
  /** Storage limit: the oldest beyond `rowsMax` and those received before `time`. Booked with the removals. */
  prune(time: number, rowsMax: number): number;
};

// ---- ledger, removals, rollups: in a file of their own -----------------------------------------------------------

export type { LedgerOutcome, LedgerRow } from "../model/ledger.ts";
export type {
  DuePart,
  LedgerMistake,
  LedgerRecords,
  Removable,
  RemovalPlan,
  RemovalRecords,
  RollupRecords,
  StoredCount,
  StoreStateRecords,
} from "./ledger-records.ts";

export type OffsetRecords = {
  get(consumer: string): number | undefined;
  set(consumer: string, offset: number): void;
};

// ---- audit ------------------------------------------------------------------------------------------------------

export type AuditEntry = {
  readonly id: number;
  readonly at: number;
  readonly by: string;
  /** "device.add", "alert.acknowledge", "auth.refused", … */
  readonly what: string;
  readonly target: string;
  readonly detail?: string;
  /** SHA-256 over the former entry's hash and this entry: a chain that shows a removed or changed line. */
  readonly hash: string;
};

export type AuditRecords = {
  add(entry: { at: number; by: string; what: string; target: string; detail?: string }): void;
  /** Newest first. */
  list(limit: number, cursor?: string): { items: AuditEntry[]; next?: string };
  /** The first entry whose hash does not fit, if any. */
  verify(): { entries: number; brokenAt?: number };
};

export class RecordConflict extends Error {
  override readonly name = "RecordConflict";
}

/** The file was written by a newer version of the service. */
export class RecordsTooNew extends Error {
  override readonly name = "RecordsTooNew";
}
