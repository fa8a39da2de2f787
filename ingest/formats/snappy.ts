/**
 * Snappy's block format (not the framed one), as Prometheus sends it: undefined for what is none, or would be larger than
 * `bytesMax`. What it says of its length is believed only as far as that.
 */
export function uncompressSnappy(bytes: Uint8Array, bytesMax: number): Uint8Array | undefined {
  let at = 0;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    if (byte === undefined || shift > 28) return undefined;
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  if (length > bytesMax) return undefined;
  const out = new Uint8Array(length);
  let to = 0;
  while (at < bytes.length) {
    const tag = bytes[at++]!;
    if ((tag & 3) === 0) {
      let size = tag >> 2;
      if (size >= 60) {
        const more = size - 59;
        if (at + more > bytes.length) return undefined;
        size = 0;
        for (let i = 0; i < more; i++) size += bytes[at++]! * 2 ** (8 * i);
      }
      size += 1;
      if (size > bytes.length - at || size > length - to) return undefined;
      out.set(bytes.subarray(at, at + size), to);
      at += size;
      to += size;
      continue;
    }
    const width = tag & 3;
    const size = width === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const offsetBytes = width === 1 ? 1 : width === 2 ? 2 : 4;
    if (at + offsetBytes > bytes.length) return undefined;
    let offset = width === 1 ? (tag >> 5) * 256 : 0;
    for (let i = 0; i < offsetBytes; i++) offset += bytes[at++]! * 2 ** (8 * i);
    if (offset === 0 || offset > to || size > length - to) return undefined;
    // Byte by byte: a copy may reach into what it writes.
    for (let i = 0; i < size; i++) out[to + i] = out[to + i - offset]!;
    to += size;
  }
  return to === length ? out : undefined;
}
