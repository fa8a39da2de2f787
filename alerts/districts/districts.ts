import type { Transition } from "../../model/alert.ts";
import type { Reading } from "../../model/reading.ts";
import type { Rule } from "../../model/rule.ts";
import type { WatchedSensor, WorksOn } from "../conditions/condition.ts";
import type { StateRow, States, StateTable } from "../engine/states.ts";
import { createDrift, type Diary } from "./drift.ts";
import { createFloors, metricsNearFloors } from "./floors.ts";
import { createMemories, createNeighbours, type Memory, type Neighbour, RECENT, RECENT_SINCE } from "./neighbours.ts";
import { createQuorum, type Seats } from "./quorum.ts";
import { createVerdicts, type Due, metricsToKeep } from "./verdict.ts";

type DistrictsOptions = {
  readonly rules: readonly Rule[];
  readonly sensor: (id: string) => WatchedSensor | undefined;
  readonly states: States;
  readonly worksOn?: WorksOn | undefined;
};

/** The newest time measured in a district, and when its day is over for the drift rules. */
type District = {
  readonly name: string;
  readonly due: Due;
  readonly floorDue: Due;
  watermark: number;
  dayEndsAt: number;
};

/** What is known of one sensor beside its own rules. Every reading passes here. */
type Resident = {
  readonly sensor: WatchedSensor;
  readonly registered: boolean;
  readonly district: District;
  readonly seats: Seats;
  readonly memory: Memory;
  /** Only if there are drift rules. */
  readonly diary: Diary | undefined;
};

type Districts = {
  note(reading: Reading): readonly Transition[];
  take(transitions: readonly Transition[]): Transition[];
  tick(now: number, transitions: readonly Transition[], isLast: boolean): Transition[];
  end(next: readonly Rule[], at: number): Transition[];
  reconcile(at: number, isHeld: (alert: string) => boolean): Transition[];
  held(): string[];
  sensorOf(id: string): WatchedSensor | undefined;
  /** Everything it knows, for its successor. */
  close(): StateRow[];
};

/**
 * What needs more than one sensor. Sees every reading before the engine does (`note`) and everything the engine says
 * (`take`). Pure like the engine: no clock, and the same readings give the same transitions. `former`: goes on from
 * there, under other rules.
 */
export function createDistricts(
  { rules, sensor: registry, states, worksOn }: DistrictsOptions,
  former?: Districts,
): Districts {
  const residents = new Map<string, Resident>();
  const districts = new Map<string, District>();
  const quorum = createQuorum(rules, states, residents, restoreSensor);
  const neighbours = createNeighbours();
  const memories = createMemories(metricsToKeep(rules), neighbours);
  const recent = states.open<string>({
    names: [RECENT, RECENT_SINCE],
    keys: () => residents.keys(),
    rowsOf: (id) => memories.rowsOf(id, residents.get(id)?.memory),
    wholeOf: (id) => memories.fullRows(id, residents.get(id)?.memory),
    load(rows) {
      for (const row of rows) remember(row);
    },
    onSave: memories.begin,
  });
  const verdicts = createVerdicts(rules, neighbours, states);
  const drift = createDrift(rules, states, (id) => restoreSensor(id)?.sensor, metricsNearFloors(rules), worksOn);
  const floors = createFloors({ rules, states, neighbours, dailyOf: drift.dailyOf, resident: (id) => neighbourOf(id) });
  const tables: StateTable<never>[] = [...quorum.tables, recent, verdicts.table, ...drift.tables, floors.table];
  /** The reading that is being looked at. */
  let imported = false;
  let waiting: Transition[] = [];

  const neighbourOf = (id: string): Neighbour | undefined => residents.get(id)?.memory.neighbour;

  /** What can be said now that this has been measured, before the engine sees it. */
  function note(reading: Reading): readonly Transition[] {
    imported = reading.imported === true;
    const { measuredAt, receivedAt, sensorId } = reading;
    const resident = residentOf(reading);
    const { district, memory, seats } = resident;
    const mayBeNews = measuredAt < memory.from || measuredAt >= memory.to;
    if (mayBeNews && memories.note(memory, reading)) recent.mark(sensorId);
    if (resident.diary) drift.note(resident.diary, reading);
    if (seats.length > 0) quorum.note(seats, reading);
    if (measuredAt > district.watermark) {
      district.watermark = measuredAt;
      const isOver = measuredAt >= district.dayEndsAt || measuredAt >= district.floorDue.at;
      if (isOver || measuredAt >= district.due.at) {
        waiting.push(...verdicts.review(district.name, measuredAt, receivedAt, neighbourOf));
        if (measuredAt >= district.floorDue.at) waiting.push(...floors.review(district.name, measuredAt, receivedAt));
        if (measuredAt >= district.dayEndsAt) closeDay(district, measuredAt, receivedAt);
      }
    }
    return waiting.length > 0 || quorum.hasNews() ? handOver() : NONE;
  }

  function closeDay(district: District, time: number, knownAt: number): void {
    waiting.push(...drift.review(district.name, time, knownAt));
    district.dayEndsAt = drift.nextAt(district.name);
  }

  /** All that waits to be said, counted, with what follows from it. */
  function handOver(): Transition[] {
    for (const one of waiting) {
      if (one.entry.what !== "verdict") quorum.take(one, sensorOf(one.alert.subject.sensorId!));
    }
    const said = [...waiting, ...quorum.news()];
    waiting = [];
    return said;
  }

  /** One that was removed is known until it is forgotten: what it brought in ends with it. */
  const sensorOf = (id: string) => registry(id) ?? residents.get(id)?.sensor;

  function residentOf({ sensorId: id, kind, district, measuredAt, receivedAt }: Reading): Resident {
    const known = residents.get(id);
    const registered = registry(id);
    if (known && (registered === undefined || registered === known.sensor)) return known;
    const sensor = registered ?? { id, kind, district, tags: {} };
    if (known) waiting.push(...drift.updateSensor(known.sensor, sensor, measuredAt, receivedAt));
    return bindSensor(sensor, registered !== undefined, known);
  }

  function bindSensor(sensor: WatchedSensor, registered: boolean, known?: Resident): Resident {
    const seats = quorum.bind(sensor, known?.seats);
    const neighbour = neighbours.put(sensor, known?.memory.neighbour);
    const memory = known?.memory ?? memories.create(neighbour);
    memory.neighbour = neighbour;
    const diary = drift.isUsed ? drift.diaryOf(sensor) : undefined;
    const resident = { sensor, registered, seats, memory, diary, district: districtOf(sensor.district) };
    residents.set(sensor.id, resident);
    return resident;
  }

  function districtOf(name: string): District {
    const district = districts.get(name) ?? {
      name,
      due: verdicts.dueOf(name),
      floorDue: floors.dueOf(name),
      watermark: NEVER,
      dayEndsAt: drift.nextAt(name),
    };
    districts.set(name, district);
    return district;
  }

  /** What the engine said, each with its verdict, and what follows from it. */
  function take(transitions: readonly Transition[]): Transition[] {
    const said: Transition[] = [];
    for (const told of transitions) {
      const transition = floors.take(told);
      const { sensorId } = transition.alert.subject;
      const resident = sensorId === undefined ? undefined : residents.get(sensorId);
      const watermark = resident?.district.watermark ?? NEVER;
      const isJudged = transition !== told;
      said.push(isJudged ? transition : verdicts.take(transition, resident?.memory.neighbour, watermark, imported));
      if (sensorId !== undefined) quorum.take(transition, sensorOf(sensorId));
    }
    for (const one of quorum.news()) said.push(one);
    return said;
  }

  /** Call it with what the engine's `tick` said, `isLast` when that has looked at all. Sensors that were removed are watched no more. */
  function tick(now: number, transitions: readonly Transition[], isLast: boolean): Transition[] {
    imported = false;
    const said = take(transitions);
    if (!isLast) return said;
    for (const one of verdicts.tick(now, neighbourOf)) said.push(one);
    follow(now);
    return [...said, ...handOver()];
  }

  /** Those whose entry in the registry was changed or removed, whether they send anything or not. */
  function follow(now: number): void {
    for (const [id, known] of residents) {
      const entry = registry(id);
      if (entry === known.sensor || (!entry && !known.registered)) continue;
      waiting.push(...drift.updateSensor(known.sensor, entry, now, now));
      if (entry) bindSensor(entry, true, known);
      else forget(id, known);
    }
  }

  function forget(id: string, { seats, memory }: Resident): void {
    quorum.unbind(id, seats);
    neighbours.remove(memory.neighbour);
    recent.mark(id);
    residents.delete(id);
  }

  /**
   * What is kept of alerts is of rules, sensors and places as they are now; what is not, ends or is forgotten (`at`: wall
   * clock). `isHeld`: the engine, or what counts refused messages, still holds this alert.
   */
  function reconcile(at: number, isHeld: (alert: string) => boolean): Transition[] {
    imported = false;
    follow(at);
    waiting.push(...drift.reconcile(at, sensorOf));
    const said = handOver();
    const drifts = new Set(drift.held());
    const isStillHeld = (alert: string) => isHeld(alert) || drifts.has(alert);
    verdicts.reconcile(isStillHeld);
    quorum.reconcile(at, isStillHeld, sensorOf);
    return [...said, ...quorum.news()];
  }

  /** A sensor of the rows; undefined if there is none such any more. */
  function restoreSensor(id: string): Resident | undefined {
    const known = residents.get(id);
    if (known) return known;
    const registered = registry(id);
    const sensor = registered ?? former?.sensorOf(id);
    return sensor && bindSensor(sensor, registered !== undefined);
  }

  function remember(row: StateRow): void {
    const resident = restoreSensor(row.subject);
    if (!resident) return recent.mark(row.subject);
    const { memory, district } = resident;
    memories.restore(memory, row);
    district.watermark = Math.max(district.watermark, memory.newestAt);
  }

  /** Ends what fires under rules that are not as they were (`at`: wall clock). */
  const end = (next: readonly Rule[], at: number): Transition[] => [
    ...drift.endChanged(next, at),
    ...quorum.end(next, at),
  ];

  if (former) {
    states.load(former.close());
    // On disk is what the former had written.
    for (const { memory } of residents.values()) memory.fullTo = NEVER;
    for (const table of tables) table.markAll();
  }

  const held = () => [...quorum.held(), ...drift.held()];

  return { note, take, tick, end, reconcile, held, sensorOf, close: () => tables.flatMap((table) => table.close()) };
}

const NONE: readonly Transition[] = [];
const NEVER = Number.NEGATIVE_INFINITY;
