import type { Subject, Transition } from "../model/alert.ts";
import type { Reading } from "../model/reading.ts";

/** Readings of one sensor that are judged in one go before others have had their turn. */
export const TURN = 32;

/** A place in the journal: a message, and how many readings of the sensor in it are behind us. */
type JournalPosition = readonly [seq: number, skip: number];

/**
 * One subject (a sensor; or what a quorum watches, which has no readings) and what waits of it, in its order. Imported
 * history is one line for each sender.
 */
export type Line = {
  readonly key: string;
  readonly sender: Sender;
  /** `next`: the first that has not been judged. */
  readings: Reading[];
  next: number;
  /** Readings of the message of the first one that have been judged. */
  skip: number;
  /** So many readings at a time; fewer of a sensor that has much to say. */
  turn: number;
  /** Late readings that the engine has. */
  late: number;
  /** `said`: the first that has not been said. */
  unsaid: Transition[];
  said: number;
  /** Some of it does not follow from the journal alone: it is said once the states it came from are saved. */
  mustBeSaved: boolean;
  isUnsaidChanged: boolean;
};

/** A gateway, or a sensor that sends for itself: whoever causes the work, it is charged to. */
export type Sender = {
  readonly name: string;
  /** In the order of their turns: those with readings, and those with something to say. */
  readonly toJudge: Map<string, Line>;
  readonly toSay: Map<string, Line>;
  waiting: number;
  /** The message that was taken up last. */
  lastSeq: number;
  unsaid: number;
  left: Unread | undefined;
};

/** The readings of a sender that stay in the journal until there is room. */
export type Unread = {
  /** From this message on. */
  from: number;
  /** When the first of them was received. */
  since: number;
  count: number;
  /** Whose they are. */
  readonly sensors: Set<string>;
  /** After a start, until `below`: what had been judged of these messages by the last life. */
  judged: Judged | undefined;
};

/** Readings of one sensor; or its late ones, which the engine has. */
export type Turn =
  | { readonly readings: readonly Reading[]; readonly isMoreToCome: boolean }
  | { readonly lateOf: string };

type Judged = { readonly below: number; readonly waited: Map<string, JournalPosition> };

type Json = {
  readonly lines: readonly (readonly [key: string, sender: string, seq: number, skip: number, since: number])[];
  readonly left: readonly (readonly [sender: string, seq: number, since: number])[];
};

export const createSender = (name: string): Sender => ({
  name,
  toJudge: new Map(),
  toSay: new Map(),
  waiting: 0,
  lastSeq: 0,
  unsaid: 0,
  left: undefined,
});

export const createLine = (key: string, sender: Sender): Line => ({
  key,
  sender,
  readings: [],
  next: 0,
  skip: 0,
  turn: TURN,
  late: 0,
  unsaid: [],
  said: 0,
  mustBeSaved: false,
  isUnsaidChanged: false,
});

/** The line a reading waits in. No sensor and no place is called so: ids have neither "~" nor spaces. */
export const keyOf = ({ sensorId, imported }: Reading, sender: string): string =>
  imported ? `~import ${sender}` : sensorId;

export const isWaiting = ({ readings, next }: Line): boolean => next < readings.length;
export const isTalking = ({ unsaid, said }: Line): boolean => said < unsaid.length;

/** Where in the journal that begins which has been taken from it and not been judged, as text; "": nothing waits. */
export function placesOf(lines: Iterable<Line>, leaving: ReadonlyMap<Sender, Unread>): string {
  const waited = new Map<string, Json["lines"][number]>();
  for (const [{ name }, { judged, from, since }] of leaving) {
    for (const [id, [seq, skip]] of judged?.waited ?? []) {
      waited.set(id, seq < from ? [id, name, from, 0, since] : [id, name, seq, skip, since]);
    }
  }
  for (const { key, sender, readings, next, skip } of lines) {
    const reading = readings[next];
    if (reading) waited.set(key, [key, sender.name, reading.journalSeq, skip, reading.receivedAt]);
  }
  if (waited.size === 0 && leaving.size === 0) return "";
  const left = [...leaving].map(([{ name }, { judged, from, since }]) => [name, judged?.below ?? from, since] as const);
  return JSON.stringify({ lines: [...waited.values()], left } satisfies Json);
}

/**
 * The other way: what waits of each sender, all of it in the journal. `first`: the first message that is still there;
 * `offset`: up to where it had been taken.
 */
export function leftBy(places: string, first: number, offset: number): ReadonlyMap<string, Unread> {
  const { lines, left } = JSON.parse(places) as Json;
  const all = new Map<string, Unread & { readonly judged: Judged }>();
  const leftOf = (name: string, below: number, since: number) => {
    const judged = { below, waited: new Map<string, JournalPosition>() };
    const one = all.get(name) ?? { from: below, since, count: 0, sensors: new Set<string>(), judged };
    all.set(name, one);
    return one;
  };
  for (const [name, seq, since] of left) leftOf(name, Math.max(first, seq), since);
  for (const [id, name, seq, skip, since] of lines) {
    const one = leftOf(name, offset, since);
    one.from = Math.max(first, Math.min(one.from, seq));
    one.since = Math.min(one.since, since);
    one.judged.waited.set(id, [seq, skip]);
  }
  return all;
}

/** What waited of a sensor may have come from others than its sender, too. */
export const waitedFor = ({ judged }: Unread, { sensorId, journalSeq }: Reading, key: string): boolean =>
  judged !== undefined && journalSeq < judged.below && (judged.waited.has(key) || judged.waited.has(sensorId));

export function wasJudged({ below, waited }: Judged, { sensorId, journalSeq }: Reading, key: string): boolean {
  if (journalSeq >= below) return false;
  // Former versions kept imported readings by their sensors.
  const own = waited.has(key) ? key : sensorId;
  const place = waited.get(own);
  if (!place || journalSeq < place[0]) return true;
  if (journalSeq > place[0] || place[1] === 0) return false;
  waited.set(own, [place[0], place[1] - 1]);
  return true;
}

/** Not the id of a sensor: those have no spaces. */
export const placeOf = ({ district = "", gateway = "", tag }: Subject): string =>
  `${district} ${gateway} ${tag ? `${tag.name}=${tag.value}` : ""}`;

export function rotate<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
}
