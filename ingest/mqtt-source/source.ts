import type { IPublishPacket } from "mqtt";
import type { Figure, Health } from "../../model/health.ts";
import { type NewMessage, PAYLOAD_BYTES_MAX, type Source } from "../../model/message.ts";
import { newBucket } from "../../model/rate-limit.ts";
import { createReceiptTimes } from "../../model/receipt-times.ts";
import { readStatus } from "../../model/status.ts";
import { filterMatches, isForeignFilter } from "../../model/topic-filter.ts";
import { cutTopic, parseSensorTopic } from "../../model/topics.ts";
import { parsePayload } from "../decode.ts";
import { isNoTime, readMeasuredAt } from "../reading-time.ts";
import { type Answer, type Connection, createIntake, type Ended, openConnection, type Version } from "./connection.ts";
import {
  createCounts,
  type Ignored,
  LIMITS,
  type MqttSourceOptions,
  type MqttSourcePorts,
  type SourceCounts,
  type SourceLimits,
  sourceFigures,
} from "./options.ts";

const READINGS_PER_S = 50_000;

type MqttSource = {
  health(): Health;
  figures(): Figure[];
  counts(): Readonly<SourceCounts>;
  /** Nothing that is sent to the broker can be heard. */
  isAway(): boolean;
  /** Takes nothing more, acknowledges what the journal still keeps within `withinMs`, and leaves; the broker keeps the session. */
  close(withinMs: number): Promise<void>;
};

/**
 * Reads from a broker of somebody else with a persistent session, and acknowledges what the journal has. Comes back by
 * itself for as long as it lives: a broker that is away is a degraded service, not a failed one.
 */
export function startMqttSource(options: MqttSourceOptions, ports: MqttSourcePorts): MqttSource {
  const { now, log } = ports;
  const limits = { ...LIMITS, ...ports.limits };
  const { readingsPerS = READINGS_PER_S } = options;
  const bucket = newBucket({ perSecond: readingsPerS, burst: 2 * readingsPerS }, now());
  const counts = createCounts();
  const receivedAt = createReceiptTimes(now);
  const reconnects = createReconnects(limits, ports.random);
  const source: Source = { via: "bridge", role: "broker", name: options.host };
  const address = `${options.host}:${options.port}`;
  const foreign: ForeignTopics = {
    filters: options.topics.filter(isForeignFilter),
    ...(ports.isStatus && { isStatus: ports.isStatus }),
  };
  let current: { connection: Connection; intake: ReturnType<typeof createIntake> } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let steadyTimer: NodeJS.Timeout | undefined;
  let closed = false;
  let hasSubscribed = false;
  let subscribedAt = 0;
  let trouble = `Connecting to ${address}.`;

  function open(): void {
    const intake = createIntake({
      append: ports.append,
      counts,
      limits,
      bucket,
      now,
      onKept(answers) {
        counts.acknowledged += answers.length;
        connection.acknowledge(answers);
      },
      onFailed: (error) => connection.drop(new Error(`the journal did not take a message: ${error.message}`)),
    });
    const connection = openConnection(options, limits, reconnects.version(), {
      onDelivered: (packet, answer, next) => intake.take(sort(packet, answer), next),
      onSubscribed,
      onEnd(end) {
        intake.abandon();
        onEnd(end);
      },
    });
    current = { connection, intake };
  }

  function sort(packet: IPublishPacket, answer: Answer | undefined) {
    counts.received += 1;
    const { topic, payload, retain } = packet;
    const delivered = { topic, payload: payload as Buffer, retain };
    const sorted = sortDelivered(delivered, source, receivedAt(topic), foreign);
    if (sorted.to === "nobody") {
      counts.ignored[sorted.reason] += 1;
      return { answer };
    }
    if (topic.endsWith("/status")) counts.statuses += 1;
    return { message: sorted.message, answer };
  }

  function onSubscribed(sessionPresent: boolean): void {
    counts.connects += 1;
    counts.connected = 1;
    if (hasSubscribed && !sessionPresent) {
      counts.sessionsLost += 1;
      log.warn({ broker: address }, "the broker had forgotten the session: what came while we were away is not there");
    }
    log.info({ broker: address, mqtt: reconnects.version(), sessionPresent }, "reading from the external broker");
    hasSubscribed = true;
    subscribedAt = now();
    trouble = "";
    steadyTimer = setTimeout(reconnects.steady, limits.steadyMs).unref();
  }

  function onEnd(end: Ended): void {
    clearTimeout(steadyTimer);
    current = undefined;
    const lastedMs = counts.connected ? now() - subscribedAt : 0;
    if (end.accepted) counts.disconnects += 1;
    counts.connected = 0;
    const { waitMs, wrong, takeover } = reconnects.ended(end, lastedMs);
    if (takeover) counts.takeovers += 1;
    if (closed) return;
    timer = setTimeout(open, waitMs);
    if (!wrong) return;
    const why = `Not connected to ${address}: ${explainEnd(end)}. It is tried again.`;
    if (why !== trouble) log.warn({ broker: address, why: explainEnd(end) }, "not reading from the external broker");
    trouble = why;
  }

  function health(): Health {
    const part = "mqtt source";
    const takeover = reconnects.takeover();
    const reason = takeover ? takeoverWords(takeover, options.clientId) : trouble;
    if (!reason) return { part, state: "ok", ready: true };
    return { part, state: "degraded", ready: true, reason };
  }

  async function close(withinMs: number): Promise<void> {
    closed = true;
    clearTimeout(timer);
    if (!current) return;
    const { connection, intake } = current;
    await Promise.race([intake.drain(), after(withinMs)]);
    await connection.leave();
    clearTimeout(steadyTimer);
  }

  open();
  return {
    health,
    figures: () => sourceFigures(counts),
    counts: () => counts,
    isAway: () => counts.connected === 0,
    close,
  };
}

function takeoverWords(takeover: "sure" | "likely", clientId: string): string {
  const advice = "give each its own LAMPPOST_MQTT_SOURCE_CLIENT_ID, or stop one.";
  return takeover === "sure"
    ? `Another client takes the session of "${clientId}": ${advice}`
    : `The broker closes each connection after a short time. If another client uses the id "${clientId}", ${advice}`;
}

/** Does not keep the process alive. */
function after(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms).unref());
}

/** A PUBLISH as the external broker sent it. */
type Delivered = { readonly topic: string; readonly payload: Buffer; readonly retain: boolean };

/** Topics of other formats that were asked for, which a mapping reads. */
type ForeignTopics = { readonly filters: readonly string[]; isStatus?(topic: string): boolean };

type Sorted =
  | { readonly to: "journal"; readonly message: NewMessage }
  | { readonly to: "nobody"; readonly reason: Ignored };

/** What becomes of a message of the external broker. Everything under `city/` is kept, also what is not a reading, and what was asked for elsewhere. */
export function sortDelivered(
  { topic, payload, retain }: Delivered,
  source: Source,
  now: number,
  foreign: ForeignTopics = { filters: [] },
): Sorted {
  if (!topic.startsWith("city/")) {
    if (!foreign.filters.some((filter) => filterMatches(filter, topic)))
      return { to: "nobody", reason: "foreign_topic" };
    // What is kept by the broker is no new reading, but says whether a device is there.
    if (retain && !foreign.isStatus?.(topic)) return { to: "nobody", reason: "retained_without_time" };
    return {
      to: "journal",
      message: { receivedAt: now, source, topic: cutTopic(topic), payload: cutPayload(payload) },
    };
  }
  const at = parseSensorTopic(topic);
  if (at?.channel === "rejected") return { to: "nobody", reason: "own_rejection" };
  const isStatus = at?.channel === "status";
  if (isStatus && readStatus(payload) === undefined) return { to: "nobody", reason: "bad_status" };
  // Comes with every subscribe, however old it is: without a time of its own it would look like a new reading each time.
  if (!isStatus && retain && !hasTime(payload, now)) return { to: "nobody", reason: "retained_without_time" };
  const message = { receivedAt: now, source, topic: cutTopic(topic), payload: cutPayload(payload) };
  return { to: "journal", message };
}

/** Of its own: null is none, and a clock that was never set says nothing. */
function hasTime(payload: Buffer, now: number): boolean {
  if (!payload.includes('"measuredAt"')) return false;
  const { readings } = parsePayload(payload);
  // What cannot be opened is the quarantine's.
  if (readings.length === 0) return true;
  return readings.some((item) => {
    const raw = (item as { measuredAt?: unknown } | null)?.measuredAt;
    return !isNoTime(raw) && !Number.isNaN(readMeasuredAt(raw, now, false));
  });
}

/**
 * MQTT allows far more than our doors. What is too long is cut just beyond the limit: it ends in the quarantine, counted
 * and with its reason. It cannot be refused (the broker would send it again for ever) and should not vanish.
 */
function cutPayload(payload: Buffer): Uint8Array {
  // A copy: a view would keep, and take to the other thread, all of it.
  return payload.length > PAYLOAD_BYTES_MAX ? new Uint8Array(payload.subarray(0, PAYLOAD_BYTES_MAX + 1)) : payload;
}

/** MQTT 5: "session taken over". */
const TAKEN_OVER = 0x8e;
/** "Unacceptable protocol version" in a CONNACK of MQTT 3.1.1, "unsupported protocol version" in one of MQTT 5. */
const OTHER_VERSION = new Set<unknown>([1, 0x84]);
/** MQTT 3.1.1 does not say why it hangs up: so many short connections in a row look like two clients with one id. */
const SHORT_CONNECTIONS_SUSPECT = 3;

type Limits = Pick<SourceLimits, "backOffMsMin" | "backOffMsMax" | "steadyMs">;

/** When to come back, whether something is wrong, and whether another client has, or seems to have, our id. */
type Reconnect = { readonly waitMs: number; readonly wrong: boolean; readonly takeover: boolean };

/**
 * What follows from how connections ended: when to come back, with which version of MQTT, and whether somebody else uses
 * our client id. A broker gives a session to the client that came last, so two with one id throw each other out for ever.
 */
export function createReconnects(limits: Limits, random: () => number) {
  let version: Version = 5;
  let hasWorked = false;
  let failures = 0;
  let shortOnes = 0;
  let takenOver = false;

  /** `lastedMs` from the subscription on, 0 if it did not get so far. */
  function ended(end: Ended, lastedMs: number): Reconnect {
    if (end.accepted) hasWorked = true;
    else if (chooseVersion(end)) return { waitMs: 0, wrong: false, takeover: false };
    const steady = lastedMs >= limits.steadyMs;
    if (steady) shortOnes = 0;
    else if (end.accepted && hungUp(end)) shortOnes += 1;
    const saidSo = end.reasonCode === TAKEN_OVER;
    takenOver = saidSo || (takenOver && !steady);
    if (steady) failures = 0;
    const waitMs = limits.backOffMsMin + random() * Math.min(limits.backOffMsMax, limits.backOffMsMin * 2 ** failures);
    failures += 1;
    const takeover = saidSo || (end.accepted && hungUp(end) && shortOnes >= SHORT_CONNECTIONS_SUSPECT);
    return { waitMs, wrong: true, takeover };
  }

  /**
   * A broker from before MQTT 5 says so in its CONNACK, or just hangs up: then both are tried in turn until one works.
   * True: it said so, and the other version has not been refused yet.
   */
  function chooseVersion({ error }: Ended): boolean {
    const saysSo = OTHER_VERSION.has(error?.code);
    const wasFive = version === 5;
    if (saysSo || (!hasWorked && hungUp({ error }))) version = wasFive ? 4 : 5;
    return saysSo && wasFive;
  }

  return {
    ended,
    version: () => version,
    /** "sure" when the broker said so, "likely" when connections keep ending without a reason. */
    takeover: (): "sure" | "likely" | undefined =>
      takenOver ? "sure" : shortOnes >= SHORT_CONNECTIONS_SUSPECT ? "likely" : undefined,
    /** The connection has held: nobody else uses the id, and the next failure is the first. */
    steady(): void {
      takenOver = false;
      shortOnes = 0;
      failures = 0;
    },
  };
}

const UNKNOWN_AUTHORITY =
  "its certificate is not signed by an authority this machine knows; LAMPPOST_MQTT_SOURCE_CA names the authority's PEM file";
const BAD_LOGIN = "it refused the user name or the password in LAMPPOST_MQTT_SOURCE_URL";
const NO_ANSWER = "it hung up without an answer: is it the right port, and right to use (or not to use) TLS, mqtts://?";
/** The broker closed the connection, in the words of Node. */
const CLOSED = new Set<unknown>(["ECONNRESET", "EPIPE"]);
const NOT_TLS = "it does not speak TLS on this port; mqtt:// is without TLS";

/** CONNACK codes of MQTT 3.1.1 and 5, and the error codes of Node: what they mean for the one who has to act. */
const WORDS: Readonly<Record<string, string>> = {
  2: "it refused the client id",
  3: "it says it is unavailable",
  4: BAD_LOGIN,
  5: "it does not authorise this user",
  133: "it refused the client id",
  134: BAD_LOGIN,
  135: "it does not authorise this user",
  136: "it says it is unavailable",
  137: "it says it is busy",
  138: "it has banned this client",
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "the host name is not known",
  EAI_AGAIN: "the host name could not be looked up",
  ETIMEDOUT: "it does not answer",
  EHOSTUNREACH: "there is no way to that host",
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: "its certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host name",
  ERR_SSL_WRONG_VERSION_NUMBER: NOT_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NOT_TLS,
  EPROTO: NOT_TLS,
};

/** Nothing of ours, nor of the network, was the reason. */
function hungUp({ error }: Pick<Ended, "error">): boolean {
  return !error || CLOSED.has(error.code);
}

/** Why a connection ended, in words for an operator. */
export function explainEnd(end: Ended): string {
  if (hungUp(end)) return end.accepted ? "it closed the connection" : NO_ANSWER;
  const { code, message } = end.error!;
  return WORDS[code ?? ""] ?? message;
}
