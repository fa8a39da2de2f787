import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Document, isMap, isNode, isSeq } from "yaml";
import type { z } from "zod";
import { formerIds, RULES_MAX, type Rule, type RuleData, ruleSchema } from "../../model/rule.ts";
import { MISTAKES_MAX, type Mistake, openYaml, type Path } from "./yaml-file.ts";

/** The first 12 hex digits of the SHA-256 of the rule with its keys sorted: comments and order do not change it. */
export function versionOf(rule: RuleData): string {
  return createHash("sha256").update(canonical(rule)).digest("hex").slice(0, 12);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  const sorted = entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`).join(",")}}`;
}

/** `at`: where its id stands; `locate`: a mistake at the place of one of its fields, or of the nearest thing around. */
type FoundRule = {
  readonly rule: RuleData;
  readonly at: Mistake;
  readonly locate: (path: Path, message: string) => Mistake;
};

/** `ids`: of all rules, also of those with mistakes, so that others may speak of them. */
type ParsedRules = {
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

/**
 * What rules say about each other and cannot mean: the same id twice, a rule that is not there, a cycle of inhibition,
 * a quorum over a quorum, too many rules. `known`: ids of all rules there are, also of those beside these.
 */
export function crossMistakes(found: readonly FoundRule[], known: ReadonlySet<string>): Mistake[] {
  const first = new Map<string, FoundRule>();
  for (const one of found) if (!first.has(one.rule.id)) first.set(one.rule.id, one);
  const former = new Set(found.flatMap(({ rule }) => formerIds(rule)));
  const exists = (id: string) => first.has(id) || known.has(id) || former.has(id);
  return [
    ...tooMany(found, known),
    ...duplicates(found, first),
    ...found.flatMap((one) => successions(one, first)),
    ...found.flatMap((one) => [...unknownRules(one, exists), ...quorums(one, first)]),
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

/** What has taken the place of a rule cannot stand beside it. */
function successions({ rule, at }: FoundRule, first: ReadonlyMap<string, FoundRule>): Mistake[] {
  const former = formerIds(rule).find((id) => first.has(id));
  if (former === undefined) return [];
  const message = `formerly: there is a rule "${former}" still, at ${first.get(former)!.at.file}: remove one of them`;
  return [{ ...at, message }];
}

function unknownRules({ rule, locate }: FoundRule, exists: (id: string) => boolean): Mistake[] {
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

const RULES_FILE_BYTES_MAX = 1024 * 1024;

/** The text of one rules file, or why there is none. */
type RulesText = { readonly file: string } & ({ readonly text: string } | { readonly problem: string });

/** `rules` are those without a mistake of their own: to be used only when `mistakes` is empty. Those are 100 at most. */
export type Checked = {
  readonly rules: readonly Rule[];
  /** The file of each rule, by id. */
  readonly fileOf: ReadonlyMap<string, string>;
  readonly mistakes: readonly Mistake[];
};

/** All mistakes of all files together, those between rules included. `known`: ids of rules in force beside these. */
export function checkRules(texts: readonly RulesText[], known: ReadonlySet<string> = new Set()): Checked {
  const files = texts.map((one) => ("text" in one ? parseRules(one.text, one.file) : broken(one.file, one.problem)));
  const found = files.flatMap(({ rules }) => rules);
  const named = new Set([...known, ...files.flatMap(({ ids }) => ids)]);
  return {
    rules: found.map(({ rule }) => ({ ...rule, version: versionOf(rule) })),
    fileOf: new Map(found.map(({ rule, at }) => [rule.id, at.file])),
    mistakes: [...files.flatMap((file) => file.mistakes), ...crossMistakes(found, named)].slice(0, MISTAKES_MAX),
  };
}

const broken = (file: string, message: string): ParsedRules => ({
  rules: [],
  ids: [],
  mistakes: [{ file, line: 1, column: 1, message }],
});

/** The `*.yaml` and `*.yml` files of folders (not tests of rules, `*.test.yaml`), and single files, in order of names. */
export function readRulesTexts(paths: readonly string[]): RulesText[] {
  return paths.flatMap((path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat) return [{ file: path, problem: "there is no such file or folder" }];
    if (!stat.isDirectory()) return [readText(path, path)];
    const names = readdirSync(path).filter((name) => /\.ya?ml$/.test(name) && !/\.test\.ya?ml$/.test(name));
    if (names.length === 0) return [{ file: path, problem: "there are no .yaml files in this folder" }];
    return names.sort().map((name) => readText(join(path, name), join(path, name)));
  });
}

/** `label`: how mistakes name the file. */
function readText(path: string, label: string): RulesText {
  try {
    const { size } = statSync(path);
    if (size > RULES_FILE_BYTES_MAX) return { file: label, problem: "the file is larger than 1 MiB: split it" };
    return { file: label, text: readFileSync(path, "utf8") };
  } catch (error) {
    return { file: label, problem: `cannot be read: ${(error as Error).message}` };
  }
}

/** The rules that come with the service. */
export const DEFAULT_RULES_FOLDER = import.meta.dirname;

/** Every mistake of every file, each with its place and what to do. */
export class RuleMistakes extends Error {
  override readonly name = "RuleMistakes";
  readonly mistakes: readonly Mistake[];

  constructor(mistakes: readonly Mistake[]) {
    super(mistakes.map(formatMistake).join("\n"));
    this.mistakes = mistakes;
  }
}

export function formatMistake({ file, line, column, message }: Mistake): string {
  return `${file}:${line}:${column}: ${message}`;
}

/**
 * All rules of a folder's `*.yaml` and `*.yml` files, in the order of file names. Throws `RuleMistakes` with all
 * mistakes of all files together. At most 1,000 rules, files of at most 1 MiB.
 */
export const loadRules = (folder: string = DEFAULT_RULES_FOLDER): Rule[] => [...loadRuleSet(folder).rules];

/** The same, with the file of each rule. */
export function loadRuleSet(folder: string): Pick<Checked, "rules" | "fileOf"> {
  const names = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name) && !/\.test\.ya?ml$/.test(name));
  const checked = checkRules(names.sort().map((name) => readText(join(folder, name), name)));
  if (checked.mistakes.length > 0) throw new RuleMistakes(checked.mistakes);
  return checked;
}
