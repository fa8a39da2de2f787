import type { FastifyReply, FastifyRequest } from "fastify";
import type { Auth } from "./auth.ts";
import type { Limits } from "./limits.ts";
import { ProblemError } from "./problems.ts";
import { leaving, patient, type Turns } from "./turns.ts";

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
};

export type Queries = ReturnType<typeof createQueries>;

/**
 * The store as requests may ask it: in the turn of their account, each piece of work for `queryMs` at most, and no longer
 * than the client stays. Throws 429 and 503 problems.
 */
export function createQueries(
  { queries, exports }: { readonly queries: Turns; readonly exports: Turns },
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

    async function* stream<T>(chunks: AsyncIterable<T>): AsyncGenerator<T> {
      const iterator = chunks[Symbol.asyncIterator]();
      const next = () => iterator.next();
      try {
        // An answer that has begun is not broken off because others wait: only its first piece may be refused.
        let step = await inTurn(next);
        for (; !step.done; step = await inTurn(next, "promised")) yield step.value;
      } finally {
        await iterator.return?.();
      }
    }

    return {
      signal,
      ask: (work) => inTurn(() => work(signal)),
      stream,
      async download() {
        reply.raw.once("close", await exports.take(name, signal));
      },
    };
  };
}

function tooLong(queryMs: number): ProblemError {
  const detail = `This took longer than ${queryMs / 1_000} s (LAMPPOST_QUERY_TIMEOUT_S): ask for a shorter range.`;
  return new ProblemError("unavailable", detail, { retryAfterS: 30 });
}
