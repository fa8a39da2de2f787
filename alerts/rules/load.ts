import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Rule } from "../../model/rule.ts";
import { type Checked, checkRules, readText } from "./check.ts";
import type { Mistake } from "./parse.ts";

export { versionOf } from "./version.ts";

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
