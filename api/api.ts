import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyBaseLogger, FastifyInstance, FastifyTypeProvider, RawServerDefault } from "fastify";
import type { z } from "zod";
import type { Declared } from "../contract/common.ts";
import type { Auth } from "./auth.ts";
import type { ApiDeps } from "./deps.ts";
import type { Limits } from "./limits.ts";
import type { Latest } from "./live.ts";
import type { Sessions } from "./sessions.ts";
import type { Streams } from "./streams.ts";
import type { Queries, Turns } from "./turns.ts";

/** What a handler gets is what its schema makes of it; what it answers with is the contract's, and may be readonly. */
interface Schemas extends FastifyTypeProvider {
  validator: this["schema"] extends z.ZodType ? z.output<this["schema"]> : unknown;
  serializer: this["schema"] extends z.ZodType ? Declared<z.input<this["schema"]>> : unknown;
}

/** Fastify with zod schemas. */
export type Api = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, Schemas>;

/** What the routes share; each takes what it needs. */
export type Parts = ApiDeps & {
  readonly auth: Auth;
  readonly sessions: Sessions;
  readonly limits: Limits;
  readonly latest: Latest;
  readonly streams: Streams;
  readonly queries: Queries;
  readonly turns: { readonly [what in "queries" | "exports" | "pieces" | "checks" | "backtests"]: Turns };
};
