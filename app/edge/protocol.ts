import type { AccessEvent } from "../../broker/events.ts";
import type { BrokerOptions } from "../../broker/options.ts";
import type { Shed } from "../../broker/publish-gate.ts";
import type { JournalChunk, JournalState, RecoveryReport } from "../../ingest/journal/journal.ts";
import type { Figure } from "../../model/health.ts";
import type { KeptSession, Replay, SessionKeeper } from "../../model/kept-session.ts";
import type { NewMessage } from "../../model/message.ts";
import type { Credential } from "../../model/people.ts";
import type { TlsMaterial } from "../../model/tls.ts";

/** What the two threads say to each other. Everything is plain data; bytes are transferred, not copied. */
export type EdgeStart = {
  readonly journalDir: string;
  readonly diskFreeBytesMin: number;
  readonly logLevel: string;
  /** The consumers' offsets: numbers up to the highest are taken, records from the lowest on should be there. */
  readonly booked?: { readonly lowest: number; readonly highest: number };
  /** For the fault harness only, see `createFaultPoint`. */
  readonly faultAt?: string;
  readonly segmentBytes?: number;
  /** How long, and up to how many bytes, what every consumer has passed stays in the journal. */
  readonly journalKeep: { readonly forMs: number; readonly bytesMax: number };
  /** Some numbers both threads see at once, see `SHARED`. */
  readonly shared: SharedArrayBuffer;
};

export type ListenOptions = {
  readonly host: string;
  readonly port?: number | undefined;
  readonly webSocket: boolean;
  readonly tls?: BrokerOptions["tls"];
  readonly limits: Partial<BrokerOptions>;
  readonly credentials: readonly Credential[];
  readonly keptSessions: readonly KeptSession[];
};

export type Publication = {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1;
  readonly retain?: boolean;
  /** The number of the change of an alert that it tells. */
  readonly event?: number;
};

/** What the broker asks of the records: see `SessionKeeper`. */
export type SessionQuestion =
  | { readonly what: "save"; readonly session: Parameters<SessionKeeper["save"]>[0] }
  | { readonly what: "replay"; readonly after: number };
export type SessionAnswer = { readonly cursor: number } | Replay;

export type ToEdge =
  | { readonly type: "listen"; readonly options: ListenOptions }
  | { readonly type: "credential"; readonly name: string; readonly credential?: Credential }
  | { readonly type: "tls"; readonly material: TlsMaterial }
  | { readonly type: "disconnect"; readonly name: string }
  | { readonly type: "append"; readonly id: number; readonly messages: readonly NewMessage[] }
  | { readonly type: "publish"; readonly id: number; readonly publication: Publication }
  | { readonly type: "forward"; readonly publications: readonly Publication[]; readonly bytes: number }
  | { readonly type: "answer"; readonly id: number; readonly answer?: SessionAnswer; readonly error?: PlainError }
  | { readonly type: "release"; readonly offset: number; readonly heldFrom: number }
  | { readonly type: "close"; readonly deadline: number };

export type Address = { readonly host: string; readonly port: number; readonly tlsPort?: number };
export type EdgeState = {
  readonly journal: JournalState;
  /** Senders that have had their share of a nearly full disk, as `senderKey`. */
  readonly held: readonly string[];
  readonly figures: readonly Figure[];
};
/** An error crosses the threads as its message and, for the journal's, its state. */
export type PlainError = {
  readonly message: string;
  readonly state?: "full" | "failed" | "closed" | "over_share";
  /** What the system said of a file or port that could not be had. */
  readonly code?: string;
  readonly syscall?: string;
  readonly path?: string;
  readonly port?: number;
};

export type FromEdge =
  | { readonly type: "opened"; readonly recovery: RecoveryReport }
  | { readonly type: "listening"; readonly address: Address }
  | { readonly type: "not-listening"; readonly error: PlainError }
  | { readonly type: "failed"; readonly error: PlainError }
  | { readonly type: "chunk"; readonly chunk: JournalChunk }
  | { readonly type: "advanced"; readonly to: number }
  | { readonly type: "done"; readonly id: number; readonly error?: PlainError }
  | { readonly type: "event"; readonly event: AccessEvent }
  | { readonly type: "state"; readonly state: EdgeState }
  | { readonly type: "ask"; readonly id: number; readonly question: SessionQuestion }
  | { readonly type: "new-secret"; readonly name: string; readonly secretHash: string }
  | { readonly type: "session-progress"; readonly progress: Parameters<SessionKeeper["progress"]>[0] }
  | { readonly type: "session-forgotten"; readonly name: string; readonly clientId: string }
  | { readonly type: "shed"; readonly shed: readonly Shed[] }
  | { readonly type: "closed" };

/** Places in `EdgeStart.shared`, 32 bits each. */
export const SHARED = {
  /** Bytes of chunks on their way to the core. */
  chunkBytes: 0,
  /** MQTT connections that may hear readings: while there is none, no reading is written out for them. */
  listeners: 1,
  /** Bytes on their way to them. */
  forwardBytes: 2,
  /** The number of the first message that the rules have not taken, its lowest 32 bits. */
  taken: 3,
} as const;

/** Readings for MQTT subscribers are skipped while this much of them waits for the edge thread. */
export const FORWARD_BYTES_IN_FLIGHT_MAX = 8 * 1024 * 1024;

/**
 * The journal's disk is the queue between the threads, not the memory of a message port: when the core is this far
 * behind, the edge only says how far the journal goes, and the core reads the rest from the segments.
 */
export const CHUNK_BYTES_IN_FLIGHT_MAX = 32 * 1024 * 1024;
