import { connect, type IClientOptions, type MqttClient } from "mqtt";
import type { Log } from "../model/log.ts";

export type Outgoing = { readonly topic: string; readonly payload: string; readonly retain?: boolean };

export type PublisherOptions = {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly clientId: string;
  readonly will?: Outgoing;
  /** Unacknowledged messages and bytes before `room()` makes the caller wait. */
  readonly messagesMax: number;
  readonly bytesMax: number;
  /** Give up after this long without an acknowledgement; without it, try for ever. */
  readonly patienceMs?: number;
  readonly random: () => number;
  readonly log: Log;
};

/** No more can be published: refused credentials, or out of patience. */
export class PublishError extends Error {
  override readonly name = "PublishError";
}

export type Publisher = ReturnType<typeof startPublisher>;

type Pending = Outgoing & { sends: number; resolve(sends: number): void; reject(error: Error): void };

const BACK_OFF_MS_MIN = 250;
const BACK_OFF_MS_MAX = 15_000;
/** CONNACK return codes of MQTT 3.1.1: wrong user name or password, not authorised. Trying again does not help. */
const REFUSED = new Set([4, 5]);

/**
 * A QoS 1 publisher that owns its unacknowledged messages: each connection is a new MQTT.js client, and what was not
 * acknowledged on the old one is sent again, in order. (MQTT.js keeps them too, but loses them if the link drops a second
 * time while they are sent again.) Reconnects wait a random time that grows, so that a city does not come back at once.
 */
export function startPublisher(options: PublisherOptions) {
  const unacked = new Set<Pending>();
  const waiting: (() => void)[] = [];
  let bytes = 0;
  let client: MqttClient | undefined;
  let failures = 0;
  let failed: PublishError | undefined;
  let closing = false;
  let timer: NodeJS.Timeout | undefined;
  let patience: NodeJS.Timeout | undefined;
  const stats = { connects: 0, acknowledged: 0, resent: 0 };

  function open() {
    timer = undefined;
    const mine = connect(options.url, clientOptions(options));
    client = mine;
    mine.on("connect", () => {
      stats.connects += 1;
      failures = 0;
      for (const pending of unacked) send(mine, pending);
    });
    mine.on("error", (error) => {
      if (REFUSED.has((error as { code?: number }).code ?? -1))
        fail(new PublishError(`the broker refuses ${options.username}: ${error.message}`));
    });
    mine.on("close", () => {
      if (client !== mine) return;
      client = undefined;
      mine.end(true);
      if (closing || failed) return;
      const ceiling = Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS_MIN * 2 ** failures);
      failures += 1;
      timer = setTimeout(open, BACK_OFF_MS_MIN + options.random() * ceiling);
    });
  }

  function send(through: MqttClient, pending: Pending) {
    pending.sends += 1;
    if (pending.sends > 1) stats.resent += 1;
    const { topic, payload, retain = false } = pending;
    through.publish(topic, payload, { qos: 1, retain, dup: pending.sends > 1 }, (error) => {
      // An error belongs to a connection that is gone: the message waits for the next one.
      if (!error && unacked.has(pending)) settle(pending);
    });
  }

  function settle(pending: Pending) {
    unacked.delete(pending);
    bytes -= pending.payload.length;
    stats.acknowledged += 1;
    watch();
    pending.resolve(pending.sends);
    while (waiting.length > 0 && hasRoom()) waiting.shift()!();
  }

  const hasRoom = () => unacked.size < options.messagesMax && bytes < options.bytesMax;

  function watch() {
    clearTimeout(patience);
    if (options.patienceMs === undefined || unacked.size === 0 || failed) return;
    const seconds = Math.round(options.patienceMs / 1000);
    const text = `no acknowledgement from ${options.url} for ${seconds} s; is the service running?`;
    patience = setTimeout(() => fail(new PublishError(text)), options.patienceMs);
  }

  function fail(error: PublishError) {
    if (failed) return;
    failed = error;
    if (!closing) options.log.warn({ user: options.username, error: error.message }, "publishing has ended");
    clearTimeout(timer);
    clearTimeout(patience);
    client?.end(true);
    for (const pending of unacked) pending.reject(error);
    unacked.clear();
    bytes = 0;
    for (const go of waiting.splice(0)) go();
  }

  open();
  return {
    /** Resolves when the broker has acknowledged, with how often it was sent. Rejects with `PublishError`. */
    publish(message: Outgoing): Promise<number> {
      if (failed) return Promise.reject(failed);
      return new Promise((resolve, reject) => {
        const pending: Pending = { ...message, sends: 0, resolve, reject };
        unacked.add(pending);
        bytes += message.payload.length;
        if (unacked.size === 1) watch();
        if (client?.connected) send(client, pending);
      });
    },
    /** Resolves when another message may be published. */
    async room(): Promise<void> {
      while (!failed && !hasRoom()) await new Promise<void>((go) => waiting.push(go));
    },
    stats: () => ({ ...stats, unacked: unacked.size, failed }),
    /** Ends the connection. What is not acknowledged by then is given up. */
    async close(): Promise<void> {
      closing = true;
      clearTimeout(timer);
      const last = client;
      // A clean DISCONNECT: the broker must not send the last will.
      if (last?.connected) await new Promise<void>((done) => last.end(false, {}, () => done()));
      fail(new PublishError("closed"));
    },
  };
}

function clientOptions(options: PublisherOptions): IClientOptions {
  return {
    clientId: options.clientId,
    username: options.username,
    password: options.password,
    clean: true,
    keepalive: 30,
    connectTimeout: 10_000,
    // We reconnect ourselves, see above.
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    ...(options.will
      ? { will: { qos: 1, retain: true, ...options.will, payload: Buffer.from(options.will.payload) } }
      : {}),
  };
}
