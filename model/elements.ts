const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

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
