/** How one life of the service ends. */
export type Death = {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  /** By the harness: so long after the spawn, or so long after the load began. Otherwise the process ends itself at a named point. */
  readonly afterStartMs?: number;
  readonly afterLoadMs?: number;
};

/** Named points, and how many passes there are to choose from: later ones come after more of the same life. */
const POINTS: Readonly<Record<string, number>> = {
  "before-append": 60,
  "after-append": 60,
  "after-fsync": 60,
  "after-answer": 60,
  "mid-segment-rotate": 6,
  "before-write": 5,
  "after-write": 5,
  "after-booking": 5,
  "store:before-take": 5,
  "store:after-take": 5,
  "alerts:before-take": 20,
  "alerts:after-take": 20,
};

/** One of each kind; a run of more kills goes round and draws new moments. */
export const DEATHS = [
  ...Object.keys(POINTS),
  "mid-write",
  "mid-write",
  "while-starting",
  "while-starting",
  "any",
  "any",
  "any",
  "any",
];

/** `random` gives numbers in [0, 1). */
export function drawDeath(life: number, random: () => number): Death {
  const kind = DEATHS[life % DEATHS.length]!;
  const upTo = (max: number) => Math.floor(random() * max);
  const env: Record<string, string> = random() < 0.5 ? { LAMPPOST_FAULT_SEGMENT_KIB: "32" } : {};
  const at = (point: string): Death => ({ name: point, env: { ...env, LAMPPOST_FAULT_AT: point } });
  switch (kind) {
    case "any":
      return { name: "any moment", env, afterLoadMs: upTo(1_200) };
    case "while-starting":
      return { name: "while starting", env, afterStartMs: 150 + upTo(600) };
    case "mid-write":
      return at(`before-write@${upTo(4)}+${1 + upTo(15)}`);
    case "mid-segment-rotate":
      env.LAMPPOST_FAULT_SEGMENT_KIB = "32";
      return at(`${kind}@${upTo(POINTS[kind]!)}`);
    default:
      return at(`${kind}@${upTo(POINTS[kind]!)}`);
  }
}
