import type { Message, NewMessage } from "../../model/message.ts";

/**
 * The journal keeps every message before anything else happens to it. It is written on the edge thread, beside the
 * sockets, and read on the core thread; nothing outside this folder knows how it is kept.
 */
export type JournalWriter = {
  /**
   * Calls `done()` after the message is on disk (fsynced), `done(error)` if it could not be kept: then the caller must
   * not acknowledge. Calls come back in the order of the appends, except that a journal that is full, failed or closed
   * refuses at once. "full" is also said when too much waits for the disk. Messages gather while a sync is in flight.
   * @throws RangeError for a message larger than any door lets in (a record may have 128 KiB)
   */
  append(message: NewMessage, done: (error?: JournalError) => void): void;
  /**
   * Called after each commit, in order and before the appends are called back, with the records just committed. The
   * buffer is the listener's to transfer.
   */
  onCommit(listener: (chunk: JournalChunk) => void): void;
  /** Everything before this offset may be deleted; what is not before `heldFrom` stays while there is room for it. */
  release(offset: number, heldFrom?: number): void;
  state(): JournalState;
  /** Bytes that can still be taken before the journal is full; infinite where no room is kept free. Asks the disk. */
  room(): Promise<number>;
  /** Commits what was appended, then closes. */
  close(): Promise<void>;
};

/** Records `from` … `to - 1` as they stand in the file; `decodeChunk` opens them. */
export type JournalChunk = { readonly from: number; readonly to: number; readonly bytes: Uint8Array<ArrayBuffer> };

export type JournalState = {
  /** "full": the disk is (nearly) full, appends are refused and tried again by itself. "failed": restart needed. */
  readonly state: "open" | "full" | "failed";
  /** First sequence number still on disk, and the one after the last committed message: what waits is not counted. */
  readonly first: number;
  readonly next: number;
  readonly bytes: number;
  readonly commits: number;
};

/**
 * What opening found: a torn tail is cut, damage in the middle is kept aside and its missing numbers named: `from` …
 * `to - 1`. A gap may be named again at the next opening.
 */
export type RecoveryReport = {
  readonly first: number;
  readonly next: number;
  readonly tornBytes: number;
  readonly gaps: readonly { readonly from: number; readonly to: number; readonly segment: string }[];
};

export class JournalError extends Error {
  override readonly name = "JournalError";
  readonly state: "full" | "failed" | "closed";

  constructor(state: "full" | "failed" | "closed", message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.state = state;
  }
}

/** Reads committed messages from disk: how a consumer that lags or has just started catches up. */
export type JournalReader = {
  /**
   * Up to about `bytesMax` of messages from `offset` on (at least one if there is one below `end`). `to` is where to go
   * on; where records are missing (a gap), `to` lies beyond them. Never reads at or past `end`.
   */
  read(
    offset: number,
    end: number,
    bytesMax: number,
  ): Promise<{ readonly to: number; readonly messages: readonly Message[] }>;
  close(): Promise<void>;
};
