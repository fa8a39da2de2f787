import type { Log } from "../../model/log.ts";
import type { NewMessage } from "../../model/message.ts";
import { errorCode } from "./fs.ts";
import type { createGathering, Done, GatheredBatch } from "./gathering.ts";
import { type JournalChunk, JournalError, type JournalState, type JournalWriter } from "./journal.ts";
import type { createSegments } from "./segments.ts";
import type { createSpaceWatch } from "./space.ts";

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
export function createCommitter(options: { first: number; probeEveryMs: number }, ports: Ports) {
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
    for (const done of batch.dones) done();
    for (const listener of listeners) {
      // One copy each: the listener transfers it to another thread, and the slab is used again.
      listener({ from: batch.from, to: batch.to, bytes: new Uint8Array(batch.slab.bytes.subarray(0, batch.used)) });
    }
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
