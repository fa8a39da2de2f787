import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Log, SILENT } from "../../../model/log.ts";
import { createTransactions, type Transactions } from "../../../store/records/database.ts";

describe("a transaction", () => {
  let db: DatabaseSync;
  let run: Transactions;
  let errors: string[];
  const log: Log = { ...SILENT, error: (_, text) => errors.push(text) };
  beforeEach(() => {
    errors = [];
    db = new DatabaseSync(":memory:");
    db.exec("CREATE TABLE t (n INTEGER UNIQUE)");
    run = createTransactions(db, log);
  });
  afterEach(() => db.close());
  const add = (n: number) => db.prepare("INSERT INTO t VALUES (?)").run(n);
  const rows = () =>
    db
      .prepare("SELECT n FROM t ORDER BY n")
      .all()
      .map((row) => row.n);
  const fail = () => {
    throw new Error("no");
  };

  it("answers what its work answers", () => {
    expect(run.transaction(() => add(1).changes)).toBe(1);
    expect(rows()).toEqual([1]);
  });

  it("can do without the disk's answer, and leaves the next one as it was", () => {
    const level = () => db.prepare("PRAGMA synchronous").get()!.synchronous;
    db.exec("PRAGMA synchronous = FULL");
    const full = level();
    expect(run.relaxed(() => [add(1).changes, level()])).toEqual([1, 1]);
    expect(level()).toBe(full);
    expect(() => run.relaxed(() => [add(2), fail()])).toThrow("no");
    expect(level()).toBe(full);
    expect(run.transaction(() => run.relaxed(level))).toBe(full);
    expect(rows()).toEqual([1]);
  });

  it("is all or nothing, nested parts included", () => {
    const work = () => {
      add(1);
      run.transaction(() => add(2));
      fail();
    };
    expect(() => run.transaction(work)).toThrow("no");
    expect(rows()).toEqual([]);
    run.transaction(() => add(3));
    expect(rows()).toEqual([3]);
  });

  it("undoes a nested part that failed, in the database and in RAM, when the outer one goes on", () => {
    const ram: number[] = [];
    const both = (n: number) => {
      add(n);
      ram.push(n);
      run.onRollback(() => ram.splice(ram.indexOf(n), 1));
    };
    run.transaction(() => {
      both(1);
      const inner = () => {
        both(2);
        run.transaction(() => both(3));
        add(1); // not unique
      };
      expect(() => run.transaction(inner)).toThrow(/UNIQUE/);
      both(4);
    });
    expect([rows(), ram]).toEqual([
      [1, 4],
      [1, 4],
    ]);
  });

  it("undoes RAM last in, first out", () => {
    const order: string[] = [];
    const work = () => {
      run.onRollback(() => order.push("first"));
      run.transaction(() => run.onRollback(() => order.push("second")));
      fail();
    };
    expect(() => run.transaction(work)).toThrow("no");
    run.transaction(() => add(1));
    expect(order).toEqual(["second", "first"]);
  });

  it("runs jobs after the outermost commit only, and drops those of failed parts", () => {
    const told: string[] = [];
    run.transaction(() => {
      run.afterCommit(() => told.push(`a, open: ${db.isTransaction}`));
      const inner = () => {
        run.afterCommit(() => told.push("never"));
        fail();
      };
      expect(() => run.transaction(inner)).toThrow("no");
      run.transaction(() => run.afterCommit(() => told.push("b")));
      expect(told).toEqual([]);
    });
    expect(told).toEqual(["a, open: false", "b"]);
  });

  it("keeps the order of news when a job writes again", () => {
    const told: string[] = [];
    run.transaction(() => {
      run.afterCommit(() => {
        told.push("a");
        run.transaction(() => run.afterCommit(() => told.push("c")));
        told.push("a, to the end");
      });
      run.afterCommit(() => told.push("b"));
    });
    expect(told).toEqual(["a", "a, to the end", "b", "c"]);
  });

  it("stays committed when a job fails, logs it and runs the others", () => {
    const told: string[] = [];
    run.transaction(() => {
      add(1);
      run.afterCommit(fail);
      run.afterCommit(() => told.push("b"));
    });
    expect([rows(), told, errors]).toEqual([[1], ["b"], ["a listener of the records failed"]]);
  });

  it("refuses work that would go on after it", () => {
    const later = async () => add(1);
    expect(() => run.transaction(later)).toThrow(TypeError);
    expect(rows()).toEqual([]);
  });

  it("lets nothing run outside when SQLite ended it early", () => {
    const ram = { changed: false };
    const work = () => {
      ram.changed = true;
      run.onRollback(() => {
        ram.changed = false;
      });
      db.exec("ROLLBACK"); // as SQLite does by itself when the disk is full
      expect(() => run.assertAlive()).toThrow(/ended the transaction/);
    };
    expect(() => run.transaction(work)).toThrow();
    expect(ram.changed).toBe(false);
    expect(() => run.assertAlive()).not.toThrow();
    run.transaction(() => add(1));
    expect(rows()).toEqual([1]);
  });
});
