import type { EpochTimes } from "../../contract/common.ts";
import type { SavedView as Shown } from "../../contract/views.ts";
import type { Database } from "./database.ts";

export type SavedView = EpochTimes<Shown, "createdAt">;

type Row = { id: number; page: SavedView["page"]; name: string; query: string; created_at: number };

/** What people keep for themselves: filters under a name, and sensors they follow. Removing an account removes its rows. */
export function createViewRecords(db: Database) {
  const run = (sql: string, ...values: (string | number)[]) =>
    db.transaction(() => Number(db.statement(sql).run(...values).changes));

  return {
    list(account: string): SavedView[] {
      const rows = db.statement("SELECT * FROM saved_views WHERE account = ? ORDER BY page, name").all(account);
      return (rows as Row[]).map(({ id, page, name, query, created_at }) => ({
        id,
        page,
        name,
        query,
        createdAt: created_at,
      }));
    },
    /** One of this name on this page is replaced. */
    save(account: string, { page, name, query, createdAt }: Omit<SavedView, "id">): number {
      return db.transaction(() => {
        db.statement("DELETE FROM saved_views WHERE account = ? AND page = ? AND name = ?").run(account, page, name);
        const insert = db.statement(
          "INSERT INTO saved_views (account, page, name, query, created_at) VALUES (?, ?, ?, ?, ?)",
        );
        return Number(insert.run(account, page, name, query, createdAt).lastInsertRowid);
      });
    },
    /** False if this account has none of this id. */
    remove: (account: string, id: number) =>
      run("DELETE FROM saved_views WHERE account = ? AND id = ?", account, id) > 0,
    favourites: (account: string): string[] =>
      (
        db.statement("SELECT sensor FROM favourites WHERE account = ? ORDER BY sensor").all(account) as {
          sensor: string;
        }[]
      ).map(({ sensor }) => sensor),
    follow: (account: string, sensor: string) =>
      void run("INSERT OR IGNORE INTO favourites (account, sensor) VALUES (?, ?)", account, sensor),
    unfollow: (account: string, sensor: string) =>
      void run("DELETE FROM favourites WHERE account = ? AND sensor = ?", account, sensor),
  };
}
