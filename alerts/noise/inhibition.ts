import type { Rule } from "../../model/rule.ts";
import type { AlertFacts } from "../../model/silence.ts";

type Where = NonNullable<Rule["inhibits"]>[number]["where"];
/** `rule` is the other end of it. */
export type Link = { readonly rule: string; readonly where: Where };

export type Inhibition = ReturnType<typeof inhibitionOf>;

const NONE: readonly Link[] = [];

/** Which rules keep which others quiet. Shadow rules keep nobody quiet. */
export function inhibitionOf(rules: readonly Rule[]) {
  const children = new Map<string, Link[]>();
  const parents = new Map<string, Link[]>();
  for (const { id, mode, inhibits = [] } of rules) {
    if (mode === "shadow") continue;
    for (const { rule, where } of inhibits) {
      // A rule that named itself would keep all of its own alerts quiet.
      if (rule === id) continue;
      add(children, id, { rule, where });
      add(parents, rule, { rule: id, where });
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

  /** A common cause may still come: a gateway or a feeder falls silent sensor by sensor. */
  const mayHaveCause = (facts: AlertFacts) =>
    parentsOf(facts.rule).some(({ where }) => where !== "sensor" && placeOf(where, facts) !== undefined);

  return { childrenOf, parentsOf, placesOf, mayHaveCause };
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
