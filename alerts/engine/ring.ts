/**
 * The recent readings of one sensor, oldest first, as rows of numbers: a city's worth of them costs the garbage
 * collector nothing. Row: key (its place in the order), measured at, received at, flags, then one value per metric
 * (NaN: not in this reading). Changed in place. A row is named by the offset of its first number in `data`, which is good until the next
 * change.
 */
export type Ring = { readonly width: number; data: Float64Array; start: number; end: number };

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
  return { width, data: new Float64Array(0), start: 0, end: 0 };
}

export const rowCount = ({ width, start, end }: Ring): number => (end - start) / width;

/** Room for one row at the end; answers its offset. */
export function append(ring: Ring): number {
  const { width, data } = ring;
  if (ring.end === data.length) makeRoom(ring);
  const row = ring.end;
  ring.end += width;
  return row;
}

function makeRoom(ring: Ring): void {
  const { width, data, start, end } = ring;
  const used = end - start;
  // Moved down only when half of it is free, so that moving costs each row a constant.
  const target = used * 2 <= data.length && used > 0 ? data : new Float64Array(Math.max(used * 2, ROWS_MIN * width));
  if (target === data) data.copyWithin(0, start, end);
  else target.set(data.subarray(start, end));
  ring.data = target;
  ring.start = 0;
  ring.end = used;
}

/** Room for one row before the first with a greater key; answers its offset. */
export function insert(ring: Ring, key: number): number {
  append(ring);
  const { width, data } = ring;
  let row = ring.end - width;
  while (row > ring.start && data[row - width + KEY]! > key) row -= width;
  data.copyWithin(row + width, row, ring.end - width);
  return row;
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

/** The first row after this key, or the end. From the end, because what is looked for is recent. */
export function firstAfter({ width, data, start, end }: Ring, key: number): number {
  let row = end;
  while (row > start && data[row - width + KEY]! > key) row -= width;
  return row;
}

/** Whether a reading of this time is among them. */
export function has({ width, data, start, end }: Ring, at: number): boolean {
  for (let row = end - width; row >= start; row -= width) if (data[row + AT] === at) return true;
  return false;
}
