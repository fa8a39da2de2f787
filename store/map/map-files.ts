import { createHash } from "node:crypto";
import { appendFile, mkdir, open, readdir, readFile, rename, rm, stat, statfs } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { gzip } from "node:zlib";
import type { Log } from "../../model/log.ts";
import { MAP_BYTES_MAX, type MapFileFacts, mapFileType } from "./check-map-file.ts";
import { MapFileRefused } from "./refused.ts";

export type MapFile = MapFileFacts & {
  /** Under which it is served. */
  readonly name: string;
  /** Named in the settings, sent by an admin, or brought by the simulated city. */
  readonly from: "settings" | "upload" | "simulation";
  /** Another one for other content. */
  readonly version: string;
};

type Located = MapFile & { readonly path: string };
type Named = MapFileFacts & { readonly path: string };

type MapFilesOptions = {
  /** Of what admins send; made when the first comes. */
  readonly dir: string;
  /** Named in the settings, and looked at already. */
  readonly named: readonly Named[];
  /** What the simulated city brings: drawn while there is nothing else. */
  readonly simulated: Named | undefined;
  readonly diskFreeBytesMin: number;
  readonly log: Log;
};

export const MAP_FOLDER = "map";
export const UPLOAD_NAME = /^[a-z0-9][a-z0-9._-]{0,59}\.(?:pmtiles|geojson)$/;
const FILES_MAX = 8;
/** One answer: a tile is some 50 KiB, the directories of a country some MiB. */
const RANGE_BYTES_MAX = 8 * 1024 * 1024;
const PART = "upload.part";
const compress = promisify(gzip);

/** The files that maps are drawn from. */
export async function openMapFiles(options: MapFilesOptions) {
  const { dir, log } = options;
  const part = join(dir, PART);
  const named = await Promise.all(options.named.map((one) => locate(one, basename(one.path), "settings")));
  const simulated =
    options.simulated && (await locate(options.simulated, basename(options.simulated.path), "simulation"));
  const uploaded = new Map<string, Located>();
  /** Whose pieces are on their way, and how much of it is there. */
  let coming: { name: string; bytes: number } | undefined;
  let isBusy = false;
  const packed = new Map<string, Promise<Buffer>>();

  await rm(part, { force: true });
  for (const name of await namesIn(dir)) {
    if (!UPLOAD_NAME.test(name)) continue;
    try {
      const path = join(dir, name);
      uploaded.set(name, await locate({ path, ...(await lookAt(path)) }, name, "upload"));
    } catch (error) {
      // The service is more than its map.
      log.warn({ file: name, err: error }, "a map file in the data folder cannot be used and is left out");
    }
  }

  function located(): readonly Located[] {
    const given = [...named, ...[...uploaded.values()].filter(({ name }) => !named.some((one) => one.name === name))];
    return given.length === 0 && simulated ? [simulated] : given;
  }

  /** One piece after the other; with the last the file is looked at and takes its place. Answers it then. */
  async function put(name: string, offset: number, bytes: Buffer, isLast: boolean): Promise<MapFile | undefined> {
    const type = mapFileType(name);
    if (!type || !UPLOAD_NAME.test(name))
      throw new MapFileRefused("its name must be of a-z, 0-9, dots and dashes and end in .pmtiles or .geojson");
    if (named.some((one) => one.name === name)) throw new MapFileRefused("the settings name a file of this name");
    if (isBusy) throw new MapFileBusy("Another map file is being taken in.");
    if (offset > 0 && (coming?.name !== name || coming.bytes !== offset))
      throw new MapFileBusy(
        `This piece begins at byte ${offset}, and ${coming?.name === name ? coming.bytes : 0} are here.`,
      );
    if (offset + bytes.length > MAP_BYTES_MAX[type])
      throw new MapFileRefused(`it has more than ${MAP_BYTES_MAX[type] / 1024 / 1024} MiB`);
    if (!uploaded.has(name) && uploaded.size >= FILES_MAX)
      throw new MapFileRefused(`there are ${FILES_MAX} map files already: remove one first`);
    isBusy = true;
    try {
      await checkRoom(bytes.length);
      if (offset === 0) await begin();
      await appendFile(part, bytes, { mode: 0o600, flush: isLast });
      coming = { name, bytes: offset + bytes.length };
      return isLast ? await take(name) : undefined;
    } catch (error) {
      coming = undefined;
      await rm(part, { force: true }).catch(() => {}); // what is left of it goes with the next start
      throw error;
    } finally {
      isBusy = false;
    }
  }

  async function begin(): Promise<void> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await rm(part, { force: true });
  }

  async function take(name: string): Promise<MapFile> {
    coming = undefined;
    // The kind of a file is told by the end of its name.
    const beside = join(dir, `.new-${name}`);
    await rename(part, beside);
    try {
      const facts = await lookAt(beside);
      await rename(beside, join(dir, name));
      const file = await locate({ path: join(dir, name), ...facts }, name, "upload");
      uploaded.set(name, file);
      return shown(file);
    } finally {
      await rm(beside, { force: true });
    }
  }

  async function checkRoom(bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(join(dir, ".."));
    if (bavail * bsize - bytes < options.diskFreeBytesMin) throw new MapFileRefused("the disk has no room for it");
  }

  async function remove(name: string): Promise<boolean> {
    if (!uploaded.has(name)) return false;
    await rm(join(dir, name), { force: true });
    uploaded.delete(name);
    return true;
  }

  const find = (name: string) => located().find((one) => one.name === name);

  return {
    /** Those that maps are drawn from now, the settings' first. */
    list: (): readonly MapFile[] => located().map(shown),
    put,
    /** False: no admin has sent one of this name. */
    remove,
    /** The bytes from `first` to `last` (included), or to its end; undefined where there is no such file or place in it. */
    async range(name: string, first: number, last: number) {
      const file = find(name);
      if (!file || first >= file.bytes) return undefined;
      const end = Math.min(last, file.bytes - 1);
      if (end - first >= RANGE_BYTES_MAX) throw new MapFileRefused("a range has 8 MiB at most");
      const handle = await open(file.path, "r");
      try {
        const bytes = Buffer.alloc(end - first + 1);
        const { bytesRead } = await handle.read(bytes, 0, bytes.length, first);
        return { bytes: bytes.subarray(0, bytesRead), first, total: file.bytes, version: file.version };
      } finally {
        await handle.close();
      }
    },
    /** All of a GeoJSON file, compressed. */
    whole(name: string): Promise<Buffer> | undefined {
      const file = find(name);
      if (file?.type !== "geojson") return undefined;
      const key = `${name} ${file.version}`;
      let content = packed.get(key);
      if (!content) {
        content = readFile(file.path).then((bytes) => compress(bytes));
        if (packed.size >= 2 * FILES_MAX) packed.clear();
        packed.set(key, content);
        content.catch(() => packed.delete(key));
      }
      return content;
    },
  };
}

export type MapFiles = Awaited<ReturnType<typeof openMapFiles>>;

/** Another file comes in now, or another piece of this one was expected: the sender may begin again. */
class MapFileBusy extends Error {
  override readonly name = "MapFileBusy";
}

const shown = ({ path: _, ...file }: Located): MapFile => file;

async function locate(file: Named, name: string, from: MapFile["from"]): Promise<Located> {
  const { mtimeMs, size } = await stat(file.path);
  const version = createHash("sha256").update(`${name} ${mtimeMs} ${size}`).digest("hex").slice(0, 12);
  return { ...file, name, from, version };
}

const namesIn = (dir: string): Promise<string[]> => readdir(dir).catch(() => []);

async function lookAt(path: string): Promise<MapFileFacts> {
  const thread = new Worker(new URL("./check-thread.ts", import.meta.url), {
    workerData: { path },
    resourceLimits: { maxOldGenerationSizeMb: 1_024 },
  });
  try {
    const said = await new Promise<{ facts: MapFileFacts } | { refused: string }>((resolve, reject) => {
      thread.addListener("message", resolve);
      thread.addListener("error", reject);
      thread.addListener("exit", () => reject(new MapFileRefused("it could not be looked at")));
    });
    if ("refused" in said) throw new MapFileRefused(said.refused);
    return said.facts;
  } finally {
    await thread.terminate();
  }
}
