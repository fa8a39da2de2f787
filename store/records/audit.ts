import { createHash } from "node:crypto";
import type { AuditEntryView } from "../../contract/account.ts";
import type { EpochTimes } from "../../contract/common.ts";
import type { Database } from "./database.ts";
import { allOf, type Condition, equal, formatCursor, pageSize, parseCursor, toPage } from "./query.ts";

type AuditEntry = EpochTimes<AuditEntryView, "at">;
type NewEntry = Omit<AuditEntry, "id" | "hash">;
type Row = {
  id: number;
  at: number;
  by_whom: string;
  what: string;
  target: string;
  detail: string | null;
  hash: string;
};

/** What the first entry is chained to. */
const GENESIS = "0".repeat(64);
const VERIFY_ROWS = 1_000;
/** Some 20 ms. */
const LOOKED_AT_MAX = 20_000;

export type AuditFilter = {
  readonly by?: string | undefined;
  /** `user.add`, or with a dot at its end all of a kind: `user.` */
  readonly what?: string | undefined;
  readonly target?: string | undefined;
  /** Somewhere in any of it, whatever the case. */
  readonly text?: string | undefined;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
};

function conditionsOf({ by, what, target, text, from, to }: AuditFilter): Condition[] {
  const anywhere = "instr(lower(by_whom || ' ' || what || ' ' || target || ' ' || coalesce(detail, '')), ?) > 0";
  return [
    ...equal("by_whom", by),
    ...(what?.endsWith(".") ? [{ sql: "substr(what, 1, ?) = ?", values: [what.length, what] }] : equal("what", what)),
    ...equal("target", target),
    ...(text === undefined ? [] : [{ sql: anywhere, values: [text.toLowerCase()] }]),
    ...(from === undefined ? [] : [{ sql: "at >= ?", values: [from] }]),
    ...(to === undefined ? [] : [{ sql: "at < ?", values: [to] }]),
  ];
}

/**
 * Who did what. Every entry carries SHA-256 over the hash before it and itself, ids without gaps included, so a changed,
 * removed or slipped-in line shows. Who can rewrite the whole file can rewrite the chain, too: an export kept elsewhere
 * is the proof against that.
 */
export function createAuditRecords(db: Database) {
  function lastId(): number {
    const row = db.statement("SELECT seq FROM sqlite_sequence WHERE name = 'audit'").get();
    return (row as { seq: number } | undefined)?.seq ?? 0;
  }

  function add(entry: NewEntry): void {
    db.transaction(() => {
      const last = db.statement("SELECT hash FROM audit ORDER BY id DESC LIMIT 1").get() as
        | { hash: string }
        | undefined;
      const row = { ...toRow(entry), id: lastId() + 1 };
      const hash = chain(last?.hash ?? GENESIS, row);
      db.statement("INSERT INTO audit (id, at, by_whom, what, target, detail, hash) VALUES (?, ?, ?, ?, ?, ?, ?)").run(
        ...[row.id, row.at, row.by_whom, row.what, row.target, row.detail, hash],
      );
    });
  }

  /**
   * Newest first. With a filter so many rows at most are looked at: a page may have less than there is room for, and
   * `next` goes on from there.
   */
  function list(limit: number, cursor?: string, filter: AuditFilter = {}): { items: AuditEntry[]; next?: string } {
    const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : parseCursor(cursor).key;
    const size = pageSize(limit);
    const { sql, values } = allOf(conditionsOf(filter));
    if (values.length === 0) {
      const rows = db.statement("SELECT * FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?").all(before, size + 1);
      return toPage((rows as Row[]).map(fromRow), size, ({ id }) => ({ key: id, id: "" }));
    }
    const from = Math.min(before, lastId() + 1) - LOOKED_AT_MAX;
    const found = db.statement(`SELECT * FROM audit WHERE id < ? AND id >= ? AND ${sql} ORDER BY id DESC LIMIT ?`);
    const rows = (found.all(before, from, ...values, size + 1) as Row[]).map(fromRow);
    const page = toPage(rows, size, ({ id }) => ({ key: id, id: "" }));
    return page.next !== undefined || from <= 1 ? page : { ...page, next: formatCursor({ key: from, id: "" }) };
  }

  /** The first entry whose hash does not fit, if any. */
  function verify(): { entries: number; brokenAt?: number } {
    const page = db.statement("SELECT * FROM audit WHERE id > ? ORDER BY id LIMIT ?");
    let entries = 0;
    let hash = GENESIS;
    for (let rows = page.all(0, VERIFY_ROWS) as Row[]; rows.length > 0; ) {
      for (const row of rows) {
        hash = chain(hash, row);
        entries += 1;
        if (row.id !== entries || row.hash !== hash) return { entries: count(), brokenAt: row.id };
      }
      rows = page.all(entries, VERIFY_ROWS) as Row[];
    }
    // Entries cut off at the end leave the chain whole, but not the number of the last one that was given out.
    return entries === lastId() ? { entries } : { entries, brokenAt: entries + 1 };
  }

  function count(): number {
    return (db.statement("SELECT count(*) AS n FROM audit").get() as { n: number }).n;
  }

  return { add, list, verify };
}

function chain(before: string, row: Omit<Row, "hash">): string {
  const entry = JSON.stringify([row.id, row.at, row.by_whom, row.what, row.target, row.detail]);
  return createHash("sha256").update(before).update(entry).digest("hex");
}

function toRow(entry: NewEntry): Omit<Row, "id" | "hash"> {
  // UTF-8 has no lone surrogates: the text is hashed as it will be read back.
  return {
    at: entry.at,
    by_whom: entry.by.toWellFormed(),
    what: entry.what.toWellFormed(),
    target: entry.target.toWellFormed(),
    detail: entry.detail?.toWellFormed() ?? null,
  };
}

function fromRow({ by_whom: by, detail, ...row }: Row): AuditEntry {
  return { ...row, by, detail: detail ?? undefined };
}
