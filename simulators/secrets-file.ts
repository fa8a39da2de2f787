import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";

const LOGIN = z.object({ username: z.string(), password: z.string() });
const CONTENT = z.object({
  logins: z.record(z.string(), LOGIN),
  /** The newest acknowledged reading of each sensor, epoch milliseconds. */
  sentUntil: z.record(z.string(), z.number()),
});

export type Login = z.output<typeof LOGIN>;
export type Remembered = { readonly logins: Map<string, Login>; readonly sentUntil: Map<string, number> };

/** What the simulated sensors remember between runs, as real ones do in flash. Anything unreadable counts as forgotten. */
export function loadRemembered(path: string): Remembered {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    value = undefined;
  }
  const { logins, sentUntil } = CONTENT.safeParse(value).data ?? { logins: {}, sentUntil: {} };
  return { logins: new Map(Object.entries(logins)), sentUntil: new Map(Object.entries(sentUntil)) };
}

/** Replaces the file as a whole, readable by its owner only: it holds passwords. */
export function saveRemembered(path: string, remembered: Remembered): void {
  mkdirSync(dirname(path), { recursive: true });
  const content = {
    logins: Object.fromEntries(remembered.logins),
    sentUntil: Object.fromEntries(remembered.sentUntil),
  };
  const beside = `${path}.new`;
  writeFileSync(beside, JSON.stringify(content), { mode: 0o600 });
  renameSync(beside, path);
}
