import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createSlab,
  decodeChunk,
  encodeRecord,
  isIntact,
  isPlausible,
  recordBytesAtMost,
} from "../../../ingest/journal/record.ts";
import { formatSender, type NewMessage } from "../../../model/message.ts";
import { aMessage, plain } from "./helpers.ts";

const SALT = 0xdeadbeef;

const messages = fc.record({
  receivedAt: fc.integer({ min: 0, max: 2 ** 43 }),
  source: fc.record({
    via: fc.constantFrom("mqtt", "http", "bridge"),
    role: fc.constantFrom("device", "gateway", "operator", "admin", "broker"),
    name: fc.string({ unit: "grapheme", maxLength: 64 }),
  }),
  topic: fc.string({ unit: "grapheme", maxLength: 200 }),
  payload: fc.uint8Array({ maxLength: 2_000 }),
  refused: fc.option(
    fc.record({
      reason: fc.constantFrom("too_large", "not_allowed", "unknown_topic", "bad_status"),
      bytes: fc.nat(2 ** 30),
    }),
    { nil: undefined },
  ),
}) as fc.Arbitrary<NewMessage>;

function encode(all: readonly NewMessage[], first = 1) {
  const slab = createSlab(all.reduce((sum, message) => sum + recordBytesAtMost(message, formatSender(message)), 0));
  let used = 0;
  for (const [i, message] of all.entries()) {
    used += encodeRecord(slab, used, first + i, message, formatSender(message), SALT);
  }
  return { slab, used };
}

describe("a record", () => {
  it.each([9e15, Number.POSITIVE_INFINITY, Number.NaN, -1])(
    "of a time that no date can say (%d) has one that can be said",
    (receivedAt) => {
      const { slab, used } = encode([{ ...aMessage(1), receivedAt }]);
      const [message] = decodeChunk({ from: 1, to: 2, bytes: slab.bytes.subarray(0, used) });
      expect(new Date(message!.receivedAt).getUTCFullYear()).toBeOneOf([1970, 2261]);
    },
  );

  it("comes back as it went in", () => {
    fc.assert(
      fc.property(fc.array(messages, { maxLength: 5 }), fc.integer({ min: 1, max: 2 ** 52 }), (all, first) => {
        const { slab, used } = encode(all, first);
        const decoded = decodeChunk({ from: first, to: first + all.length, bytes: slab.bytes.subarray(0, used) });
        expect(decoded.map(plain)).toEqual(all.map(plain));
        expect(decoded.map((message) => message.seq)).toEqual(all.map((_, i) => first + i));
      }),
    );
  });

  it("shows every flipped bit", () => {
    const { slab, used } = encode([aMessage(1)]);
    const isRecord = () => isPlausible(slab.view, 0) && isIntact(slab, 0, SALT);
    expect(isRecord()).toBe(true);
    for (let bit = 0; bit < used * 8; bit += 1) {
      slab.bytes[bit >> 3]! ^= 1 << (bit & 7);
      expect(isRecord()).toBe(false);
      slab.bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
  });

  it("is no record under another salt, so a payload cannot contain one", () => {
    const { slab } = encode([aMessage(1)]);
    expect(isIntact(slab, 0, SALT + 1)).toBe(false);
  });

  it("hands out payloads as views, not copies", () => {
    const { slab, used } = encode([aMessage(1)]);
    const [message] = decodeChunk({ from: 1, to: 2, bytes: slab.bytes.subarray(0, used) });
    expect(message?.payload.buffer).toBe(slab.bytes.buffer);
  });

  it("refuses what no door would let in", () => {
    expect(() => recordBytesAtMost(aMessage(1, 200_000), "mqtt:device:a")).toThrow(RangeError);
  });
});
