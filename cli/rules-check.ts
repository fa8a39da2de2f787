import { Command } from "commander";
import { type Checked, checkRules, readRulesTexts } from "../alerts/rules/check.ts";
import { DEFAULT_RULES_FOLDER, formatMistake } from "../alerts/rules/load.ts";
import type { Rule } from "../model/rule.ts";
import { show } from "./table.ts";

const EXAMPLE = `
Examples:
  $ lamppost rules check                  the rules that come with the service
  $ lamppost rules check my-rules/        all *.yaml files of a folder (not *.test.yaml)
  $ lamppost rules check a.yaml b.yaml    these files together; rules may speak of each other

Prints every mistake as file:line:column with what to write instead, and exits with 1 if there is any.`;

export function checkCommand(): Command {
  return new Command("check")
    .description("find all mistakes of rules files, those between rules included")
    .argument("[paths...]", "files and folders")
    .option("--json", "print JSON")
    .addHelpText("after", EXAMPLE)
    .action((paths: string[], options: { json?: boolean }) => {
      const checked = checkPaths(paths);
      const { rules, mistakes } = checked;
      show(options, { ok: mistakes.length === 0, rules: rules.length, mistakes }, () => describe(checked));
      if (mistakes.length > 0) process.exitCode = 1;
    });
}

function checkPaths(paths: readonly string[]): Checked {
  return checkRules(readRulesTexts(paths.length > 0 ? paths : [DEFAULT_RULES_FOLDER]));
}

/** For commands that need sound rules. Throws an Error with all mistakes. */
export function rulesOfPaths(paths: readonly string[]): readonly Rule[] {
  const { rules, mistakes } = checkPaths(paths);
  if (mistakes.length === 0) return rules;
  throw new Error(`these rules cannot be used:\n${mistakes.map(formatMistake).join("\n")}`);
}

function describe({ rules, mistakes }: Checked): string {
  const count = (n: number, what: string) => `${n} ${what}${n === 1 ? "" : "s"}`;
  if (mistakes.length === 0) return `${count(rules.length, "rule")}, no mistakes`;
  return [...mistakes.map(formatMistake), count(mistakes.length, "mistake")].join("\n");
}
