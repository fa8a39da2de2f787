import { connect, type IClientOptions, type IPublishPacket, type MqttClient } from "mqtt";
import { countElements, type NewMessage, READINGS_PER_MESSAGE_MAX } from "../../model/message.ts";
import { type Bucket, spend, waitMs } from "../../model/rate-limit.ts";
import type { MqttSourceOptions, SourceCounts, SourceLimits } from "./options.ts";

export type Version = 4 | 5;

type Handlers = {
  /** Called for each PUBLISH; the next one comes when `next` is called. */
  onDelivered(packet: IPublishPacket, answer: Answer | undefined, next: () => void): void;
  /** The broker has accepted us and all filters; `sessionPresent`: it knew us and has kept what came since. */
  onSubscribed(sessionPresent: boolean): void;
  /** Once, for whatever reason. */
  onEnd(end: Ended): void;
};

export type Ended = {
  /** The CONNACK said yes. */
  readonly accepted: boolean;
  /** What went wrong first; undefined when the broker just closed. */
  readonly error?: Error & { readonly code?: string | number };
  /** MQTT 5's reason in the broker's DISCONNECT. */
  readonly reasonCode?: number;
};

export type Connection = {
  acknowledge(answers: readonly Answer[]): void;
  /** Ends it at once: what is not acknowledged comes again. */
  drop(error: Error): void;
  /** DISCONNECT; the broker keeps the session. Resolves when the socket is closed, after a second at the latest. */
  leave(): Promise<void>;
};

const SESSION_NEVER_EXPIRES = 0xffff_ffff;
/** For brokers that know MQTT 5: what they may send before a PUBACK, and the largest packet. */
const RECEIVE_MAXIMUM = 1_000;
const PACKET_BYTES_MAX = 1024 * 1024;
const LEAVE_WITHIN_MS = 1_000;

/**
 * One connection with a persistent session, by one MQTT.js client that does not come back by itself.
 *
 * MQTT.js takes one message at a time and sends the PUBACK itself, so each would wait for a sync of its own (see
 * docs/decisions/0005-external-broker.md). Here it takes every PUBLISH for one of QoS 0, which it does not acknowledge,
 * and the PUBACK is ours: four bytes, when the message is on disk.
 */
export function openConnection(
  options: MqttSourceOptions,
  limits: SourceLimits,
  version: Version,
  handlers: Handlers,
): Connection {
  const client = connect(clientOptions(options, limits, version));
  const answers = new WeakMap<object, Answer>();
  const closed = Promise.withResolvers<void>();
  let accepted = false;
  let error: Error | undefined;
  let reasonCode: number | undefined;
  let answerTimer: NodeJS.Timeout | undefined;

  client.on("packetreceive", (packet) => {
    if (packet.cmd !== "publish" || packet.qos === 0) return;
    answers.set(packet, { qos: packet.qos, packetId: packet.messageId! });
    packet.qos = 0;
  });
  client.handleMessage = (packet, next) => handlers.onDelivered(packet, answers.get(packet), next);
  client.on("connect", ({ sessionPresent }) => {
    accepted = true;
    const silence = new Error("the broker did not answer the subscription");
    answerTimer = setTimeout(() => drop(silence), limits.connectTimeoutMs);
    subscribe(client, options.topics, (refused) => {
      clearTimeout(answerTimer);
      if (refused) drop(refused);
      else handlers.onSubscribed(sessionPresent);
    });
  });
  client.on("disconnect", (packet) => {
    reasonCode = packet.reasonCode;
  });
  client.on("error", (given) => drop(given));
  client.once("close", () => {
    clearTimeout(answerTimer);
    client.end(true);
    closed.resolve();
    handlers.onEnd({ accepted, error, reasonCode });
  });

  function drop(why: Error): void {
    error ??= why;
    client.stream.destroy();
  }

  function acknowledge(list: readonly Answer[]): void {
    if (client.connected) client.stream.write(acknowledgements(list));
  }

  async function leave(): Promise<void> {
    // Not the callback of `end`: it may come before the socket is closed, or never.
    const timer = setTimeout(() => client.stream.destroy(), LEAVE_WITHIN_MS);
    if (client.connected) client.end(false);
    else client.stream.destroy();
    await closed.promise;
    clearTimeout(timer);
  }

  return { acknowledge, drop, leave };
}

/** Also when the session was present: what it holds may be older than our filters, and the retained statuses come again. */
function subscribe(client: MqttClient, topics: readonly string[], done: (refused?: Error) => void): void {
  client.subscribe([...topics], { qos: 1 }, (error) => {
    if (!error) return done();
    if (client.connected) done(new Error(`the broker refused the subscription: ${error.message}`, { cause: error }));
  });
}

/** PUBACK (QoS 1) or PUBREC (QoS 2; MQTT.js answers the PUBREL): the same four bytes in MQTT 3.1.1 and 5. */
function acknowledgements(answers: readonly Answer[]): Buffer {
  const bytes = Buffer.allocUnsafe(4 * answers.length);
  let at = 0;
  for (const { qos, packetId } of answers) {
    bytes[at] = qos === 1 ? 0x40 : 0x50;
    bytes[at + 1] = 2;
    at = bytes.writeUInt16BE(packetId, at + 2);
  }
  return bytes;
}

function clientOptions(options: MqttSourceOptions, limits: SourceLimits, version: Version): IClientOptions {
  const { host, port, tls, username, password, clientId } = options;
  return {
    host,
    port,
    username,
    password,
    clientId,
    protocol: tls ? "mqtts" : "mqtt",
    ...(tls?.ca && { ca: tls.ca }),
    protocolVersion: version,
    clean: false,
    ...(version === 5 && {
      properties: {
        sessionExpiryInterval: SESSION_NEVER_EXPIRES,
        receiveMaximum: RECEIVE_MAXIMUM,
        maximumPacketSize: PACKET_BYTES_MAX,
      },
    }),
    keepalive: limits.keepaliveS,
    connectTimeout: limits.connectTimeoutMs,
    // We come back ourselves, with a random wait, as a new client: nothing of an old connection can get into a new one.
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
  };
}

/** One delivered PUBLISH. `message` is absent if there is nothing to keep. */
type Taken = { readonly message?: NewMessage; readonly answer?: Answer };
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
