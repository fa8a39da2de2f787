import type { Subject } from "../../model/alert.ts";
import { LATE_AFTER_MS } from "../../model/reading.ts";
import {
  beginning,
  type Child,
  createHeadcount,
  type Episode,
  ending,
  eventsOf,
  type QuorumParams,
} from "./headcount.ts";
import { createWatched } from "./watched.ts";

/** What was told of an episode. `children`: their ids. */
export type Said = {
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  readonly watched: number;
  readonly children: readonly string[];
};

/** What has to be told now: of an episode as it is, or (retracted) of one that never was. */
export type News = {
  readonly what: "firing" | "joined" | "resolved" | "corrected" | "retracted";
  readonly episode: Said;
};

export type GroupJson = { children: Child[]; said: Said[]; newestAt: number | null };

/** Nothing that ended before this time is looked at again: twice the allowed lateness, so that every correction is in. */
const SETTLED_AFTER_MS = 2 * LATE_AFTER_MS;
/** A grown episode is told again when it has grown by a tenth: a storm of n alerts makes about log(n) entries. */
const GROWN_BY = 1.1;
/** One that is over is told again for every child up to so many. */
const TOLD_EACH_MAX = 200;

/** The alerts of one rule in one place (a district, a gateway, one value of a tag) and what was said about them. */
export function createGroup(subject: Subject, params: QuorumParams) {
  const watched = createWatched();
  let children = new Map<string, Child>();
  let headcount = createHeadcount(params, watched.countAt);
  let said: Said[] = [];
  let newestAt = Number.NEGATIVE_INFINITY;
  let rebuilt = false;
  /** The past has changed: it is counted anew when somebody asks what is new, once for all changes until then. */
  let isStale = false;
  let putsSinceForgotten = 0;

  /** An alert as it is now; undefined: it never was. Answers whether that changed anything. */
  function put(id: string, child: Child | undefined): boolean {
    const former = children.get(id);
    if (former === child || (former && child && isSame(former, child))) return false;
    if (child) children.set(id, child);
    else children.delete(id);
    putsSinceForgotten += 1;
    newestAt = Math.max(newestAt, child?.endedAt ?? child?.firedAt ?? newestAt);
    if (isStale || !child || !stepOn(former, child)) isStale = true;
    return true;
  }

  /** The fast path: it goes on from where the count is. False: the past has changed. */
  function stepOn(former: Child | undefined, child: Child): boolean {
    if (former && (former.firedAt !== child.firedAt || former.begunAt !== child.begunAt)) return false;
    if (former?.endedAt !== undefined || (child.endedAt !== undefined && child.endedAt <= child.firedAt)) return false;
    const events = [...(former ? [] : [beginning(child)]), ...(child.endedAt === undefined ? [] : [ending(child)])];
    for (const event of events) {
      if (!headcount.isNext(event)) return false;
      headcount.step(event);
    }
    return true;
  }

  function rebuild(): void {
    headcount = createHeadcount(params, watched.countAt);
    for (const event of eventsOf(children.values())) headcount.step(event);
    rebuilt = true;
    isStale = false;
  }

  /** A sensor is watched here from `firstAt` on. Answers whether that may have changed the past. */
  function join(firstAt: number, formerly?: number): boolean {
    if (formerly !== undefined) watched.remove(formerly);
    watched.add(firstAt);
    if (children.size === 0 || firstAt > newestAt || !hasChanges(firstAt, formerly)) return false;
    isStale = true;
    return true;
  }

  /** Something happened in [from, to): only there one more sensor is watched. */
  function hasChanges(from: number, to = Number.POSITIVE_INFINITY): boolean {
    for (const { firedAt, endedAt } of children.values()) {
      if (firedAt >= from && firedAt < to) return true;
      if (endedAt !== undefined && endedAt >= from && endedAt < to) return true;
    }
    return false;
  }

  /** What is new since the last call. */
  function news(): News[] {
    if (isStale) rebuild();
    const settledTo = newestAt - SETTLED_AFTER_MS;
    const isOpen = ({ endedAt }: { endedAt: number | undefined }) => endedAt === undefined || endedAt > settledTo;
    const now = headcount.episodes.filter(isOpen);
    const former = new Map(said.filter(isOpen).map((one) => [one.startedAt, one]));
    const found: News[] = [];
    for (const [startedAt, episode] of former) {
      if (!now.some((one) => one.startedAt === startedAt)) found.push({ what: "retracted", episode });
    }
    said = now.map((episode) => {
      const before = former.get(episode.startedAt);
      const told = whatIsNew(before, episode, rebuilt);
      if (told.length === 0) return before!;
      const after = toSaid(episode);
      for (const what of told)
        found.push({ what, episode: what === "firing" ? { ...after, endedAt: undefined } : after });
      return after;
    });
    rebuilt = false;
    forget(settledTo, now);
    return found;
  }

  /** Keeps what fires, what belongs to an episode that is still looked at, and what ended lately. */
  function forget(settledTo: number, episodes: readonly Episode[]): void {
    if (putsSinceForgotten < 16 + children.size / 2) return;
    putsSinceForgotten = 0;
    for (const [id, { endedAt }] of children) {
      if (endedAt === undefined || endedAt > settledTo) continue;
      if (!episodes.some((episode) => episode.children.has(id))) children.delete(id);
    }
  }

  return {
    subject,
    watched,
    put,
    join,
    news,
    child: (id: string) => children.get(id),
    /** What one sensor brought in: it goes with it to another place. */
    childrenOf: (sensorId: string) => [...children.values()].filter((child) => child.sensorId === sensorId),
    said: () => said,
    isEmpty: () => children.size === 0 && said.length === 0,
    toJson: (): GroupJson => ({ children: [...children.values()], said, newestAt }),
    restore(json: GroupJson): void {
      children = new Map(json.children.map((child) => [child.id, child]));
      said = json.said;
      newestAt = json.newestAt ?? Number.NEGATIVE_INFINITY;
      rebuild();
    },
  };
}

export type Group = ReturnType<typeof createGroup>;

function isSame(a: Child, b: Child): boolean {
  return a.firedAt === b.firedAt && a.endedAt === b.endedAt && a.begunAt === b.begunAt;
}

function whatIsNew(before: Said | undefined, now: Episode, rebuilt: boolean): News["what"][] {
  if (!before) return now.endedAt === undefined ? ["firing"] : ["firing", "resolved"];
  if (before.endedAt === undefined && now.endedAt !== undefined) return ["resolved"];
  if (before.endedAt !== now.endedAt || before.watched !== now.watched) return ["corrected"];
  if (rebuilt && before.children.some((id) => !now.children.has(id))) return ["corrected"];
  const [size, told] = [now.children.size, before.children.length];
  if (now.endedAt !== undefined)
    return size > told && (size <= TOLD_EACH_MAX || size >= GROWN_BY * told) ? ["corrected"] : [];
  return size >= GROWN_BY * told ? ["joined"] : [];
}

function toSaid({ startedAt, endedAt, watched, children }: Episode): Said {
  const sorted = [...children.values()].sort((a, b) => a.firedAt - b.firedAt || (a.id < b.id ? -1 : 1));
  return { startedAt, endedAt, watched, children: sorted.map(({ id }) => id) };
}
