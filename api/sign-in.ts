import type { FastifyRequest } from "fastify";
import type { Account } from "../model/people.ts";
import type { Parts } from "./api.ts";
import { createBackOff } from "./back-off.ts";
import { createPasswords } from "./passwords.ts";
import { roleOf } from "./permissions.ts";
import { ProblemError } from "./problems.ts";
import { hashSecret } from "./secrets.ts";

export type Shown = { readonly token: string } | { readonly user: string; readonly password: string };

/** Who shows a right token, or a right name and password. Guessing slows down, by address and by name. */
export function createSignIn({ records, auth, limits, now }: Pick<Parts, "records" | "auth" | "limits" | "now">) {
  const { credentials, sessions } = records;
  const passwords = createPasswords();
  const { signInFailuresFree: free, signInBlockMaxMs: maxMs, addressesMax } = limits;
  const byName = createBackOff({ free, maxMs, addressesMax }, now);

  /** Throws a 401 or 429 problem. */
  async function check(request: FastifyRequest, shown: Shown): Promise<Account> {
    auth.checkAddress(request);
    const account = "token" in shown ? ofToken(shown.token) : await ofPassword(request, shown.user, shown.password);
    if (!account)
      throw auth.refuse(request, "token" in shown ? "The token is not known." : "The name or the password is wrong.");
    if (roleOf(account) === "device") throw new ProblemError("forbidden", "Devices and gateways have no page.");
    auth.succeeded(request.ip);
    return account;
  }

  const ofToken = (token: string) => credentials.bySecretHash(hashSecret(token));

  async function ofPassword(request: FastifyRequest, user: string, password: string): Promise<Account | undefined> {
    return (await isRight(request, user, password)) ? credentials.byName(user)?.account : undefined;
  }

  /** The generated password or the one they chose. Throws a 429 problem while the name has to wait. */
  async function isRight(request: FastifyRequest, user: string, password: string): Promise<boolean> {
    const waitMs = byName.waitMs(user);
    if (waitMs > 0) {
      const detail = "Too many wrong passwords were tried for this name.";
      throw new ProblemError("rate-limited", detail, { retryAfterS: Math.ceil(waitMs / 1_000) });
    }
    const generated = credentials.byName(user)?.secretHash === hashSecret(password);
    const right = generated || (await passwords.verify(password, sessions.passwordHash(user)));
    if (right) byName.succeeded(user);
    else if (byName.failed(user)) {
      const detail = `${free} wrong passwords in a row, the last from ${request.ip}`;
      records.audit.add({ at: now(), by: "api", what: "auth.refused", target: user, detail });
    }
    return right;
  }

  return { check, isRight, hash: passwords.hash };
}
