import { existsSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { HOME, runCli, until } from "../helpers/city.ts";

import {
  aside,
  EARLY,
  flip,
  forgetEarly,
  LATE,
  names,
  parts,
  post,
  range,
  rebuilt,
  segments,
  served,
  settled,
  started,
  twoLives,
} from "../helpers/two-lives.ts";

/**
 * Each file of the data folder is damaged in turn while the service is down. It starts or says why not, serves what is
 * left, names what is missing, and deletes nothing. The folder has two lives in it: 60 readings and a clean stop, then 30
 * more and a kill, so that DuckDB has some in its file and some in its log.
 */
const { damaged, origin } = twoLives();

describe("a damaged DuckDB file", () => {
  const everything: [string, (dir: string) => void][] = [
    ["a flipped bit in the header", (dir) => flip(join(dir, "readings.duckdb"), 9)],
    [
      "deleted with its log",
      (dir) => {
        rmSync(join(dir, "readings.duckdb"));
        rmSync(join(dir, "readings.duckdb.wal"));
      },
    ],
  ];
  const more: typeof everything = [
    [
      "a flipped bit in the header of the log, which DuckDB passes over in silence",
      (dir) => flip(join(dir, "readings.duckdb.wal"), 4),
    ],
    ["a flipped bit in the middle of the log", (dir) => flip(join(dir, "readings.duckdb.wal"), 200)],
    ["of zero length", (dir) => truncateSync(join(dir, "readings.duckdb"), 0)],
  ];
  it.each(everything)("%s: all of it comes back from the journal, nothing is booked twice", (_, damage) =>
    comesBack(damage),
  );
  it.each(more)("%s: all of it comes back, too", { tags: ["long"] }, (_, damage) => comesBack(damage));

  async function comesBack(damage: (dir: string) => void): Promise<void> {
    const dir = damaged(damage);
    const city = await started(dir);
    await rebuilt(city);
    expect(await served(city)).toEqual(range(0, EARLY + LATE));
    expect(await city.api("/ledger")).toMatchObject({
      received: 90,
      stored: 90,
      duplicate: 0,
      lost: 0,
      balanced: true,
    });
    expect(await parts(city, "reading store")).toEqual([]);
    expect(aside(dir).length).toBeGreaterThan(0);
    await post(city, 90, 3, Date.now() - 3_600_000);
    expect(await served(city)).toEqual(range(0, 93));
  }

  it("untouched after a kill: no alarm, nothing set aside", { tags: ["long"] }, async () => {
    const dir = damaged(() => {});
    const city = await started(dir);
    expect(await served(city)).toEqual(range(0, 90));
    expect(await parts(city, "reading store")).toEqual([]);
    expect(aside(dir)).toEqual([]);
  });

  it("beyond repair, its first readings past the journal: says which are missing until someone has dealt with it", {
    tags: ["long"],
  }, async () => {
    const dir = damaged((folder) => {
      forgetEarly(folder);
      flip(join(folder, "readings.duckdb"), 9);
    });
    let city = await started(dir);
    await rebuilt(city);
    const { items } = await city.api("/audit?limit=100");
    expect(await served(city)).toEqual(range(EARLY, 90));
    expect(await city.api("/ledger")).toMatchObject({ received: 90, stored: 30, lost: 60, balanced: true });
    const [entry] = items.filter(({ what }: { what: string }) => what === "store.rebuilt");
    expect(entry.detail).toMatch(
      /30 readings came back from the journal; 60 readings received between \d{4}-.*Z and \d{4}-.*Z are missing/,
    );
    const check = async () => {
      const [alarm] = await parts(city, "reading store");
      expect(alarm).toMatchObject({
        state: "degraded",
        reason: expect.stringMatching(
          /^60 readings received between 2.*Z and 2.*Z are missing .*kept as readings\.duckdb\.damaged-/,
        ),
      });
      expect(await (await city.call("/metrics")).text()).toContain("lamppost_store_missing_readings 60");
    };
    await check();
    // Recounted from the store, the books are right: what is lost is not called stored any more.
    expect(await city.cli("ledger", "--verify")).toMatchObject({ code: 0 });
    expect(await city.stop()).toBe(0);
    city = await city.restart();
    onTestFinished(() => city.remove());
    await check();
    expect(await city.api("/ledger")).toMatchObject({ stored: 30, lost: 60, balanced: true });
    for (const name of aside(dir)) renameSync(join(dir, name), join(dir, `seen-${name}`));
    expect(await parts(city, "reading store")).toEqual([]);
  });

  it("its log lost and that life past the journal, too: what the file has stays, what the log had is named", {
    tags: ["long"],
  }, async () => {
    const dir = damaged((folder) => {
      for (const name of segments(folder).slice(1, -1)) rmSync(join(folder, "journal", name));
      truncateSync(join(folder, "journal", segments(folder).at(-1)!), 1_024);
      rmSync(join(folder, "journal", segments(folder)[0]!));
      flip(join(folder, "readings.duckdb.wal"), 4);
    });
    const city = await started(dir);
    await rebuilt(city);
    expect(await served(city)).toEqual(range(0, EARLY));
    expect(await city.api("/ledger")).toMatchObject({ stored: 60, lost: 30, balanced: true });
    expect((await parts(city, "reading store"))[0]).toMatchObject({ reason: expect.stringMatching(/^30 readings/) });
  });
});

describe("a damaged records.db", () => {
  const newer = (dir: string) => {
    const db = new DatabaseSync(join(dir, "records.db"));
    db.exec("PRAGMA user_version = 99");
    db.close();
  };
  const gone = (dir: string) => {
    for (const name of names(dir).filter((one) => one.startsWith("records.db"))) rmSync(join(dir, name));
  };
  type Damage = [string, damage: (dir: string) => void, words: RegExp];
  const damages: Damage[] = [
    [
      "is garbage",
      (dir) => writeFileSync(join(dir, "records.db"), "x".repeat(10_000)),
      /records\.db is damaged.*lamppost restore.*LAMPPOST_NEW_RECORDS/,
    ],
    ["is from a newer service", newer, /records\.db has schema version 99, this service knows versions up to \d+/],
  ];
  const moreDamages: Damage[] = [
    ["is missing", gone, /records\.db is missing or empty, but its data folder is not new.*lamppost restore/],
    [
      "is empty",
      (dir) => {
        gone(dir);
        writeFileSync(join(dir, "records.db"), "");
      },
      /records\.db is missing or empty/,
    ],
  ];
  it.each(damages)("that %s: refuses with what to do, and changes nothing", (_, ...one) => expectRefusal(...one));
  it.each(moreDamages)("that %s: refuses, too", { tags: ["long"] }, (_, ...one) => expectRefusal(...one));

  async function expectRefusal(damage: (dir: string) => void, words: RegExp): Promise<void> {
    const dir = damaged(damage);
    const content = () =>
      names(dir)
        .filter(
          (name) => !/^lock\.db|-shm$/.test(name) && (name === "records.db" || statSync(join(dir, name)).size > 0),
        )
        .map((name) => [name, /^(readings|records\.db$)/.test(name) ? readFileSync(join(dir, name), "latin1") : ""]);
    const before = content();
    const { code, stderr } = await runCli(
      ["start"],
      {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        LAMPPOST_DATA_DIR: dir,
        LAMPPOST_HTTP_PORT: "0",
        LAMPPOST_MQTT_PORT: "0",
      },
      HOME,
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(words);
    expect(content()).toEqual(before);
    expect(segments(dir)).toEqual(segments(origin()));
  }

  it("that has lost its log, which SQLite passes over in silence: says so, and books again what the journal has", {
    tags: ["long"],
  }, async () => {
    const dir = damaged((folder) => flip(join(folder, "records.db-wal"), 4));
    const city = await started(dir);
    expect(await settled(city, 90)).toMatchObject({ stored: 90, duplicate: 0, balanced: true });
    expect(await served(city)).toEqual(range(0, 90));
    expect(await parts(city, "reading store")).toEqual([]);
    expect((await parts(city, "records"))[0]).toMatchObject({ reason: expect.stringContaining("older than it was") });
  });

  it("that is gone: begins anew when told to, and the readings are still there", async () => {
    const dir = damaged(gone);
    const city = await started(dir, { LAMPPOST_NEW_RECORDS: "accept" });
    await city.api("/devices", { sensorId: "air-1", kind: "air", district: "centre" });
    const { items } = await city.api(
      `/sensors/air-1/readings?limit=1000&from=${new Date(Date.now() - 7_200_000).toISOString()}`,
    );
    expect(items).toHaveLength(30);
    expect((await city.api("/ledger")).balanced).toBe(true);
  });
});

describe("a damaged journal", () => {
  /** Ten messages that the consumers have not booked. */
  function lagging(dir: string): { lowest: number; next: number } {
    const db = new DatabaseSync(join(dir, "records.db"));
    const at = db.prepare("SELECT position FROM offsets WHERE consumer = 'store'").get() as { position: number };
    db.prepare("UPDATE offsets SET position = ? WHERE consumer IN ('store', 'alerts')").run(at.position - 2);
    db.prepare("INSERT OR REPLACE INTO offsets VALUES ('journal.end', ?)").run(at.position + 5);
    db.close();
    return { lowest: at.position - 2, next: at.position + 5 };
  }

  it("shorter than it was: the numbers that are missing are named, and never given again", async () => {
    let marks = { lowest: 0, next: 0 };
    const dir = damaged((folder) => {
      marks = lagging(folder);
      for (const name of segments(folder)) rmSync(join(folder, "journal", name));
    });
    const city = await started(dir);
    const [alarm] = await parts(city, "journal");
    expect(alarm).toMatchObject({
      state: "degraded",
      reason: expect.stringContaining(
        `7 acknowledged messages were missing at the start: numbers ${marks.lowest} to ${marks.next - 1}`,
      ),
    });
    expect(await served(city)).toEqual(range(0, 90));
    expect((await city.api("/ledger")).balanced).toBe(true);
    await until(
      async () => (await city.call("/metrics")).text(),
      (text) => text.includes(`lamppost_journal_next_sequence ${marks.next}\n`),
    );
  });

  it("with a flipped bit in a message that is settled: no alarm, nothing lost", { tags: ["long"] }, async () => {
    const dir = damaged((folder) => flip(join(folder, "journal", segments(folder)[0]!), 1_100));
    const city = await started(dir);
    expect(await parts(city, "journal")).toEqual([]);
    expect(await served(city)).toEqual(range(0, 90));
    expect(existsSync(join(dir, "journal", segments(origin())[0]!))).toBe(true);
  });
});
