import { describe, expect, it } from "vitest";
import { quietUntil } from "../../../alerts/notify/routing.ts";

const night = { timeZone: "Europe/Vienna", from: "22:00", to: "06:00" };
const until = (quiet: Parameters<typeof quietUntil>[0], at: string) => {
  const end = quietUntil(quiet, Date.parse(at), "UTC");
  return end === undefined ? undefined : new Date(end).toISOString().slice(0, 16);
};

describe("quiet hours", () => {
  it("end in the morning, in the time of the place", () => {
    expect(until(night, "2026-11-21T20:59:59.999Z")).toBeUndefined(); // 21:59 in Vienna
    expect(until(night, "2026-11-21T21:00:00Z")).toBe("2026-11-22T05:00");
    expect(until(night, "2026-11-22T04:59:59Z")).toBe("2026-11-22T05:00");
    expect(until(night, "2026-11-22T05:00:00Z")).toBeUndefined();
  });

  it("follow the clocks when they change", () => {
    // In the night to 2026-10-25 the clocks go back, to 2026-03-29 they go forward.
    expect(until(night, "2026-10-24T20:00:00Z")).toBe("2026-10-25T05:00");
    expect(until(night, "2026-03-28T21:00:00Z")).toBe("2026-03-29T04:00");
  });

  it("may begin at a time that the clocks skip", () => {
    const quiet = { timeZone: "Europe/Vienna", from: "02:30", to: "04:00" };
    expect(until(quiet, "2026-03-29T01:45:00Z")).toBe("2026-03-29T02:00");
  });

  it("hold on their days, counted by the day on which they begin", () => {
    const weekdays = { ...night, days: ["fri" as const] };
    expect(until(weekdays, "2026-11-20T22:00:00Z")).toBe("2026-11-21T05:00"); // Friday night
    expect(until(weekdays, "2026-11-21T04:00:00Z")).toBe("2026-11-21T05:00"); // Saturday morning
    expect(until(weekdays, "2026-11-21T22:00:00Z")).toBeUndefined(); // Saturday night
  });

  it("windows that touch are one, a week at the most", () => {
    const always = { timeZone: "UTC", from: "00:01", to: "00:00" };
    expect(until(always, "2026-11-21T10:00:00Z")).toBe("2026-11-22T00:00");
    const weekend = { timeZone: "UTC", from: "06:00", to: "05:00", days: ["sat" as const, "sun" as const] };
    expect(until(weekend, "2026-11-21T10:00:00Z")).toBe("2026-11-22T05:00");
  });

  it("of former versions from a time to the same time are none: nobody meant to be left alone for days", () => {
    const always = { timeZone: "UTC", from: "22:00", to: "22:00" };
    expect(until(always, "2026-11-21T10:00:00Z")).toBeUndefined();
    expect(until(always, "2026-11-21T23:00:00Z")).toBeUndefined();
  });

  it("work where the offset is no whole hour, and in the southern hemisphere", () => {
    expect(until({ ...night, timeZone: "Asia/Kathmandu" }, "2026-11-21T17:00:00Z")).toBe("2026-11-22T00:15");
    expect(until({ ...night, timeZone: "Australia/Lord_Howe" }, "2026-11-21T12:00:00Z")).toBe("2026-11-21T19:00");
  });
});
