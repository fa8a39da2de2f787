import type { Readable } from "node:stream";
import type { LedgerCheck, LedgerTrace, StoreReportView, WholeLedger } from "../contract/ledger.ts";
import type { MapFileView } from "../contract/map.ts";
import type { BaseView, MappingChange, MappingCheckView, MappingTrialView } from "../contract/mapping.ts";
import type { SensorFaults } from "../contract/reading.ts";
import type { RuleAuthor, RuleChange, RuleEntry, RuleOutcome } from "../contract/rule.ts";
import type { RecordingFile, RecordingNow, RecordingQuestion, Run, RunQuestion } from "../contract/simulation.ts";
import type { Background } from "../model/background.ts";
import type { Correction, NewCorrection } from "../model/correction.ts";
import type { Figure, Health } from "../model/health.ts";
import type { Kind } from "../model/kinds.ts";
import type { LedgerQuery } from "../model/ledger.ts";
import type { Log } from "../model/log.ts";
import type { Message, NewMessage, UnmappedSender } from "../model/message.ts";
import type { MetricName } from "../model/metrics.ts";
import type { Newest } from "../model/newest.ts";
import type { Photo } from "../model/photo.ts";
import type { Reading, Values } from "../model/reading.ts";
import type { Reason, Rejection } from "../model/rejection.ts";
import type { Rule, RuleData } from "../model/rule.ts";
import type { Target } from "../model/target.ts";
import type { ReadingTopic } from "../model/topics.ts";
import type { Zone } from "../model/zone.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import type { QuarantineItem } from "../store/records/quarantine.ts";
import type { Records } from "../store/records.ts";
import type { Limits } from "./limits.ts";

/** The names a loopback listener answers to. */
export const LOOPBACK_HOSTS: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/** All the API needs from the rest of the service; `app.ts` wires it. */
export type ApiDeps = {
  /** The city's: whose days steps of a day are. */
  readonly zone?: Zone;
  readonly records: ApiRecords;
  readonly store: Pick<ReadingStore, "stream" | "aggregate" | "latest" | "limits">;
  readonly photos: {
    add(about: Pick<Photo, "alert" | "type" | "by">, content: Uint8Array): Promise<Photo | "many" | "full">;
    read(photo: Photo): Promise<Buffer>;
  };
  /**
   * Resolves when the messages are on disk (fsynced). Rejects with an Error that has `state: "full" | "failed" |
   * "closed"` when they could not be kept: the answer is then 503 and the sender tries again.
   */
  submit(messages: NewMessage[]): Promise<void>;
  /** The verdict of the worker on one flat reading (`{measuredAt?, seq?, pm25, …}`), without keeping it. */
  check(at: ReadingTopic, value: Readonly<Record<string, unknown>>, receivedAt: number): Checked;
  rules(): readonly Rule[];
  readonly ruleBook: RuleDeps;
  readonly ledger: LedgerDeps;
  examineStore(): Promise<StoreReportView>;
  /** Appends these quarantined messages to the journal again; how many it did. */
  redrive(
    ids: readonly number[],
    by: string,
    /** The payload that is sent in place of the one that is kept; undefined: it is left. */
    edit?: (item: QuarantineItem) => Uint8Array | undefined,
  ): Promise<number>;
  /** What is refused of sensors lately, and which of their fields are not taken. */
  readonly faults: {
    of(sensorId: string): Omit<SensorFaults, "sensorId">;
    list(after: string): Iterable<SensorFaults>;
    /** It was mended or dismissed. */
    forget(sensorId: string, fault: { readonly reason: Reason; readonly metric?: MetricName | undefined }): void;
  };
  readonly notifications: NotificationDeps;
  /** Copies of everything as a tar archive, or why there is none now. */
  backup(signal: AbortSignal): Promise<{ readonly archive: Readable } | { readonly refused: string }>;
  readonly simulations: SimulationDeps;
  health(): readonly Health[];
  figures(): readonly Figure[];
  readonly live: LiveReadings;
  readonly corrections: CorrectionDeps;
  readonly map: MapDeps;
  readonly mappings: MappingDeps;
  /** What a quarantined conflict brought, as it would be stored; undefined where that cannot be told. */
  conflictOf(item: QuarantineItem): Pick<Reading, "sensorId" | "kind" | "measuredAt" | "values" | "raw"> | undefined;
  /** Closes the MQTT connections of an account whose credential was removed. */
  disconnect(name: string): void;
  now(): number;
  /** The time for what ends by its age: it believes a leap of the clock only when that has stood for a day. */
  settled?(): number;
  readonly background: Pick<Background, "every" | "handler">;
  readonly log: Log;
  readonly options: ApiOptions;
};

type ApiRecords = Pick<
  Records,
  | "sensors"
  | "credentials"
  | "registerImports"
  | "sessions"
  | "alerts"
  | "incidents"
  | "silences"
  | "crews"
  | "districts"
  | "undos"
  | "photos"
  | "noise"
  | "events"
  | "quarantine"
  | "edits"
  | "corrections"
  | "calibrations"
  | "ledger"
  | "audit"
  | "targets"
  | "outbox"
  | "ruleStats"
  | "rollups"
  | "views"
  | "push"
  | "handover"
  | "annotations"
  | "walls"
  | "transaction"
>;

type NotificationDeps = {
  /** Why a target could never be told as the service is set up; undefined when nothing speaks against it. */
  check(target: Pick<Target, "type" | "url">): string | undefined;
  /** One attempt with a made-up alert; undefined when there is no such target. */
  test(id: string): Promise<{ readonly sent: true } | { readonly error: string } | undefined>;
};

export type Checked =
  | {
      readonly ok: true;
      readonly measuredAt: number;
      /** Values that are not taken, while the reading is. */
      readonly refused: readonly { readonly metric: string; readonly reason: Reason; readonly detail: string }[];
      /** Fields that are no metrics. */
      readonly ignored: readonly { readonly name: string; readonly detail: string }[];
    }
  | { readonly reason: Reason; readonly detail: string };

type LedgerDeps = {
  read(query: LedgerQuery): Promise<WholeLedger>;
  /** Counts everything again, as long as somebody waits for it. Throws `StoreError` when the store does not answer. */
  verify(signal?: AbortSignal): Promise<LedgerCheck>;
  trace(sensorId: string, measuredAt: number, signal?: AbortSignal): Promise<LedgerTrace>;
};

export type ReadingsListener = (readings: readonly Reading[], missed?: number) => void;

export type LiveReadings = {
  /** The newest reading of each sensor since the service started. */
  latest(filter?: { sensorId?: string; district?: string; kind?: Kind }): readonly Newest[];
  /** The same of one sensor. */
  find(kind: Kind, sensorId: string): Newest | undefined;
  /** How many there are. */
  count(): number;
  /** What is known of a sensor's connection: `online` from its status topic, absent if it never said. */
  seen(sensorId: string): { readonly online?: boolean; readonly lastSeenAt?: number } | undefined;
  /** Every decoded batch, and about how many readings were skipped before it; returns how to stop. */
  subscribe(listener: ReadingsListener): () => void;
};

type PageOptions = {
  /** The folder of the built web page; it may be missing. */
  readonly dir: string;
  /** Anyone may see the city page, without people and crews' warnings. */
  readonly isPublic: boolean;
  /** Where browsers get map tiles from, with {z}, {x} and {y}; without it the map is drawn from the sensors alone. */
  readonly tilesUrl?: string;
  /** Whom the tiles are owed to, or the files: shown on every map. */
  readonly mapAttribution?: string;
};

/** The files that maps are drawn from. `put` and `range` reject with an Error named `MapFileRefused` or `MapFileBusy`. */
export type MapDeps = {
  list(): readonly MapFileView[];
  /** One piece after the other; answers the file with the last one. */
  put(name: string, offset: number, bytes: Buffer, isLast: boolean): Promise<MapFileView | undefined>;
  /** False: no admin has sent one of this name. */
  remove(name: string): Promise<boolean>;
  /** Undefined where there is no such file or place in it; both ends included. */
  range(
    name: string,
    first: number,
    last: number,
  ): Promise<{ readonly bytes: Buffer; readonly first: number; readonly total: number } | undefined>;
  /** All of a GeoJSON file, by gzip. */
  whole(name: string): Promise<Buffer> | undefined;
};

export type ApiOptions = {
  readonly version: string;
  readonly page: PageOptions;
  /**
   * Host names a request may carry (without port). Set it when bound to loopback, against DNS rebinding;
   * undefined lets any name in.
   */
  readonly hostsAllowed?: readonly string[];
  /** Any name may be asked for over HTTPS: a page of another site has no certificate of its own name from here. */
  readonly tlsAnyHost?: boolean;
  /** HTTPS is the only way in from other machines: browsers may remember that. */
  readonly tlsOnly?: boolean;
  /** Addresses of proxies whose X-Forwarded-For is believed. */
  readonly proxiesTrusted?: readonly string[];
  /** Other machines of the city (store, broker, mail server), which `/readyz` names only to those who may view. */
  readonly hostsHidden?: readonly string[];
  readonly limits?: Partial<Limits>;
};

/** What the API needs of the rules. */
export type RuleDeps = {
  entries(): readonly RuleEntry[];
  entry(id: string): RuleEntry | undefined;
  /** Rules that are out of use because they threw. */
  failures(): readonly { readonly rule: string; readonly failure: string }[];
  /**
   * The mistakes of a rules file that is not in force, with their places: the answer of `POST /rules/check` as JSON.
   * Rejects with an Error named `RulesTooHard`, or with the signal's reason; so does `parse`.
   */
  check(yaml: string, signal: AbortSignal): Promise<Uint8Array>;
  /** Rules as data, or the mistakes of the first that has some. */
  parse(rules: readonly unknown[], signal: AbortSignal): Promise<ParsedRules>;
  put(id: string, value: unknown, author: RuleAuthor): RuleOutcome;
  promote(id: string, author: RuleAuthor): RuleOutcome;
  /** Back to the file's version, or gone if it stands in no file. */
  remove(id: string, author: RuleAuthor): RuleOutcome;
  versions(id: string, limit: number, cursor?: string): { readonly items: RuleChange[]; readonly next?: string };
  /** A `BacktestView` as JSON. Rejects with an Error named `BacktestBusy`, or with the signal's reason. */
  backtest(question: BacktestQuestion, signal: AbortSignal): Promise<Uint8Array>;
};

export type ParsedRules =
  | { readonly rules: readonly RuleData[] }
  | { readonly mistakes: readonly { index: number; path: readonly (string | number)[]; message: string }[] };

export type BacktestQuestion = {
  /** Rules they count the alerts of are added where they are in force. */
  readonly rules: readonly RuleData[];
  readonly from: number;
  readonly to: number;
  readonly warmUpMs: number;
  readonly sensorId?: string;
  readonly by: string;
};

/** What a correction changes, or its revoking. */
export type CorrectionEffect = {
  readonly readings: number;
  readonly examples: readonly {
    readonly before?: CorrectedMoment | undefined;
    readonly after?: CorrectedMoment | undefined;
  }[];
  readonly hours: number;
  readonly alerts: number;
  readonly notes: readonly string[];
};
type CorrectedMoment = { readonly measuredAt: number; readonly values: Values };
/** Without an effect: it was so before. */
type CorrectionDone = { readonly correction: Correction; readonly effect?: CorrectionEffect };

/** Reject with an Error named `CorrectionRefused` where it cannot be. */
type CorrectionDeps = {
  /** A reading as its sensor's corrections leave it, undefined where nothing of it is left. From RAM. */
  read(reading: Reading): Reading | undefined;
  /** Goes up with each that comes or goes. */
  changes(): number;
  dryRun(kind: Kind, correction: NewCorrection, signal?: AbortSignal): Promise<CorrectionEffect>;
  add(kind: Kind, correction: NewCorrection, signal?: AbortSignal): Promise<CorrectionDone>;
  /** Undefined if there is none. */
  revoke(
    id: number,
    kindOf: (sensorId: string) => Kind,
    by: string,
    reason: string,
    signal?: AbortSignal,
  ): Promise<CorrectionDone | undefined>;
};

/** A mapping in force. */
export type MappingEntry = {
  readonly change: MappingChange;
  readonly format: string;
  readonly title?: string;
  /** How many it names. */
  readonly sensors: number;
  readonly topics: readonly string[];
};

type MappingMistake = MappingCheckView["mistakes"][number];
type MappingOutcome =
  | MappingEntry
  | { readonly removed: true }
  | { readonly mistakes: readonly MappingMistake[] }
  | { readonly refused: "conflict" | "missing"; readonly detail: string };
type MappingAuthor = { readonly by: string; readonly reason: string; readonly ifVersion?: number };
type Texts = Readonly<Record<string, string | undefined>> | undefined;
type AskedOfDoor = {
  readonly topic?: string | undefined;
  readonly headers?: Texts;
  readonly query?: Texts;
  readonly path?: string | undefined;
};

/** What will become of one item of a message, as far as its format and its mapping can tell. */
export type DoorOutcome = {
  readonly reason?: Reason;
  readonly detail?: string;
  readonly sensorId?: string;
  readonly measuredAt?: string;
};

/** One mapping as the HTTP door sees it. */
export type Door = {
  readonly id: string;
  readonly format: string;
  /** What its sender is told when its message is kept. */
  readonly answer: number;
  /** The header that has the secret. */
  readonly header?: string;
  /** What a message that came so has as its topic. */
  topic(asked: AskedOfDoor): string;
  /** Messages of a size that the journal takes; undefined if that cannot be done. */
  cut(body: Uint8Array): readonly Uint8Array[] | undefined;
  uncompress(body: Uint8Array, bytesMax: number): Uint8Array | undefined;
  look(topic: string, payload: Uint8Array, receivedAt: number): readonly DoorOutcome[];
  /** Whether a body is a list. */
  isList(body: Uint8Array): boolean;
};

/** What the API needs of the mappings. */
export type MappingDeps = {
  entries(): readonly MappingEntry[];
  entry(id: string): MappingEntry | undefined;
  put(id: string, yaml: string, author: MappingAuthor): MappingOutcome;
  remove(id: string, author: MappingAuthor): MappingOutcome;
  versions(id: string, limit: number, cursor?: string): { readonly items: MappingChange[]; readonly next?: string };
  check(yaml: string): readonly MappingMistake[];
  /** undefined: there is no such mapping. */
  attempt(
    by: { readonly yaml: string } | { readonly mapping: string },
    asked: AskedOfDoor,
    payload: Uint8Array,
    receivedAt: number,
  ): MappingTrialView | undefined;
  unmapped(): readonly UnmappedSender[];
  /** Which mapping would take this sender, or a new one; undefined where what it was sent to is not there any more. */
  suggest(
    sender: UnmappedSender,
    district: string | undefined,
  ): Promise<{ readonly mapping: string; readonly isNew: boolean; readonly yaml: string } | undefined>;
  /** The last message that it has read. */
  lastRead(id: string): Message | undefined;
  /** Whether it would read this message of the quarantine, driven again. */
  isFor(id: string, rejection: Rejection): boolean;
  bases(): readonly BaseView[];
  door(id: string): Door | undefined;
};

/** Scenarios and recordings, as the API needs them. What cannot be done now throws `SimulationRefused`. */
export type SimulationDeps = {
  /** Why nothing can run here. */
  refusal(): string | undefined;
  districts(): readonly string[];
  current(): Run | undefined;
  last(): Run | undefined;
  start(asked: RunQuestion, by: string): Run;
  /** False if it does not run. */
  stop(id: string): boolean;
  readonly recordings: {
    list(): readonly RecordingFile[];
    current(): RecordingNow | undefined;
    start(asked: RecordingQuestion, by: string): RecordingNow;
    stop(name: string): boolean;
    remove(name: string): boolean;
    read(name: string): Readable | undefined;
  };
};
