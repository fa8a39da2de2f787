import { type Document, isMap, isNode, isPair, isSeq, LineCounter, parseDocument, type YAMLMap } from "yaml";
import type { z } from "zod";
import { type RuleData, ruleSchema } from "../../model/rule.ts";

export type Mistake = {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
};
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

type Path = readonly PropertyKey[];

/**
 * The rules of one YAML file: a map with one key, `rules`, a list. Nothing is thrown: mistakes come with line and
 * column, and a wrong rule does not hide the mistakes of the next.
 */
export function parseRules(text: string, file: string): ParsedRules {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number, message: string): Mistake => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col), message };
  };
  const syntax = [...document.errors, ...document.warnings].map(({ pos, message }) =>
    place(pos[0], firstLine(message)),
  );
  if (syntax.length > 0) return { rules: [], mistakes: syntax, ids: [] };
  const content = toPlain(document);
  if ("message" in content) return { rules: [], mistakes: [place(0, content.message)], ids: [] };
  const outside = strangers(document).map(({ offset, key }) =>
    place(offset, `"${key}" is not known here; a file has one key: rules`),
  );
  if (!isSeq(document.get("rules", true))) {
    return { rules: [], mistakes: [...outside, place(0, "a rules file is a map with a list: rules: [ … ]")], ids: [] };
  }
  const rules: FoundRule[] = [];
  const mistakes = outside;
  content.rules.forEach((item, index) => {
    const result = ruleSchema.safeParse(item);
    const locate = (path: Path, message: string) => place(offsetOf(document, ["rules", index, ...path]), message);
    if (result.success) rules.push({ rule: result.data as RuleData, at: locate(["id"], ""), locate });
    else
      for (const issue of result.error.issues)
        mistakes.push(...issueMistakes(document, ["rules", index], issue, place));
  });
  return { rules, mistakes, ids: content.rules.flatMap(idOf) };
}

function idOf(item: unknown): string[] {
  const id = (item as { id?: unknown } | null)?.id;
  return typeof id === "string" ? [id] : [];
}

const firstLine = (text: string) => text.split("\n", 1)[0]!;

/** Aliases may multiply: the parser's own limit turns a bomb into a mistake. */
function toPlain(document: Document): { rules: unknown[] } | { message: string } {
  try {
    const plain = document.toJS() as { rules?: unknown[] } | null;
    return { rules: Array.isArray(plain?.rules) ? plain.rules : [] };
  } catch (error) {
    return { message: error instanceof Error ? error.message : String(error) };
  }
}

function strangers(document: Document): { key: string; offset: number }[] {
  if (!isMap(document.contents)) return [];
  return document.contents.items.flatMap(({ key }) => {
    const name = isNode(key) ? String(key) : "";
    return name === "rules" ? [] : [{ key: name, offset: isNode(key) ? (key.range?.[0] ?? 0) : 0 }];
  });
}

function issueMistakes(
  document: Document,
  base: Path,
  issue: z.core.$ZodIssue,
  place: (offset: number, message: string) => Mistake,
): Mistake[] {
  const path = [...base, ...issue.path];
  const label = issue.path.length > 0 ? `${issue.path.join(".")}: ` : "";
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) =>
      place(keyOffset(document, path, key), `${label}"${key}" is not known here: remove it or check its spelling`),
    );
  }
  if (issue.code !== "custom" && issue.path.length > 0 && !document.hasIn(path as unknown[])) {
    return [place(offsetOf(document, path), `${label}is missing`)];
  }
  return [place(offsetOf(document, path), `${label}${issue.message}`)];
}

/** Where the value of a path stands; of what is missing, the nearest thing around it. */
function offsetOf(document: Document, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length) as unknown[], true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function keyOffset(document: Document, path: Path, key: string): number {
  const parent = document.getIn(path as unknown[], true);
  const pair = isMap(parent)
    ? (parent as YAMLMap).items.find((one) => isPair(one) && String(one.key) === key)
    : undefined;
  return isNode(pair?.key) && pair.key.range ? pair.key.range[0] : offsetOf(document, path);
}
