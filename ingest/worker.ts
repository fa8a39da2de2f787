import { counter, type Figure, gauge, type Health } from "../model/health.ts";
import type { Log } from "../model/log.ts";
import type { Message } from "../model/message.ts";
import type { Rejection } from "../model/rejection.ts";
import { type Decoded, mergeBatches, type OpenedBatch, openMessages } from "./decode.ts";
import type { JournalChunk, JournalReader } from "./journal/journal.ts";
import { backOffMs, createTurnstile, type FaultHook, realSleep, type Sleep } from "./retry.ts";

export type WorkerOptions = {
  /** A reader of its own for each consumer: they stand at different places, and a reader goes on where it was. */
  openReader(): Pick<JournalReader, "read">;
  /** Opens a committed chunk into its messages. */
  decodeChunk(chunk: JournalChunk): readonly Message[];
  decode(message: Message): Decoded;
  /** Cuts a chunk, so that no piece holds the thread for long. */
  splitChunk?(chunk: JournalChunk): readonly JournalChunk[];
  /** How many sensors decoding has registered so far. */
  newcomers?(): number;
  /** Around the decoding of a batch: what it writes down (sensors seen for the first time) costs one sync, not one each. */
  inOne?<T>(work: () => T): T;
  /** The whole fan-out. */
  readonly consumers: readonly Consumer[];
  /** The sequence number the next message of the journal gets: everything below is committed. */
  readonly end: number;
  /** The consumers begin with this (at once without it): catching up takes the thread from whatever else is starting. */
  readonly beginWhen?: Promise<void>;
  readonly log: Log;
  /** Hears of each message with rejections when it first turns up live; not again for what is read from disk later. */
  onRejection?(first: Rejection, others: readonly Rejection[]): void;
  /** Called with the number this consumer wants next, when it may have changed. */
  readonly watch?: { readonly consumer: string; moved(to: number): void };
  /** Limits of the shared window of newest messages, and how much is read from disk at a time. */
  readonly windowMessagesMax?: number;
  readonly windowBytesMax?: number;
  readonly windowAgeMaxMs?: number;
  readonly readBytesMax?: number;
  readonly sleep?: Sleep;
  readonly random?: () => number;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
  readonly at?: FaultHook;
};

/** Messages that are opened, and given to a consumer that does not gather, in one go. */
const OPENED_AT_ONCE = 500;

/**
 * Takes committed messages from the journal to every consumer, each in order, one batch at a time, at its own pace.
 * Begins at each consumer's offset; `committed` brings what is new.
 */
export function createWorker(options: WorkerOptions) {
  const { decodeChunk, decode, splitChunk = (chunk) => [chunk], newcomers = () => 0, log } = options;
  const { inOne = (work) => work() } = options;
  let end = options.end;
  let ignored = 0;
  const stopping = new AbortController();
  const idlers: (() => void)[] = [];

  function open(from: number, to: number, messages: readonly Message[]): OpenedBatch {
    const before = newcomers();
    const batch = inOne(() => openMessages(from, to, messages, decode));
    return { ...batch, newcomers: newcomers() - before };
  }

  function openLive(chunk: JournalChunk): OpenedBatch {
    const batch = open(chunk.from, chunk.to, decodeChunk(chunk));
    ignored += batch.ignored ?? 0;
    if (options.onRejection) tellRejections(batch.rejections, options.onRejection);
    return batch;
  }

  /** Read by the many, because that is cheap, and opened by the few, because that is not. */
  function readFrom(reader: Pick<JournalReader, "read">) {
    let rest: { readonly from: number; readonly to: number; readonly messages: readonly Message[] } | undefined;
    return async (offset: number, before: number): Promise<OpenedBatch> => {
      const bytesMax = options.readBytesMax ?? 512 * 1024;
      const { to, messages } = rest?.from === offset ? rest : await reader.read(offset, before, bytesMax);
      if (to <= offset) throw new Error(`the journal has nothing at ${offset}, though ${before} is committed`);
      const next = messages[OPENED_AT_ONCE];
      rest = next && { from: next.seq, to, messages: messages.slice(OPENED_AT_ONCE) };
      return next ? open(offset, next.seq, messages.slice(0, OPENED_AT_ONCE)) : open(offset, to, messages);
    };
  }

  const limits = {
    messagesMax: options.windowMessagesMax ?? 100_000,
    bytesMax: options.windowBytesMax ?? 16 * 1024 * 1024,
    // Decoded, a message takes about five times its bytes. Who is this far behind is not merely busy.
    ageMaxMs: options.windowAgeMaxMs ?? 5_000,
  };
  const now = options.now ?? performance.now.bind(performance);
  const window = createWindow(openLive, limits, now, log);
  const surroundings = {
    window,
    end: () => end,
    moved,
    signal: stopping.signal,
    log,
    pause: createTurnstile(),
    sleep: options.sleep ?? realSleep,
    random: options.random ?? Math.random,
    now,
    at: options.at,
  };
  const followers: readonly Follower[] = options.consumers.map((consumer) =>
    createFollower(consumer, { ...surroundings, readFromDisk: readFrom(options.openReader()) }),
  );

  function moved(): void {
    // Messages kept for a store that is away would also outlive the garbage collector's patience with young objects.
    const following = followers.filter((follower) => !follower.isHeldUp());
    window.release(Math.min(end, ...following.map((follower) => follower.offset())));
    tellWatch();
    if (!isIdle()) return;
    for (const resolve of idlers.splice(0)) resolve();
  }

  const watched = followers.find(({ name }) => name === options.watch?.consumer);

  function tellWatch(): void {
    if (watched) options.watch?.moved(watched.offset());
  }

  function isIdle(): boolean {
    return followers.every((follower) => !follower.durable || follower.offset() >= end);
  }

  tellWatch();
  const stopped = new Promise<void>((resolve) => stopping.signal.addEventListener("abort", () => resolve()));
  const begin = options.beginWhen && Promise.race([options.beginWhen, stopped]);
  const running = followers.map((follower) => (begin ? begin.then(follower.run) : follower.run()));

  return {
    /** Called with each chunk the journal has committed, in order. Cheap: decoding waits for the first consumer. */
    committed(chunk: JournalChunk): void {
      if (stopping.signal.aborted || chunk.to <= end) return;
      end = chunk.to;
      for (const piece of splitChunk(chunk)) window.add(piece);
      for (const follower of followers) follower.wake();
    },
    /** The journal is committed up to here, but the bytes were not handed over: consumers read them from disk. */
    advanced(to: number): void {
      if (stopping.signal.aborted || to <= end) return;
      end = to;
      for (const follower of followers) follower.wake();
    },
    /** The next sequence number each consumer wants. */
    offsets: (): ReadonlyMap<string, number> => new Map(followers.map((one) => [one.name, one.offset()])),
    /** Everything before this has been dealt with for good: the journal may delete it. */
    releasable: () => Math.min(end, ...followers.filter((one) => one.durable).map((one) => one.durableOffset())),
    /** Committed messages a consumer has not settled yet. Counts numbers, so damaged records count until passed. */
    pendingMessages(name: string): number {
      const follower = followers.find((one) => one.name === name);
      return follower ? end - follower.durableOffset() : 0;
    },
    /** Resolves when every durable consumer has taken all that is committed. */
    idle: (): Promise<void> =>
      isIdle() ? Promise.resolve() : new Promise<void>((resolve) => void idlers.push(resolve)),
    /** Lets running batches finish; a consumer that only waits gives up and does that batch again after a restart. */
    async stop(): Promise<void> {
      stopping.abort(new Error("the worker is stopping"));
      for (const follower of followers) follower.wake();
      await Promise.all(running);
    },
    /** Committed messages that have not been brought to a consumer yet. */
    untakenMessages(name: string): number {
      const follower = followers.find((one) => one.name === name);
      return follower ? end - follower.offset() : 0;
    },
    /** What the shared window holds now: for `/metrics` and tests of its bound. */
    windowSize: window.size,
    health: (): readonly Health[] => followers.map((follower) => follower.health()),
    figures: (): readonly Figure[] => [
      ...followers.flatMap((follower) => follower.figures(end)),
      counter("lamppost_ignored_items_total", "Items of messages that held nothing to keep.", ignored),
    ],
  };
}

/** Those of one message stand together. */
function tellRejections(
  rejections: readonly Rejection[],
  tell: (first: Rejection, others: readonly Rejection[]) => void,
): void {
  for (let from = 0, to = 0; from < rejections.length; from = to) {
    const first = rejections[from]!;
    while (rejections[to]?.journalSeq === first.journalSeq) to += 1;
    tell(first, rejections.slice(from + 1, to));
  }
}

/** One end of the fan-out. */
export type Consumer = {
  readonly name: string;
  /** The sequence number it wants first. Read once, at the start. */
  readonly offset: number;
  /** A durable consumer gets every message, after a crash again from its offset. Any other skips what it was too slow for. */
  readonly durable: boolean;
  /**
   * Takes the batch; the next one comes when this has resolved. A throw means: not taken, bring the same batch again.
   * When `signal` aborts, give up waiting (throw) or finish.
   */
  take(batch: OpenedBatch, signal: AbortSignal): Promise<void> | void;
  /** What a crash would not undo. Left out where `take` resolves only after that. */
  durableOffset?(): number;
  /** Batches that wait are handed over as one until they hold about this many readings. Without it, one at a time. */
  readonly gatherReadingsMax?: number;
  /** With little waiting, let so much time pass before the next batch: for a consumer whose batch costs the same however small. */
  readonly gatherForMs?: number;
};

type Follower = ReturnType<typeof createFollower>;

type Surroundings = {
  readonly window: Pick<ReturnType<typeof createWindow>, "at" | "nextStart">;
  readFromDisk(offset: number, before: number): Promise<OpenedBatch>;
  end(): number;
  moved(): void;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Lets sockets, timers and the other consumers have their turn. */
  pause(): Promise<void>;
  readonly sleep: Sleep;
  readonly random: () => number;
  readonly now: () => number;
  readonly at: FaultHook | undefined;
};

/** Waiting messages from which on a batch is worth its cost at once. */
const GATHERED_ENOUGH = 5_000;
/** A batch under way for so long: the consumer waits for something, and will go on from disk. */
const HELD_UP_AFTER_MS = 2_000;
/** Who gathers gives way so often, and stops at so many sensors that nobody knew before. */
const SLICE_MS = 20;
const NEWCOMERS_MAX = 1_000;
/** A rejection is explained and kept in quarantine: it costs as much as so many readings. */
const REJECTION_READINGS = 10;
const RETRY_BASE_MS = 250;
const RETRY_MAX_MS = 30_000;

/** Walks one consumer along the journal: from the shared window while it keeps up, from disk when it does not. */
function createFollower(consumer: Consumer, around: Surroundings) {
  const { window, signal, log } = around;
  const { name, durable } = consumer;
  let offset = consumer.offset;
  let failure: string | undefined;
  let busySince: number | undefined;
  const counts = { retries: 0, skipped: 0, fromDisk: 0 };
  let wake = () => {};

  async function run(): Promise<void> {
    while (!signal.aborted) {
      if (offset >= around.end()) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      await gather();
      const batch = await persist("reading the journal", next);
      if (batch?.newcomers) await around.pause();
      if (batch) await persist("taking a batch", () => deliver(batch));
      // Consumers that never wait would otherwise keep sockets and timers waiting until the window is empty.
      await around.pause();
    }
  }

  async function gather(): Promise<void> {
    if (!consumer.gatherForMs || around.end() - offset >= GATHERED_ENOUGH) return;
    await around.sleep(consumer.gatherForMs, signal).catch(() => {});
  }

  /** Brings the same thing again until it works or the worker stops: nothing is skipped silently. */
  async function persist<T>(doing: string, work: () => Promise<T> | T): Promise<T | undefined> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        const result = await work();
        if (failure) log.info({ consumer: name }, "consumer works again");
        failure = undefined;
        return result;
      } catch (error) {
        if (signal.aborted) return undefined;
        if (!failure) log.error({ consumer: name, doing, err: error, offset }, "consumer failed; trying again");
        failure = `${doing} fails: ${error instanceof Error ? error.message : String(error)}`;
        counts.retries += 1;
        await around.sleep(backOffMs(attempt, RETRY_BASE_MS, RETRY_MAX_MS, around.random), signal).catch(() => {});
      }
    }
    return undefined;
  }

  /**
   * As much as the consumer likes, from the window and what the window no longer has from disk. It goes on from one to
   * the other: one that stopped where the window begins would find that the window has moved on meanwhile, for ever.
   */
  async function next(): Promise<OpenedBatch | undefined> {
    const batches: OpenedBatch[] = [];
    let readings = 0;
    let newcomers = 0;
    let since = around.now();
    for (let from = offset; from < around.end(); from = batches.at(-1)!.to) {
      if (around.now() - since > SLICE_MS) {
        await around.pause();
        since = around.now();
      }
      const batch = window.at(from) ?? (durable ? await fromDisk(from, batches.length > 0) : undefined);
      if (!batch) break;
      batches.push(batch);
      readings += batch.readings.length + REJECTION_READINGS * batch.rejections.length;
      newcomers += batch.newcomers ?? 0;
      if (readings >= (consumer.gatherReadingsMax ?? 0) || newcomers >= NEWCOMERS_MAX) break;
    }
    if (batches.length > 0) return mergeBatches(batches);
    const target = window.nextStart(offset) ?? around.end();
    counts.skipped += target - offset;
    offset = target;
    around.moved();
    return undefined;
  }

  /** Undefined if it cannot be read and there are others to deliver before it. */
  async function fromDisk(from: number, hasOthers: boolean): Promise<OpenedBatch | undefined> {
    try {
      // Decoding is done on the thread that serves everyone else, too.
      if (hasOthers) await around.pause();
      counts.fromDisk += 1;
      return await around.readFromDisk(from, window.nextStart(from) ?? around.end());
    } catch (error) {
      if (hasOthers) return undefined;
      throw error;
    }
  }

  async function deliver(batch: OpenedBatch): Promise<void> {
    await around.at?.(`${name}:before-take`);
    busySince ??= around.now();
    await consumer.take(batch, signal);
    busySince = undefined;
    await around.at?.(`${name}:after-take`);
    offset = batch.to;
    around.moved();
  }

  function health(): Health {
    if (failure) return { part: name, state: "failed", ready: !durable, reason: failure };
    return { part: name, state: "ok", ready: true };
  }

  function figures(end: number): Figure[] {
    const consumer = { consumer: name };
    const { retries, skipped, fromDisk } = counts;
    const skips = "Messages a lossy consumer was too slow for.";
    const lag = "Committed messages the consumer has not taken yet.";
    return [
      gauge("lamppost_consumer_lag_messages", lag, end - offset, consumer),
      counter("lamppost_consumer_retries_total", "Batches brought again after a failure.", retries, consumer),
      counter("lamppost_consumer_skipped_messages_total", skips, skipped, consumer),
      counter("lamppost_consumer_disk_reads_total", "Reads from the journal's files to catch up.", fromDisk, consumer),
    ];
  }

  return {
    name,
    durable,
    run,
    health,
    figures,
    offset: () => offset,
    /** Nothing needs to be kept in memory for it. */
    isHeldUp: () => busySince !== undefined && around.now() - busySince > HELD_UP_AFTER_MS,
    durableOffset: () => consumer.durableOffset?.() ?? offset,
    wake: () => wake(),
  };
}

/**
 * The newest chunks of the journal in memory, shared by all consumers: a chunk is decoded once, when the first consumer
 * comes to it. One bounded window instead of a queue per consumer: who falls out of it goes on from disk, and nobody's
 * slowness costs anyone else's memory.
 */
function createWindow(
  open: (chunk: JournalChunk) => OpenedBatch,
  limits: { readonly messagesMax: number; readonly bytesMax: number; readonly ageMaxMs: number },
  now: () => number,
  log: Log,
) {
  // In order. Not a Map: the table a Map leaves behind when it grows points to the next one, and through that chain
  // of old tables the garbage collector takes every message that passes for long-lived.
  const entries: Entry[] = [];
  let messages = 0;
  let bytes = 0;

  function drop(index: number, count: number): void {
    for (const { chunk } of entries.splice(index, count)) {
      messages -= chunk.to - chunk.from;
      bytes -= chunk.bytes.byteLength;
    }
  }

  /** Makes room by dropping the oldest; a chunk larger than the window alone is kept until the next one comes. */
  function add(chunk: JournalChunk): void {
    const time = now();
    entries.push({ chunk, at: time });
    messages += chunk.to - chunk.from;
    bytes += chunk.bytes.byteLength;
    while (entries.length > 1) {
      const isYoung = time - entries[0]!.at <= limits.ageMaxMs;
      if (isYoung && messages <= limits.messagesMax && bytes <= limits.bytesMax) return;
      drop(0, 1);
    }
  }

  /** The place of the first entry that starts at `offset` or after it. */
  function placeOf(offset: number): number {
    let [low, high] = [0, entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (entries[middle]!.chunk.from < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The batch that starts exactly at `offset`, if it is here. */
  function at(offset: number): OpenedBatch | undefined {
    const entry = entries[placeOf(offset)];
    if (entry?.chunk.from !== offset) return undefined;
    try {
      entry.batch ??= open(entry.chunk);
    } catch (error) {
      // The copy on disk has checksums and a reader that steps over damage.
      log.error({ err: error, offset }, "a chunk of the journal could not be opened; reading it from disk");
      drop(entries.indexOf(entry), 1);
    }
    return entry.batch;
  }

  /** Forgets what every consumer has passed. */
  function release(offset: number): void {
    let count = 0;
    while (count < entries.length && entries[count]!.chunk.to <= offset) count += 1;
    if (count > 0) drop(0, count);
  }

  return {
    add,
    at,
    /** Where a consumer at `offset` can step on: the first start after it, or undefined if the window has none. */
    nextStart: (offset: number): number | undefined => entries[placeOf(offset + 1)]?.chunk.from,
    release,
    size: () => ({ chunks: entries.length, messages, bytes }),
  };
}

type Entry = { readonly chunk: JournalChunk; readonly at: number; batch?: OpenedBatch };
