import { describe, expect, it } from "vitest";
import { type RunningParams, running } from "../../../alerts/conditions/running.ts";
import { type Note, play } from "./play.ts";

const HOUR = 3_600_000;
const of8: RunningParams = { above: 120, windowMs: HOUR, hours: 8, capture: 0.75, zone: "UTC", needsGood: false };
const day = Date.UTC(2026, 6, 1) / 60_000;
/** One value an hour from the beginning of a day; undefined: none came. */
const hourly = (...values: (number | undefined)[]): Note[] =>
  values.flatMap((value, hour) => (value === undefined ? [] : [[day + hour * 60, value] as Note]));
const said = (notes: readonly Note[], change: Partial<RunningParams> = {}) =>
  play(running, { ...of8, ...change }, notes, HOUR).outcomes.map(({ what, at, value, evidence, why }) => ({
    what,
    hour: (at / 60_000 - day) / 60,
    ...(value === undefined ? {} : { value }),
    ...(evidence[0]?.says ? { days: evidence[0].says.params.days } : {}),
    ...(why && why !== "cleared" ? { why } : {}),
  }));
const times = (value: number | undefined, count: number) => Array<number | undefined>(count).fill(value);

describe("a running mean of eight hours", () => {
  it("needs six of them, and is strictly above", () => {
    expect(said(hourly(...times(121, 6), 121))).toMatchObject([{ what: "firing", hour: 6, value: 121, days: 1 }]);
    expect(said(hourly(...times(121, 5), undefined, undefined, undefined, 50, 50))).toEqual([]);
    expect(said(hourly(...times(120, 12)))).toEqual([]);
  });

  it("counts without the two that are missing, also in an hour without a value", () => {
    const found = said(hourly(...times(100, 3), ...times(130, 5), undefined, undefined, 130, 130));
    // At the end of hour 9: hours 2 to 7, (100 + 5 x 130) / 6.
    expect(found[0]).toMatchObject({ what: "firing", hour: 9, days: 1 });
    expect(found[0]!.value).toBeCloseTo((2 * 100 + 5 * 130) / 7, 5);
  });

  it("ends with a mean at or below, and once nothing can be said for eight hours", () => {
    expect(said(hourly(...times(130, 8), ...times(90, 6)))).toMatchObject([
      { what: "firing", hour: 6 },
      { what: "resolved", hour: 10, value: 120 },
    ]);
    const lost = said(hourly(...times(130, 8), ...times(undefined, 30), 50, 50));
    expect(lost).toMatchObject([{ what: "firing" }, { what: "resolved", why: "no-data" }]);
  });

  it("belongs to the day in which it ends: that of midnight to the day before, in the city's zone", () => {
    const twoDays = [...times(50, 16), ...times(140, 8), ...times(50, 16), ...times(140, 8), 50];
    const found = said(hourly(...twoDays)).filter(({ what }) => what === "firing");
    expect(found).toMatchObject([
      { hour: 23, days: 1 },
      { hour: 47, days: 2 },
    ]);
    // Above until 04:00 UTC of the next day, which counts, too; in New York that is the midnight of the first.
    const night = [...times(50, 16), ...times(160, 10), ...times(50, 38), ...times(160, 8), 50];
    const counts = (zone: string) => said(hourly(...night), { zone }).flatMap(({ days }) => days ?? []);
    expect(counts("UTC")).toEqual([1, 3]);
    expect(counts("America/New_York")).toEqual([1, 2]);
  });

  it("begins to count anew with the year", () => {
    const eve = (Date.UTC(2026, 11, 31) / 60_000 - day) / 60;
    const notes = hourly(...times(140, 7), ...times(50, 8));
    const later = notes.map(([minute, value]) => [minute + (eve + 24) * 60, value] as Note);
    const found = said([...notes, ...later]).filter(({ what }) => what === "firing");
    expect(found.map(({ days }) => days)).toEqual([1, 1]);
  });
});
