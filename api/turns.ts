import type { FastifyReply, FastifyRequest } from "fastify";
import type { Auth } from "./auth.ts";
import type { Limits } from "./limits.ts";
import { ProblemError } from "./problems.ts";

export type TurnOptions = {
  /** What is waited for, as in "the limit of …". */
  readonly what: string;
  /** Settings that raise the limits, for the message. */
  readonly settings?: string;
  readonly runningMax: number;
  readonly runningPerAccountMax: number;
  readonly waitingMax: number;
  readonly waitingPerAccountMax: number;
  /** After so long in the queue it is a 429, too. */
  readonly waitMsMax: number;
};

type Waiting = { readonly begin: () => void; readonly refuse: (error: Error) => void };
type Account = { running: number; readonly queue: Set<Waiting> };

/**
 * Work that is dear, in turns: so much at a time, so much of one account, and those who wait come account by account,
 * not one by one, so that a hundred questions of one account hold up another's only question by one. What would wait
 * beyond the limits is a 429 problem with Retry-After, unless it was promised; who leaves waits no more.
 */
export function createTurns(options: TurnOptions) {
  /** In the order of their turns. */
  const accounts = new Map<string, Account>();
  const counts = { running: 0, waiting: 0, refused: 0 };

  /** Resolves when it is this account's turn, with the end of the turn, which may be called again. */
  async function take(name: string, signal: AbortSignal, promised?: "promised"): Promise<() => void> {
    signal.throwIfAborted();
    const account = accounts.get(name) ?? { running: 0, queue: new Set() };
    accounts.set(name, account);
    if (mayRun(account) && !isSomeonesTurn()) begin(name, account);
    else await waitIn(account, name, signal, promised !== undefined);
    let over = false;
    return () => {
      if (over) return;
      over = true;
      counts.running -= 1;
      account.running -= 1;
      forget(name, account);
      // Not at once: what has come in meanwhile, of anybody, goes before the next piece of work.
      setImmediate(next);
    };
  }

  async function waitIn(account: Account, name: string, signal: AbortSignal, promised: boolean): Promise<void> {
    if (!promised && !hasRoom(account)) {
      const whose = account.queue.size >= options.waitingPerAccountMax ? name : "The service";
      forget(name, account);
      throw refusal(`${whose} has reached the limit of ${options.what}, running and waiting`);
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const one: Waiting = { begin: resolve, refuse: reject };
    const leave = () => one.refuse(signal.reason);
    const impatient = () => one.refuse(refusal(`This waited ${options.waitMsMax / 1_000} s and could not begin`));
    const patience = promised ? undefined : setTimeout(impatient, options.waitMsMax);
    signal.addEventListener("abort", leave, { once: true });
    account.queue.add(one);
    counts.waiting += 1;
    next();
    try {
      await promise;
    } finally {
      clearTimeout(patience);
      signal.removeEventListener("abort", leave);
      if (account.queue.delete(one)) counts.waiting -= 1; // it left without a turn
      forget(name, account);
    }
  }

  function refusal(why: string): ProblemError {
    counts.refused += 1;
    const raise = options.settings ? ` (${options.settings})` : "";
    return new ProblemError("rate-limited", `${why}${raise}. Try again later.`, { retryAfterS: 5 });
  }

  const hasRoom = ({ queue }: Account) =>
    queue.size < options.waitingPerAccountMax && counts.waiting < options.waitingMax;

  function mayRun({ running }: Account): boolean {
    return counts.running < options.runningMax && running < options.runningPerAccountMax;
  }

  /** Someone waits whose turn is about to begin. */
  function isSomeonesTurn(): boolean {
    if (counts.waiting === 0 || counts.running >= options.runningMax) return false;
    return accounts.values().some((account) => account.queue.size > 0 && mayRun(account));
  }

  function begin(name: string, account: Account): void {
    counts.running += 1;
    account.running += 1;
    // Whoever had a turn goes to the end.
    accounts.delete(name);
    accounts.set(name, account);
  }

  function next(): void {
    for (const [name, account] of accounts) {
      const first = account.queue.values().next().value;
      if (!first || !mayRun(account)) continue;
      account.queue.delete(first);
      counts.waiting -= 1;
      begin(name, account);
      first.begin();
      return next();
    }
  }

  function forget(name: string, { running, queue }: Account): void {
    if (running === 0 && queue.size === 0) accounts.delete(name);
  }

  /** One piece of work in a turn of its own. */
  async function run<T>(
    name: string,
    signal: AbortSignal,
    work: () => Promise<T> | T,
    promised?: "promised",
  ): Promise<T> {
    const end = await take(name, signal, promised);
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      end();
    }
  }

  return { take, run, counts: (): Readonly<typeof counts> => counts };
}

export type Turns = ReturnType<typeof createTurns>;

/** Aborts when the client leaves before it was answered. */
export function leaving(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once("close", () => controller.abort(new ProblemError("unavailable", "The client closed the connection.")));
  if (reply.raw.destroyed) controller.abort(new ProblemError("unavailable", "The client closed the connection."));
  return controller.signal;
}

/** How long nothing may move on this connection while its request is answered; 0: for ever. */
export function patient({ raw }: FastifyRequest, ms: number): void {
  raw.socket?.setTimeout?.(ms); // a request made up by a test has no such thing
}

/** What one request asks of the store. */
export type Query = {
  /** Aborted when the client leaves, or when a piece of work takes too long. */
  readonly signal: AbortSignal;
  /** One piece of work. */
  ask<T>(work: (signal: AbortSignal) => Promise<T> | T): Promise<T>;
  /** Piece by piece: while the client reads one, others have their turns. */
  stream<T>(chunks: AsyncIterable<T>): AsyncGenerator<T>;
  /** Waits for a place among the downloads, and keeps it until the answer is over. */
  download(): Promise<void>;
  /**
   * The same for readings, piece by piece: of all downloads' pieces only some are asked for at a time, so that a question somebody
   * waits for finds the store free. The first piece has come when this resolves: a store that does not answer is a problem and
   * not a broken download.
   */
  export<T>(chunks: AsyncIterable<T>): Promise<AsyncIterable<T>>;
};

export type Queries = ReturnType<typeof createQueries>;

/**
 * The store as requests may ask it: in the turn of their account, each piece of work for `queryMs` at most, and no longer
 * than the client stays. Throws 429 and 503 problems.
 */
export function createQueries(
  { queries, exports, pieces }: { readonly [what in "queries" | "exports" | "pieces"]: Turns },
  auth: Pick<Auth, "account">,
  limits: Limits,
) {
  return (request: FastifyRequest, reply: FastifyReply): Query => {
    const { name } = auth.account(request);
    const own = new AbortController();
    const signal = AbortSignal.any([leaving(reply), own.signal]);

    async function inTurn<T>(work: () => Promise<T> | T, promised?: "promised"): Promise<T> {
      // A turn and its work may take longer than an idle connection may last; reading what came of it may not.
      patient(request, limits.queryWaitMs + limits.queryMs + limits.stalledMs);
      try {
        return await queries.run(name, signal, () => piece(work), promised);
      } finally {
        patient(request, limits.stalledMs);
      }
    }

    async function piece<T>(work: () => Promise<T> | T): Promise<T> {
      const limit = setTimeout(() => own.abort(tooLong(limits.queryMs)), limits.queryMs);
      try {
        return await work();
      } finally {
        clearTimeout(limit);
      }
    }

    async function* stream<T>(chunks: AsyncIterable<T>, take: typeof inTurn = inTurn): AsyncGenerator<T> {
      const iterator = chunks[Symbol.asyncIterator]();
      const next = () => iterator.next();
      try {
        // An answer that has begun is not broken off because others wait: only its first piece may be refused.
        let step = await take(next);
        for (; !step.done; step = await take(next, "promised")) yield step.value;
      } finally {
        await iterator.return?.();
      }
    }

    function inPieces<T>(work: () => Promise<T> | T, promised?: "promised"): Promise<T> {
      patient(request, 2 * (limits.queryWaitMs + limits.queryMs) + limits.stalledMs);
      return pieces.run(name, signal, () => inTurn(work, promised), promised);
    }

    async function download(): Promise<void> {
      reply.raw.once("close", await exports.take(name, signal));
    }

    async function* continued<T>(first: IteratorResult<T>, rest: AsyncGenerator<T>): AsyncGenerator<T> {
      try {
        for (let step = first; !step.done; step = await rest.next()) yield step.value;
      } finally {
        await rest.return(undefined);
      }
    }

    return {
      signal,
      ask: (work) => inTurn(() => work(signal)),
      stream: (chunks) => stream(chunks),
      download,
      async export(chunks) {
        await download();
        const rest = stream(chunks, inPieces);
        return continued(await rest.next(), rest);
      },
    };
  };
}

function tooLong(queryMs: number): ProblemError {
  const detail = `This took longer than ${queryMs / 1_000} s (LAMPPOST_QUERY_TIMEOUT_S): ask for a shorter range.`;
  return new ProblemError("unavailable", detail, { retryAfterS: 30 });
}
