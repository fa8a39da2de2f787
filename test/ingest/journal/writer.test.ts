import { describe, expect, it } from "vitest";
import type { JournalChunk } from "../../../ingest/journal/journal.ts";
import { decodeChunk } from "../../../ingest/journal/record.ts";
import { aMessage, append, appendMany, open, plain, readAll, tempDir } from "./helpers.ts";
import { createMemoryFs } from "./memory-fs.ts";

describe("the journal writer", () => {
  it("calls back only after the sync, and gathers meanwhile", async () => {
    const disk = createMemoryFs();
    const { writer } = await open(disk.fs);
    const gate = Promise.withResolvers<void>();
    const atSync = Promise.withResolvers<void>();
    let syncs = 0;
    disk.faults.before = async (operation) => {
      if (operation !== "datasync") return;
      syncs += 1;
      atSync.resolve();
      await gate.promise;
    };
    const back: number[] = [];
    const first = new Promise<void>((resolve) => writer.append(aMessage(1), () => resolve(void back.push(1))));
    await atSync.promise;
    const rest = [2, 3, 4].map(
      (n) => new Promise<void>((resolve) => writer.append(aMessage(n), () => resolve(void back.push(n)))),
    );
    expect(back).toEqual([]);
    expect(writer.state()).toMatchObject({ next: 1, commits: 0 });
    gate.resolve();
    await Promise.all([first, ...rest]);
    expect(back).toEqual([1, 2, 3, 4]);
    expect(syncs).toBe(2);
    expect(writer.state()).toMatchObject({ state: "open", first: 1, next: 5, commits: 2 });
  });

  it("calls back in the order of the appends over many batches and segments, also for appends made in a callback", async () => {
    const { writer } = await open(createMemoryFs().fs, { segmentBytes: 2048, batchBytesMax: 300 });
    const back: number[] = [];
    const all = Promise.withResolvers<void>();
    const add = (n: number) =>
      writer.append(aMessage(n), () => {
        back.push(n);
        if (n <= 100) add(n + 100);
        if (back.length === 200) all.resolve();
      });
    for (let n = 1; n <= 100; n += 1) add(n);
    await all.promise;
    expect(back).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
  });

  it("hands on every committed batch once, in order, each listener with a buffer of its own", async () => {
    const { writer } = await open(createMemoryFs().fs);
    const chunks: JournalChunk[] = [];
    writer.onCommit((chunk) => structuredClone(chunk.bytes, { transfer: [chunk.bytes.buffer] }));
    writer.onCommit((chunk) => chunks.push(chunk));
    await appendMany(writer, 1, 60);
    const messages = chunks.flatMap(decodeChunk);
    expect(messages.map((message) => message.seq)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    expect(messages.map(plain)).toEqual(Array.from({ length: 60 }, (_, i) => plain(aMessage(i + 1))));
    for (const [i, chunk] of chunks.entries()) expect(chunk.from).toBe(chunks[i - 1]?.to ?? 1);
  });

  it("hands a batch on before it answers for it, so that who was answered finds it in the books", async () => {
    const { writer } = await open(createMemoryFs().fs);
    let handedOn = 0;
    writer.onCommit(({ to }) => {
      handedOn = to;
    });
    const atAnswer = await Promise.all(
      [1, 2, 3].map((n) => new Promise<number>((resolve) => writer.append(aMessage(n), () => resolve(handedOn)))),
    );
    expect(atAnswer).toEqual([4, 4, 4]);
  });

  it("goes on with its numbers when opened again, after a close and after a kill", async () => {
    const disk = createMemoryFs();
    const first = await open(disk.fs);
    await appendMany(first.writer, 1, 30);
    await first.writer.close();
    const second = await open(disk.fs);
    expect(second.recovery).toEqual({ first: 1, next: 31, tornBytes: 0, gaps: [] });
    await appendMany(second.writer, 31, 40);
    const third = await open(disk.clone().fs);
    expect(third.recovery).toEqual({ first: 1, next: 41, tornBytes: 0, gaps: [] });
    const { messages, gaps } = await readAll(disk.fs, 41);
    expect(messages.map(plain)).toEqual(Array.from({ length: 40 }, (_, i) => plain(aMessage(i + 1))));
    expect(gaps).toEqual([]);
  });

  it("writes on however little the disk takes at a time", async () => {
    const disk = createMemoryFs();
    disk.faults.writeBytesMax = 7;
    const { writer } = await open(disk.fs);
    await appendMany(writer, 1, 20);
    await writer.close();
    expect((await readAll(disk.fs, 21)).messages.map(plain)[19]).toEqual(plain(aMessage(20)));
  });

  it("deletes whole segments below the released offset, never the active one", async () => {
    const disk = createMemoryFs();
    const { writer } = await open(disk.fs);
    await appendMany(writer, 1, 200);
    const before = writer.state();
    writer.release(100);
    expect(writer.state().first).toBeGreaterThan(1);
    expect(writer.state().first).toBeLessThanOrEqual(100);
    expect(writer.state().bytes).toBeLessThan(before.bytes);
    writer.release(1_000);
    const { first } = writer.state();
    expect(first).toBeGreaterThan(100);
    await writer.close();
    const again = await open(disk.fs);
    expect(again.recovery).toEqual({ first, next: 201, tornBytes: 0, gaps: [] });
    const { messages } = await readAll(disk.fs, 201, { from: first });
    expect(messages.map((message) => message.seq)).toEqual(Array.from({ length: 201 - first }, (_, i) => first + i));
  });

  it("refuses when too much waits, and takes messages again once it is written", async () => {
    const { writer } = await open(createMemoryFs().fs, { waitingBytesMax: 500 });
    const waiting = [1, 2, 3, 4, 5, 6].map((n) => append(writer, aMessage(n)));
    const errors = await Promise.all(waiting);
    expect(errors.map((error) => error?.state)).toEqual([undefined, undefined, undefined, "full", "full", "full"]);
    expect(await append(writer, aMessage(7))).toBeUndefined();
    expect(writer.state()).toMatchObject({ state: "open", next: 5 });
  });

  it("commits what waits when it is closed, and refuses afterwards", async () => {
    const disk = createMemoryFs();
    const points: string[] = [];
    const { writer } = await open(disk.fs, {}, { at: (point) => points.push(point) });
    const kept = [1, 2, 3].map((n) => append(writer, aMessage(n)));
    await Promise.all([writer.close(), writer.close()]);
    expect(await Promise.all(kept)).toEqual([undefined, undefined, undefined]);
    expect((await append(writer, aMessage(4)))?.state).toBe("closed");
    // The segment at the start, and the one that marks the clean close, once.
    expect(points.filter((point) => point === "mid-segment-rotate")).toHaveLength(2);
    expect((await open(disk.fs)).recovery.next).toBe(4);
  });

  it("passes the fault points in their order", async () => {
    const points: string[] = [];
    const { writer } = await open(createMemoryFs().fs, {}, { at: (point) => points.push(point) });
    await append(writer, aMessage(1));
    expect(points).toEqual(["mid-segment-rotate", "before-append", "after-append", "after-fsync"]);
  });

  it("survives a kill at every fault point without losing what was acknowledged", async () => {
    for (const stop of ["before-append", "after-append", "after-fsync", "mid-segment-rotate"]) {
      const disk = createMemoryFs();
      let copies: ReturnType<typeof disk.clone>[] = [];
      const ports = { at: (point: string) => void (point === stop && copies.push(disk.clone(), disk.crash())) };
      const { writer } = await open(disk.fs, { segmentBytes: 2048 }, ports);
      copies = [];
      for (let n = 1; n <= 30; n += 1) {
        await append(writer, aMessage(n));
        for (const copy of copies.splice(0)) {
          const { recovery } = await open(copy.fs);
          // Killed before this append was acknowledged: it may be there or not, all before it must be.
          expect(recovery.next, `${stop} ${n}`).toBeGreaterThanOrEqual(n);
          expect(recovery.next).toBeLessThanOrEqual(n + 1);
          expect(recovery.gaps).toEqual([]);
          expect((await readAll(copy.fs, n)).messages).toHaveLength(n - 1);
        }
      }
    }
  });

  it("works in a folder on the real disk", async () => {
    const dir = `${tempDir()}/deep/journal`;
    const first = await open(undefined, { dir });
    await appendMany(first.writer, 1, 100);
    await first.writer.close();
    const second = await open(undefined, { dir });
    expect(second.recovery).toEqual({ first: 1, next: 101, tornBytes: 0, gaps: [] });
    await second.writer.close();
    expect((await readAll(undefined, 101, { dir })).messages).toHaveLength(100);
  });
});
