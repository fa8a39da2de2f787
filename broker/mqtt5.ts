import mqttPacket, { type IConnackPacket, type IPublishPacket, type Packet } from "mqtt-packet";
import { TOPIC_BYTES_MAX } from "../model/message.ts";
import { filterMatches, isShared, sharedFilterOf } from "../model/topic-filter.ts";
import type { MqttClient, PacketParser } from "./aedes-internals.ts";
import { type DenialReason, type Refusal, withSetting } from "./events.ts";
import { CODE, type Fault } from "./mqtt5-properties.ts";
import type { BrokerOptions } from "./options.ts";
import type { Session } from "./session.ts";

/** Topics a client may give a short name; each is kept for as long as its connection lasts. */
const TOPIC_ALIAS_MAX = 32;
/** Room in a packet for its properties, beside the topic and the payload. */
const PROPERTIES_BYTES_MAX = 4_096;
/** What a client is told, and why, before its connection ends. */
const GOODBYE_MS = 1_000;

const V5 = { protocolVersion: 5 } as const;
const LOGIN_CODES: Partial<Record<Refusal, number>> = {
  account_connections_max: CODE.quotaExceeded,
  protocol_version: CODE.unsupportedVersion,
  bad_client_id: CODE.badClientId,
  bad_credentials: CODE.badCredentials,
  unavailable: CODE.unavailable,
};

/** What a PUBACK or PUBREC says beside "taken". */
export type Answer = {
  readonly code: number;
  /** One word for programs, as in the quarantine. */
  readonly reason: string;
  /** A sentence for people. */
  readonly text?: string;
  /** How many readings of an array it is about, where some were taken. */
  readonly refused?: number;
};

export type Mqtt5 = ReturnType<typeof createMqtt5>;

type Limits = Pick<BrokerOptions, "packetBytesMax" | "receiveMaximum">;

/** The largest packet a client may send. */
const packetBytesMax = (limits: Limits) => limits.packetBytesMax + TOPIC_BYTES_MAX + PROPERTIES_BYTES_MAX;

/**
 * MQTT 5 for one connection. aedes 1.2 knows 3.1.1 only: what comes in is checked and made a packet of 3.1.1 with
 * `receive`, what aedes writes to the socket is written in MQTT 5 on its way. What 3.1.1 has no words for (reason codes,
 * limits, what a refused reading was refused for) is told here and put where it belongs.
 */
export function createMqtt5(session: Session, limits: Limits, onDrop: () => void) {
  const { client } = session;
  const { conn } = client;
  const write = conn.write.bind(conn) as (bytes: Buffer) => boolean;
  const aliases = new Map<number, string>();
  const identifiers = new Map<string, number>();
  const answers = new Map<number, Answer>();
  /** Filters of a SUBSCRIBE whose SUBACK has not been written, and why they were denied. */
  const subscribing = new Map<number, readonly string[]>();
  const denied = new Map<string, number>();
  const unsubscribing = new Map<number, number[]>();
  /** Sent with QoS 1 and not acknowledged; beyond what the client takes at once they wait. */
  const inFlight = new Set<number>();
  const waiting: { readonly id: number; readonly bytes: Buffer }[] = [];
  let waitingBytes = 0;
  let own = { receiveMaximum: 65_535, packetBytesMax: Number.POSITIVE_INFINITY, wantsReasons: true };
  let sessionExpiryS = 0;
  let assignedId: string | undefined;
  let keepaliveS: number | undefined;
  let refusal: Refusal | undefined;
  let hasEnded = false;

  const written = mqttPacket.parser({ protocolVersion: 4 });
  written.on("packet", (packet) => translate(packet));
  conn.write = ((chunk: Buffer | string) => {
    written.parse(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
    return !conn.writableNeedDrain;
  }) as typeof conn.write;

  /** What the client sent, as aedes can take it; a fault if it may not be. False: it has left, and that was all. */
  function receive(packet: PacketParser["packet"]): Fault | boolean {
    switch (packet.cmd) {
      case "connect":
        return connect(packet);
      case "publish":
        return publish(packet);
      case "subscribe":
        return subscribe(packet);
      case "unsubscribe":
        unsubscribing.set(
          packet.messageId!,
          packet.unsubscriptions!.map((filter) => {
            identifiers.delete(filter);
            return filter in client.subscriptions ? CODE.success : CODE.noSubscriptionExisted;
          }),
        );
        return true;
      case "puback":
        release(packet.messageId!);
        return true;
      case "disconnect":
        return disconnect(packet);
      case "auth":
        return { code: CODE.protocolError, text: "no authentication was begun" };
      default:
        return true;
    }
  }

  function connect(packet: PacketParser["packet"]): Fault | boolean {
    const { properties = {} } = packet;
    if (properties.authenticationMethod !== undefined)
      return { code: CODE.badAuthenticationMethod, text: "log in with a user name and a password" };
    sessionExpiryS = properties.sessionExpiryInterval ?? 0;
    own = {
      receiveMaximum: properties.receiveMaximum ?? 65_535,
      packetBytesMax: properties.maximumPacketSize ?? Number.POSITIVE_INFINITY,
      wantsReasons: properties.requestProblemInformation !== 0,
    };
    packet.protocolVersion = 4;
    return true;
  }

  function publish(packet: PacketParser["packet"]): Fault | boolean {
    const alias = packet.properties?.topicAlias;
    packet.properties = undefined; // aedes would keep them with each packet of QoS 2
    if (alias !== undefined && (alias === 0 || alias > TOPIC_ALIAS_MAX))
      return { code: CODE.topicAliasInvalid, text: `topic alias ${alias}: 1 to ${TOPIC_ALIAS_MAX} are allowed` };
    if (packet.topic === "") {
      const topic = alias === undefined ? undefined : aliases.get(alias);
      if (topic === undefined) return { code: CODE.protocolError, text: "no topic, and no alias that stands for one" };
      packet.topic = topic;
    } else if (alias !== undefined) {
      // One that may not be is never kept: it could be of 64 KiB.
      if (packet.topic!.length <= TOPIC_BYTES_MAX) aliases.set(alias, packet.topic!);
      else aliases.delete(alias);
    }
    if (/[+#]/.test(packet.topic!)) return { code: CODE.topicNameInvalid, text: "wildcard in a topic" };
    if (packet.qos > 0 && session.pending.length + client._inboundInflight.size >= limits.receiveMaximum)
      return { code: CODE.receiveMaximumExceeded, text: `more than ${limits.receiveMaximum} messages on the way` };
    return true;
  }

  function subscribe(packet: PacketParser["packet"]): Fault | boolean {
    const identifier = packet.properties?.subscriptionIdentifier;
    const filters = packet.subscriptions!;
    for (const filter of filters) {
      if (filter.nl && isShared(filter.topic))
        return { code: CODE.protocolError, text: "no local on a shared subscription" };
      // Retained messages, if the subscription is new [MQTT-3.3.1-10].
      if (filter.rh === 1 && filter.topic in client.subscriptions) filter.rh = 2;
      if (identifier === undefined) identifiers.delete(filter.topic);
      else identifiers.set(filter.topic, identifier);
      filter.identifier = identifier;
    }
    subscribing.set(
      packet.messageId!,
      filters.map(({ topic }) => topic),
    );
    return true;
  }

  function disconnect(packet: PacketParser["packet"]): Fault | boolean {
    const expiry = packet.properties?.sessionExpiryInterval;
    if (expiry !== undefined) {
      if (sessionExpiryS === 0 && expiry > 0)
        return { code: CODE.protocolError, text: "a session that ends cannot be kept after all" };
      sessionExpiryS = expiry;
    }
    if (packet.reasonCode === CODE.success) return true;
    client.close(); // with its last will [MQTT-3.1.2-8]
    return false;
  }

  /** In the words of MQTT 5, to the client. */
  function translate(packet: Packet): void {
    if (packet.cmd === "publish") return deliver(packet);
    // Most are of this sort, and without a reason the same in both versions.
    if (packet.cmd === "puback" && !answers.has(packet.messageId!)) return void write(pubackOf(packet.messageId!));
    const said = wordOf(packet);
    const bytes = mqttPacket.generate(said as Packet, V5);
    // What it may not be is left out where the packet has to be small [MQTT-3.4.2-2].
    if (bytes.length <= own.packetBytesMax) write(bytes);
    else write(mqttPacket.generate({ ...said, properties: undefined } as Packet, V5));
  }

  function wordOf(packet: Packet): object {
    switch (packet.cmd) {
      case "connack":
        return connack(packet);
      case "puback":
      case "pubrec": {
        const answer = answers.get(packet.messageId!);
        answers.delete(packet.messageId!);
        return answer ? { ...packet, reasonCode: answer.code, properties: propertiesOf(answer) } : packet;
      }
      case "suback": {
        const filters = subscribing.get(packet.messageId!) ?? [];
        subscribing.delete(packet.messageId!);
        const granted = filters.map(grantedOf);
        const isOver = own.wantsReasons && granted.includes(CODE.quotaExceeded);
        return {
          ...packet,
          granted,
          properties: isOver ? { reasonString: withSetting("too_many_subscriptions") } : undefined,
        };
      }
      case "unsuback": {
        const granted = unsubscribing.get(packet.messageId!) ?? [];
        unsubscribing.delete(packet.messageId!);
        return { ...packet, granted };
      }
      default:
        return packet;
    }
  }

  function grantedOf(filter: string): number {
    const code = denied.get(filter);
    denied.delete(filter);
    return code ?? client.subscriptions[filter]?.qos ?? CODE.unspecified;
  }

  function propertiesOf({ reason, text, refused }: Answer): object | undefined {
    if (!own.wantsReasons) return undefined;
    const userProperties = { reason, ...(refused !== undefined && { refused: String(refused) }) };
    return { ...(text && { reasonString: text }), userProperties };
  }

  function connack({ returnCode, sessionPresent }: IConnackPacket): object {
    if (returnCode) {
      const reasonCode = (refusal && LOGIN_CODES[refusal]) ?? CODE.notAuthorized;
      const why = refusal && own.wantsReasons ? { reasonString: withSetting(refusal) } : undefined;
      return { cmd: "connack", reasonCode, sessionPresent: false, properties: why };
    }
    const properties = {
      sessionExpiryInterval: sessionExpiryS,
      receiveMaximum: limits.receiveMaximum,
      maximumPacketSize: packetBytesMax(limits),
      topicAliasMaximum: TOPIC_ALIAS_MAX,
      ...(assignedId !== undefined && { assignedClientIdentifier: assignedId }),
      ...(keepaliveS !== undefined && { serverKeepAlive: keepaliveS }),
    };
    return { cmd: "connack", reasonCode: CODE.success, sessionPresent, properties };
  }

  function deliver(packet: IPublishPacket): void {
    const matching = new Set<number>();
    for (const [filter, id] of identifiers)
      if (filterMatches(sharedFilterOf(filter) ?? filter, packet.topic)) matching.add(id);
    const properties = matching.size > 0 ? { subscriptionIdentifier: [...matching] } : undefined;
    const bytes = mqttPacket.generate({ ...packet, properties } as Packet, V5);
    const id = packet.messageId;
    if (bytes.length > own.packetBytesMax) return onDrop();
    if (!packet.qos || id === undefined) return void write(bytes);
    if (inFlight.size < own.receiveMaximum) {
      inFlight.add(id);
      return void write(bytes);
    }
    waiting.push({ id, bytes });
    waitingBytes += bytes.length;
  }

  function release(id: number): void {
    inFlight.delete(id);
    while (inFlight.size < own.receiveMaximum && waiting.length > 0) {
      const next = waiting.shift()!;
      waitingBytes -= next.bytes.length;
      inFlight.add(next.id);
      write(next.bytes);
    }
  }

  /** Says why, then ends the connection: in a CONNACK if there was none, else in a DISCONNECT. */
  function end({ code, text }: Fault): void {
    if (hasEnded) return;
    hasEnded = true;
    const reasonString = own.wantsReasons && own.packetBytesMax > 512 ? text : undefined;
    const cmd = client.connackSent ? "disconnect" : "connack";
    const said = { cmd, reasonCode: code, sessionPresent: false, properties: reasonString && { reasonString } };
    endWith(client, mqttPacket.generate(said as unknown as Packet, V5));
  }

  return {
    receive,
    end,
    packetBytesMax: packetBytesMax(limits),
    sessionExpiryS: () => sessionExpiryS,
    /** The session is kept for less than was asked. */
    keepFor: (seconds: number) => {
      sessionExpiryS = seconds;
    },
    /** Of a subscription that was kept. */
    identify: (filter: string, identifier: number | undefined) => {
      if (identifier !== undefined) identifiers.set(filter, identifier);
    },
    /** An id the service has chosen. */
    assign: (id: string) => {
      assignedId = id;
    },
    /** Another keepalive than the client asked for. */
    tellKeepalive: (seconds: number) => {
      keepaliveS = seconds;
    },
    refuse: (reason: Refusal) => {
      refusal = reason;
    },
    deny: (filter: string, reason: DenialReason) => {
      denied.set(filter, codeOf(filter, reason));
      identifiers.delete(filter);
    },
    /** What the acknowledgement of this message will say. */
    answer: (messageId: number, answer: Answer) => {
      answers.set(messageId, answer);
    },
    /** Bytes that wait for the client to acknowledge what it has. */
    waitingBytes: () => waitingBytes,
  };
}

const pubackOf = (id: number) => Buffer.from([0x40, 2, id >> 8, id & 0xff]);

function codeOf(filter: string, reason: DenialReason): number {
  if (isShared(filter) && sharedFilterOf(filter) === undefined) return CODE.topicFilterInvalid;
  return reason === "too_many_subscriptions" ? CODE.quotaExceeded : CODE.notAuthorized;
}

/** Sends the last bytes and reads the rest away: a reset could overtake them. */
export function endWith({ conn }: MqttClient, bytes: Buffer): void {
  conn.removeAllListeners("readable");
  conn.end(bytes);
  conn.resume();
  setTimeout(() => conn.destroy(), GOODBYE_MS).unref();
}
