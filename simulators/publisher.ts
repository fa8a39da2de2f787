import { connect, type IClientOptions, type MqttClient } from "mqtt";
import type { Log } from "../model/log.ts";
import { READINGS_PER_MESSAGE_MAX } from "../model/message.ts";

export type Bundle = { readonly topic: string; readonly payload: string; readonly readings: number };

/** Under the 64 KiB any door lets in, with room for the brackets. */
const BUNDLE_BYTES_MAX = 60_000;
/** Over all topics: bounds the memory when a recording has very many sensors. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Gathers readings of one topic into arrays, in their order: at most 500 readings and 60,000 bytes. `perMessage` 1
 * sends every reading by itself.
 */
export function createBundler(perMessage: number, send: (bundle: Bundle) => void) {
  const open = new Map<string, { parts: string[]; bytes: number }>();
  const limit = Math.min(perMessage, READINGS_PER_MESSAGE_MAX);
  let waitingBytes = 0;

  function flush(topic: string) {
    const bundle = open.get(topic);
    if (!bundle) return;
    open.delete(topic);
    waitingBytes -= bundle.bytes;
    const payload = bundle.parts.length === 1 ? bundle.parts[0]! : `[${bundle.parts.join(",")}]`;
    send({ topic, payload, readings: bundle.parts.length });
  }

  function flushAll() {
    for (const topic of [...open.keys()]) flush(topic);
  }

  return {
    add(topic: string, reading: object) {
      const part = JSON.stringify(reading);
      const bytes = Buffer.byteLength(part) + 1;
      if ((open.get(topic)?.bytes ?? 0) + bytes > BUNDLE_BYTES_MAX) flush(topic);
      const bundle = open.get(topic) ?? { parts: [], bytes: 0 };
      open.set(topic, bundle);
      bundle.parts.push(part);
      bundle.bytes += bytes;
      waitingBytes += bytes;
      if (bundle.parts.length >= limit) flush(topic);
      else if (waitingBytes > WAITING_BYTES_MAX) flushAll();
    },
    flushAll,
  };
}

type LinkOptions = {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly clientId: string;
  readonly will?: { readonly topic: string; readonly payload: string };
  readonly random: () => number;
  onConnect(client: MqttClient): void;
  /** The broker knows this login and says no: there will be no further try. */
  onRefused(reason: string): void;
};

const BACK_OFF_MS_MIN = 250;
const BACK_OFF_MS_MAX = 15_000;
/** CONNACK return codes of MQTT 3.1.1: wrong user name or password, not authorised. Trying again does not help. */
const REFUSED = new Set([4, 5]);

/**
 * A connection that comes back: each one is a new MQTT.js client, so that nothing of an old one is sent by surprise.
 * Reconnects wait a random time that grows, so that a city does not come back at once.
 */
function openLink(options: LinkOptions) {
  let client: MqttClient | undefined;
  let failures = 0;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  function open() {
    const mine = connect(options.url, clientOptions(options));
    client = mine;
    mine.on("connect", () => {
      failures = 0;
      options.onConnect(mine);
    });
    mine.on("error", (error) => {
      if (REFUSED.has((error as { code?: number }).code ?? -1)) options.onRefused(error.message);
    });
    mine.on("close", () => {
      if (client !== mine) return;
      client = undefined;
      mine.end(true);
      if (!closed) timer = setTimeout(open, backOffMs(failures++, options.random));
    });
  }

  open();
  return {
    /** The client, while it is connected. */
    current: () => (client?.connected ? client : undefined),
    /** Ends it for good; politely, so that the broker does not send the last will, or at once. */
    async close(politely: boolean): Promise<void> {
      closed = true;
      clearTimeout(timer);
      const last = client;
      if (politely && last?.connected) await new Promise<void>((done) => last.end(false, {}, () => done()));
      else last?.end(true);
    },
  };
}

function backOffMs(failures: number, random: () => number): number {
  return BACK_OFF_MS_MIN + random() * Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS_MIN * 2 ** failures);
}

function clientOptions({ clientId, username, password, will }: LinkOptions): IClientOptions {
  return {
    clientId,
    username,
    password,
    clean: true,
    keepalive: 30,
    connectTimeout: 10_000,
    // We reconnect ourselves, see above.
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    ...(will ? { will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: true } } : {}),
  };
}

type Outgoing = { readonly topic: string; readonly payload: string; readonly retain?: boolean };

export type PublisherOptions = Omit<LinkOptions, "onConnect" | "onRefused"> & {
  /** Unacknowledged messages and characters before `room()` makes the caller wait. */
  readonly messagesMax: number;
  readonly bytesMax: number;
  /** Give up after this long without an acknowledgement; without it, try for ever. */
  readonly patienceMs?: number;
  readonly log: Log;
};

/** No more can be published: refused credentials, out of ackTimeout, or closed. */
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
  const ackTimeout = createAckTimeout(options.patienceMs, () =>
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
      ackTimeout.restart(window.unacked.size > 0);
      pending.resolve(pending.sends);
    });
  }

  function fail(reason: string) {
    if (failed) return;
    failed = new PublishError(reason);
    options.log.warn({ user: options.username, reason }, "publishing has ended");
    ackTimeout.restart(false);
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
        if (window.unacked.size === 1) ackTimeout.restart(true);
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
      ackTimeout.restart(false);
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

function createAckTimeout(ms: number | undefined, onEnd: () => void) {
  let timer: NodeJS.Timeout | undefined;
  return {
    restart(needed: boolean): void {
      clearTimeout(timer);
      if (needed && ms !== undefined) timer = setTimeout(onEnd, ms);
    },
  };
}
