import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Rule } from "../../model/rule.ts";
import { crossMistakes } from "./cross-check.ts";
import { type Mistake, type ParsedRules, parseRules } from "./parse.ts";
import { versionOf } from "./version.ts";
import { MISTAKES_MAX } from "./yaml-file.ts";

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
  ...{ rules: [], ids: [] },
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
export function readText(path: string, label: string): RulesText {
  try {
    const { size } = statSync(path);
    if (size > RULES_FILE_BYTES_MAX) return { file: label, problem: "the file is larger than 1 MiB: split it" };
    return { file: label, text: readFileSync(path, "utf8") };
  } catch (error) {
    return { file: label, problem: `cannot be read: ${(error as Error).message}` };
  }
}
