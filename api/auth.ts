import type { FastifyRequest } from "fastify";
import { networkOf } from "../model/address.ts";
import type { Log } from "../model/log.ts";
import type { Account } from "../model/people.ts";
import { hashSecret } from "../model/secret.ts";
import type { Records } from "../store/records.ts";
import type { ApiDeps } from "./deps.ts";
import type { Limits } from "./limits.ts";
import { mayCall, permissionOf } from "./permissions.ts";
import { ProblemError } from "./problems.ts";
import { isFromPage, type Sessions } from "./sessions.ts";

const BEARER = /^Bearer ([\x21-\x7e]{1,512})$/i;
const READ_ONLY: ReadonlySet<string> = new Set(["GET", "HEAD"]);
const LOOPBACK = new Set(["127.0.0.1", "::1", "::ffff:127.0.0.1"]);
/** After the first row of a burst, the next one says how many more there were, at the earliest so much later. */
const ROW_EVERY_MS = 60_000;
/** Bursts that are told apart; what more there is becomes one burst of its own. */
const BURSTS_MAX = 1_000;

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
      free: limits.authFailuresFree,
      waitMaxMs: limits.authBlockMaxMs,
      forgetMs: limits.failuresForgetMs,
      keysMax: limits.addressesMax,
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
    if (account) {
      noteUse(account.name, secretHash);
      return { account, secretHash };
    }
    counts.refused += 1;
    const from = networkOf(request.ip);
    const waitMs = failures.waitMs(from);
    if (waitMs <= 0) failures.add(from);
    note(request, "auth.refused", from, "unknown token");
    if (waitMs <= 0)
      throw new ProblemError("unauthenticated", "The token is not valid: check it, or ask an admin for a new one.");
    const detail = "The token is not valid, and too many wrong ones came from this address: wait before the next try.";
    throw new ProblemError("rate-limited", detail, { retryAfterS: Math.ceil(waitMs / 1_000) });
  }

  /** Of two secrets the newer ends the older. Where that cannot be written (a full disk), the next use of it does. */
  function noteUse(name: string, secretHash: string): void {
    try {
      credentials.noteUse(name, secretHash);
    } catch (error) {
      deps.log.error({ err: error }, "the use of a new password cannot be written; the one before is still taken");
    }
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

/**
 * Wrong secrets, counted for each key they came from. After `free` of them the key waits 1 s after each more, then 2 s, 4 s … up to
 * `waitMaxMs`. Nothing right is counted, and nothing right forgives: a guesser could do that with a secret of their own. A key is
 * forgotten `forgetMs` after its last failure; beyond `keysMax` keys the one that failed longest ago goes first.
 */
export function createFailures(
  { free, waitMaxMs, forgetMs, keysMax }: { free: number; waitMaxMs: number; forgetMs: number; keysMax: number },
  now: () => number,
) {
  // In the order of the last failure.
  const keys = new Map<string, { count: number; at: number }>();

  const find = (key: string) => {
    const known = keys.get(key);
    if (!known) return undefined;
    // A clock that was set back makes nobody wait longer for it.
    known.at = Math.min(known.at, now());
    return now() - known.at < forgetMs ? known : undefined;
  };

  /** Milliseconds this key still has to wait; 0 if none. */
  function waitMs(key: string): number {
    const { count = 0, at = 0 } = find(key) ?? {};
    const over = count - free;
    if (over <= 0) return 0;
    const wait = Math.min(waitMaxMs, 1_000 * 2 ** Math.min(over - 1, 20));
    return Math.max(0, at + wait - now());
  }

  function add(key: string): void {
    const count = (find(key)?.count ?? 0) + 1;
    keys.delete(key); // to the end
    keys.set(key, { count, at: now() });
    for (const [oldest, { at }] of keys) {
      if (keys.size <= keysMax && Math.abs(now() - at) < forgetMs) return;
      keys.delete(oldest);
    }
  }

  /** What was added before it was looked at, and turned out right or was never looked at. */
  function takeBack(key: string): void {
    const known = keys.get(key);
    if (!known) return;
    known.count -= 1;
    if (known.count <= 0) keys.delete(key);
  }

  return { waitMs, add, takeBack, count: (key: string) => find(key)?.count ?? 0, size: () => keys.size };
}

export type Failures = ReturnType<typeof createFailures>;

type Entry = Omit<Parameters<Records["audit"]["add"]>[0], "at">;

/**
 * What anyone can cause as often as they like, in the audit log: the first at once, those that follow counted into one row a
 * minute for each account or address and each kind of thing. What is counted and not written yet is written before the log is
 * read. A log that cannot be written (a full disk) changes no answer: it is said once, and the counts go on.
 */
export function createAuditBursts(audit: Pick<Records["audit"], "add">, now: () => number, log: Log) {
  // In the order of their last rows.
  const bursts = new Map<string, { readonly entry: Entry; writtenAt: number; more: number }>();
  let failing = false;

  function note(entry: Entry): void {
    const at = now();
    for (const [key, burst] of bursts) {
      if (Math.abs(at - burst.writtenAt) < ROW_EVERY_MS) break;
      if (burst.more > 0) write(key, burst.entry, burst.more);
      else bursts.delete(key);
    }
    const key = `${entry.what}\n${entry.by}\n${entry.target}`;
    const known = bursts.get(key) ?? (bursts.size < BURSTS_MAX ? undefined : crowd(entry.what));
    if (known) known.more += 1;
    else write(key, entry, 0);
  }

  /** One burst for all who come beyond those that are told apart. */
  function crowd(what: string) {
    const known = bursts.get(what) ?? { entry: { by: "api", what, target: "many others" }, writtenAt: now(), more: 0 };
    bursts.set(what, known);
    return known;
  }

  /** A row, with how many `more` there were since the one before. */
  function write(key: string, entry: Entry, more: number): void {
    const at = now();
    bursts.delete(key); // to the end
    const said = [...(entry.detail ? [entry.detail] : []), ...(more > 0 ? [`${more} more since the row before`] : [])];
    try {
      audit.add({ ...entry, at, ...(said.length > 0 ? { detail: said.join(", ") } : {}) });
      bursts.set(key, { entry, writtenAt: at, more: 0 });
      failing = false;
    } catch (error) {
      bursts.set(key, { entry, writtenAt: at, more: Math.max(1, more) });
      if (!failing) log.error({ err: error }, "the audit log cannot be written; what the API refuses is not in it yet");
      failing = true;
    }
  }

  /** Writes all that was counted. */
  function flush(): void {
    for (const [key, { entry, more }] of [...bursts]) if (more > 0) write(key, entry, more);
  }

  return { note, flush };
}
