import type { Database } from "./database.ts";

export type InStep<T> = {
  get(key: string): T | undefined;
  all(): T[];
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

  function put(key: string, value: T | undefined): void {
    if (value === undefined) map.delete(key);
    else map.set(key, value);
  }

  function change(key: string, value: T | undefined): void {
    const old = map.get(key);
    db.onRollback(() => put(key, old));
    put(key, value);
  }

  return {
    get: (key) => map.get(key),
    all: () => [...map.values()],
    count: () => map.size,
    set: (value) => change(keyOf(value), value),
    delete: (key) => change(key, undefined),
  };
}
