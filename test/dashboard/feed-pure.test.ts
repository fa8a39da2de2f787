import { describe, expect, it } from "vitest";
import type { ReadingView } from "../../contract/reading.ts";
import { hexOf, parseMoment } from "../../dashboard/feed/formats.ts";
import { createFeedBuffer, fitsFeed, PER_TURN_MAX, readFeedFilter } from "../../dashboard/feed/readings.ts";
import { addSample, lagOf, ratesOf, type Sample, sampleOf } from "../../dashboard/feed/status-history.ts";

function aView(fields: Partial<ReadingView> = {}): ReadingView {
  const at = "2026-11-21T10:00:00.000Z";
  return {
    sensorId: "air-1",
    kind: "air",
    district: "north",
    measuredAt: at,
    receivedAt: at,
    values: { pm25: 5 },
    ...fields,
  };
}

describe("the filter of the feed", () => {
  const fits = (address: string, fields: Partial<ReadingView> = {}) =>
    fitsFeed(aView(fields), readFeedFilter(new URLSearchParams(address)));

  it.each<[string, Partial<ReadingView>, boolean]>([
    ["", {}, true],
    ["kind=air&district=north&sensor=AIR&metric=pm25", {}, true],
    ["kind=energy", {}, false],
    ["kind=nonsense&metric=nonsense", {}, true],
    ["district=south", {}, false],
    ["sensor=air-2", {}, false],
    ["metric=no2", {}, false],
    ["suspect=yes", {}, false],
    ["suspect=yes", { quality: { no2: "suspect" } }, true],
    ["suspect=yes&metric=pm25", { quality: { no2: "suspect" } }, false],
  ])("%s with %o: %s", (address, fields, expected) => {
    expect(fits(address, fields)).toBe(expected);
  });
});

describe("the buffer of the feed", () => {
  const all = readFeedFilter(new URLSearchParams());

  it("counts everything, shows a sample of a turn, and each with an id of its own", () => {
    const buffer = createFeedBuffer(500, () => 0.5);
    buffer.take(
      Array.from({ length: 1_000 }, () => aView()),
      all,
    );
    buffer.take([aView({ district: "south" })], readFeedFilter(new URLSearchParams("district=north")));
    const rows = buffer.turn();
    expect(rows).toHaveLength(PER_TURN_MAX);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(PER_TURN_MAX);
    expect(buffer.rates()).toEqual({ all: 2_002, fitting: 2_000, shown: 2 * PER_TURN_MAX });
    expect(buffer.turn()).toEqual([]);
  });

  it("is a fair sample: each reading of a turn is as likely to be shown as any other", () => {
    let state = 12_345; // a seed: the same numbers on every run
    const random = () => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state / 2_147_483_648;
    };
    const shown = new Map<number, number>();
    for (let round = 0; round < 2_000; round += 1) {
      const buffer = createFeedBuffer(500, random);
      buffer.take(
        Array.from({ length: 40 }, (_, i) => aView({ values: { pm25: i } })),
        all,
      );
      for (const { reading } of buffer.turn()) {
        const value = reading.values.pm25!;
        shown.set(value, (shown.get(value) ?? 0) + 1);
      }
    }
    // 500 of each expected; five standard deviations are about 100
    expect(Math.min(...shown.values())).toBeGreaterThan(400);
    expect(Math.max(...shown.values())).toBeLessThan(600);
    expect(shown.size).toBe(40);
  });
});

describe("the last half hour", () => {
  const sample = (at: number, stored: number, lag = 0): Sample => {
    return { at, messages: stored, stored, repeated: 0, lag: { store: lag, alerts: lag, live: lag } };
  };

  it("reads the figures by name and label", () => {
    const figure = (name: string, value: number, labels?: Record<string, string>) => ({
      name,
      type: "gauge" as const,
      value,
      labels,
    });
    const figures = [
      figure("lamppost_store_readings_total", 7, { outcome: "stored" }),
      figure("lamppost_store_readings_total", 2, { outcome: "duplicate" }),
      figure("lamppost_consumer_lag_messages", 5, { consumer: "alerts" }),
      figure("lamppost_journal_next_sequence", 9),
    ];
    const status = { at: "2026-11-21T10:00:00.000Z", ready: true, parts: [], figures };
    expect(sampleOf(status)).toEqual({
      at: Date.parse(status.at),
      messages: 9,
      stored: 7,
      repeated: 2,
      lag: { store: 0, alerts: 5, live: 0 },
    });
  });

  it("has rates between samples, none over a restart or a gap, and forgets what is older", () => {
    const samples = [sample(0, 0), sample(2_000, 100), sample(4_000, 10), sample(6_000, 30), sample(60_000, 90)];
    expect(ratesOf(samples, "stored")).toEqual([
      [2_000, 50],
      [4_000, undefined],
      [6_000, 10],
      [60_000, undefined],
    ]);
    expect(lagOf(samples.slice(3), "store").map(([, value]) => value)).toEqual([0, undefined, 0]);
    expect(addSample(samples, sample(1_801_000, 9)).map(({ at }) => at)).toEqual([
      2_000, 4_000, 6_000, 60_000, 1_801_000,
    ]);
  });
});

it("bytes are shown with their offsets and characters", () => {
  expect(hexOf({ text: '{"a":1}' })).toBe('0000  7b 22 61 22 3a 31 7d                             {"a":1}');
  const lines = hexOf({ base64: btoa(String.fromCharCode(...Array.from({ length: 17 }, () => 65))) });
  expect(lines.split("\n")).toHaveLength(2);
});

it.each([
  ["2026-11-21T10:00:00.000Z", "2026-11-21T10:00:00.000Z"],
  [" 2026-11-21 10:00:00Z ", "2026-11-21T10:00:00.000Z"],
  ["1795255200000", "2026-11-21T10:00:00.000Z"],
  ["noon", undefined],
  ["", undefined],
])("a moment typed as %o is %s", (text, expected) => {
  expect(parseMoment(text)).toBe(expected);
});
