import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { SILENT } from "../../model/log.ts";
import { openDuckDbStore } from "../../store/duckdb/store.ts";
import { createMarks, readMarks } from "../../store/recovery/marks.ts";
import { asideOf, probe, readReports, recoverDuckDb, total } from "../../store/recovery/recover.ts";
import { inFull } from "../helpers/in-full.ts";
import { aReading, T0 } from "../helpers/readings.ts";

const NAME = "readings.duckdb";
const SEED = 20_261_121;
/** More with FLIPS=…; a failure names its seed. */
const RUNS = Number(process.env.FLIPS ?? Math.max(2, inFull(6)));
type Origin = { readonly dir: string; readonly marked: Map<string, number> };
let small: Origin;

function offsetsOf(map: Map<string, number>) {
  return { get: (name: string) => map.get(name), set: (name: string, to: number) => void map.set(name, to) };
}

const readings = (from: number, count: number, kind: "air" | "traffic" = "air") =>
  Array.from({ length: count }, (_, i) =>
    aReading({
      kind,
      sensorId: `${kind}-${(from + i) % 20}`,
      measuredAt: T0 + from + i,
      receivedAt: T0 + from + i,
      journalSeq: from + i,
      // Numbers that do not compress: in the large file each column has blocks of its own.
      values: { [kind === "air" ? "pm25" : "flow"]: Math.sin(from + i) },
    }),
  );

/** So many readings in the file, 500 in its log: taken while it is open, as a kill would leave it. */
async function anOrigin(inFile: number): Promise<Origin> {
  const dir = mkdtempSync(join(tmpdir(), "lamppost-store-"));
  const origin = mkdtempSync(join(tmpdir(), "lamppost-store-"));
  const marked = new Map<string, number>();
  const marks = createMarks(offsetsOf(marked), { air: 0, traffic: 0, energy: 0 });
  let store = marks.watch(await openDuckDbStore({ path: join(dir, NAME), log: SILENT }));
  await store.write(readings(1, inFile));
  await store.write(readings(200_001, 100, "traffic"));
  await store.close();
  store = marks.watch(await openDuckDbStore({ path: join(dir, NAME), log: SILENT }));
  await store.write(readings(inFile + 1, 500));
  marks.save();
  for (const name of [NAME, `${NAME}.wal`]) cpSync(join(dir, name), join(origin, name));
  await store.close();
  rmSync(dir, { recursive: true });
  return { dir: origin, marked };
}

const AIR = 3_500;
beforeAll(async () => {
  small = await anOrigin(3_000);
});
afterAll(() => rmSync(small.dir, { recursive: true, force: true }));

/** A copy of the folder with what SQLite knows of it. */
function aFolder(origin = small) {
  const dir = mkdtempSync(join(tmpdir(), "lamppost-recovery-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  cpSync(origin.dir, dir, { recursive: true });
  const path = join(dir, NAME);
  const offsets = offsetsOf(new Map(origin.marked));
  let now = T0;
  const recover = () => recoverDuckDb({ path, offsets, booked: 300_000, now: () => now++, log: SILENT });
  const change = (name: string, work: (bytes: Buffer) => Buffer | undefined) => {
    const bytes = readFileSync(join(dir, name));
    writeFileSync(join(dir, name), work(bytes) ?? bytes);
  };
  const flip = (name: string, at: number) =>
    change(name, (bytes) => {
      bytes[at]! ^= 0x10;
      return undefined;
    });
  return { dir, path, offsets, recover, change, flip };
}

function createRandom(seed: number) {
  let state = seed >>> 0;
  return (limit: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

describe("a DuckDB file at the start", () => {
  it("that is sound stays where it is, log and all", async () => {
    const { dir, recover } = aFolder();
    expect(await recover()).toEqual({ rows: { air: AIR, traffic: 100, energy: 0 }, report: undefined });
    expect(readdirSync(dir).sort()).toEqual([NAME, `${NAME}.wal`]);
  });

  it("is made where nothing is and nothing was", async () => {
    const { path, offsets, recover } = aFolder();
    for (const name of [path, `${path}.wal`]) rmSync(name);
    for (const kind of ["air", "traffic"]) offsets.set(`duckdb.rows.${kind}`, 0);
    expect(await recover()).toEqual({ rows: { air: 0, traffic: 0, energy: 0 }, report: undefined });
  });

  it("is never used damaged after one byte is flipped or it is cut", { timeout: 240_000 + RUNS * 10_000 }, async () => {
    const found = { sound: 0, rebuilt: 0, unreadable: 0 };
    for (let run = 0; run < RUNS; run += 1) {
      const random = createRandom(SEED + run);
      const { dir, path, offsets, recover, change } = aFolder();
      const name = run % 2 === 0 ? NAME : `${NAME}.wal`;
      const isCut = run % 6 === 5;
      let at = 0;
      change(name, (bytes) => {
        // Headers are where it hurts most and a small part of the file.
        at = random(random(3) === 0 ? Math.min(12_288, bytes.length) : bytes.length);
        if (isCut) return bytes.subarray(0, at);
        bytes[at]! ^= 1 + random(255);
        return undefined;
      });
      const said = `seed ${SEED + run}: ${isCut ? "cut" : "flip"} of ${name} at ${at}`;
      const before = readFileSync(join(dir, name));
      let { report } = await recover();
      if (!report) {
        // What opening does not come across, a query does: that is remembered, and the next start reads every block.
        offsets.set("duckdb.suspect", 1);
        ({ report } = await recover());
      }
      const checked = await probe({ what: "check", path, verify: true });
      expect(checked, said).toHaveProperty("rows");
      if (!report) {
        found.sound += 1;
        expect(checked, said).toEqual({ rows: { air: AIR, traffic: 100, energy: 0 } });
        continue;
      }
      found[total(report.salvaged!.rows) > 0 ? "rebuilt" : "unreadable"] += 1;
      expect(report, said).toMatchObject({ state: "salvaged", expected: { air: AIR, traffic: 100 } });
      // As bytes: compared element by element it takes seconds.
      const kept = readFileSync(`${asideOf(path, report)}${name.slice(NAME.length)}`);
      expect(kept.equals(before), said).toBe(true);
    }
    expect(found.rebuilt).toBeGreaterThan(0);
  });

  it("with a block that cannot be read: the rest is kept, and what the block held is named", async () => {
    const large = await anOrigin(150_000);
    onTestFinished(() => rmSync(large.dir, { recursive: true, force: true }));
    const { path, offsets, recover, flip } = aFolder(large);
    let block = 0;
    // The place of a block of data depends on the version of DuckDB: look for one that opening does not need.
    for (block = 400_000; ; block += 262_144) {
      flip(NAME, block);
      const light = await probe({ what: "check", path, verify: false });
      const full = await probe({ what: "check", path, verify: true });
      if ("rows" in light && "error" in full) break;
      flip(NAME, block);
    }
    expect((await recover()).report).toBeUndefined();
    // As a query would find it.
    const marks = createMarks(offsets, { air: 150_500, traffic: 100, energy: 0 });
    const broken = marks.watch({
      find: async () => {
        throw new Error("IO Error: Corrupt database file: computed checksum 1");
      },
    } as never);
    await expect(broken.find("air", [])).rejects.toThrow("checksum");
    expect([marks.isSuspect(), readMarks(offsets).suspect]).toEqual([true, true]);
    const { report, rows } = await recover();
    expect(total(rows)).toBeGreaterThan(20_000);
    expect(total(rows)).toBeLessThan(150_600);
    expect(report!.salvaged!.holes).toHaveLength(1);
    const { from = T0, to = T0 + 150_500 } = report!.salvaged!.holes[0]!;
    expect(to - from).toBeLessThanOrEqual(122_881);
    expect(readMarks(offsets)).toMatchObject({ suspect: false, rows: { air: 0 } });
  });

  it("goes on with a rebuild that was interrupted, wherever that was", async () => {
    const { dir, path, offsets, recover, flip } = aFolder();
    flip(`${NAME}.wal`, 4);
    const first = (await recover()).report!;
    const json = readdirSync(dir).find((name) => name.endsWith(".json"))!;
    const done = readFileSync(join(dir, json), "utf8");
    const rewind = (state: object) => writeFileSync(join(dir, json), JSON.stringify({ ...JSON.parse(done), ...state }));
    const again = async () => {
      const { report, rows } = await recover();
      expect([report!.foundAt, total(rows), readReports(path)]).toEqual([first.foundAt, 3_100, [report]]);
      expect(report!.state).toBe("salvaged");
    };
    // Salvaged, and the new file not in its place yet; in its place.
    renameSync(path, `${path}.rebuilding`);
    await again();
    await again();
    // Half a new file, and the report still says "found".
    renameSync(path, `${path}.rebuilding`);
    rewind({ state: "found", salvaged: undefined });
    await again();
    // Nothing moved yet, only the log; the marks are cleared already.
    rmSync(path);
    rewind({ state: "found", salvaged: undefined });
    renameSync(asideOf(path, first), path);
    await again();
    expect(existsSync(asideOf(path, first))).toBe(true);
    expect(offsets.get("duckdb.rows.air")).toBe(0);
  });

  it("that another process has open is left alone", async () => {
    const { dir, path, recover } = aFolder();
    const store = await openDuckDbStore({ path, log: SILENT });
    onTestFinished(() => store.close());
    await expect(recover()).rejects.toThrow(/lock/i);
    expect(readdirSync(dir).filter((name) => name.includes("damaged"))).toEqual([]);
  });
});

describe("the marks", () => {
  const store = (removed: number | undefined, before?: () => void) =>
    ({
      write: async () => {},
      deleteBefore: async () => {
        before?.();
        return removed;
      },
    }) as never;

  it("follow what is written, with each booking", async () => {
    const offsets = offsetsOf(new Map());
    const marks = createMarks(offsets, { air: 5, traffic: 0, energy: 0 });
    await marks.watch(store(0)).write(readings(1, 10));
    expect(readMarks(offsets).rows.air).toBe(0);
    marks.offsets.set("store", 11);
    expect(readMarks(offsets)).toEqual({
      rows: { air: 15, traffic: 0, energy: 0 },
      span: { from: T0 + 1, to: T0 + 10 },
      suspect: false,
    });
  });

  it("are never higher than the rows while some are deleted", async () => {
    const offsets = offsetsOf(new Map());
    const marks = createMarks(offsets, { air: 50, traffic: 7, energy: 0 });
    marks.save();
    await marks
      .watch(
        store(20, () => {
          expect(readMarks(offsets).rows).toEqual({ air: 0, traffic: 7, energy: 0 });
          marks.save();
          expect(readMarks(offsets).rows.air).toBe(0);
        }),
      )
      .deleteBefore("air", T0);
    expect(readMarks(offsets).rows.air).toBe(30);
  });

  it("say nothing while a rebuild goes on", () => {
    const offsets = offsetsOf(new Map());
    const marks = createMarks(offsets, { air: 50, traffic: 0, energy: 0 });
    marks.hold(true);
    marks.save();
    expect(readMarks(offsets).rows.air).toBe(0);
  });
});
