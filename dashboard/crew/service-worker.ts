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
  addEventListener(type: "push", listener: (event: Pushed) => void): void;
  addEventListener(type: "notificationclick", listener: (event: Pressed) => void): void;
  addEventListener(type: "pushsubscriptionchange", listener: (event: Changed) => void): void;
  skipWaiting(): Promise<void>;
  readonly clients: {
    claim(): Promise<void>;
    matchAll(asked: { type: "window"; includeUncontrolled: boolean }): Promise<readonly Tab[]>;
    openWindow(address: string): Promise<unknown>;
  };
  readonly registration: {
    showNotification(title: string, options: object): Promise<void>;
    readonly pushManager: PushManager;
  };
};
type Tab = { focus(): Promise<Tab>; navigate(address: string): Promise<unknown> };
type Pushed = Extendable & { readonly data?: { json(): Message } };
type Pressed = Extendable & {
  readonly notification: { readonly data?: { readonly path: string }; close(): void };
};
type Changed = Extendable & {
  readonly oldSubscription?: PushSubscription;
  readonly newSubscription?: PushSubscription;
};
/** As `alerts/channels/push.ts` writes it. */
type Message = {
  readonly title: string;
  readonly body: string;
  readonly tag: string;
  readonly path: string;
  readonly lang: string;
  readonly again: boolean;
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

worker.addEventListener("push", (event) => {
  const message = event.data?.json();
  if (!message) return;
  const { title, body, tag, path, lang, again } = message;
  event.waitUntil(
    worker.registration.showNotification(title, {
      body,
      lang,
      // One for each alert: its end takes the place of its beginning, and makes no noise.
      tag,
      renotify: again,
      silent: !again,
      icon: "/assets/icon-192.png",
      data: { path },
    }),
  );
});

worker.addEventListener("notificationclick", (event) => {
  const { notification } = event;
  notification.close();
  event.waitUntil(open(notification.data?.path ?? "/"));
});

/** In the page that is open already, if there is one. */
async function open(path: string): Promise<void> {
  const [tab] = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  if (tab) await tab.focus().then((one) => one.navigate(path));
  else await worker.clients.openWindow(path);
}

/** The browser was given another address by its push service. */
worker.addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil(subscribeAgain(event));
});

async function subscribeAgain({ oldSubscription, newSubscription }: Changed): Promise<void> {
  const options = oldSubscription?.options;
  const made = newSubscription ?? (options && (await worker.registration.pushManager.subscribe(options)));
  const { endpoint, keys } = made?.toJSON() ?? {};
  if (!endpoint || !keys) return;
  const body = JSON.stringify({ endpoint, keys: { p256dh: keys.p256dh, auth: keys.auth }, label: "Browser" });
  const headers = { "content-type": "application/json", "x-lamppost": "page" };
  await fetch("/api/v1/session/browsers", { method: "POST", headers, body, credentials: "same-origin" });
}

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
