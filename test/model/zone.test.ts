import { describe, expect, it } from "vitest";
import { DAY_MS, HOUR_MS } from "../../model/time.ts";
import { createZone, isTimeZone, UTC } from "../../model/zone.ts";

const at = (text: string) => Date.parse(text);
const iso = (time: number) => new Date(time).toISOString();

describe("a zone's days", () => {
  // Zone, a moment, when its day begins, when the next one does, its name. Made by hand from the IANA database's rules.
  it.each([
    ["UTC", "2026-11-21T23:59:59Z", "2026-11-21T00:00:00.000Z", "2026-11-22T00:00:00.000Z", "2026-11-21"],
    ["Europe/Paris", "2024-01-15T23:30:00Z", "2024-01-15T23:00:00.000Z", "2024-01-16T23:00:00.000Z", "2024-01-16"],
    ["Europe/Paris", "2024-07-15T21:59:59Z", "2024-07-14T22:00:00.000Z", "2024-07-15T22:00:00.000Z", "2024-07-15"],
    // The clocks go forward: 23 hours; and back: 25.
    ["Europe/Paris", "2024-03-31T12:00:00Z", "2024-03-30T23:00:00.000Z", "2024-03-31T22:00:00.000Z", "2024-03-31"],
    ["Europe/Paris", "2024-10-27T00:30:00Z", "2024-10-26T22:00:00.000Z", "2024-10-27T23:00:00.000Z", "2024-10-27"],
    ["Europe/Paris", "2024-10-27T01:30:00Z", "2024-10-26T22:00:00.000Z", "2024-10-27T23:00:00.000Z", "2024-10-27"],
    ["America/New_York", "2026-11-01T05:30:00Z", "2026-11-01T04:00:00.000Z", "2026-11-02T05:00:00.000Z", "2026-11-01"],
    // Off the whole hour, and a change of half an hour.
    ["Asia/Kathmandu", "2026-05-01T18:14:59Z", "2026-04-30T18:15:00.000Z", "2026-05-01T18:15:00.000Z", "2026-05-01"],
    [
      "Australia/Lord_Howe",
      "2026-04-04T20:00:00Z",
      "2026-04-04T13:00:00.000Z",
      "2026-04-05T13:30:00.000Z",
      "2026-04-05",
    ],
    // A day that begins at 01:00, and one that never was (30 December 2011).
    ["America/Sao_Paulo", "2018-11-04T09:00:00Z", "2018-11-04T03:00:00.000Z", "2018-11-05T02:00:00.000Z", "2018-11-04"],
    ["Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29T10:00:00.000Z", "2011-12-30T10:00:00.000Z", "2011-12-29"],
    ["+05:30", "2026-05-01T18:30:00Z", "2026-05-01T18:30:00.000Z", "2026-05-02T18:30:00.000Z", "2026-05-02"],
    ["Europe/Paris", "1969-12-31T23:30:00Z", "1969-12-31T23:00:00.000Z", "1970-01-01T23:00:00.000Z", "1970-01-01"],
  ])("%s at %s", (name, moment, start, next, date) => {
    const zone = createZone(name);
    expect([iso(zone.startOfDay(at(moment))), iso(zone.nextDay(at(moment))), zone.dateOf(at(moment))]).toEqual([
      start,
      next,
      date,
    ]);
  });

  it("are the same asked in any order, over more years than it keeps", () => {
    const from = at("2014-01-01T00:30:00Z");
    const moments = Array.from({ length: 5_000 }, (_, day) => from + day * DAY_MS + (day % 7) * 3 * HOUR_MS);
    const inOrder = createZone("Europe/Paris");
    const known = moments.map((moment) => [inOrder.startOfDay(moment), inOrder.nextDay(moment)]);
    const backwards = createZone("Europe/Paris");
    expect(moments.toReversed().map((moment) => [backwards.startOfDay(moment), backwards.nextDay(moment)])).toEqual(
      known.toReversed(),
    );
    expect(known.every(([start, end], i) => start! <= moments[i]! && moments[i]! < end!)).toBe(true);
  });

  it("say how far their clocks are ahead of UTC", () => {
    const paris = createZone("Europe/Paris");
    expect([at("2024-01-01T00:00:00Z"), at("2024-07-01T00:00:00Z")].map(paris.offsetMs)).toEqual([
      HOUR_MS,
      2 * HOUR_MS,
    ]);
    expect(UTC.offsetMs(0)).toBe(0);
  });
});

describe("time zones by name", () => {
  it("are IANA names or offsets", () => {
    expect(["Europe/Madrid", "UTC", "America/New_York", "+01:00", "-03:30"].filter(isTimeZone).length).toBe(5);
    expect(["Mars/North", "", "local", "+1"].some(isTimeZone)).toBe(false);
  });
});
