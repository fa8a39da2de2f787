import { existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { guessMapping } from "../../simulators/guess.ts";
import { readMapping } from "../../simulators/mapping.ts";
import { HOME } from "../helpers/city.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "lamppost-guess-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

async function guess(name: string, content: string | Buffer) {
  writeFileSync(join(dir, name), content);
  const { yaml, mapping, doubts, rows } = await guessMapping(join(dir, name));
  // What is printed is what was tried.
  expect(readMapping(yaml)).toEqual(mapping);
  const shown = rows.map(
    ({ sensorId, at, values }) =>
      `${sensorId} ${at === undefined ? "-" : new Date(at).toISOString().slice(0, 16)} ${JSON.stringify(values)}`,
  );
  return { yaml, doubts: doubts.join("\n"), first: shown[0]!, shown };
}

/** Rows an hour apart. */
const hours = (count: number, row: (hour: number, two: string) => string) =>
  Array.from({ length: count }, (_, hour) => row(hour, String(hour).padStart(2, "0"))).join("\n");

type Case = readonly [
  what: string,
  file: string,
  content: string | Buffer,
  first: string,
  doubts: readonly RegExp[],
  none?: RegExp,
];

const CASES: readonly Case[] = [
  [
    "stations that are numbered by letters, beside each other",
    "pm25_wide.csv",
    `Date,Time,Station A,Station B\n${hours(20, (hour, two) => `11/20/2026,${two}:00,${10 + (hour % 7)},${11 + (hour % 5)}`)}\n`,
    'station-a 2026-11-20T00:00 {"pm25":10}',
    [/pm25 is told by the file's name only/],
    /NO METRIC/,
  ],
  [
    "numbers that say whose row it is, in two columns",
    "two.csv",
    `time,station_id,station_code,pm25\n${hours(20, (hour, two) => `2026-11-20T${two}:00:00Z,${100 + (hour % 2)},${7 + (hour % 2)},12`)}\n`,
    '100 2026-11-20T00:00 {"pm25":12}',
    [],
    /no column says whose/,
  ],
  [
    "so much in so long, at the end of names without signs",
    "loop.csv",
    `time,flow_veh_15min,occ_pct\n${hours(20, (_, two) => `2026-11-20T${two}:00:00Z,100,5`)}\n`,
    'loop 2026-11-20T00:00 {"flow":400,"occupancy":5}',
    [],
    /flow_veh|no metric/,
  ],
  [
    "a logger's own line above as many columns",
    "toa5.dat",
    `"TOA5","CR1000X","CR1000X","12345","Std.06","CPU:p","1234","Hourly"\n"TIMESTAMP","RECORD","AirTC_Avg","RH","BP_mbar","WS_ms_Avg","WindDir","Rain_mm_Tot"\n"TS","RN","Deg C","%","mbar","m/s","deg","mm"\n"","","Avg","Smp","Smp","Avg","Smp","Tot"\n${hours(20, (hour, two) => `"2026-11-20 ${two}:00:00",${hour},5.2,70,1010,2.1,7,0`)}\n`,
    'toa5 2026-11-20T00:00 {"temperature":5.2,"relativeHumidity":70,"pressure":1010,"windSpeed":2.1,"windDirection":7,"rain":0}',
    [/lines below the header are no rows/],
    /NO METRIC/,
  ],
  [
    "the European agency's long form, and its units",
    "eea.csv",
    `Samplingpoint;Pollutant;Start;End;Value;Unit\n${hours(20, (hour, two) => `AT/SPO-${hour % 2};PM10;2026-11-20 ${two}:00:00;2026-11-20 ${two}:59:00;20.5;ug.m-3`)}\n`,
    'at-spo-0 2026-11-20T00:00 {"pm10":20.5}',
    [],
    /no column says whose|unit/,
  ],
  [
    "24:00, the end of a day's last hour",
    "uba.csv",
    `Messstelle;Datum;Uhrzeit;NO2 [µg/m³]\n${hours(24, (hour) => `MA;20.11.2026;${String(hour + 1).padStart(2, "0")}:00;20,5`)}\n`,
    'ma 2026-11-20T01:00 {"no2":20.5}',
    [/24:00 mostly end an interval/],
  ],
  [
    "weather and what burns, by their short names",
    "kerb.csv",
    `time,station,NO (µg/m3),NO2,NOx,Benzene,Wind [mph],Rain (mm)\n${hours(20, (_, two) => `2024-01-01T${two}:00:00Z,kerb,20,30,61,1.5,10,0.2`)}\n`,
    'kerb 2024-01-01T00:00 {"no":20,"no2":30,"nox":61,"benzene":1.5,"windSpeed":4.4704,"rain":0.2}',
    [/district is not told/],
    /no metric/,
  ],
  [
    "commas, ISO with a zone, units in brackets",
    "station7.csv",
    `time,NO2 (ppb),PM2.5 (ug/m3)\n${hours(20, (_, two) => `2024-01-01T${two}:00:00Z,10,${two}.5`)}\n`,
    'station7 2024-01-01T00:00 {"no2":19.125,"pm25":0.5}',
    [/no column says whose row it is/, /district is not told/],
    /zone|unit/,
  ],
  [
    "semicolons, decimal commas, day first with points, thousands",
    "messwerte.csv",
    `Datum;Uhrzeit;Messstelle;NO2 [µg/m³];Wirkleistung (W)\r\n${hours(20, (_, two) => `13.01.2024;${two}:00;Nord;12,5;1.234,5`)}\r\n`,
    'nord-air 2024-01-13T00:00 {"no2":12.5}',
    [/do not say their zone/],
    /day and month|unit/,
  ],
  [
    "tabs, epoch seconds",
    "loop.tsv",
    `ts\tdetector_id\tspeed_kmh\toccupancy_pct\n${hours(20, (n) => `${1_704_067_200 + n * 3600}\tA${n % 2}\t50\t12`)}\n`,
    'a0 2024-01-01T00:00 {"speed":50,"occupancy":12}',
    [],
    /zone|unit|NO TIME/,
  ],
  [
    "epoch milliseconds in objects, a line each",
    "feed.ndjson",
    hours(20, (n) => JSON.stringify({ timestamp: 1_704_067_200_000 + n * 3_600_000, device: "x1", temperature: 12.5 })),
    'x1 2024-01-01T00:00 {"temperature":12.5}',
    [/"temperature": no unit is told; °C is taken/],
    /zone/,
  ],
  [
    "the service's own form",
    "own.ndjson",
    '{"sensorId":"a","kind":"air","district":"d","measuredAt":"2024-01-01T00:00:00Z","values":{"pm25":1}}\n',
    'a 2024-01-01T00:00 {"pm25":1}',
    [],
  ],
  [
    "month first, with AM and PM",
    "us.csv",
    `Date Local,Site Name,Ozone (ppm),Temperature (°F)\n${hours(20, (n) => `1/${14 + Math.floor(n / 12)}/2024 ${(n % 12) + 1}:00:00 PM,Elm St,0.04,50`)}\n`,
    'elm-st 2024-01-14T13:00 {"o3":79.812,"temperature":10}',
    [/do not say their zone/],
    /day and month|unit/,
  ],
  [
    "days and months that both fit, told by how the rows follow each other",
    "near.csv",
    `timestamp,load_kw\n${[1, 2, 3, 4, 5].map((day) => `0${day}/02/2024 00:00,5`).join("\n")}\n`,
    'near 2024-02-01T00:00 {"activePower":5}',
    [/day and month cannot be told apart: DD\/MM\/YYYY HH:mm is taken, not MM\/DD/],
  ],
  [
    "days and months that cannot be told apart at all",
    "one.csv",
    "timestamp,load_kw\n02/02/2024 00:00,5\n02/02/2024 01:00,6\n",
    'one 2024-02-02T00:00 {"activePower":5}',
    [/day and month cannot be told apart: DD\/MM\/YYYY HH:mm is taken, it may be MM\/DD/],
  ],
  [
    "one value a row, with units",
    "openaq.csv",
    `location,city,parameter,value,unit,utc\n${hours(10, (_, two) => ["pm25,12,µg/m³", "no2,20,ppb", "bc,1,µg/m³"].map((row) => `Alexanderplatz,Berlin,${row},2024-01-01T${two}:00:00Z`).join("\n"))}\n`,
    'alexanderplatz 2024-01-01T00:00 {"pm25":12}',
    [/no metric is known for bc/],
    /zone|district/,
  ],
  [
    "a preface before the header, and a stand-in for no value",
    "export.csv",
    `Air quality export\nStation: North\n\ndate,hour ending,pm10 (µg/m³)\n${hours(20, (n, two) => `2024-01-01,${two}:00,${n === 5 ? -999 : 20}`)}\n`,
    'export 2023-12-31T23:00 {"pm10":20}',
    [/first 3 lines are taken for a preface/, /-999 is taken for "no value"/, /end of an interval/],
  ],
  [
    "year, month, day and hour in columns of their own",
    "split.csv",
    `No,year,month,day,hour,CO,station\n${hours(20, (n) => `${n},2024,1,5,${n},${800 + n},Dongsi`)}\n`,
    'dongsi 2024-01-05T00:00 {"co":0.8}',
    [/"CO": no unit is told, and values such as 8\d\d are out of the ordinary in mg\/m³; µg\/m³ is taken/],
  ],
  [
    "no header",
    "bare.csv",
    `${hours(20, (_, two) => `2024-01-01 ${two}:00:00,12,13`)}\n`,
    'bare 2024-01-01T00:00 {"activePower":12}',
    [/no header/, /NO METRIC was found/],
  ],
  [
    "no time",
    "untimed.csv",
    `reading,temperature\n${hours(20, (n) => `${n},21.5`)}\n`,
    'untimed 2000-01-01T00:00 {"temperature":21.5}',
    [/NO TIME was found: start and stepS are made up/],
  ],
  [
    "a sensor for each column, by numbers",
    "speed_week.csv",
    `time,717446,717447,717450,717452\n${hours(20, (_, two) => `2024-01-01 ${two}:00,60,61,62,63`)}\n`,
    'traffic-717446 2024-01-01T00:00 {"speed":60}',
    [/named by numbers, taken for one sensor each; that they hold speed is a guess/, /speed: no unit is told/],
  ],
  [
    "a sensor for each column, by a number in the name",
    "zones.csv.gz",
    gzipSync(`Time;Zone 1 Power (MW);Zone 2 Power (MW)\n${hours(20, (_, two) => `2024-01-01 ${two}:00;3,5;4,5`)}\n`),
    'zone-1 2024-01-01T00:00 {"activePower":3500}',
    [/2 columns like "Zone 1 Power \(MW\)" are taken for one sensor each/],
    /unit is told/,
  ],
  [
    "old line ends, quoted commas, numbers with groups of three",
    "mac.csv",
    `"Name","Time (UTC)","Vehicles per hour"\r${hours(20, (_, two) => `"Main, North","2024-01-01 ${two}:00","1,250"`)
      .split("\n")
      .join("\r")}\r`,
    'main-north 2024-01-01T00:00 {"flow":1250}',
    [/separator of thousands/],
    /zone/,
  ],
  [
    "values that fit no unit",
    "odd.csv",
    `time,voltage\n${hours(20, (_, two) => `2024-01-01T${two}:00:00Z,99000`)}\n`,
    'odd 2024-01-01T00:00 {"voltage":99000}',
    [/"voltage": no unit is told, and values such as 99000 are out of the ordinary in V/],
  ],
  [
    "a clock of four digits",
    "digits.csv",
    `Date,Time,pm25\n${hours(20, (hour, two) => `2024-01-01,${two}00,${hour}`)}\n`,
    'digits 2024-01-01T00:00 {"pm25":0}',
    [/do not say their zone/],
    /all have the time/,
  ],
  [
    "a clock without its zeros, and 2400",
    "bare.csv",
    `Date,Time,pm25\n${hours(24, (hour) => `13/01/2024,${hour + 1}00,${hour}`)}\n`,
    'bare 2024-01-13T01:00 {"pm25":0}',
    [],
    /all have the time/,
  ],
  [
    "dates alone",
    "dates.csv",
    `Date,pm25\n${hours(20, (hour) => `2024-01-13,${hour}`)}\n`,
    'dates 2024-01-13T00:00 {"pm25":0}',
    [/the first 10 rows of dates all have the time 2024-01-13/],
  ],
  [
    "two columns of one name",
    "twice.csv",
    `time,pm25,PM25\n${hours(20, (_, two) => `2024-01-01T${two}:00:00Z,5,20`)}\n`,
    'twice 2024-01-01T00:00 {"pm25":20}',
    [/the columns 2 and 3 are both named "pm25"/],
  ],
  [
    "a meter's plain units",
    "meter.csv",
    `time,kWh,kVAR\n${hours(20, (_, two) => `2024-01-01T${two}:00:00Z,1${two},5`)}\n`,
    'meter 2024-01-01T00:00 {"energyImport":100,"reactivePower":5}',
    [/taken for a meter's reading; .* kWh\/interval/],
    /no unit/,
  ],
  [
    "a count of something",
    "loop9.csv",
    `time,Count\n${hours(20, (_, two) => `2024-01-01T${two}:00:00Z,7`)}\n`,
    'loop9 2024-01-01T00:00 {"carCount":7}',
    [/"Count" does not say what it counts/],
  ],
  [
    "a logger's lines below the header",
    "toa5.dat",
    `"TOA5","stn","CR1000"\n"TIMESTAMP","RECORD","PM25_Avg","WS_ms_Avg","BattV_Min"\n"TS","RN","ug/m3","m/s","V"\n"","","Avg","Avg","Min"\n${hours(20, (hour, two) => `"2024-01-01 ${two}:00:00",${hour},6,2.5,12.7`)}\n`,
    'toa5 2024-01-01T00:00 {"pm25":6,"windSpeed":2.5,"batteryVoltage":12.7}',
    [/2 lines below the header are no rows, and left out: .*ug\/m3/],
  ],
  [
    "names of months",
    "months.csv",
    `day,time,humidity (%)\n${hours(20, (_, two) => `05-Mar-2024,${two}:00,55`)}\n`,
    'months 2024-03-05T00:00 {"relativeHumidity":55}',
    [/do not say their zone/],
    /unit/,
  ],
];

const STATIONS: readonly Case[] = [
  [
    "a column for each station, what they measure in the file's name",
    "pm25_2024.csv",
    `time,Centro,Plaza de España,Norte\n${hours(20, (_, two) => `2024-01-01T${two}:00:00Z,12,13,${two}`)}\n`,
    'centro 2024-01-01T00:00 {"pm25":12}',
    [/Centro, Plaza de España, Norte …\) are taken for one sensor each.*pm25 is told by the file's name only/],
    /NO METRIC/,
  ],
  [
    "a column for each station and metric",
    "red.csv",
    `Fecha;Centro PM2.5;Centro NO2 (µg/m³);Norte PM2.5;Norte NO2 (µg/m³)\n${hours(20, (_, two) => `2024-01-01 ${two}:00;12,5;40;13;41`)}\n`,
    'centro 2024-01-01T00:00 {"pm25":12.5,"no2":40}',
    [/centro, norte: 2 words in the columns' names are taken for a sensor each/],
    /NO METRIC/,
  ],
  [
    "a column for each station of which nobody says what it is",
    "data.csv",
    `time,Centro,Norte\n${hours(20, (_, two) => `2024-01-01T${two}:00:00Z,12,13`)}\n`,
    'data 2024-01-01T00:00 {"activePower":12}',
    [/NO METRIC was found/, /if Centro, Norte are stations, say what they measure: in the file's name/],
  ],
  [
    "P1 and P2 of a citizens' sensor",
    "sds.csv",
    `sensor_id;timestamp;P1;P2\n${hours(20, (_, two) => `92;2024-01-01T${two}:00:00Z;10.5;5.5`)}\n`,
    '92 2024-01-01T00:00 {"pm10":10.5,"pm25":5.5}',
    [],
    /NO METRIC/,
  ],
  [
    "counts of a German station, hours that end in single quotes",
    "zaehlung.csv",
    `Datum;Uhrzeit;Zählstelle;Kfz;v_Kfz\n${hours(20, (_, two) => `'13.01.2024';'${two}:00';Z1;100;48`)}\n`,
    'z1 2024-01-13T00:00 {"flow":100,"speed":48}',
    [/"Kfz": no unit is told/],
  ],
  [
    "the hour that ends, from 1 to 24",
    "load.csv",
    `Date,Hour Ending,Load MW\n${hours(20, (hour) => `01/13/2024,${hour + 1},50`)}\n`,
    'load 2024-01-13T00:00 {"activePower":50000}',
    [/sounds like the end of an interval/],
    /all have the time/,
  ],
  [
    "no stations: several values of one kind",
    "tank.csv",
    `time,air temperature (°C),pm25 raw,pm25 mean,oil temperature (°C)\n${hours(20, (_, two) => `2024-01-01T${two}:00:00Z,12,13,14,50`)}\n`,
    'tank-air 2024-01-01T00:00 {"temperature":12,"pm25":13}',
    [],
    /words in the columns/,
  ],
  [
    "days as Excel counts them, decimal commas",
    "excel.csv",
    `Datum;pm25\n${hours(20, (hour) => `${(45_292 + hour / 24).toFixed(6).replace(".", ",")};12,5`)}\n`,
    'excel 2024-01-01T00:00 {"pm25":12.5}',
    [/"Datum" is taken for days as Excel counts them/, /do not say their zone/],
    /whole days/,
  ],
  [
    "days of Excel whose hours stand elsewhere",
    "excel2.csv",
    `date,fraction,pm25\n${hours(20, (hour) => `45292,${(hour / 24).toFixed(4)},12`)}\n`,
    'excel2 2024-01-01T00:00 {"pm25":12}',
    [/"date" has whole days only/, /all have the time 2024-01-01/],
  ],
];

describe("a guess", () => {
  it.each([...CASES, ...STATIONS].map(([what, ...rest]) => ({ what, rest })))("$what", async ({ rest }) => {
    const [file, content, first, doubts, none] = rest;
    const found = await guess(file, content);
    expect(found.first, found.yaml).toBe(first);
    for (const doubt of doubts) expect(found.doubts).toMatch(doubt);
    if (none) expect(found.doubts).not.toMatch(none);
    expect(found.shown.length).toBeLessThanOrEqual(10);
  });

  it("refuses what is no table, and says why", async () => {
    await expect(guess("letter.txt", "Dear city,\nwe have no data.\n")).rejects.toThrow(/no table|no column/);
    await expect(guess("empty.csv", "\n\n")).rejects.toThrow(/is empty/);
    await expect(guess("words.csv", "name,colour\na,red\nb,blue\n")).rejects.toThrow(/no column with numbers/);
    await expect(guess("array.json", '[{"t":1,"pm25":2}]')).rejects.toThrow(/one JSON array/);
    await expect(guessMapping(join(dir, "nowhere.csv"))).rejects.toThrow(/cannot be read/);
  });

  const DATA = join(HOME, "../shared/data");
  const present = existsSync(DATA);
  if (!present)
    process.stderr.write("the recordings (../shared/data) are not here: no mappings are guessed for them\n");
  const files = present
    ? globSync("*/{,*/}*.{csv,csv.gz,txt}", { cwd: DATA }).filter((name) => !/license|los_adj|graph_sensor/i.test(name))
    : [];

  it.runIf(present).each(files)("of %s shows readings, and what it took for granted", async (name) => {
    const { doubts, rows } = await guessMapping(join(DATA, name));
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.some(({ values }) => Object.values(values).some((value) => typeof value === "number"))).toBe(true);
    // None of them says its zone.
    expect(doubts.join("\n")).toMatch(/do not say their zone|NO TIME/);
  });
});
