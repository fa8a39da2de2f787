/**
 * Keeps the files of the page, not what it shows: nothing under /api/ passes here, so neither readings nor sessions are
 * kept by it. The build puts `SHELL` (paths) and `VERSION` (a hash over them) in, see `vite.config.ts`.
 */
declare const SHELL: readonly string[];
declare const VERSION: string;

type Extendable = Event & { waitUntil(work: Promise<unknown>): void };
type Fetching = Extendable & { readonly request: Request; respondWith(answer: Promise<Response>): void };
type Scope = {
  addEventListener(type: "install" | "activate", listener: (event: Extendable) => void): void;
  addEventListener(type: "fetch", listener: (event: Fetching) => void): void;
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
};

const worker = self as unknown as Scope;
const PREFIX = "shell-";
const CACHE = PREFIX + VERSION;
/** The page waits for it: what metrics the city added (`model/city-metrics.ts`). */
const CITY_METRICS = "/city-metrics.js";
/** A line may be there and carry nothing: after so long the kept document is better. */
const PATIENCE_MS = 2_500;

worker.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(SHELL)));
  void worker.skipWaiting();
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(removeOld().then(() => worker.clients.claim()));
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin || url.pathname.startsWith("/api/")) return;
  if (request.mode === "navigate") event.respondWith(newest(request, "/"));
  else if (url.pathname === CITY_METRICS) event.respondWith(newest(request, CITY_METRICS));
  else if (url.pathname.startsWith("/assets/")) event.respondWith(byHash(request));
  else if (SHELL.includes(url.pathname)) event.respondWith(fetch(request).catch(() => kept(url.pathname)));
});

/** The newest where there is a connection; the kept one (of `path`) where there is none, or the service is down. */
async function newest(request: Request, path: string): Promise<Response> {
  const patience = new Promise<never>((_, reject) => setTimeout(reject, PATIENCE_MS));
  try {
    const answer = await Promise.race([fetch(request), patience]);
    return answer.status >= 500 ? await kept(path).catch(() => answer) : answer;
  } catch {
    return kept(path);
  }
}

/** A name with a hash never changes what it means, so what is there is right. */
async function byHash(request: Request): Promise<Response> {
  const found = await caches.match(request);
  if (found) return found;
  const answer = await fetch(request);
  if (answer.ok) await (await caches.open(CACHE)).put(request, answer.clone());
  return answer;
}

async function kept(path: string): Promise<Response> {
  return (await (await caches.open(CACHE)).match(path)) ?? Response.error();
}

async function removeOld(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)),
  );
}
