import { execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * Whether `program` is on the PATH, for suites that test against a real server:
 * `describe.runIf(needs("influxd"))("…", …)`. A missing program is said in one line, and is an error where nothing may
 * be left out (`LAMPPOST_NO_SKIPS=1`, as in CI), so that a suite cannot vanish unnoticed.
 */
export function needs(program: string): boolean {
  return programPath(program) !== undefined || isMissing(program);
}

/** Debian's Python: the one that Debian's modules are for. */
export const PYTHON = "/usr/bin/python3";

/** The same for a module of `PYTHON`. */
export function needsPython(module: string): boolean {
  try {
    execFileSync(PYTHON, ["-c", `import ${module}`], { stdio: "ignore" });
    return true;
  } catch {
    return isMissing(`Python's ${module}`);
  }
}

function isMissing(program: string): false {
  const text = `${program} is not installed: the tests that need it do not run`;
  if (process.env.LAMPPOST_NO_SKIPS === "1") throw new Error(`${text}, and LAMPPOST_NO_SKIPS=1 forbids that`);
  process.stderr.write(`${text}\n`);
  return false;
}

/** Where Debian puts servers: not on everybody's PATH. */
const SERVER_FOLDERS = ["/usr/sbin", "/usr/local/sbin"];

/** Full path of an executable on the PATH or among the system's servers. */
export function programPath(program: string): string | undefined {
  for (const folder of [...(process.env.PATH ?? "").split(delimiter), ...SERVER_FOLDERS]) {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not in this folder: look in the next
    }
  }
  return undefined;
}
