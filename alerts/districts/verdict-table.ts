import type { Verdict } from "../../model/alert.ts";
import { METRICS } from "../../model/metrics.ts";
import { formatSpan } from "../../model/time.ts";
import type { Facts } from "./facts.ts";

/**
 * City or sensor? The first line that applies decides. An event needs one good reason, a sensor fault needs a sign of the
 * sensor itself and neighbours (or its own other metrics) against it: a legal alert is not silenced by doubt. What is
 * seen by one sensor alone may be a fire next to it.
 */
type Line = {
  readonly is: Verdict["is"];
  readonly when: (facts: Facts) => boolean;
  readonly why: (facts: Facts) => string;
};

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
const isStuck = (facts: Facts) => facts.stuck !== undefined && !facts.atFloor;

const STILL: readonly Line[] = [
  {
    is: "unclear",
    when: allStand,
    why: (f) =>
      `${of(f.standing, f)} repeat one value, too: a fault where the values are published, not of this sensor.`,
  },
  {
    is: "unclear",
    when: ({ atFloor }) => atFloor,
    why: (f) =>
      `${amount(f, f.value)} is near the lowest it can tell: probably the detection limit, not a stuck sensor.`,
  },
  {
    is: "sensor-fault",
    when: (f) => atLeast(f.alive, 0.5, f.standing + f.alive),
    why: (f) => `It stood still while ${f.alive} of ${neighbours(f.standing + f.alive)} moved.`,
  },
];

const REGISTERS: readonly Line[] = [
  {
    is: "sensor-fault",
    when: ({ condition }) => condition === "register",
    why: () => "A register only counts up, and no faster than its meter: this is the meter or its data.",
  },
];

const EVENTS: readonly Line[] = [
  {
    is: "event",
    when: (f) => f.neighbours >= NEIGHBOURS_MIN && f.beyond >= Math.max(1, 0.33 * f.neighbours),
    why: (f) =>
      `${of(f.beyond, f)} ${f.beyond === 1 ? "was" : "were"} ${f.direction > 0 ? "above" : "below"} ${amount(f, f.limit)}, too.`,
  },
  {
    is: "event",
    when: (f) => atLeast(f.moved, 0.5, f.neighbours),
    why: (f) => `${of(f.moved, f)} ${f.direction > 0 ? "rose" : "fell"} with it, to a median of ${amount(f, f.level)}.`,
  },
];

const FAULTS: readonly Line[] = [
  {
    is: "sensor-fault",
    when: (f) => isStuck(f) && f.alive >= AGAINST_MIN && f.beyond === 0 && f.moved === 0,
    why: (f) =>
      `It has repeated ${amount(f, f.stuck!.value)} for ${formatSpan(f.stuck!.forMs)} while ${f.alive} of ${neighbours(f.neighbours)} moved, none of them so far.`,
  },
  {
    is: "sensor-fault",
    when: (f) => isAlone(f) && f.oddValue !== undefined,
    why: (f) => `${f.oddValue}, and its ${neighbours(f.neighbours)} stayed near ${amount(f, f.level)}.`,
  },
  {
    is: "sensor-fault",
    when: (f) =>
      f.siblings.contradicts !== undefined && (f.neighbours < NEIGHBOURS_MIN || (f.beyond === 0 && f.moved === 0)),
    why: (f) =>
      `${capital(f.siblings.contradicts!)}${f.neighbours >= NEIGHBOURS_MIN ? `, and none of its ${neighbours(f.neighbours)} shows it` : ""}.`,
  },
  {
    is: "sensor-fault",
    when: (f) => isAlone(f) && f.condition === "spike" && f.siblings.agrees === undefined,
    why: (f) =>
      `A single value stood out, and none of its ${neighbours(f.neighbours)} moved (median ${amount(f, f.level)}).`,
  },
  {
    is: "sensor-fault",
    when: (f) => isAlone(f) && f.allSuspect && f.siblings.agrees === undefined,
    why: (f) => `All its values are suspect, and its ${neighbours(f.neighbours)} stayed near ${amount(f, f.level)}.`,
  },
];

const REST: readonly Line[] = [
  { is: "event", when: ({ siblings }) => siblings.agrees !== undefined, why: (f) => `${capital(f.siblings.agrees!)}.` },
  {
    is: "event",
    when: (f) => f.neighbours >= AGAINST_MIN && Math.abs(f.z) <= AMONG_Z && f.condition !== "anomaly",
    why: (f) => `Its ${neighbours(f.neighbours)} show about the same (median ${amount(f, f.level)}).`,
  },
  {
    is: "unclear",
    when: isAlone,
    why: (f) =>
      `Only this sensor shows it: its ${neighbours(f.neighbours)} stayed near ${amount(f, f.level)}. A local event or a fault.`,
  },
  {
    is: "unclear",
    when: ({ neighbours: count }) => count < NEIGHBOURS_MIN,
    why: (f) => `${f.neighbours === 0 ? "No neighbour has" : "Only one neighbour has"} recent values to compare with.`,
  },
  {
    is: "unclear",
    when: () => true,
    why: (f) => `Its neighbours do not settle it: ${counted(f)} (median ${amount(f, f.level)}).`,
  },
];

export function decide(facts: Facts): Verdict {
  const lines = isStill(facts) ? [...STILL, ...REST.slice(-2)] : [...REGISTERS, ...EVENTS, ...FAULTS, ...REST];
  const line = lines.find(({ when }) => when(facts))!;
  return { is: line.is, why: line.why(facts) };
}

function counted(f: Facts): string {
  if (isStill(f)) return `${f.standing} of ${neighbours(f.neighbours)} stood still, too, and ${f.alive} moved`;
  const moved = `${f.moved} of ${neighbours(f.neighbours)} ${f.direction > 0 ? "rose" : "fell"} with it`;
  return f.limit === undefined ? moved : `${moved}, ${f.beyond} ${f.beyond === 1 ? "was" : "were"} beyond the limit`;
}

const neighbours = (count: number) => (count === 1 ? "1 neighbour" : `${count} neighbours`);
const of = (count: number, f: Facts) => `${count} of ${neighbours(isStill(f) ? f.standing + f.alive : f.neighbours)}`;
const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function amount({ metric }: Facts, value: number | undefined): string {
  if (value === undefined) return "no value";
  return `${Math.round(value * 100) / 100} ${METRICS[metric].unit}`.trimEnd();
}
