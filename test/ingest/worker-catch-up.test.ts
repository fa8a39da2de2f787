import { setImmediate as immediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { aConsumer, aJournal, start, upTo } from "./worker-harness.ts";

describe("a consumer that lags", () => {
  it("starts each consumer where it left off, from disk", async () => {
    const [a, b] = [aConsumer("a"), aConsumer("b", { offset: 40 })];
    const worker = start(aJournal(60), [a.consumer, b.consumer], { readBytesMax: 700 });
    await worker.idle();
    expect(a.seqs()).toEqual(upTo(60));
    expect(b.seqs()).toEqual(upTo(60).slice(39));
    await worker.stop();
  });

  it("reads from disk by the many, and is handed a few at a time", async () => {
    const a = aConsumer("a");
    const journal = aJournal(2_750);
    const worker = start(journal, [a.consumer], { readBytesMax: 150_000 });
    await worker.idle();
    expect(a.seqs()).toEqual(upTo(2_750));
    expect(a.batches.map(({ from, to }) => to - from)).toEqual([500, 500, 500, 500, 500, 250]);
    expect(journal.reads).toEqual([
      [1, 1_501],
      [1_501, 2_751],
    ]);
    await worker.stop();
  });

  it("lets a lagging consumer catch up from disk while the other stays live, in bounded memory", async () => {
    const [slow, fast] = [aConsumer("slow"), aConsumer("fast")];
    const journal = aJournal();
    const worker = start(journal, [slow.consumer, fast.consumer], { windowMessagesMax: 50, readBytesMax: 2000 });
    slow.hold();
    const stuck = slow.entered();
    worker.publish(10);
    await stuck;
    for (let i = 0; i < 50; i++) {
      const taken = fast.entered();
      worker.publish(10);
      await taken;
    }
    expect(fast.seqs().length).toBeGreaterThanOrEqual(500);
    expect(slow.seqs()).toEqual([]);
    expect(worker.windowSize().messages).toBeLessThanOrEqual(50);
    expect(worker.pendingMessages("slow")).toBe(510);
    expect(worker.releasable()).toBe(1);
    slow.release();
    await worker.idle();
    expect(slow.seqs()).toEqual(upTo(510));
    expect(fast.seqs()).toEqual(upTo(510));
    expect(journal.reads.length).toBeGreaterThan(0);
    const reads = journal.reads.length;
    worker.publish(10);
    await worker.idle();
    expect(journal.reads.length).toBe(reads);
    expect(slow.seqs()).toEqual(upTo(520));
    expect(worker.releasable()).toBe(521);
    expect(worker.windowSize()).toEqual({ chunks: 0, messages: 0, bytes: 0 });
    await worker.stop();
  });

  it("joins live again although chunks go on coming while it reads", async () => {
    const late = aConsumer("late");
    const journal = aJournal(1000);
    const read = journal.reader.read;
    let worker: ReturnType<typeof start>;
    let extra = 60;
    journal.reader.read = async (...args) => {
      const result = await read(...args);
      if (extra-- > 0) worker.publish(3);
      return result;
    };
    worker = start(journal, [late.consumer], { readBytesMax: 10_000 });
    await worker.idle();
    expect(late.seqs()).toEqual(upTo(journal.messages.length));
    expect(journal.reads.length).toBeLessThan(15);
    await worker.stop();
  });

  it("goes on from disk when a chunk cannot be opened, and again when a read fails", async () => {
    const a = aConsumer("a");
    const journal = aJournal();
    const read = journal.reader.read;
    let broken = true;
    journal.reader.read = async (...args) => {
      if (broken) {
        broken = false;
        throw new Error("EIO");
      }
      return read(...args);
    };
    const decodeChunk = () => {
      throw new Error("not a chunk");
    };
    const worker = start(journal, [a.consumer], { decodeChunk });
    worker.publish(5);
    await worker.idle();
    expect(a.seqs()).toEqual(upTo(5));
    await worker.stop();
  });

  it("steps over numbers that are missing from the journal", async () => {
    const a = aConsumer("a");
    const journal = aJournal(20);
    const reader = { read: async () => ({ to: 21, messages: journal.messages.slice(15) }) };
    const worker = start(journal, [a.consumer], { openReader: () => reader });
    await worker.idle();
    expect(a.seqs()).toEqual([16, 17, 18, 19, 20]);
    expect(worker.offsets().get("a")).toBe(21);
    await worker.stop();
  });

  it("bounds its memory in bytes as well as in messages", async () => {
    const slow = aConsumer("slow");
    const journal = aJournal();
    const worker = start(journal, [slow.consumer], { windowBytesMax: 2_500 });
    slow.hold();
    for (let i = 0; i < 10; i++) worker.publish(10);
    expect(worker.windowSize()).toEqual({ chunks: 2, messages: 20, bytes: 2_000 });
    slow.release();
    await worker.idle();
    expect(slow.seqs()).toEqual(upTo(100));
    await worker.stop();
  });

  it("keeps nothing for a consumer that is held up, however little that is: what is old is read from disk again", async () => {
    const slow = aConsumer("slow");
    const journal = aJournal();
    let time = 0;
    const worker = start(journal, [slow.consumer], { windowAgeMaxMs: 5_000, now: () => time });
    slow.hold();
    for (let i = 0; i < 60; i++) {
      time += 1_000;
      worker.publish(1);
    }
    expect(worker.windowSize().messages).toBe(6);
    slow.release();
    await worker.idle();
    expect(slow.seqs()).toEqual(upTo(60));
    await worker.stop();
  });

  it("keeps nothing at all for a consumer that has been busy with one batch for seconds, if the others have taken it", async () => {
    const [slow, fast] = [aConsumer("slow"), aConsumer("fast")];
    const journal = aJournal();
    let time = 0;
    const worker = start(journal, [slow.consumer, fast.consumer], { now: () => time });
    slow.hold();
    const sizes: number[] = [];
    for (let i = 0; i < 5; i++) {
      const taken = fast.entered();
      worker.publish(1);
      await taken;
      await immediate();
      sizes.push(worker.windowSize().messages);
      time += 1_000;
    }
    expect(sizes).toEqual([1, 2, 3, 0, 0]);
    slow.release();
    await worker.idle();
    expect(slow.seqs()).toEqual(upTo(5));
    await worker.stop();
  });

  it("catches up to now, though the window moves on while it reads what the window had", async () => {
    const slow = aConsumer("slow", { gatherReadingsMax: 100, gatherForMs: 100 });
    const journal = aJournal();
    let time = 0;
    let left = 40;
    const goOn = async () => {
      if (left-- <= 0) return;
      time += 1_000;
      worker.publish(1);
    };
    const worker = start(journal, [slow.consumer], { windowAgeMaxMs: 5_000, now: () => time, sleep: goOn });
    slow.hold();
    for (let i = 0; i < 20; i++) await goOn();
    slow.release();
    await worker.idle();
    expect(slow.seqs()).toEqual(upTo(journal.messages.length));
    expect(left).toBeGreaterThan(10);
    expect(journal.reads.length).toBeLessThanOrEqual(2);
    await worker.stop();
  });

  it("delivers what it could read before it tries again what it could not", async () => {
    const slow = aConsumer("slow", { gatherReadingsMax: 100 });
    const journal = aJournal(30);
    const read = journal.reader.read;
    let failures = 0;
    journal.reader.read = async (offset, end, bytesMax) => {
      if (offset > 10 && failures++ < 3) throw new Error("EIO");
      return read(offset, end, bytesMax);
    };
    const worker = start(journal, [slow.consumer], { readBytesMax: 1_000 });
    await worker.idle();
    expect(slow.batches.map(({ from, to }) => [from, to])).toEqual([
      [1, 11],
      [11, 31],
    ]);
    await worker.stop();
  });

  it("catches up from disk in batches as large as the consumer likes", async () => {
    const slow = aConsumer("slow", { gatherReadingsMax: 40 });
    const journal = aJournal(100);
    const worker = start(journal, [slow.consumer], { readBytesMax: 1_000 });
    await worker.idle();
    expect(slow.batches.map(({ from, to }) => [from, to])).toEqual([
      [1, 41],
      [41, 81],
      [81, 101],
    ]);
    await worker.stop();
  });

  it("reads from disk what it was only told the end of", async () => {
    const a = aConsumer("a");
    const journal = aJournal();
    const worker = start(journal, [a.consumer]);
    worker.advanced(journal.chunk(5).to);
    worker.publish(5);
    await worker.idle();
    expect(a.seqs()).toEqual(upTo(10));
    expect(journal.reads).toEqual([[1, 6]]);
    await worker.stop();
  });
});
