import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createGapWatch } from "../../simulators/gaps.ts";
import { loadMapping, parseMapping } from "../../simulators/mapping.ts";
import type { Item } from "../../simulators/recording.ts";
import { createSorter, openScratch, type Row } from "../../simulators/sorter.ts";
import { openRecordings } from "../../simulators/timeline.ts";
import { HOME } from "../helpers/city.ts";

const CASES = join(HOME, "../shared/cases/readings");
const present = existsSync(CASES);
if (!present) process.stderr.write("the cases (../shared/cases) are not here: their recordings are not read\n");

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "lamppost-timeline-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

function write(name: string, content: string): string {
  writeFileSync(join(dir, name), content);
  return join(dir, name);
}

const show = ({ sensorId, at, values }: Item) =>
  `${sensorId} ${at === undefined ? "-" : new Date(at).toISOString().slice(0, 16)} ${Object.values(values).join(" ")}`;

async function play(mapping: string | object, files: readonly string[]) {
  const loaded = typeof mapping === "string" ? loadMapping(mapping) : parseMapping(mapping);
  const recordings = await openRecordings(loaded, files, { now: Date.parse("2026-01-01T00:00:00Z"), tempDir: dir });
  const items: Item[] = [];
  for await (const moment of recordings.moments()) items.push(...moment.items);
  recordings.close();
  return { survey: recordings.survey, lines: items.map(show) };
}

/** Stations in one file, with a column each for station, time and no2. */
const stations = (time: object) => ({
  name: "stations",
  title: "t",
  source: "s",
  form: "table",
  files: [
    {
      match: "csv$",
      time: { columns: ["time"], patterns: ["YYYY-MM-DD HH:mm"], ...time },
      district: "d",
      readings: [{ sensor: "{station}", kind: "air", metrics: [{ column: "no2", metric: "no2", unit: "µg/m³" }] }],
    },
  ],
});

describe("recordings in the order of time", () => {
  it("surveys the span without letting one wrong year decide it, and merges by time", async () => {
    const a = write("occupancy_a.csv", "timestamp,value\n2015-09-01 10:00:00,1\n2015-09-01 10:20:00,2\n");
    const b = write("occupancy_b.csv", "timestamp,value\n2015-09-01 10:10:00,3\nbad,4\n2099-09-01 10:30:00,5\n");
    const { survey, lines } = await play("nab", [a, b]);
    expect(survey.readings).toBe(5);
    expect(survey.span).toEqual({
      first: Date.parse("2015-09-01T15:00:00Z"),
      last: Date.parse("2015-09-01T15:20:00Z"),
    });
    // A row without a time follows the one before it.
    expect(lines.map((line) => line.at(-1))).toEqual(["1", "3", "4", "2", "5"]);
  });

  it("tells one sensor after another from steps back, and puts both in order", async () => {
    const rows = (station: string, hours: readonly number[]) =>
      hours.map((hour) => `${station},2024-06-01 0${hour}:00,${hour}\n`).join("");
    const head = "station,time,no2\n";
    const blocks = write("blocks.csv", head + rows("b", [1, 2, 3]) + rows("a", [1, 2, 3]));
    const steps = write("steps.csv", head + rows("c", [1, 3, 2, 4, 5]));
    const { survey, lines } = await play(stations({ zone: "UTC" }), [blocks, steps]);
    expect(survey.orders).toEqual([
      { file: "blocks.csv", order: "sensor by sensor", stepsBack: 0 },
      {
        file: "steps.csv",
        order: "mixed",
        stepsBack: 1,
        firstStepBack: {
          row: 3,
          sensorId: "c",
          from: Date.parse("2024-06-01T03:00:00Z"),
          to: Date.parse("2024-06-01T02:00:00Z"),
        },
      },
    ]);
    expect(lines.map((line) => line.slice(0, 15))).toEqual(
      [1, 2, 3]
        .flatMap((hour) => ["a", "b", "c"].map((id) => `${id} 2024-06-01T0${hour}`))
        .concat(["c 2024-06-01T04", "c 2024-06-01T05"]),
    );
  });

  it("takes stamps at the end of intervals for their beginning: told, found, and through the change of the clocks", async () => {
    const file = write(
      "ends.csv",
      "station,time,no2\na,2024-03-31 01:00,1\na,2024-03-31 02:00,2\na,2024-03-31 04:00,3\na,2024-03-31 24:00,4\na,2024-04-01 01:00,5\n",
    );
    const expected = [
      "a 2024-03-30T23:00 1",
      "a 2024-03-31T00:00 2",
      "a 2024-03-31T01:00 3",
      "a 2024-03-31T21:00 4",
      "a 2024-03-31T22:00 5",
    ];
    const told = await play(stations({ zone: "Europe/Paris", stamp: "end", stepS: 3600 }), [file]);
    expect(told.lines).toEqual(expected);
    const found = await play(stations({ zone: "Europe/Paris", stamp: "end" }), [file]);
    expect(found.lines).toEqual(expected);
    expect([...found.survey.counts.ends]).toEqual([["ends.csv", { stepMs: 3_600_000, isFound: true }]]);
    const one = write("one.csv", "station,time,no2\na,2024-03-31 01:00,1\n");
    await expect(play(stations({ zone: "UTC", stamp: "end" }), [one])).rejects.toThrow(/one.csv.*give "stepS"/);
  });

  it("never lets two names come to one id, nor a name to none", async () => {
    const names = ["Überlingen", "Berlingen", "Uberlingen", "北京", "A 1", "a-1", "A.1", "", "x".repeat(80)];
    const file = write(
      "names.csv",
      `station,time,no2\n${names.map((name, n) => `${name},2024-06-01 00:00,${n}\n`).join("")}`,
    );
    const { survey, lines } = await play(stations({ zone: "UTC" }), [file]);
    const ids = new Map(lines.map((line) => [names[Number(line.split(" ")[2])]!, line.split(" ")[0]!]));
    for (const id of ids.values()) expect(id).toMatch(/^[a-z0-9][a-z0-9-]{0,63}$/);
    expect(ids.get("Berlingen")).toBe("berlingen");
    expect(ids.get("Uberlingen")).toBe("uberlingen");
    expect(ids.get("Überlingen")).toMatch(/^uberlingen-[0-9a-f]{8}$/);
    // Case and how words are joined do not make another station; another sign does.
    expect(ids.get("a-1")).toBe(ids.get("A 1"));
    expect(ids.get("")).toBe("unknown");
    expect(new Set(ids.values()).size).toBe(names.length - 1);
    expect([...survey.changedNames.keys()].toSorted()).toEqual(["A.1", "x".repeat(80), "Überlingen", "北京"]);
    const again = await play(stations({ zone: "UTC" }), [file]);
    expect(again.lines).toEqual(lines);
  });

  it("reads old line ends, and delimiters beside quoted ones", async () => {
    const macs = write("macs.csv", 'station,time,no2\ra,2024-06-01 00:00,1\r"b",2024-06-01 01:00,2\r');
    expect((await play(stations({ zone: "UTC" }), [macs])).lines).toEqual([
      "a 2024-06-01T00:00 1",
      "b 2024-06-01T01:00 2",
    ]);
    const quoted = write("quoted.csv", '\uFEFF"station";"time";"no2";"a, b, c, d, e"\r\na;2024-06-01 00:00;1;x\r\n');
    expect((await play(stations({ zone: "UTC" }), [quoted])).lines).toEqual(["a 2024-06-01T00:00 1"]);
    const native = '{"sensorId":"a","kind":"air","district":"d","measuredAt":"2024-06-01 00:00:00Z","no2":1}';
    const lines = write("macs.ndjson", `${native}\r${native.replace("00:00:00", "01:00:00")}\r`);
    expect((await play("native", [lines])).lines).toEqual(["a 2024-06-01T00:00 1", "a 2024-06-01T01:00 1"]);
  });

  it("puts the values of one moment together that stand in rows of their own", async () => {
    const mapping = {
      files: [
        {
          time: { columns: ["utc"], patterns: ["iso"] },
          district: "d",
          decimal: ",",
          thousands: ".",
          skip: 2,
          readings: [
            {
              sensor: "{location}",
              kind: "air",
              metricColumn: "parameter",
              valueColumn: "value",
              metrics: [
                { column: "pm25", metric: "pm25", unit: "ug/m3" },
                { column: "co", metric: "co", unit: "ppb" },
              ],
            },
          ],
        },
      ],
    };
    const rows = ["a;PM25;12,5", "b;pm25;7", "a;co;1.200,5", "a;bc;3", "a;pm25;13"];
    const text = rows.map((row) => `${row};2024-06-01 00:00:00Z\n`).join("");
    const file = write("long.csv", `sep=;\nfrom the city\nlocation;parameter;value;utc\n${text}`);
    const { survey, lines } = await play(mapping, [file]);
    expect(lines).toEqual(["a 2024-06-01T00:00 12.5 1.397862", "a 2024-06-01T00:00 13", "b 2024-06-01T00:00 7"]);
    expect([...survey.counts.notTaken]).toEqual([["bc", 1]]);
  });

  it("reads a file without a header", async () => {
    const {
      files: [spec],
    } = stations({ zone: "UTC" });
    const file = write("bare.csv", "a,2024-06-01 00:00,1\na,2024-06-01 01:00,2\n");
    const { lines } = await play({ files: [{ ...spec, header: ["station", "time", "no2"] }] }, [file]);
    expect(lines).toEqual(["a 2024-06-01T00:00 1", "a 2024-06-01T01:00 2"]);
  });

  it.runIf(present)("gives the descending case the order of the ascending one", async () => {
    const [desc, ok] = await Promise.all(
      ["desc.ndjson", "f1ok.ndjson"].map((name) => play("native", [join(CASES, name)])),
    );
    expect(desc!.lines.map((line) => line.replace("desc", "f1ok"))).toEqual(ok!.lines);
    expect(desc!.survey.orders).toMatchObject([{ order: "backward", stepsBack: 95 }]);
  });

  it.runIf(present)("puts all stations of the case into the first pass of the doubled hour, and names it", async () => {
    const { survey, lines } = await play(join(CASES, "dst.json"), [join(CASES, "dst.csv")]);
    const hour = (at: string, n: number) => ["a", "b", "c"].map((id, i) => `dst-${id} 2024-10-2${at} ${n}${i + 1}`);
    expect(lines).toEqual([...hour("6T23:00", 1), ...hour("7T00:00", 2), ...hour("7T02:00", 3)]);
    expect([...survey.counts.doubled]).toEqual([["2024-10-27 02:00", { rows: 3, second: 0 }]]);
  });
});

describe("sorting on disk", () => {
  const rowOf = (at: number, n: number): Row => ({
    at,
    items: [{ sensorId: `s-${n % 5}`, kind: "air", district: "d", at, rawTime: "", values: { pm25: n, note: "ü\n" } }],
  });
  async function* stream(rows: readonly Row[]) {
    yield* rows;
  }

  it("gives every row once, by time, and those of one time in their order: in pieces, and pieces of pieces", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 400 }), async (times) => {
        const scratch = openScratch(dir);
        const rows = times.map((at, n) => rowOf(at, n));
        const sorted: Row[] = [];
        for await (const row of createSorter(scratch, 3).sorted(stream(rows))) sorted.push(row);
        scratch.close();
        const plain = (all: readonly Row[]) => all.map(({ at, items }) => [at, items[0]!.sensorId, items[0]!.values]);
        expect(plain(sorted)).toEqual(plain(rows.toSorted((a, b) => a.at - b.at)));
      }),
      { numRuns: 20 },
    );
    expect(readdirSync(dir).filter((name) => name.startsWith("lamppost-sort-"))).toEqual([]);
  });

  it("keeps rows without a time, and their words", async () => {
    const scratch = openScratch(dir);
    const rows = [
      { at: Number.NEGATIVE_INFINITY, items: [{ ...rowOf(0, 1).items[0]!, at: undefined, rawTime: "sometime" }] },
      rowOf(5, 2),
      rowOf(1, 3),
    ];
    const sorted: Row[] = [];
    for await (const row of createSorter(scratch, 1).sorted(stream(rows))) sorted.push(row);
    scratch.close();
    expect(sorted.map(({ items }) => [items[0]!.at, items[0]!.rawTime])).toEqual([
      [undefined, "sometime"],
      [1, "1"],
      [5, "5"],
    ]);
  });

  it("removes what it wrote when it is left early, and what a killed process left", async () => {
    mkdirSync(join(dir, "lamppost-sort-999999999-abc"));
    const scratch = openScratch(dir);
    for await (const row of createSorter(scratch, 2).sorted(stream([3, 2, 1, 0].map(rowOf)))) if (row.at === 1) break;
    expect(readdirSync(dir)).toContainEqual(expect.stringMatching(`lamppost-sort-${process.pid}-`));
    scratch.close();
    expect(readdirSync(dir).filter((name) => name.startsWith("lamppost-sort-"))).toEqual([]);
  });

  it("says what to do where there is no room", async () => {
    const scratch = openScratch(join(dir, "nowhere"));
    const sort = async () => {
      for await (const _ of createSorter(scratch, 2).sorted(stream([3, 2, 1, 0].map(rowOf))));
    };
    await expect(sort()).rejects.toThrow(/no room in .*nowhere.*--temp/);
  });
});

describe("gaps", () => {
  const watch = (minutes: readonly number[]) => {
    const gaps = createGapWatch();
    for (const minute of minutes)
      gaps.take({ sensorId: "a", kind: "air", district: "d", at: minute * 60_000, rawTime: "", values: {} });
    return gaps.result();
  };

  it("are steps far over the usual one, the longest with its ends", () => {
    const even = Array.from({ length: 100 }, (_, n) => n * 5);
    expect(watch(even)).toEqual({ count: 0, sensors: 0 });
    expect(watch(even.filter((minute) => (minute < 50 || minute > 80) && minute !== 200 && minute !== 205))).toEqual({
      count: 2,
      sensors: 1,
      longest: { sensorId: "a", from: 45 * 60_000, to: 85 * 60_000 },
    });
  });

  it("are not told of a sensor that reports when something happens", () => {
    expect(watch([0, 1, 3, 10, 11, 60, 75, 200, 900]).count).toBe(0);
  });
});
