import { setTimeout as wait } from "node:timers/promises";

/** The HTTP API said no, or did not answer (`status` undefined). The message is the problem's own text. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  readonly status: number | undefined;

  constructor(message: string, options: { status?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.status = options.status;
  }
}

export type Query = Readonly<Record<string, string | number | undefined>>;

/** The HTTP API of a running service, as its admin. Every call throws `ServiceError`. */
export type ServiceClient = {
  readonly url: string;
  get<T>(path: string, query?: Query): Promise<T>;
  /** The body as text: for `/metrics`. */
  text(path: string): Promise<string>;
  /** `withinMs`: how long the answer may take, if not 30 s. */
  post<T>(path: string, body: unknown, withinMs?: number): Promise<T>;
  delete(path: string): Promise<void>;
  /** Every item of a `{items, next}` collection, page by page. */
  all<T>(path: string, query?: Query): Promise<T[]>;
};

const TRIES_MAX = 6;
const WAIT_S_MAX = 30;
const ANSWER_WITHIN_MS = 30_000;

export function createServiceClient(options: { readonly url: string; readonly token?: string }): ServiceClient {
  const base = options.url.replace(/\/+$/, "");
  const headers: Record<string, string> = { accept: "application/json" };
  if (options.token) headers.authorization = `Bearer ${options.token}`;

  async function call(
    method: string,
    path: string,
    query: Query = {},
    body?: unknown,
    withinMs = ANSWER_WITHIN_MS,
  ): Promise<Response> {
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    const search = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
    const init: RequestInit = { method, headers, signal: AbortSignal.timeout(withinMs) };
    if (body !== undefined) {
      init.headers = { ...headers, "content-type": "application/json" };
      init.body = JSON.stringify(body);
    }
    const response = await reach(`${base}${path}${search && `?${search}`}`, init);
    if (response.ok) return response;
    throw new ServiceError(await problemText(response), { status: response.status });
  }

  async function get<T>(path: string, query?: Query): Promise<T> {
    return (await (await call("GET", path, query)).json()) as T;
  }

  return {
    url: base,
    get,
    text: async (path) => (await call("GET", path)).text(),
    post: async (path, body, withinMs) => {
      const text = await (await call("POST", path, {}, body, withinMs)).text();
      return text === "" ? undefined : JSON.parse(text);
    },
    delete: async (path) => {
      await (await call("DELETE", path)).body?.cancel();
    },
    async all<T>(path: string, query: Query = {}): Promise<T[]> {
      const items: T[] = [];
      let cursor: string | undefined;
      do {
        const page: { items: T[]; next?: string | null } = await get(path, { ...query, cursor });
        items.push(...page.items);
        cursor = page.next ?? undefined;
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
    const problem = JSON.parse(text) as {
      title?: string;
      detail?: string;
      errors?: { pointer?: string; detail?: string }[];
    };
    const errors = (problem.errors ?? []).map((one) => `${one.pointer ?? ""} ${one.detail ?? ""}`.trim());
    return [problem.detail ?? problem.title ?? `HTTP ${response.status}`, ...errors].join("; ");
  } catch {
    return `HTTP ${response.status} ${response.statusText}`.trim();
  }
}
