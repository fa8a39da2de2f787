import {
  CST,
  type Document,
  isMap,
  isNode,
  isPair,
  isScalar,
  Lexer,
  LineCounter,
  parseDocument,
  visit,
  type YAMLMap,
} from "yaml";
import type { z } from "zod";
import type { RulesCheckView } from "../../contract/rule.ts";

/** A mistake and where it stands: lines and columns count from 1. */
export type Mistake = RulesCheckView["mistakes"][number];
export type Path = readonly PropertyKey[];

/** Nobody reads more at a time, and a file of nothing but mistakes is not worth the work. */
export const MISTAKES_MAX = 100;
const MESSAGE_CHARS_MAX = 400;
/** Of one text, before it is parsed. 1,000 rules of the default ones' size have 80,000 keys, values and signs. */
const LINES_MAX = 50_000;
const TOKENS_MAX = 120_000;
const DEPTH_MAX = 50;
/** Each alias is looked for among all anchors and aliases. */
const ANCHORS_MAX = 100;
const ALIASES_MAX = 1_000;

export type YamlFile = {
  readonly document: Document;
  /** As plain values; undefined if the file cannot be read, and `mistakes` says why. */
  readonly plain: unknown;
  readonly mistakes: readonly Mistake[];
  /** A mistake at an offset of the text. */
  place(offset: number, message: string): Mistake;
  /** A mistake at the value of a path; if that is missing, at the nearest thing around it. */
  locate(path: Path, message: string): Mistake;
  /** What zod found wrong below a path, each thing where it stands. */
  issues(base: Path, found: readonly z.core.$ZodIssue[]): Mistake[];
};

/** Opens one YAML text. Nothing is thrown: mistakes of syntax come with line and column, too. At most 100 of them. */
export function openYaml(text: string, file: string): YamlFile {
  const lines = new LineCounter();
  const { document, problem } = parse(text, lines);
  const place = (offset: number, message: string): Mistake => {
    const { line, col } = lines.linePos(offset);
    const cut = message.length > MESSAGE_CHARS_MAX ? `${message.slice(0, MESSAGE_CHARS_MAX)} …` : message;
    return { file, line: Math.max(1, line), column: Math.max(1, col), message: cut };
  };
  const locate = (path: Path, message: string) => place(offsetOf(document, path), message);
  const issues = (base: Path, found: readonly z.core.$ZodIssue[]) =>
    found.slice(0, MISTAKES_MAX).flatMap((issue) => issueMistakes(document, base, issue, place));
  const broken = [...document.errors, ...document.warnings]
    .slice(0, MISTAKES_MAX)
    .map(({ pos, message }) => place(pos[0], message.split("\n", 1)[0]!))
    .concat(wrongKeys(document).map(({ offset, message }) => place(offset, message)));
  const content = broken.length > 0 ? {} : problem === undefined ? toPlain(document) : { problem };
  const mistakes = content.problem === undefined ? broken : [place(content.problem.offset, content.problem.message)];
  return { document, plain: content.plain, mistakes, place, locate, issues };
}

type Problem = { readonly offset: number; readonly message: string };

function parse(text: string, lineCounter: LineCounter): { document: Document; problem?: Problem } {
  const problem = tooMuch(text);
  if (problem) {
    lineCounter.addNewLine(0);
    for (let at = text.indexOf("\n"); at >= 0 && at < problem.offset; at = text.indexOf("\n", at + 1)) {
      lineCounter.addNewLine(at + 1);
    }
    return { document: parseDocument(""), problem };
  }
  try {
    // Its own look at doubled keys compares each with each.
    return { document: parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false }) };
  } catch (error) {
    // The parser goes down with the text.
    if (!(error instanceof RangeError)) throw error;
    return { document: parseDocument(""), problem: { offset: 0, message: "it is nested too deep to be read" } };
  }
}

/** Looked at before it is parsed, which costs twenty times as much: stops where it becomes too much. */
function tooMuch(text: string): Problem | undefined {
  const count = { lines: 1, tokens: 0, anchors: 0, aliases: 0, documents: 0 };
  let brackets = 0;
  let signsInLine = 0;
  let isText = false;
  let offset = 0;
  for (const source of new Lexer().lex(text)) {
    const type: string | null = isText ? "text" : CST.tokenType(source);
    isText = type === "scalar";
    if (type === "newline") {
      signsInLine = 0;
      count.lines += 1;
    } else if (type !== "space" && type !== "comment") count.tokens += 1;
    if (type === "flow-seq-start" || type === "flow-map-start") brackets += 1;
    if (type === "flow-seq-end" || type === "flow-map-end") brackets -= 1;
    if (type === "seq-item-ind" || type === "explicit-key-ind") signsInLine += 1;
    if (type === "anchor") count.anchors += 1;
    if (type === "alias") count.aliases += 1;
    if (type === "doc-start") count.documents += 1;
    const message =
      overLimit(count) ??
      (brackets > DEPTH_MAX || signsInLine > DEPTH_MAX ? `it is nested more than ${DEPTH_MAX} deep` : undefined) ??
      (type === "directive-line" ? "directives (%) are not read: remove this line" : undefined) ??
      (type === "text" && source === "<<" ? "merge keys (<<) are not read: write out what is merged" : undefined);
    if (message !== undefined) return { offset, message };
    // The signs that only the lexer makes are not in the text.
    if (type !== "scalar" && type !== "doc-mode" && type !== "flow-error-end") offset += source.length;
  }
  return undefined;
}

function overLimit(count: Record<"lines" | "tokens" | "anchors" | "aliases" | "documents", number>) {
  if (count.lines > LINES_MAX) return `it has more than ${LINES_MAX} lines: split it`;
  if (count.tokens > TOKENS_MAX) return `it has more than ${TOKENS_MAX} keys, values and signs: split it`;
  if (count.anchors > ANCHORS_MAX) return `it has more than ${ANCHORS_MAX} anchors (&name)`;
  if (count.aliases > ALIASES_MAX) return `it has more than ${ALIASES_MAX} aliases (*name)`;
  return count.documents > 1 ? "a file has one document: remove this ---" : undefined;
}

/**
 * Keys that their map has already, and keys that are no text: as a text these double with every level they are deep, so
 * nothing may be made of them.
 */
function wrongKeys(document: Document): { offset: number; message: string }[] {
  const found: { offset: number; message: string }[] = [];
  visit(document, {
    Map(_, { items }) {
      const keys = new Set<string>();
      for (const { key } of items) {
        const offset = isNode(key) ? (key.range?.[0] ?? 0) : 0;
        if (isNode(key) && !isScalar(key)) {
          found.push({ offset, message: "a key must be a text, not a list, a map or an alias" });
        } else {
          const name = String(key);
          if (keys.has(name)) found.push({ offset, message: "this key is there twice in one map" });
          keys.add(name);
        }
        if (found.length >= MISTAKES_MAX) return visit.BREAK;
      }
      return undefined;
    },
  });
  return found;
}

/** Aliases may multiply: the parser's own limit turns a bomb into a mistake. */
function toPlain(document: Document): { plain?: unknown; problem?: Problem } {
  try {
    return { plain: document.toJS({ maxAliasCount: ALIASES_MAX }) };
  } catch (error) {
    if (!(error instanceof ReferenceError || error instanceof RangeError)) throw error;
    return {
      problem: { offset: 0, message: `its aliases (*name) repeat more than ${ALIASES_MAX} times what they name` },
    };
  }
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
    return issue.keys
      .slice(0, MISTAKES_MAX)
      .map((key) =>
        place(keyOffset(document, path, key), `${label}"${key}" is not known here: remove it or check its spelling`),
      );
  }
  if (issue.code !== "custom" && issue.path.length > 0 && !document.hasIn(path as unknown[])) {
    return [place(offsetOf(document, path), `${label}is missing`)];
  }
  return [place(offsetOf(document, path), `${label}${issue.message}`)];
}

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
