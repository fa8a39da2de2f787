/** What the journal needs of a file system: small, so that tests can put one between that fails, tears and forgets. */
export type JournalFs = {
  /** "read" and "change" need the file to exist, "replace" empties or creates it. */
  open(path: string, mode: "read" | "change" | "replace"): Promise<JournalFile>;
  /** With its parents; no error if it is there. */
  makeDir(path: string): Promise<void>;
  /** Names, in no order. */
  list(dir: string): Promise<readonly string[]>;
  /** Replaces the target. */
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Replaces the target. */
  copy(from: string, to: string): Promise<void>;
  /** Makes created, renamed and deleted names durable. */
  syncDir(dir: string): Promise<void>;
  freeBytes(dir: string): Promise<number>;
  /** When the file was last written, epoch milliseconds. Without it a file counts as written when it was found. */
  modifiedAt?(path: string): Promise<number>;
};

export type JournalFile = {
  /** Writes `bytes[from … to - 1]` at `position`; may write less, returns how much. */
  write(bytes: Uint8Array, from: number, to: number, position: number): Promise<number>;
  /** Fills `bytes[from … to - 1]` from `position`; may read less, 0 at the end of the file. */
  read(bytes: Uint8Array, from: number, to: number, position: number): Promise<number>;
  datasync(): Promise<void>;
  truncate(bytes: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
};

/** The `code` of a system error: "ENOSPC", "EIO", …; undefined for anything else. */
export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** Writes all of it, however short the single writes are. */
export async function writeFully(file: JournalFile, bytes: Uint8Array, to: number, position: number): Promise<void> {
  let done = 0;
  while (done < to) {
    const written = await file.write(bytes, done, to, position + done);
    if (written <= 0) throw Object.assign(new Error("the disk took nothing of a write"), { code: "EIO" });
    done += written;
  }
}

/** Reads until `bytes` is full or the file ends; returns how much was read. */
export async function readFully(file: JournalFile, bytes: Uint8Array, position: number): Promise<number> {
  let done = 0;
  while (done < bytes.length) {
    const read = await file.read(bytes, done, bytes.length, position + done);
    if (read <= 0) break;
    done += read;
  }
  return done;
}
