import type { FastifyRequest } from "fastify";
import { networkOf } from "../model/address.ts";
import type { Account } from "../model/people.ts";
import { hashSecret } from "../model/secret.ts";
import { createAuditBursts } from "./audit-bursts.ts";
import type { ApiDeps } from "./deps.ts";
import { createFailures } from "./failures.ts";
import type { Limits } from "./limits.ts";
import { mayCall, permissionOf } from "./permissions.ts";
import { ProblemError } from "./problems.ts";
import { isFromPage, type Sessions } from "./sessions.ts";

const BEARER = /^Bearer ([\x21-\x7e]{1,512})$/i;
const READ_ONLY: ReadonlySet<string> = new Set(["GET", "HEAD"]);
const LOOPBACK = new Set(["127.0.0.1", "::1", "::ffff:127.0.0.1"]);

type Known = { readonly account: Account; readonly secretHash: string };

/**
 * Who calls, and whether they may: `check` is a hook of every request, the routes ask `account`. Programs send a token,
 * the page its session's cookie. A secret is looked up before anything else, so whoever shows a right one never waits for
 * what others did from the same address.
 */
export function createAuth(deps: Pick<ApiDeps, "records" | "now" | "log">, limits: Limits, sessions: Sessions) {
  const { credentials, audit } = deps.records;
  const accounts = new WeakMap<FastifyRequest, Known>();
  const failures = createFailures(
    {
      ...{ free: limits.authFailuresFree, waitMaxMs: limits.authBlockMaxMs },
      ...{ forgetMs: limits.failuresForgetMs, keysMax: limits.addressesMax },
    },
    deps.now,
  );
  const bursts = createAuditBursts(audit, deps.now, deps.log);
  const counts = { refused: 0, forbidden: 0 };

  function check(request: FastifyRequest): void {
    if (request.is404) return;
    const permission = permissionOf(request.method, request.routeOptions.url ?? "");
    if (permission === "public" || (permission === "loopback" && isLocal(request))) return;
    const known = identify(request);
    accounts.set(request, known);
    if (permission && mayCall(permission, known.account)) return;
    const { name, role } = known.account;
    throw forbid(request, known.account, `The role of ${name} (${role}) does not allow this.`);
  }

  function identify(request: FastifyRequest): Known {
    const header = request.headers.authorization;
    return header === undefined ? identifyPage(request) : ofToken(request, BEARER.exec(header)?.[1]);
  }

  /** Whose token it is. Throws a 401 problem, or 429 where too many wrong ones came from the same address. */
  function ofToken(request: FastifyRequest, token = ""): Known {
    // Looking up a hash tells an attacker's clock nothing about the secret.
    const secretHash = hashSecret(token);
    const account = credentials.bySecretHash(secretHash);
    if (account) return { account, secretHash };
    counts.refused += 1;
    const from = networkOf(request.ip);
    const waitMs = failures.waitMs(from);
    if (waitMs <= 0) failures.add(from);
    note(request, "auth.refused", from, "unknown token");
    if (waitMs <= 0) throw new ProblemError("unauthenticated", "The token is not known.");
    const detail = "The token is not known, and too many wrong ones came from this address.";
    throw new ProblemError("rate-limited", detail, { retryAfterS: Math.ceil(waitMs / 1_000) });
  }

  function identifyPage(request: FastifyRequest): Known {
    const used = sessions.use(request);
    if (!used) throw new ProblemError("unauthenticated", "Sign in, or send Authorization: Bearer <token>.");
    if (READ_ONLY.has(request.method) || isFromPage(request)) return used;
    throw forbid(request, used.account, "A request with the page's cookie needs the header x-lamppost.");
  }

  function forbid(request: FastifyRequest, { name }: Account, detail: string): ProblemError {
    counts.forbidden += 1;
    bursts.note({ by: name, what: "request.forbidden", target: routeOf(request), detail });
    return new ProblemError("forbidden", detail);
  }

  /** Books a refusal: one row of the audit log for each burst. */
  function note(request: FastifyRequest, what: string, target: string, detail: string): void {
    bursts.note({ by: "api", what, target, detail: `${detail} from ${networkOf(request.ip)}` });
  }

  function known(request: FastifyRequest): Known {
    const entry = accounts.get(request);
    if (!entry) throw new ProblemError("unauthenticated");
    return entry;
  }

  /** Who calls a route that anyone may call, if it is someone. Counts no failures. */
  function anyone(request: FastifyRequest): Account | undefined {
    const known = accounts.get(request)?.account;
    if (known) return known;
    const token = BEARER.exec(request.headers.authorization ?? "")?.[1];
    return token === undefined ? sessions.use(request)?.account : credentials.bySecretHash(hashSecret(token));
  }

  /** The account of a request that needed one. */
  const nameOf = (request: FastifyRequest) => accounts.get(request)?.account.name;
  /** Whose token or session this is the hash of, as of now. */
  const accountOf = (secretHash: string) => credentials.bySecretHash(secretHash) ?? sessions.accountOf(secretHash);
  const account = (request: FastifyRequest): Account => known(request).account;
  return { check, ofToken, note, bursts, counts, known, anyone, account, nameOf, accountOf };
}

export type Auth = ReturnType<typeof createAuth>;

/** A request that a proxy on this machine passed on is not from this machine. */
function isLocal(request: FastifyRequest): boolean {
  return LOOPBACK.has(request.ip) && request.headers["x-forwarded-for"] === undefined;
}

const routeOf = ({ method, routeOptions }: FastifyRequest) => `${method} ${routeOptions.url ?? "unknown"}`;
