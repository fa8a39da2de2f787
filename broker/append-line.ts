import type { PublishPacket } from "aedes";
import { take } from "./rate-limit.ts";
import type { Context, PendingPublish, Session } from "./session.ts";

/** The oldest append of a session is looked at this many times before the hook timeout. */
export const TICKS_PER_HOOK_TIMEOUT = 5;

/**
 * The line in which QoS 1 and 2 publishes stand, one per session: held while the rate limit says so, then appended, then
 * answered in the order received [MQTT-4.6.0-2]. `begin(session, packet, settle)` starts the work on one.
 */
export function createAppendLine(
  context: Context,
  begin: (session: Session, packet: PublishPacket, settle: (error?: Error) => void) => void,
) {
  const { ports, counts } = context;
  let ticks = 0;
  let stopped = false;

  function join(session: Session, packet: PublishPacket, done: (error?: Error) => void): void {
    const pending: PendingPublish = { packet, done, state: "held", tick: 0 };
    session.pending.push(pending);
    const wait = session.held > 0 ? 1 : take(session.buckets, ports.now());
    if (wait === 0) return start(session, pending);
    counts.slowedByRate += 1;
    session.held += 1;
    // aedes reads on only when all packets of a chunk are answered, so a held one slows the sender down by itself.
    session.holdTimer ??= setTimeout(release, wait, session);
  }

  function release(session: Session): void {
    session.holdTimer = undefined;
    while (session.held > 0 && !stopped) {
      const wait = take(session.buckets, ports.now());
      if (wait > 0) {
        session.holdTimer = setTimeout(release, wait, session);
        return;
      }
      const next = session.pending[session.pending.length - session.held]!;
      session.held -= 1;
      start(session, next);
    }
  }

  function start(session: Session, pending: PendingPublish): void {
    pending.state = "begun";
    pending.tick = ticks;
    begin(session, pending.packet, (error) => settle(session, pending, error));
  }

  function settle(session: Session, pending: PendingPublish, error?: Error): void {
    pending.state = "settled";
    pending.error = error;
    const line = session.pending;
    while (line[0]?.state === "settled") {
      const { done, error: failed } = line.shift()!;
      if (failed) dissolve(session); // aedes closes the connection; the rest must not be acknowledged
      done(failed);
    }
  }

  function dissolve(session: Session): void {
    session.pending.length = 0;
    session.held = 0;
  }

  /** Closes the connections whose oldest append has not answered. Counts ticks, not time: a stalled loop proves nothing. */
  function tick(open: Iterable<Session>): void {
    ticks += 1;
    for (const session of open) {
      const oldest = session.pending[0];
      if (oldest?.state !== "begun" || ticks - oldest.tick <= TICKS_PER_HOOK_TIMEOUT) continue;
      counts.hookTimeouts += 1;
      dissolve(session);
      oldest.done(new Error("the append did not answer in time"));
    }
  }

  /** Begins nothing more. */
  function stop(): void {
    stopped = true;
  }

  return { join, tick, stop };
}
