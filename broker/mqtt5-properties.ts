import type { PacketParser } from "./aedes-internals.ts";

/** Reason codes of MQTT 5 (section 2.4) that this service gives. */
export const CODE = {
  success: 0x00,
  noSubscriptionExisted: 0x11,
  unspecified: 0x80,
  malformed: 0x81,
  protocolError: 0x82,
  implementationSpecific: 0x83,
  unsupportedVersion: 0x84,
  badClientId: 0x85,
  badCredentials: 0x86,
  notAuthorized: 0x87,
  unavailable: 0x88,
  shuttingDown: 0x8b,
  badAuthenticationMethod: 0x8c,
  keepaliveTimeout: 0x8d,
  sessionTakenOver: 0x8e,
  topicFilterInvalid: 0x8f,
  topicNameInvalid: 0x90,
  receiveMaximumExceeded: 0x93,
  topicAliasInvalid: 0x94,
  packetTooLarge: 0x95,
  quotaExceeded: 0x97,
  administrativeAction: 0x98,
  payloadFormatInvalid: 0x99,
} as const;

/** Of the client's properties, those that mean something here; the others are checked and let go. */
export type Properties = {
  sessionExpiryInterval?: number;
  receiveMaximum?: number;
  maximumPacketSize?: number;
  requestProblemInformation?: number;
  authenticationMethod?: string;
  willDelayInterval?: number;
  topicAlias?: number;
  subscriptionIdentifier?: number;
};

type Type = "byte" | "two" | "four" | "variable" | "text" | "bytes" | "pair";
type Place = "connect" | "will" | "publish" | "subscribe" | "unsubscribe" | "ack" | "disconnect" | "auth";
type Property = { readonly name: string; readonly type: Type; readonly in: readonly Place[]; readonly max?: number };

const EVERYWHERE: readonly Place[] = [
  "connect",
  "will",
  "publish",
  "subscribe",
  "unsubscribe",
  "ack",
  "disconnect",
  "auth",
];

/** What a client may send (section 2.2.2.2, and the table of each packet). What only a server sends is a mistake here. */
const PROPERTIES: ReadonlyMap<number, Property> = new Map([
  [0x01, { name: "payloadFormatIndicator", type: "byte", in: ["publish", "will"], max: 1 }],
  [0x02, { name: "messageExpiryInterval", type: "four", in: ["publish", "will"] }],
  [0x03, { name: "contentType", type: "text", in: ["publish", "will"] }],
  [0x08, { name: "responseTopic", type: "text", in: ["publish", "will"] }],
  [0x09, { name: "correlationData", type: "bytes", in: ["publish", "will"] }],
  [0x0b, { name: "subscriptionIdentifier", type: "variable", in: ["subscribe"] }],
  [0x11, { name: "sessionExpiryInterval", type: "four", in: ["connect", "disconnect"] }],
  [0x15, { name: "authenticationMethod", type: "text", in: ["connect", "auth"] }],
  [0x16, { name: "authenticationData", type: "bytes", in: ["connect", "auth"] }],
  [0x17, { name: "requestProblemInformation", type: "byte", in: ["connect"], max: 1 }],
  [0x18, { name: "willDelayInterval", type: "four", in: ["will"] }],
  [0x19, { name: "requestResponseInformation", type: "byte", in: ["connect"], max: 1 }],
  [0x1f, { name: "reasonString", type: "text", in: ["ack", "disconnect", "auth"] }],
  [0x21, { name: "receiveMaximum", type: "two", in: ["connect"] }],
  [0x22, { name: "topicAliasMaximum", type: "two", in: ["connect"] }],
  [0x23, { name: "topicAlias", type: "two", in: ["publish"] }],
  [0x26, { name: "userProperty", type: "pair", in: EVERYWHERE }],
  [0x27, { name: "maximumPacketSize", type: "four", in: ["connect"] }],
] satisfies [number, Property][]);

/** Never 0 (sections 3.1.2.11 and 3.8.2.1.2). An alias of 0 has a reason code of its own, and is found later. */
const NEVER_0: ReadonlySet<string> = new Set(["receiveMaximum", "maximumPacketSize", "subscriptionIdentifier"]);

export type Fault = { readonly code: number; readonly text: string };

/**
 * Reads the properties at the parser's place and moves it behind them. In the place of mqtt-packet's own reader, which
 * goes past the end of the packet, and takes what may not stand there, twice or at all.
 */
export function readProperties(parser: PacketParser, onFault: (fault: Fault) => void): Properties {
  const { packet, _list: list } = parser;
  const found: Properties & Record<string, unknown> = {};
  // Acknowledgements and DISCONNECT may end before them.
  if (parser._pos >= packet.length && (placeOf(parser) === "ack" || packet.cmd === "disconnect")) return found;
  if (parser._pos < packet.length && list.get(parser._pos) === 0) {
    parser._pos += 1;
    return found;
  }
  const bytes = list.slice(parser._pos, packet.length);
  const wrong = (text: string, code: number = CODE.malformed): Properties => {
    onFault({ code, text });
    return {};
  };
  const length = variableAt(bytes, 0);
  if (!length) return wrong("the length of the properties is malformed");
  const end = length.next + length.value;
  if (end > bytes.length) return wrong("the properties go past the end of the packet");
  const place = placeOf(parser);
  for (let at = length.next; at < end; ) {
    const property = PROPERTIES.get(bytes[at]!);
    if (!property) return wrong(`property 0x${bytes[at]!.toString(16)} is not known, or not for a server`);
    if (!property.in.includes(place)) return wrong(`${property.name} may not stand here`, CODE.protocolError);
    const value = valueAt(property.type, bytes, at + 1, end);
    if (!value) return wrong(`${property.name} is malformed`);
    at = value.next;
    if (property.type === "pair") continue;
    if (property.name in found) return wrong(`${property.name} stands twice`, CODE.protocolError);
    if (typeof value.value === "number" && isOutOfRange(property, value.value))
      return wrong(`${property.name} may not be ${value.value}`, CODE.protocolError);
    found[property.name] = value.value;
  }
  if ("authenticationData" in found && !("authenticationMethod" in found))
    return wrong("authentication data without a method", CODE.protocolError);
  if (typeof found.responseTopic === "string" && /[+#]/.test(found.responseTopic))
    return wrong("the response topic has wildcards", CODE.protocolError);
  parser._pos += end;
  return found;
}

const isOutOfRange = ({ name, max }: Property, value: number) =>
  (value === 0 && NEVER_0.has(name)) || (max !== undefined && value > max);

function placeOf({ packet }: PacketParser): Place {
  switch (packet.cmd) {
    case "connect":
      return packet.clientId === undefined ? "connect" : "will";
    case "publish":
    case "subscribe":
    case "unsubscribe":
    case "disconnect":
    case "auth":
      return packet.cmd;
    default:
      return "ack";
  }
}

type Read<Value> = { readonly value: Value; readonly next: number } | undefined;

function valueAt(type: Type, bytes: Buffer, at: number, end: number): Read<unknown> {
  const fits = (length: number) => at + length <= end;
  switch (type) {
    case "byte":
      return fits(1) ? { value: bytes[at]!, next: at + 1 } : undefined;
    case "two":
      return fits(2) ? { value: bytes.readUInt16BE(at), next: at + 2 } : undefined;
    case "four":
      return fits(4) ? { value: bytes.readUInt32BE(at), next: at + 4 } : undefined;
    case "variable":
      return variableAt(bytes.subarray(0, end), at);
    case "bytes":
      return bytesAt(bytes, at, end);
    case "text":
      return textAt(bytes, at, end);
    case "pair": {
      const name = textAt(bytes, at, end);
      const value = name && textAt(bytes, name.next, end);
      return value && { value: undefined, next: value.next };
    }
  }
}

function bytesAt(bytes: Buffer, at: number, end: number): Read<Buffer> {
  if (at + 2 > end) return undefined;
  const next = at + 2 + bytes.readUInt16BE(at);
  return next > end ? undefined : { value: bytes.subarray(at + 2, next), next };
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function textAt(bytes: Buffer, at: number, end: number): Read<string> {
  const found = bytesAt(bytes, at, end);
  if (!found) return undefined;
  try {
    const value = UTF8.decode(found.value);
    return value.includes("\u0000") ? undefined : { value, next: found.next };
  } catch {
    return undefined; // bad UTF-8 [MQTT-1.5.4-1]
  }
}

/** A variable byte integer (section 1.5.5) in the fewest bytes that hold it. */
function variableAt(bytes: Buffer, from: number): Read<number> {
  let value = 0;
  for (let i = 0; i < 4 && from + i < bytes.length; i += 1) {
    const byte = bytes[from + i]!;
    value += (byte & 0x7f) * 128 ** i;
    if (byte >= 0x80) continue;
    return i > 0 && byte === 0 ? undefined : { value, next: from + i + 1 };
  }
  return undefined;
}
