import type { Audience, Handling, Severity } from "../../model/alert.ts";
import type { AlertFilter } from "../records.ts";
import { parseCursor } from "./cursor.ts";
import type { Database } from "./database.ts";
import { allOf, type Condition, equal, oneOf, oneOfMany } from "./where.ts";

export type AlertRow = {
  id: string;
  handling: Handling;
  assignee: string | null;
  suppressed_by: string | null;
  review: string | null;
  body: string;
};

const OPEN = "state IN ('pending', 'firing')";
const LIVE = "mode = 'live'";

/** Newest start first. The inner query decides by an index alone; only the rows of the page are read. */
export function listAlertRows(db: Database, filter: AlertFilter, limit: number, cursor?: string): AlertRow[] {
  const { sql, values } = allOf([...conditions(filter), ...before(cursor)]);
  const rows = db.statement(
    `SELECT id, handling, assignee, suppressed_by, review, body FROM alerts WHERE rowid IN
       (SELECT rowid FROM alerts INDEXED BY ${indexFor(filter)} WHERE ${sql} ORDER BY started_at DESC, id DESC LIMIT ?)
     ORDER BY started_at DESC, id DESC`,
  );
  return rows.all(...values, limit) as AlertRow[];
}

const TOUCHED = `SELECT id, handling, assignee, suppressed_by, review, body FROM alerts
  WHERE ${LIVE} AND state <> 'pending' AND (id IN (SELECT alert FROM timeline WHERE known_at >= ? AND known_at < ?)
    OR (state = 'firing' AND started_at < ?))
  ORDER BY started_at, id LIMIT ?`;

/** What happened in a time range: alerts with an entry in it, and those that have been firing since before its end. */
export function listTouched(db: Database, { from, to }: { from: number; to: number }, limit: number): AlertRow[] {
  return db.statement(TOUCHED).all(from, to, to, limit) as AlertRow[];
}

/** How many alerts each rule raised; pending ones are left out unless asked for, as in lists. */
export function countAlertsByRule(
  db: Database,
  filter: AlertFilter & { sensors?: readonly string[] },
): Readonly<Record<string, number>> {
  const { sql, values } = allOf([...conditions(filter), ...oneOfMany("sensor", filter.sensors)]);
  const index = filter.sensors ? "alerts_sensor" : indexFor(filter);
  const rows = db.statement(
    `SELECT rule, count(*) AS n FROM alerts INDEXED BY ${index} WHERE ${sql} GROUP BY rule ORDER BY rule`,
  );
  return Object.fromEntries((rows.all(...values) as { rule: string; n: number }[]).map(({ rule, n }) => [rule, n]));
}

export function countOpenAlerts(db: Database): { severity: Severity; audience: Audience; count: number }[] {
  const rows = db.statement(
    `SELECT severity, audience, count(*) AS count FROM alerts WHERE ${OPEN} AND ${LIVE} GROUP BY severity, audience`,
  );
  return (rows.all() as { severity: Severity; audience: Audience; count: number }[]).map((row) => ({ ...row }));
}

/**
 * Named here because SQLite without statistics guesses: it would rather look up a common state and sort all of its
 * alerts than walk the newest ones.
 */
function indexFor(filter: AlertFilter): string {
  if (filter.sensor !== undefined) return "alerts_sensor";
  if (filter.rule !== undefined) return "alerts_rule";
  if (filter.suppressed) return "alerts_suppressed";
  const states = filter.state ?? [];
  const open = states.length > 0 && states.every((state) => state === "pending" || state === "firing");
  return open ? "alerts_open" : "alerts_list";
}

function conditions(filter: AlertFilter): Condition[] {
  const { state, handling, severity, audience, district, kind, rule, sensor, suppressed, mode = "live" } = filter;
  return [
    ...(state === undefined ? [{ sql: "state <> 'pending'", values: [] }] : oneOf("state", state)),
    ...(indexFor(filter) === "alerts_open" ? [{ sql: OPEN, values: [] }] : []),
    ...oneOf("handling", handling),
    ...oneOf("severity", severity),
    ...equal("audience", audience),
    ...equal("district", district),
    ...equal("kind", kind),
    ...equal("rule", rule),
    ...equal("sensor", sensor),
    ...equal("mode", mode),
    ...(suppressed === undefined ? [] : [{ sql: `suppressed_by IS ${suppressed ? "NOT NULL" : "NULL"}`, values: [] }]),
  ];
}

function before(cursor: string | undefined): Condition[] {
  if (cursor === undefined) return [];
  const { key, id } = parseCursor(cursor);
  return [{ sql: "(started_at, id) < (?, ?)", values: [key, id] }];
}
