import type { Database } from "./database.ts";

type InStep<T> = {
  get(key: string): T | undefined;
  all(): T[];
  /** In ascending order of their keys, from after this one on. What changed since the last call is put in its place then. */
  inOrder(after?: string): Iterable<T>;
  /** How many, without a look at them. */
  count(): number;
  /** `set` and `delete` belong inside the transaction that writes the row: a rollback takes them back. */
  set(value: T): void;
  delete(key: string): void;
};

/** A table held in RAM, because it is asked for every message, that follows its rows through commits and rollbacks. */
export function loadInStep<T>(
  db: Pick<Database, "onRollback">,
  values: readonly T[],
  keyOf: (value: T) => string,
): InStep<T> {
  const map = new Map(values.map((value) => [keyOf(value), value]));
  /** Keys in order, as of the last time they were asked for; what came since is in `added`, what went only left the map. */
  let order: string[] | undefined;
  let added: string[] = [];

  function put(key: string, value: T | undefined): void {
    if (value === undefined) map.delete(key);
    else {
      if (order && !map.has(key)) added.push(key);
      map.set(key, value);
    }
  }

  function keysInOrder(): readonly string[] {
    order ??= [...map.keys()].sort();
    // With half of them gone, too: or more and more would be passed over.
    if (added.length > 0 || order.length > 2 * map.size) {
      order = mergeKeys(order, added.sort()).filter((key) => map.has(key));
      added = [];
    }
    return order;
  }

  function* inOrder(after?: string): Iterable<T> {
    const keys = keysInOrder();
    for (let i = after === undefined ? 0 : firstAfter(keys, after); i < keys.length; i += 1) {
      const value = map.get(keys[i]!);
      if (value !== undefined) yield value;
    }
  }

  function change(key: string, value: T | undefined): void {
    const old = map.get(key);
    db.onRollback(() => put(key, old));
    put(key, value);
  }

  return {
    get: (key) => map.get(key),
    all: () => [...map.values()],
    inOrder,
    count: () => map.size,
    set: (value) => change(keyOf(value), value),
    delete: (key) => change(key, undefined),
  };
}

/** Two ascending lists as one, without doubles. */
function mergeKeys(a: readonly string[], b: readonly string[]): string[] {
  const merged: string[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const fromA = j >= b.length || (i < a.length && a[i]! <= b[j]!);
    const key = fromA ? a[i++]! : b[j++]!;
    if (merged.at(-1) !== key) merged.push(key);
  }
  return merged;
}

function firstAfter(keys: readonly string[], after: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle]! <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}
