import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import { parseManifest } from "../../store/backup/manifest.ts";
import { restoreBackup, takeBackup } from "../../store/backup/restore.ts";
import { type Backup, copyRecords, createBackups } from "../../store/backup/stage.ts";
import { readTar, TAR_END, tarHeader, tarPadding } from "../../store/backup/tar.ts";
import { openDuckDbStore } from "../../store/duckdb/store.ts";
import { createPhotos } from "../../store/photos.ts";
import { openRecords, type Records } from "../../store/records.ts";
import { photoOf } from "../helpers/photos.ts";
import { aReading, T0 } from "../helpers/readings.ts";

let dataDir: string;
let records: Records;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "lamppost-stage-"));
  records = openRecords({ path: join(dataDir, "records.db"), now: () => T0, log: SILENT });
  await mkdir(join(dataDir, "journal"));
  await writeFile(join(dataDir, "journal", `${"1".padStart(20, "0")}.journal`), "records of the journal");
});
afterEach(async () => {
  records.close();
  await rm(dataDir, { recursive: true });
});

const elsewhere = {
  name: "influxdb",
  place: "influxdb http://db:8086 readings",
  copyTo: async () => false,
  copyCommand: () => "copy it",
};
const open = (store = elsewhere, diskFreeBytesMin = 0, settled = async () => {}) =>
  createBackups({ dataDir, store, records, settled, version: "0.1.0", diskFreeBytesMin, now: () => T0, log: SILENT });

function archiveOf(backup: Backup): Readable {
  if ("refused" in backup) throw new Error(backup.refused);
  return backup.archive;
}

describe("a backup", () => {
  it("holds back the journal while it copies, makes one at a time, and leaves nothing behind", async () => {
    const gate = Promise.withResolvers<boolean>();
    const copyTo = () => gate.promise;
    const backups = open({ ...elsewhere, copyTo });
    expect(backups.mayRemove()).toBe(true);
    const started = backups.start();
    expect(await backups.start()).toEqual({ refused: expect.stringContaining("already") });
    while (backups.mayRemove()) await new Promise(setImmediate);
    gate.resolve(false);
    const archive = archiveOf(await started);
    expect(backups.mayRemove()).toBe(true);
    expect(await readdir(dataDir)).toContain("backup.staging");
    // Nobody reads it: the client has gone.
    archive.destroy();
    let next = await backups.start();
    while ("refused" in next) {
      await new Promise(setImmediate);
      next = await backups.start();
    }
    await expect(takeBackup(readTar(archiveOf(next)), "0.1.0")).resolves.toMatchObject({
      store: "influxdb",
    });
  });

  it("has the photos, and restores them", async () => {
    const photos = createPhotos({
      dir: join(dataDir, "photos"),
      records,
      bytesMax: 1e6,
      diskFreeBytesMin: 0,
      now: () => T0,
    });
    const photo = await photos.add({ alert: "a1", type: "image/png", by: "anna" }, photoOf("image/png"));
    if (typeof photo === "string") throw new Error(photo);
    await writeFile(join(dataDir, "photos", "notes.txt"), "nothing of ours");
    const backup = join(dataDir, "backup.tar");
    await writeFile(backup, archiveOf(await open().start()));
    const into = join(dataDir, "restored");
    await mkdir(into);
    await restoreBackup({ backup, into, force: false, version: "0.1.0", now: T0, log: SILENT });
    expect(await readdir(join(into, "photos"))).toEqual([`${photo.id}.png`]);
    expect((await readFile(join(into, "photos", `${photo.id}.png`))).equals(photoOf("image/png"))).toBe(true);
    const restored = openRecords({ path: join(into, "records.db"), now: () => T0, log: SILENT });
    expect(restored.photos.get("a1", photo.id)).toEqual(photo);
    restored.close();
  });

  it("copies nothing while a removal of old readings is under way, and lets none begin", async () => {
    const order: string[] = [];
    const copyTo = async () => {
      order.push("copied");
      return false;
    };
    const settled = async () => {
      order.push(`settling, may remove: ${backups.mayRemove()}`);
      // Long enough for a copy that does not wait to be seen.
      await new Promise((resolve) => setTimeout(resolve, 200));
      order.push("settled");
    };
    const backups = open({ ...elsewhere, copyTo }, 0, settled);
    archiveOf(await backups.start()).destroy();
    expect(order).toEqual(["settling, may remove: false", "settled", "copied"]);
  });

  it("lets the journal go and can be tried again when a copy fails", async () => {
    let fails = true;
    const copyTo = async () => {
      if (fails) throw new Error("the disk is full");
      return false;
    };
    const backups = open({ ...elsewhere, copyTo });
    await expect(backups.start()).rejects.toThrow("the disk is full");
    expect([backups.mayRemove(), (await readdir(dataDir)).includes("backup.staging")]).toEqual([true, false]);
    fails = false;
    const manifest = await takeBackup(readTar(archiveOf(await backups.start())), "0.1.0");
    expect(manifest.files.map(({ name }) => name)).toEqual(["records.db", "journal/00000000000000000001.journal"]);
  });

  it("is refused where the copies would not fit on the disk", async () => {
    expect(await open(elsewhere, 2 ** 60).start()).toEqual({ refused: expect.stringMatching(/\d+ MiB too full/) });
  });

  it("copies the records as of one moment, while they are written", async () => {
    const book = () =>
      records.transaction(() => {
        const offset = (records.offsets.get("store") ?? 0) + 1;
        records.offsets.set("store", offset);
        records.ledger.add([{ day: "2026-11-21", sensorId: "air-1", outcome: "stored", count: 1 }]);
      });
    for (let n = 0; n < 300; n += 1) book();
    let isDone = false;
    const copying = copyRecords(join(dataDir, "records.db"), join(dataDir, "copy.db")).finally(() => {
      isDone = true;
    });
    while (!isDone) {
      book();
      await new Promise(setImmediate);
    }
    await copying;
    const copy = openRecords({ path: join(dataDir, "copy.db"), now: () => T0, log: SILENT });
    expect(copy.offsets.get("store")).toBe(copy.ledger.totals().get("stored"));
    expect(copy.offsets.get("store")).toBeGreaterThanOrEqual(300);
    copy.close();
  });

  it("copies DuckDB while it is written, rollups and all, batches whole", async () => {
    const path = join(dataDir, "readings.duckdb");
    const store = await openDuckDbStore({ path, log: SILENT });
    const batch = (n: number) =>
      Array.from({ length: 500 }, (_, place) => aReading({ measuredAt: T0 + n * 500 + place, journalSeq: n }));
    await store.write(batch(0));
    const receivedDay = T0 - (T0 % 86_400_000);
    const span = { kind: "air", receivedDay, from: receivedDay, to: receivedDay + 86_400_000 } as const;
    await store.rollups.compute({ ...span, resolution: "hourly" });
    let isDone = false;
    const copying = store.copyTo(join(dataDir, "copy.duckdb")).finally(() => {
      isDone = true;
    });
    for (let n = 1; !isDone; n += 1) await store.write(batch(n));
    expect(await copying).toBe(true);
    const copy = await openDuckDbStore({ path: join(dataDir, "copy.duckdb"), log: SILENT });
    const count = await copy.count();
    expect([count % 500, count >= 500]).toEqual([0, true]);
    const query = { kind: "air", sensorId: "air-1", from: span.from, to: span.to, everyMs: 3_600_000 } as const;
    expect(await copy.rollups.aggregate(query, "hourly")).toEqual(await store.rollups.aggregate(query, "hourly"));
    await copy.close();
    await store.close();
  });
});

describe("an archive", () => {
  it("is read in any pieces, and tells the size of files above 8 GiB", async () => {
    const body = Buffer.from("some bytes");
    const whole = Buffer.concat([tarHeader("a", body.length, T0), body, tarPadding(body.length), TAR_END]);
    for (const size of [1, 7, 511, 513, 9_999]) {
      const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, n) =>
        whole.subarray(n * size, (n + 1) * size),
      );
      const read: string[] = [];
      for await (const entry of readTar(Readable.from(pieces)))
        read.push(entry.name, Buffer.concat(await Array.fromAsync(entry.body)).toString());
      expect(read).toEqual(["a", "some bytes"]);
    }
    const large = readTar(Readable.from([tarHeader("big", 9 * 2 ** 30, T0)]));
    expect((await large.next()).value).toMatchObject({ name: "big", bytes: 9 * 2 ** 30 });
  });

  it("has a manifest that is what we write, or is refused", () => {
    const known = { service: "0.1.0", recordsSchema: 3 };
    for (const text of ["", "{}", "null", '{"format":0}', '{"format":1}']) {
      expect(() => parseManifest(text, known)).toThrow("manifest cannot be read");
    }
  });
});
