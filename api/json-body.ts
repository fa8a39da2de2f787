import type { Api } from "./api.ts";
import { ProblemError } from "./problems.ts";

/**
 * JSON only: no text/plain (a form of another site could send it without asking), no invalid UTF-8, and no
 * `__proto__` or `constructor.prototype` keys, and nothing deeper than any body of ours.
 */
export function acceptJsonOnly(app: Api): void {
  const parse = app.getDefaultJsonParser("error", "error");
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body, done) => {
    if (isDeep(body as Buffer)) {
      return done(new ProblemError("invalid-request", `The body is nested more than ${DEPTH_MAX} deep.`), undefined);
    }
    let text: string;
    try {
      text = utf8.decode(body as Buffer);
    } catch {
      return done(new ProblemError("invalid-request", "The body is not valid UTF-8."), undefined);
    }
    parse(request, text, (error, value) => (error ? done(malformed(), undefined) : done(null, value)));
  });
}

const DEPTH_MAX = 64;
const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

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
function malformed(): ProblemError {
  return new ProblemError("invalid-request", "The body is not valid JSON.");
}
