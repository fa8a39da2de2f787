import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { ProblemError } from "./problems.ts";

type Cost = { readonly N: number; readonly r: number; readonly p: number };

const MEMORY_BYTES_MAX = 64 * 1024 * 1024;
const KEY_BYTES = 32;
const WAITING_MAX = 20;

/**
 * Who waits for a turn: those who failed less go first, and of an address or a name nobody's second before everybody's first. So
 * guesses at one name from many addresses, or at many names from one, are not before a person who signs in under another.
 */
export type Turn = {
  /** Where it comes from. */
  readonly from: string;
  readonly name: string;
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
      const start = () => runScrypt(password, salt, options).then(resolve, reject);
      const after = waiting.findIndex((one) => one.rank > rank);
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

const busy = () => new ProblemError("unavailable", "Too many sign-ins at once.", { retryAfterS: 5 });

function runScrypt(password: string, salt: Buffer, cost: Cost) {
  // The same letters typed on different keyboards are the same bytes.
  const text = password.normalize("NFKC");
  return new Promise<Buffer>((resolve, reject) => {
    scrypt(text, salt, KEY_BYTES, { ...cost, maxmem: MEMORY_BYTES_MAX }, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
