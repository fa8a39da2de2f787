import type { TimelineEntry } from "../../model/alert.ts";
import type { Database } from "./database.ts";

type Row = { alert: string; at: number; known_at: number; what: string; by_whom: string | null; note: string | null };

const ADD = "INSERT INTO timeline (alert, at, known_at, what, by_whom, note, engine) VALUES (?, ?, ?, ?, ?, ?, ?)";
const OF = `SELECT alert, at, known_at, what, by_whom, note FROM timeline
  WHERE alert IN (SELECT value FROM json_each(?)) ORDER BY alert, id`;

/** What happened to alerts and what people did about them, entry by entry; nothing is ever changed or removed. */
export function createTimeline(db: Database) {
  /** Whether the engine has said this before. */
  function said(alert: string, { what, at }: TimelineEntry): boolean {
    const sql = "SELECT 1 FROM timeline WHERE alert = ? AND what = ? AND at = ? AND engine = 1";
    return db.statement(sql).get(alert, what, at) !== undefined;
  }

  function add(alert: string, entry: TimelineEntry, from: "engine" | "people"): void {
    const { at, knownAt, what, by, note } = entry;
    db.statement(ADD).run(alert, at, knownAt, what, by ?? null, note ?? null, from === "engine" ? 1 : 0);
  }

  /** In the order in which it was written down: a clock may be set back. */
  function of(alerts: readonly string[]): ReadonlyMap<string, TimelineEntry[]> {
    const entries = new Map(alerts.map((alert) => [alert, [] as TimelineEntry[]]));
    for (const row of db.statement(OF).all(JSON.stringify(alerts)) as Row[]) {
      const { at, known_at: knownAt, what, by_whom, note } = row;
      entries.get(row.alert)?.push({ at, knownAt, what, by: by_whom ?? undefined, note: note ?? undefined });
    }
    return entries;
  }

  return { said, add, of };
}
