/** 64 KiB: the largest payload any door lets in. */
export const PAYLOAD_BYTES_MAX = 64 * 1024;
/** What is kept of the payload of a message that was refused at the door. */
export const REFUSED_PAYLOAD_BYTES_MAX = 1_024;
/** Longest topic any door lets in, in bytes: three ids of 64, a prefix and a suffix. */
export const TOPIC_BYTES_MAX = 256;
/** The most readings one message may carry. */
export const READINGS_PER_MESSAGE_MAX = 500;

const EDITED = /~edited:([a-z0-9-]{1,64}):(\d{1,15})$/;
const REFUSED = /!(too_large|not_allowed|unknown_topic|bad_status):(\d{1,15})$/;
const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Through which door a message came, and which credential opened it. */
export type Source = {
  readonly via: "mqtt" | "http" | "bridge";
  readonly role: "device" | "gateway" | "viewer" | "crew" | "operator" | "admin" | "broker";
  readonly name: string;
  /** Not as it came: somebody edited a quarantined item and sent it again. */
  readonly edited?: { readonly by: string; readonly item: number };
};

/** A message as it arrived: what the journal keeps. `seq` is its place in the journal: 1, 2, 3, … without gaps. */
export type Message = {
  readonly seq: number;
  /** Epoch milliseconds, the service's clock when the message arrived. */
  readonly receivedAt: number;
  readonly source: Source;
  readonly topic: string;
  readonly payload: Uint8Array;
  /** The door took it only for the quarantine; `payload` is the beginning of what came. */
  readonly refused?: Refused;
};

/**
 * Why a message can never be accepted. It is acknowledged all the same, or its device would send it again for ever and
 * nothing behind it would get through.
 */
export type Refused = { readonly reason: RefusedReason /** of the payload */; readonly bytes: number };
export type RefusedReason = "too_large" | "not_allowed" | "unknown_topic" | "bad_status";

/** A message before the journal gave it its place. */
export type NewMessage = Omit<Message, "seq">;

/** `mqtt:gateway:gw-north`: the source as one short text, for the journal, the quarantine and the audit. */
export function formatSource({ via, role, name, edited }: Source): string {
  return `${via}:${role}:${name}${edited ? `~edited:${edited.by}:${edited.item}` : ""}`;
}

/** Whom a message is charged to, whatever door it came through. */
export function senderKey({ role, name }: Pick<Source, "role" | "name">): string {
  return `${role} ${name}`;
}

/** The source with the refusal behind it, as the journal keeps it: `mqtt:device:no2-1!too_large:70000`. */
export function formatSender({ source, refused }: Pick<NewMessage, "source" | "refused">): string {
  return refused ? `${formatSource(source)}!${refused.reason}:${refused.bytes}` : formatSource(source);
}

export function parseSender(text: string): Pick<Message, "source" | "refused"> {
  const found = REFUSED.exec(text);
  if (!found) return { source: parseSource(text), refused: undefined };
  const [end, reason, bytes] = found as unknown as [string, RefusedReason, string];
  return { source: parseSource(text.slice(0, -end.length)), refused: { reason, bytes: Number(bytes) } };
}

export function parseSource(text: string): Source {
  const edited = EDITED.exec(text);
  if (edited) {
    const [end, by, item] = edited as unknown as [string, string, string];
    return { ...parseSource(text.slice(0, -end.length)), edited: { by, item: Number(item) } };
  }
  const [via, role, ...name] = text.split(":");
  return { via: via as Source["via"], role: role as Source["role"], name: name.join(":") };
}

/**
 * How many elements a JSON array has, without parsing it; 1 for anything but an array. Stops at `most`: what comes from
 * outside is looked at once, byte by byte, and never further than needed. Of what is no JSON it counts what looks like it.
 */
export function countElements(json: Uint8Array, most: number): number {
  if (json[0] === OPEN_OBJECT) return 1;
  let count = 0;
  walkElements(json, () => {
    count += 1;
    return count < most;
  });
  return Math.max(1, count);
}

/**
 * Cuts a JSON array that a parser has taken into the bytes of its elements; undefined for anything but an array. Counts
 * brackets instead of printing what was parsed, so that an element stays as it was sent.
 */
export function splitElements(json: Uint8Array): Uint8Array[] | undefined {
  const elements: Uint8Array[] = [];
  const isArray = walkElements(json, (start, end) => {
    elements.push(json.subarray(start, end));
    return true;
  });
  return isArray ? elements : undefined;
}

/** Calls `take` for each element while it answers true; false if there is no array. */
function walkElements(json: Uint8Array, take: (start: number, end: number) => boolean): boolean {
  const open = json.findIndex((byte) => byte > 0x20 && byte !== 0xef && byte !== 0xbb && byte !== 0xbf);
  if (json[open] !== OPEN_ARRAY) return false;
  let depth = 0;
  let start = open + 1;
  for (let at = open; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) at = endOfString(json, at);
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) depth += 1;
    else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) depth -= 1;
    if (depth === 0 || (depth === 1 && byte === COMMA)) {
      if (!take(start, at) || depth === 0) break;
      start = at + 1;
    }
  }
  return true;
}

function endOfString(json: Uint8Array, quote: number): number {
  let at = quote + 1;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at;
}

/** Who sends what no mapping takes. `mapping`: "" where there is none for the topic. Times in epoch milliseconds. */
export type UnmappedSender = {
  readonly mapping: string;
  readonly device: string;
  readonly sender: string;
  readonly topic: string;
  readonly count: number;
  readonly firstAt: number;
  readonly lastAt: number;
  /** The last one; nothing where it may not be kept. */
  readonly payload: Uint8Array;
};
