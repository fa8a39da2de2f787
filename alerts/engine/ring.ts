/**
 * The recent readings of one sensor, oldest first, as rows of numbers: a city's worth of them costs the garbage
 * collector nothing. Row: key (its place in the order), measured at, received at, flags, then one value per metric
 * (NaN: not in this reading). Changed in place. A row is named by the offset of its first number in `data`, which is good until the next
 * change.
 */
export type Ring = {
  readonly width: number;
  data: Float64Array;
  start: number;
  end: number;
  /** Some rows are not at the place of the time they were measured at. */
  hasBehind: boolean;
};

export const KEY = 0;
export const AT = 1;
export const RECEIVED = 2;
export const FLAGS = 3;
export const VALUES = 4;

export const IMPORTED = 1;
/** The row is in a chunk on disk that is written no more. */
export const SAVED = 2;
/** The value of this metric is suspect. */
export const suspectBit = (metric: number) => 4 << metric;

const ROWS_MIN = 4;

export function createRing(metrics: number): Ring {
  const width = VALUES + metrics;
  return { width, data: new Float64Array(0), start: 0, end: 0, hasBehind: false };
}

export const rowCount = ({ width, start, end }: Ring): number => (end - start) / width;

/** Room for one row at the end; answers its offset. */
export function append(ring: Ring): number {
  const { width, data } = ring;
  if (ring.end === data.length) makeRoom(ring, width);
  const row = ring.end;
  ring.end += width;
  return row;
}

function makeRoom(ring: Ring, more: number): void {
  const { width, data, start, end } = ring;
  const used = end - start;
  const wanted = Math.max(used * 2, used + more, ROWS_MIN * width);
  // Moved down only when half of it is free, so that moving costs each row a constant.
  const target = wanted <= data.length && used > 0 ? data : new Float64Array(wanted);
  if (target === data) data.copyWithin(0, start, end);
  else target.set(data.subarray(start, end));
  ring.data = target;
  ring.start = 0;
  ring.end = used;
}

/** A copy of the rows after this key. */
export function copyAfter(ring: Ring, key: number): Ring {
  const { width, data, end, hasBehind } = ring;
  const rows = data.slice(firstAfter(ring, key), end);
  return { width, data: rows, start: 0, end: rows.length, hasBehind };
}

/** The first so many rows one after the other, by their key. */
export function sortedRows({ width, data, start, end: last }: Ring, max: number): Float64Array {
  const offsets: number[] = [];
  const end = Math.min(last, start + max * width);
  for (let row = start; row < end; row += width) offsets.push(row);
  offsets.sort((a, b) => data[a + KEY]! - data[b + KEY]!);
  const rows = new Float64Array(end - start);
  for (let i = 0; i < offsets.length; i++) rows.set(data.subarray(offsets[i]!, offsets[i]! + width), i * width);
  return rows;
}

/** Takes these rows, which are sorted, each to its place. */
export function merge(ring: Ring, rows: Float64Array): void {
  if (ring.end + rows.length > ring.data.length) makeRoom(ring, rows.length);
  const { width, data, start } = ring;
  let from = ring.end;
  let to = ring.end + rows.length;
  ring.end = to;
  // From the back, until all have their place: what comes before them stays where it is.
  for (let next = rows.length; next > 0; ) {
    to -= width;
    if (from > start && data[from - width + KEY]! > rows[next - width + KEY]!) {
      from -= width;
      data.copyWithin(to, from, from + width);
    } else {
      next -= width;
      data.set(rows.subarray(next, next + width), to);
    }
  }
}

/** Forgets the rows up to this key; answers how many of them were measured after `since`. */
export function dropTo(ring: Ring, key: number, since: number): number {
  const { width, data } = ring;
  let young = 0;
  while (ring.start < ring.end && data[ring.start + KEY]! <= key) {
    if (data[ring.start + AT]! > since) young += 1;
    ring.start += width;
  }
  return young;
}

/** The first row after this key, or the end. */
export function firstAfter({ width, data, start, end }: Ring, key: number): number {
  let low = 0;
  let high = (end - start) / width;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (data[start + middle * width + KEY]! <= key) low = middle + 1;
    else high = middle;
  }
  return start + low * width;
}

/** The rows of this time. */
export function rowsAt(ring: Ring, at: number): readonly number[] {
  if (ring.hasBehind) return scanRows(ring, at);
  const row = firstAfter(ring, at) - ring.width;
  return row >= ring.start && ring.data[row + AT] === at ? [row] : NO_ROWS;
}

const NO_ROWS: readonly number[] = [];

/** The same of rows in any order. */
export function scanRows({ width, data, start, end }: Ring, at: number): readonly number[] {
  const rows: number[] = [];
  for (let row = start; row < end; row += width) if (data[row + AT] === at) rows.push(row);
  return rows;
}
