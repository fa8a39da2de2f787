import { type Document, isMap, isNode, isSeq } from "yaml";
import type { z } from "zod";
import { RULES_MAX, type RuleData, ruleSchema } from "../../model/rule.ts";
import { MISTAKES_MAX, type Mistake, openYaml, type Path } from "./yaml-file.ts";

export type { Mistake } from "./yaml-file.ts";

/** `at`: where its id stands; `locate`: a mistake at the place of one of its fields, or of the nearest thing around. */
export type FoundRule = {
  readonly rule: RuleData;
  readonly at: Mistake;
  readonly locate: (path: Path, message: string) => Mistake;
};

/** `ids`: of all rules, also of those with mistakes, so that others may speak of them. */
export type ParsedRules = {
  readonly rules: FoundRule[];
  readonly mistakes: Mistake[];
  readonly ids: readonly string[];
};

/** What one rule may consist of: lists, maps and values, however they are nested. */
const RULE_PARTS_MAX = 2_000;
const RULE_DEPTH_MAX = 10;
/** All rules of one question: 1,000 of a hundred each. */
const PARTS_MAX = 100_000;

/** A rule, or what is wrong with it: the first 100 mistakes. The work is bounded whatever the value is. */
export function parseRule(value: unknown): { readonly rule: RuleData } | { readonly issues: z.core.$ZodIssue[] } {
  if (partsLeft(value, RULE_PARTS_MAX, RULE_DEPTH_MAX) < 0) {
    const message = `a rule has at most ${RULE_PARTS_MAX} parts, nested at most ${RULE_DEPTH_MAX} deep`;
    return { issues: [{ code: "custom", path: [], message, input: undefined }] };
  }
  const { success, data, error } = ruleSchema.safeParse(value);
  return success ? { rule: data as RuleData } : { issues: error.issues.slice(0, MISTAKES_MAX) };
}

/** More than any rules are: not even sent to the thread that would read them. */
export const isTooMuch = (rules: readonly unknown[]) => partsLeft(rules, PARTS_MAX, RULE_DEPTH_MAX + 1) < 0;

/** Counts down and stops below 0: what an alias repeats counts each time, as it would be read each time. */
function partsLeft(value: unknown, left: number, depth: number): number {
  if (typeof value !== "object" || value === null) return left - 1;
  if (depth === 0) return -1;
  for (const key in value) {
    if (left < 0) break;
    left = partsLeft((value as Record<string, unknown>)[key], left - 1, depth - 1);
  }
  return left;
}

/**
 * The rules of one YAML file: a map with one key, `rules`, a list. Nothing is thrown: mistakes come with line and
 * column, and a wrong rule does not hide the mistakes of the next. After 100 mistakes the rest is not read.
 */
export function parseRules(text: string, file: string): ParsedRules {
  const { document, plain, mistakes: broken, place, locate, issues } = openYaml(text, file);
  if (broken.length > 0) return { rules: [], mistakes: [...broken], ids: [] };
  const outside = strangers(document, MISTAKES_MAX).map(({ offset, key }) =>
    place(offset, `"${key}" is not known here; a file has one key: rules`),
  );
  if (!isSeq(document.get("rules", true))) {
    const shape = place(0, "a rules file is a map with a list: rules: [ … ]");
    return { rules: [], mistakes: [...outside, shape], ids: [] };
  }
  const items = (plain as { rules: unknown[] }).rules;
  if (items.length > RULES_MAX) {
    const tooMany = locate(["rules"], `${items.length} rules; at most ${RULES_MAX} are allowed`);
    return { rules: [], mistakes: [...outside, tooMany], ids: [] };
  }
  const rules: FoundRule[] = [];
  const mistakes = outside;
  for (const [index, item] of items.entries()) {
    if (mistakes.length >= MISTAKES_MAX) break;
    const parsed = parseRule(item);
    const within = (path: Path, message: string) => locate(["rules", index, ...path], message);
    if ("rule" in parsed) rules.push({ rule: parsed.rule, at: within(["id"], ""), locate: within });
    else mistakes.push(...issues(["rules", index], parsed.issues));
  }
  return { rules, mistakes, ids: items.flatMap(idOf) };
}

function idOf(item: unknown): string[] {
  const id = (item as { id?: unknown } | null)?.id;
  return typeof id === "string" ? [id] : [];
}

function strangers(document: Document, max: number): { key: string; offset: number }[] {
  if (!isMap(document.contents)) return [];
  return document.contents.items.slice(0, max + 1).flatMap(({ key }) => {
    const name = isNode(key) ? String(key) : "";
    return name === "rules" ? [] : [{ key: name, offset: isNode(key) ? (key.range?.[0] ?? 0) : 0 }];
  });
}
