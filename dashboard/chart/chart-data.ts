/** Lines beside the one that a chart is about: each has a colour and a dash of its own. */
export const OTHERS = ["other-1", "other-2", "other-3", "other-4"] as const;
export type Tone = "accent" | "calm" | "critical" | "warning" | "info" | "quiet" | (typeof OTHERS)[number];

/** Time in epoch milliseconds; no value is a gap. */
export type Point = readonly [at: number, value: number | undefined];

export type Series = {
  readonly label: string;
  readonly tone: Tone;
  /** In order of time. */
  readonly points: readonly Point[];
  /** Lengths of its dashes and of what is between them. */
  readonly dash?: readonly number[];
  /** Lowest and highest of each step, drawn as a band around the line. */
  readonly range?: readonly (readonly [low: number, high: number] | undefined)[];
  /** What is said of single values in the table, by their time. */
  readonly notes?: ReadonlyMap<number, string>;
};

type Mark = {
  readonly at: number;
  readonly value: number;
  readonly tone: Tone;
  /** A cross is no value to go by: one that is far away from the others stands at the edge. */
  readonly shape?: "dot" | "ring" | "cross";
};

export type ChartData = {
  readonly from: number;
  readonly to: number;
  readonly unit: string;
  readonly series: readonly Series[];
  /** Horizontal: limits. */
  readonly levels?: readonly { readonly value: number; readonly label: string; readonly tone: Tone }[];
  /** Vertical: windows, spans of suspect values, times without data. */
  readonly bands?: readonly {
    readonly from: number;
    readonly to: number;
    readonly tone: Tone;
    /** A moment: narrow, and to be seen all the same. */
    readonly isMoment?: true;
  }[];
  /** A bar along the upper edge: when alerts were firing. */
  readonly spans?: readonly { readonly from: number; readonly to: number; readonly tone: Tone }[];
  /** A range of values that fills the height at least: less of it is noise. */
  readonly heightMin?: number;
  /** Single readings that matter. */
  readonly marks?: readonly Mark[];
};

/**
 * The columns uPlot wants: all times once, and for each series its values at those times. `null` is a gap, `undefined`
 * is no sample of this series and joins over.
 */
export function toColumns(series: readonly Series[]): [number[], ...(number | null | undefined)[][]] {
  const times = [...new Set(series.flatMap(({ points }) => points.map(([at]) => at)))].sort((a, b) => a - b);
  const columns = series.map(({ points }) => {
    const values = new Map(points.map(([at, value]) => [at, value ?? null]));
    return times.map((at) => values.get(at));
  });
  return [times.map((at) => at / 1_000), ...columns];
}

/** Lowest and highest that must be seen, with some air: all values, and the levels unless they are far away. */
export function valueRange({ series, levels = [], marks = [], heightMin = 0 }: ChartData): [number, number] {
  const values = [
    ...series.flatMap(({ points }) => points.flatMap(([, value]) => (value === undefined ? [] : [value]))),
    ...series.flatMap(({ range = [] }) => range.flatMap((pair) => pair ?? [])),
    ...marks.flatMap(({ shape, value }) => (shape === "cross" ? [] : [value])),
  ];
  const [low, high] = values.length === 0 ? [0, 1] : [values.reduce(min), values.reduce(max)];
  // Nothing but zeros: a range that has round numbers on its axis.
  if (low === 0 && high === 0 && levels.length === 0) return [0, 1];
  const span = Math.max(high - low, Math.abs(high) * 0.1, heightMin, 1e-9);
  const within = (spans: number, all: readonly { readonly value: number }[]) =>
    all.flatMap(({ value }) => (value > low - spans * span && value < high + spans * span ? [value] : []));
  const near = [...within(1, levels), ...within(2, marks)];
  const [bottom, top] = [near.reduce(min, low), near.reduce(max, high)];
  const missing = Math.max(0, span - (top - bottom)) / 2;
  const air = missing + Math.max(top - bottom, span) * 0.08;
  // What cannot be below zero does not get room there.
  const isFloor = low >= 0 && bottom - air < 0;
  return isFloor ? [Math.min(0, bottom), Math.max(top + air, span)] : [bottom - air, top + air];
}

const min = (a: number, b: number) => (a < b ? a : b);
const max = (a: number, b: number) => (a > b ? a : b);

export type Gap = { readonly from: number; readonly to: number };

/** The line ends before a gap and begins anew after it. */
export function breakAt(points: readonly Point[], gaps: readonly Gap[]): Point[] {
  const breaks = gaps.map(({ from, to }): Point => [(from + to) / 2, undefined]);
  return breaks.length === 0 ? [...points] : [...points, ...breaks].sort(([a], [b]) => a - b);
}

/** A single value between breaks has no line to be seen by. */
export function isolatedIn(column: readonly (number | null | undefined)[]): number[] {
  const said = column.flatMap((value, at) => (value === undefined ? [] : [{ value, at }]));
  const isBreak = (one: (typeof said)[number] | undefined) => (one?.value ?? null) === null;
  return said.flatMap((one, i) => (!isBreak(one) && isBreak(said[i - 1]) && isBreak(said[i + 1]) ? [one.at] : []));
}
