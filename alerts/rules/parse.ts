import { type Document, isMap, isNode, isSeq } from "yaml";
import { type RuleData, ruleSchema } from "../../model/rule.ts";
import { type Mistake, openYaml, type Path } from "./yaml-file.ts";

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

/**
 * The rules of one YAML file: a map with one key, `rules`, a list. Nothing is thrown: mistakes come with line and
 * column, and a wrong rule does not hide the mistakes of the next.
 */
export function parseRules(text: string, file: string): ParsedRules {
  const { document, plain, mistakes: broken, place, locate, issues } = openYaml(text, file);
  if (broken.length > 0) return { rules: [], mistakes: [...broken], ids: [] };
  const outside = strangers(document).map(({ offset, key }) =>
    place(offset, `"${key}" is not known here; a file has one key: rules`),
  );
  if (!isSeq(document.get("rules", true))) {
    const shape = place(0, "a rules file is a map with a list: rules: [ … ]");
    return { rules: [], mistakes: [...outside, shape], ids: [] };
  }
  const items = (plain as { rules: unknown[] }).rules;
  const rules: FoundRule[] = [];
  const mistakes = outside;
  items.forEach((item, index) => {
    const result = ruleSchema.safeParse(item);
    const within = (path: Path, message: string) => locate(["rules", index, ...path], message);
    if (result.success) rules.push({ rule: result.data as RuleData, at: within(["id"], ""), locate: within });
    else mistakes.push(...issues(["rules", index], result.error.issues));
  });
  return { rules, mistakes, ids: items.flatMap(idOf) };
}

function idOf(item: unknown): string[] {
  const id = (item as { id?: unknown } | null)?.id;
  return typeof id === "string" ? [id] : [];
}

function strangers(document: Document): { key: string; offset: number }[] {
  if (!isMap(document.contents)) return [];
  return document.contents.items.flatMap(({ key }) => {
    const name = isNode(key) ? String(key) : "";
    return name === "rules" ? [] : [{ key: name, offset: isNode(key) ? (key.range?.[0] ?? 0) : 0 }];
  });
}
