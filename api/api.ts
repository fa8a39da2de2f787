import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { Auth } from "./auth.ts";
import type { ApiDeps } from "./deps.ts";
import type { Latest } from "./latest.ts";
import type { Limits } from "./limits.ts";
import type { Queries } from "./queries.ts";
import type { Sessions } from "./sessions.ts";
import type { Streams } from "./streams.ts";
import type { Turns } from "./turns.ts";

/** Fastify with zod schemas. */
export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** What the routes share; each takes what it needs. */
export type Parts = ApiDeps & {
  readonly auth: Auth;
  readonly sessions: Sessions;
  readonly limits: Limits;
  readonly latest: Latest;
  readonly streams: Streams;
  readonly queries: Queries;
  readonly turns: { readonly [what in "queries" | "exports" | "checks" | "backtests"]: Turns };
};
