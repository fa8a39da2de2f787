import type { Transition } from "../../model/alert.ts";
import type { Reading } from "../../model/reading.ts";
import type { Rule } from "../../model/rule.ts";
import type { WatchedSensor } from "../conditions/condition.ts";
import type { Orphan, StateRow } from "../engine/state-rows.ts";
import { createDrift, DAILY, type Diary, DRIFT } from "./drift.ts";
import { createMemories, type Memory, RECENT, RECENT_SINCE } from "./memory.ts";
import { createNeighbours, type Neighbour } from "./neighbours.ts";
import { createQuorum, QUORUM, type Seats, WATCHED } from "./quorum.ts";
import { createVerdicts, type Due, metricsToKeep, VERDICT } from "./verdict.ts";

type DistrictsOptions = {
  readonly rules: readonly Rule[];
  readonly sensor: (id: string) => WatchedSensor | undefined;
};

/** The newest time measured in a district, and when its day is over for the drift rules. */
type District = { readonly name: string; readonly due: Due; watermark: number; dayEndsAt: number };

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

export type Districts = {
  note(reading: Reading): readonly Transition[];
  take(transitions: readonly Transition[]): Transition[];
  tick(now: number, transitions: readonly Transition[], isLast: boolean): Transition[];
  load(rows: readonly StateRow[]): Orphan[];
  end(next: readonly Rule[], at: number): Transition[];
  sensorOf(id: string): WatchedSensor | undefined;
  allRows(): StateRow[];
  rows(): StateRow[];
  saved(): void;
};

const OWN_ROWS = new Set([QUORUM, WATCHED, RECENT, RECENT_SINCE, VERDICT, DAILY, DRIFT]);

/** The rows that are this part's, not the engine's. */
export function isDistrictRow({ rule }: StateRow): boolean {
  return OWN_ROWS.has(rule);
}

/**
 * What needs more than one sensor. Sees every reading before the engine does (`note`) and everything the engine says
 * (`take`). Pure like the engine: no clock, and the same readings give the same transitions. `former`: goes on from
 * there, under other rules.
 */
export function createDistricts({ rules, sensor: registry }: DistrictsOptions, former?: Districts): Districts {
  const quorum = createQuorum(rules);
  const neighbours = createNeighbours();
  const memories = createMemories(metricsToKeep(rules), neighbours);
  const verdicts = createVerdicts(rules, neighbours);
  const drift = createDrift(rules);
  const residents = new Map<string, Resident>();
  const districts = new Map<string, District>();
  const unsaved = new Set<string>();
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
    if (measuredAt < memory.from || measuredAt >= memory.to) memories.note(memory, reading);
    if (resident.diary) drift.note(resident.diary, reading);
    if (seats.length > 0 && quorum.note(seats, reading)) unsaved.add(sensorId);
    if (measuredAt > district.watermark) {
      district.watermark = measuredAt;
      if (measuredAt >= district.due.at || measuredAt >= district.dayEndsAt) {
        waiting.push(...verdicts.review(district.name, measuredAt, receivedAt, neighbourOf));
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

  const sensorOf = (id: string) => registry(id) ?? residents.get(id)?.sensor;

  function residentOf({ sensorId: id, kind, district, measuredAt, receivedAt }: Reading): Resident {
    const known = residents.get(id);
    const registered = registry(id);
    if (known && (registered === undefined || registered === known.sensor)) return known;
    const sensor = registered ?? { id, kind, district, tags: {} };
    if (known) waiting.push(...drift.settle(known.sensor, sensor, measuredAt, receivedAt));
    return settle(sensor, registered !== undefined, known);
  }

  function settle(
    sensor: WatchedSensor,
    registered: boolean,
    known?: Resident,
    since?: Record<string, number>,
  ): Resident {
    const seats = quorum.bind(sensor, known?.seats ?? [], since);
    const neighbour = neighbours.settle(sensor, known?.memory.neighbour);
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
      watermark: NEVER,
      dayEndsAt: drift.isUsed ? NEVER : -NEVER,
    };
    districts.set(name, district);
    return district;
  }

  /** What the engine said, each with its verdict, and what follows from it. */
  function take(transitions: readonly Transition[]): Transition[] {
    const said: Transition[] = [];
    for (const transition of transitions) {
      const { sensorId } = transition.alert.subject;
      const resident = sensorId === undefined ? undefined : residents.get(sensorId);
      const watermark = resident?.district.watermark ?? NEVER;
      said.push(verdicts.take(transition, resident?.memory.neighbour, watermark, imported));
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
    for (const [id, { registered, sensor, seats, memory }] of residents) {
      if (!registered || registry(id) !== undefined) continue;
      quorum.unbind(seats);
      neighbours.leave(memory.neighbour);
      memories.forget(id);
      waiting.push(...drift.settle(sensor, undefined, now, now));
      residents.delete(id);
      unsaved.add(id);
    }
    return [...said, ...handOver()];
  }

  function watchedRow(id: string): StateRow {
    const seats = residents.get(id)?.seats;
    const since = seats ? quorum.sinceOf(seats) : {};
    return { rule: WATCHED, subject: id, state: Object.keys(since).length === 0 ? "" : JSON.stringify(since) };
  }

  /** Goes on from its own rows. Answers the alerts that nothing counts any more, for the caller to end. */
  function load(rows: readonly StateRow[]): Orphan[] {
    const of = (...names: string[]) => rows.filter(({ rule }) => names.includes(rule));
    for (const { subject: id, state } of of(WATCHED)) {
      if (!comeBack(id, JSON.parse(state) as Record<string, number>)) unsaved.add(id);
    }
    // The full rows before what has come since.
    for (const row of [...of(RECENT), ...of(RECENT_SINCE)]) remember(row);
    for (const row of of(VERDICT)) verdicts.load(row);
    for (const row of of(DAILY)) rememberDays(row);
    const orphans = of(DRIFT).flatMap((row) => drift.loadDrift(row));
    return [...orphans, ...of(QUORUM).flatMap((row) => quorum.load(row))];
  }

  /** A sensor of the rows; undefined if there is none such any more. */
  function comeBack(id: string, since?: Record<string, number>): Resident | undefined {
    const known = residents.get(id);
    if (known) return known;
    const registered = registry(id);
    const sensor = registered ?? former?.sensorOf(id);
    return sensor && settle(sensor, registered !== undefined, undefined, since);
  }

  function remember(row: StateRow): void {
    const resident = comeBack(row.subject);
    if (!resident) return void memories.forget(row.subject);
    const { memory, district } = resident;
    memories.restore(memory, row);
    district.watermark = Math.max(district.watermark, memory.newestAt);
  }

  function rememberDays(row: StateRow): void {
    const resident = comeBack(row.subject);
    if (!resident) return;
    const { district, sensor } = resident;
    drift.loadDaily(sensor, row.state);
    if (drift.isUsed) district.dayEndsAt = drift.nextAt(district.name);
  }

  /** Everything, whatever has been saved. */
  const allRows = (): StateRow[] => [
    ...quorum.allRows(),
    ...[...residents.keys()].map(watchedRow),
    ...[...residents.values()].flatMap(({ memory }) => memories.fullRows(memory)),
    ...verdicts.allRows(),
    ...drift.allRows(),
  ];

  const changedRows = (): StateRow[] => [
    ...quorum.rows(),
    ...[...unsaved].map(watchedRow),
    ...memories.rows(),
    ...verdicts.rows(),
    ...drift.rows(),
  ];

  /** Ends what fires under rules that are not as they were (`at`: wall clock). */
  const end = (next: readonly Rule[], at: number): Transition[] => [
    ...drift.endChanged(next, at),
    ...quorum.end(next, at),
  ];

  // What the former had not saved yet, and after it everything as it is now.
  let carried = former?.rows();
  if (former) load(former.allRows().filter(({ state }) => state !== ""));

  return {
    note,
    take,
    tick,
    load,
    end,
    sensorOf,
    allRows,
    rows: (): StateRow[] => (carried ? [...carried, ...changedRows(), ...allRows()] : changedRows()),
    saved(): void {
      quorum.saved();
      memories.saved();
      verdicts.saved();
      drift.saved();
      carried = undefined;
      unsaved.clear();
    },
  };
}

const NONE: readonly Transition[] = [];
const NEVER = Number.NEGATIVE_INFINITY;
