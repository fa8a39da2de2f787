import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isId } from "../../model/ids.ts";
import { METRIC_NAMES, type MetricName, metricRowOf } from "../../model/metrics.ts";
import { parseRetryAfter } from "../../store/influx/causes.ts";
import { splitLines } from "../../store/influx/client.ts";
import { parseReceipt, receiptsBefore, toLine } from "../../store/influx/lines.ts";
import { aReading, T0 } from "../helpers/readings.ts";

/** Reads one line of the protocol by its grammar, escapes and all; throws on what is not exactly one point. */
function parsePoint(text: string) {
  const point = /^((?:[^ \\\n]|\\.)+) ((?:[^ "\\\n]|\\.|"[^"\\\n]*")+) (-?\d+)$/.exec(text);
  if (!point) throw new Error(`not one point: ${text}`);
  const [series, fields, time] = point.slice(1) as [string, string, string];
  const [measurement, ...tags] = series.split(/(?<!\\),/);
  const pairs = (parts: string[]) => parts.map((part) => part.split(/(?<!\\)=/));
  return { measurement, tags: Object.fromEntries(pairs(tags)), fields: pairs(fields.split(/(?<!\\),/)), time: +time };
}

const nasty = fc.oneof(
  fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,63}$/),
  fc.string({ unit: fc.constantFrom("a", "1", "-", " ", ",", "=", "\\", "\n", "\r", '"', "\u0000", "ü", "A") }),
  fc.string(),
);

describe("lines", () => {
  it("make exactly one point with equal fields, or are refused, whatever the ids, metrics and numbers", () => {
    const metric = fc.oneof(fc.constantFrom(...METRIC_NAMES), nasty as fc.Arbitrary<MetricName>);
    const values = fc.dictionary(metric, fc.oneof(fc.double(), fc.constant("1i" as unknown as number)), { maxKeys: 5 });
    let written = 0;
    fc.assert(
      fc.property(
        nasty,
        nasty,
        values,
        fc.oneof(fc.maxSafeInteger(), fc.double()),
        (sensorId, district, numbers, at) => {
          const reading = aReading({ sensorId, district, values: numbers, measuredAt: at, receivedAt: T0 });
          const legal =
            isId(sensorId) &&
            isId(district) &&
            Number.isSafeInteger(at) &&
            Object.entries(numbers).every(([name, value]) => metricRowOf("air", name) && Number.isFinite(value));
          if (!legal) {
            expect(() => toLine(reading, "1a2b3c4d")).toThrow(expect.objectContaining({ kind: "refused" }));
            return;
          }
          written += 1;
          // History is measured a day and more before it is received, which is at T0.
          const installation = T0 - at >= 86_400_000 ? "1a2b3c4d.20261121" : "1a2b3c4d";
          const own = ["receipt_1a2b3c4d", `"0000000000000001 ${T0}"`];
          expect(parsePoint(toLine(reading, "1a2b3c4d"))).toEqual({
            measurement: "air",
            tags: { sensorId, district, installation },
            fields: [...Object.entries(numbers).map(([name, value]) => [name, String(value)]), own],
            time: at + 0,
          });
        },
      ),
      { numRuns: 10_000 },
    );
    expect(written).toBeGreaterThan(50);
  });

  it("refuse a flag on something that is no metric", () => {
    const quality = JSON.parse('{"pm25=1,x":"suspect"}');
    expect(() => toLine(aReading({ quality }), "1a2b3c4d")).toThrow(expect.objectContaining({ kind: "refused" }));
  });
});

describe("receipts", () => {
  it("before a message are found by their pattern, whatever its number", () => {
    const seq = fc.oneof(fc.nat({ max: 2_000 }), fc.maxSafeNat());
    fc.assert(
      fc.property(seq, seq, (before, journalSeq) => {
        const line = toLine(aReading({ journalSeq, imported: true }), "1a2b3c4d");
        const text = /receipt_1a2b3c4d="([^"]*)"/.exec(line)![1]!;
        expect(parseReceipt(text)).toEqual({ journalSeq, receivedAt: T0 + 250, imported: true });
        expect(new RegExp(receiptsBefore(before)).test(text)).toBe(journalSeq < before);
      }),
      { numRuns: 5_000 },
    );
    expect(parseReceipt("foreign")).toBeUndefined();
  });
});

describe("Retry-After", () => {
  it.each([
    ["0", 0],
    ["2", 2_000],
    ["Sat, 21 Nov 2026 10:00:30 GMT", 30_000],
    ["Sat, 21 Nov 2026 09:00:00 GMT", 0],
    ["", undefined],
    [undefined, undefined],
  ])("%s is %s ms", (text, expected) => {
    expect(parseRetryAfter(text, T0)).toBe(expected);
  });
});

describe("splitLines", () => {
  it("gives the same lines however the bytes are cut", async () => {
    const text = '{"a":"ü€"}\n\n{"b":"😀"}\r\n{"c":1}';
    const bytes = new TextEncoder().encode(text);
    for (let size = 1; size <= bytes.length; size += 1) {
      const lines = await Array.fromAsync(splitLines(inPieces(bytes, size)));
      expect(lines.map((line) => JSON.parse(line))).toEqual([{ a: "ü€" }, { b: "😀" }, { c: 1 }]);
    }
  });
});

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}
