import type { NewMessage } from "../model/message.ts";
import type { Context, PendingPublish, Session } from "./session.ts";

/** Hands messages to the journal and knows how many have not been answered. */
export function createAppends({ ports, counts }: Context) {
  const idleListeners: (() => void)[] = [];

  /** `done` is called once, with an error if the message is not kept, also when the port throws. */
  function append(message: NewMessage, done: (error?: Error) => void): void {
    counts.received += 1;
    counts.receivedBytes += message.payload.length;
    counts.waitingAppends += 1;
    let answered = false;
    const answer = (error?: Error) => {
      if (answered) return; // a port that answers twice must not acknowledge twice
      answered = true;
      counts.waitingAppends -= 1;
      if (error) counts.appendErrors += 1;
      done(error);
      if (counts.waitingAppends === 0) for (const listener of idleListeners.splice(0)) listener();
    };
    try {
      ports.append(message, answer);
    } catch (error) {
      answer(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Resolves when no append is waiting. */
  function idle(): Promise<void> {
    return new Promise((resolve) => {
      if (counts.waitingAppends === 0) resolve();
      else idleListeners.push(resolve);
    });
  }

  return { append, idle };
}

/** The oldest append of a session is looked at this many times before the hook timeout. */
export const TICKS_PER_HOOK_TIMEOUT = 5;

/**
 * The line in which QoS 1 and 2 publishes stand, one per session: begun when they come, answered in the order received
 * [MQTT-4.6.0-2].
 */
export function createAppendLine({ counts }: Pick<Context, "counts">) {
  let ticks = 0;

  /** Calls `begin` with what to call when the work on the publish is done; `done` is called in turn. */
  function join(session: Session, done: (error?: Error) => void, begin: (settle: (error?: Error) => void) => void) {
    const pending: PendingPublish = { done, settled: false, tick: ticks };
    session.pending.push(pending);
    begin((error) => settle(session, pending, error));
  }

  function settle(session: Session, pending: PendingPublish, error?: Error): void {
    pending.settled = true;
    pending.error = error;
    const line = session.pending;
    while (line[0]?.settled) {
      const { done, error: failed } = line.shift()!;
      if (failed) line.length = 0; // aedes closes the connection; the rest must not be acknowledged
      done(failed);
    }
  }

  /** Closes the connections whose oldest append has not answered. Counts ticks, not time: a stalled loop proves nothing. */
  function tick(open: Iterable<Session>): void {
    ticks += 1;
    for (const { pending } of open) {
      const oldest = pending[0];
      if (!oldest || ticks - oldest.tick <= TICKS_PER_HOOK_TIMEOUT) continue;
      counts.hookTimeouts += 1;
      pending.length = 0;
      oldest.done(new Error("the append did not answer in time"));
    }
  }

  return { join, tick };
}
