import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { encodeHeader, SEGMENT_HEADER_BYTES, segmentName } from "../../../ingest/journal/segments.ts";
import { aMessage, append, appendMany, DIR, inGaps, open, plain, readAll } from "./helpers.ts";
import { createMemoryFs, type MemoryFs } from "./memory-fs.ts";

/** A journal of 120 messages in several segments, left by a kill (or closed). */
async function aJournal(closed = false) {
  const disk = createMemoryFs();
  const { writer } = await open(disk.fs);
  await appendMany(writer, 1, 120);
  if (closed) await writer.close();
  return disk.clone();
}

const segments = (disk: MemoryFs) => [...disk.names.keys()].filter((path) => path.endsWith(".journal")).sort();
const firstOf = (path: string) => Number(path.slice(DIR.length + 1).split(".")[0]);
const damagedCopies = (disk: MemoryFs) => [...disk.names.keys()].filter((path) => path.startsWith(`${DIR}/damaged/`));

function replace(disk: MemoryFs, path: string, change: (bytes: Buffer) => Buffer): void {
  const current = change(Buffer.from(disk.bytes(path)));
  disk.names.set(path, { current, synced: current });
}

function flip(disk: MemoryFs, path: string, at: number): void {
  replace(disk, path, (bytes) => {
    bytes[at]! ^= 0x20;
    return bytes;
  });
}

/** Opens, appends one more, and checks that all of it is either read as it was or told missing. */
async function checkAll(disk: MemoryFs, total = 120) {
  const { recovery, writer } = await open(disk.fs);
  expect(await append(writer, aMessage(recovery.next))).toBeUndefined();
  const { messages, gaps } = await readAll(disk.fs, recovery.next + 1);
  for (const message of messages) expect(plain(message)).toEqual(plain(aMessage(message.seq)));
  const seen = new Set(messages.map((message) => message.seq));
  for (let seq = 1; seq <= Math.max(total, recovery.next); seq += 1) {
    expect(seen.has(seq) || inGaps(seq, gaps) || (recovery.tornBytes > 0 && seq >= recovery.next), `seq ${seq}`).toBe(
      true,
    );
  }
  expect(seen.has(recovery.next)).toBe(true);
  return { recovery, gaps, seen };
}

describe("recovery", () => {
  it("cuts a tail torn at any byte of the last record", async () => {
    const disk = createMemoryFs();
    const { writer } = await open(disk.fs);
    await appendMany(writer, 1, 9, 1);
    const path = segments(disk)[0] as string;
    const whole = disk.bytes(path).length;
    await append(writer, aMessage(10));
    for (let size = whole; size < disk.bytes(path).length; size += 1) {
      const torn = disk.clone();
      replace(torn, path, (bytes) => bytes.subarray(0, size));
      const { recovery } = await open(torn.fs);
      expect(recovery).toEqual({ first: 1, next: 10, tornBytes: size - whole, gaps: [] });
      expect(torn.bytes(path).length).toBe(whole);
      expect((await readAll(torn.fs, 10)).messages).toHaveLength(9);
      expect((await open(torn.fs)).recovery.tornBytes).toBe(0);
    }
  });

  it("cuts a tail of zeros, which some file systems leave after a power cut", async () => {
    const disk = await aJournal();
    replace(disk, segments(disk).at(-1) as string, (bytes) => Buffer.concat([bytes, Buffer.alloc(5_000)]));
    const { recovery } = await checkAll(disk);
    expect(recovery).toMatchObject({ next: 121, tornBytes: 5_000, gaps: [] });
  });

  it("steps over damage in the middle, names the numbers and keeps a copy", async () => {
    const disk = await aJournal();
    const path = segments(disk).at(-1) as string;
    flip(disk, path, SEGMENT_HEADER_BYTES + 40);
    const { recovery, gaps } = await checkAll(disk);
    const gap = { from: firstOf(path), to: firstOf(path) + 1, segment: segmentName(firstOf(path)) };
    expect(recovery).toMatchObject({ next: 121, tornBytes: 0, gaps: [gap] });
    expect(gaps).toEqual([gap]);
    expect(damagedCopies(disk)).toHaveLength(1);
  });

  it("leaves damage in earlier segments to the reader, which names it and keeps a copy", async () => {
    const disk = await aJournal();
    flip(disk, segments(disk)[1] as string, SEGMENT_HEADER_BYTES + 40);
    const { recovery, gaps } = await checkAll(disk);
    expect(recovery.gaps).toEqual([]);
    expect(gaps).toHaveLength(1);
    expect(damagedCopies(disk)).toHaveLength(1);
  });

  it("tells a damaged end from a torn one after a clean close", async () => {
    const disk = await aJournal(true);
    const path = segments(disk).at(-2) as string;
    replace(disk, path, (bytes) => bytes.subarray(0, bytes.length - 1));
    const { recovery } = await checkAll(disk);
    expect(recovery).toMatchObject({ next: 121, tornBytes: 0, gaps: [{ from: 120, to: 121 }] });
  });

  it("does not lose a segment for one bad header, nor for two while another segment is left", async () => {
    for (const ats of [[20], [512 + 20], [20, 512 + 20]]) {
      const disk = await aJournal();
      for (const path of segments(disk).slice(0, -1)) for (const at of ats) flip(disk, path, at);
      const { recovery, seen } = await checkAll(disk);
      expect(recovery).toMatchObject({ next: 121, gaps: [] });
      expect(seen.size).toBe(121);
      expect(damagedCopies(disk).length).toBeGreaterThan(0);
    }
  });

  it("reads an only segment by the second copy of its header, and leaves it whole when both are gone", async () => {
    const disk = createMemoryFs();
    const { writer } = await open(disk.fs);
    await appendMany(writer, 1, 5);
    const path = segments(disk)[0] as string;
    for (const ats of [[20], [512 + 20]]) {
      const damaged = disk.clone();
      for (const at of ats) flip(damaged, path, at);
      expect((await open(damaged.fs)).recovery).toEqual({ first: 1, next: 6, tornBytes: 0, gaps: [] });
      expect((await readAll(damaged.fs, 6)).messages).toHaveLength(5);
    }
    for (const at of [20, 512 + 20]) flip(disk, path, at);
    const bytes = Buffer.from(disk.bytes(path));
    const { recovery } = await open(disk.fs);
    expect(recovery.gaps).toMatchObject([{ from: 1, to: recovery.next }]);
    expect(disk.bytes(path)).toEqual(bytes);
  });

  it("does not read old records again that stand at the end once more", async () => {
    const disk = await aJournal();
    const path = segments(disk).at(-1) as string;
    const records = disk.bytes(path).subarray(SEGMENT_HEADER_BYTES);
    replace(disk, path, (bytes) => Buffer.concat([bytes, records]));
    const { recovery } = await checkAll(disk);
    expect(recovery).toMatchObject({ next: 121, tornBytes: records.length, gaps: [] });
  });

  it("gives no number again when the last segment is unreadable: all it may have held are a gap", async () => {
    for (const size of [0, 10, 600]) {
      const disk = await aJournal();
      const path = segments(disk).at(-1) as string;
      replace(disk, path, (bytes) => bytes.subarray(0, size));
      const { recovery } = await checkAll(disk);
      expect(recovery.next).toBeGreaterThan(120);
      expect(recovery.gaps).toMatchObject([{ from: firstOf(path), to: recovery.next }]);
      expect(disk.bytes(path)).toHaveLength(size);
    }
  });

  it("names the numbers of a segment that is gone from the middle", async () => {
    const disk = await aJournal();
    const paths = segments(disk);
    disk.names.delete(paths[2] as string);
    const { recovery, gaps } = await checkAll(disk);
    const gap = { from: firstOf(paths[2] as string), to: firstOf(paths[3] as string) };
    expect(recovery.gaps).toMatchObject([gap]);
    expect(gaps).toMatchObject([gap]);
  });

  it("reports an earlier segment that is empty or cut short", async () => {
    for (const size of [0, 700, SEGMENT_HEADER_BYTES, SEGMENT_HEADER_BYTES + 300]) {
      const disk = await aJournal();
      replace(disk, segments(disk)[1] as string, (bytes) => bytes.subarray(0, size));
      expect((await checkAll(disk)).gaps).toHaveLength(1);
    }
  });

  it("leaves foreign files alone", async () => {
    const disk = await aJournal();
    for (const name of ["notes.txt", "1.journal", "99999999999999999999.journal"]) {
      disk.names.set(`${DIR}/${name}`, { current: Buffer.from("mine"), synced: Buffer.from("mine") });
    }
    expect((await checkAll(disk)).recovery).toMatchObject({ next: 121, gaps: [] });
    expect(disk.bytes(`${DIR}/notes.txt`).toString()).toBe("mine");
  });

  it("believes the consumers' offsets when the files know less: never a silent empty start", async () => {
    const booked = { lowest: 50, highest: 121 };
    const { recovery } = await open(createMemoryFs().fs, { booked });
    expect(recovery).toMatchObject({ next: 121, gaps: [{ from: 50, to: 121 }] });
    const disk = await aJournal();
    const path = segments(disk).at(-1) as string;
    replace(disk, path, (bytes) => bytes.subarray(0, SEGMENT_HEADER_BYTES));
    const again = await open(disk.fs, { booked });
    expect(again.recovery).toMatchObject({ next: 121, tornBytes: 0, gaps: [{ from: firstOf(path), to: 121 }] });
  });

  it("does not take a record inside a payload for one of its own", async () => {
    const disk = createMemoryFs();
    const { writer } = await open(disk.fs);
    await appendMany(writer, 1, 3, 1);
    const path = segments(disk)[0] as string;
    const other = await open(createMemoryFs().fs);
    const forged: Uint8Array[] = [];
    other.writer.onCommit((chunk) => forged.push(chunk.bytes));
    await appendMany(other.writer, 1, 9, 1);
    await append(writer, { ...aMessage(4), payload: Buffer.concat(forged) });
    await appendMany(writer, 5, 6, 1);
    replace(disk, path, (bytes) => {
      bytes[bytes.indexOf(forged[0] as Uint8Array) - 1]! ^= 1;
      return bytes;
    });
    const { messages, gaps } = await readAll(disk.fs, 7);
    expect(messages.map((message) => message.seq)).toEqual([1, 2, 3, 5, 6]);
    expect(gaps).toMatchObject([{ from: 4, to: 5 }]);
  });

  it("makes what it found durable before it says so: a kill and then a power cut", async () => {
    const disk = createMemoryFs();
    const { writer } = await open(disk.fs);
    await appendMany(writer, 1, 5);
    disk.faults.before = (operation) => (operation === "datasync" ? new Promise(() => {}) : undefined);
    writer.append(aMessage(6), () => {});
    await expect.poll(() => disk.bytes(segments(disk)[0] as string).includes('{"n":6}')).toBe(true);
    disk.faults.before = undefined;
    expect((await open(disk.fs)).recovery.next).toBe(7);
    expect((await open(disk.crash().fs)).recovery).toMatchObject({ next: 7, gaps: [] });
    expect((await readAll(disk.crash().fs, 7)).messages).toHaveLength(6);
  });

  it("refuses the journal of a newer version", async () => {
    const disk = await aJournal();
    const header = encodeHeader({ salt: 1, first: 1, previousFirst: 0 });
    for (const at of [0, 512]) {
      header.view.setUint32(at + 8, 2, true);
      header.view.setUint32(at + 32, crc32(header.bytes.subarray(at, at + 32)), true);
    }
    replace(disk, segments(disk)[0] as string, (bytes) => Buffer.concat([header.bytes, bytes.subarray(1024)]));
    await expect(open(disk.fs)).rejects.toThrow("has format 2, this service knows format 1");
  });
});
