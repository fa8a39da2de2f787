import { STATUS_CODES } from "node:http";
import type { z } from "zod";
import { Problem } from "../contract/common.ts";

/** What any route can answer with besides its own: wrong token, role, too fast, our fault. */
const PUBLIC = [429, 500] as const;
const PROTECTED = [401, 403, ...PUBLIC] as const;

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
