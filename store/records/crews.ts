import type { Crew } from "../../model/people.ts";
import type { Database } from "./database.ts";

/** Who works together: names of users, and where and with what. */
export function createCrewRecords(db: Database) {
  function list(): Crew[] {
    const rows = db.statement("SELECT body FROM crews ORDER BY id").all() as { body: string }[];
    return rows.map(({ body }) => JSON.parse(body) as Crew);
  }

  function save(crew: Crew): void {
    db.statement("INSERT INTO crews (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body").run(
      crew.id,
      JSON.stringify(crew),
    );
  }

  return {
    list,
    save,
    get(id: string): Crew | undefined {
      const row = db.statement("SELECT body FROM crews WHERE id = ?").get(id) as { body: string } | undefined;
      return row && (JSON.parse(row.body) as Crew);
    },
    /** False if there is none. */
    remove: (id: string): boolean => db.statement("DELETE FROM crews WHERE id = ?").run(id).changes > 0,
    /** The ids of the crews that someone belongs to. */
    of: (member: string): string[] =>
      list()
        .filter(({ members }) => members.includes(member))
        .map(({ id }) => id),
    /** A user is gone. */
    leave(member: string): void {
      for (const crew of list().filter(({ members }) => members.includes(member)))
        save({ ...crew, members: crew.members.filter((one) => one !== member) });
    },
  };
}
