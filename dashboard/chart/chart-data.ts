export type Tone = "accent" | "calm" | "critical" | "warning" | "info" | "quiet";

/** Time in epoch milliseconds; no value is a gap. */
export type Point = readonly [at: number, value: number | undefined];

export type Series = {
  readonly label: string;
  readonly tone: Tone;
  /** In order of time. */
  readonly points: readonly Point[];
  readonly dashed?: true;
  /** Lowest and highest of each step, drawn as a band around the line. */
  readonly range?: readonly (readonly [low: number, high: number])[];
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
export function valueRange({ series, levels = [], marks = [] }: ChartData): [number, number] {
  const values = [
    ...series.flatMap(({ points }) => points.flatMap(([, value]) => (value === undefined ? [] : [value]))),
    ...series.flatMap(({ range = [] }) => range.flat()),
    ...marks.flatMap(({ shape, value }) => (shape === "cross" ? [] : [value])),
  ];
  const [low, high] = values.length === 0 ? [0, 1] : [values.reduce(min), values.reduce(max)];
  // Nothing but zeros: a range that has round numbers on its axis.
  if (low === 0 && high === 0 && levels.length === 0) return [0, 1];
  const span = Math.max(high - low, Math.abs(high) * 0.1, 1e-9);
  const wished = [...levels, ...marks].map(({ value }) => value);
  const near = wished.filter((value) => value > low - 2 * span && value < high + 2 * span);
  const [bottom, top] = [near.reduce(min, low), near.reduce(max, high)];
  const air = Math.max(top - bottom, span) * 0.08;
  // What cannot be below zero does not get room there.
  return [low >= 0 && bottom - air < 0 ? Math.min(0, bottom) : bottom - air, top + air];
}

const min = (a: number, b: number) => (a < b ? a : b);
const max = (a: number, b: number) => (a > b ? a : b);

/** A gap of more than three times the usual step breaks the line. */
export function withGaps(points: readonly Point[], stepMs?: number): Point[] {
  const usual = stepMs ?? usualStep(points);
  return points.flatMap(([at, value], i): Point[] => {
    const before = points[i - 1]?.[0];
    const isGap = before !== undefined && usual !== undefined && at - before > 3 * usual;
    return isGap
      ? [
          [before + usual, undefined],
          [at, value],
        ]
      : [[at, value]];
  });
}

function usualStep(points: readonly Point[]): number | undefined {
  const steps = points.slice(1).map(([at], i) => at - points[i]![0]);
  return steps.length < 3 ? undefined : steps.sort((a, b) => a - b)[steps.length >> 1];
}
