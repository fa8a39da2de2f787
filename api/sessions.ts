import type { FastifyReply, FastifyRequest } from "fastify";
import type { Account } from "../model/people.ts";
import { hashSecret, newSecret } from "../model/secret.ts";
import type { ApiDeps } from "./deps.ts";
import type { Limits } from "./limits.ts";

const COOKIE = "lamppost-session";
/** A use is written down at most so often: each write is a sync to disk. */
const TOUCH_EVERY_MS = 10 * 60_000;
/** Every request of the page that changes something carries this: no other site can add it without asking first. */
const PAGE_HEADER = "x-lamppost";

/**
 * People signed in on the page: a random id in a cookie that no script can read, of which only the hash is kept. `now` is
 * the settled clock. A session from before the clock was set back, or from a time when it was ahead, is as old as the
 * clock is away from it: it lives no longer for that, and not for ever.
 */
export function createSessions({ records, now }: Pick<ApiDeps, "records" | "now">, limits: Limits) {
  const { sessions, credentials } = records;

  function start(account: string): { id: string; expiresAt: number } {
    const at = now();
    const id = newSecret();
    records.transaction(() => {
      sessions.removeOld(at - limits.sessionMaxMs, at - limits.sessionIdleMs);
      const mine = sessions.list(account);
      const tooMany = mine.slice(0, Math.max(0, mine.length + 1 - limits.sessionsPerAccountMax));
      for (const { idHash } of tooMany) sessions.remove(idHash);
      sessions.add(hashSecret(id), { account, createdAt: at, usedAt: at });
    });
    return { id, expiresAt: at + limits.sessionMaxMs };
  }

  /** Whose session this is, while it lasts. Looking at it is no use of it. */
  function accountOf(idHash: string): Account | undefined {
    const session = sessions.get(idHash);
    if (!session) return undefined;
    const at = now();
    const over =
      isOver(at - session.createdAt, limits.sessionMaxMs) || isOver(at - session.usedAt, limits.sessionIdleMs);
    return over ? undefined : credentials.byName(session.account)?.account;
  }

  /** The same for a request that uses the session, with the hash of its id. */
  function use(request: FastifyRequest): { account: Account; secretHash: string } | undefined {
    const id = cookieOf(request, COOKIE, /^[\w-]{43}$/);
    const secretHash = id === undefined ? undefined : hashSecret(id);
    const account = secretHash === undefined ? undefined : accountOf(secretHash);
    if (!secretHash || !account) return undefined;
    if (Math.abs(now() - sessions.get(secretHash)!.usedAt) >= TOUCH_EVERY_MS) sessions.touch(secretHash, now());
    return { account, secretHash };
  }

  /** Ends the sessions of an account, all but one if so wished; the hashes of the ended ones. */
  function endOthers(account: string, keep?: string): readonly string[] {
    const others = sessions.list(account).filter(({ idHash }) => idHash !== keep);
    records.transaction(() => others.forEach(({ idHash }) => void sessions.remove(idHash)));
    return others.map(({ idHash }) => idHash);
  }

  return { start, accountOf, use, endOthers, end: (idHash: string) => void sessions.remove(idHash) };
}

const isOver = (ageMs: number, maxMs: number) => Math.abs(ageMs) >= maxMs;

export type Sessions = ReturnType<typeof createSessions>;

/**
 * SameSite=Strict keeps the cookie from other sites' requests, but a page on another port of the same host is the
 * same site: hence the header.
 */
export function isFromPage(request: FastifyRequest): boolean {
  return request.headers[PAGE_HEADER] !== undefined;
}

/** `id` undefined: makes the browser forget it. */
export const setSession = (reply: FastifyReply, id: string | undefined, maxAgeS = 0) =>
  setCookie(reply, COOKIE, id ?? "", maxAgeS);

/** One that no script reads and no other site sends. Secure where the browser came by https, also to a trusted proxy. */
export function setCookie(reply: FastifyReply, name: string, value: string, maxAge: number): void {
  const secure = reply.request.protocol === "https";
  reply.setCookie(name, value, { path: "/", httpOnly: true, sameSite: "strict", maxAge, secure });
}

/** What the browser sent back, if it can be one of ours. */
export function cookieOf({ cookies }: FastifyRequest, name: string, pattern: RegExp): string | undefined {
  const value = cookies[name];
  return value !== undefined && pattern.test(value) ? value : undefined;
}
