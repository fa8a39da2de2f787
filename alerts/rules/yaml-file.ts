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

/** A mistake and where it stands: lines and columns count from 1. */
export type Mistake = {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
};
export type Path = readonly PropertyKey[];

/** Nobody reads more at a time, and a file of nothing but mistakes is not worth the work. */
export const MISTAKES_MAX = 100;
const MESSAGE_CHARS_MAX = 400;
/** Keys, values and signs of one file: 1,000 rules, twice over. */
const TOKENS_MAX = 200_000;
const DEPTH_MAX = 50;

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
  const mistakes = content.problem === undefined ? broken : [place(0, content.problem)];
  return { document, plain: content.plain, mistakes, place, locate, issues };
}

function parse(text: string, lineCounter: LineCounter): { document: Document; problem?: string } {
  const problem = tooMuch(text);
  if (problem !== undefined) return { document: parseDocument(""), problem };
  try {
    // Its own look at doubled keys compares each with each.
    return { document: parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false }) };
  } catch (error) {
    // The parser goes down with the text.
    if (!(error instanceof RangeError)) throw error;
    return { document: parseDocument(""), problem: "it is nested too deep to be read" };
  }
}

/** Looked at before it is parsed, which costs twenty times as much: stops where it becomes too much. */
function tooMuch(text: string): string | undefined {
  let tokens = 0;
  let brackets = 0;
  let signsInLine = 0;
  for (const source of new Lexer().lex(text)) {
    const type = CST.tokenType(source);
    if (type === "space" || type === "comment") continue;
    if (type === "newline") signsInLine = 0;
    else tokens += 1;
    if (type === "flow-seq-start" || type === "flow-map-start") brackets += 1;
    if (type === "flow-seq-end" || type === "flow-map-end") brackets -= 1;
    if (type === "seq-item-ind" || type === "explicit-key-ind") signsInLine += 1;
    if (tokens > TOKENS_MAX) return `it has more than ${TOKENS_MAX} keys, values and signs: split it`;
    if (brackets > DEPTH_MAX || signsInLine > DEPTH_MAX) return `it is nested more than ${DEPTH_MAX} deep`;
  }
  return undefined;
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
function toPlain(document: Document): { plain?: unknown; problem?: string } {
  try {
    return { plain: document.toJS() };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
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
