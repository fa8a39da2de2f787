import { describe, expect, it } from "vitest";
import type { WatchedSensor } from "../../../alerts/conditions/condition.ts";
import { createDetector } from "../../../alerts/detector.ts";
import type { Transition } from "../../../model/alert.ts";
import type { Reading } from "../../../model/reading.ts";
import type { Rule } from "../../../model/rule.ts";
import { aReading, aRule, aSensor, HOUR, MINUTE, T0 } from "../builders.ts";

const SILENT = aRule({
  id: "sensor-silent",
  kind: "any",
  audience: "crews",
  condition: { type: "silence", after: "30m" },
});
const OUTAGE = aRule({
  id: "gateway-outage",
  kind: "any",
  audience: "crews",
  condition: { type: "quorum", rule: "sensor-silent", by: "gateway", count: 3, share: 0.6, within: "10m" },
  inhibits: [{ rule: "sensor-silent", where: "gateway" }],
});

/** Ten sensors behind gw-north, four behind gw-south, one on its own, all in one district. */
const city: WatchedSensor[] = Array.from({ length: 15 }, (_, i) => {
  const gateway = i < 10 ? "gw-north" : i < 14 ? "gw-south" : undefined;
  return aSensor({
    id: `s-${i}`,
    intervalS: 60,
    ...(gateway ? { gateway } : {}),
    tags: { feeder: i % 2 ? "f-1" : "f-2" },
  });
});
const registry = (id: string) => city.find((sensor) => sensor.id === id);
const detectorOf = (rules: readonly Rule[] = [SILENT, OUTAGE]) => createDetector({ rules, sensor: registry });

/** Everyone reports every minute, except those who are away. */
function feed(from: number, to: number, isAway: (index: number, at: number) => boolean = () => false): Reading[] {
  const readings: Reading[] = [];
  for (let at = from; at < to; at += MINUTE) {
    city.forEach(({ id }, i) => {
      if (!isAway(i, at)) readings.push(aReading(at + i * 1_000, { temperature: 20 + i }, { sensorId: id }));
    });
  }
  return readings;
}

const only = (transitions: readonly Transition[], rule: string) =>
  transitions.filter(({ alert }) => alert.rule.id === rule);

describe("a gateway outage", () => {
  const gone = (i: number, at: number) => i < 8 && at >= T0 + HOUR + Math.min(i, 4) * MINUTE && at < T0 + 3 * HOUR;

  it("is one alert with its children, seen by the clock, ended by the readings", () => {
    const detector = detectorOf();
    detector.observe(feed(T0, T0 + 2 * HOUR, gone));
    const said = detector.tick(T0 + 2 * HOUR);
    const silent = only(said, "sensor-silent");
    const [outage, ...more] = only(said, "gateway-outage");
    expect(silent).toHaveLength(8);
    expect(more).toEqual([]);
    expect(outage).toMatchObject({
      alert: {
        subject: { district: "north", gateway: "gw-north" },
        state: "firing",
        kind: "air",
        value: 8,
        limit: 6,
        explanation: "8 of 10 sensors behind gateway gw-north fell silent within 4 min 7 s.",
      },
      entry: { what: "firing", knownAt: T0 + 2 * HOUR },
    });
    expect([...outage!.alert.children!].sort()).toEqual(silent.map(({ alert }) => alert.id).sort());
    expect(outage!.alert.evidence[0]).toMatchObject({ measuredAt: T0 + 59 * MINUTE, note: "s-0 since then" });
    const back = only(detector.observe(feed(T0 + 2 * HOUR, T0 + 3 * HOUR + MINUTE, gone)), "gateway-outage");
    // With three of eight heard again, five of ten are left: fewer than 60 %.
    expect(back).toMatchObject([
      {
        alert: { id: outage!.alert.id, state: "resolved", resolvedAt: T0 + 3 * HOUR + 2_000 },
        entry: { what: "resolved" },
      },
    ]);
    expect(back[0]!.alert.explanation).toContain("It ended at 2026-11-21 03:00 UTC, with 5 left.");
  });

  it("is not one when fewer fall silent, or one after the other over hours", () => {
    const few = detectorOf();
    few.observe(feed(T0, T0 + 2 * HOUR, (i, at) => i < 5 && at >= T0 + HOUR));
    expect(only(few.tick(T0 + 2 * HOUR), "gateway-outage")).toEqual([]);
    const slow = detectorOf();
    slow.observe(feed(T0, T0 + 6 * HOUR, (i, at) => i < 8 && at >= T0 + HOUR + i * 15 * MINUTE));
    const said = slow.tick(T0 + 6 * HOUR);
    expect(only(said, "sensor-silent")).toHaveLength(8);
    expect(only(said, "gateway-outage")).toEqual([]);
  });

  it("counts by district and by tag as well, and sensors without the tag or gateway not at all", () => {
    const by = (where: unknown, count: number) =>
      aRule({
        kind: "any",
        id: "q",
        condition: { type: "quorum", rule: "sensor-silent", by: where, count, share: 0 },
      });
    const all = (i: number, at: number) => i === 14 && at >= T0 + HOUR;
    const subjects = (rule: Rule, away: typeof gone) => {
      const detector = detectorOf([SILENT, rule]);
      detector.observe(feed(T0, T0 + 2 * HOUR, away));
      return only(detector.tick(T0 + 2 * HOUR), "q").map(({ alert }) => alert.subject);
    };
    expect(subjects(by("district", 8), gone)).toEqual([{ district: "north" }]);
    expect(subjects(by({ tag: "feeder" }, 4), gone)).toEqual([
      { district: "north", tag: { name: "feeder", value: "f-2" } },
      { district: "north", tag: { name: "feeder", value: "f-1" } },
    ]);
    expect(subjects(by("gateway", 2), all)).toEqual([]);
  });

  it("is told as a growing one: who falls silent later belongs to it", () => {
    const detector = detectorOf();
    detector.observe(feed(T0, T0 + 100 * MINUTE, (i, at) => i < 6 && at >= T0 + HOUR));
    const first = only(detector.tick(T0 + 100 * MINUTE), "gateway-outage");
    const away = (i: number) => i < 7;
    detector.observe(feed(T0 + 100 * MINUTE, T0 + 110 * MINUTE, (i) => i < 6));
    detector.observe(feed(T0 + 110 * MINUTE, T0 + 3 * HOUR, away));
    const later = only(detector.tick(T0 + 3 * HOUR), "gateway-outage");
    expect(first).toMatchObject([{ alert: { value: 6 }, entry: { what: "firing" } }]);
    expect(later).toMatchObject([
      { alert: { id: first[0]!.alert.id, value: 7, state: "firing" }, entry: { what: "joined" } },
    ]);
  });

  it("goes on after a restart from its saved states, and says nothing twice", () => {
    const readings = feed(T0, T0 + 4 * HOUR, gone);
    const straight = detectorOf();
    const cut = readings.findIndex(({ measuredAt }) => measuredAt >= T0 + 2 * HOUR);
    const told = [
      ...straight.observe(readings.slice(0, cut)),
      ...straight.tick(T0 + 2 * HOUR),
      ...straight.observe(readings.slice(cut)),
    ];
    const first = detectorOf();
    const before = [...first.observe(readings.slice(0, cut)), ...first.tick(T0 + 2 * HOUR)];
    const rows = first.states.snapshot();
    const second = detectorOf();
    second.states.load(rows);
    expect(second.held()).toEqual(first.held());
    const after = second.observe(readings.slice(cut));
    expect([...before, ...after]).toEqual(told);
    expect(only(after, "gateway-outage")).toHaveLength(1);
  });

  it("is held by nothing if its rule is gone at the next start", () => {
    const first = detectorOf();
    first.observe(feed(T0, T0 + 2 * HOUR, gone));
    const [outage] = only(first.tick(T0 + 2 * HOUR), "gateway-outage");
    const second = detectorOf([SILENT]);
    expect(first.held()).toContain(outage!.alert.id);
    second.states.load(first.states.snapshot());
    expect(second.held()).not.toContain(outage!.alert.id);
    expect(second.states.snapshot().filter(({ rule, state }) => rule === "~quorum" && state === "")).toHaveLength(1);
  });

  it("does not depend on how the readings are cut into batches", () => {
    const readings = feed(T0, T0 + 4 * HOUR, gone);
    const whole = detectorOf().observe(readings);
    const detector = detectorOf();
    const parts: Transition[] = [];
    for (let i = 0; i < readings.length; i += 7) parts.push(...detector.observe(readings.slice(i, i + 7)));
    expect(parts).toEqual(whole);
    expect(only(whole, "gateway-outage").length).toBeGreaterThan(1);
  });
});
