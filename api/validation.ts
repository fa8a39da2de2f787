import type { FastifySchemaCompiler } from "fastify";
import { z } from "zod";
import { problemIn } from "../messages/problems.ts";
import { explainBareWord } from "../model/not-json.ts";
import type { Language } from "../model/sentence.ts";
import type { Api } from "./api.ts";
import { type Mistake, ProblemError } from "./problems.ts";

const MISTAKES_MAX = 20;
const PLACES: Readonly<Record<string, string>> = { querystring: "#/query", params: "#/path", headers: "#/headers" };
const DEPTH_MAX = 64;
const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** Turns a zod schema into Fastify's validator; the error names every place, never the value that was sent. */
export const compileValidator: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  const place = PLACES[httpPart ?? ""] ?? "";
  return (data: unknown) => {
    // What was sent is kept with an issue only to say of which type it is.
    const result = chooseBranch(schema, data).safeParse(data, { reportInput: true });
    if (result.success) return { value: result.data };
    const { issues } = result.error;
    const said = (detail: (issue: z.core.$ZodIssue) => string) =>
      issues.flatMap((issue) => mistakesOf(issue, place, detail(issue))).slice(0, MISTAKES_MAX);
    const errors = said(({ message }) => message);
    const errorsIn = (language: Language) =>
      said((issue) => issueIn(language, issue)).map(({ pointer, detail }) => ({
        pointer,
        detail: problemIn(language, detail),
      }));
    return { error: new ProblemError("invalid-request", errors[0]?.detail, { errors, errorsIn }) };
  };
};

/** "One or an array of them": zod would only say that neither fits, so the branch is chosen by what was sent. */
function chooseBranch(schema: z.ZodType, data: unknown): z.ZodType {
  if (!(schema instanceof z.ZodUnion)) return schema;
  const options = schema.options as readonly z.ZodType[];
  return options.find((option) => option instanceof z.ZodArray === Array.isArray(data)) ?? schema;
}

/** What zod says of an issue by itself, in another language; what a schema of ours says stays as it is. */
function issueIn(language: Language, issue: z.core.$ZodIssue): string {
  const own = ZOD_SAYS.en(issue as z.core.$ZodRawIssue);
  return own === issue.message ? (ZOD_SAYS[language](issue as z.core.$ZodRawIssue) as string) : issue.message;
}
const { en, de, es } = z.locales;
const ZOD_SAYS = { en: en().localeError, de: de().localeError, es: es().localeError } as const;

function mistakesOf(issue: z.core.$ZodIssue, place: string, detail: string): Mistake[] {
  const at = `${place}${pointerOf(issue.path)}`;
  if (issue.code !== "unrecognized_keys") return [{ pointer: at, detail }];
  return issue.keys.map((key) => ({
    pointer: `${at}${pointerOf([key])}`,
    detail: "Unknown key: remove it or check its spelling.",
  }));
}

/** RFC 6901. A key comes from outside, so it is cut. */
export function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((step) => `/${String(step).slice(0, 64).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/**
 * JSON only: no text/plain (a form of another site could send it without asking), no invalid UTF-8, and no
 * `__proto__` or `constructor.prototype` keys, and nothing deeper than any body of ours.
 */
export function acceptJsonOnly(app: Api): void {
  const parse = app.getDefaultJsonParser("error", "error");
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body, done) => {
    // Many clients name the type of a body that is not there.
    if (body.length === 0 && request.method === "DELETE") return done(null, undefined);
    if (isDeep(body as Buffer)) {
      return done(new ProblemError("invalid-request", `The body is nested more than ${DEPTH_MAX} deep.`), undefined);
    }
    let text: string;
    try {
      text = utf8.decode(body as Buffer);
    } catch {
      return done(new ProblemError("invalid-request", "The body is not valid UTF-8."), undefined);
    }
    parse(request, text, (error, value) => (error ? done(malformed(text), undefined) : done(null, value)));
  });
}

/** Looked at first, because JSON.parse takes half a second for a MiB of brackets. */
function isDeep(body: Buffer): boolean {
  let depth = 0;
  let inText = false;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i]!;
    if (inText && byte === BACKSLASH) i += 1;
    else if (byte === QUOTE) inText = !inText;
    else if (inText) continue;
    else if (OPENING.has(byte)) depth += 1;
    else if (CLOSING.has(byte)) depth -= 1;
    if (depth > DEPTH_MAX) return true;
  }
  return false;
}

/** The parser's own message quotes the body. */
function malformed(text: string): ProblemError {
  return new ProblemError("invalid-request", explainBareWord(text) ?? "The body is not valid JSON.");
}
