import { isId } from "../../model/ids.ts";
import { KINDS, type Kind } from "../../model/kinds.ts";
import type { Log } from "../../model/log.ts";
import { METRICS_OF, type MetricName } from "../../model/metrics.ts";
import { DAY_MS, HOUR_MS, startOfDay } from "../../model/time.ts";
import { newOf, type Sums } from "../known-values.ts";
import {
  type Bucket,
  type MetricKey,
  type RollupPart,
  type RollupResolution,
  type RollupRow,
  type RollupSpan,
  type RollupStore,
  type RollupsFound,
  StoreError,
} from "../reading-store.ts";
import { bucketsOfSeries, type Requests, type Series } from "./client.ts";
import type { BoundQuery, Queries } from "./influxql.ts";
import { dayOfMark, historyMark, lateMark } from "./lines.ts";
import { type Place, PROVEN_FOR_MS } from "./place.ts";

/** The vendor's optimum for 1.x and 2.x. */
export const LINES_PER_REQUEST_MAX = 5_000;
/** A span may be a day of all sensors, and the first question after a start is asked of everything there is. */
export const PATIENCE = 12;

/** What a rollup has for each metric: `pm25Sum` and so on. */
export const ROLLUP_FIELDS = ["Sum", "Min", "Max", "Count"] as const;

/** Where rollups are, which `rollups-place.ts` finds out. Both throw `StoreError`. */
type RollupsClients = {
  reading(): Promise<Requests>;
  /** For computing and removing: what is elsewhere is moved first. */
  writing(): Promise<Requests>;
};

const STEP_MS = { hourly: HOUR_MS, daily: DAY_MS } as const;

/**
 * Points of the measurements `<kind>_hourly` and `<kind>_daily`: for each metric a sum, a minimum, a maximum and a count
 * of its good values, at the start of their window, so that writing them again changes nothing. They carry the mark of the
 * readings they are made of: history received on different days of the same hour stays apart, here as in what is removed.
 */
export function createRollups(
  raw: Requests,
  place: RollupsClients,
  queries: Queries,
  installation: string,
  log: Log,
): RollupStore {
  const said = new Set<string>();

  /** Another writer's point may have fixed a type that ours do not have: then all but that metric. */
  async function write(client: Requests, lines: readonly string[]): Promise<void> {
    for (let left = lines; left.length > 0; ) {
      try {
        return await client.write(left);
      } catch (error) {
        const metrics = error instanceof StoreError ? error.metrics : [];
        const without = left.flatMap((line) => lineWithout(line, metrics));
        // What was left out already is named again: then the words mean something else.
        if (without.join("\n").length === left.join("\n").length) throw error;
        for (const metric of metrics.filter((one) => !said.has(one)))
          log.warn({ metric, reason: String(error) }, "rollups are written without a metric");
        for (const metric of metrics) said.add(metric);
        left = without;
      }
    }
  }

  /** Hours that were made of readings which are removed. */
  async function knownOf({ kind, from, to }: RollupSpan, rawFrom: number): Promise<readonly RollupRow[]> {
    const rows: RollupRow[] = [];
    for (let day = startOfDay(from); day < to; day += DAY_MS) rows.push(...(await read(kind, "hourly", day)));
    return rows.filter(({ start, receivedDay = start }) => start < rawFrom && receivedDay < rawFrom);
  }

  async function read(kind: Kind, resolution: RollupResolution, day: number): Promise<readonly RollupRow[]> {
    const { text, values } = queries.where({ from: day, to: day + DAY_MS });
    const columns = `/^(${fieldsOf(kind).join("|")})$/, "sensorId"::tag, "district"::tag, "installation"::tag`;
    const question = `SELECT ${columns} FROM "${kind}_${resolution}" WHERE ${text} ORDER BY time`;
    const rows: RollupRow[] = [];
    for await (const series of (await place.reading()).query(question, values, PATIENCE))
      rows.push(...rowsOfSeries(kind, series, installation));
    return rows;
  }

  return {
    async compute(span) {
      let lines: string[] = [];
      const { text, values } = sourceOf(queries, span);
      const to = await place.writing();
      const from = span.resolution === "hourly" ? raw : to;
      const { rawFrom } = span.resolution === "hourly" ? span : {};
      const known = rawFrom === undefined ? [] : await knownOf(span, rawFrom);
      const late: RollupRow[] = [];
      for await (const series of from.query(text, values, PATIENCE)) {
        const day = dayOfMark(installation, series.tags?.installation ?? "");
        if (rawFrom !== undefined && isGone(day, rawFrom)) {
          late.push(...rowsOfBuckets(span.kind, series, rawFrom));
          continue;
        }
        if (!isOfSpan(span, day)) continue;
        lines.push(...linesOf(span, series).flatMap((line) => withoutKnown(line, known)));
        for (; lines.length >= LINES_PER_REQUEST_MAX; lines = lines.slice(LINES_PER_REQUEST_MAX))
          await write(to, lines.slice(0, LINES_PER_REQUEST_MAX));
      }
      await write(to, lines);
      if (rawFrom !== undefined)
        await write(to, linesOfRows(`${span.kind}_hourly`, late, installation, lateMark(installation, rawFrom)));
    },
    async aggregate(query, resolution) {
      const metrics = METRICS_OF[query.kind].filter((metric) => query.metrics?.includes(metric) ?? true);
      if (metrics.length === 0) return [];
      const { text, values } = queries.rollups(query, resolution, metrics);
      const client = await place.reading();
      const parts = await Array.fromAsync(client.query(text, values, undefined, query.signal));
      return parts.flatMap((series) => composedBuckets(series, metrics, resolution));
    },
    parts: (kind) => partsOf(raw, queries, installation, kind),
    async days(kind, resolution, before) {
      const { text, values } = queries.where({ from: Number.NEGATIVE_INFINITY, to: before });
      const counts = METRICS_OF[kind].map((metric) => `count("${metric}Count"::float)`).join(", ");
      const question = `SELECT ${counts} FROM "${kind}_${resolution}" WHERE ${text} GROUP BY time(1d) fill(none)`;
      const days: number[] = [];
      for await (const series of (await place.reading()).query(question, values, PATIENCE))
        for (const [day, ...found] of series.values) if (found.some(Number)) days.push(Number(day));
      return days;
    },
    read,
    async write(kind, resolution, _day, rows) {
      const client = await place.writing();
      const lines = linesOfRows(`${kind}_${resolution}`, rows, installation);
      for (let start = 0; start < lines.length; start += LINES_PER_REQUEST_MAX)
        await client.write(lines.slice(start, start + LINES_PER_REQUEST_MAX));
    },
    async replace({ kind, resolution, sensorId, spans, receivedDay, keepBefore = Number.NEGATIVE_INFINITY }, rows) {
      const measurement = `${kind}_${resolution}`;
      const client = await place.writing();
      for (const mark of await ownMarks(client, queries, measurement, installation)) {
        const day = dayOfMark(installation, mark);
        for (const span of spans) {
          const { to } = span;
          if (receivedDay !== undefined && !isOfSpan({ receivedDay, to }, day)) continue;
          // What goes by the time measured was received then.
          const from = day !== undefined && day >= keepBefore ? span.from : Math.max(span.from, keepBefore);
          if (from < to) await client.remove({ measurement, mark, before: to, from, sensorId });
        }
      }
      const lines = linesOfRows(measurement, rows, installation);
      for (let start = 0; start < lines.length; start += LINES_PER_REQUEST_MAX)
        await write(client, lines.slice(start, start + LINES_PER_REQUEST_MAX));
    },
    async deleteBefore(kind, resolution, time) {
      const measurement = `${kind}_${resolution}`;
      const client = await place.writing();
      for (const mark of await goneMarks(client, queries, measurement, { installation, before: time }))
        await client.remove({ measurement, mark, before: time });
      return undefined;
    },
  };
}

/**
 * The marks whose points from before a time are past it: the plain one, whose readings were received within a day of
 * being measured, and those of days of receipt that were over by then.
 */
export async function goneMarks(
  client: Requests,
  queries: Queries,
  measurement: string,
  { installation, before }: { readonly installation: string; readonly before: number },
): Promise<string[]> {
  const marks = await ownMarks(client, queries, measurement, installation);
  return marks.filter((mark) => isGone(dayOfMark(installation, mark), before));
}

async function ownMarks(
  client: Requests,
  queries: Queries,
  measurement: string,
  installation: string,
): Promise<readonly string[]> {
  const { text, values } = queries.marks(measurement);
  const marks = new Set<string>();
  for await (const series of client.query(text, values)) for (const [, mark] of series.values) marks.add(String(mark));
  return [...marks].filter((mark) => !Number.isNaN(dayOfMark(installation, mark)));
}

/** `day`: of a mark, as `dayOfMark` says it. Not a number, and so never gone, for marks of others. */
export const isGone = (day: number | undefined, before: number) => day === undefined || day + DAY_MS <= before;

/**
 * Whether readings of a mark may have been received on the day of the span: those of history on theirs, all others within
 * a day of being measured.
 */
function isOfSpan({ receivedDay, to }: Pick<RollupSpan, "receivedDay" | "to">, day: number | undefined): boolean {
  // A late slot is a millisecond beside its day.
  return day === undefined ? receivedDay - DAY_MS < to : day === startOfDay(receivedDay);
}

function sourceOf(queries: Queries, { kind, resolution, from, to }: RollupSpan): BoundQuery {
  const { text, values } = queries.where({ from, to });
  const grouped = `GROUP BY time(${STEP_MS[resolution]}ms), "sensorId", "district", "installation" fill(none)`;
  const columns = METRICS_OF[kind].flatMap((metric) => {
    const field = (name: string) => `"${metric}${name}"::float`;
    if (resolution === "hourly") return ["sum", "min", "max", "count"].map((name) => `${name}(${field("")})`);
    return [`sum(${field("Sum")})`, `min(${field("Min")})`, `max(${field("Max")})`, `sum(${field("Count")})`];
  });
  const source = resolution === "hourly" ? kind : `${kind}_hourly`;
  return { text: `SELECT ${columns.join(", ")} FROM "${source}" WHERE ${text} ${grouped}`, values };
}

function linesOf({ kind, resolution }: RollupSpan, series: Series): string[] {
  const { sensorId = "", district = "", installation = "" } = series.tags ?? {};
  if (!isId(sensorId) || !isId(district)) return [];
  return series.values.flatMap((row) => {
    const fields = METRICS_OF[kind].flatMap((metric, index) => {
      const numbers = row.slice(1 + index * ROLLUP_FIELDS.length, 1 + (index + 1) * ROLLUP_FIELDS.length);
      if (!numbers.at(-1)) return [];
      return ROLLUP_FIELDS.map((name, place) => `${metric}${name}=${Number(numbers[place])}`);
    });
    if (fields.length === 0) return [];
    const tags = `district=${district},installation=${installation},sensorId=${sensorId}`;
    return [`${kind}_${resolution},${tags} ${fields.join(",")} ${Number(row[0])}`];
  });
}

/** Rows of `sourceOf`, four columns for each metric. */
function rowsOfBuckets(kind: Kind, series: Series, rawFrom: number): RollupRow[] {
  const { sensorId = "", district = "" } = series.tags ?? {};
  if (!isId(sensorId) || !isId(district)) return [];
  return series.values.flatMap((row) => {
    const found = METRICS_OF[kind].flatMap((metric, index) => {
      const [sum, min, max, count] = row.slice(1 + index * ROLLUP_FIELDS.length) as number[];
      return count ? [[metric, { sum, min, max, count }]] : [];
    });
    const start = Number(row[0]);
    return start < rawFrom && found.length > 0
      ? [{ sensorId, district, start, receivedDay: rawFrom, values: Object.fromEntries(found) } as RollupRow]
      : [];
  });
}

/** Without what of its metrics is known already; none if nothing is left. */
function withoutKnown(line: string, known: readonly RollupRow[]): string[] {
  if (known.length === 0) return [line];
  const [series = "", fields = "", time] = line.split(" ");
  const sensorId = /,sensorId=([^,]+)/.exec(series)?.[1];
  const ofHour = known.filter((row) => row.sensorId === sensorId && row.start === Number(time));
  if (ofHour.length === 0) return [line];
  const numbers = new Map(fields.split(",").map((field) => field.split("=") as [string, string]));
  const metrics = [...numbers.keys()].flatMap((name) => (name.endsWith("Count") ? [name.slice(0, -5)] : []));
  const kept = metrics.flatMap((metric) => {
    const there = ofHour.flatMap(({ values }) => values[metric as MetricName] ?? []);
    const [sum, min, max, count] = ROLLUP_FIELDS.map((part) => Number(numbers.get(metric + part)));
    const found = { sum: sum!, min: min!, max: max!, count: count! };
    const left = there.length === 0 ? found : newOf(found, joined(there));
    if (!left) return [];
    return [left.sum, left.min, left.max, left.count].map((number, n) => `${metric}${ROLLUP_FIELDS[n]}=${number}`);
  });
  return kept.length > 0 ? [`${series} ${kept.join(",")} ${time}`] : [];
}

const joined = (all: readonly Sums[]): Sums => ({
  sum: all.reduce((sum, one) => sum + one.sum, 0),
  min: Math.min(...all.map(({ min }) => min)),
  max: Math.max(...all.map(({ max }) => max)),
  count: all.reduce((count, one) => count + one.count, 0),
});

/** None if nothing is left of it. */
function lineWithout(line: string, metrics: readonly MetricKey[]): string[] {
  const [series = "", fields = "", time] = line.split(" ");
  const isLeft = (field: string) =>
    !metrics.some((key) => {
      const [kind, metric] = key.split(".");
      return series.startsWith(`${kind}_`) && field.replace(/(Sum|Min|Max|Count)=.*$/, "") === metric;
    });
  const kept = fields.split(",").filter(isLeft);
  return kept.length > 0 ? [`${series} ${kept.join(",")} ${time}`] : [];
}

/** Rows of stored rollups as lines again; those of earlier versions have no mark and get `mark`. */
export function rollupLines(kind: Kind, measurement: string, { columns, values }: Series, mark?: string): string[] {
  return values.flatMap((row) => {
    const cells = Object.fromEntries(columns.map((name, index) => [name, row[index]]));
    const { sensorId, district, installation = mark } = cells;
    if (typeof sensorId !== "string" || typeof district !== "string" || !isId(sensorId) || !isId(district)) return [];
    const fields = METRICS_OF[kind].flatMap((metric) => {
      const numbers = ROLLUP_FIELDS.map((part) => cells[`${metric}${part}`]);
      if (!numbers.every((one) => typeof one === "number")) return [];
      return ROLLUP_FIELDS.map((part, n) => `${metric}${part}=${numbers[n]}`);
    });
    if (fields.length === 0) return [];
    const tags = `district=${district},installation=${installation},sensorId=${sensorId}`;
    return [`${measurement},${tags} ${fields.join(",")} ${Number(row[0])}`];
  });
}

const fieldsOf = (kind: Kind) => METRICS_OF[kind].flatMap((metric) => ROLLUP_FIELDS.map((part) => `${metric}${part}`));

function rowsOfSeries(kind: Kind, { columns, values }: Series, installation: string): RollupRow[] {
  return values.flatMap((row) => {
    const cells = Object.fromEntries(columns.map((name, index) => [name, row[index]]));
    const [sensorId, district] = [String(cells.sensorId), String(cells.district)];
    if (!isId(sensorId) || !isId(district)) return [];
    const found = METRICS_OF[kind].flatMap((metric) => {
      const [sum, min, max, count] = ROLLUP_FIELDS.map((part) => cells[`${metric}${part}`]) as number[];
      return count ? [[metric, { sum, min, max, count }]] : [];
    });
    const receivedDay = dayOfMark(installation, String(cells.installation));
    return [{ sensorId, district, start: Number(row[0]), receivedDay, values: Object.fromEntries(found) } as RollupRow];
  });
}

/**
 * What was received by the end of the day after goes under the plain mark, whatever the other store called it: a mark for
 * each day would be a series for each sensor and day.
 */
function linesOfRows(measurement: string, rows: readonly RollupRow[], installation: string, only?: string): string[] {
  const points = Map.groupBy(rows, ({ sensorId, district, start, receivedDay = start }) => {
    const mark = only ?? (receivedDay - start <= DAY_MS ? installation : historyMark(installation, receivedDay));
    return `district=${district},installation=${mark},sensorId=${sensorId} ${start}`;
  });
  return Array.from(points, ([point, ofPoint]) => {
    const [tags, time] = point.split(" ");
    const metrics = [...new Set(ofPoint.flatMap(({ values }) => Object.keys(values)))] as MetricName[];
    const fields = metrics.flatMap((metric) => {
      const all = ofPoint.flatMap(({ values }) => values[metric] ?? []);
      const total = (part: "sum" | "count") => all.reduce((sum, one) => sum + one[part], 0);
      const [min, max] = [Math.min(...all.map((one) => one.min)), Math.max(...all.map((one) => one.max))];
      return [total("sum"), min, max, total("count")].map((number, n) => `${metric}${ROLLUP_FIELDS[n]}=${number}`);
    });
    return `${measurement},${tags} ${fields.join(",")} ${time}`;
  });
}

/** The columns come as sum, minimum, maximum, count; the mean takes the sum's place. */
function composedBuckets(series: Series, metrics: readonly MetricName[], resolution: RollupResolution): Bucket[] {
  return bucketsOfSeries(series, metrics).map(({ start, values }) => ({
    start,
    values: Object.fromEntries(
      Object.entries(values).map(([metric, one]) => [metric, { ...one, mean: one.mean / one.count }]),
    ),
    resolution,
  }));
}

async function partsOf(client: Requests, queries: Queries, installation: string, kind: Kind): Promise<RollupPart[]> {
  const parts: RollupPart[] = [];
  // Without a range InfluxDB would answer one row, without a lower end nothing before 1970.
  const ever = queries.where({ from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY });
  const text = `SELECT count(${queries.receipt}) FROM "${kind}" WHERE ${ever.text}
    GROUP BY time(${HOUR_MS}ms), "installation" fill(none)`;
  for await (const series of client.query(text, ever.values, PATIENCE)) {
    const day = dayOfMark(installation, series.tags?.installation ?? "");
    for (const [time] of series.values) {
      const start = Number(time);
      const receivedDay = day ?? startOfDay(start);
      parts.push({ kind, resolution: "hourly", start, receivedDay });
    }
  }
  return parts;
}

/** What is remembered of the rollups' place between starts. */
export type RollupsMemory = {
  /** Whether they are in a place of their own: from then on they are looked for there, and nowhere else. */
  isApart(): boolean;
  setApart(): void;
  /** That place came back empty: all that there are readings for is to be computed again. */
  lost(): void;
};

export type RollupsPlace = RollupsClients & {
  /** What is there may be gone, or another copy of it. */
  doubt(): void;
  /** As last found; undefined before anybody looked. Costs nothing. */
  found(): RollupsFound | undefined;
  /** The same, asking the server. Throws `StoreError`. */
  look(): Promise<RollupsFound | undefined>;
};

/**
 * Rollups live in a bucket (or database) of their own, `<readings>_rollups`, as soon as there is one where a probe was
 * written, read back and removed, and which keeps what it has at least as long as that of the readings. Until then they
 * live with the readings; every ten minutes it is looked at again. What is among the readings moves there before the next
 * rollup is written: copied where it is missing, compared, and only then removed. Meanwhile it is read where it was.
 */
export function createRollupsPlace(parts: {
  readonly raw: Requests;
  readonly own: Requests;
  /** Proves that place; throws `StoreError`. */
  prove(): Promise<Place>;
  /** How long (ms) the readings' place and this one keep what they have; undefined is for ever. */
  keeps(): { readonly raw: number | undefined; readonly own: number | undefined };
  readonly queries: Queries;
  readonly installation: string;
  readonly memory: RollupsMemory;
  readonly isClosed: () => boolean;
  readonly now: () => number;
  readonly log: Log;
}): RollupsPlace {
  const { raw, own, queries, installation, memory, isClosed, now, log } = parts;
  let shared: { readonly why: string; readonly until: number } | undefined;
  let broken: string | undefined;
  let moving: Promise<void> | undefined;
  /** Looked at after each start, and when it was away: the database may have been restored to what it was before. */
  let isMoved = false;

  /** Whether the place may be used. Throws `StoreError` where they are in it and it cannot be reached. */
  async function isUsable(): Promise<boolean> {
    if (shared && now() < shared.until) return false;
    const why = await parts.prove().then(objection, (error: StoreError) => {
      if (error.kind === "unavailable") throw error;
      if (!memory.isApart()) return error.message;
      broken = error.message;
      throw error;
    });
    broken = undefined;
    if (why === undefined || memory.isApart()) shared = undefined;
    else {
      if (!shared) log.warn({ reason: why }, "rollups are kept with the readings, and removed with them");
      shared = { why, until: now() + PROVEN_FOR_MS };
    }
    return shared === undefined;
  }

  function objection({ noRemoval }: Place): string | undefined {
    if (noRemoval) return noRemoval.message;
    const keeps = parts.keeps();
    const isShorter = (keeps.own ?? Number.POSITIVE_INFINITY) < (keeps.raw ?? Number.POSITIVE_INFINITY);
    return isShorter ? "it keeps what it has for a shorter time than that of the readings" : undefined;
  }

  async function reading(): Promise<Requests> {
    if (memory.isApart()) return own;
    if (!(await isUsable()) || (await hasRollups(raw))) return raw;
    memory.setApart();
    return own;
  }

  async function writing(): Promise<Requests> {
    if (!(await isUsable())) return raw;
    if (!isMoved) {
      moving ??= move().finally(() => {
        moving = undefined;
      });
      await moving;
    }
    return own;
  }

  async function hasRollups(client: Requests): Promise<boolean> {
    for (const [kind, measurement] of ROLLUPS) if (await endOf(client, kind, measurement, "")) return true;
    return false;
  }

  /** The time of the first or the last rollup of ours. */
  async function endOf(client: Requests, kind: Kind, measurement: string, order: "" | " DESC") {
    const text = `SELECT /^(${METRICS_OF[kind].join("|")})Count$/ FROM "${measurement}" WHERE ${queries.ours}
      ORDER BY time${order} LIMIT 1`;
    for await (const { values } of client.query(text, {}, PATIENCE)) for (const [time] of values) return Number(time);
    return undefined;
  }

  async function move(): Promise<void> {
    const isEmpty = memory.isApart() && !(await hasRollups(own));
    const found = [];
    for (const [kind, measurement] of ROLLUPS) {
      const first = await endOf(raw, kind, measurement, "");
      const last = await endOf(raw, kind, measurement, " DESC");
      if (first !== undefined && last !== undefined) found.push({ kind, measurement, first, last });
    }
    let copied = 0;
    for (const { kind, measurement, first, last } of found)
      for (let from = first; from <= last; from += DAY_MS)
        copied += await copy(kind, measurement, { from, to: Math.min(from + DAY_MS, last + 1) });
    // All of it is there: a reader looks there before the first one is removed here.
    memory.setApart();
    isMoved = true;
    if (isEmpty) memory.lost();
    for (const { measurement, last } of found) await removeCopied(measurement, last + 1);
    if (found.length > 0) log.info({ copied }, "rollups have moved to a place of their own");
  }

  /** What is there already is newer: it was computed there. Says how many were copied. */
  async function copy(kind: Kind, measurement: string, range: { from: number; to: number }): Promise<number> {
    if (isClosed()) throw new StoreError("unavailable", "the store is closed");
    const { text: wanted, values } = queries.where(range);
    const fields = METRICS_OF[kind].flatMap((metric) => ROLLUP_FIELDS.map((part) => `${metric}${part}`)).join("|");
    const text = `SELECT /^(${fields})$/, "sensorId"::tag, "district"::tag, "installation"::tag FROM "${measurement}"
      WHERE ${wanted} ORDER BY time`;
    const linesIn = async (client: Requests) => {
      const lines = new Map<string, string>();
      for await (const series of client.query(text, values, PATIENCE))
        for (const line of rollupLines(kind, measurement, series)) lines.set(keyOf(line), line);
      return lines;
    };
    const due = await linesIn(raw);
    if (due.size === 0) return 0;
    for (const key of (await linesIn(own)).keys()) due.delete(key);
    const lines = [...due.values()];
    for (let start = 0; start < lines.length; start += LINES_PER_REQUEST_MAX)
      await own.write(lines.slice(start, start + LINES_PER_REQUEST_MAX));
    if (lines.length === 0) return 0;
    const there = await linesIn(own);
    const missing = lines.filter((line) => there.get(keyOf(line)) !== line).length;
    if (missing > 0)
      throw new StoreError("misconfigured", `${missing} rollups of ${measurement} did not arrive in their own place`);
    return lines.length;
  }

  async function removeCopied(measurement: string, before: number): Promise<void> {
    const { text, values } = queries.marks(measurement);
    try {
      for await (const series of raw.query(text, values))
        for (const [, mark] of series.values)
          if (!Number.isNaN(dayOfMark(installation, String(mark)) ?? 0))
            await raw.remove({ measurement, mark: String(mark), before });
    } catch (error) {
      if (!(error instanceof StoreError) || error.kind === "unavailable") throw error;
      log.warn({ measurement, reason: error.message }, "rollups that were copied stay with the readings, too");
    }
  }

  function found(): RollupsFound | undefined {
    const keeps = parts.keeps();
    if (shared) return { keepsMs: keeps.raw, shared: shared.why };
    return memory.isApart() ? { keepsMs: keeps.own, broken } : undefined;
  }

  return {
    reading,
    writing,
    doubt() {
      isMoved = false;
    },
    found,
    async look() {
      await isUsable();
      await reading();
      return found();
    },
  };
}

const ROLLUPS = KINDS.flatMap((kind) =>
  ["hourly", "daily"].map((resolution): [Kind, string] => [kind, `${kind}_${resolution}`]),
);

/** Measurement and tags, and the time: what makes two lines one point. */
function keyOf(line: string): string {
  const [series, , time] = line.split(" ");
  return `${series} ${time}`;
}
