import { Command } from "commander";
import { type MutationResult, mutate } from "../alerts/backtest/mutate.ts";
import { parseCount } from "./options.ts";
import { rulesOfPaths } from "./rules-check.ts";
import { readTestFiles } from "./rules-test.ts";
import { show, table } from "./table.ts";

const EXAMPLE = `
Changes one limit, count, window, span or side of one rule at a time and runs the tests again. A change that no test notices shows what
the tests do not look at; a test that notices no change at all is named as weak. Exits with 1 if a change went unnoticed.

Example:
  $ lamppost rules mutate my-rules/ --tests my-rules/*.test.yaml`;

type Options = { readonly tests: readonly string[]; readonly seconds: number; readonly json?: boolean };

export function mutateCommand(): Command {
  return new Command("mutate")
    .description("find out what the tests of rules do not notice")
    .argument("<paths...>", "the rules to change: files and folders")
    .requiredOption("--tests <files...>", "*.test.yaml; they are run on the rules given here")
    .option("--seconds <n>", "stop trying after so long", parseCount, 120)
    .option("--json", "print JSON")
    .addHelpText("after", EXAMPLE)
    .action((paths: string[], options: Options) => {
      const rules = rulesOfPaths(paths);
      const until = Date.now() + options.seconds * 1_000;
      const result = mutate(readTestFiles(options.tests, rules), rules, () => Date.now() > until);
      show(options, result, () => describe(result));
      if (result.failing.length > 0 || result.survivors.length > 0 || result.skipped > 0) process.exitCode = 1;
    });
}

function describe({ failing, mutants, killed, survivors, weakTests, untested, skipped }: MutationResult): string {
  if (failing.length > 0)
    return [
      "these tests fail without any change; let them pass first:",
      ...failing.map(({ name, file, line }) => `  ${name} (${file}:${line})`),
    ].join("\n");
  const list = (title: string, names: readonly string[]) =>
    names.length > 0 ? ["", title, ...names.map((name) => `  ${name}`)] : [];
  const rows = survivors.map(({ rule, what }) => [`  ${rule}`, what]);
  return [
    `${mutants} changes, ${killed} noticed, ${survivors.length} not${skipped > 0 ? `, ${skipped} not tried (time is up)` : ""}`,
    ...(rows.length > 0 ? ["", "no test noticed:", ...table(["", ""], rows).split("\n").slice(1)] : []),
    ...list("these tests noticed no change:", weakTests),
    ...list("no test runs these rules:", untested),
  ].join("\n");
}
