import type { TimelineEntry } from "../../model/alert.ts";
import type { Database } from "./database.ts";

type Row = { alert: string; at: number; known_at: number; what: string; by_whom: string | null; note: string | null };
type OwnRow = Row & { engine: number };

const ADD = "INSERT INTO timeline (alert, at, known_at, what, by_whom, note, engine) VALUES (?, ?, ?, ?, ?, ?, ?)";
const OF = `SELECT alert, at, known_at, what, by_whom, note FROM timeline
  WHERE alert IN (SELECT value FROM json_each(?)) ORDER BY alert, id`;
const OF_ONE = "SELECT alert, at, known_at, what, by_whom, note, engine FROM timeline WHERE alert = ? ORDER BY id";

/** What happened to alerts and what people did about them, entry by entry; nothing is ever changed or removed. */
export function createTimeline(db: Database) {
  /** All entries of one alert, and whether the engine has said this before. */
  function before(alert: string, { what, at }: TimelineEntry): { entries: TimelineEntry[]; isSaid: boolean } {
    const rows = db.statement(OF_ONE).all(alert) as OwnRow[];
    const isSaid = rows.some((row) => row.engine === 1 && row.what === what && row.at === at);
    return { entries: rows.map(entryOf), isSaid };
  }

  function add(alert: string, entry: TimelineEntry, from: "engine" | "people"): void {
    const { at, knownAt, what, by, note } = entry;
    db.statement(ADD).run(alert, at, knownAt, what, by ?? null, note ?? null, from === "engine" ? 1 : 0);
  }

  /** In the order in which it was written down: a clock may be set back. */
  function of(alerts: readonly string[]): ReadonlyMap<string, TimelineEntry[]> {
    const entries = new Map(alerts.map((alert) => [alert, [] as TimelineEntry[]]));
    const rows =
      alerts.length === 1 ? db.statement(OF_ONE).all(alerts[0]!) : db.statement(OF).all(JSON.stringify(alerts));
    for (const row of rows as Row[]) entries.get(row.alert)?.push(entryOf(row));
    return entries;
  }

  return { before, add, of };
}

function entryOf({ at, known_at: knownAt, what, by_whom, note }: Row): TimelineEntry {
  return { at, knownAt, what, by: by_whom ?? undefined, note: note ?? undefined };
}
