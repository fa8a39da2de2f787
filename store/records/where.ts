import type { SQLInputValue } from "node:sqlite";

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
