import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

/** Of secrets, keys and certificates. */
const SMALL_FILE_BYTES_MAX = 65_536;

/** The text of a file, or with `-` of standard input, without the blanks around it. Throws an Error that never shows the text. */
export function readSecret(file: string): string {
  const secret = readSmallFile(file).trim();
  if (secret === "" || /[\r\n]/.test(secret)) throw new Error(`${placeOf(file)} does not hold one line with a secret`);
  return secret;
}

/**
 * A setting that names a file may name anything: a device gives bytes for ever and a pipe waits for somebody to write, so
 * only a file of at most 64 KiB is read, or with `-` as much of standard input. Throws an Error with `path`.
 */
export function readSmallFile(file: string): string {
  const isInput = file === "-";
  let fd = 0;
  try {
    // Not to wait for the other end of a pipe before it is known to be one.
    if (!isInput) fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = fstatSync(fd);
    if (!isInput && stat.isDirectory()) throw Object.assign(new Error("a folder"), { code: "EISDIR" });
    if (!isInput && !stat.isFile()) throw new Error("is a device or pipe, not a file; - stands for standard input");
    return readAtMost(fd, SMALL_FILE_BYTES_MAX).toString();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === undefined ? message : `cannot be read (${code})`;
    throw Object.assign(new Error(`${placeOf(file)} ${why}`, { cause: error }), { path: file, code });
  } finally {
    if (fd > 0) closeSync(fd);
  }
}

const placeOf = (file: string) => (file === "-" ? "standard input" : file);

function readAtMost(fd: number, bytesMax: number): Buffer {
  const bytes = Buffer.alloc(bytesMax + 1);
  let length = 0;
  for (let read = -1; read !== 0; length += read) {
    if (length > bytesMax) throw new Error(`has more than ${bytesMax} bytes`);
    read = readSync(fd, bytes, length, bytes.length - length, null);
  }
  return bytes.subarray(0, length);
}
