import type { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";
import { Aedes, type Client, type PublishPacket } from "aedes";
import type { TlsMaterial } from "../model/tls.ts";
import type { MqttClient } from "./aedes-internals.ts";
import { createAuthentication } from "./authenticate.ts";
import { type BrokerCounts, createCounts, createEventLimiter } from "./events.ts";
import { createKeptSessions, type Told } from "./kept-sessions.ts";
import { startListeners } from "./listeners.ts";
import { CODE } from "./mqtt5-properties.ts";
import { BROKER_DEFAULTS, type BrokerOptions } from "./options.ts";
import { charge, createPace } from "./pace.ts";
import { guardPackets, TOPIC_LEVELS_MAX } from "./packet-guard.ts";
import { createPublishGate, type Shed, TICKS_PER_HOOK_TIMEOUT } from "./publish-gate.ts";
import {
  type BrokerPorts,
  type Connection,
  type Context,
  createSessions,
  endSessions,
  type Session,
  whoIs,
} from "./session.ts";
import { createSharedSubscriptions } from "./shared-subscriptions.ts";
import {
  createSubscribeGate,
  freePublishersFrom,
  hasTooMuchUnread,
  keepRetained,
  leaveFanOutToService,
} from "./subscribers.ts";

type Publication = {
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly qos: 0 | 1;
  readonly retain?: boolean;
  /** The number of the change of an alert that it tells. */
  readonly event?: number;
};

export type Broker = {
  readonly address: { readonly host: string; readonly port: number; readonly tlsPort?: number };
  /** A message from the service itself (alerts, `rejected` notices, what was found good): no access rule, not journalled. */
  publish(message: Publication): Promise<void>;
  /** Closes all connections of an account, at once; how many there were. Take the credential away first. `except`: those that
   * showed one of these secrets, or a certificate, stay. */
  disconnect(name: string, except?: readonly string[]): number;
  /** Forgets the sessions that were kept for an account. */
  forgetSessions(name: string): void;
  /** Another certificate, for connections to come. */
  renewTls(material: TlsMaterial): void;
  /** A copy of the counters. */
  counts(): BrokerCounts;
  /** Readings of QoS 0 let go since the last call, also after `close`. */
  takeShed(): readonly Shed[];
  /**
   * Stops listening, stops reading, waits until what was being kept is kept and acknowledged, then closes the clients.
   * Last wills are not sent: it is the broker that leaves. `deadline` in epoch milliseconds; what is not kept by then
   * is not acknowledged.
   */
  close(options: { deadline: number }): Promise<void>;
};

/**
 * Starts the MQTT broker (3.1 and 3.1.1): aedes behind our own listeners, with our rules in its hooks. Rejects if a
 * port cannot be had.
 */
export async function startBroker(given: Partial<BrokerOptions>, ports: BrokerPorts): Promise<Broker> {
  const options: BrokerOptions = { ...BROKER_DEFAULTS, ...given };
  const { log } = ports;
  const counts = createCounts();
  const sessions = createSessions();
  const events = createEventLimiter(options.eventRepeatMs, ports.onEvent, ports.now);
  const kept = createKeptSessions(ports.keptSessions ?? [], { ...ports, options, keeper: ports.keeper, ...sessions });
  const shared = () => sharedSubscriptions;
  const context: Context = { options, ports, counts, report: events.report, ...sessions, kept, shared };
  const gate = createPublishGate(context);
  const pace = createPace(ports.now, (session, reason) => {
    if (reason === "disk_share") counts.heldByDiskShare += 1;
    else counts.slowedByRate += 1;
    events.report({ type: "slowed", reason, ...whoIs(session) });
  });
  const aedes = await createAedes(options, context, gate.authorizePublish);
  // Unheard, an 'error' would end the process.
  (aedes as EventEmitter).on("error", (error: Error) => log.error({ err: error }, "the broker failed"));
  const isFull = (session: Session) => hasTooMuchUnread(session, context);
  const sharedSubscriptions = createSharedSubscriptions(aedes, {
    ...sessions,
    isFull,
    counts,
    groupsPerAccountMax: options.sharedGroupsPerAccountMax,
  });
  Object.assign((aedes as unknown as { persistence: object }).persistence, {
    ...kept.persistence,
    outgoingClearMessageId: async (client: Client, packet: { messageId: number }) => {
      sharedSubscriptions.acknowledged(client, packet.messageId);
      await kept.persistence.outgoingClearMessageId(client, packet);
    },
  });
  kept.listenTo(aedes);
  leaveFanOutToService(aedes, ports.onListeners);
  const mayRetain = keepRetained(aedes, context);
  aedes.on("keepaliveTimeout", (client) => {
    const text = "nothing came for one and a half times the keepalive";
    sessions.sessionOf(client)?.mqtt5?.end({ code: CODE.keepaliveTimeout, text });
  });
  aedes.on("clientReady", (client) => {
    const session = sessions.sessionOf(client);
    session?.connection.onReady((tokens) => charge(session, tokens));
    session?.goOn?.();
  });

  function onStream(stream: Duplex, connection: Connection): void {
    const client = aedes.handle(stream) as MqttClient;
    const session = sessions.start(client, connection);
    pace.start(session, stream);
    guardPackets(session, options, {
      onMalformed(detail) {
        counts.malformedPackets += 1;
        events.report({ type: "closed", reason: "malformed_packet", detail, ...whoIs(session) });
      },
      onVersion(version) {
        counts.refused.protocol_version += 1;
        log.info({ version, address: connection.address }, "an MQTT client speaks a version that is not served");
        events.report({ type: "refused", reason: "protocol_version", ...whoIs(session) });
      },
      onDrop() {
        counts.subscriberDrops += 1;
      },
    });
    freePublishersFrom(client);
    stream.once("close", () => sessions.end(session));
  }

  const listeners = await startListeners(options, { onStream, report: events.report, counts, log });
  const timer = setInterval(() => {
    gate.tick(sessions.open);
    kept.tick();
    events.tick();
  }, options.hookTimeoutMs / TICKS_PER_HOOK_TIMEOUT);

  return {
    address: listeners.address,
    publish: (message) =>
      new Promise((resolve, reject) => {
        if (aedes.closed) return reject(new Error("the broker is closed"));
        const retain = message.retain === true && mayRetain(message.topic);
        const { event, ...rest } = message;
        const told: Told = { event };
        const packet = { cmd: "publish", dup: false, ...rest, retain, properties: told } as PublishPacket;
        aedes.publish(packet, (error) => (error ? reject(error) : resolve()));
      }),
    disconnect(name, except) {
      const named = [...sessions.sessionsNamed(name)].filter(
        ({ secretHash }) => !except || (secretHash !== undefined && !except.includes(secretHash)),
      );
      for (const session of named) {
        session.revoked = true;
        if (session.mqtt5)
          session.mqtt5.end({ code: CODE.administrativeAction, text: "the credential was taken away" });
        else session.client.close();
      }
      return named.length;
    },
    forgetSessions: kept.forgetAll,
    renewTls: listeners.renewTls,
    counts: () => structuredClone(counts),
    takeShed: gate.takeShed,
    async close({ deadline }) {
      listeners.close();
      clearInterval(timer);
      pace.stop();
      await endSessions(sessions.open, gate.stop, () => deadline - ports.now());
      await new Promise<void>((resolve) => aedes.close(resolve));
    },
  };
}

function createAedes(
  options: BrokerOptions,
  context: Context,
  authorizePublish: ReturnType<typeof createPublishGate>["authorizePublish"],
): Promise<Aedes> {
  return Aedes.createBroker({
    connectTimeout: 2 * options.connectTimeoutMs, // the listener's own deadline comes before
    drainTimeout: options.drainTimeoutMs,
    maxTopicLevels: TOPIC_LEVELS_MAX,
    // A client that comes back with many QoS 2 messages sends all of them at once; only their ids are kept.
    maxInflightInbound: 10_000,
    maxClientsIdLength: 512, // ids get their user name in front; what they may be is checked before
    concurrency: 200,
    ...createAuthentication(context),
    ...createSubscribeGate(context),
    authorizePublish,
  });
}
