import { describe, expect, it } from "vitest";
import { createTurnstile } from "../../ingest/retry.ts";
import type { Consumer } from "../../ingest/worker.ts";
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

it("lets those who wait for a turn go on one by one, with everybody else's work in between", async () => {
  const pause = createTurnstile();
  const seen: string[] = [];
  const consumer = async (name: string) => {
    for (let piece = 0; piece < 3; piece += 1) {
      await pause();
      seen.push(name);
    }
  };
  let others = setImmediate(function turn() {
    if (seen.at(-1) !== "socket") seen.push("socket");
    others = setImmediate(turn);
  });
  await Promise.all(["store", "alerts", "live"].map(consumer));
  clearImmediate(others);
  const pieces = seen.filter((name) => name !== "socket");
  expect(pieces).toEqual(["store", "alerts", "live", "store", "alerts", "live", "store", "alerts", "live"]);
  expect(seen.filter((name, place) => name !== "socket" && seen[place + 1] !== "socket")).toEqual(["live"]);
});
