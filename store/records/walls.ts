import type { EpochTimes } from "../../contract/common.ts";
import type { WallDisplayView } from "../../contract/wall.ts";
import type { Database } from "./database.ts";
import { loadInStep } from "./in-step.ts";

/** With the SHA-256 (hex) of its token. */
export type WallDisplay = Omit<EpochTimes<WallDisplayView, "createdAt" | "usedAt">, "open"> & {
  readonly secretHash: string;
};

type Row = {
  id: string;
  secret_hash: string;
  name: string;
  districts: string;
  created_at: number;
  created_by: string;
  used_at: number | null;
};

/** A use is written down at most so often. */
const USED_EVERY_MS = 10 * 60_000;

/** Displays on walls, each with a token that opens nothing else. From RAM. */
export function createWallRecords(db: Database) {
  const rows = (db.statement("SELECT * FROM wall_displays").all() as Row[]).map(fromRow);
  const displays = loadInStep(db, rows, ({ secretHash }) => secretHash);
  const find = (id: string) => displays.all().find((one) => one.id === id);

  return {
    list: (): WallDisplay[] => displays.all().sort((a, b) => (a.id < b.id ? -1 : 1)),
    get: find,
    bySecretHash: displays.get,
    add(display: WallDisplay): void {
      const { id, secretHash, name, districts, createdAt, createdBy } = display;
      db.transaction(() => {
        db.statement(
          "INSERT INTO wall_displays (id, secret_hash, name, districts, created_at, created_by) VALUES (?, ?, ?, ?, ?, ?)",
        ).run(id, secretHash, name, JSON.stringify(districts), createdAt, createdBy);
        displays.set(display);
      });
    },
    /** False if there is none. */
    remove(id: string): boolean {
      const display = find(id);
      if (!display) return false;
      db.transaction(() => {
        db.statement("DELETE FROM wall_displays WHERE id = ?").run(id);
        displays.delete(display.secretHash);
      });
      return true;
    },
    use(display: WallDisplay, at: number): void {
      if (display.usedAt !== undefined && Math.abs(at - display.usedAt) < USED_EVERY_MS) return;
      db.transaction(() => {
        db.statement("UPDATE wall_displays SET used_at = ? WHERE id = ?").run(at, display.id);
        displays.set({ ...display, usedAt: at });
      });
    },
  };
}

function fromRow({ id, secret_hash: secretHash, name, districts, created_at, created_by, used_at }: Row): WallDisplay {
  return {
    id,
    secretHash,
    name,
    districts: JSON.parse(districts) as string[],
    createdAt: created_at,
    createdBy: created_by,
    ...(used_at === null ? {} : { usedAt: used_at }),
  };
}
