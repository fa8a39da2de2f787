import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

const DIR = join(import.meta.dirname, "bases");

/** Mappings that come along, without the sensors of a city: a mapping names one as its `base`. */
export const BASE_NAMES: readonly string[] = readdirSync(DIR)
  .filter((name) => name.endsWith(".json"))
  .map((name) => basename(name, ".json"))
  .sort();

/** With what it takes from a base of its own; it is checked with whatever is laid over it. */
export function readBase(name: string): Readonly<Record<string, unknown>> {
  const { base, ...own } = JSON.parse(readFileSync(join(DIR, `${name}.json`), "utf8"));
  return base === undefined ? own : { ...readBase(base), ...own };
}
