/**
 * The wire format of Protocol Buffers, as far as it says what a field is: numbers, and bytes with their length. Which
 * messages there are is for those who read them; two of them are not worth a library that compiles schemas.
 */
export type Field = {
  readonly number: number;
  /** Of wire type 0, as it was written: negative numbers are 64 bits of two's complement. */
  readonly varint?: bigint;
  /** Of wire types 1, 2 and 5. */
  readonly bytes?: Uint8Array;
};

const FIELDS_MAX = 50_000;

/** The fields of a message in order; undefined for what is none. */
export function readProtobuf(bytes: Uint8Array): readonly Field[] | undefined {
  const fields: Field[] = [];
  let at = 0;

  function varint(): bigint | undefined {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) return undefined;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    return undefined;
  }

  while (at < bytes.length) {
    const key = varint();
    if (key === undefined || fields.length >= FIELDS_MAX) return undefined;
    const number = Number(key >> 3n);
    const type = Number(key & 7n);
    if (number === 0) return undefined;
    if (type === 0) {
      const value = varint();
      if (value === undefined) return undefined;
      fields.push({ number, varint: value });
      continue;
    }
    const length = type === 1 ? 8 : type === 5 ? 4 : type === 2 ? Number(varint() ?? -1n) : -1;
    if (length < 0 || length > bytes.length - at) return undefined;
    fields.push({ number, bytes: bytes.subarray(at, at + length) });
    at += length;
  }
  return fields;
}

const UTF8 = new TextDecoder();
export const textOf = ({ bytes }: Field): string => (bytes === undefined ? "" : UTF8.decode(bytes));

export function doubleOf({ bytes }: Field): number {
  if (bytes?.length !== 8) return Number.NaN;
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
}

/** With the seven digits that it has. */
export function floatOf({ bytes }: Field): number {
  if (bytes?.length !== 4) return Number.NaN;
  return Number(new DataView(bytes.buffer, bytes.byteOffset, 4).getFloat32(0, true).toPrecision(7));
}

export const signed = (value: bigint, bits: 32 | 64): number => Number(BigInt.asIntN(bits, value));
