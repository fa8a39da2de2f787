import type { Transition, Verdict } from "../../model/alert.ts";
import type { ConditionType } from "../../model/conditions.ts";
import { DERIVED, isDerived, METRICS_OF, type MetricName, type RuleMetric } from "../../model/metrics.ts";
import { LATE_AFTER_MS } from "../../model/reading.ts";
import type { Rule } from "../../model/rule.ts";
import { type Amount, type Sentence, say } from "../../model/sentence.ts";
import { SIBLINGS } from "../../model/siblings.ts";
import type { States } from "../engine/states.ts";
import { type Judged, judgedAs, judgedOf, withVerdict } from "../says.ts";
import { type Facts, factsOf, horizonOf, LATER_MS } from "./facts.ts";
import type { Neighbour, Neighbours } from "./neighbours.ts";

/**
 * City or sensor? The first line that applies decides. An event needs one good reason, a sensor fault needs a sign of the
 * sensor itself and neighbours (or its own other metrics) against it: a legal alert is not silenced by doubt. What is
 * seen by one sensor alone may be a fire next to it.
 */
type VerdictRow = {
  readonly is: Verdict["is"];
  readonly when: (facts: Case) => boolean;
  readonly why: (facts: Case) => Sentence;
};

/** `coarser`: of fine particles that are more than the coarse ones, what is known of those. */
type Case = Facts & { readonly coarser?: Facts };

const NEIGHBOURS_MIN = 2;
/** Fewer cannot speak against a sensor. */
const AGAINST_MIN = 3;
/** This far from its neighbours, in robust standard deviations, a sensor stands alone; this near it is one of them. */
const ALONE_Z = 5;
const AMONG_Z = 3;

const atLeast = (count: number, share: number, of: number) => count >= NEIGHBOURS_MIN && count >= share * of;
const isStill = ({ condition }: Facts) => condition === "flatline";
const allStand = (facts: Facts) => atLeast(facts.standing, 0.6, facts.standing + facts.alive);
const isAlone = (facts: Facts) =>
  facts.neighbours >= AGAINST_MIN && facts.beyond === 0 && facts.moved === 0 && facts.z >= ALONE_Z;
/** What fine particles are among. */
const coarserOf = (metric: MetricName) => (metric === "pm25" ? "pm10" : metric === "pm1" ? "pm25" : undefined);
const isParticles = ({ metric }: Facts) => coarserOf(metric) !== undefined;
/** Out of line with what its neighbours show of it. */
const isOutOfLine = ({ neighbours, z }: Facts) => neighbours >= AGAINST_MIN && Math.abs(z) >= ALONE_Z;
const isStuck = (facts: Facts) => facts.stuck !== undefined && !facts.atFloor;

const STILL: readonly VerdictRow[] = [
  {
    is: "unclear",
    when: allStand,
    why: (f) => say("verdict.allStand", { count: f.standing, of: f.standing + f.alive }),
  },
  {
    is: "unclear",
    when: ({ atFloor }) => atFloor,
    why: (f) => say("verdict.floor", { value: amount(f, f.value ?? f.level) }),
  },
  {
    is: "sensor-fault",
    when: (f) => atLeast(f.alive, 0.5, f.standing + f.alive),
    why: (f) => say("verdict.stoodStill", { alive: f.alive, of: f.standing + f.alive }),
  },
];

const REGISTERS: readonly VerdictRow[] = [
  {
    is: "sensor-fault",
    when: ({ condition }) => condition === "register",
    why: () => say("verdict.register", {}),
  },
];

const EVENTS: readonly VerdictRow[] = [
  {
    is: "event",
    when: (f) => f.neighbours >= NEIGHBOURS_MIN && f.beyond >= Math.max(1, 0.33 * f.neighbours),
    why: (f) =>
      say("verdict.beyond", { count: f.beyond, of: f.neighbours, side: sideOf(f), limit: amount(f, f.limit!) }),
  },
  {
    is: "event",
    when: (f) => atLeast(f.moved, 0.5, f.neighbours),
    why: (f) =>
      say("verdict.moved", { count: f.moved, of: f.neighbours, direction: directionOf(f), level: amount(f, f.level) }),
  },
];

/** Its neighbours and what they are near. */
const beside = (f: Facts) => ({ neighbours: f.neighbours, level: amount(f, f.level) });

const FAULTS: readonly VerdictRow[] = [
  {
    is: "sensor-fault",
    when: (f) => isStuck(f) && f.alive >= AGAINST_MIN && f.beyond === 0 && f.moved === 0,
    why: (f) => {
      const { value, forMs: span } = f.stuck!;
      return say("verdict.stuck", { value: amount(f, value), span, alive: f.alive, of: f.neighbours });
    },
  },
  {
    is: "sensor-fault",
    when: (f) => isAlone(f) && f.oddValue !== undefined,
    why: (f) => say("verdict.odd", { odd: f.oddValue!, ...beside(f) }),
  },
  {
    is: "sensor-fault",
    // Of fine and coarse particles either may be wrong: that never hides an episode from operators.
    when: (f) =>
      f.siblings.contradicts !== undefined &&
      !isParticles(f) &&
      (f.neighbours < NEIGHBOURS_MIN || (f.beyond === 0 && f.moved === 0)),
    why: (f) => {
      const against = f.neighbours >= NEIGHBOURS_MIN ? { neighbours: f.neighbours } : {};
      return say("verdict.contradicts", { what: f.siblings.contradicts!, ...against });
    },
  },
  {
    is: "sensor-fault",
    when: (f) => isAlone(f) && f.condition === "spike" && f.siblings.agrees === undefined,
    why: (f) => say("verdict.spikeAlone", beside(f)),
  },
  {
    is: "sensor-fault",
    when: (f) => isAlone(f) && f.allSuspect && f.siblings.agrees === undefined,
    why: (f) => say("verdict.allSuspect", beside(f)),
  },
];

const REST: readonly VerdictRow[] = [
  {
    is: "event",
    when: ({ siblings }) => siblings.agrees !== undefined,
    why: (f) => say("verdict.agrees", { what: f.siblings.agrees! }),
  },
  {
    is: "event",
    // Its neighbours show what it shows: what cannot be is the other value.
    when: (f) => f.coarser !== undefined && suspectOf(f).wrong === f.coarser.metric,
    why: (f) => say("verdict.suspect", { what: f.siblings.contradicts!, ...suspectOf(f) }),
  },
  {
    is: "event",
    when: (f) => f.neighbours >= AGAINST_MIN && Math.abs(f.z) <= AMONG_Z,
    why: (f) => say("verdict.among", beside(f)),
  },
  {
    is: "unclear",
    when: (f) => f.siblings.contradicts !== undefined && isParticles(f),
    why: (f) => say("verdict.suspect", { what: f.siblings.contradicts!, ...suspectOf(f) }),
  },
  { is: "unclear", when: isAlone, why: (f) => say("verdict.alone", beside(f)) },
  {
    is: "unclear",
    when: ({ neighbours: count }) => count < NEIGHBOURS_MIN,
    why: (f) => say("verdict.fewNeighbours", { neighbours: f.neighbours }),
  },
  { is: "unclear", when: () => true, why: unsettled },
];

/** Which of fine and coarse particles is out of line with the neighbours, if that is one of them. */
function suspectOf(fine: Case): { readonly wrong?: MetricName } {
  const { coarser } = fine;
  const isKnown = fine.neighbours >= AGAINST_MIN && (coarser?.neighbours ?? 0) >= AGAINST_MIN;
  if (!coarser || !isKnown || isOutOfLine(fine) === isOutOfLine(coarser)) return {};
  return { wrong: isOutOfLine(fine) ? fine.metric : coarser.metric };
}

function decide(facts: Case): Judged {
  const lines = isStill(facts) ? [...STILL, ...REST.slice(-2)] : [...REGISTERS, ...EVENTS, ...FAULTS, ...REST];
  const line = lines.find(({ when }) => when(facts))!;
  return judgedAs(line.is, line.why(facts));
}

function unsettled(f: Facts): Sentence {
  const { neighbours: of, standing, alive, moved, limit } = f;
  const level = amount(f, f.level);
  if (isStill(f)) return say("verdict.unsettledStill", { standing, alive, of, level });
  const beyond = limit === undefined ? {} : { beyond: f.beyond };
  return say("verdict.unsettled", { moved, of, direction: directionOf(f), level, ...beyond });
}

const sideOf = ({ direction }: Facts) => (direction > 0 ? "above" : "below");
const directionOf = ({ direction }: Facts) => (direction > 0 ? "rise" : "fall");
const amount = ({ metric }: Facts, value: number): Amount => ({ value, of: metric });

const VERDICT = "~verdict";

/** An alert that may still change or be judged again. `dueAt`: when everything it can rest on is in, in event time. */
type JudgedAlert = { transition: Transition; readonly dueAt: number; readonly imported: boolean; isFinal: boolean };
/**
 * When there is something to do about it next, in event time. Over and final, it is kept for as long as a late reading may
 * correct its end: what its neighbours showed when it began is no longer known then.
 */
function nextAt({ isFinal, dueAt, transition: { alert } }: JudgedAlert): number {
  if (!isFinal) return dueAt;
  return alert.resolvedAt === undefined ? Number.POSITIVE_INFINITY : alert.resolvedAt + LATE_AFTER_MS + 1;
}

/** The earliest due time of a district's cases, Infinity for none. Changed in place. */
export type Due = { at: number };

/** The metrics that every kind sends of the device itself: no neighbour knows of them. */
const HEALTH = new Set<RuleMetric>(METRICS_OF.air.filter((one) => METRICS_OF.energy.includes(one)));

/** Neighbours know nothing of a silence, of what is refused or of how lamps are switched; several sensors are no one's neighbour. */
const UNJUDGED: ReadonlySet<ConditionType> = new Set(["quorum", "silence", "drift", "rejections", "lighting"]);

/** The alerts of this rule are judged here; a drift is judged where it is found. */
function isJudged({ metric, condition: { type } }: Rule): boolean {
  return metric !== undefined && !HEALTH.has(metric) && !UNJUDGED.has(type);
}

const measuredFor = (metric: RuleMetric): readonly MetricName[] =>
  isDerived(metric) ? DERIVED[metric].from : [metric];

/** Of which metrics recent values have to be kept. */
export function metricsToKeep(rules: readonly Rule[]): Set<MetricName> {
  const judged = rules.filter(isJudged).flatMap(({ metric }) => measuredFor(metric!));
  return new Set(judged.flatMap((metric) => [metric, ...(SIBLINGS[metric] ?? [])]));
}

/**
 * City or sensor? Judges every alert on a value when it fires, and once more when nothing can change any more. A sensor
 * fault goes to the crews, whoever the rule is for.
 */
export function createVerdicts(rules: readonly Rule[], neighbours: Neighbours, states: States) {
  const judged = new Map(rules.filter(isJudged).map((rule) => [rule.id, rule]));
  const cases = new Map<string, JudgedAlert>();
  const dues = new Map<string, Due>();

  const table = states.open<string>({
    names: [VERDICT],
    keys: () => cases.keys(),
    rowsOf(subject) {
      const one = cases.get(subject);
      return [{ rule: VERDICT, subject, state: one ? JSON.stringify(one) : "" }];
    },
    load(rows) {
      for (const { subject, state } of rows) {
        const one = JSON.parse(state) as JudgedAlert;
        if (judged.has(one.transition.alert.rule.id)) keep(one);
        else table.mark(subject);
      }
    },
  });

  /** When the next case of a district is due: `review` has nothing to say before. */
  function dueOf(district: string): Due {
    const due = dues.get(district) ?? { at: Number.POSITIVE_INFINITY };
    dues.set(district, due);
    return due;
  }

  function judge(rule: Rule, alert: Transition["alert"], resident: Neighbour): Judged {
    const to = horizonOf(rule, alert.firedAt ?? alert.startedAt);
    const own = (metric: MetricName) => resident.recents.get(metric);
    const verdicts = measuredFor(rule.metric!)
      .filter((metric) => !isDerived(rule.metric!) || own(metric) !== undefined)
      .map((metric) => {
        const look = (one: MetricName) =>
          factsOf({ alert, rule, metric: one, to, own, around: neighbours.around(resident.sensor, one) });
        const facts = look(metric);
        const coarser = facts.siblings.contradicts && coarserOf(metric);
        return decide(coarser ? { ...facts, coarser: look(coarser) } : facts);
      });
    const best = ["event", "sensor-fault", "unclear"].flatMap((is) =>
      verdicts.filter(({ verdict }) => verdict.is === is),
    )[0];
    return best ?? judgedAs("unclear", say("verdict.nothingKnown", {}));
  }

  /** The alert with its verdict. `watermark`: the newest time seen in its district. */
  function take(
    transition: Transition,
    resident: Neighbour | undefined,
    watermark: number,
    imported: boolean,
  ): Transition {
    const { alert } = transition;
    const rule = judged.get(alert.rule.id);
    if (!rule || !resident || alert.state === "pending") return transition;
    const former = cases.get(alert.id);
    const known =
      former && isSameFiring(former.transition.alert, alert) ? judgedOf(former.transition.alert) : undefined;
    const told = judgedTo(
      transition,
      rule,
      known ?? (alert.state === "retracted" ? undefined : judge(rule, alert, resident)),
    );
    const dueAt = horizonOf(rule, alert.firedAt ?? alert.startedAt) + LATER_MS + LATE_AFTER_MS + 1;
    keep({ transition: told, dueAt, imported, isFinal: former?.isFinal ?? dueAt <= watermark });
    return told;
  }

  function keep(one: JudgedAlert): void {
    const { id, state, subject } = one.transition.alert;
    table.mark(id);
    if (state === "retracted") cases.delete(id);
    else cases.set(id, one);
    const due = dueOf(subject.district ?? "");
    due.at = Math.min(due.at, nextAt(one));
  }

  function forget({ transition: { alert } }: JudgedAlert): void {
    cases.delete(alert.id);
    table.mark(alert.id);
  }

  /** Judges again what is due in a district at this event time. `resident` answers the sensor as it is known now. */
  function review(
    district: string,
    time: number,
    knownAt: number,
    resident: (id: string) => Neighbour | undefined,
  ): Transition[] {
    const due = dueOf(district);
    if (time < due.at) return [];
    due.at = Number.POSITIVE_INFINITY;
    return [...cases.values()].flatMap((one) => {
      if (one.transition.alert.subject.district !== district) return [];
      if (nextAt(one) <= time && !one.isFinal) {
        return close(one, knownAt, resident(one.transition.alert.subject.sensorId!));
      }
      if (nextAt(one) <= time) forget(one);
      else due.at = Math.min(due.at, nextAt(one));
      return [];
    });
  }

  function close(one: JudgedAlert, knownAt: number, resident: Neighbour | undefined): Transition[] {
    const { alert } = one.transition;
    const rule = judged.get(alert.rule.id)!;
    const now = resident ? judge(rule, alert, resident) : judgedOf(alert);
    const isSame = now?.verdict.is === alert.verdict?.is && now?.verdict.why === alert.verdict?.why;
    const entry = { at: one.dueAt, knownAt, what: "verdict", ...(now && { note: now.verdict.why, says: now.why }) };
    const transition = isSame ? one.transition : judgedTo({ alert, entry }, rule, now);
    keep({ ...one, transition, isFinal: true });
    return isSame ? [] : [transition];
  }

  /** By the clock: for districts from which nothing comes any more. Not for history. */
  function tick(now: number, resident: (id: string) => Neighbour | undefined): Transition[] {
    const due = [...cases.values()].filter((one) => !one.imported && nextAt(one) <= now);
    for (const one of due) if (one.isFinal) forget(one);
    const open = due.filter(({ isFinal }) => !isFinal);
    return open.flatMap((one) => close(one, now, resident(one.transition.alert.subject.sensorId!)));
  }

  /** Forgets alerts that nobody holds any more: what they were is no longer so. */
  function reconcile(isHeld: (alert: string) => boolean): void {
    for (const [id, { transition }] of cases) {
      const { state } = transition.alert;
      if (state === "resolved" || isHeld(id)) continue;
      cases.delete(id);
      table.mark(id);
    }
  }

  return { take, dueOf, review, tick, reconcile, table };
}

function isSameFiring(a: Transition["alert"], b: Transition["alert"]): boolean {
  return a.startedAt === b.startedAt && a.firedAt === b.firedAt && (b.state !== "firing" || a.value === b.value);
}

function judgedTo({ alert, entry }: Transition, rule: Rule, now: Judged | undefined): Transition {
  if (!now) return { alert, entry };
  const audience = now.verdict.is === "sensor-fault" ? "crews" : rule.audience;
  return { alert: { ...withVerdict(alert, now), audience }, entry };
}
