import { createHmac, randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { FastifyReply, FastifyRequest } from "fastify";
import { networkOf } from "../model/address.ts";
import type { Account } from "../model/people.ts";
import { hashSecret } from "../model/secret.ts";
import type { Parts } from "./api.ts";
import { createFailures } from "./auth.ts";
import { roleOf } from "./permissions.ts";
import { ProblemError } from "./problems.ts";
import { cookieOf, setCookie } from "./sessions.ts";

/** What such a browser is called where others go by their address. */
const BROWSER = "browser ";
const BROWSER_COOKIE = "lamppost-browser";
const BROWSER_MAX_AGE_S = 180 * 86_400;
const MEMORY_BYTES_MAX = 64 * 1024 * 1024;
const KEY_BYTES = 32;
const WAITING_MAX = 20;
/** Addresses remembered for each name, and how many of the newest rows of the audit log are looked at for them. */
const PLACES_MAX = 8;
const AUDIT_ROWS_READ = 1_000;

export type Shown = { readonly token: string } | { readonly user: string; readonly password: string };

/**
 * Who shows a right token, or a right name and password. Tokens and generated passwords are looked up by their hash, and a right
 * one passes at any time. Of passwords that people chose, wrong ones are counted by name *and* by where they come from, so that
 * nobody keeps somebody else out: elsewhere is another address or, at the same one, a browser in which that person has signed
 * in before (it keeps a mark, see `markOf`).
 */
export function createSignIn({ records, auth, limits, now }: Pick<Parts, "records" | "auth" | "limits" | "now">) {
  const { credentials, sessions } = records;
  const passwords = createPasswords(limits.passwordCost);
  const options = {
    free: limits.signInFailuresFree,
    waitMaxMs: limits.signInBlockMaxMs,
    forgetMs: limits.failuresForgetMs,
    keysMax: limits.addressesMax,
  };
  const wrong = createFailures(options, now);
  // Apart from the others, so that inventing names makes nobody's failures forgotten.
  const invented = createFailures(options, now);
  const places = createPlaces(records.audit);
  // Slows nobody by itself: whoever has failed goes after those who have not, whatever names are tried.
  const ofAddress = createFailures(options, now);

  /** Throws a 401 or 429 problem. */
  async function check(request: FastifyRequest, shown: Shown): Promise<Account> {
    const account = "token" in shown ? auth.ofToken(request, shown.token).account : await ofPassword(request, shown);
    if (roleOf(account) === "device")
      throw new ProblemError("forbidden", "Devices and gateways cannot sign in on the page: use a person's account.");
    return account;
  }

  async function ofPassword(request: FastifyRequest, { user, password }: { user: string; password: string }) {
    const right = await isRight(request, user, password);
    const account = right ? credentials.byName(user)?.account : undefined;
    if (account) return account;
    auth.counts.refused += 1;
    throw new ProblemError("unauthenticated", "The name or the password is wrong.");
  }

  /** The generated password or the one they chose. Throws a 429 problem while the name has to wait here. */
  async function isRight(
    request: FastifyRequest,
    user: string,
    password: string,
    from = whereFrom(request, user),
  ): Promise<boolean> {
    const answerAt = performance.now() + limits.signInFailedAfterMs;
    const credential = credentials.byName(user);
    if (credential && isSame(credential.secretHash, hashSecret(password))) return true;
    const hash = credential && sessions.passwordHash(user);
    const failures = hash === undefined ? invented : wrong;
    const key = `${user} ${from}`;
    const waitMs = failures.waitMs(key);
    if (waitMs > 0) throw tooMany(request, user, waitMs);
    // Counted before it is looked at: a hundred guesses at once are a hundred.
    failures.add(key);
    if (hash !== undefined) {
      const rank = failures.count(key) + ofAddress.count(from);
      const isKnown = from.startsWith(BROWSER) || places.has(user, from);
      ofAddress.add(from);
      const takeBack = () => [failures.takeBack(key), ofAddress.takeBack(from)];
      const turn = { from, name: user, isKnown, failures: rank, isGone: () => request.socket.destroyed };
      const right = await passwords.verify(password, hash, turn).catch((error) => {
        takeBack();
        throw error;
      });
      if (right) {
        takeBack();
        places.add(user, networkOf(request.ip));
        return true;
      }
    }
    note(request, user);
    // For a name without a password there was nothing to compute, and the time must not tell.
    await wait(Math.max(0, answerAt - performance.now()));
    return false;
  }

  function tooMany(request: FastifyRequest, user: string, waitMs: number): ProblemError {
    auth.counts.refused += 1;
    note(request, user);
    const detail = "Too many wrong passwords were tried for this name from here. A token is still taken.";
    return new ProblemError("rate-limited", detail, { retryAfterS: Math.ceil(waitMs / 1_000) });
  }

  /** What was typed as a name that nobody has may be a password: it is written nowhere. */
  const note = (request: FastifyRequest, user: string) =>
    auth.note(request, "auth.refused", credentials.byName(user) ? user : networkOf(request.ip), "wrong password");

  function whereFrom(request: FastifyRequest, user: string): string {
    const mark = cookieOf(request, BROWSER_COOKIE, /^[\w-]{22}\.[\w-]{43}$/);
    const nonce = mark?.slice(0, 22);
    if (mark && nonce && isSame(markOf(user, nonce) ?? "", mark)) return `${BROWSER}${nonce}`;
    return networkOf(request.ip);
  }

  /** Only who knows the hashes of this account can make it, it says nothing, and a new password ends it. */
  function markOf(user: string, nonce: string): string | undefined {
    const [secret, password] = [credentials.byName(user)?.secretHash, sessions.passwordHash(user)];
    if (!secret || !password) return undefined;
    return `${nonce}.${createHmac("sha256", `${secret} ${password}`).update(nonce).digest("base64url")}`;
  }

  /** Lets this browser be told from others at its address, for somebody with a password of their own. */
  function markBrowser(reply: FastifyReply, user: string): void {
    const mark = markOf(user, randomBytes(16).toString("base64url"));
    if (mark) setCookie(reply, BROWSER_COOKIE, mark, BROWSER_MAX_AGE_S);
  }

  /** The hash to keep of a password that somebody chose. */
  const hash = (request: FastifyRequest, user: string, password: string) =>
    passwords.hash(password, {
      from: `account ${user}`,
      name: user,
      isKnown: true,
      failures: 0,
      isGone: () => request.socket.destroyed,
    });

  return { check, isRight, hash, markBrowser };
}

/**
 * From where each name has signed in: the newest few addresses. So guesses from ever other addresses, which have failed nowhere
 * yet, are not before the person. Begins with what the audit log says of the last sign-ins.
 */
function createPlaces(audit: Pick<Parts["records"]["audit"], "list">) {
  const places = new Map<string, readonly string[]>();
  for (const { what, by, target } of audit.list(AUDIT_ROWS_READ).items.toReversed())
    if (what === "session.start") add(by, networkOf(target));

  function add(name: string, place: string): void {
    places.set(name, [place, ...(places.get(name) ?? []).filter((one) => one !== place)].slice(0, PLACES_MAX));
  }

  return { add, has: (name: string, place: string) => places.get(name)?.includes(place) ?? false };
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

type Cost = { readonly N: number; readonly r: number; readonly p: number };

/**
 * Who waits for a turn: those who have signed in from there before go first, then those who failed less, and of an address or a name nobody's second before everybody's first. So
 * guesses at one name from many addresses, or at many names from one, are not before a person who signs in under another.
 */
export type Turn = {
  /** Where it comes from. */
  readonly from: string;
  readonly name: string;
  /** This name has signed in from there before. */
  readonly isKnown: boolean;
  readonly failures: number;
  /** Nobody waits for the answer any more. */
  isGone(): boolean;
};

type Waiting = Turn & { readonly rank: number; start(): Promise<void>; refuse(error: Error): void };

/**
 * Passwords that people chose: slow to guess from the hash. One at a time, because the work runs on the threads that
 * also sync files, and because of its memory. Throws a 503 problem when too many wait that come before this one.
 */
export function createPasswords(cost: Cost) {
  /** The next one first. */
  const waiting: Waiting[] = [];
  let running = false;

  function derive(password: string, salt: Buffer, options: Cost, turn: Turn): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const before = (key: "from" | "name") => waiting.filter((one) => one[key] === turn[key]).length;
      const rank = turn.failures + Math.max(before("from"), before("name"));
      const goesBefore = (one: Waiting) => (turn.isKnown === one.isKnown ? rank < one.rank : turn.isKnown);
      const start = () => runScrypt(password, salt, options).then(resolve, reject);
      const after = waiting.findIndex(goesBefore);
      waiting.splice(after < 0 ? waiting.length : after, 0, { ...turn, rank, start, refuse: reject });
      if (waiting.length > WAITING_MAX) waiting.pop()!.refuse(busy());
      void work();
    });
  }

  async function work(): Promise<void> {
    if (running) return;
    running = true;
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      if (next.isGone()) next.refuse(busy());
      else await next.start();
    }
    running = false;
  }

  /** `scrypt$N$r$p$salt$key`, the last two in base64url. */
  async function hash(password: string, turn: Turn): Promise<string> {
    const salt = randomBytes(16);
    const key = await derive(password, salt, cost, turn);
    return ["scrypt", cost.N, cost.r, cost.p, salt.toString("base64url"), key.toString("base64url")].join("$");
  }

  async function verify(password: string, hashed: string, turn: Turn): Promise<boolean> {
    const [, N, r, p, salt = "", key = ""] = hashed.split("$");
    const options = { N: Number(N), r: Number(r), p: Number(p) };
    const derived = await derive(password, Buffer.from(salt, "base64url"), options, turn);
    const wanted = Buffer.from(key, "base64url");
    return wanted.length === derived.length && timingSafeEqual(wanted, derived);
  }

  return { hash, verify };
}

const busy = () =>
  new ProblemError("unavailable", "Too many sign-ins at once: try again in a few seconds.", { retryAfterS: 5 });

function runScrypt(password: string, salt: Buffer, cost: Cost) {
  // The same letters typed on different keyboards are the same bytes.
  const text = password.normalize("NFKC");
  return new Promise<Buffer>((resolve, reject) => {
    scrypt(text, salt, KEY_BYTES, { ...cost, maxmem: MEMORY_BYTES_MAX }, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
