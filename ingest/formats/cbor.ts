/** Deeper, or more, than any message of ours. */
const DEPTH_MAX = 16;
const ITEMS_MAX = 20_000;

class NotCbor extends Error {}

/**
 * CBOR (RFC 8949), as far as its values are numbers, texts, booleans, null, lists and maps: definite and indefinite
 * lengths, floats of 16 to 64 bits, bignums as numbers; other tags are looked through. Keys of maps become texts.
 * undefined for what is not CBOR, or has something behind it.
 */
export function readCbor(bytes: Uint8Array): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = new TextDecoder("utf-8", { fatal: true });
  let at = 0;
  let left = ITEMS_MAX;

  function take(count: number): number {
    const from = at;
    if (count > bytes.length - at) throw new NotCbor();
    at += count;
    return from;
  }

  function lengthOf(info: number): number | undefined {
    if (info < 24) return info;
    if (info === 24) return view.getUint8(take(1));
    if (info === 25) return view.getUint16(take(2));
    if (info === 26) return view.getUint32(take(4));
    if (info === 27) return Number(view.getBigUint64(take(8)));
    if (info === 31) return undefined;
    throw new NotCbor();
  }

  function chunks(major: number, length: number | undefined): Uint8Array {
    if (length !== undefined) {
      const from = take(length);
      return bytes.subarray(from, at);
    }
    const parts: number[] = [];
    for (let head = bytes[take(1)]!; head !== 0xff; head = bytes[take(1)]!) {
      const size = head >> 5 === major ? lengthOf(head & 31) : undefined;
      if (size === undefined) throw new NotCbor();
      const from = take(size);
      for (let i = from; i < at; i++) parts.push(bytes[i]!);
    }
    return Uint8Array.from(parts);
  }

  function isEnd(count: number, length: number | undefined): boolean {
    if (length !== undefined) return count >= length;
    if (bytes[at] !== 0xff) return false;
    at += 1;
    return true;
  }

  function read(depth: number): unknown {
    left -= 1;
    if (depth === 0 || left < 0) throw new NotCbor();
    const head = bytes[take(1)]!;
    const [major, info] = [head >> 5, head & 31];
    if (major === 7) return simple(info);
    const length = lengthOf(info);
    if (length === undefined && (major < 2 || major === 6)) throw new NotCbor();
    switch (major) {
      case 0:
        return length;
      case 1:
        return -1 - length!;
      case 2:
        return chunks(2, length);
      case 3:
        return text.decode(chunks(3, length));
      case 4: {
        const list: unknown[] = [];
        while (!isEnd(list.length, length)) list.push(read(depth - 1));
        return list;
      }
      case 5: {
        const map: Record<string, unknown> = Object.create(null);
        for (let count = 0; !isEnd(count, length); count++) {
          const key = read(depth - 1);
          if (typeof key !== "string" && typeof key !== "number") throw new NotCbor();
          map[key] = read(depth - 1);
        }
        return map;
      }
      default:
        return tagged(length!, read(depth - 1));
    }
  }

  function simple(info: number): unknown {
    if (info === 20 || info === 21) return info === 21;
    if (info === 22 || info === 23) return null;
    if (info === 25) return halfOf(view.getUint16(take(2)));
    // What was a float of 32 bits has seven digits, and no more when it is written in 64.
    if (info === 26) return Number(view.getFloat32(take(4)).toPrecision(7));
    if (info === 27) return view.getFloat64(take(8));
    throw new NotCbor();
  }

  try {
    const value = read(DEPTH_MAX);
    return at === bytes.length ? value : undefined;
  } catch (error) {
    if (error instanceof NotCbor || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Decimal fractions (tag 4) and bignums (2, 3) are numbers. */
function tagged(tag: number, value: unknown): unknown {
  if ((tag === 2 || tag === 3) && value instanceof Uint8Array) {
    let number = 0;
    for (const byte of value) number = number * 256 + byte;
    return tag === 2 ? number : -1 - number;
  }
  if (tag === 4 && Array.isArray(value) && value.length === 2) return Number(`${Number(value[1])}e${Number(value[0])}`);
  return value;
}

function halfOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}
