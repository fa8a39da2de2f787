import type { FastifySchemaCompiler } from "fastify";
import { z } from "zod";
import { type Mistake, ProblemError } from "./problems.ts";

const MISTAKES_MAX = 20;
const PLACES: Readonly<Record<string, string>> = { querystring: "#/query", params: "#/path", headers: "#/headers" };

/** Turns a zod schema into Fastify's validator; the error names every place, never the value that was sent. */
export const compileValidator: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  const place = PLACES[httpPart ?? ""] ?? "";
  return (data: unknown) => {
    const result = chooseBranch(schema, data).safeParse(data);
    if (result.success) return { value: result.data };
    const errors = result.error.issues.flatMap((issue) => mistakesOf(issue, place)).slice(0, MISTAKES_MAX);
    return { error: new ProblemError("invalid-request", errors[0]?.detail, { errors }) };
  };
};

/** "One or an array of them": zod would only say that neither fits, so the branch is chosen by what was sent. */
function chooseBranch(schema: z.ZodType, data: unknown): z.ZodType {
  if (!(schema instanceof z.ZodUnion)) return schema;
  const options = schema.options as readonly z.ZodType[];
  return options.find((option) => option instanceof z.ZodArray === Array.isArray(data)) ?? schema;
}

function mistakesOf(issue: z.core.$ZodIssue, place: string): Mistake[] {
  const at = `${place}${pointerOf(issue.path)}`;
  if (issue.code !== "unrecognized_keys") return [{ pointer: at, detail: issue.message }];
  return issue.keys.map((key) => ({ pointer: `${at}${pointerOf([key])}`, detail: "This key is not known here." }));
}

/** RFC 6901. A key comes from outside, so it is cut. */
export function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((step) => `/${String(step).slice(0, 64).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
