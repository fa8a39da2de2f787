import { recordText } from "../../messages/messages.ts";
import type { Evidence, Subject, Transition } from "../../model/alert.ts";
import type { Spec } from "../../model/conditions.ts";
import type { Kind } from "../../model/kinds.ts";
import { LATE_AFTER_MS } from "../../model/reading.ts";
import type { Rule } from "../../model/rule.ts";
import { type Sentence, say } from "../../model/sentence.ts";
import { MINUTE_MS, SECOND_MS } from "../../model/time.ts";
import { alertId } from "../alert-id.ts";
import { noted, saysOf } from "../says.ts";
import type { OverSeveral, WatchedSensor } from "./condition.ts";

/** Where a sensor is counted: its district, its gateway there, or its value of a tag there. Never across districts. */
export function placeOf(by: Spec<"quorum">["by"], { district, gateway, tags }: WatchedSensor): Subject | undefined {
  if (by === "district") return { district };
  if (by === "gateway") return gateway === undefined ? undefined : { district, gateway };
  const value = Object.hasOwn(tags, by.tag) ? tags[by.tag] : undefined;
  return value === undefined ? undefined : { district, tag: { name: by.tag, value } };
}

/** The place as a text that is part of the alert's identity. */
export function placeText({ district, gateway, tag }: Subject): string {
  const parts = [`district ${district}`];
  if (gateway !== undefined) parts.push(`gateway ${gateway}`);
  if (tag) parts.push(`tag ${tag.name}=${tag.value}`);
  return parts.join(" ");
}

/** "behind gateway gw-north". */
function placeSentence({ district = "", gateway, tag }: Subject): Sentence {
  if (gateway !== undefined) return say("place.gateway", { gateway });
  return tag ? say("place.tag", { tag: tag.name, value: tag.value, district }) : say("place.district", { district });
}

/**
 * How many sensors are watched in one place, and since when: a sensor counts from its first reading on. So the answer
 * for a moment of event time does not depend on whose readings came first.
 */
function createWatched() {
  const since: number[] = [];

  /** How many began before or at `at`. */
  function countAt(at: number): number {
    let low = 0;
    let high = since.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (since[middle]! <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return {
    countAt,
    add(firstAt: number): void {
      since.splice(countAt(firstAt), 0, firstAt);
    },
    remove(firstAt: number): void {
      const index = countAt(firstAt) - 1;
      if (index >= 0 && since[index] === firstAt) since.splice(index, 1);
    },
    size: () => since.length,
  };
}

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
type Episode = {
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
function createHeadcount(params: QuorumParams, watched: (at: number) => number) {
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
const ending = (child: Child): Event => ({ at: child.endedAt!, begins: false, child });

/** All that happened to these alerts, in event-time order. An alert that ended as it began was never there. */
function eventsOf(children: Iterable<Child>): Event[] {
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

/** What was told of an episode. `children`: their ids. */
export type EpisodeReport = {
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  readonly watched: number;
  readonly children: readonly string[];
};

/** What has to be told now: of an episode as it is, or (retracted) of one that never was. */
export type EpisodeNews = {
  readonly what: "firing" | "joined" | "resolved" | "corrected" | "retracted";
  readonly episode: EpisodeReport;
};

export type GroupJson = { children: Child[]; said: EpisodeReport[]; newestAt: number | null };

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
  let said: EpisodeReport[] = [];
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
  function news(): EpisodeNews[] {
    if (isStale) rebuild();
    const settledTo = newestAt - SETTLED_AFTER_MS;
    const isOpen = ({ endedAt }: { endedAt: number | undefined }) => endedAt === undefined || endedAt > settledTo;
    const now = headcount.episodes.filter(isOpen);
    const former = new Map(said.filter(isOpen).map((one) => [one.startedAt, one]));
    const found: EpisodeNews[] = [];
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
    /** What is counted and not over. */
    open: () => [...children.values()].filter(({ endedAt }) => endedAt === undefined),
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

function whatIsNew(before: EpisodeReport | undefined, now: Episode, rebuilt: boolean): EpisodeNews["what"][] {
  if (!before) return now.endedAt === undefined ? ["firing"] : ["firing", "resolved"];
  if (before.endedAt === undefined && now.endedAt !== undefined) return ["resolved"];
  if (before.endedAt !== now.endedAt || before.watched !== now.watched) return ["corrected"];
  if (rebuilt && before.children.some((id) => !now.children.has(id))) return ["corrected"];
  const [size, told] = [now.children.size, before.children.length];
  if (now.endedAt !== undefined)
    return size > told && (size <= TOLD_EACH_MAX || size >= GROWN_BY * told) ? ["corrected"] : [];
  return size >= GROWN_BY * told ? ["joined"] : [];
}

function toSaid({ startedAt, endedAt, watched, children }: Episode): EpisodeReport {
  const sorted = [...children.values()].sort((a, b) => a.firedAt - b.firedAt || (a.id < b.id ? -1 : 1));
  return { startedAt, endedAt, watched, children: sorted.map(({ id }) => id) };
}

/** Alerts of one rule counted by district, gateway or tag; `districts/quorum.ts` counts them. */
export const quorum: OverSeveral = { over: "several" };

/** What made it known: a transition of the counted rule, or a sensor that joined. */
export type Occasion = {
  readonly at: number;
  readonly knownAt: number;
  readonly correctedBy?: Transition["alert"]["correctedBy"];
};

/** What is told of an episode; `late-confirmed`: it fires, and only late readings show it. */
export type EpisodeChange = { readonly what: EpisodeNews["what"] | "late-confirmed"; readonly episode: EpisodeReport };

const EVIDENCE_MAX = 20;

export type Counting = {
  readonly rule: Rule;
  readonly fit: string;
  readonly counted: Rule;
  /** What the counted sensors did: "fell silent". */
  readonly deed: Sentence;
  readonly subject: Subject;
  readonly children: readonly Child[];
};

/** The alert of a quorum and the entry to its timeline. */
export function quorumTransition(about: Counting, { what, episode }: EpisodeChange, occasion: Occasion): Transition {
  const { rule, fit, counted, subject, children } = about;
  const { startedAt, endedAt, watched } = episode;
  const count = episode.children.length;
  const { id, version, title, source, severity, audience, mode } = rule;
  const corrects = what === "corrected" || what === "retracted" || what === "late-confirmed";
  const first = sentence({ ...about, watched: Math.max(watched, count), count });
  const explanation = [
    first,
    ...(endedAt === undefined || what === "retracted" ? [] : [endSentence(endedAt, children)]),
  ];
  return {
    alert: {
      id: alertId(id, placeText(subject), startedAt, fit),
      rule: { id, version, title, source: source.text },
      subject,
      kind: rule.kind === "any" ? (children[0]?.kind ?? "service") : rule.kind,
      severity,
      audience,
      state: what === "retracted" ? "retracted" : endedAt === undefined ? "firing" : "resolved",
      startedAt,
      firedAt: startedAt,
      resolvedAt: what === "retracted" ? occasion.at : endedAt,
      metric: counted.metric,
      value: count,
      limit: limitOf(rule, watched),
      unit: "sensors",
      explanation: recordText(explanation, rule.zone),
      says: saysOf(rule, explanation),
      evidence: children.slice(0, EVIDENCE_MAX).map(toEvidence),
      children: episode.children,
      ...(mode === "shadow" ? { mode } : {}),
      ...(corrects && occasion.correctedBy ? { correctedBy: occasion.correctedBy } : {}),
    },
    entry: {
      at: entryAt(what, episode, occasion),
      knownAt: occasion.knownAt,
      what,
      ...(NOTES[what] && noted(NOTES[what])),
    },
  };
}

function entryAt(what: EpisodeChange["what"], { startedAt, endedAt }: EpisodeReport, { at }: Occasion): number {
  return what === "firing" ? startedAt : what === "resolved" ? endedAt! : at;
}

const NOTES: Partial<Record<EpisodeChange["what"], Sentence>> = {
  retracted: say("quorum.retracted", {}),
  corrected: say("quorum.corrected", {}),
  "late-confirmed": say("late.confirmed", {}),
};

function limitOf({ condition }: Rule, watched: number): number | undefined {
  if (condition.type !== "quorum") return undefined;
  return Math.max(condition.count, Math.ceil(condition.share * watched - 1e-9));
}

const toEvidence = ({ begunAt, sensorId }: Child): Evidence => ({
  measuredAt: begunAt,
  ...noted(say("note.sinceThen", { sensor: sensorId })),
});

function sentence({
  deed,
  subject,
  children,
  watched,
  count,
}: Counting & { watched: number; count: number }): Sentence {
  const begun = children.map(({ begunAt }) => begunAt);
  const spanMs = children.length === 0 ? 0 : max(begun) - min(begun);
  const within = spanMs < SECOND_MS ? {} : { within: spanMs };
  return say("quorum", { count, watched, place: placeSentence(subject), deed, ...within });
}

const max = (times: readonly number[]) => times.reduce((a, b) => (a > b ? a : b), Number.NEGATIVE_INFINITY);
const min = (times: readonly number[]) => times.reduce((a, b) => (a < b ? a : b), Number.POSITIVE_INFINITY);

function endSentence(endedAt: number, children: readonly Child[]): Sentence {
  const left = children.filter((child) => child.endedAt === undefined || child.endedAt > endedAt).length;
  return say("quorum.ended", { at: Math.floor(endedAt / MINUTE_MS) * MINUTE_MS, left });
}
