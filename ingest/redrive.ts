import type { NewMessage } from "../model/message.ts";
import type { Reason } from "../model/rejection.ts";
import type { QuarantineItem } from "../store/records.ts";

/** Here the message as a whole was rejected, whatever is in it. */
const WHOLE: ReadonlySet<Reason> = new Set([
  "malformed_json",
  "unknown_topic",
  "unknown_sensor",
  "wrong_sensor",
  "too_large",
]);

/**
 * The message to append to the journal again after a fix, with its first `receivedAt`, source and topic. Of an array
 * only the element that was rejected, byte for byte: its neighbours have had their verdict. undefined if the payload
 * was not kept.
 */
export function redriveMessage({ rejection }: Pick<QuarantineItem, "rejection">): NewMessage | undefined {
  const { receivedAt, source, topic, payload, reason, index } = rejection;
  if (!payload) return undefined;
  const element = WHOLE.has(reason) ? undefined : sliceElement(payload, index);
  return { receivedAt, source, topic, payload: element ?? payload };
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * The bytes of one element of a JSON array; undefined if the text is no array or has no such element. Counts brackets
 * instead of parsing and printing, so that the element stays as it was sent.
 */
function sliceElement(json: Uint8Array, index: number): Uint8Array | undefined {
  const open = json.findIndex((byte) => byte > 0x20 && byte !== 0xef && byte !== 0xbb && byte !== 0xbf);
  if (json[open] !== OPEN_ARRAY) return undefined;
  let depth = 0;
  let start = open + 1;
  let place = 0;
  for (let at = open; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) at = endOfString(json, at);
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) depth += 1;
    else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) depth -= 1;
    if (depth === 0 || (depth === 1 && byte === COMMA)) {
      if (place === index) return nonBlank(json.subarray(start, at));
      if (depth === 0) return undefined;
      place += 1;
      start = at + 1;
    }
  }
  return undefined;
}

function endOfString(json: Uint8Array, quote: number): number {
  let at = quote + 1;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at;
}

function nonBlank(bytes: Uint8Array): Uint8Array | undefined {
  return bytes.some((byte) => byte > 0x20) ? bytes : undefined;
}
