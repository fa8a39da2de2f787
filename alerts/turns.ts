import type { Transition } from "../model/alert.ts";
import type { Reading } from "../model/reading.ts";
import type { StateRow } from "./engine/state-rows.ts";

/** The readings of one sensor that wait, by sensor. No rule id can start with "~". */
export const WAITING = "~waiting";

/** What one sensor may use before others have had their turn. A reading costs 1, each line said of it 16 (SQLite). */
const TURN = 32;
const TURN_MIN = 4;
const SAID_COSTS = 16;
/** What it may use of the time in which nobody waits, before it waits itself. */
const SHARE = 512;
const RENEW_MS = 100;
/** With more sensors in line there is no one to be kept from the others: it is simply much. */
const SENSORS_MAX = 8;
const WAITING_MAX = 50_000;

/** `turn`: so many readings at a time; fewer of a sensor that has much to say. */
type Line = { readonly readings: Reading[]; next: number; turn: number };

/**
 * Whose readings come first. Each sensor has its turn; who sends more than its share waits in line with the rest of its
 * own readings, in their order, while those of others go on. `monotonic`: milliseconds.
 */
export function createTurns(monotonic: () => number) {
  /** In the order of their turns. */
  const lines = new Map<string, Line>();
  const spent = new Map<string, number>();
  const stored = new Set<string>();
  const changed = new Set<string>();
  let renewedAt = monotonic();
  let waiting = 0;

  /** Those of the readings that may be judged at once; the others are in line. */
  function admit(readings: readonly Reading[]): readonly Reading[] {
    const time = monotonic();
    if (time - renewedAt >= RENEW_MS) {
      spent.clear();
      renewedAt = time;
    }
    const admitted: Reading[] = [];
    const turn = new Map<string, number>();
    for (const reading of readings) {
      const { sensorId } = reading;
      const line = lines.get(sensorId);
      const used = line ? TURN : (turn.get(sensorId) ?? 0);
      if (used < TURN && (spent.get(sensorId) ?? 0) + used < SHARE) {
        turn.set(sensorId, used + 1);
        admitted.push(reading);
      } else if (line) add(sensorId, line, reading);
      else add(sensorId, open(sensorId), reading);
    }
    for (const [sensorId, used] of turn) spent.set(sensorId, (spent.get(sensorId) ?? 0) + used);
    return admitted;
  }

  function open(sensorId: string): Line {
    const line = { readings: [], next: 0, turn: TURN };
    lines.set(sensorId, line);
    return line;
  }

  function add(sensorId: string, { readings }: Line, reading: Reading): void {
    readings.push(reading);
    waiting += 1;
    changed.add(sensorId);
  }

  /** What was said of readings is charged to their sensor. */
  function charge(transitions: readonly Transition[]): void {
    for (const { alert } of transitions) {
      const { sensorId } = alert.subject;
      if (sensorId !== undefined) spent.set(sensorId, (spent.get(sensorId) ?? 0) + SAID_COSTS);
    }
  }

  /** The next readings of the sensor whose turn it is; it is the last in line then. */
  function next(): readonly Reading[] {
    for (const [sensorId, line] of lines) {
      const before = spent.get(sensorId) ?? 0;
      line.turn = Math.max(TURN_MIN, before >= SHARE ? line.turn >> 1 : Math.min(TURN, line.turn << 1));
      const turn = line.readings.slice(line.next, line.next + line.turn);
      line.next += turn.length;
      waiting -= turn.length;
      changed.add(sensorId);
      lines.delete(sensorId);
      if (line.next < line.readings.length) lines.set(sensorId, shortened(line));
      return turn;
    }
    return [];
  }

  /** What has had its turn is let go of now and then, so that it costs each reading a constant. */
  function shortened(line: Line): Line {
    return line.next * 2 < line.readings.length ? line : { ...line, readings: line.readings.slice(line.next), next: 0 };
  }

  const left = ({ readings, next: from }: Line) => readings.slice(from);

  return {
    admit,
    charge,
    next,
    /** How many readings wait. */
    waiting: () => waiting,
    /** Nothing more should be taken before some of them had their turn. */
    isFull: () => waiting > 0 && (lines.size > SENSORS_MAX || waiting > WAITING_MAX),
    /** Of how many sensors, and when the oldest of what waits was received. */
    line: () => {
      const oldest = [...lines.values()].map(({ readings, next: from }) => readings[from]!.receivedAt);
      return { sensors: lines.size, since: oldest.length === 0 ? undefined : Math.min(...oldest) };
    },
    /** To be saved with the states: these readings are not in them, though they have been taken from the journal. */
    rows: (): StateRow[] =>
      [...changed].flatMap((subject) => {
        const line = lines.get(subject);
        if (!line && !stored.has(subject)) return [];
        return [{ rule: WAITING, subject, state: line ? JSON.stringify(left(line)) : "" }];
      }),
    saved(): void {
      for (const subject of changed) {
        if (lines.has(subject)) stored.add(subject);
        else stored.delete(subject);
      }
      changed.clear();
    },
    load(rows: readonly StateRow[]): void {
      for (const { subject, state } of rows) {
        const readings = JSON.parse(state) as Reading[];
        lines.set(subject, { readings, next: 0, turn: TURN });
        waiting += readings.length;
        stored.add(subject);
      }
    },
  };
}

export type Turns = ReturnType<typeof createTurns>;
