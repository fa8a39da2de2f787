import type { Api } from "./api.ts";
import { ProblemError } from "./problems.ts";

/**
 * JSON only: no text/plain (a form of another site could send it without asking), no invalid UTF-8, and no
 * `__proto__` or `constructor.prototype` keys. Depth is harmless here: nothing walks a raw body.
 */
export function acceptJsonOnly(app: Api): void {
  const parse = app.getDefaultJsonParser("error", "error");
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body, done) => {
    let text: string;
    try {
      text = utf8.decode(body as Buffer);
    } catch {
      return done(new ProblemError("invalid-request", "The body is not valid UTF-8."), undefined);
    }
    parse(request, text, (error, value) => (error ? done(malformed(), undefined) : done(null, value)));
  });
}

/** The parser's own message quotes the body. */
function malformed(): ProblemError {
  return new ProblemError("invalid-request", "The body is not valid JSON.");
}
