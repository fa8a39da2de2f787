import type { Kind } from "../../model/kinds.ts";

/** One alert that is counted. `begunAt`: when its condition began to hold; for silence, when the sensor was last heard. */
export type Child = {
  readonly id: string;
  readonly sensorId: string;
  readonly kind: Kind;
  readonly begunAt: number;
  readonly firedAt: number;
  readonly endedAt: number | undefined;
};

/** A time in which enough alerts fired together. Changed in place by the head count that made it. */
export type Episode = {
  readonly startedAt: number;
  endedAt: number | undefined;
  /** The sensors that were watched there when it began. */
  readonly watched: number;
  /** Everyone who was counted at any time of it. */
  readonly children: Map<string, Child>;
};

export type QuorumParams = { readonly count: number; readonly share: number; readonly withinMs: number | undefined };

type Event = { readonly at: number; readonly begins: boolean; readonly child: Child };

/**
 * Counts firing alerts over event time. An episode begins when `count` of them and `share` of the watched sensors fire,
 * having begun within `within` of each other, and ends when too few of those that were counted are left. Who fires while
 * it lasts, belongs to it. At the same moment ends come before beginnings.
 *
 * `watched(at)`: how many sensors the counted rule watched at that time.
 */
export function createHeadcount(params: QuorumParams, watched: (at: number) => number) {
  const firing = new Map<string, Child>();
  const episodes: Episode[] = [];
  let open: Episode | undefined;
  /** Of the open episode's children, those that still fire. */
  let left = 0;
  let last: Event | undefined;

  const isEnough = (count: number, at: number) => count >= params.count && count >= params.share * watched(at) - 1e-9;

  function step(event: Event): void {
    last = event;
    if (event.begins) begin(event.child, event.at);
    else end(event.child, event.at);
  }

  function begin(child: Child, at: number): void {
    firing.set(child.id, child);
    if (open) {
      open.children.set(child.id, child);
      left += 1;
      return;
    }
    if (!isEnough(firing.size, at)) return;
    const counted = together(firing, params.withinMs);
    if (!isEnough(counted.length, at)) return;
    const children = new Map(counted.map((one) => [one.id, one]));
    open = { startedAt: at, endedAt: undefined, watched: Math.max(watched(at), counted.length), children };
    left = counted.length;
    episodes.push(open);
  }

  function end(child: Child, at: number): void {
    firing.delete(child.id);
    if (!open?.children.has(child.id)) return;
    open.children.set(child.id, child);
    left -= 1;
    if (isEnough(left, at)) return;
    open.endedAt = at;
    open = undefined;
  }

  return {
    episodes: episodes as readonly Episode[],
    step,
    /** Whether the event comes after everything that was counted. */
    isNext: (event: Event) => last === undefined || compare(last, event) <= 0,
  };
}

export const beginning = (child: Child): Event => ({ at: child.firedAt, begins: true, child });
export const ending = (child: Child): Event => ({ at: child.endedAt!, begins: false, child });

/** All that happened to these alerts, in event-time order. An alert that ended as it began was never there. */
export function eventsOf(children: Iterable<Child>): Event[] {
  const events: Event[] = [];
  for (const child of children) {
    if (child.endedAt !== undefined && child.endedAt <= child.firedAt) continue;
    events.push(beginning(child));
    if (child.endedAt !== undefined) events.push(ending(child));
  }
  return events.sort(compare);
}

function compare(a: Event, b: Event): number {
  return a.at - b.at || Number(a.begins) - Number(b.begins);
}

/** The most alerts that began within `withinMs` of each other; of equally many, the earliest. */
function together(firing: ReadonlyMap<string, Child>, withinMs: number | undefined): Child[] {
  if (withinMs === undefined) return [...firing.values()];
  const sorted = [...firing.values()].sort((a, b) => a.begunAt - b.begunAt);
  let best: readonly [from: number, to: number] = [0, 0];
  let from = 0;
  for (let to = 1; to <= sorted.length; to++) {
    while (sorted[to - 1]!.begunAt - sorted[from]!.begunAt > withinMs) from += 1;
    if (to - from > best[1] - best[0]) best = [from, to];
  }
  return sorted.slice(...best);
}
