import { randomInt } from "node:crypto";
import type { Records } from "./records.ts";

const NAME = "installation";

/**
 * What tells this installation's points from everyone else's in a shared database: 8 hexadecimal digits, made once and
 * kept in the records, so that they come along in a backup.
 */
export function installationId(offsets: Records["offsets"]): string {
  const known = offsets.get(NAME);
  const id = known ?? randomInt(1, 2 ** 32);
  if (known === undefined) offsets.set(NAME, id);
  return markOfInstallation(id);
}

const markOfInstallation = (id: number) => id.toString(16).padStart(8, "0");

/** The same of a copy of the records; undefined where it has none yet. */
export function knownInstallation(offsets: ReadonlyMap<string, number>): string | undefined {
  const id = offsets.get(NAME);
  return id === undefined ? undefined : markOfInstallation(id);
}
