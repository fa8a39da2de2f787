import { setTimeout as wait } from "node:timers/promises";
import { EventSourceParserStream } from "eventsource-parser/stream";
import type { Answer, Asked, AskedPath, Send, SentPath } from "../contract/calls.ts";
import type { PageOf, ProblemView } from "../contract/common.ts";
import type { EventData, EventName } from "../contract/events.ts";
import type { Language } from "../model/sentence.ts";

/** The HTTP API said no, or did not answer (`status` undefined). The message is the problem's own text. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  readonly status: number | undefined;

  constructor(message: string, options: { status?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.status = options.status;
  }
}

type Query = Readonly<Record<string, string | number | undefined>>;
type PagePath = { [P in AskedPath]: Answer<P> extends PageOf<unknown> ? P : never }[AskedPath];
type ItemOf<P extends AskedPath> = Answer<P> extends PageOf<infer Item> ? Item : never;

/** The HTTP API of a running service, as its admin; paths are those under `/api/v1`. Every call throws `ServiceError`. */
export type ServiceClient = {
  readonly url: string;
  get<P extends AskedPath>(path: P, query?: Asked<P>): Promise<Answer<P>>;
  /** The body as text, of any path of the service: for `/metrics`. */
  text(path: string): Promise<string>;
  /** `withinMs`: how long the answer may take, if not 30 s. */
  post<P extends SentPath<"POST">>(
    path: P,
    body: Send<"POST", P>["body"],
    withinMs?: number,
  ): Promise<Send<"POST", P>["answer"]>;
  /** Sends a file. */
  postFile<T>(path: string, file: Uint8Array<ArrayBuffer>, type: string, query?: Query): Promise<T>;
  put<P extends SentPath<"PUT">>(path: P, body: Send<"PUT", P>["body"]): Promise<Send<"PUT", P>["answer"]>;
  patch<P extends SentPath<"PATCH">>(path: P, body: Send<"PATCH", P>["body"]): Promise<Send<"PATCH", P>["answer"]>;
  delete(path: string): Promise<void>;
  /** Every item of a `{items, next}` collection, page by page. */
  all<P extends PagePath>(path: P, query?: Asked<P>): Promise<ItemOf<P>[]>;
};

const TRIES_MAX = 6;
const WAIT_S_MAX = 30;
const ANSWER_WITHIN_MS = 30_000;
const FILE_WITHIN_MS = 120_000;

export function createServiceClient(options: {
  readonly url: string;
  readonly token?: string;
  /** Of the texts of problems; English without it. */
  readonly language?: Language;
}): ServiceClient {
  const base = options.url.replace(/\/+$/, "");
  const headers: Record<string, string> = { accept: "application/json" };
  if (options.language) headers["accept-language"] = options.language;
  if (options.token) headers.authorization = `Bearer ${options.token}`;

  async function call(
    method: string,
    path: string,
    query: Query = {},
    body?: unknown,
    withinMs = ANSWER_WITHIN_MS,
    type = "application/json",
  ): Promise<Response> {
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    const search = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
    const init: RequestInit = { method, headers, signal: AbortSignal.timeout(withinMs) };
    if (body !== undefined) {
      init.headers = { ...headers, "content-type": type };
      init.body = body instanceof Uint8Array ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body);
    }
    const response = await reach(`${base}${path}${search && `?${search}`}`, init);
    if (response.ok) return response;
    throw new ServiceError(await problemText(response), { status: response.status });
  }

  async function json<T>(response: Promise<Response>): Promise<T> {
    return (await (await response).json()) as T;
  }

  return {
    url: base,
    get: (path, query) => json(call("GET", `/api/v1${path}`, query)),
    text: async (path) => (await call("GET", path)).text(),
    post: (path, body, withinMs) => json(call("POST", `/api/v1${path}`, {}, body, withinMs)),
    postFile: (path, file, type, query) => json(call("POST", `/api/v1${path}`, query, file, FILE_WITHIN_MS, type)),
    put: (path, body) => json(call("PUT", `/api/v1${path}`, {}, body)),
    patch: (path, body) => json(call("PATCH", `/api/v1${path}`, {}, body)),
    delete: async (path) => {
      await (await call("DELETE", `/api/v1${path}`)).body?.cancel();
    },
    async all<P extends PagePath>(path: P, query?: Asked<P>) {
      const items: ItemOf<P>[] = [];
      let cursor: string | undefined;
      do {
        const page: PageOf<ItemOf<P>> = await json(call("GET", `/api/v1${path}`, { ...query, cursor }));
        items.push(...page.items);
        cursor = page.next;
      } while (cursor !== undefined);
      return items;
    },
  };
}

/** A busy service asks for patience (429, 503 with Retry-After): wait as told, a few times. */
async function reach(url: string, init: RequestInit): Promise<Response> {
  for (let tries = 1; ; tries++) {
    let response: Response;
    try {
      response = await fetch(url, init);
    } catch (error) {
      const cause = (error as Error).cause ?? error;
      throw new ServiceError(`${new URL(url).origin} does not answer: ${(cause as Error).message}`, { cause });
    }
    const after = Number(response.headers.get("retry-after"));
    const busy = response.status === 429 || (response.status === 503 && after > 0);
    if (!busy || tries === TRIES_MAX) return response;
    await response.body?.cancel();
    await wait(Math.min(after || tries, WAIT_S_MAX) * 1000);
    init.signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
  }
}

async function problemText(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const problem = JSON.parse(text) as Partial<ProblemView>;
    const errors = (problem.errors ?? []).map(({ pointer, detail }) => `${pointer} ${detail}`.trim());
    return [problem.detail ?? problem.title ?? `HTTP ${response.status}`, ...errors].join("; ");
  } catch {
    return `HTTP ${response.status} ${response.statusText}`.trim();
  }
}

type LiveFeedOptions = {
  readonly url: string;
  readonly token: string;
  readonly signal: AbortSignal;
  /** The line broke: readings until it is back are missed. */
  onLost(why: string): void;
};

const RETRY_MS = 1_000;

/**
 * Readings as they come (`GET /events?readings=true`), until the signal aborts. Comes back after a broken line; throws
 * `ServiceError` where the service refuses.
 */
export async function* liveReadings(options: LiveFeedOptions): AsyncGenerator<EventData["readings"]> {
  const { signal } = options;
  for (let first = true; !signal.aborted; first = false) {
    try {
      yield* oneStream(options);
      if (!signal.aborted) options.onLost("the service has ended the stream");
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ServiceError || first) throw error;
      options.onLost((error as Error).message);
    }
    await wait(RETRY_MS, undefined, { signal }).catch(() => {});
  }
}

async function* oneStream({ url, token, signal }: LiveFeedOptions): AsyncGenerator<EventData["readings"]> {
  const headers = { authorization: `Bearer ${token}`, accept: "text/event-stream" };
  const answer = await fetch(`${url}/api/v1/events?readings=true`, { headers, signal });
  if (answer.status >= 400 && answer.status < 500)
    throw new ServiceError(`the service refuses the stream: HTTP ${answer.status}`, { status: answer.status });
  if (!answer.ok || !answer.body) throw new Error(`HTTP ${answer.status}`);
  const events = answer.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  for await (const { event, data } of events)
    if (event === ("readings" satisfies EventName)) yield JSON.parse(data) as EventData["readings"];
}
