import { type Document, isMap, isNode, isPair, LineCounter, parseDocument, type YAMLMap } from "yaml";
import type { z } from "zod";

/** A mistake and where it stands: lines and columns count from 1. */
export type Mistake = {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
};
export type Path = readonly PropertyKey[];

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

/** Opens one YAML text. Nothing is thrown: mistakes of syntax come with line and column, too. */
export function openYaml(text: string, file: string): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number, message: string): Mistake => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col), message };
  };
  const locate = (path: Path, message: string) => place(offsetOf(document, path), message);
  const issues = (base: Path, found: readonly z.core.$ZodIssue[]) =>
    found.flatMap((issue) => issueMistakes(document, base, issue, place));
  const broken = [...document.errors, ...document.warnings].map(({ pos, message }) =>
    place(pos[0], message.split("\n", 1)[0]!),
  );
  const content = broken.length > 0 ? {} : toPlain(document);
  const mistakes = content.problem === undefined ? broken : [place(0, content.problem)];
  return { document, plain: content.plain, mistakes, place, locate, issues };
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
    return issue.keys.map((key) =>
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
