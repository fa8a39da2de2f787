import { Command, CommanderError } from "commander";
import { vi } from "vitest";

type Module = { register(program: Command): void };

/** Runs a command as main.ts would: what it printed and the code it would exit with. */
export async function runCli(module: Module, ...args: string[]) {
  const out: string[] = [];
  const errors: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((...texts) => void out.push(texts.join(" ")));
  const program = new Command("lamppost").exitOverride();
  module.register(program);
  const quiet = (command: Command) => {
    command
      .exitOverride()
      .configureOutput({ writeOut: (text) => out.push(text), writeErr: (text) => errors.push(text) });
    command.commands.forEach(quiet);
  };
  quiet(program);
  const codeBefore = process.exitCode;
  process.exitCode = 0;
  try {
    await program.parseAsync(args, { from: "user" });
    return { out: out.join("\n"), errors: errors.join("\n"), code: Number(process.exitCode) };
  } catch (error) {
    const usage = error instanceof CommanderError;
    const code = usage ? (error.exitCode === 0 ? 0 : 2) : 1;
    return { out: out.join("\n"), errors: [...errors, (error as Error).message].join("\n"), code };
  } finally {
    process.exitCode = codeBefore;
    log.mockRestore();
  }
}
