import type { CredentialView, Rotation } from "../contract/account.ts";
import type { Account } from "../model/people.ts";
import { hashSecret, newSecret } from "../model/secret.ts";
import { HOUR_MS } from "../model/time.ts";
import type { RemovedAccount } from "../store/records/undos.ts";
import type { Parts } from "./api.ts";
import { notFound, ProblemError } from "./problems.ts";

export type StoredAccount = ReturnType<Parts["records"]["credentials"]["list"]>[number];
type Deps = Pick<Parts, "records" | "now" | "disconnect">;

/** Call it in a transaction. Throws a 409 problem if the name is taken. */
export function addAccount({ records, now }: Deps, account: Account, by: string, detail?: string): CredentialView {
  checkFree({ records }, account.name);
  const password = newSecret();
  const at = now();
  records.credentials.add({ account, secretHash: hashSecret(password), createdAt: at, createdBy: by });
  records.audit.add({ at, by, what: `${nounOf(account)}.add`, target: account.name, ...(detail ? { detail } : {}) });
  return { username: account.name, password };
}

/** Throws a 409 problem if an account or a crew has this name. */
export function checkFree({ records }: Pick<Parts, "records">, name: string): void {
  if (records.crews.get(name)) throw new ProblemError("conflict", `A crew is called "${name}".`);
  if (records.credentials.byName(name)) {
    throw new ProblemError("conflict", `The name "${name}" is taken. Remove it first to get a new password.`);
  }
}

/** An account of one of these roles. Throws a 404 problem if there is none. */
export function findAccount({ records }: Pick<Parts, "records">, name: string, roles: readonly Account["role"][]) {
  const found = records.credentials.byName(name);
  if (found && roles.includes(found.account.role)) return found;
  throw notFound(roles.includes("admin") ? "user" : roles[0]!, name);
}

/** Removes an account of one of these roles and closes its connections. Throws a 404 problem if there is none. */
export function removeAccount(
  deps: Deps,
  name: string,
  roles: readonly Account["role"][],
  by: string,
  canUndo = true,
): void {
  const { records } = deps;
  const { account } = findAccount(deps, name, roles);
  records.transaction(() => {
    const what = nounOf(account);
    if (canUndo) records.undos.add(name, { what, ...removedAccount(deps, name)! }, by);
    records.credentials.remove(name);
    records.crews.leave(name);
    records.audit.add({ at: deps.now(), by, what: `${what}.remove`, target: name });
  });
  deps.disconnect(name);
}

/** All that goes with an account, to have it back. */
export function removedAccount({ records }: Pick<Parts, "records">, name: string): RemovedAccount | undefined {
  const found = records.credentials.byName(name);
  if (!found) return undefined;
  const { account, secretHash, createdAt, createdBy } = found;
  const passwordHash = records.sessions.passwordHash(name);
  const crews = records.crews.of(name);
  return { account, secretHash, createdAt, createdBy, crews, ...(passwordHash && { passwordHash }) };
}

/** A new password for a device or gateway; for some hours the one before is taken as well. */
export function rotate(
  deps: Pick<Parts, "records" | "now">,
  name: string,
  role: "device" | "gateway",
  { overlapHours }: Required<Rotation>,
  by: string,
) {
  const { records, now } = deps;
  findAccount(deps, name, [role]);
  const password = newSecret();
  records.transaction(() => {
    const until = overlapHours > 0 ? now() + overlapHours * HOUR_MS : undefined;
    records.credentials.rotate(name, hashSecret(password), until);
    const detail = until === undefined ? "at once" : `the one before until ${new Date(until).toISOString()}`;
    records.audit.add({ at: now(), by, what: `${role}.rotate`, target: name, detail });
  });
  return { username: name, password, ...viewFormer(records.credentials.byName(name)!, now()) };
}

export function viewFormer({ former }: Pick<StoredAccount, "former">, now: number) {
  return former && now < former.until ? { formerUntil: new Date(former.until).toISOString() } : {};
}

export function nounOf({ role }: Account): "device" | "gateway" | "user" {
  return role === "device" || role === "gateway" ? role : "user";
}

export function viewMade(stored: { createdAt: number; createdBy: string }) {
  return { createdAt: new Date(stored.createdAt).toISOString(), createdBy: stored.createdBy };
}
