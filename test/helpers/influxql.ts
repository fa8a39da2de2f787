import type { Field } from "./line-protocol.ts";

type Cell = Field["value"] | null;
export type Bucket = {
  readonly id: string;
  readonly orgID: string;
  readonly name: string;
  /** 0: for ever. */
  readonly retentionMs: number;
  readonly measurements: Map<string, Measurement>;
};
type OneSeries = {
  readonly tags: Readonly<Record<string, string>>;
  readonly points: Map<number, Map<string, Field["value"]>>;
};
export type Measurement = { readonly types: Map<string, string>; readonly series: Map<string, OneSeries> };

export const seriesKey = (tags: Readonly<Record<string, string>>) => JSON.stringify(Object.entries(tags).sort());

type Column =
  | { readonly is: "pattern"; readonly pattern: RegExp }
  | { readonly is: "tag" | "field"; readonly name: string }
  | { readonly is: "aggregate"; readonly of: string; readonly name: string };
type Select = {
  readonly columns: readonly Column[];
  readonly from: readonly string[];
  readonly conditions: readonly Condition[];
  readonly everyMs?: number;
  readonly groupBy: readonly string[];
  readonly descending: boolean;
  readonly limit: number;
  /** SHOW TAG VALUES of this key. */
  readonly showKey?: string;
};
type Condition =
  | { readonly on: "time"; readonly op: string; readonly at: number }
  | { readonly on: "tag" | "field"; readonly name: string; fits(value: string): boolean };

const names = (text: string) => [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, name]) => name!);

/** The InfluxQL that the service sends, and nothing else: throws on anything it does not know. */
export function parseSelect(text: string, values: Readonly<Record<string, string>>): Select {
  const show = /^\s*SHOW TAG VALUES FROM (.+) WITH KEY = "(\w+)"$/s.exec(text);
  const none = { columns: [], conditions: [], groupBy: [], descending: false, limit: Number.POSITIVE_INFINITY };
  if (show) return { ...none, from: names(show[1]!), showKey: show[2]! };
  const parts =
    /^\s*SELECT (.+?)\s+FROM ((?:"[^"]+"(?:, )?)+)(?:\s+WHERE (.+?))?(?:\s+GROUP BY (.+?))?(?: fill\(none\))?(?:\s+ORDER BY time( DESC)?)?(?: LIMIT (\d+))?\s*$/s.exec(
      text,
    );
  if (!parts) throw new Error(`InfluxQL nobody expected: ${text}`);
  const [, columns = "", from = "", where = "", group = "", descending, limit] = parts;
  const every = /time\((\d+)(ms|d)\)/.exec(group);
  return {
    columns: splitColumns(columns).map(parseColumn),
    from: names(from),
    conditions: where ? where.split(/ AND /).map((one) => parseCondition(one.trim(), values)) : [],
    groupBy: names(group),
    descending: descending !== undefined,
    limit: Number(limit ?? Number.POSITIVE_INFINITY),
    ...(every ? { everyMs: Number(every[1]) * (every[2] === "d" ? 86_400_000 : 1) } : {}),
  };
}

function splitColumns(text: string): string[] {
  return text.match(/\/.*?\/|[^,\s][^,]*/g) ?? [];
}

function parseColumn(text: string): Column {
  if (text.startsWith("/")) return { is: "pattern", pattern: new RegExp(text.slice(1, -1)) };
  const plain = /^"(\w+)"::(tag|string|float)$/.exec(text);
  if (plain) return { is: plain[2] === "tag" ? "tag" : "field", name: plain[1]! };
  const aggregate = /^(mean|min|max|count|sum|last)\("(\w+)"::(?:string|float)\)$/.exec(text);
  if (!aggregate) throw new Error(`a column nobody expected: ${text}`);
  return { is: "aggregate", of: aggregate[1]!, name: aggregate[2]! };
}

function parseCondition(text: string, values: Readonly<Record<string, string>>): Condition {
  const either = /^\((.+) OR (.+)\)$/s.exec(text);
  if (either) {
    const ways = [either[1]!, either[2]!].map((one) => parseCondition(one, values));
    const [one] = ways;
    if (!one || one.on === "time") throw new Error(`a condition nobody expected: ${text}`);
    return { ...one, fits: (value) => ways.some((way) => way.on !== "time" && way.fits(value)) };
  }
  const time = /^time (<|<=|=|>=|>) (?:\$(\w+)|now\(\) - 1m)$/.exec(text);
  if (time) return { on: "time", op: time[1]!, at: time[2] ? Date.parse(values[time[2]]!) : Date.now() - 60_000 };
  const other = /^"(\w+)"::(tag|string) (?:= \$(\w+)|= '(\w*)'|(=~|!~) \/(.+)\/)$/s.exec(text);
  if (!other) throw new Error(`a condition nobody expected: ${text}`);
  const [, name = "", on, bound, literal, match, pattern] = other;
  const matcher = pattern === undefined ? undefined : new RegExp(pattern);
  const fits = (value: string) =>
    matcher ? matcher.test(value) === (match === "=~") : value === (literal ?? values[bound!]);
  return { on: on === "tag" ? "tag" : "field", name, fits };
}

const COMPARE: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  "=": (a, b) => a === b,
  ">=": (a, b) => a >= b,
  ">": (a, b) => a > b,
};

type Row = { readonly time: number; readonly tags: OneSeries["tags"]; readonly fields: Map<string, Field["value"]> };
export type AnswerSeries = {
  readonly name: string;
  readonly tags?: Record<string, string>;
  readonly columns: string[];
  readonly values: Cell[][];
};

/** One series for each group, in parts of at most `chunkRows`. */
export function answerSelect(bucket: Bucket, select: Select, chunkRows: number): AnswerSeries[] {
  return select.from.flatMap((name) => {
    const measurement = bucket.measurements.get(name);
    if (!measurement) return [];
    if (select.showKey !== undefined) return tagValues(name, measurement, select.showKey);
    const groups = Map.groupBy(rowsOf(bucket, measurement, select), ({ tags }) =>
      JSON.stringify(select.groupBy.map((tag) => tags[tag] ?? "")),
    );
    return [...groups]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([key, rows]) => {
        const tags = Object.fromEntries(select.groupBy.map((tag, n) => [tag, (JSON.parse(key) as string[])[n]!]));
        const { columns, values } = tableOf(measurement, select, rows);
        const shape = { name, ...(select.groupBy.length > 0 ? { tags } : {}), columns };
        const parts = Math.ceil(values.length / chunkRows);
        return Array.from({ length: parts }, (_, n) => ({
          ...shape,
          values: values.slice(n * chunkRows, (n + 1) * chunkRows),
        }));
      });
  });
}

function tagValues(name: string, { series }: Measurement, key: string): AnswerSeries[] {
  const values = new Set([...series.values()].flatMap(({ tags }) => tags[key] ?? []));
  return values.size > 0 ? [{ name, columns: ["key", "value"], values: [...values].sort().map((v) => [key, v]) }] : [];
}

function rowsOf({ retentionMs }: Bucket, { series }: Measurement, { conditions }: Select): Row[] {
  const oldest = retentionMs ? Date.now() - retentionMs : Number.NEGATIVE_INFINITY;
  const rows: Row[] = [];
  for (const { tags, points } of series.values()) {
    if (!conditions.every((one) => one.on !== "tag" || one.fits(tags[one.name] ?? ""))) continue;
    for (const [time, fields] of points) {
      const fits = conditions.every((one) => {
        if (one.on === "tag") return true;
        if (one.on === "time") return COMPARE[one.op]!(time, one.at);
        const value = fields.get(one.name);
        return value !== undefined && one.fits(String(value));
      });
      if (fits && time >= oldest) rows.push({ time, tags, fields });
    }
  }
  return rows.sort((a, b) => a.time - b.time);
}

function tableOf(
  measurement: Measurement,
  select: Select,
  rows: readonly Row[],
): { columns: string[]; values: Cell[][] } {
  const isAggregate = select.columns[0]?.is === "aggregate";
  if (isAggregate) return aggregateTable(select, rows);
  const tagNames = new Set([...measurement.series.values()].flatMap(({ tags }) => Object.keys(tags)));
  const columns = select.columns.flatMap((column) => {
    if (column.is !== "pattern") return [column];
    const fields = [...measurement.types.keys()].filter((name) => column.pattern.test(name));
    const tags = [...tagNames].filter((name) => column.pattern.test(name) && !select.groupBy.includes(name));
    return [
      ...fields.sort().map((name) => ({ is: "field", name }) as const),
      ...tags.map((name) => ({ is: "tag", name: fields.includes(name) ? `${name}_1` : name }) as const),
    ];
  });
  const ordered = select.descending ? rows.toReversed() : rows;
  const values = ordered.flatMap((row) => {
    const cells = columns.map(
      ({ is, name }): Cell =>
        is === "tag" ? (row.tags[name as string] ?? null) : (row.fields.get(name as string) ?? null),
    );
    // A row of tags alone is no row.
    return columns.some(({ is }, n) => is === "field" && cells[n] !== null) ? [[row.time, ...cells]] : [];
  });
  return { columns: ["time", ...columns.map(({ name }) => name as string)], values: values.slice(0, select.limit) };
}

function aggregateTable({ columns, everyMs }: Select, rows: readonly Row[]) {
  const [first] = columns;
  // A selector alone, without a step, has the time of the point it selects.
  if (columns.length === 1 && everyMs === undefined && first?.is === "aggregate" && first.of === "last") {
    const newest = rows.filter(({ fields }) => fields.has(first.name)).at(-1);
    const values: Cell[][] = newest ? [[newest.time, newest.fields.get(first.name) as number]] : [];
    return { columns: ["time", "last"], values };
  }
  const startOf = (time: number) => (everyMs ? time - (((time % everyMs) + everyMs) % everyMs) : 0);
  const values = [...Map.groupBy(rows, ({ time }) => startOf(time))].flatMap(([start, ofBucket]): Cell[][] => {
    const cells = columns.map((column): Cell => {
      if (column.is !== "aggregate") throw new Error("aggregates and plain columns together");
      const all = ofBucket.flatMap(({ fields }) => fields.get(column.name) ?? []);
      return all.length === 0 ? null : AGGREGATES[column.of]!(all as number[]);
    });
    return cells.some((cell) => cell !== null) ? [[start, ...cells]] : [];
  });
  return { columns: ["time", ...columns.map((one) => (one.is === "aggregate" ? one.of : ""))], values };
}

const sum = (all: readonly number[]) => all.reduce((a, b) => a + b, 0);
const AGGREGATES: Readonly<Record<string, (all: readonly number[]) => number>> = {
  mean: (all) => sum(all) / all.length,
  min: (all) => all.reduce((a, b) => Math.min(a, b)),
  max: (all) => all.reduce((a, b) => Math.max(a, b)),
  count: (all) => all.length,
  last: (all) => all.at(-1)!,
  sum,
};
