import type { Command } from "commander";
import { backtestCommand } from "./rules-backtest.ts";
import { checkCommand } from "./rules-check.ts";
import { diffCommand } from "./rules-diff.ts";
import { mutateCommand } from "./rules-mutate.ts";
import { testCommand } from "./rules-test.ts";

/** Rules as code: each step has a command of its own, made for a person and, with --json, for CI. */
export function register(program: Command): void {
  program
    .command("rules")
    .description("check, test and compare rules before they go live")
    .addCommand(checkCommand())
    .addCommand(testCommand())
    .addCommand(backtestCommand())
    .addCommand(diffCommand())
    .addCommand(mutateCommand())
    .addHelpText("after", "\nExample:\n  $ lamppost rules check my-rules/");
}
