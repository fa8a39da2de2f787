const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * Cuts a JSON array that a parser has taken into the bytes of its elements; undefined for anything but an array. Counts
 * brackets instead of printing what was parsed, so that an element stays as it was sent.
 */
export function splitElements(json: Uint8Array): Uint8Array[] | undefined {
  const open = json.findIndex((byte) => byte > 0x20 && byte !== 0xef && byte !== 0xbb && byte !== 0xbf);
  if (json[open] !== OPEN_ARRAY) return undefined;
  const elements: Uint8Array[] = [];
  let depth = 0;
  let start = open + 1;
  for (let at = open; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) at = endOfString(json, at);
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) depth += 1;
    else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) depth -= 1;
    if (depth === 0 || (depth === 1 && byte === COMMA)) {
      elements.push(json.subarray(start, at));
      if (depth === 0) break;
      start = at + 1;
    }
  }
  return elements;
}

function endOfString(json: Uint8Array, quote: number): number {
  let at = quote + 1;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at;
}
