import { expect, it } from "vitest";
import { decodeMessage } from "../../ingest/decode.ts";
import { CITY } from "./helpers.ts";
import { aConsumer, aJournal, start, upTo } from "./worker-harness.ts";

it("begins when it is told to, and has missed nothing by then", async () => {
  const begin = Promise.withResolvers<void>();
  const { consumer, seqs } = aConsumer("a");
  const journal = aJournal(30);
  const worker = start(journal, [consumer], { beginWhen: begin.promise });
  worker.publish(5);
  await new Promise(setImmediate);
  expect(seqs()).toEqual([]);
  expect(journal.reads).toEqual([]);
  expect(worker.pendingMessages("a")).toBe(35);
  begin.resolve();
  await worker.idle();
  expect(seqs()).toEqual(upTo(35));
  await worker.stop();
});

it("stops when it was never told to begin: the start of another part failed", async () => {
  const { consumer, seqs } = aConsumer("a");
  const worker = start(aJournal(5), [consumer], { beginWhen: new Promise(() => {}) });
  await worker.stop();
  expect(seqs()).toEqual([]);
});

it("decodes a batch as one piece of work, from disk and live", async () => {
  const { consumer } = aConsumer("a");
  let [inside, pieces, outside] = [false, 0, 0];
  const worker = start(aJournal(20), [consumer], {
    readBytesMax: 1_000, // ten messages
    inOne(work) {
      inside = true;
      pieces += 1;
      const result = work();
      inside = false;
      return result;
    },
    decode(message) {
      if (!inside) outside += 1;
      return decodeMessage(message, CITY);
    },
  });
  await worker.idle();
  expect(pieces).toBe(2);
  worker.publish(7);
  await worker.idle();
  expect({ pieces, outside }).toEqual({ pieces: 3, outside: 0 });
  await worker.stop();
});
