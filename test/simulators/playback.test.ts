import { describe, expect, it } from "vitest";
import { createBundler } from "../../simulators/publisher.ts";
import { createPlayback } from "../../simulators/replay.ts";

describe("playback", () => {
  const span = { first: 1_000_000, last: 1_600_000 };
  const NOW = 50_000_000;
  const at = (start: "original" | "now", speed: number | "max", time: number) => {
    const playback = createPlayback(
      { start, speed },
      span,
      () => NOW,
      () => 500,
    );
    return { due: playback.waitMs(time), stamp: playback.stamp(time) };
  };

  it("original: own times, at once or N times as fast", () => {
    expect(at("original", "max", 1_300_000)).toEqual({ due: 0, stamp: 1_300_000 });
    expect(at("original", 10, 1_300_000)).toEqual({ due: 30_000, stamp: 1_300_000 });
  });

  it("now: ends now when at once, begins now when paced and carries the time it is sent at", () => {
    expect(at("now", "max", span.last)).toEqual({ due: 0, stamp: NOW });
    expect(at("now", "max", span.first)).toEqual({ due: 0, stamp: NOW - 600_000 });
    expect(at("now", 1, span.first)).toEqual({ due: 0, stamp: NOW });
    expect(at("now", 60, 1_060_000)).toEqual({ due: 1000, stamp: NOW + 1000 });
  });

  it("keeps its pace when the clock is set, and carries what the clock says then", () => {
    let [wall, uptime] = [NOW, 0];
    const playback = createPlayback(
      { start: "now", speed: 1 },
      span,
      () => wall,
      () => uptime,
    );
    uptime += 10_000;
    wall += 10_000 - 3_600_000;
    expect(playback.waitMs(span.first + 10_000)).toBe(0);
    expect(playback.waitMs(span.first + 11_000)).toBe(1_000);
    expect(playback.stamp(span.first + 10_000)).toBe(wall);
  });
});

describe("bundles", () => {
  function bundle(perMessage: number, readings: [topic: string, reading: object][]) {
    const sent: { topic: string; payload: string; readings: number }[] = [];
    const bundler = createBundler(perMessage, (one) => sent.push(one));
    for (const [topic, reading] of readings) bundler.add(topic, reading);
    bundler.flushAll();
    return sent;
  }

  it("gathers by topic in order, and sends a single reading as an object", () => {
    expect(
      bundle(500, [
        ["a", { n: 1 }],
        ["b", { n: 2 }],
        ["a", { n: 3 }],
      ]),
    ).toEqual([
      { topic: "a", payload: '[{"n":1},{"n":3}]', readings: 2 },
      { topic: "b", payload: '{"n":2}', readings: 1 },
    ]);
    expect(
      bundle(1, [
        ["a", { n: 1 }],
        ["a", { n: 2 }],
      ]).map((one) => one.payload),
    ).toEqual(['{"n":1}', '{"n":2}']);
  });

  it("never has more than 500 readings or 60,000 bytes, and loses none", () => {
    const small = Array.from({ length: 1201 }, (_, n): [string, object] => ["a", { n }]);
    const bySize = bundle(Number.POSITIVE_INFINITY, small);
    expect(bySize.map((one) => one.readings)).toEqual([500, 500, 201]);
    expect(bySize.flatMap((one) => JSON.parse(one.payload).map(({ n }: { n: number }) => n))).toEqual(
      small.map((_, n) => n),
    );
    const large = Array.from({ length: 300 }, (_, n): [string, object] => ["a", { n, text: "é".repeat(500) }]);
    const byBytes = bundle(500, large);
    expect(byBytes.every((one) => Buffer.byteLength(one.payload) <= 60_002)).toBe(true);
    expect(byBytes.reduce((sum, one) => sum + one.readings, 0)).toBe(300);
  });
});
