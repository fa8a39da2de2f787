import type { Transition } from "../model/alert.ts";
import type { Reading } from "../model/reading.ts";
import type { Rule } from "../model/rule.ts";
import { createDistricts, isDistrictRow } from "./districts/districts.ts";
import { createEngine, type EngineOptions } from "./engine/engine.ts";
import type { Orphan, StateRow } from "./engine/state-rows.ts";

export type Detector = ReturnType<typeof createDetector>;

/**
 * What finds out: the same pure code live, over history and in the tests of rules. Knows no clock. Two parts: the
 * engine (one sensor at a time) and the districts (what several sensors say together).
 */
export function createDetector(options: EngineOptions) {
  const engine = createEngine(options);
  const districts = createDistricts(options);
  let quorums = quorumsOf(options.rules);
  const counts = { firing: 0, resolved: 0, shadow: 0 };
  /** Readings are handed on one by one, so that what the districts know is the same however batches are cut. */
  const one: Reading[] = [];

  function observe(readings: readonly Reading[]): Transition[] {
    const said: Transition[] = [];
    for (const reading of readings) {
      one[0] = reading;
      hand(said, districts.note(reading));
      const transitions = engine.observe(one);
      if (transitions.length > 0) hand(said, districts.take(transitions));
    }
    return said;
  }

  function tick(now: number): Transition[] {
    const said: Transition[] = [];
    hand(said, districts.tick(now, engine.tick(now)));
    return said;
  }

  function hand(said: Transition[], transitions: readonly Transition[]): void {
    for (let i = 0; i < transitions.length; i++) {
      said.push(transitions[i]!);
      if (quorums.has(transitions[i]!.alert.rule.id)) count(transitions[i]!);
    }
  }

  function count({ alert, entry }: Transition): void {
    if (alert.mode === "shadow") counts.shadow += 1;
    else if (entry.what === "firing" || entry.what === "resolved") counts[entry.what] += 1;
  }

  function load(rows: Iterable<StateRow>): Orphan[] {
    const all = [...rows];
    const orphans = engine.load(all.filter((row) => !isDistrictRow(row)));
    return [...orphans, ...districts.load(all.filter((row) => isDistrictRow(row) && row.state !== ""))];
  }

  /** Other rules from now on; what changed or deleted ones had said is resolved with a note. */
  function replaceRules(rules: readonly Rule[], at: number): Transition[] {
    const said: Transition[] = [];
    hand(said, districts.take(engine.replaceRules(rules, at)));
    quorums = quorumsOf(rules);
    return said;
  }

  return {
    observe,
    tick,
    replaceRules,
    listen: engine.listen,
    load,
    /** The states that have changed; call `saved` in the same turn, once they are on disk. */
    dirty: (): StateRow[] => [...engine.dirty(), ...districts.rows()],
    saved(): void {
      engine.saved();
      districts.saved();
    },
    failures: engine.failures,
    counts: () => {
      const own = engine.counts();
      const { firing, resolved, shadow } = counts;
      return { ...own, firing: own.firing + firing, resolved: own.resolved + resolved, shadow: own.shadow + shadow };
    },
  };
}

const quorumsOf = (rules: readonly Rule[]) =>
  new Set(rules.flatMap(({ id, condition }) => (condition.type === "quorum" ? [id] : [])));
