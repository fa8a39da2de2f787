import type { Transition } from "../../model/alert.ts";
import type { Reading } from "../../model/reading.ts";
import type { Rule } from "../../model/rule.ts";
import type { WatchedSensor } from "../engine/compile.ts";
import type { Orphan, StateRow } from "../engine/state-rows.ts";
import { createQuorum, QUORUM, type Seats, WATCHED } from "./quorum.ts";

export type DistrictsOptions = {
  readonly rules: readonly Rule[];
  readonly sensor: (id: string) => WatchedSensor | undefined;
};

/** What is known of one sensor beside its own rules. Changed in place: every reading passes here. */
type Resident = { sensor: WatchedSensor; readonly registered: boolean; seats: Seats };

export type Districts = ReturnType<typeof createDistricts>;

/**
 * What needs more than one sensor. Sees every reading before the engine does (`note`) and everything the engine says
 * (`take`). Pure like the engine: no clock, and the same readings give the same transitions.
 */
export function createDistricts({ rules, sensor: registry }: DistrictsOptions) {
  const quorum = createQuorum(rules);
  const residents = new Map<string, Resident>();
  const unsaved = new Set<string>();

  /** True: call `take`, even if the engine says nothing. */
  function note(reading: Reading): boolean {
    const resident = residentOf(reading);
    if (resident.seats.length === 0 || !quorum.note(resident.seats, reading)) return false;
    unsaved.add(reading.sensorId);
    return true;
  }

  function residentOf({ sensorId: id, kind, district }: Reading): Resident {
    const known = residents.get(id);
    const registered = registry(id);
    if (known && (registered === undefined || registered === known.sensor)) return known;
    return settle(registered ?? { id, kind, district, tags: {} }, registered !== undefined, known);
  }

  function settle(
    sensor: WatchedSensor,
    registered: boolean,
    known?: Resident,
    since?: Record<string, number>,
  ): Resident {
    const resident = { sensor, registered, seats: quorum.bind(sensor, known?.seats ?? [], since) };
    residents.set(sensor.id, resident);
    return resident;
  }

  /** What follows from what the engine said. */
  function take(transitions: readonly Transition[]): Transition[] {
    for (const transition of transitions) {
      const { sensorId } = transition.alert.subject;
      if (sensorId !== undefined) quorum.take(transition, registry(sensorId) ?? residents.get(sensorId)?.sensor);
    }
    return quorum.news();
  }

  /** Call it with the engine's `tick`. Sensors that were removed are watched no more. */
  function tick(): void {
    for (const [id, { registered, seats }] of residents) {
      if (!registered || registry(id) !== undefined) continue;
      quorum.unbind(seats);
      residents.delete(id);
      unsaved.add(id);
    }
  }

  function watchedRow(id: string): StateRow {
    const seats = residents.get(id)?.seats;
    const since = seats ? quorum.sinceOf(seats) : {};
    return { rule: WATCHED, subject: id, state: Object.keys(since).length === 0 ? "" : JSON.stringify(since) };
  }

  /** Goes on from its own rows. Answers the alerts that nothing counts any more, for the caller to end. */
  function load(rows: readonly StateRow[]): Orphan[] {
    for (const { rule, subject: id, state } of rows) {
      const sensor = rule === WATCHED ? registry(id) : undefined;
      if (sensor) settle(sensor, true, undefined, JSON.parse(state) as Record<string, number>);
      else if (rule === WATCHED) unsaved.add(id);
    }
    return rows.flatMap((row) => (row.rule === QUORUM ? quorum.load(row) : []));
  }

  return {
    note,
    take,
    tick,
    load,
    rows: (): StateRow[] => [...quorum.rows(), ...[...unsaved].map(watchedRow)],
    allRows: (): StateRow[] =>
      [...quorum.allRows(), ...[...residents.keys()].map(watchedRow)].filter(({ state }) => state !== ""),
    saved(): void {
      quorum.saved();
      unsaved.clear();
    },
  };
}

/** The rows that are this part's, not the engine's. */
export function isDistrictRow({ rule }: StateRow): boolean {
  return rule === QUORUM || rule === WATCHED;
}
