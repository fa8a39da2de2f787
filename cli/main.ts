// Before all else: the table of metrics is loaded with the rest.
import "../app/metrics-file.ts";

import { Command, CommanderError } from "commander";
import { ConfigError, clientLanguage } from "../app/config.ts";
import { StartError } from "../app/start-error.ts";
import { problemIn } from "../messages/problems.ts";
import { LANGUAGES, type Language } from "../model/sentence.ts";
import * as accounts from "./accounts.ts";
import * as alerts from "./alerts.ts";
import * as backup from "./backup.ts";
import * as books from "./books.ts";
import * as corrections from "./corrections.ts";
import * as doctor from "./doctor.ts";
import * as mapping from "./mapping.ts";
import * as publish from "./publish.ts";
import * as recordings from "./recordings.ts";
import * as rules from "./rules.ts";
import * as score from "./score.ts";
import * as sensors from "./sensors.ts";
import * as simulate from "./simulate.ts";
import * as start from "./start.ts";
import * as store from "./store.ts";
import * as targets from "./targets.ts";

/** Exit codes: 0 done, 1 failed, 2 wrong usage, 78 bad configuration (EX_CONFIG). */
const COMMANDS = [
  start,
  store,
  simulate,
  recordings,
  score,
  accounts,
  publish,
  sensors,
  alerts,
  books,
  corrections,
  doctor,
  backup,
  rules,
  mapping,
  targets,
];

const program = new Command("lamppost")
  .description(
    "Takes in what a city's sensors say, keeps all of it, and tells the right people when something is wrong.",
  )
  .showHelpAfterError("(add --help for how to use this command)")
  .exitOverride();
for (const { register } of COMMANDS) register(program);
// Whoever reads us may stop early, as `head` does.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});
for (const command of allCommands(program)) command.exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error as Error);
  // A part that could not be stopped must not keep a service alive that has not started.
  if (error instanceof StartError) process.exit();
}

function exitCodeOf(error: Error): number {
  // commander has printed its own message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  console.error(`lamppost: ${problemIn(languageAsked(), error.message)}`);
  if (error instanceof StartError) return error.exitCode;
  return error instanceof ConfigError ? 78 : 1;
}

/** Of `--lang`, wherever it stands, or of the terminal. */
function languageAsked(): Language {
  const at = process.argv.findIndex((one) => /^--lang(?:=|$)/.test(one));
  const asked = process.argv[at]?.split("=", 2)[1] ?? process.argv[at + 1];
  return LANGUAGES.find((language) => at > 0 && language === asked) ?? clientLanguage();
}

function allCommands(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...allCommands(child)]);
}
