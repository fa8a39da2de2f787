import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import { DAY_MS } from "../../model/time.ts";
import { createPhotos } from "../../store/photos.ts";
import { openRecords } from "../../store/records.ts";
import { photoOf } from "../helpers/photos.ts";

describe("photos on disk", () => {
  const now = Date.now();
  let dir: string;
  const records = openRecords({ path: ":memory:", now: () => now, log: SILENT });
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "lamppost-photos-"));
  });
  afterEach(() => rm(dir, { recursive: true }));

  it("go when they are old, unused ones after a week, and what a crash has left", async () => {
    const at = async (days: number, alert: string, used: boolean) => {
      const bytesMax = 1e6;
      const photos = createPhotos({ dir, records, bytesMax, diskFreeBytesMin: 0, now: () => now - days * DAY_MS });
      const photo = await photos.add({ alert, type: "image/png", by: "anna" }, photoOf("image/png"));
      if (typeof photo === "string") throw new Error(photo);
      if (used) records.photos.use(photo.id);
      return `${photo.id}.png`;
    };
    await at(400, "of last year", true);
    await at(8, "never said", false);
    const kept = [await at(8, "said", true), await at(6, "not said yet", false)];
    for (const [name, days] of [
      ["stray.jpg.new", 2],
      ["young.jpg.new", 0],
    ] as const) {
      await writeFile(join(dir, name), "x");
      const then = new Date(now - days * DAY_MS);
      await utimes(join(dir, name), then, then);
    }
    const photos = createPhotos({ dir, records, bytesMax: 1e6, diskFreeBytesMin: 0, now: () => now });
    expect(await photos.removeBefore(now - 365 * DAY_MS)).toBe(2);
    expect((await readdir(dir)).sort()).toEqual([...kept, "young.jpg.new"].sort());
  });
});
