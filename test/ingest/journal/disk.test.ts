import { execFileSync } from "node:child_process";
import { describe, expect, it, onTestFinished } from "vitest";
import { segmentName } from "../../../ingest/journal/segments.ts";
import { createShares } from "../../../ingest/journal/shares.ts";
import { aMessage, append, appendMany, createRandom, DIR, open, plain, readAll, tempDir } from "./helpers.ts";
import { createMemoryFs, systemError } from "./memory-fs.ts";

describe("a full disk", () => {
  it("refuses before it is quite full, and goes on when there is room", async () => {
    const disk = createMemoryFs();
    const { writer, probe } = await open(disk.fs, { freeBytesMin: 10_000 }, { now: () => Date.now() });
    await appendMany(writer, 1, 10);
    disk.faults.capacity = 5_000;
    // What was asked of the disk a moment ago still counts; a check is due after a second or by a probe.
    const errors = [];
    for (let n = 0; n < 4; n += 1) errors.push(await append(writer, aMessage(11, 60_000)));
    expect(errors.at(-1)?.state).toBe("full");
    expect(writer.state().state).toBe("full");
    const { next } = writer.state();
    await probe();
    const refusals: unknown[] = [];
    writer.append(aMessage(next), (error) => refusals.push(error?.state));
    expect(refusals).toEqual(["full"]);
    // Room, but not for what was refused: it would be full again at once.
    disk.faults.capacity = 70_000;
    await probe();
    expect(writer.state().state).toBe("full");
    disk.faults.capacity = 10_000_000;
    await probe();
    expect(writer.state().state).toBe("open");
    expect(await append(writer, aMessage(next))).toBeUndefined();
    expect(writer.state().next).toBe(next + 1);
  });

  it("takes back a half-written batch, fails it and what waits behind it, and looks again by itself", async () => {
    const disk = createMemoryFs();
    const { writer } = await open(disk.fs, { probeEveryMs: 5, batchBytesMax: 500 });
    await appendMany(writer, 1, 10);
    disk.faults.capacity = [...disk.names.values()].reduce((sum, file) => sum + file.current.length, 0) + 700;
    const results = await Promise.all(Array.from({ length: 20 }, (_, i) => append(writer, aMessage(11 + i))));
    const kept = results.filter((error) => !error).length;
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(20);
    expect(results.map((error) => error?.state)).toEqual(results.map((_, i) => (i < kept ? undefined : "full")));
    expect(writer.state()).toMatchObject({ state: "full", next: 11 + kept });
    disk.faults.capacity = Number.MAX_SAFE_INTEGER;
    await expect.poll(() => writer.state().state, { interval: 5 }).toBe("open");
    await appendMany(writer, 11 + kept, 60);
    await writer.close();
    const { messages, gaps } = await readAll(disk.fs, 61);
    expect(messages.map(plain)).toEqual(Array.from({ length: 60 }, (_, i) => plain(aMessage(i + 1))));
    expect(gaps).toEqual([]);
    expect((await open(disk.fs)).recovery).toEqual({ first: 1, next: 61, tornBytes: 0, gaps: [] });
  });

  it("opens on a full disk and waits for room", async () => {
    const disk = createMemoryFs();
    disk.faults.capacity = 0;
    const { writer, probe } = await open(disk.fs);
    expect((await append(writer, aMessage(1)))?.state).toBe("full");
    disk.faults.capacity = 100_000;
    await probe();
    await appendMany(writer, 1, 5);
    expect((await readAll(disk.fs, 6)).messages).toHaveLength(5);
  });

  it("starts another file when the sync says that the disk is full", async () => {
    const disk = createMemoryFs();
    const { writer, probe } = await open(disk.fs);
    await appendMany(writer, 1, 5);
    disk.faults.before = (operation) => {
      if (operation === "datasync") throw systemError("ENOSPC");
    };
    expect((await append(writer, aMessage(6)))?.state).toBe("full");
    disk.faults.before = undefined;
    await probe();
    await appendMany(writer, 6, 10);
    expect(disk.names.has(`${DIR}/${segmentName(6)}`)).toBe(true);
    expect((await readAll(disk.crash().fs, 11)).messages.map(plain)).toEqual(
      Array.from({ length: 10 }, (_, i) => plain(aMessage(i + 1))),
    );
  });

  it("loses and tears nothing on a real disk of 2 MiB", async () => {
    const dir = tempDir();
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", dir], { stdio: "pipe" });
    } catch {
      console.info("not run on a real full disk: mounting a tmpfs needs root");
      return;
    }
    onTestFinished(() => void execFileSync("umount", ["-l", dir]));
    const options = { dir, segmentBytes: 256 * 1024, batchBytesMax: 64 * 1024 };
    const { writer, probe } = await open(undefined, options);
    const acked: number[] = [];
    const fill = async () => {
      for (;;) {
        const { next } = writer.state();
        const results = await Promise.all(
          Array.from({ length: 50 }, (_, i) => append(writer, aMessage(next + i, 1_000))),
        );
        for (const [i, error] of results.entries()) if (!error) acked.push(next + i);
        if (results.some((error) => error)) return results.find((error) => error);
      }
    };
    for (let round = 0; round < 3; round += 1) {
      expect(await fill()).toMatchObject({ state: "full" });
      const all = await readAll(undefined, writer.state().next, { dir, from: writer.state().first });
      expect(all.gaps).toEqual([]);
      for (const message of all.messages) expect(plain(message)).toEqual(plain(aMessage(message.seq, 1_000)));
      writer.release(writer.state().next);
      await expect.poll(() => probe().then(() => writer.state().state)).toBe("open");
    }
    expect(acked).toEqual(acked.map((_, i) => i + 1));
    const { first, next } = writer.state();
    await writer.close();
    const again = await open(undefined, options);
    expect(again.recovery).toEqual({ first, next, tornBytes: 0, gaps: [] });
    await again.writer.close();
  });
});

describe("a failing disk", () => {
  for (const broken of ["write", "datasync"] as const) {
    it(`stops for good after EIO of ${broken}, and does not try again`, async () => {
      const disk = createMemoryFs();
      const { writer, probe } = await open(disk.fs);
      await appendMany(writer, 1, 5);
      let tries = 0;
      disk.faults.before = (operation) => {
        if (operation !== broken) return;
        tries += 1;
        throw systemError("EIO");
      };
      const results = await Promise.all([6, 7, 8].map((n) => append(writer, aMessage(n))));
      expect(results.map((error) => error?.state)).toEqual(["failed", "failed", "failed"]);
      disk.faults.before = undefined;
      await probe();
      expect((await append(writer, aMessage(9)))?.state).toBe("failed");
      await writer.close();
      expect(tries).toBe(1);
      expect(writer.state()).toMatchObject({ state: "failed", next: 6 });
      expect((await open(disk.fs)).recovery).toEqual({ first: 1, next: 6, tornBytes: 0, gaps: [] });
    });
  }

  it("keeps every acknowledged message when the power goes and nothing unsynced survives, or only some of it", async () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const random = createRandom(seed);
      let disk = createMemoryFs();
      const acked = new Map<number, number>();
      for (let life = 0; life < 4; life += 1) {
        const { writer, recovery } = await open(disk.fs, { segmentBytes: 2048, batchBytesMax: 400 });
        const stopAt = 3 + random.below(30);
        let operations = 0;
        const cut = Promise.withResolvers<void>();
        disk.faults.before = (operation) => {
          if (operation === "write" || operation === "datasync" || operation === "rename") operations += 1;
          if (operations < stopAt) return;
          cut.resolve();
          // From here on nothing answers any more.
          return new Promise(() => {});
        };
        let n = recovery.next;
        const one = () => {
          const mine = n++;
          const tag = mine * 1_000 + life;
          writer.append({ ...aMessage(mine), receivedAt: tag }, (error) => {
            if (!error) acked.set(mine, tag);
            one();
          });
        };
        for (let i = 0; i < 8; i += 1) one();
        await cut.promise;
        disk = life % 2 === 0 ? disk.crash() : disk.crash(() => random.below(2) === 0);
      }
      const { recovery } = await open(disk.fs);
      const { messages } = await readAll(disk.fs, recovery.next, { dir: DIR });
      const read = new Map(messages.map((message) => [message.seq, message.receivedAt]));
      for (const [seq, tag] of acked) expect(read.get(seq), `seed ${seed}, number ${seq}`).toBe(tag);
      expect(acked.size).toBeGreaterThan(0);
    }
  });
});

describe("the last stretch of a disk", () => {
  const STRETCH = 1_000;
  const sender = (name: string, role: "device" | "broker" = "device") => ({ via: "mqtt", role, name }) as const;

  it("is shared: who has had a tenth is held, the others go on, and all begin anew with more room", () => {
    const shares = createShares(STRETCH);
    shares.took(sender("flood"), 1e9); // nobody counts while there is room
    shares.look(STRETCH);
    shares.look(900);
    let room = 900;
    const take = (name: string, bytes: number) => {
      shares.took(sender(name), bytes);
      room -= bytes;
      shares.look(room);
    };
    take("quiet", 5);
    for (let i = 0; i < 8; i += 1) take("flood", 10);
    expect(shares.held()).toEqual([]);
    take("flood", 10);
    take("flood", 10);
    expect(shares.held()).toEqual(["device flood"]);
    expect(shares.isHeld("device quiet")).toBe(false);
    for (let i = 0; i < 10; i += 1) take(`quiet-${i}`, 5);
    expect(shares.held()).toEqual(["device flood"]);
    shares.look(STRETCH + 1);
    expect(shares.held()).toEqual([]);
    shares.look(500);
    expect(shares.isHeld("device flood")).toBe(false);
  });

  it("holds nobody for what others put on the disk, or for what is removed again", () => {
    const shares = createShares(STRETCH);
    shares.look(900);
    for (let room = 900; room > 0; room -= 100) {
      shares.took(sender("small"), 2);
      shares.look(room);
    }
    expect(shares.held()).toEqual([]);
    shares.look(STRETCH);
    shares.look(800);
    for (let i = 0; i < 100; i += 1) {
      shares.took(sender("steady"), 50);
      shares.look(i % 2 ? 800 : 760);
    }
    expect(shares.held()).toEqual([]);
  });

  it("an external broker speaks for a city and may have half", () => {
    const shares = createShares(STRETCH);
    shares.look(800);
    for (let room = 800; room >= 401; room -= 19) {
      shares.look(room);
      shares.took(sender("outside", "broker"), 19);
    }
    expect(shares.held()).toEqual([]);
    shares.look(390);
    expect(shares.held()).toEqual(["broker outside"]);
  });
});
