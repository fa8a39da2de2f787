import { BackupDamaged } from "./manifest.ts";

/** POSIX ustar, so that `tar tf` shows a backup and `tar xf` unpacks it. Sizes above 8 GiB are written as GNU tar does. */
const BLOCK_BYTES = 512;
const OCTAL_MAX = 8 ** 11 - 1;

export function tarHeader(name: string, bytes: number, modifiedAtMs: number): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES);
  header.write(name, 0, 100, "utf8");
  header.write("0000600\0", 100);
  header.write("0000000\0".repeat(2), 108);
  if (bytes <= OCTAL_MAX) header.write(`${bytes.toString(8).padStart(11, "0")}\0`, 124);
  else {
    header.writeUInt8(0x80, 124);
    header.writeBigUInt64BE(BigInt(bytes), 128);
  }
  header.write(
    `${Math.floor(modifiedAtMs / 1000)
      .toString(8)
      .padStart(11, "0")}\0`,
    136,
  );
  header.write("0", 156);
  header.write("ustar\0" + "00", 257);
  header.write(`${checksumOf(header).toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

export const tarPadding = (bytes: number): Buffer => Buffer.alloc((BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES);
export const TAR_END = Buffer.alloc(2 * BLOCK_BYTES);

/** The checksum's own field counts as spaces. */
function checksumOf(header: Buffer): number {
  let sum = 8 * 32;
  for (const [at, byte] of header.entries()) if (at < 148 || at >= 156) sum += byte;
  return sum;
}

export type TarEntry = { readonly name: string; readonly bytes: number; readonly body: AsyncIterable<Buffer> };

/** The files of an archive in their order. Read each body before the next entry. Throws `BackupDamaged`. */
export async function* readTar(source: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  const reader = createReader(source);
  for (;;) {
    const header = await reader.take(BLOCK_BYTES);
    if (header.every((byte) => byte === 0)) return;
    const stored = Number.parseInt(header.toString("latin1", 148, 156), 8);
    if (stored !== checksumOf(header)) throw new BackupDamaged("it is not a tar archive, or damaged");
    const name = header.toString("utf8", 0, 100).replace(/\0.*$/s, "");
    const bytes = sizeOf(header);
    yield { name, bytes, body: reader.stream(bytes) };
    // Nothing is in it; but an archive is whole or refused, to the last byte.
    const padding = await reader.take(tarPadding(bytes).length);
    if (padding.some((byte) => byte !== 0)) throw new BackupDamaged("it is damaged between its files");
  }
}

function sizeOf(header: Buffer): number {
  const bytes =
    header[124] === 0x80
      ? Number(header.readBigUInt64BE(128))
      : Number.parseInt(header.toString("latin1", 124, 136), 8);
  if (!Number.isSafeInteger(bytes) || bytes < 0) throw new BackupDamaged("it is not a tar archive, or damaged");
  return bytes;
}

function createReader(source: AsyncIterable<Buffer>) {
  const iterator = source[Symbol.asyncIterator]();
  let rest = Buffer.alloc(0);

  /** What is there, at most this much; reads on when nothing is. */
  async function some(bytesMax: number): Promise<Buffer> {
    while (rest.length === 0) {
      const step = await iterator.next();
      if (step.done) throw new BackupDamaged("it breaks off");
      rest = Buffer.from(step.value);
    }
    const part = rest.subarray(0, bytesMax);
    rest = rest.subarray(part.length);
    return part;
  }

  async function* stream(bytes: number): AsyncGenerator<Buffer> {
    for (let left = bytes; left > 0; ) {
      const part = await some(left);
      left -= part.length;
      yield part;
    }
  }

  async function take(bytes: number): Promise<Buffer> {
    return Buffer.concat(await Array.fromAsync(stream(bytes)));
  }
  return { stream, take };
}
