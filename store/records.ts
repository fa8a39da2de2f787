import type { Alert, AlertState, Audience, Handling, Severity, TimelineEntry, Transition } from "../model/alert.ts";
import type { Kind } from "../model/kinds.ts";
import type { LedgerOutcome, LedgerRow } from "../model/ledger.ts";
import type { Account, Credential } from "../model/people.ts";
import type { Reason, Rejection } from "../model/rejection.ts";
import type { RuleChange } from "../model/rule-change.ts";
import type { Silence } from "../model/silence.ts";
import type { OutboxRecords, RecipientRecords, TargetRecords } from "./outbox-records.ts";
import type { RollupPart } from "./reading-store.ts";

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
  readonly offsets: OffsetRecords;
  readonly audit: AuditRecords;
  readonly targets: TargetRecords;
  readonly outbox: OutboxRecords;
  readonly recipients: RecipientRecords;
  /** All or nothing; nested calls join the outer transaction. */
  transaction<T>(work: () => T): T;
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

export type SensorRecords = {
  /** From RAM: called for every reading. */
  get(id: string): Sensor | undefined;
  list(filter?: { district?: string; kind?: Kind }): readonly Sensor[];
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

export type { Delivery, Message, OutboxRecords, RecipientRecords, TargetRecords } from "./outbox-records.ts";

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
    change: { handling?: Handling; assignee?: string | null },
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

// ---- noise ------------------------------------------------------------------------------------------------------

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
  /** When people last heard of it. */
  readonly saidAt?: number;
  /** When to look at it again. */
  readonly dueAt?: number;
};

export type NoiseRecords = {
  get(alert: string): NoiseRow | undefined;
  save(row: NoiseRow): void;
  open(): readonly NoiseRow[];
  /** Those to look at by now, the longest due first. */
  due(now: number, limit: number): readonly NoiseRow[];
  /** Of one rule and subject: those that fired or ended after `time` (event time), in that order. */
  changedSince(series: string, time: number): readonly NoiseRow[];
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

export type QuarantineRecords = {
  /** Ignores one that is there already (same journalSeq and index). Payloads are kept up to 64 KiB. */
  add(rejections: readonly Rejection[]): void;
  get(id: number): QuarantineItem | undefined;
  /** Newest first. Payloads are left out of lists. */
  list(filter: QuarantineFilter, limit: number, cursor?: string): { items: QuarantineItem[]; next?: string };
  markRedriven(ids: readonly number[], by: string, now: number): void;
  count(): number;
  /** "" where the topic has no sensor. */
  countBySensor(): ReadonlyMap<string, number>;
  /** Storage limit: the oldest beyond `rowsMax` and those received before `time`. Booked with the removals. */
  prune(time: number, rowsMax: number): number;
};

// ---- ledger -----------------------------------------------------------------------------------------------------

export type { LedgerOutcome, LedgerRow } from "../model/ledger.ts";

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
