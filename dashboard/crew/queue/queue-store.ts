import type { Item, NewItem } from "./item.ts";

/** Presses that wait, through reloads and restarts of the phone. */
export type QueueStore = {
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
