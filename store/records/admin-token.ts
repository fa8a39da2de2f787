import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { CredentialRecords } from "../records.ts";
import { hashSecret, newSecret } from "./secrets.ts";

const NAME = "admin";

/**
 * Sees to it that there is one way in for the administrator and no default password. A configured token counts. Otherwise
 * the first start makes a random one and writes it to `file` (0600); later starts leave both as they are.
 * Answers the token if this machine knows it.
 */
export function ensureAdminToken(
  credentials: Pick<CredentialRecords, "add" | "remove" | "byName">,
  options: { readonly file: string; readonly configured?: string; readonly now: number },
): string | undefined {
  const { file, configured, now } = options;
  const known = credentials.byName(NAME);
  if (!configured && known) return existsSync(file) ? read(file) : undefined;
  const token = configured ?? newSecret();
  const secretHash = hashSecret(token);
  if (known?.secretHash === secretHash) return token;
  if (known) credentials.remove(NAME);
  credentials.add({ account: { role: "admin", name: NAME }, secretHash, createdAt: now, createdBy: "first start" });
  if (!configured) writeFileSync(file, `${token}\n`, { mode: 0o600 });
  return token;
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    // Reading a folder fails without saying which.
    throw Object.assign(error as Error, { path: file });
  }
}
