import { describe, expect, it } from "vitest";
import {
  type AlertFacts,
  matches,
  type Silence,
  silenceSpan,
  silenceState,
  type WeeklyWindow,
  windowAround,
} from "../../model/silence.ts";

const at = (text: string) => Date.parse(text);
const madrid = (days: WeeklyWindow["days"], from: string, to: string) => ({ days, from, to, zone: "Europe/Madrid" });
const span = (window: WeeklyWindow, time: string) => {
  const found = windowAround(window, at(time))!;
  return [new Date(found.from).toISOString(), new Date(found.to).toISOString()];
};

describe("a weekly window", () => {
  it("is the one that is on, until its last moment, then the next", () => {
    const window = madrid(["mon", "thu"], "08:00", "10:00");
    const monday = ["2026-11-23T07:00:00.000Z", "2026-11-23T09:00:00.000Z"];
    expect(span(window, "2026-11-21T10:00:00Z")).toEqual(monday);
    expect(span(window, "2026-11-23T08:59:59.999Z")).toEqual(monday);
    expect(span(window, "2026-11-23T09:00:00Z")).toEqual(["2026-11-26T07:00:00.000Z", "2026-11-26T09:00:00.000Z"]);
  });

  it("goes on beyond midnight, also from Sunday to Monday", () => {
    const window = madrid(["sun"], "22:00", "04:00");
    expect(span(window, "2026-11-23T01:00:00Z")).toEqual(["2026-11-22T21:00:00.000Z", "2026-11-23T03:00:00.000Z"]);
    expect(span(madrid(["sun"], "06:00", "06:00"), "2026-11-22T12:00:00Z")).toEqual([
      "2026-11-22T05:00:00.000Z",
      "2026-11-23T05:00:00.000Z",
    ]);
  });

  it("keeps its local times when the clocks are put forward: five hours instead of six", () => {
    // 2026-03-29: 02:00 becomes 03:00.
    expect(span(madrid(["sat"], "22:00", "04:00"), "2026-03-28T12:00:00Z")).toEqual([
      "2026-03-28T21:00:00.000Z",
      "2026-03-29T02:00:00.000Z",
    ]);
    expect(span(madrid(["sat"], "22:00", "04:00"), "2026-03-21T12:00:00Z")[0]).toBe("2026-03-21T21:00:00.000Z");
    expect(span(madrid(["sat"], "22:00", "04:00"), "2026-04-04T12:00:00Z")[0]).toBe("2026-04-04T20:00:00.000Z");
  });

  it("begins or ends with the change where its time does not exist, and is left out where all of it does not", () => {
    const change = "2026-03-29T01:00:00.000Z";
    expect(span(madrid(["sun"], "02:30", "04:00"), "2026-03-29T00:00:00Z")).toEqual([
      change,
      "2026-03-29T02:00:00.000Z",
    ]);
    expect(span(madrid(["sun"], "01:30", "02:30"), "2026-03-29T00:00:00Z")).toEqual([
      "2026-03-29T00:30:00.000Z",
      change,
    ]);
    expect(span(madrid(["sun"], "02:15", "02:45"), "2026-03-29T00:00:00Z")[0]).toBe("2026-04-05T00:15:00.000Z");
  });

  it("lasts through both where the hour comes twice: seven hours instead of six", () => {
    // 2026-10-25: 03:00 becomes 02:00.
    expect(span(madrid(["sat"], "22:00", "04:00"), "2026-10-24T12:00:00Z")).toEqual([
      "2026-10-24T20:00:00.000Z",
      "2026-10-25T03:00:00.000Z",
    ]);
    expect(span(madrid(["sun"], "02:15", "02:45"), "2026-10-25T00:00:00Z")).toEqual([
      "2026-10-25T00:15:00.000Z",
      "2026-10-25T01:45:00.000Z",
    ]);
  });
});

describe("a silence", () => {
  const aSilence = (fields: Partial<Silence>): Silence => {
    const made = { reason: "test", createdAt: 0, createdBy: "anna" };
    return { id: 1, kind: "maintenance", matchers: { rule: "x" }, startsAt: 1_000, ...made, ...fields };
  };

  it("is scheduled, active, ended; somebody may end it before", () => {
    const silence = aSilence({ endsAt: 2_000 });
    expect([0, 999, 1_000, 1_999, 2_000].map((time) => silenceState(silence, time))).toEqual([
      "scheduled",
      "scheduled",
      "active",
      "active",
      "ended",
    ]);
    expect(silenceState({ ...silence, endedAt: 1_500 }, 1_600)).toBe("ended");
  });

  it("that comes back is on only between its start and its end", () => {
    const weekly = madrid(["mon"], "08:00", "10:00");
    const startsAt = at("2026-11-23T08:00:00Z");
    const endsAt = at("2026-11-30T08:00:00Z");
    const silence = aSilence({ weekly, startsAt, endsAt });
    expect(silenceSpan(silence, at("2026-11-21T00:00:00Z"))).toEqual({
      from: startsAt,
      to: at("2026-11-23T09:00:00Z"),
    });
    expect(silenceSpan(silence, at("2026-11-24T00:00:00Z"))).toEqual({ from: at("2026-11-30T07:00:00Z"), to: endsAt });
    expect(silenceSpan(silence, endsAt)).toBeUndefined();
    expect(silenceSpan(aSilence({ weekly, startsAt }), at("2036-01-01T00:00:00Z"))).toBeDefined();
    expect(silenceSpan(aSilence({ weekly, startsAt: endsAt, endsAt: endsAt + 1 }), 0)).toEqual({
      from: endsAt,
      to: endsAt + 1,
    });
  });

  it("matches what is all that it asks for, and any one of a list", () => {
    const facts: AlertFacts = {
      rule: "silent",
      kind: "air",
      severity: "warning",
      audience: "crews",
      sensor: "s-1",
      district: "north",
      tags: { feeder: "f-1", lane: "2" },
    };
    expect(matches({ rule: "silent", severity: ["info", "warning"] }, facts)).toBe(true);
    expect(matches({ rule: ["a", "silent"], kind: "energy" }, facts)).toBe(false);
    expect(matches({ tag: { feeder: "f-1", lane: "2" } }, facts)).toBe(true);
    expect(matches({ tag: { feeder: "f-1", lane: "1" } }, facts)).toBe(false);
    // A matcher on what the alert does not have is no match.
    expect(matches({ gateway: "gw-1" }, facts)).toBe(false);
    expect(matches({ audience: "crews", district: "north", sensor: "s-1" }, facts)).toBe(true);
  });
});
