import { RULES_MAX } from "../../model/rule.ts";
import type { FoundRule, Mistake } from "./parse.ts";
import { MISTAKES_MAX } from "./yaml-file.ts";

/**
 * What rules say about each other and cannot mean: the same id twice, a rule that is not there, a cycle of inhibition,
 * a quorum over a quorum, too many rules. `known`: ids of all rules there are, also of those beside these.
 */
export function crossMistakes(found: readonly FoundRule[], known: ReadonlySet<string>): Mistake[] {
  const first = new Map<string, FoundRule>();
  for (const one of found) if (!first.has(one.rule.id)) first.set(one.rule.id, one);
  const exists = (id: string) => first.has(id) || known.has(id);
  return [
    ...tooMany(found, known),
    ...duplicates(found, first),
    ...found.flatMap((one) => [...strangers(one, exists), ...quorums(one, first)]),
    ...cycles(first),
  ].slice(0, MISTAKES_MAX);
}

function tooMany(found: readonly FoundRule[], known: ReadonlySet<string>): Mistake[] {
  const count = new Set([...found.map(({ rule }) => rule.id), ...known]).size;
  const message = `${count} rules; at most ${RULES_MAX} are allowed`;
  return count > RULES_MAX ? [{ ...found[0]!.at, message }] : [];
}

function duplicates(found: readonly FoundRule[], first: ReadonlyMap<string, FoundRule>): Mistake[] {
  return found.flatMap((one) => {
    const former = first.get(one.rule.id)!;
    if (former === one) return [];
    const { file, line } = former.at;
    return [{ ...one.at, message: `rule id "${one.rule.id}" is already used at ${file}:${line}: choose another` }];
  });
}

function strangers({ rule, locate }: FoundRule, exists: (id: string) => boolean): Mistake[] {
  const missing = (id: string) => `there is no rule "${id}": check its spelling, or name the file it stands in as well`;
  const inhibited = (rule.inhibits ?? []).flatMap((one, index) =>
    exists(one.rule) ? [] : [locate(["inhibits", index, "rule"], `inhibits.${index}.rule: ${missing(one.rule)}`)],
  );
  const { condition } = rule;
  if (condition.type !== "quorum" || exists(condition.rule)) return inhibited;
  return [...inhibited, locate(["condition", "rule"], `condition.rule: ${missing(condition.rule)}`)];
}

/** A quorum counts the alerts of sensors; those of another quorum are about a district. */
function quorums({ rule: { condition }, locate }: FoundRule, first: ReadonlyMap<string, FoundRule>): Mistake[] {
  if (condition.type !== "quorum" || first.get(condition.rule)?.rule.condition.type !== "quorum") return [];
  const message = `"${condition.rule}" is a quorum: count the alerts of the rule that it counts`;
  return [locate(["condition", "rule"], `condition.rule: ${message}`)];
}

/** Each cycle once, at the first of its rules. Rules that silence each other would never be told. */
function cycles(first: ReadonlyMap<string, FoundRule>): Mistake[] {
  const done = new Set<string>();
  /** The way to here, in order. */
  const path = new Set<string>();
  const mistakes: Mistake[] = [];

  function visit(id: string): void {
    if (mistakes.length >= MISTAKES_MAX || done.has(id)) return;
    if (path.has(id)) {
      const all = [...path];
      const cycle = all.slice(all.indexOf(id));
      const shown = cycle.length > CYCLE_SHOWN_MAX ? [...cycle.slice(0, CYCLE_SHOWN_MAX), "…"] : cycle;
      const message = `inhibits: a cycle, ${[...shown, id].join(" -> ")}: these rules would silence each other; remove one step`;
      mistakes.push(first.get(id)!.locate(["inhibits"], message));
      return;
    }
    path.add(id);
    for (const { rule } of first.get(id)?.rule.inhibits ?? []) visit(rule);
    path.delete(id);
    done.add(id);
  }

  for (const id of first.keys()) visit(id);
  return mistakes;
}

const CYCLE_SHOWN_MAX = 10;
