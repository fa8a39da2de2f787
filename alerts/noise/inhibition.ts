import type { Rule } from "../../model/rule.ts";
import type { AlertFacts } from "../../model/silence.ts";
import { parseDuration } from "../../model/time.ts";

type Where = NonNullable<Rule["inhibits"]>[number]["where"];
/** `rule` is the other end of it. `countsWithinMs`: the parent is a quorum over just these alerts, begun within that time. */
type Link = { readonly rule: string; readonly where: Where; readonly countsWithinMs?: number };

export type Inhibition = ReturnType<typeof inhibitionOf>;

const NONE: readonly Link[] = [];
/** A quorum needs its count together: sensors that report every few minutes are missed one by one. */
const COUNTED_TIMES = 5;

/** Which rules keep which others quiet. Shadow rules keep nobody quiet. */
export function inhibitionOf(rules: readonly Rule[]) {
  const children = new Map<string, Link[]>();
  const parents = new Map<string, Link[]>();
  for (const { id, mode, condition, inhibits = [] } of rules) {
    if (mode === "shadow") continue;
    for (const { rule, where } of inhibits) {
      // A rule that named itself would keep all of its own alerts quiet.
      if (rule === id) continue;
      add(children, id, { rule, where });
      const counts = condition.type === "quorum" && condition.rule === rule;
      const countsWithinMs = counts ? parseDuration(condition.within ?? "1d") : undefined;
      add(parents, rule, { rule: id, where, countsWithinMs });
    }
  }
  const childrenOf = (rule: string) => children.get(rule) ?? NONE;
  const parentsOf = (rule: string) => parents.get(rule) ?? NONE;

  /** The places by which an alert of this rule is found, as a parent or as a child. */
  function placesOf(facts: AlertFacts): readonly string[] {
    const links = [...childrenOf(facts.rule), ...parentsOf(facts.rule)];
    const places = links.map(({ where }) => placeOf(where, facts));
    return [...new Set(places.filter((place) => place !== undefined))];
  }

  /**
   * How long such an alert waits for a cause that may still come, because a gateway or a feeder falls silent sensor by
   * sensor: `shortMs`, up to five times that where a quorum counts it, never longer than that for operators' critical ones.
   */
  function holdMs(facts: AlertFacts, shortMs: number): number {
    const wide = parentsOf(facts.rule).filter(({ where }) => where !== "sensor" && placeOf(where, facts) !== undefined);
    if (wide.length === 0) return 0;
    if (facts.severity === "critical" && facts.audience === "operators") return shortMs;
    const counted = wide.map(({ countsWithinMs = 0 }) => Math.min(countsWithinMs, COUNTED_TIMES * shortMs));
    return Math.max(shortMs, ...counted);
  }

  return { childrenOf, parentsOf, placesOf, holdMs };
}

/** "gateway:gw-1", "tag:feeder=f-12": two alerts with the same place are in the same branch of the tree. */
export function placeOf(where: Where, { sensor, district, gateway, tags }: AlertFacts): string | undefined {
  if (typeof where === "object") {
    const value = tags[where.tag];
    return value === undefined ? undefined : `tag:${where.tag}=${value}`;
  }
  const value = { sensor, district, gateway }[where];
  return value === undefined ? undefined : `${where}:${value}`;
}

function add(map: Map<string, Link[]>, key: string, link: Link): void {
  const links = map.get(key);
  if (links) links.push(link);
  else map.set(key, [link]);
}
