import type { Log } from "../../model/log.ts";
import { formatSender, type NewMessage } from "../../model/message.ts";
import { HOUR_MS } from "../../model/time.ts";
import { errorCode, type JournalFs, nodeFs } from "./fs.ts";
import {
  type JournalChunk,
  JournalError,
  type JournalState,
  type JournalWriter,
  type RecoveryReport,
} from "./journal.ts";
import { createSlab, encodeRecord, recordBytesAtMost, type Slab } from "./record.ts";
import { type Booked, recover } from "./recovery.ts";
import { createSegments, type FaultPoint } from "./segments.ts";
import { createSpaceWatch } from "./shares.ts";

export type JournalOptions = {
  readonly dir: string;
  /** A segment is closed before it would grow beyond this. 64 MiB. */
  readonly segmentBytes?: number;
  /** Below this much free space messages are refused. 256 MiB. */
  readonly freeBytesMin?: number;
  /** What one sync makes durable at most, and the size of the chunks handed on. 1 MiB. */
  readonly batchBytesMax?: number;
  /** More than this waiting for the disk: messages are refused. 32 MiB. */
  readonly waitingBytesMax?: number;
  /** A released segment is kept for so long after its last record, for a rebuild of the store … 0. */
  readonly keepForMs?: number;
  /** … the oldest only while all of them together have no more bytes than this. 1 GiB. */
  readonly keepBytesMax?: number;
  /** After this time a segment is closed although it has room, so that its records can be deleted. 1 h. */
  readonly rotateAfterMs?: number;
  /** How often a full disk is looked at again. 1 s. */
  readonly probeEveryMs?: number;
  /** The consumers' durable offsets: shows records that are missing at either end, and keeps their numbers from being given again. */
  readonly booked?: Booked;
};

export type JournalPorts = {
  readonly fs?: JournalFs;
  readonly now: () => number;
  readonly log: Log;
  /** Called at points where a test harness may stop the process. */
  readonly at?: (point: FaultPoint) => void;
};

type OpenJournal = {
  readonly writer: JournalWriter;
  readonly recovery: RecoveryReport;
  /** Looks at once whether a full disk has room again. */
  readonly probe: () => Promise<void>;
};

/**
 * Opens (or begins) the journal in `dir`; one process may hold it. @throws what the file system throws, except for a full
 * disk: then the journal opens in the state "full".
 */
export async function openJournalWriter(options: JournalOptions, ports: JournalPorts): Promise<OpenJournal> {
  const { dir, segmentBytes = 64 * 1024 * 1024, freeBytesMin = 256 * 1024 * 1024, booked } = options;
  const { fs = nodeFs, log, at } = ports;
  const recovered = await recover({ fs, dir, log }, segmentBytes, booked);
  const { report, salt } = recovered;
  const { keepForMs = 0, keepBytesMax = 1024 ** 3, rotateAfterMs = HOUR_MS } = options;
  const segments = createSegments(
    { dir, segmentBytes, salt, keepForMs, keepBytesMax, rotateAfterMs },
    { fs, log, now: ports.now, at },
    recovered.segments,
  );
  const space = createSpaceWatch(fs, dir, freeBytesMin, ports.now);
  const gathering = createGathering(
    {
      batchBytesMax: Math.min(options.batchBytesMax ?? 1024 * 1024, segmentBytes),
      waitingBytesMax: options.waitingBytesMax ?? 32 * 1024 * 1024,
    },
    salt,
  );
  const { probeEveryMs = 1_000 } = options;
  const committer = createCommitter({ first: report.next, probeEveryMs }, { segments, space, gathering, log });
  // A segment is made now, not at the first append: its name is what keeps the numbers from going backwards.
  await committer.begin(recovered.lastIsFresh);
  return { writer: committer.writer, recovery: report, probe: committer.probe };
}

type Ports = {
  readonly segments: ReturnType<typeof createSegments>;
  readonly space: ReturnType<typeof createSpaceWatch>;
  readonly gathering: ReturnType<typeof createGathering>;
  readonly log: Log;
};

const WORDS = {
  full: "the disk is full; the message was not kept",
  failed: "the disk failed; the message was not kept, the service must restart",
  closed: "the journal is closed; the message was not kept",
} as const;

/**
 * Group commit. While one batch is written and synced, the next one gathers; no timer decides when. One loop runs while
 * there is something to write, so commits, chunks and callbacks come in the order of the appends.
 */
function createCommitter(options: { first: number; probeEveryMs: number }, ports: Ports) {
  const { segments, space, gathering, log } = ports;
  const listeners: ((chunk: JournalChunk) => void)[] = [];
  let condition: JournalState["state"] = "open";
  let closed = false;
  let running: Promise<void> | undefined;
  let probing: ReturnType<typeof setTimeout> | undefined;
  /** `next` is what the next append gets, `committed` what it would get if all that waits failed. */
  let next = options.first;
  let committed = options.first;
  let commits = 0;
  /** A full disk must have room for what was refused last, or it would be full again at once. */
  let refusedBytes = 0;
  let closing: Promise<void> | undefined;

  function append(message: NewMessage, done: Done): void {
    if (closed) return done(new JournalError("closed", WORDS.closed));
    if (condition !== "open") return done(new JournalError(condition, WORDS[condition]));
    if (!gathering.add(next, message, done))
      return done(new JournalError("full", "too many messages wait for the disk"));
    next += 1;
    // In a microtask: messages that arrived in the same packet share the first sync.
    running ??= Promise.resolve().then(run);
  }

  /** Callbacks and listeners must not throw: the rejection is nobody's, so it ends the process, and the journal is replayed. */
  async function run(): Promise<void> {
    for (let batch = gathering.take(); batch; batch = gathering.take()) {
      const error = await commit(batch);
      if (error) {
        refuseFrom(batch, error);
        break;
      }
      handOn(batch);
    }
    running = undefined;
  }

  async function commit(batch: GatheredBatch): Promise<JournalError | undefined> {
    try {
      refusedBytes = batch.used;
      if (!(await hasRoom(batch.used))) return turnFull(undefined);
      await segments.append(batch.slab.bytes, batch.used, batch.from);
      return undefined;
    } catch (error) {
      return await giveUp(error);
    }
  }

  /** What is kept only in case gives way to what comes in. */
  async function hasRoom(bytes: number): Promise<boolean> {
    if (await space.hasRoom(bytes)) return true;
    if (!(await segments.dropKept())) return false;
    space.forget();
    return space.hasRoom(bytes);
  }

  function handOn(batch: GatheredBatch): void {
    committed = batch.to;
    commits += 1;
    // Before the answers: who was answered and asks for the books finds what he sent in them.
    for (const listener of listeners) {
      // One copy each: the listener transfers it to another thread, and the slab is used again.
      listener({ from: batch.from, to: batch.to, bytes: new Uint8Array(batch.slab.bytes.subarray(0, batch.used)) });
    }
    for (const done of batch.dones) done();
    gathering.reuse(batch);
  }

  /** The batch could not be kept, so what waits behind it cannot either: its numbers would leave a hole. */
  function refuseFrom(batch: GatheredBatch, error: JournalError): void {
    next = committed;
    for (let refused: GatheredBatch | undefined = batch; refused; refused = gathering.take()) {
      for (const done of refused.dones) done(error);
      gathering.reuse(refused);
    }
  }

  async function giveUp(error: unknown): Promise<JournalError> {
    const isFull = ["ENOSPC", "EDQUOT"].includes(errorCode(error) ?? "");
    // Set before anything is awaited: an append during the roll-back must not be taken.
    condition = isFull ? "full" : "failed";
    try {
      // Also after a failed sync: what nobody was told of should not come back at the restart. The sync itself is never
      // tried again. The system may have dropped the pages it could not write, and would then report success.
      await segments.rollBack();
    } catch (rollBackError) {
      condition = "failed";
      log.error({ err: rollBackError }, "the journal could not cut off a failed write");
    }
    return condition === "full" ? turnFull(error) : turnFailed(error);
  }

  function turnFull(cause: unknown): JournalError {
    condition = "full";
    log.error({ err: cause, next: committed }, "the disk is full: messages are refused until there is room");
    if (!closed) probing = setTimeout(probe, options.probeEveryMs).unref();
    return new JournalError("full", WORDS.full, { cause });
  }

  function turnFailed(cause: unknown): JournalError {
    condition = "failed";
    log.error({ err: cause, next: committed }, "the journal's disk failed: restart the service");
    return new JournalError("failed", WORDS.failed, { cause });
  }

  /** Opens a full journal again if there is room; until then looks again by itself. */
  async function probe(): Promise<void> {
    clearTimeout(probing);
    if (condition !== "full" || closed) return;
    space.forget();
    const isRoom = !running && (await makeRoom());
    if (isRoom && condition === "full") {
      condition = "open";
      log.info({ next: committed }, "the disk has room again: messages are taken");
    } else if (!closed) {
      clearTimeout(probing);
      probing = setTimeout(probe, options.probeEveryMs).unref();
    }
  }

  async function makeRoom(): Promise<boolean> {
    // After an ENOSPC the count of free bytes may say otherwise.
    await segments.dropKept();
    return space.hasRoom(refusedBytes).catch(() => false);
  }

  /** What is kept only in case gives way, and counts as room. */
  const room = async () => (await space.room()) + segments.keptBytes();

  function release(offset: number, heldFrom?: number): void {
    segments.release(offset, heldFrom);
    if (running || closed || condition !== "open" || !segments.isDue()) return;
    // Between two batches: an append that comes meanwhile waits for it.
    running = segments.rotate(next).then(run);
  }

  async function begin(lastIsFresh: boolean): Promise<void> {
    if (lastIsFresh) return segments.resume();
    try {
      await segments.start(next);
    } catch (error) {
      if ((await giveUp(error)).state === "failed") throw error;
    }
  }

  function close(): Promise<void> {
    closed = true;
    clearTimeout(probing);
    closing ??= finish();
    return closing;
  }

  async function finish(): Promise<void> {
    await running;
    // An empty successor says that all numbers before it were given: damage to the end can then be told from a torn write.
    if (condition === "open" && !segments.isEmpty()) {
      await segments
        .start(next)
        .catch((error: unknown) => log.warn({ err: error }, "the journal was closed without its mark"));
    }
    await segments.close();
  }

  const writer: JournalWriter = {
    append,
    onCommit: (listener) => {
      listeners.push(listener);
    },
    release,
    state: () => ({
      state: condition,
      first: segments.first() ?? committed,
      next: committed,
      bytes: segments.bytes(),
      commits,
    }),
    room,
    close,
  };
  return { writer, begin, probe };
}

type Done = (error?: JournalError) => void;

/** Records `from` … `to - 1`, encoded one after the other in the first `used` bytes of the slab. */
type GatheredBatch = { slab: Slab; used: number; from: number; to: number; dones: Done[] };

const SLAB_BYTES_FIRST = 64 * 1024;
/** One is written, one gathers; the others are for bursts. */
const SPARES_MAX = 4;

/**
 * Where messages wait for the disk, already encoded: an append costs its bytes and one callback, nothing else. A batch
 * is closed when it has `batchBytesMax`; all that wait together stay under `waitingBytesMax`.
 */
export function createGathering(options: { batchBytesMax: number; waitingBytesMax: number }, salt: number) {
  const waiting: GatheredBatch[] = [];
  const spares: Slab[] = [];
  let waitingBytes = 0;

  /** False: nothing was taken, too much is waiting already. */
  function add(seq: number, message: NewMessage, done: Done): boolean {
    const source = formatSender(message);
    const needed = recordBytesAtMost(message, source);
    if (waitingBytes + needed > options.waitingBytesMax) return false;
    let batch = waiting.at(-1);
    if (!batch || batch.used >= options.batchBytesMax) {
      batch = { slab: spares.pop() ?? createSlab(SLAB_BYTES_FIRST), used: 0, from: seq, to: seq, dones: [] };
      waiting.push(batch);
    }
    if (batch.used + needed > batch.slab.bytes.length) batch.slab = grow(batch.slab, batch.used, needed);
    const length = encodeRecord(batch.slab, batch.used, seq, message, source, salt);
    batch.used += length;
    batch.to = seq + 1;
    batch.dones.push(done);
    waitingBytes += length;
    return true;
  }

  function take(): GatheredBatch | undefined {
    const batch = waiting.shift();
    if (batch) waitingBytes -= batch.used;
    return batch;
  }

  /** Gives the slab of a batch back for the next one. */
  function reuse(batch: GatheredBatch): void {
    if (spares.length < SPARES_MAX) spares.push(batch.slab);
  }

  return { add, take, reuse };
}

function grow(slab: Slab, used: number, needed: number): Slab {
  const larger = createSlab(Math.max(slab.bytes.length * 2, used + needed));
  slab.bytes.copy(larger.bytes, 0, 0, used);
  return larger;
}
