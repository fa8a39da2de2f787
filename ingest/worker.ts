import type { Figure, Health } from "../model/health.ts";
import type { Log } from "../model/log.ts";
import type { Message } from "../model/message.ts";
import type { Rejection } from "../model/rejection.ts";
import { type OpenedBatch, openMessages } from "./batch.ts";
import type { Decoded } from "./decode.ts";
import { type Consumer, createFollower, type Follower } from "./follower.ts";
import type { JournalChunk, JournalReader } from "./journal/journal.ts";
import { createTurnstile, type FaultHook, realSleep, type Sleep } from "./timing.ts";
import { createWindow } from "./window.ts";

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
  /** Hears of each rejection when it first turns up live; not again for what is read from disk later. */
  onRejection?(rejection: Rejection): void;
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

export type Worker = ReturnType<typeof createWorker>;

/**
 * Takes committed messages from the journal to every consumer, each in order, one batch at a time, at its own pace.
 * Begins at each consumer's offset; `committed` brings what is new.
 */
export function createWorker(options: WorkerOptions) {
  const { decodeChunk, decode, splitChunk = (chunk) => [chunk], newcomers = () => 0, log } = options;
  const { inOne = (work) => work() } = options;
  let end = options.end;
  const stopping = new AbortController();
  const idlers: (() => void)[] = [];

  function open(from: number, to: number, messages: readonly Message[]): OpenedBatch {
    const before = newcomers();
    const batch = inOne(() => openMessages(from, to, messages, decode));
    return { ...batch, newcomers: newcomers() - before };
  }

  function openLive(chunk: JournalChunk): OpenedBatch {
    const batch = open(chunk.from, chunk.to, decodeChunk(chunk));
    if (options.onRejection) for (const rejection of batch.rejections) options.onRejection(rejection);
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
  const window = createWindow(openLive, limits, now);
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
    figures: (): readonly Figure[] => followers.flatMap((follower) => follower.figures(end)),
  };
}
