import { invalid } from "./problems.ts";

/** Pages of a list in RAM in ascending order of `keyOf`; the cursor is the last key shown. */
export function pageByKey<T>(rows: readonly T[], keyOf: (row: T) => string, limit: number, cursor?: string) {
  const after = cursor === undefined ? undefined : decodeCursor(cursor);
  const sorted = [...rows].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const rest = after === undefined ? sorted : sorted.filter((row) => keyOf(row) > after);
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  return rest.length > limit && last !== undefined ? { items, next: encodeCursor(keyOf(last)) } : { items };
}

export function encodeCursor(text: string): string {
  return Buffer.from(text).toString("base64url");
}

/** Throws a problem for what cannot be a cursor of ours. */
export function decodeCursor(cursor: string): string {
  const text = Buffer.from(cursor, "base64url").toString("utf8");
  if (text === "" || encodeCursor(text) !== cursor) throw invalid("#/query/cursor", "This is not a cursor of ours.");
  return text;
}
