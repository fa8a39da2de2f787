import type { SQLInputValue } from "node:sqlite";
import { RecordBadCursor } from "./database.ts";

/** Where a page ended: the sort key and the id that breaks ties. Opaque to clients, so it may change its form. */
type CursorPosition = { readonly key: number; readonly id: string };

export function formatCursor(place: CursorPosition): string {
  return Buffer.from(JSON.stringify([place.key, place.id])).toString("base64url");
}

/** Throws `RecordBadCursor` for anything `formatCursor` did not make. */
export function parseCursor(cursor: string): CursorPosition {
  const parts = parseJson(Buffer.from(cursor, "base64url").toString());
  if (Array.isArray(parts) && parts.length === 2) {
    const [key, id] = parts as unknown[];
    if (Number.isFinite(key) && typeof id === "string") return { key: key as number, id };
  }
  throw new RecordBadCursor("The cursor is not one of this service's; start again without it.");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * A page from `limit + 1` rows: the extra row only tells that there is a next page. Cursors name the last row shown, not
 * a count of rows, so a page does not shift while rows are added.
 */
export function toPage<T>(
  rows: T[],
  limit: number,
  placeOf: (row: T) => CursorPosition,
): { items: T[]; next?: string } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last !== undefined ? { items, next: formatCursor(placeOf(last)) } : { items };
}

/** SQLite reads a negative LIMIT as "all": a page has one row at least. */
export function pageSize(limit: number): number {
  return Math.max(1, Math.floor(limit));
}

/** One term of a WHERE clause with its values. */
export type Condition = { readonly sql: string; readonly values: readonly SQLInputValue[] };

/** No condition where nothing is asked. */
export function equal(column: string, value: string | undefined): Condition[] {
  return value === undefined ? [] : [{ sql: `${column} = ?`, values: [value] }];
}

/** One of a short, closed set. An empty set matches nothing: who may see no sensors sees none. */
export function oneOf(column: string, values: readonly string[] | undefined): Condition[] {
  if (values === undefined) return [];
  return [{ sql: `${column} IN (${values.map(() => "?").join(", ")})`, values }];
}

/** One of any number, handed over as one JSON text: SQLite limits the number of parameters. */
export function oneOfMany(column: string, values: readonly string[] | undefined): Condition[] {
  if (values === undefined) return [];
  return [{ sql: `${column} IN (SELECT value FROM json_each(?))`, values: [JSON.stringify(values)] }];
}

export function allOf(conditions: readonly Condition[]): Condition {
  if (conditions.length === 0) return { sql: "1", values: [] };
  return {
    sql: conditions.map((condition) => condition.sql).join(" AND "),
    values: conditions.flatMap((condition) => condition.values),
  };
}
