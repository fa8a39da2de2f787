import { STATUS_CODES } from "node:http";
import type { z } from "zod";
import { Problem, type ProblemView } from "../contract/common.ts";
import { problemIn } from "../messages/problems.ts";
import type { Language } from "../model/sentence.ts";

/** Where nothing better is known of when a 429 or 503 will be over. */
const RETRY_AFTER_S: ReadonlyMap<number, number> = new Map([
  [429, 5],
  [503, 30],
]);
/** What any route can answer with besides its own: wrong token, role, too fast, our fault. */
const PUBLIC = [429, 500] as const;
const PROTECTED = [401, 403, ...PUBLIC] as const;

/** A closed set: the last part of `type` is what a program should look at. */
export const PROBLEMS = {
  "invalid-request": [400, "The request is not valid"],
  unauthenticated: [401, "A valid bearer token is needed"],
  forbidden: [403, "This account may not do that"],
  "not-found": [404, "Not found"],
  "method-not-allowed": [405, "This address does not support that method"],
  conflict: [409, "This conflicts with the current state"],
  "range-not-satisfiable": [416, "There is no such part of it"],
  "too-large": [413, "The body is too large"],
  "unsupported-media-type": [415, "Bodies are application/json"],
  "wrong-host": [421, "This service does not answer to that host name"],
  "readings-refused": [422, "No reading was accepted"],
  "rate-limited": [429, "Too many requests"],
  internal: [500, "Something went wrong in the service"],
  unavailable: [503, "The service cannot do this right now"],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemName = keyof typeof PROBLEMS;

/** One mistake. `pointer` is a JSON pointer into the body, or `#/query/<name>`, `#/path/<name>`. */
export type Mistake = NonNullable<ProblemView["errors"]>[number];

type ProblemExtra = {
  readonly errors?: readonly Mistake[];
  readonly retryAfterS?: number;
  /** The same mistakes as a library says them in another language. */
  readonly errorsIn?: (language: Language) => readonly Mistake[];
};

/** Thrown by routes and hooks; the error handler answers with it. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  /** RFC 9457, with the list of mistakes of its appendix. */
  readonly problem: ProblemView;
  /** Fastify and its plugins look at this one. */
  readonly statusCode: number;
  readonly retryAfterS: number | undefined;
  readonly #errorsIn: ProblemExtra["errorsIn"];

  constructor(name: ProblemName, detail?: string, extra: ProblemExtra = {}) {
    const [status, title] = PROBLEMS[name];
    super(detail ?? title);
    this.problem = { type: `urn:lamppost:problem:${name}`, title, status, detail, errors: extra.errors };
    this.statusCode = status;
    this.retryAfterS = extra.retryAfterS ?? RETRY_AFTER_S.get(status);
    this.#errorsIn = extra.errorsIn;
  }

  /** As someone reads it: what programs look at (`type`, `pointer`, `reason`) is the same. */
  readIn(language: Language): ProblemView {
    if (language === "en") return this.problem;
    const { title, detail, errors } = this.problem;
    const said = (text: string) => problemIn(language, text);
    const own = this.#errorsIn?.(language) ?? errors?.map((one) => ({ ...one, detail: said(one.detail) }));
    // The detail of a problem with mistakes is mostly that of the first.
    const first = detail === errors?.[0]?.detail ? own?.[0]?.detail : undefined;
    return {
      ...this.problem,
      title: said(title),
      ...(detail === undefined ? {} : { detail: first ?? said(detail) }),
      ...(own && { errors: own }),
    };
  }
}

export function invalid(pointer: string, detail: string): ProblemError {
  return new ProblemError("invalid-request", detail, { errors: [{ pointer, detail }] });
}

export function notFound(what: string, id: string): ProblemError {
  return new ProblemError("not-found", `There is no ${what} "${id}".`);
}

/**
 * The responses of a route: its own, and the problems it can answer with. The type keeps only its own, because
 * problems are thrown and never sent by a handler.
 */
export function answers<T extends Readonly<Record<number, z.ZodType>>>(own: T, ...problems: readonly number[]): T {
  return { ...own, ...problemsFor([400, ...problems, ...PROTECTED]) };
}

/** The same for a route that needs no token. */
export function publicAnswers<T extends Readonly<Record<number, z.ZodType>>>(
  own: T,
  ...problems: readonly number[]
): T {
  return { ...own, ...problemsFor([...problems, ...PUBLIC]) };
}

function problemsFor(statuses: readonly number[]) {
  const answer = (status: number) => ({
    description: STATUS_CODES[status] ?? "Problem",
    content: { "application/problem+json": { schema: Problem } },
  });
  return Object.fromEntries(statuses.map((status) => [status, answer(status)]));
}

/** A response in other types than JSON. The handler's type is left open: it sends text or a stream. */
export function media(description: string, types: Readonly<Record<string, z.ZodType>>): z.ZodType {
  const content = Object.fromEntries(Object.entries(types).map(([type, schema]) => [type, { schema }]));
  return { description, content } as unknown as z.ZodType;
}
