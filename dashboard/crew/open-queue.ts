import { computed, signal } from "@preact/signals";
import type { AlertView } from "../api/alerts.ts";
import { request } from "../api/client.ts";
import { loadSession, session, type User, user } from "../shell/session.ts";
import { createQueue, type Queue } from "./queue/queue.ts";
import { openQueueStore } from "./queue/queue-store.ts";

const PATIENCE_MS = 15_000;
const LOCK = "crew-queue";

/** For whom the list on this device was kept. */
export const keptUser = signal<User | undefined>(undefined);
/** Who is signed in; while the service cannot be asked, who was. */
export const me = computed(() => (session.value ? user.value : keptUser.value));

const listeners = new Set<(alert: AlertView) => void>();
/** Hears how an alert is after the queue has acted on it; returns how to stop. */
export function onActed(listener: (alert: AlertView) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** The one queue of this window. Once opened it goes on when the crews' list is left: what waits is sent from any page. */
export const openQueue = once(async (): Promise<Queue> => {
  const queue = createQueue(await openQueueStore(), {
    user: () => me.value?.name,
    async confirmUser() {
      await loadSession(AbortSignal.timeout(PATIENCE_MS));
      return user.peek()?.name;
    },
    isOnline: () => navigator.onLine,
    look: (id) => request<AlertView>("GET", pathOf(id), undefined, AbortSignal.timeout(PATIENCE_MS)),
    act: (id, action, body) =>
      request<AlertView>("POST", `${pathOf(id)}/${action}`, body, AbortSignal.timeout(PATIENCE_MS)),
    onAlert: (alert) => listeners.forEach((listener) => void listener(alert)),
    // Without https (localhost aside) there are no locks; then the service's own answers keep things from being done twice.
    alone: (work) => (navigator.locks ? navigator.locks.request(LOCK, work) : work()),
  });
  await queue.load().catch(() => {});
  addEventListener("online", () => void queue.flush());
  return queue;
});

const pathOf = (id: string) => `/alerts/${encodeURIComponent(id)}`;

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
