import type { Send, SentPath } from "../../contract/calls.ts";
import type { PageOf, ProblemView } from "../../contract/common.ts";
import { language } from "../shell/preferences.ts";

/** What went wrong with a request, in the words of the service (RFC 9457), or `status` 0 when it could not be reached. */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  readonly status: number;
  /** JSON pointers to what is wrong, such as `/next`. */
  readonly errors: NonNullable<ProblemView["errors"]>;
  readonly retryAfterS: number | undefined;

  constructor(status: number, message: string, errors: ApiProblem["errors"] = [], retryAfterS?: number) {
    super(message);
    this.status = status;
    this.errors = errors;
    this.retryAfterS = retryAfterS;
  }

  /** What is said of one field of a form, by its name. */
  at(field: string): string | undefined {
    return this.errors.find(({ pointer }) => pointer === `/${field}`)?.detail;
  }
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
type OnSignedOut = () => void;
let onSignedOut: OnSignedOut = () => {};

/** Called whenever an answer says that the session is over. One listener: the shell. */
export function whenSignedOut(listener: OnSignedOut): void {
  onSignedOut = listener;
}

/** What was typed for a body of the contract: its names, and texts where the service will say what is wrong with them. */
export type Draft<T> = T extends readonly unknown[]
  ? T | readonly string[]
  : T extends object
    ? { readonly [K in keyof T]: Draft<T[K]> }
    : T | string | undefined;
export type Body<M extends Method, P extends SentPath<M>> = Draft<Send<M, P>["body"]>;

/** Sends what the contract knows for this path. Throws `ApiProblem`. */
export const send = <M extends Method, P extends SentPath<M>>(
  method: M,
  path: P,
  body: Body<M, P>,
  signal?: AbortSignal,
): Promise<Send<M, P>["answer"]> => request(method, path, body, signal);

/** Asks `/api/v1` + path. Throws `ApiProblem`. The header tells the service that it is the page that asks, see `api/sessions.ts`. */
export async function request<T = void>(
  method: Method,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  const answer = await ask(method, path, body, signal);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

/** Sends a file as it is. Throws `ApiProblem`. */
export async function sendFile<T>(path: string, file: Blob, type: string): Promise<T> {
  return (await (await ask("POST", path, file, undefined, { "content-type": type })).json()) as T;
}

/** The same for those who need the headers, too. 304 is an answer: only who asks with `if-none-match` gets it. */
export async function ask(
  method: Method,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
  more: Readonly<Record<string, string>> = {},
): Promise<Response> {
  // Of the page, not of the browser: problems are shown as they come.
  const headers: Record<string, string> = {
    accept: "application/json",
    "accept-language": language.value,
    "x-lamppost": "page",
    ...more,
  };
  const isFile = body instanceof Blob;
  if (body !== undefined && !isFile) headers["content-type"] = "application/json";
  const answer = await fetch(`/api/v1${path}`, {
    method,
    headers,
    credentials: "same-origin",
    cache: "no-store",
    ...(body === undefined ? {} : { body: isFile ? body : JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    throw new ApiProblem(0, "");
  });
  if (answer.ok || answer.status === 304) return answer;
  if (answer.status === 401 && path !== "/session") onSignedOut();
  throw await problemOf(answer);
}

async function problemOf(answer: Response): Promise<ApiProblem> {
  const retryAfter = Number(answer.headers.get("retry-after")) || undefined;
  const said = (await answer.json().catch(() => ({}))) as Partial<ProblemView>;
  return new ApiProblem(answer.status, said.detail ?? said.title ?? answer.statusText, said.errors, retryAfter);
}

/**
 * Every page of a list, handed over as it comes, so that the first ones are on the screen while the rest is on its way.
 * Answers the `x-last-event-id` of the first page, if the list has one: a stream that begins there misses nothing.
 */
export async function eachPage<T>(
  path: string,
  take: (items: readonly T[]) => void,
  signal?: AbortSignal,
): Promise<string | undefined> {
  let eventId: string | undefined;
  // A small first page is there soon; the rest comes in few requests.
  for (let cursor: string | undefined, limit = 20; ; limit = 1_000) {
    const joint = path.includes("?") ? "&" : "?";
    const at = cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await ask("GET", `${path}${joint}limit=${limit}${at}`, undefined, signal);
    if (cursor === undefined) eventId = answer.headers.get("x-last-event-id") ?? undefined;
    const page = (await answer.json()) as PageOf<T>;
    take(page.items);
    cursor = page.next;
    if (cursor === undefined) return eventId;
  }
}
