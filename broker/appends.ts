import type { PublishPacket } from "aedes";
import type { Context, Session } from "./session.ts";

/** Hands messages to the journal and knows how many have not been answered. */
export function createAppends({ ports, counts }: Context) {
  const idleListeners: (() => void)[] = [];

  /** `done` is called once, with an error if the message is not kept, also when the port throws. */
  function append(session: Session, packet: PublishPacket, done: (error?: Error) => void): void {
    const payload = packet.payload as Buffer;
    counts.received += 1;
    counts.receivedBytes += payload.length;
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
      ports.append({ receivedAt: ports.now(), source: session.source!, topic: packet.topic, payload }, answer);
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
