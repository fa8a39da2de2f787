import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { ProblemError } from "./problems.ts";

/** Of the settings that OWASP's Password Storage Cheat Sheet calls equal, one with 32 MiB; some 0.2 s each. */
const COST = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 } as const;
const KEY_BYTES = 32;
const WAITING_MAX = 20;

/**
 * Passwords that people chose: slow to guess from the hash. One at a time, because the work runs on the threads that
 * also sync files, and because of its memory. Throws a 503 problem when too many wait.
 */
export function createPasswords(cost: Readonly<{ N: number; r: number; p: number; maxmem: number }> = COST) {
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();

  async function derive(password: string, salt: Buffer, options: typeof cost): Promise<Buffer> {
    if (waiting >= WAITING_MAX) throw new ProblemError("unavailable", "Too many sign-ins at once.", { retryAfterS: 5 });
    waiting += 1;
    const own = last
      .then(() => runScrypt(password, salt, options))
      .finally(() => {
        waiting -= 1;
      });
    last = own.catch(() => {});
    return own;
  }

  /** `scrypt$N$r$p$salt$key`, the last two in base64url. */
  async function hash(password: string): Promise<string> {
    const salt = randomBytes(16);
    const key = await derive(password, salt, cost);
    return ["scrypt", cost.N, cost.r, cost.p, salt.toString("base64url"), key.toString("base64url")].join("$");
  }

  /** Without a hash it takes as long and answers false: the time does not tell which names have a password. */
  async function verify(password: string, hashed: string | undefined): Promise<boolean> {
    const [, N = cost.N, r = cost.r, p = cost.p, salt = "", key = ""] = hashed?.split("$") ?? [];
    const options = { ...cost, N: Number(N), r: Number(r), p: Number(p) };
    const derived = await derive(password, Buffer.from(salt, "base64url"), options);
    const wanted = Buffer.from(key, "base64url");
    return wanted.length === derived.length && timingSafeEqual(wanted, derived);
  }

  return { hash, verify };
}

export type Passwords = ReturnType<typeof createPasswords>;

function runScrypt(password: string, salt: Buffer, options: { N: number; r: number; p: number; maxmem: number }) {
  // The same letters typed on different keyboards are the same bytes.
  const text = password.normalize("NFKC");
  return new Promise<Buffer>((resolve, reject) => {
    scrypt(text, salt, KEY_BYTES, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}
