import type { FastifyRequest } from "fastify";
import type { Account } from "../model/people.ts";
import { createBackOff } from "./back-off.ts";
import type { ApiDeps } from "./deps.ts";
import type { Limits } from "./limits.ts";
import { mayCall, permissionOf } from "./permissions.ts";
import { ProblemError } from "./problems.ts";
import { hashSecret } from "./secrets.ts";
import { isFromPage, type Sessions } from "./sessions.ts";

const BEARER = /^Bearer ([\x21-\x7e]{1,512})$/i;
const READ_ONLY: ReadonlySet<string> = new Set(["GET", "HEAD"]);
const LOOPBACK = new Set(["127.0.0.1", "::1", "::ffff:127.0.0.1"]);

/**
 * Who calls, and whether they may: `check` is a hook of every request, the routes ask `account`. Programs send a token,
 * the page its session's cookie.
 */
export function createAuth(deps: Pick<ApiDeps, "records" | "now" | "log">, limits: Limits, sessions: Sessions) {
  const { credentials, audit } = deps.records;
  const accounts = new WeakMap<FastifyRequest, { account: Account; secretHash: string }>();
  const options = { free: limits.authFailuresFree, maxMs: limits.authBlockMaxMs, addressesMax: limits.addressesMax };
  const backOff = createBackOff(options, deps.now);
  const counts = { refused: 0, forbidden: 0 };

  function check(request: FastifyRequest): void {
    if (request.is404) return;
    const permission = permissionOf(request.method, request.routeOptions.url ?? "");
    if (permission === "public" || (permission === "loopback" && isLocal(request))) return;
    const known = identify(request);
    if (!permission || !mayCall(permission, known.account)) {
      counts.forbidden += 1;
      throw new ProblemError(
        "forbidden",
        `The role of ${known.account.name} (${known.account.role}) does not allow this.`,
      );
    }
    accounts.set(request, known);
  }

  /** Throws a 429 problem while this address has to wait. */
  function checkAddress(request: FastifyRequest): void {
    const waitMs = backOff.waitMs(request.ip);
    if (waitMs <= 0) return;
    const detail = "Too many wrong tokens came from this address.";
    throw new ProblemError("rate-limited", detail, { retryAfterS: Math.ceil(waitMs / 1_000) });
  }

  function identify(request: FastifyRequest) {
    const header = request.headers.authorization;
    if (header === undefined) return identifyPage(request);
    checkAddress(request);
    const secret = BEARER.exec(header)?.[1];
    // Looking up a hash tells an attacker's clock nothing about the secret.
    const secretHash = secret === undefined ? "" : hashSecret(secret);
    const account = secret === undefined ? undefined : credentials.bySecretHash(secretHash);
    if (!account) throw refuse(request, "The token is not known.");
    backOff.succeeded(request.ip);
    return { account, secretHash };
  }

  function identifyPage(request: FastifyRequest) {
    const used = sessions.use(request);
    if (!used) throw new ProblemError("unauthenticated", "Sign in, or send Authorization: Bearer <token>.");
    if (READ_ONLY.has(request.method) || isFromPage(request)) return used;
    throw new ProblemError("forbidden", "A request with the page's cookie needs the header x-lamppost.");
  }

  /** Counts a wrong secret against the address; the problem to throw. */
  function refuse(request: FastifyRequest, detail: string): ProblemError {
    counts.refused += 1;
    if (backOff.failed(request.ip)) {
      deps.log.warn({ address: request.ip }, "many wrong tokens from one address");
      const row = `${limits.authFailuresFree} wrong tokens in a row`;
      audit.add({ at: deps.now(), by: "api", what: "auth.refused", target: request.ip, detail: row });
    }
    return new ProblemError("unauthenticated", detail);
  }

  function known(request: FastifyRequest) {
    const entry = accounts.get(request);
    if (!entry) throw new ProblemError("unauthenticated");
    return entry;
  }

  /** The account of a request that needed one. */
  const nameOf = (request: FastifyRequest) => accounts.get(request)?.account.name;
  /** Whose token or session this is the hash of, as of now. */
  const accountOf = (secretHash: string) => credentials.bySecretHash(secretHash) ?? sessions.accountOf(secretHash);
  const account = (request: FastifyRequest): Account => known(request).account;
  return { check, checkAddress, refuse, succeeded: backOff.succeeded, counts, known, account, nameOf, accountOf };
}

export type Auth = ReturnType<typeof createAuth>;

/** A request that a proxy on this machine passed on is not from this machine. */
function isLocal(request: FastifyRequest): boolean {
  return LOOPBACK.has(request.ip) && request.headers["x-forwarded-for"] === undefined;
}
