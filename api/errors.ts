import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { languageFor } from "../messages/problems.ts";
import { isWorldFault } from "../model/background.ts";
import { RecordConflict } from "../model/ids.ts";
import type { Log } from "../model/log.ts";
import { StoreError } from "../store/reading-store.ts";
import { badCursor } from "./paging.ts";
import { PROBLEMS, ProblemError, type ProblemName } from "./problems.ts";

/**
 * Every error leaves as `application/problem+json`; what is our fault leaves without details and is logged. Who opens an address
 * that is not there in a browser gets the page (if it is built), which says so in their language and leads on.
 */
export function addErrors(app: FastifyInstance, log: Log, page: () => Promise<Buffer | undefined>): void {
  const seen = new Set<string>();
  app.addHook("onRoute", (route) => {
    for (const method of [route.method].flat()) seen.add(`${method} ${route.url}`);
  });
  app.setErrorHandler((error, request, reply) => answer(error, request, reply, log));
  app.setNotFoundHandler(async (request, reply) => {
    const document = isNavigation(request) ? await page() : undefined;
    if (document) return reply.code(404).header("cache-control", "no-cache").type("text/html").send(document);
    const allow = methodsAt(seen, request.url.split("?", 1)[0] ?? "");
    // A file that is not there has an address that is.
    const known = allow.length > 0 && !allow.includes(request.method);
    if (known) reply.header("allow", allow.join(", "));
    const detail = known ? `Try ${allow.join(" or ")}.` : "See /docs for the addresses.";
    return answer(new ProblemError(known ? "method-not-allowed" : "not-found", detail), request, reply, log);
  });
}

/** By a browser and for a person to see: programs and scripts that ask for an address get a problem. */
function isNavigation({ method, url = "/", headers }: Pick<IncomingMessage, "method" | "url" | "headers">): boolean {
  return (
    (method === "GET" || method === "HEAD") &&
    (headers.accept ?? "").includes("text/html") &&
    !/^\/(api|assets|docs)(\/|\?|$)/.test(url)
  );
}

/** Before the router sees it: an address such as `/desk%`, which it would refuse, is one that is not there. */
export function addressOf(request: IncomingMessage): string {
  const { url = "/" } = request;
  try {
    decodeURI(url.split("?", 1)[0]!);
    return url;
  } catch {
    return isNavigation(request) ? "/no-address" : url;
  }
}

/** What goes wrong once nobody waits for the answer is mostly that; but not what only a mistake of ours can be. */
const OUR_MISTAKES = [TypeError, RangeError, ReferenceError, SyntaxError];

export function answer(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Log): FastifyReply {
  const known = toProblem(error);
  const isMoot = request.socket?.destroyed && !OUR_MISTAKES.some((kind) => error instanceof kind);
  if (known.statusCode === 500 && !isMoot) {
    const route = request.routeOptions?.url;
    log.error({ err: error, requestId: request.id, method: request.method, route }, "request failed");
  }
  if (known.retryAfterS !== undefined) reply.header("retry-after", known.retryAfterS);
  if (known.statusCode === 401) reply.header("www-authenticate", 'Bearer realm="lamppost"');
  reply.header("cache-control", "no-store");
  const language = languageFor(request.headers["accept-language"]);
  reply.header("content-language", language);
  reply.header("vary", [reply.getHeader("vary"), "accept-language"].flat().filter(Boolean).join(", "));
  return reply
    .code(known.statusCode)
    .type("application/problem+json")
    .send(JSON.stringify(known.readIn(language)));
}

function toProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof RecordConflict)
    return new ProblemError("conflict", "This name is already in use: choose another.");
  if (error instanceof StoreError) return storeProblem(error);
  const { statusCode, message, name: kind, state } = error as Record<string, unknown>;
  if (kind === "BacktestBusy") return new ProblemError("conflict", `${message}.`, { retryAfterS: 30 });
  if (kind === "RulesTooHard") return new ProblemError("invalid-request", String(message));
  if (kind === "RecordBadCursor") return badCursor();
  if (typeof state === "string" && RETRY_AFTER_S.has(state)) return journalProblem(state);
  if (isWorldFault(error)) return worldProblem(error);
  const name = typeof statusCode === "number" ? nameOf(statusCode) : "internal";
  return name === "internal" ? new ProblemError("internal") : new ProblemError(name, String(message).slice(0, 200));
}

/** The disk is full or fails, a database is busy: nothing was changed, and the same request may succeed later. */
function worldProblem(error: unknown): ProblemError {
  const { errcode, code } = error as { errcode?: unknown; code?: unknown };
  const isFull = errcode === SQLITE_FULL || code === "ENOSPC" || code === "EDQUOT";
  const detail = isFull ? "The disk is full." : "The service cannot read or write its files now.";
  return new ProblemError("unavailable", `${detail} Try again later.`, { retryAfterS: isFull ? 30 : 10 });
}

/** `errcode` of node:sqlite. */
const SQLITE_FULL = 13;

/** By the state of the journal, in seconds: a full disk is emptied by someone, a stop is over soon. */
const RETRY_AFTER_S: ReadonlyMap<string, number> = new Map([
  ["full", 30],
  ["failed", 60],
  ["closed", 5],
  ["over_share", 300],
]);

const JOURNAL_DETAILS: ReadonlyMap<string, string> = new Map([
  ["full", "The disk is full."],
  ["over_share", "The disk is nearly full, and you have had your share of what is left."],
]);

/** What the journal could not keep is not acknowledged: the sender keeps it and comes back. */
function journalProblem(state: string): ProblemError {
  const detail = JOURNAL_DETAILS.get(state) ?? "The journal does not take messages now.";
  return new ProblemError("unavailable", `${detail} Try again later.`, { retryAfterS: RETRY_AFTER_S.get(state) });
}

function storeProblem(error: StoreError): ProblemError {
  if (error.kind !== "unavailable" && error.kind !== "misconfigured") return new ProblemError("internal");
  const retryAfterS = Math.ceil((error.retryAfterMs ?? 10_000) / 1_000);
  return new ProblemError("unavailable", "The reading store does not answer: try again later.", { retryAfterS });
}

/** Fastify's own errors (body too large, media type, bad URL, malformed JSON) carry their status. */
function nameOf(status: number): ProblemName {
  for (const [name, [code]] of Object.entries(PROBLEMS)) if (code === status) return name as ProblemName;
  return status >= 400 && status < 500 ? "invalid-request" : "internal";
}

function methodsAt(seen: ReadonlySet<string>, path: string): string[] {
  const methods: string[] = [];
  for (const entry of seen) {
    const [method = "", pattern = ""] = entry.split(" ");
    if (!pattern.includes("*") && sameShape(pattern, path)) methods.push(method);
  }
  return methods;
}

function sameShape(pattern: string, path: string): boolean {
  const [want, have] = [pattern.split("/"), path.split("/")];
  return (
    want.length === have.length && want.every((step, i) => step === have[i] || (step[0] === ":" && have[i] !== ""))
  );
}

/** Bytes that are not HTTP, or that do not come: the parser gives up before there is a request. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const status = error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : error.code === "HPE_HEADER_OVERFLOW" ? 431 : 400;
  answerByHand(socket, status);
}

/** Written where there is no request to answer to. The connection ends with it, also when nobody reads. */
export function answerByHand(socket: Socket, status: number, detail?: string): void {
  const body = JSON.stringify({ type: "about:blank", title: STATUS_CODES[status], status, detail });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "Connection: close",
    "Content-Type: application/problem+json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(status === 503 ? ["Retry-After: 5"] : []),
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
  socket.destroySoon();
}
