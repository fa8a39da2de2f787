import { countElements } from "../../model/elements.ts";
import { type NewMessage, READINGS_PER_MESSAGE_MAX } from "../../model/message.ts";
import { type Bucket, spend, waitMs } from "../../model/rate-limit.ts";
import type { SourceCounts } from "./counts.ts";
import type { SourceLimits } from "./options.ts";

/** One delivered PUBLISH. `message` is absent if there is nothing to keep. */
export type Taken = { readonly message?: NewMessage; readonly answer?: Answer };
/** What acknowledges it; QoS 0 has none. */
export type Answer = { readonly qos: 1 | 2; readonly packetId: number };

type Ports = {
  readonly append: (messages: readonly NewMessage[]) => Promise<void>;
  readonly counts: SourceCounts;
  readonly limits: Pick<SourceLimits, "waitingMax" | "waitingBytesMax">;
  /** Of readings; outlives the connection. */
  readonly bucket: Bucket;
  readonly now: () => number;
  /** Acknowledge these, in this order. */
  readonly onKept: (answers: readonly Answer[]) => void;
  /** The journal did not take something: nothing more is acknowledged. */
  readonly onFailed: (error: Error) => void;
};

/**
 * What stands between the PUBLISHes of one connection and their PUBACKs. Messages that arrive in one piece of the socket
 * are one append; appends do not wait for each other, acknowledgements go out in the order received [MQTT-4.6.0-2].
 */
export function createIntake({ append, counts, limits, bucket, now, onKept, onFailed }: Ports) {
  let gathered: Taken[] = [];
  let scheduled = false;
  let over = false;
  let draining = false;
  let waiting = 0;
  let waitingBytes = 0;
  let resume: (() => void) | undefined;
  let tail: Promise<void> = Promise.resolve();

  /** Calls `next` when the following message may come: at once, or when less waits. */
  function take(taken: Taken, next: () => void): void {
    if (over) return next();
    if (draining) return; // unread until the connection ends
    gathered.push(taken);
    waiting += 1;
    counts.waiting += 1;
    if (taken.message) {
      waitingBytes += taken.message.payload.length;
      spend(bucket, countElements(taken.message.payload, READINGS_PER_MESSAGE_MAX));
    }
    if (!scheduled) {
      scheduled = true;
      setImmediate(flush);
    }
    if (hasRoom()) proceed(next);
    else resume = next;
  }

  function proceed(next: () => void): void {
    const wait = waitMs(bucket, now());
    if (wait === 0) return next();
    counts.slowed += 1;
    setTimeout(next, wait).unref();
  }

  const hasRoom = () => waiting < limits.waitingMax && waitingBytes < limits.waitingBytesMax;

  function flush(): void {
    scheduled = false;
    const batch = gathered;
    gathered = [];
    if (over) return forget(batch);
    const messages = batch.flatMap(({ message }) => message ?? []);
    const kept = messages.length === 0 ? Promise.resolve() : append(messages);
    const outcome = kept.then(
      () => undefined,
      (error: Error) => error,
    );
    tail = tail.then(async () => settle(batch, messages, await outcome));
  }

  /** The broker sends again what was not appended. */
  function forget(batch: readonly Taken[]): void {
    counts.waiting -= batch.length;
    countLost(batch);
  }

  function settle(batch: readonly Taken[], messages: readonly NewMessage[], error: Error | undefined): void {
    waiting -= batch.length;
    counts.waiting -= batch.length;
    for (const { payload } of messages) waitingBytes -= payload.length;
    if (error) fail(batch, error);
    else if (!over) keep(batch, messages);
    if (!resume || !hasRoom()) return;
    const next = resume;
    resume = undefined;
    proceed(next);
  }

  function keep(batch: readonly Taken[], messages: readonly NewMessage[]): void {
    counts.kept += messages.length;
    const answers = batch.flatMap(({ answer }) => answer ?? []);
    if (answers.length > 0) onKept(answers);
  }

  function fail(batch: readonly Taken[], error: Error): void {
    counts.appendErrors += 1;
    countLost(batch);
    if (over) return;
    over = true;
    onFailed(error);
  }

  function countLost(batch: readonly Taken[]): void {
    counts.lostQos0 += batch.filter(({ message, answer }) => message && !answer).length;
  }

  return {
    take,
    /** Nothing more is taken; resolves when what was taken is settled, and acknowledged if it could be kept. */
    async drain(): Promise<void> {
      draining = true;
      flush();
      await tail;
      over = true;
    },
    /** The connection is gone: its packet ids mean nothing any more. */
    abandon(): void {
      over = true;
    },
  };
}
