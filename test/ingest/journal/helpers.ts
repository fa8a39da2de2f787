import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { JournalFs } from "../../../ingest/journal/fs.ts";
import type { JournalError, JournalWriter } from "../../../ingest/journal/journal.ts";
import { createJournalReader } from "../../../ingest/journal/reader.ts";
import { type JournalOptions, type JournalPorts, openJournalWriter } from "../../../ingest/journal/writer.ts";
import { SILENT } from "../../../model/log.ts";
import type { Message, NewMessage } from "../../../model/message.ts";

export const DIR = "/journal";

export function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "lamppost-journal-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Small segments and batches, so that few messages make many files. */
export function open(
  fs: JournalFs | undefined,
  options: Partial<JournalOptions> = {},
  ports: Partial<JournalPorts> = {},
) {
  const small = { dir: DIR, segmentBytes: 4096, freeBytesMin: 0, batchBytesMax: 1024, probeEveryMs: 3_600_000 };
  return openJournalWriter({ ...small, ...options }, { now: () => 0, log: SILENT, ...(fs ? { fs } : {}), ...ports });
}

export function aMessage(n: number, bytes = 40): NewMessage {
  return {
    receivedAt: 1_700_000_000_000 + n,
    source: { via: "mqtt", role: "device", name: `sensor-${n % 7}` },
    topic: `city/north/air/sensor-${n % 7}`,
    payload: Buffer.from(`{"n":${n}}`.padEnd(bytes, " ")),
  };
}

/** The same message by value, whatever kind of array holds the payload. */
export function plain(message: NewMessage) {
  const { receivedAt, source, topic, payload } = message;
  return { receivedAt, source: { ...source }, topic, payload: Buffer.from(payload).toString("latin1") };
}

export function append(writer: JournalWriter, message: NewMessage): Promise<JournalError | undefined> {
  return new Promise((resolve) => writer.append(message, resolve));
}

/** Appends messages `from` … `to`, a few at a time, so that they make several commits. */
export async function appendMany(writer: JournalWriter, from: number, to: number, atOnce = 5): Promise<void> {
  for (let n = from; n <= to; n += atOnce) {
    const batch = Array.from({ length: Math.min(atOnce, to - n + 1) }, (_, i) => append(writer, aMessage(n + i)));
    for (const error of await Promise.all(batch)) if (error) throw error;
  }
}

export type Gap = { from: number; to: number; segment: string };

export async function readAll(
  fs: JournalFs | undefined,
  end: number,
  options: { from?: number; bytesMax?: number; dir?: string } = {},
) {
  const { from = 1, bytesMax = 2_000, dir = DIR } = options;
  const gaps: Gap[] = [];
  const reader = createJournalReader({ dir, ...(fs ? { fs } : {}), onGap: (gap) => gaps.push(gap) });
  const messages: Message[] = [];
  for (let at = from; at < end; ) {
    const read = await reader.read(at, end, bytesMax);
    if (read.to <= at) throw new Error(`the reader stands still at ${at}`);
    messages.push(...read.messages);
    at = read.to;
  }
  await reader.close();
  return { messages, gaps };
}

export function inGaps(seq: number, gaps: readonly { from: number; to: number }[]): boolean {
  return gaps.some((gap) => gap.from <= seq && seq < gap.to);
}

/** mulberry32: a small generator whose seed replays. */
export function createRandom(seed: number) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, below: (limit: number) => Math.floor(next() * limit) };
}
