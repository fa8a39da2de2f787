import type { TimelineEntry } from "../../model/alert.ts";
import type { Rule } from "../../model/rule.ts";
import type { NoiseRow, Records } from "../../store/records.ts";
import { type About, factsOf, type KnownSensor } from "./facts.ts";
import { type FlappingOptions, flapsUntil } from "./flapping.ts";
import { type Inhibition, inhibitionOf, placeOf } from "./inhibition.ts";
import { createSilencing } from "./silencing.ts";

/** Why an alert is not told: what the alert then shows, a sentence for its timeline, and until when if that is known. */
export type Cause = { readonly by: string; readonly note: string; readonly until?: number };

type JudgeParts = {
  readonly records: Pick<Records, "silences" | "noise">;
  readonly rules: () => readonly Rule[];
  readonly sensor: (id: string) => KnownSensor | undefined;
  readonly flapping: FlappingOptions;
  readonly shortHoldMs: number;
};

export type Judge = ReturnType<typeof createJudge>;

/** What keeps an alert from being told now. It decides from what is recorded alone, so that a restart changes nothing. */
export function createJudge({ records: { silences, noise }, rules, sensor, flapping, shortHoldMs }: JudgeParts) {
  const silencing = createSilencing(silences);
  let known: { readonly rules: readonly Rule[]; readonly tree: Inhibition } | undefined;

  function tree(): Inhibition {
    const now = rules();
    if (known?.rules !== now) known = { rules: now, tree: inhibitionOf(now) };
    return known.tree;
  }

  const facts = (about: About) => factsOf(about, about.subject.sensorId ? sensor(about.subject.sensorId) : undefined);

  /** A silence or maintenance window, else a firing alert that explains it. What people said comes first. */
  function outside(about: About, now: number): Cause | undefined {
    const silence = silencing.silencedBy(facts(about), now);
    if (!silence) return parent(about);
    const { kind, id, reason, createdBy } = silence;
    return { by: `${kind}:${id}`, note: `${reason} (${kind} ${id} by ${createdBy})` };
  }

  function parent(about: About): Cause | undefined {
    for (const { rule, where } of tree().parentsOf(about.rule)) {
      const place = placeOf(where, facts(about));
      const alert = place === undefined ? undefined : noise.at(rule, place)[0];
      if (alert !== undefined) return { by: `rule:${rule}`, note: `Explained by alert ${alert} (${place}).` };
    }
    return undefined;
  }

  function cause(row: NoiseRow, now: number): Cause | undefined {
    const found = outside(row.about, now);
    if (found) return found;
    const until = flapsUntil(noise, row, flapping);
    if (until === undefined || until <= now) return undefined;
    const { changesMin, withinMs } = flapping;
    const note = `${changesMin} changes or more within ${withinMs / 60_000} min: told again once it is calm.`;
    return { by: "flapping", note, until };
  }

  function childrenOf(about: About): readonly string[] {
    return tree()
      .childrenOf(about.rule)
      .flatMap(({ rule, where }) => {
        const place = placeOf(where, facts(about));
        return place === undefined ? [] : noise.at(rule, place);
      });
  }

  return {
    outside,
    cause,
    childrenOf,
    placesOf: (about: About) => tree().placesOf(facts(about)),
    /** How long it waits for an alert of another rule that explains it. */
    holdMs: (about: About) => tree().holdMs(facts(about), shortHoldMs),
    /** Another text when a silence has begun or ended. */
    silences: silencing.sign,
  };
}

/** The timeline's line about it: `cause` is what suppresses the alert from now on. */
export function entryOf(cause: Cause | undefined, at: number): TimelineEntry {
  if (!cause) return { at, knownAt: at, what: "released" };
  return { at, knownAt: at, what: "suppressed", note: `${cause.by}: ${cause.note}` };
}
