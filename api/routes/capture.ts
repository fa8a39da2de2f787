import { setImmediate as immediate } from "node:timers/promises";
import { z } from "zod";
import {
  CaptureBody,
  type CaptureCellView,
  CaptureQuery,
  type CaptureRowView,
  type CaptureUnknown,
} from "../../contract/capture.ts";
import type { MetricName } from "../../model/metrics.ts";
import { DAY_MS, HOUR_MS } from "../../model/time.ts";
import { UTC } from "../../model/zone.ts";
import type { Bucket } from "../../store/reading-store.ts";
import type { Sensor } from "../../store/records/sensors.ts";
import type { Api, Parts } from "../api.ts";
import { type Captured, type CapturePart, captureOf, sumOf, usualInterval } from "../capture.ts";
import { type Cell, csvStream, styleOf } from "../csv.ts";
import { pageInOrder } from "../paging.ts";
import { answers, invalid, media, notFound } from "../problems.ts";

const schema = {
  tags: ["readings"],
  summary: "Data capture: what came of what should have come, per sensor, metric, month and year",
  description:
    "Counted from the hours that are kept, or from days where only those are left; `unknown` says what a row cannot tell. CSV has all sensors, a line for each metric and month and one for the year.",
  querystring: CaptureQuery,
  response: answers(
    {
      200: media("Shares, gaps and corrections", {
        "application/json": CaptureBody,
        "text/csv": z.string(),
      }),
    },
    503,
  ),
};

/** A metric that comes less than half as often as the sensor's busiest has a rhythm of its own, whatever is declared. */
const OWN_RHYTHM = 0.5;

export function addCapture(app: Api, parts: Parts): void {
  const { records, queries, now, zone = UTC } = parts;

  app.get("/capture", { schema }, async (request, reply) => {
    const { format, locale, limit, cursor, sensor, retired, ...asked } = request.query;
    const thisYear = Number(zone.dateOf(now()).slice(0, 4));
    const { year = thisYear } = asked;
    if (year > thisYear) throw invalid("#/query/year", `${year} has not begun.`);
    const bounds = Array.from({ length: 13 }, (_, i) => startOfMonth(zone.name, year, i));
    const filter = { ...asked, isRetired: retired === "true" };
    const one = sensor === undefined ? undefined : (records.sensors.get(sensor) ?? records.sensors.retired(sensor));
    if (sensor !== undefined && !one) throw notFound("sensor", sensor);
    const all = (after: string | undefined) => (one ? [one] : records.sensors.after(after, filter));
    const ask = (signal: AbortSignal, one: Sensor) =>
      rowsOf(parts, one, { bounds, metric: asked.metric, now: now(), signal });
    const store = queries(request, reply);
    if (format === "json") {
      const { items: sensors, ...page } = pageInOrder(all, ({ id }) => id, limit, cursor);
      const items: CaptureRowView[] = [];
      const silent: string[] = [];
      for (const one of sensors) {
        const rows = await store.ask((signal) => ask(signal, one));
        if (rows.length === 0) silent.push(one.id);
        items.push(...rows);
      }
      return reply.send({ year, zone: zone.name, items, silent, ...page });
    }
    async function* chunks() {
      for (const one of all(undefined)) yield await ask(store.signal, one);
    }
    async function* lines(rows: AsyncIterable<readonly CaptureRowView[]>) {
      for await (const some of rows) yield some.flatMap((row) => cellsOf(row, year));
    }
    reply.header("content-disposition", `attachment; filename="data-capture-${year}.csv"`);
    return reply
      .type("text/csv; charset=utf-8")
      .send(csvStream(HEADER, lines(await store.export(chunks())), styleOf(locale)));
  });
}

/** `month` from 0; 12 is the next January. */
function startOfMonth(zone: string, year: number, month: number): number {
  const first = Temporal.PlainDate.from({ year, month: 1, day: 1 }).add({ months: month });
  return first.toZonedDateTime(zone).epochMilliseconds;
}

type Asked = {
  readonly bounds: readonly number[];
  readonly metric: MetricName | undefined;
  readonly now: number;
  readonly signal: AbortSignal;
};

async function rowsOf(
  { store, records }: Pick<Parts, "store" | "records">,
  sensor: Sensor,
  { bounds, metric, now, signal }: Asked,
): Promise<CaptureRowView[]> {
  const { id: sensorId, kind } = sensor;
  const [yearFrom, yearTo] = [bounds[0]!, Math.min(bounds.at(-1)!, now, sensor.retiredAt ?? now)];
  if (yearFrom >= yearTo) return [];
  const seam = records.rollups.cut(kind, "hourly")?.at ?? Number.NEGATIVE_INFINITY;
  const rawFrom = records.rollups.cut(kind, "raw")?.at ?? Number.NEGATIVE_INFINITY;
  const query = { kind, sensorId, ...(metric ? { metrics: [metric] } : {}), signal };
  const ask = async (from: number, to: number, everyMs: number) =>
    from < to ? await store.aggregate({ ...query, from, to, everyMs }) : [];
  // Those are days of UTC.
  const days = await ask(wholeDay(yearFrom), Math.min(yearTo, seam), DAY_MS);
  const hours = await ask(Math.max(yearFrom, seam), yearTo, HOUR_MS);
  const firstAt = (days[0] ?? hours[0])?.start;
  if (firstAt === undefined) return [];

  const isHistory = firstAt < sensor.createdAt - HOUR_MS;
  const lastAt = hours.length > 0 ? hours.at(-1)!.start + HOUR_MS : days.at(-1)!.start + DAY_MS;
  const from = Math.max(yearFrom, isHistory ? firstAt : sensor.createdAt);
  // History alone ends where it ends: nobody was to send anything until the sensor was there.
  const to = sensor.createdAt >= yearTo ? Math.min(yearTo, lastAt) : yearTo;
  const partsOf = (name: MetricName): CapturePart[] =>
    [
      { stepMs: DAY_MS, from: wholeDay(from), to: Math.min(to, seam), heard: heardOf(days, name) },
      { stepMs: HOUR_MS, from: Math.max(from, seam), to, heard: heardOf(hours, name) },
    ].filter((part) => part.from < part.to);

  const names = [...new Set([...days, ...hours].flatMap(({ values }) => Object.keys(values) as MetricName[]))];
  const most = Math.max(...names.map((name) => countOf(partsOf(name))));
  const corrections = records.corrections.active(sensorId);
  const rows: CaptureRowView[] = [];
  for (const name of names.sort()) {
    const parts = partsOf(name);
    const isDeclared = sensor.intervalS !== undefined && countOf(parts) >= OWN_RHYTHM * most;
    const declaredMs = isDeclared ? sensor.intervalS! * 1_000 : undefined;
    const months = captureOf(parts, bounds, declaredMs);
    const year = sumOf(months);
    if (!year) continue;
    const usualMs = declaredMs ?? usualInterval(parts.at(-1)!.heard);
    const own = corrections.filter(({ metrics }) => metrics === undefined || metrics.includes(name));
    const view = (cell: Captured) => ({
      ...cell,
      from: iso(cell.from),
      to: iso(cell.to),
      corrections: own.filter((one) => one.from < cell.to && one.to > cell.from).length,
    });
    const inTime = own.filter((one) => one.from < year.to && one.to > year.from);
    const unknown: (CaptureUnknown | false)[] = [
      year.share === undefined ? "no-interval" : declaredMs === undefined && "interval-learnt",
      from < seam ? "days-only" : from < rawFrom && "hours-only",
      isHistory && "before-registered",
      inTime.some(({ what }) => what === "invalid") && "invalid-left-out",
      (sensor.places ?? []).some((place) => place.from > from && place.from < to) && "moved",
      bounds.at(-1)! > now && "not-over",
    ];
    rows.push({
      sensorId,
      ...(sensor.name === undefined ? {} : { name: sensor.name }),
      district: sensor.district,
      kind,
      metric: name,
      ...(usualMs === undefined ? {} : { intervalS: Math.round(usualMs / 100) / 10 }),
      months: months.flatMap((cell, i) => (cell ? [{ month: i + 1, ...view(cell) }] : [])),
      year: view(year),
      unknown: unknown.filter((one) => one !== false),
    });
    await immediate();
  }
  return rows;
}

const wholeDay = (at: number) => Math.ceil(at / DAY_MS) * DAY_MS;

const countOf = (parts: readonly CapturePart[]) =>
  parts.reduce((sum, { heard }) => heard.reduce((all, { count }) => all + count, sum), 0);

const heardOf = (buckets: readonly Bucket[], name: MetricName) =>
  buckets.flatMap(({ start: at, values }) => (values[name] ? [{ at, count: values[name].count }] : []));

const iso = (time: number) => new Date(time).toISOString();

const HEADER = [
  ...[
    "sensorId",
    "name",
    "district",
    "kind",
    "metric",
    "year",
    "month",
    "from",
    "to",
    "intervalS",
    "share",
    "expected",
  ],
  ...["values", "hours", "validHours", "gaps", "gapHours", "longestGapHours", "corrections", "unknown"],
];

/** The year itself has no month. */
function cellsOf(row: CaptureRowView, year: number): Cell[][] {
  const { sensorId, name, district, kind, metric, intervalS, months, unknown } = row;
  const lines: readonly (CaptureCellView & { readonly month?: number })[] = [...months, row.year];
  return lines.map((cell) => [
    ...[sensorId, name, district, kind, metric, year, cell.month, cell.from, cell.to, intervalS],
    ...[cell.share === undefined ? undefined : rounded(cell.share, 4), cell.expected, cell.values],
    ...[cell.hours, cell.validHours, cell.gaps, rounded(cell.gapMs / HOUR_MS, 2)],
    ...[rounded(cell.longestGapMs / HOUR_MS, 2), cell.corrections, unknown.join(" ")],
  ]);
}

const rounded = (value: number, digits: number) => Number(value.toFixed(digits));
