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
import { charge, chargePacket } from "./pace.ts";
import type { Session } from "./session.ts";

type PacketLimits = {
  readonly connectPacketBytesMax: number;
  readonly packetBytesMax: number;
  readonly readPastBytesMax: number;
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
  onMalformed: (why: string) => void,
  onVersion: (version: number) => void,
): void {
  const { client } = session;
  let isRefused = false;
  const parser = client._parser;
  /** The packet that is being read past: bytes of its head until that is parsed, and bytes still to come. */
  let readPast: { head: number; left: number } | undefined;
  parser.on("error", ({ message }) => onMalformed(message));
  // aedes 1.x has no limit of its own: it buffered 24 MiB of an announced 256 MiB CONNECT before any login.
  wrap(parser, "_parseLength", (parse) => {
    if (!parse()) return false;
    const { packet } = parser;
    const most = client.connackSent ? limits.packetBytesMax + TOPIC_BYTES_MAX + 4 : limits.connectPacketBytesMax;
    if (packet.length > most) {
      const past = limits.readPastBytesMax + TOPIC_BYTES_MAX + 4;
      const isReadPast = client.connackSent && packet.cmd === "publish" && packet.length <= past;
      if (!isReadPast) return fail(parser, `packet of ${packet.length} bytes is larger than allowed`);
      readPast = { head: Math.min(packet.length, HEAD_BYTES), left: packet.length };
    }
    if (checkHeader(parser) === false) return false;
    chargePacket(session, packet.cmd, packet.qos, packet.length);
    return true;
  });
  // The parser may throw on what it did not expect; that must end one connection, not the process.
  wrap(parser, "_parsePayload", (parse) => {
    if (isRefused) return false;
    const version = versionOf(parser);
    if (version !== undefined && version !== 3 && version !== 4) {
      isRefused = true;
      onVersion(version);
      client.conn.end(version === 5 ? REFUSAL_5 : REFUSAL_3);
      return false;
    }
    try {
      if (!(readPast ? parsePast(readPast) : parse())) return false;
    } catch {
      return fail(parser, "packet cannot be read");
    }
    if (parser.error) return true;
    const filters = parser.packet.subscriptions ?? parser.packet.unsubscriptions;
    if (filters) charge(session, FILTER_TOKENS * filters.length);
    if (filters && filters.length > FILTERS_MAX) return fail(parser, `${filters.length} filters in one packet`);
    const { cmd, payload } = parser.packet;
    if (cmd === "publish" && payload) charge(session, countElements(payload, READINGS_PER_MESSAGE_MAX), "readings");
    return checkContent(session, parser) ?? true;
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
/** The same in MQTT 5: reason 0x84, no properties; in the older words its client could not read it. */
const REFUSAL_5 = Buffer.from([0x20, 3, 0, 0x84, 0]);

/** The protocol level of a CONNECT that is all there, before its parser gives up on one it does not know. */
function versionOf({ packet, _list: list }: PacketParser): number | undefined {
  if (packet.cmd !== "connect" || list.length < packet.length) return undefined;
  const [high, low] = list.slice(0, 2);
  const nameEnd = 2 + high! * 256 + low!;
  if (nameEnd >= packet.length || !PROTOCOL_NAMES.has(list.slice(2, nameEnd).toString("latin1"))) return undefined;
  return list.slice(nameEnd, nameEnd + 1)[0]! & 0x7f; // the highest bit is set by bridges
}

const PROTOCOL_NAMES: ReadonlySet<string> = new Set(["MQTT", "MQIsdp"]);

function wrap<Step extends "_parseLength" | "_parsePayload" | "_parseMessageId">(
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
function checkHeader(parser: PacketParser): false | undefined {
  const { cmd, length, qos, dup } = parser.packet;
  const range = LENGTHS.get(cmd);
  if (!range) return fail(parser, "packet is not for a server");
  if (length < range[0] || length > range[1]) return fail(parser, "packet has a wrong length");
  if (cmd === "publish" && dup && qos === 0) return fail(parser, "DUP with QoS 0");
  return undefined;
}

function checkContent(session: Session, parser: PacketParser): false | undefined {
  const { packet } = parser;
  switch (packet.cmd) {
    case "connect":
      return checkConnect(parser);
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
  if (packet.password && packet.username === undefined) return fail(parser, "password without a user name");
  if (packet.will && packet.will.qos > 2) return fail(parser, "will QoS 3");
  return undefined;
}
