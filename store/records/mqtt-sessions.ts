import type { KeptSession, KeptSubscription } from "../../model/kept-session.ts";
import type { Database } from "./database.ts";

type Row = {
  name: string;
  client_id: string;
  subscriptions: string;
  cursor: number;
  expiry_s: number;
  ends_at: number | null;
};

const SAVE = `INSERT INTO mqtt_sessions (name, client_id, subscriptions, cursor, expiry_s) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (name, client_id) DO UPDATE SET subscriptions = excluded.subscriptions, expiry_s = excluded.expiry_s,
    ends_at = NULL
  RETURNING cursor`;

/** Sessions of MQTT clients that outlive their connections. */
export function createMqttSessionRecords(db: Database) {
  function list(): readonly KeptSession[] {
    const rows = db.statement("SELECT * FROM mqtt_sessions ORDER BY name, client_id").all() as Row[];
    return rows.map(({ name, client_id: clientId, subscriptions, cursor, expiry_s: expiryS, ends_at: endsAt }) => ({
      name,
      clientId,
      subscriptions: JSON.parse(subscriptions) as KeptSubscription[],
      cursor,
      expiryS,
      endsAt: endsAt ?? undefined,
    }));
  }

  /** Answers the cursor: of a new one `begin`. */
  function save(session: Omit<KeptSession, "cursor" | "endsAt">, begin: number): number {
    const { name, clientId, subscriptions, expiryS } = session;
    const given = [name, clientId, JSON.stringify(subscriptions), begin, expiryS] as const;
    return db.transaction(() => (db.statement(SAVE).get(...given) as { cursor: number }).cursor);
  }

  /** Lost in a power cut, messages come twice. */
  function progress({ name, clientId, cursor, endsAt }: Omit<KeptSession, "subscriptions" | "expiryS">): void {
    const update = "UPDATE mqtt_sessions SET cursor = ?, ends_at = ? WHERE name = ? AND client_id = ?";
    db.relaxed(() => void db.statement(update).run(cursor, endsAt ?? null, name, clientId));
  }

  function forget(name: string, clientId: string): void {
    const remove = "DELETE FROM mqtt_sessions WHERE name = ? AND client_id = ?";
    db.transaction(() => void db.statement(remove).run(name, clientId));
  }

  return { list, save, progress, forget };
}
