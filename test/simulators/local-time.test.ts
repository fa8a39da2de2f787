import { describe, expect, it } from "vitest";
import { createZoneClock, localTimeReader } from "../../simulators/local-time.ts";

/** Texts in the order of a recording -> UTC times, or undefined. */
function play(pattern: string, zone: string, texts: readonly string[]) {
  const read = localTimeReader(pattern);
  const clock = createZoneClock(zone);
  return texts.map((text) => {
    const local = read(text);
    const at = local && clock(local);
    return at === undefined ? undefined : new Date(at).toISOString().replace(".000Z", "Z");
  });
}

describe("local times", () => {
  it("reads the parts in any order and spelling", () => {
    expect(play("DD/MM/YYYY H:mm", "+00:00", ["04/01/2016 0:05"])).toEqual(["2016-01-04T00:05:00Z"]);
    expect(play("M/D/YY H:mm", "+00:00", ["1/31/17 9:50", "12/1/69 0:00", "12/1/70 0:00"])).toEqual([
      "2017-01-31T09:50:00Z",
      "2069-12-01T00:00:00Z",
      "1970-12-01T00:00:00Z",
    ]);
    expect(play("YYYY M D H", "Asia/Shanghai", ["2013 3 1 0"])).toEqual(["2013-02-28T16:00:00Z"]);
    expect(play("DD/MM/YYYY HH.mm.ss", "+01:00", ["10/03/2004 18.00.00"])).toEqual(["2004-03-10T17:00:00Z"]);
  });

  it("refuses what is not a time instead of bending it", () => {
    const texts = [
      "2015-02-29 00:00:00",
      "2015-04-31 10:00:00",
      "2015-01-01 25:00:00",
      "2015-01-01 10:61:00",
      "NA",
      "",
    ];
    expect(play("YYYY-MM-DD HH:mm:ss", "UTC", texts)).toEqual(texts.map(() => undefined));
    expect(play("YYYY-MM-DD HH:mm:ss", "UTC", ["2016-02-29 23:59:59"])).toEqual(["2016-02-29T23:59:59Z"]);
  });

  it("takes 24:00 for the next day's midnight", () => {
    expect(play("YYYY-MM-DD HH:mm", "UTC", ["2016-12-31 24:00", "2016-12-31 24:01"])).toEqual([
      "2017-01-01T00:00:00Z",
      undefined,
    ]);
  });

  it("goes twice through the hour that autumn repeats", () => {
    const texts = ["2015-11-01 01:00", "2015-11-01 01:30", "2015-11-01 01:00", "2015-11-01 01:30", "2015-11-01 02:00"];
    expect(play("YYYY-MM-DD HH:mm", "America/Chicago", texts)).toEqual([
      "2015-11-01T06:00:00Z",
      "2015-11-01T06:30:00Z",
      "2015-11-01T07:00:00Z",
      "2015-11-01T07:30:00Z",
      "2015-11-01T08:00:00Z",
    ]);
  });

  it("keeps the old offset for a time that spring skips", () => {
    expect(play("YYYY-MM-DD HH:mm", "Europe/Rome", ["2004-03-28 01:30", "2004-03-28 02:30"])).toEqual([
      "2004-03-28T00:30:00Z",
      "2004-03-28T01:30:00Z",
    ]);
    expect(play("YYYY-MM-DD HH:mm", "Europe/Rome", ["2004-03-28 02:30"])).toEqual(["2004-03-28T01:30:00Z"]);
  });

  it("does not move a repeated or an earlier time outside that hour", () => {
    const texts = ["2015-09-10 08:00", "2015-09-10 08:00", "2015-09-10 07:05"];
    expect(play("YYYY-MM-DD HH:mm", "America/Chicago", texts)).toEqual([
      "2015-09-10T13:00:00Z",
      "2015-09-10T13:00:00Z",
      "2015-09-10T12:05:00Z",
    ]);
  });
});
