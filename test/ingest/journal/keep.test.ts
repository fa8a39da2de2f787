import { readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { aMessage, append, appendMany, DIR, open, readAll, tempDir } from "./helpers.ts";
import { createMemoryFs, type MemoryFs } from "./memory-fs.ts";

const HOUR_MS = 3_600_000;
const NEVER = Number.MAX_SAFE_INTEGER;

const segments = (disk: MemoryFs) => [...disk.names.keys()].filter((path) => path.endsWith(".journal")).sort();
const firstOf = (path: string) => Number(path.slice(DIR.length + 1).split(".")[0]);

/** A journal whose clock the test turns, with 120 messages in several segments. */
async function aKeptJournal(options: { keepForMs?: number; keepBytesMax?: number } = {}) {
  const clock = { now: 1_700_000_000_000 };
  const disk = createMemoryFs();
  const { writer, probe } = await open(disk.fs, options, { now: () => clock.now });
  await appendMany(writer, 1, 120);
  const release = async (offset: number) => {
    writer.release(offset);
    // Deleting goes on behind the call; on this disk it is done in the same turn.
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { clock, disk, writer, probe, release };
}

describe("a journal that keeps what was released", () => {
  it("deletes a segment when its last record is old enough, not before", async () => {
    const { clock, disk, release } = await aKeptJournal({ keepForMs: 24 * HOUR_MS });
    const before = segments(disk);
    expect(before.length).toBeGreaterThan(3);
    await release(121);
    clock.now += 24 * HOUR_MS - 1;
    await release(121);
    expect(segments(disk).slice(0, before.length)).toEqual(before);
    clock.now += 1;
    await release(121);
    expect(segments(disk).map(firstOf)).toEqual([121]);
  });

  it("never deletes for its age what was not released", async () => {
    const { clock, disk, release } = await aKeptJournal({ keepForMs: HOUR_MS });
    const [, second, third] = segments(disk).map(firstOf) as [number, number, number];
    clock.now += 48 * HOUR_MS;
    await release(third - 1);
    expect(firstOf(segments(disk)[0] as string)).toBe(second);
    const { messages, gaps } = await readAll(disk.fs, 121, { from: second });
    expect(messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 121 - second }, (_, i) => second + i));
    expect(gaps).toEqual([]);
  });

  it("keeps no more bytes than it may, the newest ones", async () => {
    const { disk, release, writer } = await aKeptJournal({ keepForMs: NEVER, keepBytesMax: 8_500 });
    const before = segments(disk);
    await release(121);
    expect(segments(disk)).toEqual(before.slice(-3));
    expect(writer.state().first).toBe(firstOf(before.at(-3) as string));
  });

  it("gives up what it keeps before it calls the disk full", async () => {
    const { disk, writer, probe, release } = await aKeptJournal({ keepForMs: NEVER });
    await release(121);
    const used = segments(disk).reduce((sum, path) => sum + disk.bytes(path).length, 0);
    disk.faults.capacity = used + 100;
    const error = await append(writer, aMessage(121, 500));
    if (error) await probe();
    expect(writer.state().state).toBe("open");
    expect(await append(writer, aMessage(writer.state().next, 500))).toBeUndefined();
    expect(writer.state().first).toBeGreaterThan(100);
  });

  it("closes a segment after an hour, so that a small city's messages can go, too", async () => {
    const clock = { now: 1_700_000_000_000 };
    const disk = createMemoryFs();
    const { writer } = await open(disk.fs, { keepForMs: HOUR_MS, segmentBytes: 1_000_000 }, { now: () => clock.now });
    await appendMany(writer, 1, 10);
    clock.now += HOUR_MS;
    expect(segments(disk)).toHaveLength(1);
    writer.release(6);
    await expect.poll(() => segments(disk).map(firstOf), { interval: 5 }).toEqual([1, 11]);
    // An append and a release in the same moment: the numbers go on without a hole.
    clock.now += HOUR_MS - 1;
    const appended = append(writer, aMessage(11));
    writer.release(11);
    expect(await appended).toBeUndefined();
    await expect.poll(() => segments(disk).map(firstOf)).toEqual([11]);
    clock.now += 1;
    const late = append(writer, aMessage(12));
    writer.release(12);
    expect(await late).toBeUndefined();
    await expect.poll(() => segments(disk).map(firstOf)).toEqual([11, 12]);
    const { messages, gaps } = await readAll(disk.fs, 13, { from: 11 });
    expect([messages.map(({ seq }) => seq), gaps]).toEqual([[11, 12], []]);
  });

  it("goes on in the old segment when there is no room for a new one", async () => {
    const clock = { now: 1_700_000_000_000 };
    const disk = createMemoryFs();
    const { writer } = await open(disk.fs, { segmentBytes: 1_000_000 }, { now: () => clock.now });
    await appendMany(writer, 1, 10);
    clock.now += HOUR_MS;
    disk.faults.before = (operation) => {
      if (operation === "rename") throw Object.assign(new Error("no room"), { code: "ENOSPC" });
    };
    writer.release(11);
    expect(await append(writer, aMessage(11))).toBeUndefined();
    expect(segments(disk)).toHaveLength(1);
    expect(writer.state().state).toBe("open");
  });

  it("knows the age of its files after a restart", async () => {
    const dir = tempDir();
    const options = { dir, keepForMs: 24 * HOUR_MS };
    const first = await open(undefined, options, { now: Date.now });
    await appendMany(first.writer, 1, 120);
    await first.writer.close();
    const names = () => readdirSync(dir).filter((name) => name.endsWith(".journal"));
    const before = names().sort();
    for (const name of before.slice(0, 2)) utimesSync(join(dir, name), 0, Date.now() / 1000 - 25 * 3_600);
    const { writer } = await open(undefined, options, { now: Date.now });
    writer.release(121);
    await expect.poll(() => names().sort(), { interval: 5 }).toEqual(before.slice(2));
    await writer.close();
  });

  it("does not call missing what every consumer has passed", async () => {
    const disk = createMemoryFs();
    const { writer } = await open(disk.fs);
    await appendMany(writer, 1, 120);
    await writer.close();
    const middle = segments(disk)[1] as string;
    disk.names.delete(middle);
    const [from, to] = [firstOf(middle), firstOf(segments(disk)[1] as string)];
    const asked = async (lowest: number) =>
      (await open(disk.clone().fs, { booked: { lowest, highest: 121 } })).recovery;
    expect((await asked(1)).gaps).toMatchObject([{ from, to }]);
    expect((await asked(to - 3)).gaps).toMatchObject([{ from: to - 3, to }]);
    expect((await asked(to)).gaps).toEqual([]);
  });
});
