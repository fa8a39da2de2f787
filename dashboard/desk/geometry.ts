import { SEVERITIES, type Severity } from "../../model/alert.ts";
import type { Kind } from "../../model/kinds.ts";

/** A place in Web Mercator (EPSG:3857), 0 to 1 from the north-west corner of the world. */
export type MapPoint = { readonly x: number; readonly y: number };

export function project(lat: number, lon: number): MapPoint {
  const sin = Math.sin((lat * Math.PI) / 180);
  return { x: lon / 360 + 0.5, y: 0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI) };
}

export type Dot = MapPoint & {
  readonly id: string;
  readonly district: string;
  readonly kind: Kind;
  readonly severity: Severity | undefined;
  /** Of the scale of values, from low to high; undefined where no value is shown. */
  readonly step?: number | undefined;
  /** It has an open alert that people keep quiet. */
  readonly isQuieted?: boolean;
};

/** Sensors drawn as one. `place` in pixels; `alerting`: how many have an open alert, `quieted`: one that people keep quiet. */
export type Cluster = {
  /** Of its cell, see `cellOf`. */
  readonly cell: number;
  readonly x: number;
  readonly y: number;
  readonly count: number;
  readonly alerting: number;
  readonly quieted: number;
  readonly worst: Severity | undefined;
  /** The highest of theirs. */
  readonly step: number | undefined;
  /** One of them: the sensor itself where it is alone. */
  readonly first: Dot;
};

/** Gathers dots by the cells of a grid that is fixed to the ground, so that nothing flickers while the map moves. */
export function cluster(dots: readonly Dot[], worldPx: number, cellPx: number): Cluster[] {
  type Cell = {
    x: number;
    y: number;
    count: number;
    alerting: number;
    quieted: number;
    rank: number;
    step: number;
    first: Dot;
  };
  const cells = new Map<number, Cell>();
  for (const dot of dots) {
    const [x, y] = [dot.x * worldPx, dot.y * worldPx];
    const key = cellOf(dot, worldPx, cellPx);
    const rank = dot.severity === undefined ? -1 : SEVERITIES.indexOf(dot.severity);
    const cell = cells.get(key);
    const step = dot.step ?? -1;
    const [alerting, quieted] = [rank < 0 ? 0 : 1, dot.isQuieted ? 1 : 0];
    if (!cell) cells.set(key, { x, y, count: 1, alerting, quieted, rank, step, first: dot });
    else {
      cell.x += x;
      cell.y += y;
      cell.count += 1;
      cell.alerting += alerting;
      cell.quieted += quieted;
      if (rank > cell.rank) cell.rank = rank;
      if (step > cell.step) cell.step = step;
    }
  }
  return [...cells].map(([cell, { x, y, count, alerting, quieted, rank, step, first }]) => ({
    cell,
    x: x / count,
    y: y / count,
    count,
    alerting,
    quieted,
    worst: SEVERITIES[rank],
    step: step < 0 ? undefined : step,
    first,
  }));
}

/** Which cell of the grid a place falls into. */
export function cellOf({ x, y }: MapPoint, worldPx: number, cellPx: number): number {
  return Math.floor((x * worldPx) / cellPx) * 0x4000000 + Math.floor((y * worldPx) / cellPx);
}

/** The convex hull, in order around it (Andrew's monotone chain). Fewer than three places are answered as they are. */
export function hull(places: readonly MapPoint[]): readonly MapPoint[] {
  const sorted = [...places].sort((a, b) => a.x - b.x || a.y - b.y);
  if (sorted.length < 3) return sorted;
  const half = (ordered: readonly MapPoint[]) => {
    const chain: MapPoint[] = [];
    for (const place of ordered) {
      while (chain.length > 1 && turn(chain.at(-2)!, chain.at(-1)!, place) <= 0) chain.pop();
      chain.push(place);
    }
    return chain.slice(0, -1);
  };
  return [...half(sorted), ...half(sorted.toReversed())];
}

const ROUND_STEPS = 16;

/** The hull with so much air around it, its corners round. */
export function paddedHull(places: readonly MapPoint[], air: number): readonly MapPoint[] {
  const around = hull(places).flatMap(({ x, y }) =>
    Array.from({ length: ROUND_STEPS }, (_, i) => {
      const angle = (i * 2 * Math.PI) / ROUND_STEPS;
      return { x: x + air * Math.cos(angle), y: y + air * Math.sin(angle) };
    }),
  );
  return hull(around);
}

const turn = (a: MapPoint, b: MapPoint, c: MapPoint): number => (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
