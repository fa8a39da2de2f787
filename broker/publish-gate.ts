import type { Client, PublishPacket } from "aedes";
import { readStatus } from "../model/status.ts";
import { parseSensorTopic, type SensorTopic } from "../model/topics.ts";
import { mayUse } from "./access.ts";
import { createAppendLine, createAppends } from "./appends.ts";
import type { DenialReason } from "./events.ts";
import { type Context, type Session, whoIs } from "./session.ts";
import { createShedTally } from "./shed.ts";

type Done = (error?: Error | null) => void;

/** Parsed topics kept per session: all of a device's, most of a gateway's. */
const TOPICS_MAX = 4_096;

/**
 * What stands between a PUBLISH and its PUBACK. aedes writes the PUBACK (for QoS 2 the PUBREC) as soon as
 * `authorizePublish` calls back, and nothing else runs before it, so the append happens here: an acknowledged message
 * is kept, whatever happens next. QoS 0 is appended too, but nobody waits for it. An append that fails closes the
 * connection without an acknowledgement, so that the device sends again.
 */
export function createPublishGate(context: Context) {
  const { options, ports, counts } = context;
  const { append, idle } = createAppends(context);
  const line = createAppendLine(context);
  const mayRetain = createRetainLimit(context);
  const tally = createShedTally();
  let stopped = false;

  function authorizePublish(client: Client | null, packet: PublishPacket, done: Done): void {
    if (stopped) return;
    const session = context.sessionOf(client);
    if (!session?.account) return done(new Error("not logged in"));
    // aedes brings the last will here as well, after the connection is gone.
    const isWill = (packet as object) === session.client.will;
    if (session.revoked && !isWill) return done(new Error("credential was revoked"));
    const topic = topicOf(session, packet.topic);
    const reason = typeof topic === "string" ? topic : reasonAgainst(packet, topic);
    if (typeof topic === "string" || reason) return deny(session, packet.topic, reason ?? "unknown_topic", done);
    packet.dup = false; // [MQTT-3.3.1-3]: not passed on to subscribers
    packet.retain &&= topic.channel === "status" && mayRetain(packet.topic);
    if (isWill) keep(session, packet, done);
    else if (packet.qos === 0) takeUnacknowledged(session, packet, done);
    else line.join(session, done, (settle) => keep(session, packet, settle));
  }

  /** The topic if this session may publish to it, else why not. */
  function topicOf(session: Session, name: string): SensorTopic | DenialReason {
    const known = session.topics.get(name);
    if (known) return known;
    const verdict = mayUse(session.account!, "publish", name);
    if (!verdict.allowed) return verdict.reason;
    const topic = parseSensorTopic(name)!;
    if (session.topics.size >= TOPICS_MAX) session.topics.clear();
    session.topics.set(name, topic);
    return topic;
  }

  function reasonAgainst(packet: PublishPacket, topic: SensorTopic): DenialReason | undefined {
    if (packet.payload.length > options.packetBytesMax) return "too_large";
    return topic.channel === "status" && readStatus(packet.payload) === undefined ? "bad_status" : undefined;
  }

  function deny(session: Session, topic: string, reason: DenialReason, done: Done): void {
    counts.deniedPublishes += 1;
    context.report({ type: "denied-publish", reason, topic, ...whoIs(session) });
    done(new Error(`publish denied: ${reason}`));
  }

  function takeUnacknowledged(session: Session, packet: PublishPacket, done: Done): void {
    if (counts.waitingAppends >= options.waitingAppendsMax) shed(session, packet);
    else keep(session, packet, (error) => error && shed(session, packet));
    done();
  }

  /** Nobody was told that it is kept; the books tell that it came. */
  function shed(session: Session, packet: PublishPacket): void {
    const topic = topicOf(session, packet.topic) as SensorTopic;
    counts.shedQos0 += 1;
    if (topic.channel === "readings") tally.add(topic.sensorId);
  }

  /** A status is an event, everything else goes to the journal. */
  function keep(session: Session, packet: PublishPacket, settle: (error?: Error) => void): void {
    const topic = topicOf(session, packet.topic) as SensorTopic;
    if (topic.channel !== "status") return append(session, packet, settle);
    counts.statuses += 1;
    const { sensorId, district, kind } = topic;
    const online = readStatus(packet.payload) === true;
    ports.onEvent({ type: "status", sensorId, district, kind, online, at: ports.now() });
    settle();
  }

  /** Takes nothing more; resolves when no append is waiting. */
  function stop(): Promise<void> {
    stopped = true;
    return idle();
  }

  return { authorizePublish, tick: line.tick, takeShed: tally.take, stop };
}

/** Says whether a topic may be retained: aedes keeps them all in RAM. */
function createRetainLimit({ options, counts }: Context) {
  const retained = new Set<string>();
  return (topic: string): boolean => {
    if (retained.has(topic)) return true;
    if (retained.size >= options.retainedMax) {
      counts.retainedRefused += 1;
      return false;
    }
    retained.add(topic);
    return true;
  };
}
