import type { Client, PublishPacket } from "aedes";
import { type NewMessage, REFUSED_PAYLOAD_BYTES_MAX, type RefusedReason, TOPIC_BYTES_MAX } from "../model/message.ts";
import { createReceiptTimes } from "../model/receipt-times.ts";
import { readStatus } from "../model/status.ts";
import { parseSensorTopic } from "../model/topics.ts";
import { mayUse } from "./access.ts";
import type { Unfit } from "./aedes-internals.ts";
import { type PublishDenial, safeText, withSetting } from "./events.ts";
import type { Answer } from "./mqtt5.ts";
import { CODE } from "./mqtt5-properties.ts";
import {
  type Context,
  type Finding,
  FOREIGN,
  type MayBePublished,
  type PendingPublish,
  type Session,
  whoIs,
} from "./session.ts";

type Done = (error?: Error | null) => void;
type Inbound = PublishPacket & Partial<Unfit>;

/** Parsed topics kept per session: all of a device's, most of a gateway's. */
const TOPICS_MAX = 4_096;
const NOTHING = Buffer.alloc(0);

/** As what a denied publish stands in the quarantine. */
const REFUSED_AS: Record<PublishDenial, RefusedReason> = {
  topic_too_long: "unknown_topic",
  reserved_topic: "unknown_topic",
  unknown_topic: "unknown_topic",
  not_yours: "not_allowed",
  read_only: "not_allowed",
  too_large: "too_large",
  bad_status: "bad_status",
};

/** What an acknowledgement of MQTT 5 says of it (section 3.4.2.1). */
const DENIAL_ANSWERS: Record<PublishDenial, Answer> = {
  topic_too_long: { code: CODE.topicNameInvalid, reason: "unknown_topic", text: "the topic is too long" },
  reserved_topic: { code: CODE.notAuthorized, reason: "unknown_topic", text: "the topic is reserved" },
  unknown_topic: { code: CODE.topicNameInvalid, reason: "unknown_topic", text: "there is no such topic" },
  not_yours: { code: CODE.notAuthorized, reason: "not_allowed", text: "the topic is not yours" },
  read_only: { code: CODE.notAuthorized, reason: "not_allowed", text: "you may not publish" },
  too_large: { code: CODE.implementationSpecific, reason: "too_large", text: "the payload is larger than 64 KiB" },
  bad_status: { code: CODE.payloadFormatInvalid, reason: "bad_status", text: "a status is online or offline" },
};

/** A message of which something is taken was taken; what was not is said all the same. */
function answerTo(finding: Finding | undefined): Answer | undefined {
  if (!finding) return undefined;
  const { reason, detail, refused, of } = finding;
  const isWhole = refused > 0 && refused === of;
  return {
    code: isWhole ? CODE.payloadFormatInvalid : CODE.success,
    reason,
    text: detail,
    refused: isWhole ? undefined : refused,
  };
}

/**
 * What stands between a PUBLISH and its PUBACK. aedes writes the PUBACK (for QoS 2 the PUBREC) as soon as
 * `authorizePublish` calls back, and nothing else runs before it, so the append happens here: an acknowledged message
 * is kept, whatever happens next. QoS 0 is appended too, but nobody waits for it. An append that fails closes the
 * connection without an acknowledgement, so that the device sends again.
 *
 * What can never be accepted is kept and acknowledged as well, with the reason and the beginning of its payload: sent
 * again for ever it would keep the good readings behind it from coming through.
 */
export function createPublishGate(context: Context) {
  const { options, ports, counts } = context;
  const { append, idle } = createAppends(context);
  const line = createAppendLine(context);
  const tally = createShedTally();
  const receivedAt = createReceiptTimes(ports.now);
  let stopped = false;

  function authorizePublish(client: Client | null, packet: Inbound, done: Done): void {
    if (stopped) return;
    const session = context.sessionOf(client);
    if (!session?.account) return done(new Error("not logged in"));
    // aedes brings the last will here as well, after the connection is gone.
    const isWill = (packet as object) === session.client.will;
    if (session.revoked && !isWill) return done(new Error("credential was revoked"));
    if (isWill && isTakenOver(session, packet.topic)) return done(new Error("a newer connection speaks for it"));
    if (packet.qos === 2 && isWithoutRoom(session, packet.messageId!)) return closeUnreleased(session, done);
    const topic = packet.topicGiven === undefined ? topicOf(session, packet.topic) : "topic_too_long";
    const denial = typeof topic === "string" ? topic : reasonAgainst(packet, topic);
    const message = denial ? refuse(session, packet, denial) : messageOf(session, packet);
    if (session.mqtt5 && packet.qos > 0 && !isWill) {
      const answer = denial ? DENIAL_ANSWERS[denial] : answerTo(ports.examine?.(message));
      if (answer) session.mqtt5.answer(packet.messageId!, answer);
    }
    packet.payload = NOTHING; // `message` has it; aedes would keep it with each QoS 2 packet until that is released
    if (packet.qos > 0 && !isWill) return line.join(session, done, (settle) => append(message, settle));
    takeUnacknowledged(message, typeof topic === "string" ? undefined : topic);
    done();
  }

  /** The last will of a connection says nothing any more where a newer one of its account speaks for the same. */
  function isTakenOver(session: Session, topic: string): boolean {
    const { account, client, number } = session;
    for (const other of context.sessionsNamed(account!.name)) {
      if (other.number <= number) continue;
      if (account!.role === "device" || other.client.id === client.id || other.client.will?.topic === topic)
        return true;
    }
    return false;
  }

  /** Half of an exchange of QoS 2 costs memory for as long as the connection lasts: all of an account share what there is. */
  function isWithoutRoom({ client, account }: Session, messageId: number): boolean {
    const unreleased = client._inboundInflight;
    if (unreleased.size < options.unreleasedPerConnectionMin || unreleased.has(messageId)) return false;
    return unreleased.size >= options.unreleasedPerAccountMax / context.sessionsNamed(account!.name).size;
  }

  function closeUnreleased(session: Session, done: Done): void {
    const detail = `${session.client._inboundInflight.size} messages of QoS 2 without a PUBREL`;
    context.report({ type: "closed", reason: "unreleased", detail, ...whoIs(session) });
    // aedes would end the connection before the client is told.
    if (session.mqtt5) session.mqtt5.end({ code: CODE.quotaExceeded, text: `${detail}: ${withSetting("unreleased")}` });
    else done(new Error(detail));
  }

  /** The topic if this session may publish to it, else why not. */
  function topicOf(session: Session, name: string): MayBePublished | PublishDenial {
    const known = session.topics.get(name);
    if (known) return known;
    const decision = mayUse(session.account!, "publish", name);
    if (!decision.allowed) return decision.reason;
    const topic = parseSensorTopic(name) ?? FOREIGN;
    if (session.topics.size >= TOPICS_MAX) session.topics.clear();
    session.topics.set(name, topic);
    return topic;
  }

  function reasonAgainst(packet: Inbound, topic: MayBePublished): PublishDenial | undefined {
    if (packet.payloadBytes !== undefined || packet.payload.length > options.packetBytesMax) return "too_large";
    return topic.channel === "status" && readStatus(packet.payload) === undefined ? "bad_status" : undefined;
  }

  function messageOf(session: Session, { topic, payload }: Inbound): NewMessage {
    return { receivedAt: receivedAt(topic), source: session.source!, topic, payload: payload as Buffer };
  }

  function refuse(session: Session, packet: Inbound, denial: PublishDenial): NewMessage {
    const { topicGiven = packet.topic, payloadBytes: bytes = packet.payload.length } = packet;
    counts.deniedPublishes += 1;
    context.report({ type: "denied-publish", reason: denial, topic: topicGiven, ...whoIs(session) });
    const message = messageOf(session, packet);
    const payload = message.payload.subarray(0, REFUSED_PAYLOAD_BYTES_MAX);
    return {
      ...message,
      topic: safeText(topicGiven, TOPIC_BYTES_MAX),
      payload,
      refused: { reason: REFUSED_AS[denial], bytes },
    };
  }

  /** Nobody was told that it is kept; the books tell that it came. */
  function takeUnacknowledged(message: NewMessage, topic: MayBePublished | undefined): void {
    const shed = () => {
      counts.shedQos0 += 1;
      if (topic?.channel === "readings" && !message.refused) tally.add(topic.sensorId);
    };
    if (counts.waitingAppends >= options.waitingAppendsMax) shed();
    else append(message, (error) => error && shed());
  }

  /** Takes nothing more; resolves when no append is waiting. */
  function stop(): Promise<void> {
    stopped = true;
    return idle();
  }

  return { authorizePublish, tick: line.tick, takeShed: tally.take, stop };
}

/** Hands messages to the journal and knows how many have not been answered. */
function createAppends({ ports, counts }: Context) {
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
function createAppendLine({ counts }: Pick<Context, "counts">) {
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

/** Of one sensor: so many messages of QoS 0 were let go since this was last asked. */
export type Shed = { readonly sensorId: string; readonly count: number };

/** A gateway could name sensors until the memory is full; beyond this many they are counted together, under "". */
const SENSORS_MAX = 10_000;

/** What was let go, by sensor, for the books. */
function createShedTally() {
  let counts = new Map<string, number>();

  return {
    add(sensorId: string): void {
      const key = counts.has(sensorId) || counts.size < SENSORS_MAX ? sensorId : "";
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    /** What was added since the last call. */
    take(): Shed[] {
      if (counts.size === 0) return [];
      const taken = [...counts].map(([sensorId, count]) => ({ sensorId, count }));
      counts = new Map();
      return taken;
    },
  };
}
