import { describe, expect, it } from "vitest";
import { decodeChunk, splitChunk } from "../../../ingest/journal/record.ts";
import { createGathering } from "../../../ingest/journal/writer.ts";
import type { Message } from "../../../model/message.ts";
import { GATEWAY, T0 } from "../helpers.ts";

function aChunk(payloads: readonly number[], first = 7) {
  const gathering = createGathering({ batchBytesMax: 1e9, waitingBytesMax: 1e9 }, 0);
  payloads.forEach((size, place) => {
    const message = {
      receivedAt: T0,
      source: GATEWAY,
      topic: `city/north/air/s-${place}`,
      payload: Buffer.alloc(size),
    };
    gathering.add(first + place, message, () => {});
  });
  const { slab, used, from, to } = gathering.take()!;
  return { from, to, bytes: new Uint8Array(slab.bytes.subarray(0, used)) };
}

describe("a chunk cut into pieces", () => {
  const small = () => Array.from({ length: 1_234 }, () => 12);
  const large = () => Array.from({ length: 20 }, () => 60_000);

  it.each([
    ["one message", [10], [1]],
    ["many small ones", small(), [250, 250, 250, 250, 234]],
    ["large ones", large(), [3, 3, 3, 3, 3, 3, 2]],
  ])("holds little in each, and all in order: %s", (_, payloads, sizes) => {
    const chunk = aChunk(payloads);
    const pieces = splitChunk(chunk);
    expect(pieces.map(({ from, to }) => to - from)).toEqual(sizes);
    const inShort = (all: readonly Message[]) => all.map(({ seq, topic, payload }) => [seq, topic, payload.byteLength]);
    expect(inShort(pieces.flatMap((piece) => decodeChunk(piece)))).toEqual(inShort(decodeChunk(chunk)));
    expect([pieces[0]!.from, pieces.at(-1)!.to]).toEqual([chunk.from, chunk.to]);
    expect(pieces.every(({ to }, place) => (pieces[place + 1]?.from ?? to) === to)).toBe(true);
  });
});
