import type { Subject, Transition } from "../../model/alert.ts";
import { isDerived, type MetricName } from "../../model/metrics.ts";
import type { Reading } from "../../model/reading.ts";
import type { Rule } from "../../model/rule.ts";
import { type Sentence, say } from "../../model/sentence.ts";
import { parseDuration } from "../../model/time.ts";
import { alertId } from "../alert-id.ts";
import type { WatchedSensor } from "../conditions/condition.ts";
import {
  type Child,
  type Counting,
  createGroup,
  type EpisodeChange,
  type EpisodeNews,
  type EpisodeReport,
  type Group,
  type GroupJson,
  type Occasion,
  placeOf,
  placeText,
  type QuorumParams,
  quorumTransition,
} from "../conditions/quorum.ts";
import { wordsOfCondition } from "../conditions/registry.ts";
import { type CompiledRule, compileRule } from "../engine/plan.ts";
import type { StateRow, States } from "../engine/states.ts";
import { noted, titleOf } from "../says.ts";

const QUORUM = "~quorum";
const WATCHED = "~watched";

type Place = {
  readonly counter: Counter;
  readonly text: string;
  readonly group: Group;
  saidWhy?: Occasion;
  amendedAt: number;
};
type Counter = {
  readonly rule: Rule;
  readonly counted: CompiledRule;
  readonly own: CompiledRule;
  readonly params: QuorumParams;
  readonly places: Map<string, Place>;
};
/** A sensor where it is counted. `firstAt`: since when, Infinity before its first reading there. */
type Seat = { readonly place: Place; readonly metric: MetricName | undefined; firstAt: number };
export type Seats = readonly Seat[];

type PlaceJson = {
  rule: string;
  fit: string;
  counted: string;
  subject: Subject;
  amendedAt: number;
  group: GroupJson;
};

/**
 * Alerts of one rule counted by district, gateway or tag: a gateway outage, a publication fault. A fold over the
 * transitions of the engine: what they correct or retract is counted anew, and what follows is told.
 *
 * `residents`: the sensors that are bound. `restoreSensor` binds one of the last life, unless there is none such any more.
 */
export function createQuorum(
  rules: readonly Rule[],
  states: States,
  residents: ReadonlyMap<string, { readonly seats: Seats }>,
  restoreSensor: (id: string) => unknown,
) {
  const counters = rules.flatMap((rule) => counterOf(rule, rules));
  const byCounted = new Map<string, Counter[]>();
  for (const one of counters) byCounted.set(one.counted.rule.id, [...(byCounted.get(one.counted.rule.id) ?? []), one]);
  const touched = new Set<Place>();
  /** Since when a sensor was watched in the last life, by rule, until it is bound again. */
  const formerly = new Map<string, Readonly<Record<string, number>>>();
  const watched = states.open<string>({
    names: [WATCHED],
    keys: () => residents.keys(),
    rowsOf: (id) => [watchedRow(id)],
    load(rows) {
      for (const { subject: id, state } of rows) {
        formerly.set(id, JSON.parse(state) as Record<string, number>);
        if (!restoreSensor(id)) watched.mark(id);
      }
      formerly.clear();
    },
  });
  const places = states.open<Place>({
    names: [QUORUM],
    keys: () => allPlaces(),
    rowsOf: (place) => [placeRow(place)],
    load: (rows) => rows.forEach(loadPlace),
  });

  function allPlaces(): Place[] {
    return counters.flatMap((counter) => [...counter.places.values()]);
  }

  function placeFor(counter: Counter, subject: Subject): Place {
    const text = placeText(subject);
    const known = counter.places.get(text);
    if (known) return known;
    const place = { counter, text, group: createGroup(subject, counter.params), amendedAt: 0 };
    counter.places.set(text, place);
    return place;
  }

  function touch(place: Place, occasion: Occasion): void {
    places.mark(place);
    place.saidWhy = occasion;
    touched.add(place);
  }

  function put(place: Place, id: string, child: Child | undefined, occasion: Occasion): void {
    if (place.group.put(id, child)) touch(place, occasion);
  }

  /** Where a sensor is counted, with what is known from its former seats. */
  function bind(sensor: WatchedSensor, former: Seats = []): Seats {
    watched.mark(sensor.id);
    const seats = counters.flatMap((counter): Seat[] => {
      const { counted, own, rule } = counter;
      const watches = own.matches(sensor) && counted.matches(sensor) && counted.paramsFor(sensor) !== undefined;
      const subject = watches ? placeOf(quorumOf(rule).by, sensor) : undefined;
      if (!subject) return [];
      const place = placeFor(counter, subject);
      const before = former.find((seat) => seat.place.counter === counter);
      const firstAt = before?.firstAt ?? formerly.get(sensor.id)?.[rule.id] ?? Number.POSITIVE_INFINITY;
      if (before?.place !== place && firstAt < Number.POSITIVE_INFINITY) place.group.join(firstAt);
      return [{ place, metric: sentMetric(counted.rule), firstAt }];
    });
    for (const seat of former) detach(seat, sensor.id, seats);
    return seats;
  }

  /** What the sensor brought in goes with it. */
  function detach({ place, firstAt }: Seat, sensorId: string, seats: Seats): void {
    const next = seats.find((seat) => seat.place.counter === place.counter)?.place;
    if (next === place) return;
    if (firstAt < Number.POSITIVE_INFINITY) place.group.watched.remove(firstAt);
    for (const child of next ? place.group.childrenOf(sensorId) : []) {
      const occasion = { at: child.firedAt, knownAt: child.firedAt };
      put(place, child.id, undefined, occasion);
      if (next) put(next, child.id, child, occasion);
    }
  }

  /** A sensor is watched from its first reading on. */
  function note(seats: Seats, { sensorId, measuredAt, receivedAt, values }: Reading): void {
    for (let i = 0; i < seats.length; i++) {
      const seat = seats[i]!;
      if (measuredAt >= seat.firstAt || (seat.metric !== undefined && values[seat.metric] === undefined)) continue;
      const formerly = seat.firstAt === Number.POSITIVE_INFINITY ? undefined : seat.firstAt;
      watched.mark(sensorId);
      seat.firstAt = measuredAt;
      if (seat.place.group.join(measuredAt, formerly)) touch(seat.place, { at: measuredAt, knownAt: receivedAt });
    }
  }

  /** Counts what the engine said of a sensor. Call `news` afterwards. */
  function take({ alert, entry }: Transition, sensor: WatchedSensor | undefined): void {
    const { id, rule, subject, kind, state, correctedBy } = alert;
    const { sensorId, district } = subject;
    const about = byCounted.get(rule.id);
    if (!about || state === "pending" || sensorId === undefined || kind === "service") return;
    const known = sensor ?? { id: sensorId, kind, district: district ?? "", tags: {} };
    for (const counter of about) {
      const where = counter.own.matches(known) ? placeOf(quorumOf(counter.rule).by, known) : undefined;
      if (!where) continue;
      const place = placeFor(counter, where);
      const { at, knownAt } = entry;
      put(place, id, toChild(alert, counter, place.group.child(id)), { at, knownAt, correctedBy });
    }
  }

  /** What follows from all that was taken since the last call. */
  function news(): Transition[] {
    if (touched.size === 0) return [];
    const said: Transition[] = [];
    for (const place of touched) {
      places.mark(place);
      for (const one of place.group.news()) said.push(...tell(place, one));
    }
    touched.clear();
    return said;
  }

  function tell(place: Place, one: EpisodeNews): Transition[] {
    const occasion = place.saidWhy!;
    const isLate = one.what === "firing" && occasion.correctedBy !== undefined;
    const told: EpisodeChange[] = isLate ? [one, { ...one, what: "late-confirmed" }] : [one];
    return told.map((each) => quorumTransition(countingOf(place, each.episode), each, amended(place, each, occasion)));
  }

  /** No two changes of an alert may bear the same time: the records take the second for a repetition. */
  function amended(place: Place, { what }: EpisodeChange, occasion: Occasion): Occasion {
    if (what === "firing" || what === "resolved") return occasion;
    place.amendedAt = Math.max(occasion.at, place.amendedAt + 1);
    return { ...occasion, at: place.amendedAt };
  }

  function countingOf({ counter, group }: Place, { children }: EpisodeReport): Counting {
    const { rule, own, counted } = counter;
    const known = children.flatMap((id) => group.child(id) ?? []);
    const itsOwn = wordsOfCondition(counted.rule.condition.type)?.deed?.(counted.rule);
    const deed = itsOwn ?? say("deed.rule", { title: titleOf(counted.rule) });
    return { rule, fit: own.fit, counted: counted.rule, deed, subject: group.subject, children: known };
  }

  /** Ends what fires under rules that are not as they were. */
  function end(rules: readonly Rule[], at: number): Transition[] {
    const fits = new Set(rules.flatMap((rule) => counterOf(rule, rules)).map(fitOf));
    const ids = new Set(rules.map(({ id }) => id));
    return counters.flatMap((counter) => {
      if (fits.has(fitOf(counter))) return [];
      const note = ids.has(counter.rule.id) ? say("end.ruleChanged", {}) : say("end.ruleDeleted", {});
      return [...counter.places.values()].flatMap((place) => {
        const open = place.group.said().filter(({ endedAt }) => endedAt === undefined);
        return open.map((episode) => ended(place, { ...episode, endedAt: Math.max(at, episode.startedAt) }, at, note));
      });
    });
  }

  function ended(place: Place, episode: EpisodeReport, at: number, note: Sentence): Transition {
    const told = quorumTransition(countingOf(place, episode), { what: "resolved", episode }, { at, knownAt: at });
    return { ...told, entry: { ...told.entry, ...noted(note) } };
  }

  function watchedRow(id: string): StateRow {
    const since = (residents.get(id)?.seats ?? []).flatMap(({ place, firstAt }) =>
      firstAt === Number.POSITIVE_INFINITY ? [] : [[place.counter.rule.id, firstAt] as const],
    );
    const state = since.length === 0 ? "" : JSON.stringify(Object.fromEntries(since));
    return { rule: WATCHED, subject: id, state };
  }

  function placeRow({ counter, text, group, amendedAt }: Place): StateRow {
    const row = { rule: QUORUM, subject: `${counter.rule.id} ${text}` };
    if (group.isEmpty()) return { ...row, state: "" };
    const { rule, own, counted } = counter;
    const about = { rule: rule.id, fit: own.fit, counted: counted.fit, subject: group.subject, amendedAt };
    return { ...row, state: JSON.stringify({ ...about, group: group.toJson() } satisfies PlaceJson) };
  }

  /** `bind` the sensors first. */
  function loadPlace(row: StateRow): void {
    const { rule, fit, counted, subject, amendedAt, group: json } = JSON.parse(row.state) as PlaceJson;
    const counter = counters.find((one) => one.rule.id === rule && one.counted.fit === counted);
    if (!counter) {
      states.put({ ...row, state: "" });
      return;
    }
    const place = placeFor(counter, subject);
    place.amendedAt = amendedAt;
    if (counter.own.fit === fit) {
      place.group.restore(json);
      return;
    }
    // The same alerts under other numbers: what fires is counted anew.
    const open = json.children.filter(({ endedAt }) => endedAt === undefined);
    place.group.restore({ ...json, children: open, said: [] });
    const time = json.newestAt ?? 0;
    touch(place, { at: time, knownAt: time });
  }

  /** The ids of the alerts that are not over. */
  function held(): string[] {
    return allPlaces().flatMap(({ counter: { rule, own }, text, group }) =>
      group.said().flatMap(({ startedAt, endedAt }) => {
        return endedAt === undefined ? [alertId(rule.id, text, startedAt, own.fit)] : [];
      }),
    );
  }

  /**
   * Alerts that are counted and not over, though nobody holds them any more (`isHeld`), or of a sensor that belongs
   * elsewhere or nowhere now, end (`at`: wall clock). Call `news` afterwards.
   */
  function reconcile(
    at: number,
    isHeld: (alert: string) => boolean,
    sensorOf: (id: string) => WatchedSensor | undefined,
  ): void {
    for (const place of allPlaces()) {
      for (const child of place.group.open()) {
        if (isHeld(child.id) && isCountedAt(place, sensorOf(child.sensorId))) continue;
        put(place, child.id, { ...child, endedAt: Math.max(at, child.firedAt + 1) }, { at, knownAt: at });
      }
    }
  }

  function isCountedAt({ counter, text }: Place, sensor: WatchedSensor | undefined): boolean {
    if (!sensor || !counter.own.matches(sensor) || !counter.counted.matches(sensor)) return false;
    const subject = placeOf(quorumOf(counter.rule).by, sensor);
    return subject !== undefined && placeText(subject) === text;
  }

  return {
    bind,
    note,
    take,
    hasNews: () => touched.size > 0,
    news,
    end,
    held,
    reconcile,
    /** The sensor is no more. What it said has been ended by the engine. */
    unbind(sensorId: string, seats: Seats): void {
      watched.mark(sensorId);
      for (const { place, firstAt } of seats) if (Number.isFinite(firstAt)) place.group.watched.remove(firstAt);
    },
    tables: [watched, places],
  };
}

function counterOf(rule: Rule, rules: readonly Rule[]): Counter[] {
  const { condition } = rule;
  if (condition.type !== "quorum") return [];
  const counted = rules.find(({ id, condition: { type } }) => id === condition.rule && type !== "quorum");
  if (!counted) return [];
  const { count, share, within } = condition;
  const withinMs = within === undefined ? undefined : parseDuration(within)!;
  const params = { count, share, withinMs };
  return [{ rule, counted: compileRule(counted), own: compileRule(rule), params, places: new Map() }];
}

/** A metric that is worked out has its sensor watched from the first reading on. */
function sentMetric({ metric }: Rule): MetricName | undefined {
  return metric === undefined || isDerived(metric) ? undefined : metric;
}

const quorumOf = ({ condition }: Rule) => condition as Extract<Rule["condition"], { type: "quorum" }>;

function toChild(alert: Transition["alert"], { counted }: Counter, former: Child | undefined): Child | undefined {
  const { id, state, startedAt, firedAt, resolvedAt, evidence, subject, kind } = alert;
  if (state === "retracted" || firedAt === undefined || kind === "service") return undefined;
  const lastHeardAt = counted.rule.condition.type === "silence" ? evidence[0]?.measuredAt : undefined;
  const begunAt = former?.begunAt ?? lastHeardAt ?? startedAt;
  const endedAt = state === "resolved" ? resolvedAt : undefined;
  return { id, sensorId: subject.sensorId!, kind, begunAt, firedAt, endedAt };
}

const fitOf = ({ own, counted }: Counter) => [own.rule.id, own.fit, counted.rule.id, counted.fit].join(" ");
