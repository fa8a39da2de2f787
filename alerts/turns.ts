import type { Transition } from "../model/alert.ts";
import type { Reading } from "../model/reading.ts";
import type { StateRow } from "./engine/states.ts";
import {
  createLine,
  createSender,
  isTalking,
  isWaiting,
  keyOf,
  type Line,
  leftBy,
  placeOf,
  placesOf,
  rotate,
  type Sender,
  TURN,
  type Turn,
  type Unread,
  waitedFor,
  wasJudged,
} from "./lines.ts";

/** What waits to be judged, and what waits to be said. No rule id can start with "~". */
export const WAITING = "~waiting";
export const UNSAID = "~unsaid";

const TURN_MIN = 4;
/** A reading costs 1, each line said of it so much (SQLite). */
const SAID_COSTS = 16;
/** What a sensor, and all that one sender sends for, may use of the time in which nobody waits, before it waits itself. */
const SHARE = 512;
const SENDER_SHARE = 1_024;
const RENEW_MS = 100;
/** With more senders in line there is no one to be kept from the others: it is simply much. */
const SENDERS_MAX = 8;
/** Readings that wait in memory, of one sender and in all. Those beyond are read from the journal again. */
const SENDER_WAITING_MAX = 20_000;
const WAITING_MAX = 100_000;
/** Late readings the engine keeps until they are folded: so many of one sensor together, and in all. */
const LATE_TOGETHER = 512;
const LATE_MAX = 100_000;
/** Lines a sender, or a sensor, has to hear said before more of its readings are judged. */
const UNSAID_MAX = 256;
const SENSOR_UNSAID_MAX = 64;
/** With so few of them a sender is heard at once, whoever else has much to say. */
const UNSAID_FEW = 16;
/** Lines of one sensor in a row while others have something to say, too. */
const SAID_IN_A_ROW = 8;

type TurnsOptions = {
  /** Milliseconds. */
  readonly monotonic: () => number;
  /** Who sends for a sensor of which no message is at hand. */
  readonly gatewayOf: (sensorId: string) => string | undefined;
};

export type Turns = ReturnType<typeof createTurns>;

/**
 * Whose readings are judged first, and whose alerts are said first. Each sender has its turn, and among its sensors
 * each; who sends more than its share waits in line with the rest of its own readings, in their order, while those of
 * others go on. Nothing here is done in any other order for one subject. Imported history of one sender keeps its order
 * over all its sensors: what sensors say together depends on it, and nobody waits for one of them.
 */
export function createTurns({ monotonic, gatewayOf }: TurnsOptions) {
  const lines = new Map<string, Line>();
  /** In the order of their turns, those of which something waits. */
  const senders = new Map<string, Sender>();
  /** Since the last renewal, of sensors and of senders. */
  let spent = new Map<string, { sender: string; units: number }>();
  let spentBySender = new Map<string, number>();
  let renewedAt = monotonic();
  /** While only one sends there is nobody to be kept from. */
  let first: string | undefined;
  let isAlone = true;
  /** Those of which something was left in the journal. */
  const leaving = new Map<Sender, Unread>();
  let waiting = 0;
  let late = 0;
  let unsaid = 0;
  let unsavedLines = 0;
  const stored = new Set<string>();
  let savedState = "";

  // ---- readings ---------------------------------------------------------------------------------------------------

  /**
   * Takes readings up in the order of the journal: those that may be judged at once go to `judge`, some at a time, until
   * it answers who may go on; the others wait in line. `senderOf` is asked in the order of the readings.
   */
  function admit(
    readings: readonly Reading[],
    senderOf: (reading: Reading) => string,
    judge: (some: readonly Reading[]) => "all" | "modest" | "none",
  ): void {
    renew();
    let piece: Reading[] = [];
    let allowed: ReturnType<typeof judge> = "all";
    const used = new Map<string, number>();
    for (let i = 0; i < readings.length; i++) {
      const reading = readings[i]!;
      const name = senderOf(reading);
      const key = keyOf(reading, name);
      first ??= name;
      if (name !== first) isAlone = false;
      const sender = senders.get(name);
      if (sender && isLeft(sender, reading)) continue;
      const line = lines.get(key);
      const turn = used.get(key) ?? 0;
      const isMeant = allowed === "all" || (allowed === "modest" && (spentBySender.get(name) ?? 0) < TURN);
      if (isMeant && turn < TURN && mayBeJudged(key, name, line, sender)) {
        used.set(key, turn + 1);
        spend(key, name, 1);
        piece.push(reading);
        if (piece.length < TURN) continue;
        allowed = judge(piece);
        piece = [];
      } else if (line && isWaiting(line)) add(line, reading);
      else add(begin(line ?? open(key, name), readings, i), reading);
    }
    if (piece.length > 0) judge(piece);
  }

  function renew(): void {
    const time = monotonic();
    if (time - renewedAt < RENEW_MS) return;
    spent = new Map();
    spentBySender = new Map();
    renewedAt = time;
  }

  function mayBeJudged(key: string, name: string, line: Line | undefined, sender: Sender | undefined): boolean {
    if (line && isWaiting(line)) return false;
    if (sender && sender.unsaid >= UNSAID_MAX) return false;
    if ((spent.get(key)?.units ?? 0) >= SHARE) return false;
    return (spentBySender.get(name) ?? 0) < SENDER_SHARE || isAlone;
  }

  function spend(key: string, sender: string, units: number): void {
    const own = spent.get(key);
    if (own) own.units += units;
    else spent.set(key, { sender, units });
    spentBySender.set(sender, (spentBySender.get(sender) ?? 0) + units);
  }

  /** Whole messages are left in the journal, so that a number says which. */
  function isLeft(sender: Sender, { sensorId, journalSeq, receivedAt }: Reading): boolean {
    if (!sender.left) {
      if (sender.waiting < SENDER_WAITING_MAX || isAlone) return false;
      if (sender.lastSeq === journalSeq) return false;
      leaveInJournal(sender, { from: journalSeq, since: receivedAt, count: 0, sensors: new Set(), judged: undefined });
    }
    const left = sender.left!;
    left.count += 1;
    left.sensors.add(sensorId);
    return true;
  }

  function leaveInJournal(sender: Sender, left: Unread): void {
    sender.left = left;
    leaving.set(sender, left);
  }

  function open(key: string, name: string): Line {
    const sender = senderFor(name);
    const line = createLine(key, sender);
    lines.set(key, line);
    return line;
  }

  function senderFor(name: string): Sender {
    const known = senders.get(name);
    if (known) return known;
    const sender = createSender(name);
    senders.set(name, sender);
    return sender;
  }

  /** Before the first reading of a line is added: how many of the line's in its message are not in it. */
  function begin(line: Line, readings: readonly Reading[], at: number): Line {
    const { journalSeq } = readings[at]!;
    line.skip = 0;
    for (let i = at - 1; i >= 0 && readings[i]!.journalSeq === journalSeq; i--) {
      if (keyOf(readings[i]!, line.sender.name) === line.key) line.skip += 1;
    }
    return line;
  }

  function add(line: Line, reading: Reading): void {
    line.readings.push(reading);
    line.sender.toJudge.set(line.key, line);
    line.sender.waiting += 1;
    line.sender.lastSeq = reading.journalSeq;
    waiting += 1;
  }

  // ---- turns ------------------------------------------------------------------------------------------------------

  /**
   * The next to be judged: readings of a sensor, or its late ones, which the engine has. It is the last in line then;
   * who has much to say says that first. Undefined: nobody can be judged now.
   */
  function next(): Turn | undefined {
    for (const sender of senders.values()) {
      if (sender.unsaid >= UNSAID_MAX) continue;
      for (const line of sender.toJudge.values()) {
        if (line.unsaid.length - line.said >= SENSOR_UNSAID_MAX) continue;
        rotate(senders, sender.name, sender);
        rotate(sender.toJudge, line.key, line);
        const isLateNext = line.late > 0 && (!isWaiting(line) || line.late >= LATE_TOGETHER || late > LATE_MAX);
        if (isLateNext) return { lateOf: line.key };
        const readings = turnOf(line);
        return { readings, isMoreToCome: isWaiting(line) };
      }
    }
    return undefined;
  }

  function turnOf(line: Line): readonly Reading[] {
    const before = spent.get(line.key)?.units ?? 0;
    // So that it is known whose the sensor is when the engine has late ones of it.
    spend(line.key, line.sender.name, 0);
    line.turn = Math.max(TURN_MIN, before >= SHARE ? line.turn >> 1 : Math.min(TURN, line.turn << 1));
    const turn = line.readings.slice(line.next, line.next + line.turn);
    line.next += turn.length;
    line.sender.waiting -= turn.length;
    waiting -= turn.length;
    if (!isWaiting(line)) {
      line.readings = [];
      line.next = 0;
      closeIfDone(line);
      return turn;
    }
    const seq = line.readings[line.next]!.journalSeq;
    if (turn[0]!.journalSeq !== seq) line.skip = 0;
    for (let i = turn.length - 1; i >= 0 && turn[i]!.journalSeq === seq; i--) line.skip += 1;
    // What has had its turn is let go of now and then, so that it costs each reading a constant.
    if (line.next * 2 >= line.readings.length) {
      line.readings = line.readings.slice(line.next);
      line.next = 0;
    }
    return turn;
  }

  /** So many late readings of this sensor wait in the engine. */
  function setLate(sensorId: string, count: number): void {
    let line = lines.get(sensorId);
    if (!line) {
      if (count === 0) return;
      line = open(sensorId, senderOfSensor(sensorId));
    }
    late += count - line.late;
    line.late = count;
    if (count > 0) line.sender.toJudge.set(line.key, line);
    else closeIfDone(line);
  }

  const senderOfSensor = (sensorId: string) => spent.get(sensorId)?.sender ?? gatewayOf(sensorId) ?? sensorId;

  function closeIfDone(line: Line): void {
    const { sender, key } = line;
    if (!isWaiting(line) && line.late === 0) sender.toJudge.delete(key);
    if (!isTalking(line)) sender.toSay.delete(key);
    if (!sender.toJudge.has(key) && !sender.toSay.has(key)) lines.delete(key);
    if (sender.toJudge.size === 0 && sender.toSay.size === 0 && !sender.left) senders.delete(sender.name);
  }

  // ---- what is said -----------------------------------------------------------------------------------------------

  /** `mustBeSaved`: it does not follow from the journal alone, and is said once the states are saved. */
  function push(transition: Transition, mustBeSaved: boolean): Line {
    const { subject } = transition.alert;
    const key = subject.sensorId ?? placeOf(subject);
    const line = lines.get(key) ?? open(key, subject.sensorId === undefined ? key : senderOfSensor(key));
    line.unsaid.push(transition);
    line.isUnsaidChanged = true;
    if (mustBeSaved && !line.mustBeSaved) {
      line.mustBeSaved = true;
      unsavedLines += 1;
    }
    line.sender.toSay.set(key, line);
    line.sender.unsaid += 1;
    unsaid += 1;
    spend(key, line.sender.name, SAID_COSTS);
    return line;
  }

  /** At most so many, in turns. `ofFew`: only of those who have little to say. */
  function gather(max: number, ofFew = false): Transition[] {
    const gathered: Transition[] = [];
    for (let isMore = true; isMore && gathered.length < max; ) {
      isMore = false;
      for (const sender of [...senders.values()]) {
        if (ofFew && sender.unsaid > UNSAID_FEW) continue;
        for (const line of sender.toSay.values()) {
          if (line.mustBeSaved) continue;
          rotate(senders, sender.name, sender);
          rotate(sender.toSay, line.key, line);
          const count = Math.min(SAID_IN_A_ROW, max - gathered.length);
          for (const one of sayOf(line, count)) gathered.push(one);
          isMore = true;
          break;
        }
        if (gathered.length >= max) break;
      }
    }
    return gathered;
  }

  function sayOf(line: Line, max: number): Transition[] {
    const some = line.unsaid.slice(line.said, line.said + max);
    line.said += some.length;
    line.sender.unsaid -= some.length;
    unsaid -= some.length;
    if (isTalking(line)) return some;
    line.unsaid = [];
    line.said = 0;
    if (line.mustBeSaved) unsavedLines -= 1;
    line.mustBeSaved = false;
    closeIfDone(line);
    return some;
  }

  // ---- what was left in the journal -------------------------------------------------------------------------------

  /** From where the journal should be read again for whom; undefined: nothing is left there, or there is no room. */
  function toReadAgain(): { readonly sender: string; readonly from: number } | undefined {
    for (const [{ name, waiting: own }, { from }] of leaving) {
      if (own < SENDER_WAITING_MAX / 2 && waiting < WAITING_MAX) return { sender: name, from };
    }
    return undefined;
  }

  /**
   * Takes up what was left of a sender, from messages `from` ... `to - 1` that were read again. `end`: everything before
   * it has been taken from the journal.
   */
  function readAgain(
    name: string,
    { from, to, readings }: { readonly from: number; readonly to: number; readonly readings: readonly Reading[] },
    senderOf: (reading: Reading) => string,
    end: number,
  ): void {
    const sender = senders.get(name);
    const left = sender?.left;
    if (!left || left.from !== from) return;
    let reached = Math.min(to, end);
    for (let i = 0; i < readings.length; i++) {
      const reading = readings[i]!;
      const { journalSeq } = reading;
      const sentBy = senderOf(reading);
      const key = keyOf(reading, sentBy);
      // What waited of a sensor may have come from others, too.
      if (journalSeq >= end || (sentBy !== name && !waitedFor(left, reading, key))) continue;
      const isFirst = i === 0 || readings[i - 1]!.journalSeq !== journalSeq;
      if (isFirst && sender.waiting >= SENDER_WAITING_MAX) {
        reached = journalSeq;
        left.since = reading.receivedAt;
        break;
      }
      if (left.judged && wasJudged(left.judged, reading, key)) continue;
      left.count = Math.max(0, left.count - 1);
      const line = lines.get(key);
      add(line && isWaiting(line) ? line : begin(line ?? open(key, name), readings, i), reading);
    }
    left.from = reached;
    if (left.judged && reached >= left.judged.below) left.judged = undefined;
    leaving.delete(sender);
    // The others who left something have their turn first: who left much does not hold up who left little.
    if (reached < end) {
      leaving.set(sender, left);
      return;
    }
    sender.left = undefined;
    if (sender.toJudge.size === 0 && sender.toSay.size === 0) senders.delete(name);
  }

  // ---- saved with the states --------------------------------------------------------------------------------------

  /** These readings are not in the states, though they have been taken from the journal; and what is still to be said. */
  function rows(): StateRow[] {
    const rows: StateRow[] = [];
    const state = placesOf(lines.values(), leaving);
    if (state !== savedState) rows.push({ rule: WAITING, subject: "", state });
    for (const { key, unsaid: all, said, isUnsaidChanged } of lines.values()) {
      if (isUnsaidChanged && said < all.length) {
        rows.push({ rule: UNSAID, subject: key, state: JSON.stringify(all.slice(said)) });
      }
    }
    for (const key of stored) if (!isStillTalking(key)) rows.push({ rule: UNSAID, subject: key, state: "" });
    return rows;
  }

  function isStillTalking(key: string): boolean {
    const line = lines.get(key);
    return line !== undefined && isTalking(line);
  }

  /** The rows are on disk. */
  function saved(): void {
    savedState = placesOf(lines.values(), leaving);
    for (const key of stored) if (!isStillTalking(key)) stored.delete(key);
    for (const line of lines.values()) {
      if (isTalking(line)) stored.add(line.key);
      line.isUnsaidChanged = false;
      line.mustBeSaved = false;
    }
    unsavedLines = 0;
  }

  /**
   * Goes on from what the last life saved. `first`: the first message that is still in the journal; `offset`: up to where
   * it had been taken.
   */
  function load(all: readonly StateRow[], first: number, offset: number): void {
    for (const { rule, subject, state } of all) {
      if (rule === UNSAID) {
        for (const one of JSON.parse(state) as Transition[]) push(one, false).isUnsaidChanged = false;
        stored.add(subject);
      } else if (subject === "") {
        savedState = state;
        for (const [name, left] of leftBy(state, first, offset)) leaveInJournal(senderFor(name), left);
      }
    }
  }

  /** When the oldest of what waits was received. */
  function oldest(): number | undefined {
    let since: number | undefined;
    for (const { readings, next: first } of lines.values()) {
      const at = readings[first]?.receivedAt;
      if (at !== undefined && (since === undefined || at < since)) since = at;
    }
    for (const { left } of senders.values())
      if (left && (since === undefined || left.since < since)) since = left.since;
    return since;
  }

  return {
    admit,
    next,
    setLate,
    push,
    gather,
    toReadAgain,
    readAgain,
    rows,
    saved,
    load,
    /** How many readings wait, here and in the journal. */
    waiting(): number {
      let count = waiting;
      for (const left of leaving.values()) count += left.count;
      return count;
    },
    /** Of those, here. */
    waitingInMemory: () => waiting,
    /** Nothing is left to be judged or said, nor to be read again. */
    isEmpty: () => senders.size === 0,
    unsaid: () => unsaid,
    /** What waits to be said, of each sensor in its order. */
    toSay: (): Transition[] => [...lines.values()].flatMap(({ unsaid: all, said }) => all.slice(said)),
    /** Something waits to be said until the states are saved. */
    mustSave: () => unsavedLines > 0,
    /** Nothing more should be taken before some of them had their turn. */
    isFull(): boolean {
      if (waiting > WAITING_MAX) return true;
      let inLine = 0;
      for (const sender of senders.values()) {
        if (sender.waiting > 0) inLine += 1;
        if (sender.waiting > SENDER_WAITING_MAX && isAlone) return true;
      }
      return inLine > SENDERS_MAX;
    },
    /** Of how many sensors readings wait, and when the oldest of them was received. */
    line: () => {
      let sensors = 0;
      for (const { toJudge, left } of senders.values()) sensors += Math.max(toJudge.size, left ? 1 : 0);
      return { sensors, since: oldest() };
    },
    /** Readings of this sensor wait. */
    isHeld(sensorId: string): boolean {
      const line = lines.get(sensorId);
      if (line && isWaiting(line)) return true;
      for (const { sensors } of leaving.values()) if (sensors.has(sensorId)) return true;
      return false;
    },
    /** Since when readings wait of which it is not known whose they are: those of a former life. */
    unknownSince(): number | undefined {
      let since: number | undefined;
      for (const left of leaving.values()) if (left.judged) since = Math.min(since ?? left.since, left.since);
      return since;
    },
    /** The first message of which something waits. */
    from(): number {
      let first = Number.POSITIVE_INFINITY;
      for (const { readings, next: place } of lines.values()) {
        first = Math.min(first, readings[place]?.journalSeq ?? first);
      }
      for (const left of leaving.values()) first = Math.min(first, left.from);
      return first;
    },
  };
}
