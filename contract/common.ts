import { z } from "zod";
import { ID_PATTERN } from "../model/ids.ts";
import { KINDS } from "../model/kinds.ts";
import { WHOLE_CITY } from "../model/topics.ts";

/**
 * What the service answers with, as whoever gets it may rely on it: what is declared, and nothing of it is theirs to
 * change. What an object says beyond that is left out here, so that using it does not compile.
 */
export type View<S extends z.ZodType> = Declared<z.output<S>>;
/** What may be sent to the service; what has a default may be left out. */
export type Sent<S extends z.ZodType> = Declared<z.input<S>>;

export type Declared<T> = T extends readonly (infer Item)[]
  ? readonly Declared<Item>[]
  : T extends object
    ? { readonly [K in keyof T as IsOpen<K, T> extends true ? never : K]: Declared<T[K]> }
    : T;
/** The "and anything else" of a loose object; the keys of a record have a type of their own. */
type IsOpen<K extends keyof T, T> = string extends K ? (unknown extends T[K] ? true : false) : false;

/** The same as the service has it: under these names, at any depth, times in epoch milliseconds. */
export type EpochTimes<T, Names extends string> = T extends readonly (infer Item)[]
  ? readonly EpochTimes<Item, Names>[]
  : T extends object
    ? { readonly [K in keyof T]: K extends Names ? number : EpochTimes<T[K], Names> }
    : T;

/**
 * Whether a served shape says just what the service has: every field of one is in the other, of the same type, but for
 * the times called `Names`.
 */
export type Mirrors<Served, Own, Names extends string> = Same<EpochTimes<Served, Names>, Declared<Own>>;
/** `T`, which does not compile unless the other is true. */
export type Provided<T, _IsSo extends true> = T;

type Same<A, B> = [A, B, AllFields<A>, AllFields<B>] extends [B, A, AllFields<B>, AllFields<A>] ? true : false;
/** None optional: one that only one of two types has makes them differ. */
type AllFields<T> = T extends readonly (infer Item)[]
  ? readonly AllFields<Item>[]
  : T extends object
    ? { readonly [K in keyof T]-?: AllFields<T[K]> }
    : T;

/** A page of a list; `next` is the cursor of the following one, absent on the last. */
export type PageOf<T> = { readonly items: readonly T[]; readonly next?: string };

/** Items of one page. */
const PAGE_DEFAULT = 100;
const PAGE_MAX = 1_000;

export const Time = z.string().meta({ format: "date-time", examples: ["2026-11-21T10:00:00.000Z"] });
export const Id = z
  .string()
  .regex(ID_PATTERN, "An id is 1 to 64 of a-z, 0-9 and -, and does not start with -.")
  .meta({ examples: ["air-centre-01"] });
/** Of a district that is to be: alerts of no district are told under the reserved one. */
export const DistrictId = Id.refine((id) => id !== WHOLE_CITY, {
  error: `"${WHOLE_CITY}" stands for alerts of no district; give it another id.`,
});
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
export type ProblemView = View<typeof Problem>;

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
    .refine(
      (text) => text.split(",").every((part) => allowed.has(part)),
      `Use a comma-separated list of ${names.join(", ")}.`,
    )
    .describe(`Comma list of ${names.join(", ")}`)
    .optional();
}

export const byId = z.object({ id: Id });
/** In whose time answers are written, and what is asked without a zone is meant. */
export const ZoneName = z.string().min(1).max(64).optional();
/** How files are written for a country's spreadsheets. */
export const Locale = z
  .string()
  .regex(
    /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/,
    "A locale is a language and, if need be, a country, like de or es-MX.",
  )
  .optional()
  .describe("Of CSV, like de: with Excel's mark and, where numbers have a decimal comma, semicolons between columns");
export const Flag = z.enum(["true", "false"]).optional();
