import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { RULES_MAX, type Rule, type RuleData } from "../../model/rule.ts";
import { type Mistake, parseRules } from "./parse.ts";

/** The rules that come with the service. */
export const DEFAULT_RULES_FOLDER = import.meta.dirname;
const FILE_BYTES_MAX = 1024 * 1024;

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
export function loadRules(folder: string = DEFAULT_RULES_FOLDER): Rule[] {
  const names = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name));
  const files = names.sort().map((name) => readRules(folder, name));
  const found = files.flatMap(({ rules }) => rules);
  const mistakes = [...files.flatMap((file) => file.mistakes), ...duplicates(found)];
  if (found.length > RULES_MAX)
    mistakes.push(general(folder, `${found.length} rules; at most ${RULES_MAX} are allowed`));
  if (mistakes.length > 0) throw new RuleMistakes(mistakes);
  return found.map(({ rule }) => ({ ...rule, version: versionOf(rule) }));
}

function readRules(folder: string, name: string): ReturnType<typeof parseRules> {
  const path = join(folder, name);
  const { size } = statSync(path);
  if (size > FILE_BYTES_MAX) return { rules: [], mistakes: [general(name, "the file is larger than 1 MiB: split it")] };
  return parseRules(readFileSync(path, "utf8"), name);
}

const general = (file: string, message: string): Mistake => ({ file, line: 1, column: 1, message });

function duplicates(found: ReturnType<typeof parseRules>["rules"]): Mistake[] {
  const first = new Map<string, Mistake>();
  return found.flatMap(({ rule, at }) => {
    const former = first.get(rule.id);
    if (!former) first.set(rule.id, at);
    if (!former) return [];
    const message = `rule id "${rule.id}" is already used at ${former.file}:${former.line}: choose another`;
    return [{ ...at, message }];
  });
}

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
