import { recordText } from "../../messages/messages.ts";
import type { Transition } from "../../model/alert.ts";
import type { MetricName } from "../../model/metrics.ts";
import { LATE_AFTER_MS } from "../../model/reading.ts";
import type { Rule } from "../../model/rule.ts";
import { type Amount, say } from "../../model/sentence.ts";
import { SIBLINGS } from "../../model/siblings.ts";
import { HOUR_MS } from "../../model/time.ts";
import { type Daily, dayOf } from "../conditions/drift.ts";
import { explain } from "../conditions/registry.ts";
import { isTrace, median, noiseOf } from "../conditions/statistics.ts";
import { compileRule } from "../engine/plan.ts";
import type { StateRow, States } from "../engine/states.ts";
import { type Judged, judgedAs, saysOf, withVerdict } from "../says.ts";
import type { Neighbour, Neighbours } from "./neighbours.ts";
import { VALUES_KEPT, valuesIn } from "./recent.ts";
import type { Due } from "./verdict.ts";

const FLOOR = "~floor";
/** So many neighbours can speak against a sensor. */
const NEIGHBOURS_MIN = 3;
const VALUES_MIN = 4;
/** Days of which the median must be known to say what is usual. */
const DAYS_MIN = 5;
/** In their own past days: neighbours at or above their median are not near their floors. */
const USUAL_RANK = 0.5;
/** One sibling alone has to be clearer. */
const SIBLING_RANK = 0.7;
/** After a gap in time no more hours are looked at than the recent values reach back. */
const HOURS_MAX = 48;
const NEVER = Number.POSITIVE_INFINITY;

/**
 * Repeats a value near its floor. `askedTo`: hours before this one have been looked at. `promoted`: its neighbours spoke
 * against it, and it fires since then.
 */
type Waiting = {
  readonly pending: Transition["alert"];
  readonly askedTo: number;
  readonly promoted?: Judged & { readonly firedAt: number };
};
type WaitingJson = Waiting & { readonly fit: string };

/** The metrics whose floor neighbours decide on: of these the days have to be known. */
export function metricsNearFloors(rules: readonly Rule[]): MetricName[] {
  return rules.flatMap(({ condition, metric }) => {
    if (condition.type !== "flatline" || condition.floor !== undefined || metric === undefined) return [];
    return isTrace(metric as MetricName) ? [metric as MetricName] : [];
  });
}

type FloorsOptions = {
  readonly rules: readonly Rule[];
  readonly states: States;
  readonly neighbours: Neighbours;
  readonly dailyOf: (sensorId: string, metric: MetricName) => Daily | undefined;
  readonly resident: (sensorId: string) => Neighbour | undefined;
};

/**
 * A detection limit or a stuck sensor? A sensor that repeats a value near the lowest it shows is pending in the engine.
 * Here its neighbours are asked, once an hour of event time when that hour and the allowed lateness are over: it fires
 * when they stand where they usually do, clearly above it, and it would be clearly above its floor, too, by the share of
 * them that it usually shows. Where air is clean enough for a detection limit, the neighbours are near their lowest as
 * well; what a rural station shows less is its bias and no fault. Of a sensor with too few neighbours its other
 * measurement of the same thing is asked (`SIBLINGS`).
 */
export function createFloors({ rules, states, neighbours, dailyOf, resident }: FloorsOptions) {
  const metrics = new Set(metricsNearFloors(rules));
  const watched = new Map(
    rules.flatMap((rule) => {
      const isMeant = rule.condition.type === "flatline" && metrics.has(rule.metric as MetricName);
      return isMeant ? [[rule.id, { rule, fit: compileRule(rule).fit }] as const] : [];
    }),
  );
  const waiting = new Map<string, Waiting>();
  const dues = new Map<string, Due>();
  const table = states.open<string>({
    names: [FLOOR],
    keys: () => waiting.keys(),
    rowsOf(id) {
      const one = waiting.get(id);
      const fit = one && watched.get(one.pending.rule.id)?.fit;
      const json = one && fit !== undefined ? JSON.stringify({ ...one, fit } satisfies WaitingJson) : "";
      return [{ rule: FLOOR, subject: id, state: json }];
    },
    load(rows: readonly StateRow[]) {
      for (const { subject, state } of rows) {
        const { fit, ...one } = JSON.parse(state) as WaitingJson;
        if (watched.get(one.pending.rule.id)?.fit !== fit) table.mark(subject);
        else {
          waiting.set(subject, one);
          expect(one);
        }
      }
      return [];
    },
  });

  /** What the engine says, as it is with what the neighbours said. */
  function take(transition: Transition): Transition {
    const { alert } = transition;
    if (!watched.has(alert.rule.id)) return transition;
    const known = waiting.get(alert.id);
    if (alert.state === "pending") {
      // It became pending with the newest of its equal values.
      set(alert.id, { askedTo: hourOf(alert.evidence[0]!.measuredAt), ...known, pending: alert });
      return known?.promoted ? asPromoted(transition, known) : transition;
    }
    if (!known) return transition;
    set(alert.id, undefined);
    return known.promoted ? asPromoted(transition, known) : transition;
  }

  function asPromoted({ alert, entry }: Transition, { promoted }: Waiting): Transition {
    const { note: _, says: _1, ...rest } = entry;
    const { firedAt } = promoted!;
    const state = alert.state === "pending" ? "firing" : alert.state;
    const told = entry.note === "not-held" ? rest : entry;
    return { alert: { ...withVerdict(alert, promoted!), state, audience: "crews", firedAt }, entry: told };
  }

  function set(id: string, one: Waiting | undefined): void {
    table.mark(id);
    if (!one) return void waiting.delete(id);
    waiting.set(id, one);
    expect(one);
  }

  /** When the next hour of a district with someone waiting is over and complete: `review` has nothing to say before. */
  function dueOf(district: string): Due {
    const due = dues.get(district) ?? { at: NEVER };
    dues.set(district, due);
    return due;
  }

  function expect({ pending, askedTo, promoted }: Waiting): void {
    if (promoted) return;
    const due = dueOf(pending.subject.district!);
    due.at = Math.min(due.at, (askedTo + 1) * HOUR_MS + LATE_AFTER_MS);
  }

  /** Asks the neighbours about each hour that is over in a district at this event time. */
  function review(district: string, time: number, knownAt: number): Transition[] {
    const to = hourOf(time - LATE_AFTER_MS);
    const own = [...waiting].filter(([, { pending, promoted }]) => !promoted && pending.subject.district === district);
    dueOf(district).at = NEVER;
    return own
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([id, one]) => {
        const [next, said] = ask(one, to, knownAt);
        set(id, next);
        return said;
      });
  }

  function ask(one: Waiting, to: number, knownAt: number): [Waiting, Transition[]] {
    const { pending, askedTo } = one;
    const { rule } = watched.get(pending.rule.id)!;
    const sensor = resident(pending.subject.sensorId!);
    for (let hour = Math.max(askedTo, to - HOURS_MAX) + 1; sensor && hour <= to; hour++) {
      const at = hour * HOUR_MS;
      const judged = against(sensor, rule.metric as MetricName, pending, at);
      if (!judged) continue;
      const { startedAt, value, evidence } = pending;
      const outcome = { what: "firing", at, startedAt, value: value!, evidence } as const;
      const says = [explain({ rule, params: undefined, sensor: sensor.sensor, outcome })];
      const explanation = { explanation: recordText(says, rule.zone), says: saysOf(rule, says) };
      const alert = { ...withVerdict({ ...pending, ...explanation }, judged), state: "firing", firedAt: at } as const;
      const fired = { pending, askedTo: hour, promoted: { firedAt: at, ...judged } };
      return [fired, [{ alert: { ...alert, audience: "crews" }, entry: { at, knownAt, what: "firing" } }]];
    }
    return [{ ...one, askedTo: Math.max(askedTo, to) }, []];
  }

  /** Why the value of a sensor is no detection limit, undefined where nothing speaks against that. */
  function against(
    one: Neighbour,
    metric: MetricName,
    { startedAt, value: shown }: Transition["alert"],
    to: number,
  ): Judged | undefined {
    const value = shown!;
    const own = dailyOf(one.sensor.id, metric);
    const look = (other: Neighbour, of: MetricName) =>
      lookAt(other, of, startedAt, to, own, dailyOf(other.sensor.id, of));
    const others = neighbours.near(one.sensor, metric).flatMap((other) => look(other, metric) ?? []);
    if (others.length >= NEIGHBOURS_MIN) {
      const level = median(others.map((other) => other.level));
      const expected = median(others.map((other) => other.expected));
      const noise = noiseOf(metric, value);
      if (others.filter(({ isAlive }) => isAlive).length < others.length / 2) return undefined;
      if (median(others.map(({ rank }) => rank)) < USUAL_RANK) return undefined;
      if (level - value <= 2 * noise || expected - value <= noise) return undefined;
      const stood = { value: amount(metric, value), span: to - startedAt, level: amount(metric, level) };
      return judgedAs("sensor-fault", say("verdict.stoodLow", { ...stood, neighbours: others.length }));
    }
    for (const name of SIBLINGS[metric] ?? []) {
      const sibling = isTrace(name) ? look(one, name) : undefined;
      if (!sibling?.isAlive || sibling.rank < SIBLING_RANK) continue;
      if (sibling.expected - value <= noiseOf(metric, value)) continue;
      const stood = { value: amount(metric, value), span: to - startedAt, level: amount(name, sibling.level) };
      return judgedAs("sensor-fault", say("verdict.stoodBeside", { ...stood, metric: name }));
    }
    return undefined;
  }

  return { take, review, dueOf, table };
}

const hourOf = (at: number) => Math.floor(at / HOUR_MS);
const amount = (of: MetricName, value: number): Amount => ({ value, of });

/**
 * What another sensor showed meanwhile. `rank`: the share of its own past days it lies above; `expected`: what the sensor
 * itself usually shows beside that.
 */
type Other = {
  readonly level: number;
  readonly rank: number;
  readonly expected: number;
  readonly isAlive: boolean;
};

function lookAt(
  { recents }: Neighbour,
  metric: MetricName,
  from: number,
  to: number,
  own: Daily | undefined,
  theirs: Daily | undefined,
): Other | undefined {
  const recent = recents.get(metric);
  const values = recent ? valuesIn(recent, from - 1, to, VALUES_KEPT) : [];
  if (values.length < VALUES_MIN || !own || !theirs) return undefined;
  const first = dayOf(from);
  const past = theirs.days.filter(([day]) => day < first);
  const usual = new Map(past);
  const shares = own.days.flatMap(([day, value]) => {
    const other = day < first ? usual.get(day) : undefined;
    return other !== undefined && other > 0 ? [value / other] : [];
  });
  if (past.length < DAYS_MIN || shares.length < DAYS_MIN) return undefined;
  const level = median(values);
  const below = past.reduce((sum, [, value]) => sum + (value < level ? 1 : value === level ? 0.5 : 0), 0);
  const range = Math.max(...values) - Math.min(...values);
  const isAlive = new Set(values).size >= 3 || range > noiseOf(metric, level);
  return { level, rank: below / past.length, expected: level * median(shares), isAlive };
}
