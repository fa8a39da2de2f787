import { describe, expect, it } from "vitest";
import { createZoneClock, localMs, localTimeReader, readIso } from "../../model/local-time.ts";

/** Texts in the order of a recording -> UTC times, or undefined. */
function play(pattern: string, zone: string, texts: readonly string[]) {
  const read = localTimeReader(pattern);
  const clock = createZoneClock(zone);
  return texts.map((text) => {
    const time = read(text);
    const local = time && localMs(time);
    return local === undefined ? undefined : shown(clock(local).at);
  });
}

const shown = (at: number) => new Date(at).toISOString().replace(".000Z", "Z");

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

  it("reads months by name, and the two halves of a day", () => {
    expect(play("DD-MMM-YYYY HH:mm", "UTC", ["05-Mar-2019 07:00", "5-SEPT.-2019 7:00"])).toEqual([
      "2019-03-05T07:00:00Z",
      "2019-09-05T07:00:00Z",
    ]);
    const texts = ["1/2/2019 12:00:00 AM", "1/2/2019 12:30:00 PM", "1/2/2019 11:00:00 pm", "1/2/2019 13:00:00 PM"];
    expect(play("M/D/YYYY HH:mm:ss A", "UTC", texts)).toEqual([
      "2019-01-02T00:00:00Z",
      "2019-01-02T12:30:00Z",
      "2019-01-02T23:00:00Z",
      undefined,
    ]);
  });
});

describe("the hour that autumn repeats", () => {
  const PARIS = "Europe/Paris";
  const FIRST = "2024-10-27T00:00:00Z";
  const SECOND = "2024-10-27T01:00:00Z";
  const local = (text: string) => Date.parse(`2024-10-27T${text}:00Z`);

  it("is its first pass for each station of a file that says each moment once", () => {
    const clock = createZoneClock(PARIS);
    const placed = ["01:00", "02:00", "03:00"].map((text) =>
      ["a", "b", "c"].map((station) => shown(clock(local(text), station, () => `${station} ${text}`).at)),
    );
    const hour = (text: string) => [text, text, text];
    expect(placed).toEqual([hour("2024-10-26T23:00:00Z"), hour(FIRST), hour("2024-10-27T02:00:00Z")]);
  });

  it("is its second pass where a station begins it again with another row, and no other station moves", () => {
    const clock = createZoneClock(PARIS);
    const says = (station: string, row: string) => clock(local("02:00"), station, () => row);
    expect([says("a", "1"), says("b", "2"), says("a", "3"), says("b", "2")]).toEqual([
      { at: Date.parse(FIRST), pass: "first" },
      { at: Date.parse(FIRST), pass: "first" },
      { at: Date.parse(SECOND), pass: "second" },
      // The same row twice: no reading of another hour.
      { at: Date.parse(FIRST), pass: "first" },
    ]);
  });

  it("is its first pass in a file that goes backwards", () => {
    const clock = createZoneClock(PARIS);
    const texts = ["04:00", "03:00", "02:30", "02:00", "01:30"];
    expect(texts.map((text) => shown(clock(local(text), "a", () => text).at))).toEqual([
      "2024-10-27T03:00:00Z",
      "2024-10-27T02:00:00Z",
      "2024-10-27T00:30:00Z",
      FIRST,
      "2024-10-26T23:30:00Z",
    ]);
  });

  it("goes on after a skipped hour, which is told", () => {
    const clock = createZoneClock(PARIS);
    const at = (text: string) => clock(Date.parse(`2024-03-31T${text}:00Z`));
    expect([at("01:30"), at("02:30"), at("03:30")]).toEqual([
      { at: Date.parse("2024-03-31T00:30:00Z") },
      { at: Date.parse("2024-03-31T01:30:00Z"), pass: "skipped" },
      { at: Date.parse("2024-03-31T01:30:00Z") },
    ]);
  });
});

describe("ISO 8601 as people write it", () => {
  it.each([
    ["2019-06-21 00:00:00+00:00", "2019-06-21T00:00:00.000Z"],
    ["2019-06-21T02:00:00.123456+0200", "2019-06-21T00:00:00.123Z"],
    ["2019-06-21t02:00z", "2019-06-21T02:00:00.000Z"],
    ["2019-06-21  02:00:00,5 +02", "2019-06-21T00:00:00.500Z"],
    ["20190621T020000Z", "2019-06-21T02:00:00.000Z"],
    ["2019-06-21 24:00:00 UTC", "2019-06-22T00:00:00.000Z"],
    ["2019-06-21T00:00:00\u221203:30", "2019-06-21T03:30:00.000Z"],
  ])("%s", (text, instant) => {
    const { time, offsetMs } = readIso(text)!;
    expect(new Date(localMs(time)! - offsetMs!).toISOString()).toBe(instant);
  });

  it.each(["2019-06-21", "2019-06-21 07:00", "2019-06-21T07:00:00.25"])("%s is local", (text) => {
    expect(readIso(text)).toMatchObject({ offsetMs: undefined });
  });

  it.each(["21/06/2019 00:00", "2019-6-1", "2019-06-21T", "2019-06-21T00:00:00+25:00:00", "12.5", "", "now"])(
    "%s is something else",
    (text) => expect(readIso(text)).toBeUndefined(),
  );
});
