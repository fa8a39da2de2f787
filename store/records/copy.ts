import { closeSync, openSync } from "node:fs";
import { backup, DatabaseSync } from "node:sqlite";

/** All pages in one step: between two steps a commit would begin the copy again. */
const PAGES_PER_STEP = 0x7fff_ffff;

/**
 * Copies the records to a new file (0600) as of one moment, off this thread, while they are written. On a connection of
 * its own: the service's is not kept waiting. Answers the schema's version, and how far each consumer was at that moment.
 */
export async function copyRecords(
  source: string,
  target: string,
): Promise<{ readonly schema: number; readonly offsets: ReadonlyMap<string, number> }> {
  closeSync(openSync(target, "wx", 0o600));
  const db = new DatabaseSync(source, { readOnly: true, timeout: 5_000 });
  try {
    await backup(db, target, { rate: PAGES_PER_STEP });
  } finally {
    db.close();
  }
  const copy = new DatabaseSync(target);
  try {
    // One file that needs no log beside it.
    copy.exec("PRAGMA journal_mode = DELETE");
    const schema = Number(Object.values(copy.prepare("PRAGMA user_version").get() ?? {})[0]);
    const rows = copy.prepare("SELECT consumer, position FROM offsets").all() as {
      consumer: string;
      position: number;
    }[];
    return { schema, offsets: new Map(rows.map(({ consumer, position }) => [consumer, position])) };
  } finally {
    copy.close();
  }
}
