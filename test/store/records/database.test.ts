import { closeSync, mkdtempSync, openSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SILENT } from "../../../model/log.ts";
import { type Database, openDatabase, RecordsDamaged, RecordsOfOtherVersion } from "../../../store/records/database.ts";
import { VERSION, VERSION_MIN } from "../../../store/records/migrations.ts";
import { createSensorRecords } from "../../../store/records/sensors.ts";
import { openRecords } from "../../../store/records.ts";
import { aSensor, NOW } from "./setup.ts";

const PAGE_BYTES = 4096;
let dir: string;
let path: string;
const opened: Database[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lamppost-database-"));
  path = join(dir, "records.db");
});
afterEach(() => {
  for (const db of opened.splice(0)) db.close();
  rmSync(dir, { recursive: true });
});
const open = () => opened[opened.push(openDatabase(path, SILENT)) - 1]!;
const pragma = (db: Database, name: string) => Object.values(db.statement(`PRAGMA ${name}`).get()!)[0];

/** Not through `openDatabase`, to see the file as it is. */
function raw<T>(work: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(path);
  try {
    return work(db);
  } finally {
    db.close();
  }
}

describe("opening the records", () => {
  it("makes the file from nothing, with the newest schema, for its owner only", () => {
    const db = open();
    expect(pragma(db, "user_version")).toBe(VERSION);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    db.statement("INSERT INTO offsets VALUES ('store', 1)").run();
    expect(statSync(`${path}-wal`).mode & 0o777).toBe(0o600);
  });

  it("makes every commit durable and keeps references true", () => {
    const db = open();
    const settings = ["journal_mode", "synchronous", "foreign_keys", "busy_timeout", "temp_store"];
    expect(settings.map((name) => pragma(db, name))).toEqual(["wal", 2, 1, 5_000, 2]);
  });

  it("starts from an empty file and runs no step twice", () => {
    writeFileSync(path, "");
    open().close();
    const schema = () => raw((db) => db.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").all());
    const before = schema();
    expect(before.length).toBeGreaterThan(10);
    open().close();
    expect(schema()).toEqual(before);
  });

  it("refuses a newer file, naming both versions, and leaves it as it is", () => {
    raw((db) => db.exec("PRAGMA user_version = 99; CREATE TABLE future (x)"));
    expect(open).toThrow(RecordsOfOtherVersion);
    expect(open).toThrow(new RegExp(`version 99.* up to ${VERSION}`));
    expect(raw((db) => db.prepare("PRAGMA journal_mode").get())).toEqual({ journal_mode: "delete" });
  });

  it("refuses a file from before the first supported version", () => {
    raw((db) => db.exec(`PRAGMA user_version = ${VERSION_MIN - 1}; CREATE TABLE past (x)`));
    expect(open).toThrow(new RegExp(`version ${VERSION_MIN - 1}, .* from ${VERSION_MIN} on`));
  });

  it("refuses what is not a database", () => {
    writeFileSync(path, "not a database, but long enough to have a header ".repeat(40));
    expect(open).toThrow(RecordsDamaged);
  });

  function fill(): number {
    const records = openRecords({ path, now: () => NOW, log: SILENT });
    records.transaction(() => {
      for (let n = 0; n < 500; n += 1) records.sensors.add(aSensor({ id: `s-${n}`, name: "x".repeat(200) }));
    });
    records.close();
    return statSync(path).size / PAGE_BYTES;
  }

  it("refuses a database with a page of garbage inside", () => {
    const pages = fill();
    const file = openSync(path, "r+");
    writeSync(file, Buffer.alloc(PAGE_BYTES, 0x5a), 0, PAGE_BYTES, (pages - 5) * PAGE_BYTES);
    closeSync(file);
    expect(open).toThrow(RecordsDamaged);
  });

  it("refuses a database that lost its end", () => {
    const pages = fill();
    truncateSync(path, Math.floor(pages / 2) * PAGE_BYTES);
    expect(open).toThrow(RecordsDamaged);
    expect(open).toThrow(/records\.db is damaged .*Restore a backup/);
  });

  it("keeps RAM in step when the disk is full, and goes on when there is room again", () => {
    const db = open();
    const sensors = createSensorRecords(db);
    const pages = Number(pragma(db, "page_count"));
    db.statement(`PRAGMA max_page_count = ${pages + 3}`).get();
    const fill = () => {
      for (let n = 0; n < 500; n += 1) {
        const id = `s-${String(n).padStart(3, "0")}`;
        db.transaction(() => sensors.add(aSensor({ id, name: "x".repeat(200) })));
      }
    };
    expect(fill).toThrow(/full/);
    const rows = () =>
      db
        .statement("SELECT id FROM sensors ORDER BY id")
        .all()
        .map((row) => row.id);
    expect(rows().length).toBeGreaterThan(5);
    expect(sensors.list().map((one) => one.id)).toEqual(rows());
    db.statement("PRAGMA max_page_count = 100000").get();
    sensors.add(aSensor({ id: "t" }));
    expect(rows().at(-1)).toBe("t");
  });

  it("lets no two statements of a full cache mix up", () => {
    const db = open();
    for (let n = 0; n < 1_000; n += 1) expect(db.statement(`SELECT ${n} AS n`).get()).toEqual({ n });
    expect(db.statement("SELECT 1 AS n").get()).toEqual({ n: 1 });
  });

  it("closes twice without harm", () => {
    const db = open();
    db.close();
    expect(() => db.close()).not.toThrow();
  });
});
