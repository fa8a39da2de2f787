import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadMapping, parseMapping } from "../../simulators/mapping.ts";
import { type Item, newCounts, readRecording } from "../../simulators/recording.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "lamppost-recording-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

function write(name: string, content: string | Buffer): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
}

async function read(mapping: string, path: string) {
  const counts = newCounts();
  const rows: (readonly Item[])[] = [];
  for await (const items of readRecording(loadMapping(mapping), path, counts)) if (items.length > 0) rows.push(items);
  return { rows, counts };
}

/** One line a reading: sensor, UTC time or what the row says instead, values. */
const show = (item: Item) =>
  `${item.district}/${item.kind}/${item.sensorId} ${item.at === undefined ? `"${item.rawTime}"` : new Date(item.at).toISOString().slice(0, 19)} ${JSON.stringify(item.values)}`;

async function lines(mapping: string, name: string, content: string | Buffer) {
  const { rows, counts } = await read(mapping, write(name, content));
  return { lines: rows.flat().map(show), counts };
}

const BEIJING = `"No","year","month","day","hour","PM2.5","PM10","SO2","NO2","CO","O3","TEMP","PRES","DEWP","RAIN","wd","WSPM","station"
1,2013,3,1,0,9,9,6,NA,200,62,0.3,1021.9,-19,0,"WNW",2,"Changping"
2,2013,2,30,0,9,9,6,17,200,62,0.3,1021.9,-19,0,"WNW",2,"Changping"
3,2013,3,1,2,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,"Changping"
`;
const BEIJING_LINES = [
  'beijing/air/beijing-changping 2013-02-28T16:00:00 {"pm25":9,"pm10":9,"so2":6,"no2":null,"co":0.2,"o3":62,"temperature":0.3,"pressure":1021.9}',
  'beijing/air/beijing-changping "2013 2 30 0" {"pm25":9,"pm10":9,"so2":6,"no2":17,"co":0.2,"o3":62,"temperature":0.3,"pressure":1021.9}',
  'beijing/air/beijing-changping 2013-02-28T18:00:00 {"pm25":null,"pm10":null,"so2":null,"no2":null,"co":null,"o3":null,"temperature":null,"pressure":null}',
];

describe("recordings", () => {
  it("Beijing: split time, NA, CO in other units, a day that does not exist; plain and gzipped alike", async () => {
    const name = "PRSA_Data_Changping_20130301-20170228.csv";
    expect((await lines("beijing-multisite", name, BEIJING)).lines).toEqual(BEIJING_LINES);
    expect((await lines("beijing-multisite", `${name}.gz`, gzipSync(BEIJING))).lines).toEqual(BEIJING_LINES);
    // Told by its bytes, whatever it is called.
    expect((await lines("beijing-multisite", name, gzipSync(BEIJING))).lines).toEqual(BEIJING_LINES);
  });

  it("Italy: both published forms, decimal commas and -200 in its spellings", async () => {
    const here =
      "Date,Time,CO(GT),NO2(GT),T,RH\r\n2004-03-10,18:00:00,2.6,-200,13.6,48.9\r\n2004-03-10,19:00:00,-200.0,92,-200,47\r\n";
    const there =
      "Date;Time;CO(GT);NO2(GT);T;RH;;\n10/03/2004;18.00.00;2,6;-200;13,6;48,9;;\n10/03/2004;19.00.00;-200,0;92;-200;47;;\n;;;;;;;\n";
    const expected = [
      'italy/air/italy-roadside 2004-03-10T17:00:00 {"co":2.6,"no2":null,"temperature":13.6,"relativeHumidity":48.9}',
      'italy/air/italy-roadside 2004-03-10T18:00:00 {"co":null,"no2":92,"temperature":null,"relativeHumidity":47}',
    ];
    expect((await lines("uci-air-quality", "AirQuality.csv", here)).lines).toEqual(expected);
    const published = await lines("uci-air-quality", "AirQualityUCI.csv", there);
    expect(published.lines).toEqual(expected);
    expect(published.counts).toMatchObject({ rows: 2, blank: 1 });
  });

  it("transformers: four sensors of a row, named after the file", async () => {
    const text = "date,HUFL,HULL,MUFL,MULL,LUFL,LULL,OT\n2016-07-01 00:15:00,1.5,2.5,-0.5,0.25,4,1,30.5\n";
    expect((await lines("ett-transformer", "ETTm2.csv", text)).lines).toEqual([
      'ett/energy/ettm2-high 2016-06-30T16:15:00 {"activePower":1.5,"reactivePower":2.5}',
      'ett/energy/ettm2-middle 2016-06-30T16:15:00 {"activePower":-0.5,"reactivePower":0.25}',
      'ett/energy/ettm2-low 2016-06-30T16:15:00 {"activePower":4,"reactivePower":1}',
      'ett/energy/ettm2-oil 2016-06-30T16:15:00 {"oilTemperature":30.5}',
    ]);
  });

  it("Los Angeles: a sensor per column, times from the row's number", async () => {
    expect((await lines("metr-la-week", "los_speed.csv", "773869,767541\n64.375,10\n0,20\n")).lines).toEqual([
      'los-angeles/traffic/la-773869 2012-03-01T08:00:00 {"speed":103.60152}',
      'los-angeles/traffic/la-767541 2012-03-01T08:00:00 {"speed":16.09344}',
      'los-angeles/traffic/la-773869 2012-03-01T08:05:00 {"speed":null}',
      'los-angeles/traffic/la-767541 2012-03-01T08:05:00 {"speed":32.18688}',
    ]);
  });

  it("an empty cell of many sensors is nothing that one of them said; a stand-in is", async () => {
    const { lines: said, counts } = await lines(
      "metr-la-week",
      "los_speed.csv",
      "773869,767541\n10,\nnan,0\n,NaN\n20,20\n",
    );
    expect(said.map((one) => one.split(" ").slice(0, 1).concat(one.split(" ")[2]!).join(" "))).toEqual([
      'los-angeles/traffic/la-773869 {"speed":16.09344}',
      'los-angeles/traffic/la-767541 {"speed":null}',
      'los-angeles/traffic/la-773869 {"speed":32.18688}',
      'los-angeles/traffic/la-767541 {"speed":32.18688}',
    ]);
    expect(counts).toMatchObject({ rows: 3, blank: 1 });
  });

  it("NAB: the metric by the file's name, repeated times left to the service", async () => {
    const text = "timestamp,value\n2015-09-01 11:25:00,58\n2015-09-01 11:25:00,58\n";
    const twice = (line: string) => [line, line];
    expect((await lines("nab", "speed_7578.csv", text)).lines).toEqual(
      twice('twin-cities/traffic/speed-7578 2015-09-01T16:25:00 {"speed":93.341952}'),
    );
    expect((await lines("nab", "occupancy_6005.csv", text)).lines).toEqual(
      twice('twin-cities/traffic/occupancy-6005 2015-09-01T16:25:00 {"occupancy":58}'),
    );
    expect((await lines("nab", "machine_temperature_system_failure.csv", text)).lines).toEqual(
      twice('nab/energy/machine 2015-09-01T11:25:00 {"enclosureTemperature":14.444444}'),
    );
    expect((await lines("nab", "art_daily_jumpsup.csv", text)).lines[0]).toContain("nab/energy/art-daily-jumpsup ");
  });

  it("PeMS: byte order mark, day before month, vehicles in five minutes", async () => {
    const text =
      "\uFEFF5 Minutes,Lane 1 Flow (Veh/5 Minutes),Lane 2 Flow (Veh/5 Minutes),# Lane Points,% Observed\n04/03/2016 0:05,13,7,1,100\n";
    expect((await lines("pems-lane-flow", "test.csv", text)).lines).toEqual([
      'pems/traffic/pems-lane-1 2016-03-04T08:05:00 {"flow":156}',
      'pems/traffic/pems-lane-2 2016-03-04T08:05:00 {"flow":84}',
    ]);
  });

  it("motes: the sensor from a column, the time from a counter that starts again", async () => {
    const text =
      "reading,mote_id,indoor,humidity,temperature,label\r\n1,1,0,43.82,30.21,0\r\n3,2,0,43,30,1\r\nx,2,0,43,30,1\r\n";
    expect((await lines("suthaharan-wsn", "data.csv", text)).lines).toEqual([
      'wsn/air/mote-1 2010-07-10T00:00:00 {"relativeHumidity":43.82,"temperature":30.21}',
      'wsn/air/mote-2 2010-07-10T00:00:10 {"relativeHumidity":43,"temperature":30}',
      'wsn/air/mote-2 "x" {"relativeHumidity":43,"temperature":30}',
    ]);
  });

  it("Tetouan: empty rows between, month before day, headers with double spaces", async () => {
    const text =
      "DateTime,Temperature,Humidity,Wind Speed,Zone 1 Power Consumption,Zone 2  Power Consumption\n,,,,,\n1/31/17 0:10,6.5,73.8,0.08,34055.7,16128.9\n\n";
    const { lines: found, counts } = await lines("tetouan-zones", "Tetuan_City_power_consumption.csv", text);
    expect(found).toEqual([
      'tetouan/energy/tetouan-zone-1 2017-01-31T00:10:00 {"activePower":34055.7}',
      'tetouan/energy/tetouan-zone-2 2017-01-31T00:10:00 {"activePower":16128.9}',
      'tetouan/air/tetouan-weather 2017-01-31T00:10:00 {"temperature":6.5,"relativeHumidity":73.8}',
    ]);
    expect(counts).toMatchObject({ rows: 1, blank: 2 });
  });

  it("household: semicolons and question marks", async () => {
    const text =
      "Date;Time;Global_active_power;Global_reactive_power;Voltage;Global_intensity;Sub_metering_1\n16/12/2006;17:24:00;4.216;?;234.840;18.400;0.000\n";
    expect((await lines("uci-household", "household_power_consumption.txt", text)).lines).toEqual([
      'sceaux/energy/household 2006-12-16T16:24:00 {"activePower":4.216,"reactivePower":null,"voltage":234.84,"current":18.4}',
    ]);
  });

  it("sends what is no number as it is, capped, and short rows as missing", async () => {
    const text = `timestamp,value\n2015-09-01 11:25:00,${"x".repeat(500)}\n2015-09-01 11:30:00,1e999\n2015-09-01 11:35:00\nnever,5\n`;
    expect(
      (await lines("nab", "occupancy_1.csv", text)).lines.map((line) => line.split(" ").slice(1).join(" ")),
    ).toEqual([
      `2015-09-01T16:25:00 {"occupancy":"${"x".repeat(64)}"}`,
      '2015-09-01T16:30:00 {"occupancy":"1e999"}',
      '2015-09-01T16:35:00 {"occupancy":null}',
      '"never" {"occupancy":5}',
    ]);
  });

  it("takes the same dataset as NDJSON", async () => {
    const text =
      '{"timestamp":"2015-09-01 11:25:00","value":58}\n\nnot json\n{"value":null,"timestamp":"2015-09-01 11:30:00"}\n';
    const { lines: found, counts } = await lines("nab", "occupancy_1.ndjson", text);
    expect(found.map((line) => line.split(" ").slice(1).join(" "))).toEqual([
      '2015-09-01T16:25:00 {"occupancy":58}',
      '"not json" {"occupancy":null}',
      '2015-09-01T16:30:00 {"occupancy":null}',
    ]);
    expect(counts).toMatchObject({ rows: 3, blank: 1 });
  });

  it("native: plain and as the API shows it; lines that belong to nobody are counted, not lost", async () => {
    const text = [
      '{"sensorId":"a-1","kind":"air","district":"d","measuredAt":"2026-01-01T10:00:00Z","pm25":1,"seq":4}',
      '{"sensorId":"a-1","kind":"air","district":"d","measuredAt":1767261600000,"receivedAt":"2026-01-01T10:00:01Z","values":{"pm25":2},"quality":{"pm25":"suspect"}}',
      '{"sensorId":"a-1","kind":"air","district":"d","measuredAt":"2026-01-01 10:00","pm25":1}',
      '{"sensorId":"A/#","kind":"air","district":"d","measuredAt":"2026-01-01T10:00:00Z","pm25":1}',
      '{"sensorId":"a-1","kind":"air","district":"d","measuredAt":1e300,"pm25":1}',
      "garbage",
      "",
    ].join("\n");
    const { lines: found, counts } = await lines("native", "r.ndjson", text);
    expect(found).toEqual([
      'd/air/a-1 2026-01-01T10:00:00 {"pm25":1,"seq":4}',
      'd/air/a-1 2026-01-01T10:00:00 {"pm25":2}',
      'd/air/a-1 "2026-01-01 10:00" {"pm25":1}',
      'd/air/a-1 "1e+300" {"pm25":1}',
    ]);
    expect(counts).toMatchObject({ rows: 4, unplayable: 2, blank: 0 });
    expect(counts.unplayableLines[0]).toMatch(/^r\.ndjson:4 /);
  });

  it("says what is missing when the file is another one", async () => {
    await expect(lines("nab", "occupancy_1.csv", "a,b\n1,2\n")).rejects.toThrow(/none of the columns.*a, b/);
    await expect(lines("nab", "occupancy_1.csv", "value,b\n1,2\n")).rejects.toThrow(/no column "timestamp"/);
    await expect(read("nab", join(dir, "occupancy_none.csv"))).rejects.toThrow(/cannot be read/);
    const cut = gzipSync(BEIJING.repeat(50)).subarray(0, 150);
    await expect(lines("beijing-multisite", "PRSA_Data_X.csv.gz", cut)).rejects.toThrow(/cannot be read/);
  });

  it("counts millions of blank lines without reading each, and lets others take a turn", async () => {
    const row = "2015-09-01 10:00:00,1\n";
    const blank = "\n".repeat(3_000_000);
    let turns = 0;
    const turn = setInterval(() => turns++, 1);
    const { counts, lines: found } = await lines(
      "nab",
      "occupancy_1.csv.gz",
      gzipSync(`timestamp,value\n${row}${blank}${row}\r\n\r\n${row}`),
    );
    clearInterval(turn);
    expect(found).toHaveLength(3);
    expect(counts).toMatchObject({ rows: 3, blank: 3_000_002 });
    expect(turns).toBeGreaterThan(3);
    const native = await lines("native", "n.ndjson", "\n".repeat(20_000));
    expect(native.counts.blank).toBe(20_000);
  });

  it("reads what spreadsheets and people make of files: Windows-1252, line ends of several kinds, quotes about times", async () => {
    const mapping = parseMapping({
      name: "station",
      form: "table",
      files: [
        {
          time: { columns: ["Zeit"], patterns: ["DD.MM.YYYY HH:mm"], zone: "UTC" },
          district: "d",
          readings: [
            { sensor: "{Straße}", kind: "air", metrics: [{ column: "Größe µg/m³", metric: "pm25", unit: "µg/m³" }] },
          ],
        },
      ],
    });
    const said = async (content: Buffer) => {
      const all: Item[] = [];
      for await (const items of readRecording(mapping, write("station.csv", content), newCounts())) all.push(...items);
      return all.map(show);
    };
    const text =
      "Zeit;Straße;Größe µg/m³\r\n'01.03.2024 01:00';Köln;1\n01.03.2024 02:00;Köln;2\r01.03.2024 03:00;Köln;3\n";
    const rows = [1, 2, 3].map((hour) => `2024-03-01T0${hour}:00:00 {"pm25":${hour}}`);
    const expected = rows.map((row) =>
      expect.stringMatching(new RegExp(`^d/air/k\\S+ln\\S* ${row.replace(/[{}]/g, "\\$&")}$`)),
    );
    expect(await said(Buffer.from(text, "utf8"))).toEqual(expected);
    expect(await said(Buffer.from(text, "latin1"))).toEqual(expected);
    // The first sign beyond ASCII is cut in two where a chunk of the file ends.
    const long = "a".repeat(64 * 1024 - 1);
    const odd = parseMapping({
      name: "long",
      form: "table",
      files: [
        {
          time: { columns: ["t"], patterns: ["iso"] },
          district: "d",
          readings: [{ sensor: "s", kind: "air", metrics: [{ column: `${long}ß`, metric: "pm25", unit: "µg/m³" }] }],
        },
      ],
    });
    const counts = newCounts();
    const file = write("long.csv", `${long}ß,t\n1,2024-03-01T01:00:00Z\n`);
    for await (const _ of readRecording(odd, file, counts));
    expect([counts.rows, [...counts.absent]]).toEqual([1, []]);
    await expect(said(Buffer.from('[{"Zeit":"01.03.2024 01:00"}]'))).rejects.toThrow(/one JSON array.*line of its own/);
  });

  it("refuses a line that no table has, of bytes and of columns, and says which", async () => {
    const start = "timestamp,value\n2015-09-01 10:00:00,1\n";
    await expect(lines("nab", "occupancy_1.csv", `${start}${",".repeat(100_000)}\n`)).rejects.toThrow(
      "occupancy_1.csv, line 3: more than 16384 columns",
    );
    await expect(lines("nab", "occupancy_1.csv", `${start}\n${"x".repeat(1_100_000)}`)).rejects.toThrow(
      "occupancy_1.csv, line 4: the line has more than 1 MiB",
    );
    await expect(lines("nab", "occupancy_1.csv", `${"x".repeat(1_100_000)}\n${start}`)).rejects.toThrow(/line 1: /);
  });

  it("reads UTF-16 with a byte order mark, and names what is no text", async () => {
    const text = "\ufefftimestamp,value\r\n2015-09-01 10:00:00,1\r\n";
    const little = Buffer.from(text, "utf16le");
    const big = Buffer.from(little).swap16();
    for (const bytes of [little, big, gzipSync(little)])
      expect((await lines("nab", "occupancy_1.csv", bytes)).lines).toHaveLength(1);
    const bare = Buffer.from(text.slice(1), "utf16le");
    await expect(lines("nab", "occupancy_1.csv", bare)).rejects.toThrow(/UTF-16 without a byte order mark/);
  });
});
