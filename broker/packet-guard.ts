import {
  countElements,
  READINGS_PER_MESSAGE_MAX,
  REFUSED_PAYLOAD_BYTES_MAX,
  TOPIC_BYTES_MAX,
} from "../model/message.ts";
import { isFilter } from "../model/topic-filter.ts";
import { cutTopic } from "../model/topics.ts";
import { isCleanText, isText } from "./access.ts";
import type { PacketParser } from "./aedes-internals.ts";
import { createMqtt5, endWith } from "./mqtt5.ts";
import { CODE, type Fault, readProperties } from "./mqtt5-properties.ts";
import type { BrokerOptions } from "./options.ts";
import { charge, chargePacket } from "./pace.ts";
import type { Session } from "./session.ts";

type PacketLimits = Pick<
  BrokerOptions,
  "connectPacketBytesMax" | "packetBytesMax" | "readPastBytesMax" | "receiveMaximum"
>;

type GuardPorts = {
  readonly onMalformed: (why: string) => void;
  readonly onVersion: (version: number) => void;
  /** A message was too large for its subscriber. */
  readonly onDrop: () => void;
};

/** Levels of a topic that aedes is given; no topic of ours has more than five. */
export const TOPIC_LEVELS_MAX = 12;
/** Each filter of a SUBSCRIBE or UNSUBSCRIBE is work of its own, many times that of a PUBLISH. */
const FILTER_TOKENS = 10;
/** In one packet; 65,536 bytes of them would be 16,000 decisions in one go. No client of ours may have a tenth of this. */
const FILTERS_MAX = 1_000;
/** The longest topic there can be, with its length, the packet identifier and the piece of the payload that is kept. */
const HEAD_BYTES = 65_535 + 4 + REFUSED_PAYLOAD_BYTES_MAX;

/** Exact remaining lengths of packets without a payload; packets only a server sends have none that fits. */
const LENGTHS: ReadonlyMap<string, readonly [number, number]> = new Map([
  ["connect", [12, Number.POSITIVE_INFINITY]],
  ["publish", [3, Number.POSITIVE_INFINITY]],
  ["subscribe", [6, Number.POSITIVE_INFINITY]],
  ["unsubscribe", [5, Number.POSITIVE_INFINITY]],
  ["puback", [2, 2]],
  ["pubrec", [2, 2]],
  ["pubrel", [2, 2]],
  ["pubcomp", [2, 2]],
  ["pingreq", [0, 0]],
  ["disconnect", [0, 0]],
]);
/** In MQTT 5 most of them may have properties. */
const LENGTHS_5: ReadonlyMap<string, readonly [number, number]> = new Map(
  [...LENGTHS, ["auth", [0, 0]] as const].map(([cmd, [least, most]]) => [
    cmd,
    [least, cmd === "pingreq" ? most : Number.POSITIVE_INFINITY],
  ]),
);

const isTooDeep = (topic: string) => topic.split("/", TOPIC_LEVELS_MAX + 1).length > TOPIC_LEVELS_MAX;

/**
 * Makes the parser of a new connection strict: packets over the limits are refused when their length is read, before
 * anything is buffered, and what MQTT 3.1.1 forbids closes the connection. A PUBLISH that is only too large is read
 * past. A CONNECT of another version of MQTT is answered as that version words it, and closed. Each packet is charged to
 * its sender. Call it before the first byte is read.
 */
export function guardPackets(
  session: Session,
  limits: PacketLimits,
  { onMalformed, onVersion, onDrop }: GuardPorts,
): void {
  const { client } = session;
  let isRefused = false;
  const parser = client._parser;
  /** The packet that is being read past: bytes of its head until that is parsed, and bytes still to come. */
  let readPast: { head: number; left: number } | undefined;
  parser.on("error", ({ message }) => onMalformed(message));
  // Who speaks MQTT 5 is told why before the connection ends.
  const emitError = parser._emitError.bind(parser);
  parser._emitError = (error) => {
    const { mqtt5 } = session;
    if (!mqtt5) return emitError(error);
    if (isRefused) return;
    isRefused = true;
    parser.error = error;
    onMalformed(error.message);
    mqtt5.end({ code: (error as Error & Partial<Fault>).code ?? CODE.malformed, text: error.message });
  };
  const failWith = ({ code, text }: Fault): false => {
    parser._emitError(Object.assign(new Error(text), { code }));
    return false;
  };
  parser._parseProperties = () => readProperties(parser, failWith);
  // aedes 1.x has no limit of its own: it buffered 24 MiB of an announced 256 MiB CONNECT before any login.
  wrap(parser, "_parseLength", (parse) => {
    if (!parse()) return false;
    const { packet } = parser;
    const { mqtt5 } = session;
    const most = client.connackSent
      ? (mqtt5?.packetBytesMax ?? limits.packetBytesMax + TOPIC_BYTES_MAX + 4)
      : limits.connectPacketBytesMax;
    if (packet.length > most) {
      if (mqtt5) return failWith({ code: CODE.packetTooLarge, text: `packets of ${most} bytes are allowed` });
      const past = limits.readPastBytesMax + TOPIC_BYTES_MAX + 4;
      const isReadPast = client.connackSent && packet.cmd === "publish" && packet.length <= past;
      if (!isReadPast) return fail(parser, `packet of ${packet.length} bytes is larger than allowed`);
      readPast = { head: Math.min(packet.length, HEAD_BYTES), left: packet.length };
    }
    if (checkHeader(parser, mqtt5 ? LENGTHS_5 : LENGTHS) === false) return false;
    chargePacket(session, packet.cmd, packet.qos, packet.length);
    return true;
  });
  // The parser may throw on what it did not expect; that must end one connection, not the process.
  wrap(parser, "_parsePayload", (parse) => {
    if (isRefused) return false;
    const version = versionOf(parser);
    if (version !== undefined && version !== 3 && version !== 4 && version !== 5) {
      isRefused = true;
      onVersion(version);
      endWith(client, REFUSAL_3);
      return false;
    }
    // Reserved in 3.1.1; in 3.1 it is not used, and says nothing.
    if (version === 3) withoutBit(parser, flagsAt(parser), ALL_BYTES, 0x01);
    if (version === 5) {
      if (session.mqtt5) return failWith({ code: CODE.protocolError, text: "a second CONNECT" });
      session.mqtt5 = createMqtt5(session, limits, onDrop);
    }
    try {
      if (!(readPast ? parsePast(readPast) : parseWhole(parse))) return false;
    } catch {
      return fail(parser, "packet cannot be read");
    }
    if (parser.error) return true;
    if (session.mqtt5) {
      if (parser.packet.cmd === "connect" && checkConnect(parser) === false) return false;
      const received = receive5(session.mqtt5);
      if (received !== true) return false;
    }
    const filters = parser.packet.subscriptions ?? parser.packet.unsubscriptions;
    if (filters) charge(session, FILTER_TOKENS * filters.length);
    if (filters && filters.length > FILTERS_MAX) return fail(parser, `${filters.length} filters in one packet`);
    const { cmd, payload } = parser.packet;
    if (cmd === "publish" && payload) charge(session, countElements(payload, READINGS_PER_MESSAGE_MAX), "readings");
    if ((cmd === "pubrec" || cmd === "pubcomp") && wasSent(session, parser.packet.messageId ?? 0))
      return failWith({ code: CODE.protocolError, text: `${cmd.toUpperCase()} for a message of QoS 1` });
    return checkContent(session, parser) ?? true;
  });
  wrap(parser, "_parseHeader", (parse) => {
    if (session.asked?.version === 3) withoutBit(parser, 0, REPEATED_3, DUP);
    return parse();
  });
  // mqtt-packet takes a missing id as -1 and reads it from the next packet's bytes if there are any.
  wrap(parser, "_parseMessageId", (parse) => {
    if (!parse()) return false;
    const ok = (parser.packet.messageId ?? 0) > 0 && parser._pos <= parser.packet.length;
    return ok || fail(parser, "packet identifier missing or 0");
  });
  const parseString = parser._parseString.bind(parser);
  parser._parseString = () => {
    const text = parseString();
    const isFit = parser.packet.cmd === "publish" ? isText : isCleanText;
    return text !== null && isFit(text) ? text : null;
  };

  /** mqtt-packet looks for the reason of an empty DISCONNECT or AUTH in the next packet. */
  function parseWhole(parse: () => boolean): boolean {
    const { packet } = parser;
    if (packet.length > 0 || (packet.cmd !== "disconnect" && packet.cmd !== "auth")) return parse();
    packet.reasonCode = CODE.success;
    return true;
  }

  function receive5(mqtt5: NonNullable<Session["mqtt5"]>): boolean {
    const { packet } = parser;
    if (packet.cmd !== "publish" && parser._pos !== packet.length && packet.length > 0)
      return fail(parser, `${packet.cmd.toUpperCase()} has bytes left over`);
    const received = mqtt5.receive(packet);
    if (packet.cmd === "connect") parser.settings = { protocolVersion: 5 };
    if (received === false) isRefused = true;
    return typeof received === "object" ? failWith(received) : received;
  }

  /** Parses the head of the packet as if it were all, and throws the rest away as it comes. */
  function parsePast(past: { head: number; left: number }): boolean {
    const { packet, _list: list } = parser;
    if (past.head > 0) {
      if (list.length < past.head) return false;
      packet.length = past.head;
      parser._pos = 0;
      parser._parsePublish();
      if (parser.error) return true;
      Object.assign(packet, { payloadBytes: past.left - parser._pos });
      packet.payload = Buffer.from(packet.payload!.subarray(0, REFUSED_PAYLOAD_BYTES_MAX));
      past.head = 0;
    }
    const here = Math.min(list.length, past.left);
    list.consume(here);
    past.left -= here;
    if (past.left > 0) return false;
    packet.length = 0; // nothing is left of it in the list
    readPast = undefined;
    return true;
  }
}

/** CONNACK, "unacceptable protocol version" [MQTT-3.1.2-2]. */
const REFUSAL_3 = Buffer.from([0x20, 2, 0, 1]);

/** The protocol level of a CONNECT that is all there, before its parser gives up on one it does not know. */
function versionOf({ packet, _list: list }: PacketParser): number | undefined {
  if (packet.cmd !== "connect" || list.length < packet.length) return undefined;
  const [high, low] = list.slice(0, 2);
  const nameEnd = 2 + high! * 256 + low!;
  if (nameEnd >= packet.length || !PROTOCOL_NAMES.has(list.slice(2, nameEnd).toString("latin1"))) return undefined;
  return list.slice(nameEnd, nameEnd + 1)[0]! & 0x7f; // the highest bit is set by bridges
}

/** Where the flags of a CONNECT are: behind the name and the level. */
const flagsAt = ({ _list: list }: PacketParser) => 2 + list.get(0) * 256 + list.get(1) + 1;

/** Sent again without a new connection, which in MQTT 3.1 they may be: PUBREL, SUBSCRIBE, UNSUBSCRIBE with DUP. */
const REPEATED_3: ReadonlySet<number> = new Set([0x6a, 0x8a, 0xaa]);
const DUP = 0x08;
const ALL_BYTES = { has: () => true };

/** Clears a bit that the parser would refuse, in one of these bytes. */
function withoutBit({ _list: list }: PacketParser, at: number, of: Pick<Set<number>, "has">, bit: number): void {
  if (at >= list.length || (list.get(at) & bit) === 0 || !of.has(list.get(at))) return;
  const bytes = Buffer.from(list.slice(0, list.length));
  bytes[at]! &= ~bit;
  list.consume(bytes.length);
  list.append(bytes);
}

/** Whether it has been sent a message of QoS 1 under this number on this connection; aedes counts them up. */
function wasSent({ client, sent }: Session, messageId: number): boolean {
  const before = (client._nextId - messageId + 65_535) % 65_535 || 65_535;
  return before <= sent;
}

const PROTOCOL_NAMES: ReadonlySet<string> = new Set(["MQTT", "MQIsdp"]);

function wrap<Step extends "_parseHeader" | "_parseLength" | "_parsePayload" | "_parseMessageId">(
  parser: PacketParser,
  step: Step,
  around: (parse: () => boolean) => boolean,
): void {
  const parse = parser[step].bind(parser);
  parser[step] = () => around(parse);
}

function fail(parser: PacketParser, text: string): false {
  parser._emitError(new Error(text));
  return false;
}

/** False if the packet was refused. */
function checkHeader(parser: PacketParser, lengths: typeof LENGTHS): false | undefined {
  const { cmd, length, qos, dup } = parser.packet;
  const range = lengths.get(cmd);
  if (!range) return fail(parser, "packet is not for a server");
  if (length < range[0] || length > range[1]) return fail(parser, "packet has a wrong length");
  if (cmd === "publish" && dup && qos === 0) return fail(parser, "DUP with QoS 0");
  return undefined;
}

function checkContent(session: Session, parser: PacketParser): false | undefined {
  const { packet } = parser;
  switch (packet.cmd) {
    case "connect":
      return session.mqtt5 ? undefined : checkConnect(parser);
    case "subscribe":
      return packet.subscriptions?.every((subscription) => isFilter(subscription.topic))
        ? undefined
        : fail(parser, "filter is malformed");
    case "publish":
      if (session.topics.has(packet.topic!)) return undefined;
      // aedes closes the connection for too many levels before anyone is asked.
      if (packet.topic!.length > TOPIC_BYTES_MAX || isTooDeep(packet.topic!)) {
        Object.assign(packet, { topicGiven: cutTopic(packet.topic!), topic: "-" });
      }
      return undefined;
    case "unsubscribe":
      return packet.unsubscriptions?.every(isFilter) ? undefined : fail(parser, "filter is malformed");
    default:
      return undefined;
  }
}

function checkConnect(parser: PacketParser): false | undefined {
  const { packet } = parser;
  const named = packet.protocolId === "MQIsdp" ? packet.protocolVersion === 3 : packet.protocolVersion !== 3;
  if (!named) return fail(parser, "protocol name and version do not fit");
  if (parser._pos !== packet.length) return fail(parser, "CONNECT has bytes left over");
  if (packet.password && packet.username === undefined && packet.protocolVersion !== 5)
    return fail(parser, "password without a user name");
  if (packet.will && packet.will.qos > 2) return fail(parser, "will QoS 3");
  return undefined;
}
