import { setImmediate as immediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Consumer } from "../../ingest/follower.ts";
import { aMessage } from "./helpers.ts";
import { aConsumer, aJournal, start, upTo } from "./worker-harness.ts";

describe("the worker", () => {
  it("decodes a chunk once and gives it to every consumer in order", async () => {
    const [a, b] = [aConsumer("a"), aConsumer("b")];
    const journal = aJournal();
    const worker = start(journal, [a.consumer, b.consumer]);
    for (let i = 0; i < 20; i++) worker.publish(5);
    await worker.idle();
    expect(a.seqs()).toEqual(upTo(100));
    expect(b.seqs()).toEqual(upTo(100));
    expect(worker.decoded()).toBe(100);
    expect(journal.reads).toEqual([]);
    expect(worker.offsets()).toEqual(
      new Map([
        ["a", 101],
        ["b", 101],
      ]),
    );
    await worker.stop();
  });

  it("starts each consumer where it left off, from disk", async () => {
    const [a, b] = [aConsumer("a"), aConsumer("b", { offset: 40 })];
    const worker = start(aJournal(60), [a.consumer, b.consumer], { readBytesMax: 700 });
    await worker.idle();
    expect(a.seqs()).toEqual(upTo(60));
    expect(b.seqs()).toEqual(upTo(60).slice(39));
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

  it("gathers what waits for a consumer that asks for it", async () => {
    const store = aConsumer("store", { gatherReadingsMax: 25 });
    const worker = start(aJournal(), [store.consumer]);
    store.hold();
    const stuck = store.entered();
    worker.publish(5);
    await stuck;
    for (let i = 0; i < 10; i++) worker.publish(5);
    store.release();
    await worker.idle();
    expect(store.batches.map((batch) => [batch.from, batch.to, batch.messages.length])).toEqual([
      [1, 6, 5],
      [6, 31, 25],
      [31, 56, 25],
    ]);
    expect(store.seqs()).toEqual(upTo(55));
    await worker.stop();
  });

  it("lets a lossy consumer skip, counted, and never reads from disk for it", async () => {
    const live = aConsumer("live", { durable: false });
    const journal = aJournal(30);
    const worker = start(journal, [live.consumer], { windowMessagesMax: 10 });
    live.hold();
    const stuck = live.entered();
    worker.publish(10);
    await stuck;
    for (let i = 0; i < 5; i++) worker.publish(10);
    expect(worker.releasable()).toBe(91);
    live.release();
    const last = live.entered();
    await last;
    await worker.stop();
    expect(live.seqs()).toEqual([...upTo(40).slice(30), ...upTo(90).slice(80)]);
    expect(journal.reads).toEqual([]);
    const skipped = worker.figures().find((one) => one.name === "lamppost_consumer_skipped_messages_total");
    expect(skipped?.value).toBe(30 + 40);
  });

  it("brings a batch again until it is taken, says so, and holds nobody else up", async () => {
    let failures = 3;
    const healths: unknown[] = [];
    const good = aConsumer("good");
    const taken: number[] = [];
    const poisoned: Consumer = {
      name: "poisoned",
      offset: 1,
      durable: true,
      take(batch) {
        if (failures-- > 0) throw new Error("cannot digest");
        taken.push(batch.from);
      },
    };
    const waits: number[] = [];
    const worker = start(aJournal(), [poisoned, good.consumer], {
      random: () => 1,
      sleep: async (ms) => {
        waits.push(ms);
        healths.push(worker.health()[0]);
      },
    });
    worker.publish(5);
    worker.publish(5);
    await worker.idle();
    expect(taken).toEqual([1, 6]);
    expect(waits).toEqual([250, 500, 1000]);
    expect(healths[0]).toMatchObject({ part: "poisoned", state: "failed", ready: false });
    expect(worker.health()[0]).toEqual({ part: "poisoned", state: "ok", ready: true });
    expect(good.seqs()).toEqual(upTo(10));
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

  it("releases only what is durable", async () => {
    let snapshot = 1;
    const engine = aConsumer("engine", { durableOffset: () => snapshot });
    const worker = start(aJournal(), [engine.consumer]);
    worker.publish(10);
    await worker.idle();
    expect([worker.releasable(), worker.pendingMessages("engine")]).toEqual([1, 10]);
    snapshot = 8;
    expect([worker.releasable(), worker.pendingMessages("engine")]).toEqual([8, 3]);
    await worker.stop();
  });

  it("stops at a batch boundary: what runs is finished or left whole for the next start", async () => {
    const [done, waiting] = [aConsumer("done"), aConsumer("waiting")];
    const worker = start(aJournal(), [done.consumer, waiting.consumer]);
    waiting.hold();
    const stuck = waiting.entered();
    worker.publish(5);
    await stuck;
    await worker.stop();
    expect(worker.health().map((one) => one.state)).toEqual(["ok", "ok"]);
    expect(worker.offsets()).toEqual(
      new Map([
        ["done", 6],
        ["waiting", 1],
      ]),
    );
    worker.publish(5);
    expect(worker.offsets().get("done")).toBe(6);
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

  it("takes a chunk it was told of before for what it is", async () => {
    const a = aConsumer("a");
    const journal = aJournal();
    const worker = start(journal, [a.consumer]);
    const chunk = journal.chunk(5);
    worker.committed(chunk);
    worker.publish(5);
    await worker.idle();
    worker.committed(chunk);
    expect(worker.pendingMessages("a")).toBe(0);
    expect(worker.windowSize().chunks).toBe(0);
    await worker.stop();
  });

  it("lets sockets and timers in between the batches of a consumer that never waits", async () => {
    const taken: number[] = [];
    const eager: Consumer = { name: "eager", offset: 1, durable: true, take: (batch) => void taken.push(batch.from) };
    const worker = start(aJournal(), [eager]);
    for (let i = 0; i < 50; i++) worker.publish(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(taken.length).toBeLessThan(50);
    await worker.idle();
    expect(taken).toEqual(upTo(50));
    await worker.stop();
  });

  it("tells of each live rejection once, whoever decodes it", async () => {
    const journal = aJournal();
    const heard: number[] = [];
    const consumers = [aConsumer("a").consumer, aConsumer("b").consumer];
    const worker = start(journal, consumers, { onRejection: (one) => heard.push(one.journalSeq) });
    const chunk = journal.chunk(3);
    journal.messages[1] = aMessage("noise", { seq: 2 });
    worker.committed(chunk);
    await worker.idle();
    expect(heard).toEqual([2]);
    await worker.stop();
  });
});
