import { invalid, type ProblemError } from "./problems.ts";

/** Pages of a list in RAM in ascending order of `keyOf`, whatever order it is in; the cursor is the last key shown. */
export function pageByKey<T>(rows: readonly T[], keyOf: (row: T) => string, limit: number, cursor?: string) {
  return pageInOrder((after) => smallest(rows, keyOf, limit + 1, after), keyOf, limit, cursor);
}

/** The same for rows that come in that order; no more are taken than the page shows, and one. */
export function pageInOrder<T>(
  rowsAfter: (key: string | undefined) => Iterable<T>,
  keyOf: (row: T) => string,
  limit: number,
  cursor?: string,
) {
  const items: T[] = [];
  for (const row of rowsAfter(cursor === undefined ? undefined : decodeCursor(cursor))) {
    if (items.length === limit) return { items, next: encodeCursor(keyOf(items.at(-1)!)) };
    items.push(row);
  }
  return { items };
}

/** The first `count` after a key, in order: a page of many rows does not sort them all. */
function smallest<T>(rows: readonly T[], keyOf: (row: T) => string, count: number, after: string | undefined): T[] {
  let found: { key: string; row: T }[] = [];
  let most: string | undefined;
  const cut = () => {
    found = found.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).slice(0, count);
    if (found.length === count) most = found.at(-1)!.key;
  };
  for (const row of rows) {
    const key = keyOf(row);
    if ((after !== undefined && key <= after) || (most !== undefined && key >= most)) continue;
    found.push({ key, row });
    if (found.length >= 2 * count) cut();
  }
  cut();
  return found.map(({ row }) => row);
}

export function encodeCursor(text: string): string {
  return Buffer.from(text).toString("base64url");
}

export const badCursor = (): ProblemError =>
  invalid(
    "#/query/cursor",
    "The cursor is not valid: send `next` of the last page as it is, or start again without a cursor.",
  );

/** Throws a problem for what no page has answered with. */
export function decodeCursor(cursor: string): string {
  const text = Buffer.from(cursor, "base64url").toString("utf8");
  if (text === "" || encodeCursor(text) !== cursor) throw badCursor();
  return text;
}
