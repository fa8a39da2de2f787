import { describe, expect, it } from "vitest";
import { createJournalReader } from "../../../ingest/journal/reader.ts";
import { SEGMENT_HEADER_BYTES, segmentName } from "../../../ingest/journal/segments.ts";
import { aMessage, append, appendMany, DIR, type Gap, open, plain, readAll, tempDir } from "./helpers.ts";
import { createMemoryFs } from "./memory-fs.ts";

const none = () => {
  throw new Error("no gap was expected");
};

describe("the journal reader", () => {
  it("reads what is committed while the writer goes on, never at or past the end", async () => {
    const dir = tempDir();
    const { writer } = await open(undefined, { dir });
    const reader = createJournalReader({ dir, onGap: none });
    const read: number[] = [];
    const writing = (async () => {
      for (let n = 1; n <= 2_000; n += 20) await appendMany(writer, n, n + 19, 10);
    })();
    let at = 1;
    while (at <= 2_000) {
      const end = writer.state().next;
      if (at === end) {
        await append(writer, aMessage(0));
        continue;
      }
      const { to, messages } = await reader.read(at, end, 3_000);
      for (const message of messages) expect(message.seq).toBeLessThan(end);
      read.push(...messages.map((message) => message.seq));
      at = to;
    }
    await writing;
    expect(read).toEqual(read.map((_, i) => i + 1));
    await reader.close();
    await writer.close();
  });

  it("answers from any offset, with about as many bytes as asked and at least one message", async () => {
    const disk = createMemoryFs();
    const { writer } = await open(disk.fs);
    await appendMany(writer, 1, 100);
    const reader = createJournalReader({ dir: DIR, fs: disk.fs, onGap: none });
    for (const offset of [57, 3, 4, 99, 100, 1, 50]) {
      const { to, messages } = await reader.read(offset, 101, 1);
      expect(messages.map(plain)).toEqual([plain(aMessage(offset))]);
      expect(to).toBe(offset + 1);
    }
    const few = await reader.read(10, 101, 400);
    expect(few.messages.length).toBeGreaterThan(1);
    expect(few.messages.length).toBeLessThan(10);
    expect(await reader.read(101, 101, 400)).toEqual({ to: 101, messages: [] });
    expect((await reader.read(98, 100, 9_999)).messages.map((message) => message.seq)).toEqual([98, 99]);
    await reader.close();
  });

  it("reads only what it must when it goes on", async () => {
    const disk = createMemoryFs();
    const { writer } = await open(disk.fs, { segmentBytes: 1_000_000 });
    await appendMany(writer, 1, 100);
    let opens = 0;
    disk.faults.before = (operation) => {
      if (operation === "open") opens += 1;
    };
    await readAll(disk.fs, 101, { bytesMax: 500 });
    // The header and the segment, once, for dozens of reads.
    expect(opens).toBe(2);
  });

  it("names what was released before it came to it", async () => {
    const disk = createMemoryFs();
    const { writer } = await open(disk.fs);
    await appendMany(writer, 1, 200);
    writer.release(150);
    const { first } = writer.state();
    await append(writer, aMessage(201));
    const { messages, gaps } = await readAll(disk.fs, 202);
    expect(gaps).toEqual([{ from: 1, to: first, segment: "" }]);
    expect(messages[0]?.seq).toBe(first);
  });

  it("finds records committed later behind damage at the end of what it could see", async () => {
    const disk = createMemoryFs();
    const { writer } = await open(disk.fs, { segmentBytes: 1_000_000 });
    await appendMany(writer, 1, 10, 1);
    const path = `${DIR}/${segmentName(1)}`;
    const size = disk.bytes(path).length;
    await appendMany(writer, 11, 20, 1);
    disk.bytes(path)[size - 1]! ^= 1;
    const gaps: Gap[] = [];
    const reader = createJournalReader({ dir: DIR, fs: disk.fs, onGap: (gap) => gaps.push(gap) });
    // The end is 11: number 10 is damaged, and 11 and later stand behind it but are not to be looked at yet.
    expect((await reader.read(5, 11, 9_999)).messages.map((message) => message.seq)).toEqual([5, 6, 7, 8, 9]);
    await appendMany(writer, 21, 30, 1);
    expect((await reader.read(10, 31, 9_999)).messages).toHaveLength(20);
    expect(gaps).toEqual([{ from: 10, to: 11, segment: segmentName(1) }]);
    await reader.close();
  });

  it("gives the end as the place to go on when the rest is damaged", async () => {
    const disk = createMemoryFs();
    const { writer } = await open(disk.fs);
    await appendMany(writer, 1, 5, 1);
    const bytes = disk.bytes(`${DIR}/${segmentName(1)}`);
    bytes[bytes.length - 1]! ^= 1;
    const { messages, gaps } = await readAll(disk.fs, 6);
    expect(messages).toHaveLength(4);
    expect(gaps).toEqual([{ from: 5, to: 6, segment: segmentName(1) }]);
  });

  it("finds its way through damage larger than a block", async () => {
    const disk = createMemoryFs();
    const { writer } = await open(disk.fs, { segmentBytes: 10_000_000, batchBytesMax: 1_000_000 });
    for (let n = 1; n <= 40; n += 1) await append(writer, aMessage(n, 50_000));
    const bytes = disk.bytes(`${DIR}/${segmentName(1)}`);
    bytes.fill(0x7b, SEGMENT_HEADER_BYTES + 100_000, SEGMENT_HEADER_BYTES + 1_600_000);
    const { messages, gaps } = await readAll(disk.fs, 41, { bytesMax: 60_000 });
    expect(gaps).toEqual([{ from: 2, to: 33, segment: segmentName(1) }]);
    expect(messages.map((message) => message.seq)).toEqual([1, 33, 34, 35, 36, 37, 38, 39, 40]);
  });
});
