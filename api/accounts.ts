import { z } from "zod";
import { Time } from "../contract/common.ts";
import type { Account } from "../model/people.ts";
import type { Parts } from "./api.ts";
import { notFound, ProblemError } from "./problems.ts";
import { hashSecret, newSecret } from "./secrets.ts";

/** Shown once: only the hash of the password is kept. Over HTTP the password is the bearer token. */
export const NewCredential = z
  .object({ username: z.string(), password: z.string().describe("Shown once") })
  .meta({ id: "NewCredential" });

/** Who made an account, and when. */
export const made = { createdAt: Time, createdBy: z.string() };

type Deps = Pick<Parts, "records" | "now" | "disconnect">;

/** Call it in a transaction. Throws a 409 problem if the name is taken. */
export function addAccount({ records, now }: Deps, account: Account, by: string, detail?: string) {
  if (records.credentials.byName(account.name)) {
    throw new ProblemError("conflict", `The name "${account.name}" is taken. Remove it first to get a new password.`);
  }
  const password = newSecret();
  const at = now();
  records.credentials.add({ account, secretHash: hashSecret(password), createdAt: at, createdBy: by });
  records.audit.add({ at, by, what: `${nounOf(account)}.add`, target: account.name, ...(detail ? { detail } : {}) });
  return { username: account.name, password };
}

/** Removes an account of one of these roles and closes its connections. Throws a 404 problem if there is none. */
export function removeAccount(deps: Deps, name: string, roles: readonly Account["role"][], by: string): void {
  const { records } = deps;
  const account = records.credentials.byName(name)?.account;
  if (!account || !roles.includes(account.role)) throw notFound(roles.includes("admin") ? "user" : roles[0]!, name);
  records.transaction(() => {
    records.credentials.remove(name);
    records.audit.add({ at: deps.now(), by, what: `${nounOf(account)}.remove`, target: name });
  });
  deps.disconnect(name);
}

function nounOf(account: Account): string {
  return account.role === "device" || account.role === "gateway" ? account.role : "user";
}

export function viewMade(stored: { createdAt: number; createdBy: string }) {
  return { createdAt: new Date(stored.createdAt).toISOString(), createdBy: stored.createdBy };
}
