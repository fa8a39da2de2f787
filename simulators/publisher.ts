import type { MqttClient } from "mqtt";
import type { Log } from "../model/log.ts";
import { type LinkOptions, openLink } from "./link.ts";

export type Outgoing = { readonly topic: string; readonly payload: string; readonly retain?: boolean };

export type PublisherOptions = Omit<LinkOptions, "onConnect" | "onRefused"> & {
  /** Unacknowledged messages and characters before `room()` makes the caller wait. */
  readonly messagesMax: number;
  readonly bytesMax: number;
  /** Give up after this long without an acknowledgement; without it, try for ever. */
  readonly patienceMs?: number;
  readonly log: Log;
};

/** No more can be published: refused credentials, out of patience, or closed. */
export class PublishError extends Error {
  override readonly name = "PublishError";
}

export type Publisher = ReturnType<typeof startPublisher>;

type Pending = Outgoing & { sends: number; resolve(sends: number): void; reject(error: Error): void };

/**
 * A QoS 1 publisher that owns its unacknowledged messages: what was not acknowledged on one connection is sent again on
 * the next, in order. (MQTT.js keeps them too, but loses them if the link drops a second time while they are sent again.)
 */
export function startPublisher(options: PublisherOptions) {
  const window = createWindow(options);
  const patience = createPatience(options.patienceMs, () =>
    fail(`no acknowledgement from ${options.url} for ${options.patienceMs! / 1000} s; is the service running?`),
  );
  const stats = { connects: 0, acknowledged: 0, resent: 0 };
  let failed: PublishError | undefined;

  const link = openLink({
    ...options,
    onConnect(client) {
      stats.connects += 1;
      for (const pending of window.unacked) send(client, pending);
    },
    onRefused: (reason) => fail(`the broker refuses ${options.username}: ${reason}`),
  });

  function send(client: MqttClient, pending: Pending) {
    pending.sends += 1;
    if (pending.sends > 1) stats.resent += 1;
    const { topic, payload, retain = false } = pending;
    client.publish(topic, payload, { qos: 1, retain, dup: pending.sends > 1 }, (error) => {
      // An error belongs to a connection that is gone: the message waits for the next one.
      if (error || !window.remove(pending)) return;
      stats.acknowledged += 1;
      patience.restart(window.unacked.size > 0);
      pending.resolve(pending.sends);
    });
  }

  function fail(reason: string) {
    if (failed) return;
    failed = new PublishError(reason);
    options.log.warn({ user: options.username, reason }, "publishing has ended");
    patience.restart(false);
    void link.close(false);
    window.giveUp(failed);
  }

  return {
    /** Resolves when the broker has acknowledged, with how often it was sent. Rejects with `PublishError`. */
    publish(message: Outgoing): Promise<number> {
      if (failed) return Promise.reject(failed);
      return new Promise((resolve, reject) => {
        const pending: Pending = { ...message, sends: 0, resolve, reject };
        window.add(pending);
        if (window.unacked.size === 1) patience.restart(true);
        const client = link.current();
        if (client) send(client, pending);
      });
    },
    /** Resolves when another message may be published. */
    room: () => (failed ? Promise.resolve() : window.room()),
    stats: () => ({ ...stats, unacked: window.unacked.size, failed }),
    /** Ends the connection. What is not acknowledged by then is given up. */
    async close(): Promise<void> {
      failed ??= new PublishError("closed");
      patience.restart(false);
      await link.close(true);
      window.giveUp(failed);
    },
  };
}

/** What is on its way, in order, and who waits for it to become less. */
function createWindow({ messagesMax, bytesMax }: Pick<PublisherOptions, "messagesMax" | "bytesMax">) {
  const unacked = new Set<Pending>();
  const waiting: (() => void)[] = [];
  let bytes = 0;
  const hasRoom = () => unacked.size < messagesMax && bytes < bytesMax;
  const letGo = () => {
    for (const go of waiting.splice(0)) go();
  };

  return {
    unacked: unacked as ReadonlySet<Pending>,
    add(pending: Pending): void {
      unacked.add(pending);
      bytes += pending.payload.length;
    },
    /** False if it was not there: acknowledged before, or given up. */
    remove(pending: Pending): boolean {
      if (!unacked.delete(pending)) return false;
      bytes -= pending.payload.length;
      letGo();
      return true;
    },
    async room(): Promise<void> {
      while (!hasRoom()) await new Promise<void>((go) => waiting.push(go));
    },
    giveUp(error: PublishError): void {
      for (const pending of unacked) pending.reject(error);
      unacked.clear();
      bytes = 0;
      letGo();
    },
  };
}

function createPatience(ms: number | undefined, onEnd: () => void) {
  let timer: NodeJS.Timeout | undefined;
  return {
    restart(needed: boolean): void {
      clearTimeout(timer);
      if (needed && ms !== undefined) timer = setTimeout(onEnd, ms);
    },
  };
}
