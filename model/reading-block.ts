import type { Kind } from "./kinds.ts";
import type { MetricName } from "./metrics.ts";
import type { Quality, Reading, Values } from "./reading.ts";

/** Whose readings, and of what kind: what many rows of a block have in common. */
export type Origin = {
  readonly sensorId: string;
  readonly kind: Kind;
  readonly district: string;
  readonly quality?: Quality;
  readonly imported?: boolean;
  readonly clock?: true;
};

/**
 * Many readings as columns of numbers: quick to fill from a columnar store and free to hand to another thread.
 * `columns` holds one column of `rows` numbers after the other: `FIXED` first, then one for each metric, NaN where the
 * reading has no such value.
 */
export type ReadingBlock = {
  readonly rows: number;
  readonly metrics: readonly MetricName[];
  readonly columns: Float64Array<ArrayBuffer>;
  /** Origins that came up with this block: their numbers go on from those of the blocks before it. */
  readonly origins: readonly Origin[];
  /** What few readings have, with the row it belongs to. */
  readonly rare?: readonly Rare[];
};

type Rare = Pick<Reading, "seq" | "raw"> & { readonly row: number };

/** The number of the origin, then three fields of every reading. */
export const FIXED = ["origin", "measuredAt", "receivedAt", "journalSeq"] as const;

/** Turns the blocks of one scan, in their order, back into readings. */
export function createBlockReader(): (block: ReadingBlock) => Reading[] {
  const origins: Origin[] = [];
  return function read({ rows, metrics, columns, origins: fresh, rare = [] }) {
    for (const one of fresh) origins.push(one);
    const readings: Reading[] = new Array(rows);
    for (let row = 0; row < rows; row++) {
      const { sensorId, kind, district, quality, imported, clock } = origins[columns[row]!]!;
      const reading: { -readonly [Key in keyof Reading]: Reading[Key] } = {
        sensorId,
        kind,
        district,
        measuredAt: columns[rows + row]!,
        receivedAt: columns[2 * rows + row]!,
        values: valuesOf(columns, metrics, rows, row),
        journalSeq: columns[3 * rows + row]!,
      };
      if (quality) reading.quality = quality;
      if (imported) reading.imported = true;
      if (clock) reading.clock = true;
      readings[row] = reading;
    }
    for (const { row, ...fields } of rare) Object.assign(readings[row]!, fields);
    return readings;
  };
}

function valuesOf(columns: Float64Array, metrics: readonly MetricName[], rows: number, row: number): Values {
  const values: Values = {};
  for (let i = 0, at = FIXED.length * rows + row; i < metrics.length; i++, at += rows) {
    const value = columns[at]!;
    // Only NaN differs from itself.
    // biome-ignore lint/suspicious/noSelfCompare: twice as fast as Number.isNaN here
    if (value === value) values[metrics[i]!] = value;
  }
  return values;
}

/** Numbers origins in the order they come up, for the writer of blocks. */
export function createOriginNumbers() {
  const numbers = new Map<string, number>();
  let fresh: Origin[] = [];
  return {
    numberOf(origin: Origin): number {
      const { sensorId, kind, district, quality, imported, clock } = origin;
      const flags = `${quality ? Object.keys(quality).join() : ""} ${imported === true} ${clock === true}`;
      const key = `${kind} ${sensorId} ${district} ${flags}`;
      const known = numbers.get(key);
      if (known !== undefined) return known;
      numbers.set(key, numbers.size);
      fresh.push(origin);
      return numbers.size - 1;
    },
    /** Those that have come up since the last call. */
    takeFresh(): readonly Origin[] {
      const taken = fresh;
      fresh = [];
      return taken;
    },
  };
}

/** The other way: readings as a block. `numbers` is that of the whole scan. */
export function packReadings(
  readings: readonly Reading[],
  numbers: ReturnType<typeof createOriginNumbers>,
): ReadingBlock {
  const rows = readings.length;
  const metrics = [...new Set(readings.flatMap(({ values }) => Object.keys(values)))] as MetricName[];
  const columns = new Float64Array(rows * (FIXED.length + metrics.length)).fill(Number.NaN, FIXED.length * rows);
  const place = new Map<string, number>(metrics.map((metric, i) => [metric, (FIXED.length + i) * rows]));
  const rare: Rare[] = [];
  readings.forEach(({ measuredAt, receivedAt, journalSeq, values, seq, raw, ...origin }, row) => {
    if (seq !== undefined || raw) rare.push({ row, ...(seq !== undefined && { seq }), ...(raw && { raw }) });
    columns.set([numbers.numberOf(origin)], row);
    columns[rows + row] = measuredAt;
    columns[2 * rows + row] = receivedAt;
    columns[3 * rows + row] = journalSeq;
    for (const [metric, value] of Object.entries(values)) columns[place.get(metric)! + row] = value;
  });
  return { rows, metrics, columns, origins: numbers.takeFresh(), ...(rare.length > 0 && { rare }) };
}
