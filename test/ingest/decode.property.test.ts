import fc from "fast-check";
import { expect, it } from "vitest";
import { checkReading } from "../../ingest/check-reading.ts";
import { decodeMessage } from "../../ingest/decode.ts";
import { METRIC_NAMES, METRICS, metricRowOf } from "../../model/metrics.ts";
import { FUTURE_MAX_MS, LATENESS_MAX_MS } from "../../model/reading.ts";
import { REASON_NAMES } from "../../model/rejection.ts";
import { inFull } from "../helpers/in-full.ts";
import { aMessage, CITY, T0 } from "./helpers.ts";

const key = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...METRIC_NAMES, "measuredAt", "seq") },
  { weight: 1, arbitrary: fc.constantFrom("__proto__", "constructor", "plate", "wifi_mac", "pm2_5") },
  { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
);
const number = fc.oneof(
  fc.double({ min: -100, max: 1000, noNaN: true }),
  fc.constantFrom(-200, -999, -9999, 65535, 0, 5, 1e308, T0, T0 - 60_000, T0 + 600_000),
);
const value = fc.oneof(
  { weight: 8, arbitrary: number },
  { weight: 1, arbitrary: fc.constantFrom(null, "", "2026-11-21T09:00:00Z", "12", true, "1970-01-01T00:00:00Z") },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
);
const health = fc.record(
  { measuredAt: fc.constantFrom(T0, T0 - 5_000), battery: fc.nat(120), rssi: fc.integer({ min: -150, max: 0 }) },
  { requiredKeys: [] },
);
const reading = fc.oneof(
  { weight: 4, arbitrary: health },
  { weight: 9, arbitrary: fc.array(fc.tuple(key, value), { maxLength: 5 }).map((pairs) => Object.fromEntries(pairs)) },
  { weight: 1, arbitrary: fc.jsonValue() },
);
const topic = fc.constantFrom(
  "city/north/air/air-1",
  "city/north/traffic/flow-1",
  "city/north/energy/feeder-1",
  "import/north/air/air-2",
);

/** Every item ends in exactly one of the two lists, and what became a reading keeps every promise of the model. */
function check(decoded: ReturnType<typeof decodeMessage>, items: number, imported: boolean): void {
  const whole = decoded.rejections.filter(({ metric }) => metric === undefined);
  expect(decoded.readings.length + whole.length).toBe(items);
  const places = whole.map((one) => one.index);
  expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
  for (const { reason, index, detail, payload } of decoded.rejections) {
    expect(REASON_NAMES).toContain(reason);
    expect(index).toBeLessThan(items);
    expect(detail).toMatch(/^[^\p{Cc}]{5,300}$/u);
    if (reason === "personal_data") expect(payload).toBeUndefined();
  }
  for (const { values, measuredAt } of decoded.readings) {
    // History without a value is a sign of life.
    if (!imported) expect(Object.keys(values).length).toBeGreaterThan(0);
    for (const [name, number] of Object.entries(values)) {
      const [min, max] = METRICS[name as keyof typeof METRICS].fail;
      expect(number >= min && number <= max).toBe(true);
    }
    expect(measuredAt).toBeLessThanOrEqual(T0 + FUTURE_MAX_MS);
    if (!imported) expect(measuredAt).toBeGreaterThanOrEqual(T0 - LATENESS_MAX_MS);
  }
}

it("each reading of a generated payload ends in exactly one of reading and rejection", () => {
  const seen = { readings: 0, rejections: 0 };
  fc.assert(
    fc.property(fc.array(reading, { minLength: 1, maxLength: 4 }), topic, (items, where) => {
      const decoded = decodeMessage(aMessage(JSON.stringify(items), { topic: where }), CITY);
      check(decoded, items.length, where.startsWith("import"));
      seen.readings += decoded.readings.length;
      seen.rejections += decoded.rejections.length;
    }),
    { numRuns: inFull(6_000) },
  );
  // Both ways out are really taken, or the property would say nothing.
  expect(Math.min(seen.readings, seen.rejections)).toBeGreaterThan(inFull(500));
});

it("each value of a reading that goes on ends in exactly one place, and the counts balance", () => {
  const seen = { taken: 0, suspect: 0, missing: 0, refused: 0 };
  fc.assert(
    fc.property(fc.array(reading, { minLength: 1, maxLength: 4 }), topic, (items, where) => {
      const { readings, rejections, values } = decodeMessage(aMessage(JSON.stringify(items), { topic: where }), CITY);
      if (!values) return;
      const kind = where.split("/")[2] as "air";
      const whole = new Map(rejections.flatMap((one) => (one.metric ? [] : [[one.index, one.reason]])));
      const going = items.map((item, index) => ({ item, index })).filter(({ index }) => !whole.has(index));
      let known = 0;
      going.forEach(({ item, index }, place) => {
        const metrics = Object.keys(item as object).filter((name) => metricRowOf(kind, name));
        const refused = rejections.filter((one) => one.metric && one.index === index).map((one) => one.metric!);
        const taken = Object.keys(readings[place]!.values);
        expect(new Set([...refused, ...taken]).size).toBe(refused.length + taken.length);
        for (const name of [...refused, ...taken]) expect(metrics).toContain(name);
        for (const name of Object.keys(readings[place]!.quality ?? {})) expect(taken).toContain(name);
        known += metrics.length;
      });
      // Items without one good value were judged, too; those refused for their time or a personal key were not.
      for (const [index, reason] of whole) {
        if (!["wrong_type", "out_of_range", "no_values"].includes(reason!)) continue;
        known += Object.keys(items[index!] as object).filter((name) => metricRowOf(kind, name)).length;
      }
      expect(values.taken + values.missing + values.refused).toBe(known);
      expect(values.taken).toBe(readings.reduce((sum, one) => sum + Object.keys(one.values).length, 0));
      for (const one of ["taken", "suspect", "missing", "refused"] as const) seen[one] += values[one];
    }),
    { numRuns: inFull(6_000) },
  );
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(inFull(100));
});

it("any bytes end in at least one item and never in a throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.string({ maxLength: 60 }), fc.boolean(), (bytes, text, known) => {
      const fields = known ? {} : { topic: text };
      const { readings, rejections } = decodeMessage(aMessage(bytes, fields), CITY);
      expect(readings.length + rejections.length).toBeGreaterThan(0);
      check(decodeMessage(aMessage(text), CITY), 1, false);
    }),
    { numRuns: inFull(3_000) },
  );
});

it("a cut or changed payload ends in exactly one item per element", () => {
  const good = '[{"measuredAt":"2026-11-21T09:00:00Z","pm25":12.5},{"no2":31,"battery":80}]';
  fc.assert(
    fc.property(fc.nat(good.length), fc.string({ maxLength: 3 }), (at, junk) => {
      const text = good.slice(0, at) + junk + good.slice(at + junk.length);
      const { readings, rejections } = decodeMessage(aMessage(text), CITY);
      expect(readings.length + rejections.length).toBeGreaterThan(0);
    }),
    { numRuns: inFull(3_000) },
  );
});

it("the verdict before journalling is the verdict after it", () => {
  const at = { district: "north", kind: "air", sensorId: "air-1" } as const;
  fc.assert(
    fc.property(reading, (item) => {
      const text = JSON.stringify(item);
      fc.pre(!text.startsWith("["));
      const { readings, rejections } = decodeMessage(aMessage(text), CITY);
      const verdict = checkReading(at, JSON.parse(text), T0);
      if ("ok" in verdict) expect(readings).toHaveLength(1);
      // The payload as a whole may add a suspicion of personal data that the parsed value does not show.
      else expect([verdict.reason, "personal_data"]).toContain(rejections[0]?.reason);
    }),
    { numRuns: inFull(3_000) },
  );
});
