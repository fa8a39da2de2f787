import { computed, signal } from "@preact/signals";
import type { AlertActionAsk, AlertView, DeedView } from "../../contract/alert.ts";
import { ApiProblem } from "../api/client.ts";

export type QueuePorts = Omit<SendPorts, "beforeSending"> & {
  /** Whose presses are shown: who is signed in, or was when the list was kept. */
  user(): string | undefined;
  /** Asks the service who is signed in: another window may have changed it. Throws when it does not answer. */
  confirmUser(): Promise<string | undefined>;
  /** How an alert is now that was acted on, or that stood in the way. */
  onAlert(alert: AlertView): void;
  /** False where the browser knows that there is no connection: then what waits was never sent, and can be taken back. */
  isOnline(): boolean;
  /** Runs the work in one window of this browser at a time. */
  alone(work: () => Promise<void>): Promise<void>;
};

/** A press that is younger than this was made on what the screen showed a moment ago. */
const FRESH_MS = 10_000;
const isOld = ({ madeAt, tries }: Item) => tries > 0 || Math.abs(Date.now() - madeAt) > FRESH_MS;
const RETRY_FIRST_MS = 3_000;
const RETRY_MAX_MS = 60_000;

/** The presses of everyone who uses this browser; shows and sends those of the one who is signed in. */
export function createQueue(store: QueueStore, ports: QueuePorts) {
  const items = signal<readonly Item[]>([]);
  const mine = computed(() => items.value.filter(({ user }) => user === ports.user()));
  /** Those that wait, and those that came to nothing and want to be read. */
  const waiting = computed(() => mine.value.filter(({ refusal }) => refusal === undefined));
  const refused = computed(() => mine.value.filter(({ refusal }) => refusal !== undefined));
  let running: Promise<void> | undefined;
  let again = false;
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function reload(): Promise<void> {
    items.value = await store.all();
  }

  async function add(added: readonly NewItem[]): Promise<void> {
    for (const item of added) await store.add(item);
    await reload();
    void flush();
  }

  async function remove(key: number): Promise<void> {
    await store.remove(key);
    await reload();
  }

  /** Sends what waits, oldest first. Two calls at once are one. */
  function flush(): Promise<void> {
    if (running) {
      again = true;
      return running;
    }
    clearTimeout(timer);
    running = ports
      .alone(sendAll)
      .catch(() => {}) // the store failed: what waits is still there
      .then(() => {
        running = undefined;
        if (!again) return;
        again = false;
        return flush();
      });
    return running;
  }

  async function sendAll(): Promise<void> {
    const before = waiting.peek();
    await reload();
    if (!ports.isOnline()) return;
    await checkRemoved(before);
    if (waiting.peek().some(isOld) && !(await isConfirmed())) return;
    for (let item = waiting.peek()[0]; item !== undefined; item = waiting.peek()[0]) {
      if (!(await sendOne(item))) return;
      failures = 0;
    }
  }

  /** What waited and does not any more was sent by another window: this one shows how it is now. */
  async function checkRemoved(before: readonly Item[]): Promise<void> {
    const here = new Set(items.peek().map(({ key }) => key));
    for (const { alertId } of before.filter(({ key }) => !here.has(key))) {
      await ports.look(alertId).then(ports.onAlert, () => {});
    }
  }

  /** Nobody's presses go out under another one's name. */
  async function isConfirmed(): Promise<boolean> {
    try {
      return (await ports.confirmUser()) === ports.user();
    } catch {
      retryLater(undefined);
      return false;
    }
  }

  /** False: not now. */
  async function sendOne(item: Item): Promise<boolean> {
    const sent = await send(item, { ...ports, beforeSending }, isOld(item));
    if ("later" in sent) {
      await reload();
      retryLater(sent.later.retryAfterS);
      return false;
    }
    if ("refusal" in sent) await store.put({ ...item, tries: item.tries + 1, refusal: sent.refusal });
    else await store.remove(item.key);
    const alert = "done" in sent ? sent.done : sent.alert;
    if (alert) ports.onAlert(alert);
    await reload();
    return true;
  }

  const beforeSending = (item: Item) => store.put({ ...item, tries: item.tries + 1 });

  function retryLater(retryAfterS: number | undefined): void {
    const pauseMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** failures);
    failures += 1;
    clearTimeout(timer);
    timer = setTimeout(() => void flush(), retryAfterS === undefined ? pauseMs : retryAfterS * 1_000);
  }

  return {
    waiting,
    refused,
    load: reload,
    add,
    remove,
    flush,
    lasting: store.lasting,
    close: () => clearTimeout(timer),
  };
}

export type Queue = ReturnType<typeof createQueue>;

export type SendPorts = {
  /** GET and POST on the alert; throw `ApiProblem`. */
  look(alertId: string): Promise<AlertView>;
  act(alertId: string, action: Item["action"], body: AlertActionAsk): Promise<AlertView>;
  /** Its id. */
  upload(alertId: string, photo: Blob): Promise<string>;
  /** Writes down that it is about to be sent, before it is: a reload in between must know. */
  beforeSending(item: Item): Promise<void>;
};

export type Sent =
  | { readonly done: AlertView }
  | { readonly refusal: Refusal; readonly alert?: AlertView }
  /** No connection, too many requests, nobody signed in: another time. */
  | { readonly later: ApiProblem };

/**
 * Brings one press to the service, once: what may have arrived before, or has waited, is looked at first. Never throws.
 */
export async function send(item: Item, ports: SendPorts, waited: boolean): Promise<Sent> {
  try {
    if (item.tries > 0 || waited) {
      const alert = await ports.look(item.alertId);
      if (hasArrived(item, alert.timeline)) return { done: alert };
      if (item.action === "start" && alert.state !== "firing") return { refusal: ended(alert), alert };
    }
    // Before it counts as sent: what came of the photos alone is not the press, and the same photo is the same one.
    const photos: string[] = [];
    for (const photo of item.photos ?? []) photos.push(await ports.upload(item.alertId, photo));
    await ports.beforeSending(item);
    const { note, parts } = item;
    const body = { ...(note ? { note } : {}), ...(parts ? { parts } : {}), ...(photos.length > 0 ? { photos } : {}) };
    return { done: await ports.act(item.alertId, item.action, body) };
  } catch (error) {
    return refused(item, error, ports);
  }
}

async function refused(item: Item, error: unknown, ports: SendPorts): Promise<Sent> {
  const problem = error instanceof ApiProblem ? error : new ApiProblem(0, "");
  if (problem.status === 409) return conflict(item, problem, ports);
  const final = problem.status >= 400 && problem.status < 500 && ![401, 408, 425, 429].includes(problem.status);
  return final ? { refusal: { why: "refused", said: problem.message } } : { later: problem };
}

/** Who was first, and with what. The service's sentence serves where the alert cannot be looked at. */
async function conflict(item: Item, problem: ApiProblem, ports: SendPorts): Promise<Sent> {
  const alert = await ports.look(item.alertId).catch(() => undefined);
  if (alert && hasArrived(item, alert.timeline)) return { done: alert };
  const deed = alert && lastAction(alert.timeline);
  const refusal = { why: "conflict", said: problem.message, ...(deed ? { deed } : {}) } as const;
  return { refusal, ...(alert ? { alert } : {}) };
}

function ended({ resolvedAt }: AlertView): Refusal {
  return { why: "ended", ...(resolvedAt === undefined ? {} : { at: resolvedAt }) };
}

const ACTIONS = ["start", "close", "return", "comment"] as const;
export type Action = (typeof ACTIONS)[number];

/** Why something was not done, to be read by the one who pressed: it stays until they have. */
export type Refusal =
  /** Someone else was first: their last deed, where it is known. */
  | { readonly why: "conflict"; readonly deed?: DeedView; readonly said: string }
  /** The trouble ended by itself: nobody need go. */
  | { readonly why: "ended"; readonly at?: string }
  | { readonly why: "refused"; readonly said: string };

/** What someone says of it. */
export type Work = {
  readonly note?: string;
  readonly parts?: string;
  /** Small ones, see `photo.ts`. */
  readonly photos?: readonly Blob[];
};

/** Of all photos that wait on this device. */
export const PHOTO_BYTES_MAX = 24 * 1024 * 1024;

/** One press of a button, until the service has taken it. */
export type Item = Work & {
  /** Given by the store, in the order of pressing. */
  readonly key: number;
  /** Only sent while this person is signed in. */
  readonly user: string;
  readonly alertId: string;
  readonly action: Action;
  /** What and where, so that it can be told when the list knows it no more. */
  readonly title: string;
  readonly place: string;
  readonly madeAt: number;
  /** How many deeds of this kind the alert had from this person when they pressed: one more, and it has arrived. */
  readonly before: number;
  /** How often it was sent; after the first time nobody knows whether it arrived until the alert is looked at. */
  readonly tries: number;
  readonly refusal?: Refusal;
};

export type NewItem = Omit<Item, "key" | "tries" | "refusal">;

const DEED: Readonly<Record<Action, string>> = {
  start: "started",
  close: "closed",
  return: "returned",
  comment: "commented",
};

/** Counted rather than compared by time: the clocks of the phone and of the service may differ. */
export function actionsBy(deeds: readonly DeedView[], user: string, action: Action): DeedView[] {
  return deeds.filter(({ what, by }) => what === DEED[action] && by === user);
}

/** Whether the press has arrived: there is a deed more than before, and it says the same. */
function hasArrived({ user, action, note, before }: Item, deeds: readonly DeedView[]): boolean {
  return actionsBy(deeds, user, action)
    .slice(before)
    .some((deed) => action === "start" || deed.note === note);
}

/** What someone did last that stands in the way. */
function lastAction(deeds: readonly DeedView[]): DeedView | undefined {
  return deeds.findLast(
    ({ what, by }) => by !== undefined && /^(closed|started|assigned|acknowledged|returned|reopened)$/.test(what),
  );
}

/** Presses that wait, through reloads and restarts of the phone. */
type QueueStore = {
  all(): Promise<readonly Item[]>;
  add(item: NewItem): Promise<void>;
  put(item: Item): Promise<void>;
  remove(key: number): Promise<void>;
  /** False where the browser keeps nothing: then a reload loses what waits, and the page says so. */
  readonly lasting: boolean;
};

const STORE = "actions";

/** IndexedDB, or memory where there is none (some private windows). */
export async function openQueueStore(name = "crew-queue"): Promise<QueueStore> {
  try {
    return lastingStore(await open(name));
  } catch {
    return memoryStore();
  }
}

function open(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () =>
      void request.result.createObjectStore(STORE, { keyPath: "key", autoIncrement: true });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
  });
}

function lastingStore(db: IDBDatabase): QueueStore {
  /** Resolves when it is written down, not when it was asked for. */
  function run<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const transaction = db.transaction(STORE, mode, { durability: "strict" });
      const request = work(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
      transaction.onerror = () => reject(transaction.error);
    });
  }
  return {
    lasting: true,
    all: () => run<Item[]>("readonly", (store) => store.getAll()),
    add: async (item) => void (await run("readwrite", (store) => store.add({ ...item, tries: 0 }))),
    put: async (item) => void (await run("readwrite", (store) => store.put(item))),
    remove: async (key) => void (await run("readwrite", (store) => store.delete(key))),
  };
}

export function memoryStore(): QueueStore {
  const items = new Map<number, Item>();
  let next = 1;
  return {
    lasting: false,
    all: async () => [...items.values()],
    add: async (item) => {
      items.set(next, { ...item, key: next, tries: 0 });
      next += 1;
    },
    put: async (item) => void items.set(item.key, item),
    remove: async (key) => void items.delete(key),
  };
}
