import { z } from "zod";
import { ID_PATTERN } from "../model/ids.ts";
import { KINDS } from "../model/kinds.ts";

/** Items of one page. */
const PAGE_DEFAULT = 100;
const PAGE_MAX = 1_000;

export const Time = z.string().meta({ format: "date-time", examples: ["2026-11-21T10:00:00.000Z"] });
export const Id = z
  .string()
  .regex(ID_PATTERN, "An id is 1 to 64 of a-z, 0-9 and -, and does not start with -.")
  .meta({ examples: ["air-centre-01"] });
export const KindName = z.enum(KINDS);

export const Problem = z
  .object({
    type: z.string().describe("urn:lamppost:problem:<name>: what a program should look at"),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().optional(),
    errors: z
      .array(z.object({ pointer: z.string(), detail: z.string(), reason: z.string().optional() }))
      .optional()
      .describe("Every mistake: a JSON pointer into the body, or #/query/<name>, #/path/<name>"),
  })
  .meta({ id: "Problem", description: "RFC 9457" });

export const paging = {
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(PAGE_DEFAULT),
  cursor: z.string().min(1).max(500).optional().describe("`next` of the former page"),
};

/** `{items, next}`: `next` is absent on the last page. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: z.string().optional() });
}

/** "a,b": each one of the set. */
export function listOf<const T extends readonly string[]>(names: T) {
  const allowed: ReadonlySet<string> = new Set(names);
  return z
    .string()
    .max(500)
    .refine((text) => text.split(",").every((part) => allowed.has(part)), `A comma list of ${names.join(", ")}.`)
    .describe(`Comma list of ${names.join(", ")}`)
    .optional();
}

export function splitList<T extends string>(text: string | undefined): T[] | undefined {
  return text === undefined ? undefined : (text.split(",") as T[]);
}

export const byId = z.object({ id: Id });
export const Flag = z.enum(["true", "false"]).optional();
