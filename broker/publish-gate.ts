import type { Client, PublishPacket } from "aedes";
import { type NewMessage, REFUSED_PAYLOAD_BYTES_MAX, type RefusedReason, TOPIC_BYTES_MAX } from "../model/message.ts";
import { readStatus } from "../model/status.ts";
import { parseSensorTopic, type SensorTopic } from "../model/topics.ts";
import { mayUse } from "./access.ts";
import type { Unfit } from "./aedes-internals.ts";
import { createAppendLine, createAppends } from "./appends.ts";
import { type PublishDenial, safeText } from "./events.ts";
import { type Context, type Session, whoIs } from "./session.ts";
import { createShedTally } from "./shed.ts";

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
  let stopped = false;

  function authorizePublish(client: Client | null, packet: Inbound, done: Done): void {
    if (stopped) return;
    const session = context.sessionOf(client);
    if (!session?.account) return done(new Error("not logged in"));
    // aedes brings the last will here as well, after the connection is gone.
    const isWill = (packet as object) === session.client.will;
    if (session.revoked && !isWill) return done(new Error("credential was revoked"));
    if (packet.qos === 2 && isWithoutRoom(session, packet.messageId!)) return done(closeUnreleased(session));
    const topic = packet.topicGiven === undefined ? topicOf(session, packet.topic) : "topic_too_long";
    const denial = typeof topic === "string" ? topic : reasonAgainst(packet, topic);
    const message = denial ? refuse(session, packet, denial) : messageOf(session, packet);
    packet.payload = NOTHING; // `message` has it; aedes would keep it with each QoS 2 packet until that is released
    if (packet.qos > 0 && !isWill) return line.join(session, done, (settle) => append(message, settle));
    takeUnacknowledged(message, typeof topic === "string" ? undefined : topic);
    done();
  }

  /** Half of an exchange of QoS 2 costs memory for as long as the connection lasts: all of an account share what there is. */
  function isWithoutRoom({ client, account }: Session, messageId: number): boolean {
    const unreleased = client._inboundInflight;
    if (unreleased.size < options.unreleasedPerConnectionMin || unreleased.has(messageId)) return false;
    return unreleased.size >= options.unreleasedPerAccountMax / context.sessionsNamed(account!.name).size;
  }

  function closeUnreleased(session: Session): Error {
    const detail = `${session.client._inboundInflight.size} messages of QoS 2 without a PUBREL`;
    context.report({ type: "closed", reason: "unreleased", detail, ...whoIs(session) });
    return new Error(detail);
  }

  /** The topic if this session may publish to it, else why not. */
  function topicOf(session: Session, name: string): SensorTopic | PublishDenial {
    const known = session.topics.get(name);
    if (known) return known;
    const verdict = mayUse(session.account!, "publish", name);
    if (!verdict.allowed) return verdict.reason;
    const topic = parseSensorTopic(name)!;
    if (session.topics.size >= TOPICS_MAX) session.topics.clear();
    session.topics.set(name, topic);
    return topic;
  }

  function reasonAgainst(packet: Inbound, topic: SensorTopic): PublishDenial | undefined {
    if (packet.payloadBytes !== undefined || packet.payload.length > options.packetBytesMax) return "too_large";
    return topic.channel === "status" && readStatus(packet.payload) === undefined ? "bad_status" : undefined;
  }

  function messageOf(session: Session, { topic, payload }: Inbound): NewMessage {
    return { receivedAt: ports.now(), source: session.source!, topic, payload: payload as Buffer };
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
  function takeUnacknowledged(message: NewMessage, topic: SensorTopic | undefined): void {
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
