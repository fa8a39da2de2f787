import type { MapFileView } from "../../contract/map.ts";
import type { Look, View } from "./look.ts";
import { type PlacedTile, paintBase } from "./paint.ts";
import { type Outline, openSource, type Source, type Tile } from "./sources.ts";

/** What the page asks of this thread. */
export type ToBase =
  | { readonly ask: "open"; readonly files: readonly MapFileView[]; readonly language: string }
  | { readonly ask: "view"; readonly view: View; readonly look: Look }
  | { readonly ask: "search"; readonly id: number; readonly words: string; readonly around: Around };
/** Degrees: where the city's sensors are. */
export type Around = { readonly west: number; readonly south: number; readonly east: number; readonly north: number };
export type FoundPlace = { readonly name: string; readonly lat: number; readonly lon: number };
/** What it answers. */
export type FromBase =
  | { readonly say: "picture"; readonly view: View; readonly bitmap: ImageBitmap }
  | { readonly say: "outlines"; readonly outlines: readonly Outline[] }
  | { readonly say: "found"; readonly id: number; readonly places: readonly FoundPlace[] }
  | { readonly say: "failed"; readonly file: string };

const WORLD_PX = 256;
const TILES_KEPT = 300;
const TILES_IN_SIGHT_MAX = 80;
/** What is not there by then is drawn when it comes. */
const PATIENCE_MS = 200;
const SEARCH_TILES_MAX = 100;
const PLACES_MAX = 8;

const thread = self as unknown as { postMessage(say: FromBase, transfer?: Transferable[]): void; onmessage: unknown };
let sources: readonly { readonly name: string; readonly source: Source }[] = [];
let opened: Promise<void> = Promise.resolve();
const kept = new Map<string, Promise<Tile | undefined> | { readonly tile: Tile | undefined }>();
let wanted: { view: View; look: Look } | undefined;
let isPainting = false;

thread.onmessage = ({ data }: { data: ToBase }) => {
  if (data.ask === "open") opened = open(data.files, data.language);
  else if (data.ask === "search") void opened.then(() => search(data));
  else {
    wanted = data;
    void opened.then(paintWanted);
  }
};

async function open(files: readonly MapFileView[], language: string): Promise<void> {
  const tried = await Promise.all(
    files.map(async (file) => {
      try {
        return [{ name: `${file.name} ${file.version}`, source: await openSource(file, language) }];
      } catch {
        thread.postMessage({ say: "failed", file: file.name });
        return [];
      }
    }),
  );
  sources = tried.flat();
  const outlines = sources.flatMap(({ source }) => source.outlines);
  if (outlines.length > 0) thread.postMessage({ say: "outlines", outlines });
}

/** The newest view only: what was asked for meanwhile is out of sight again. */
async function paintWanted(): Promise<void> {
  if (isPainting) return;
  isPainting = true;
  try {
    while (wanted) {
      const { view, look } = wanted;
      wanted = undefined;
      const needed = sources.flatMap((one) => tilesOf(one, view));
      const all = Promise.all(needed.map(({ load }) => load()));
      await Promise.race([all, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
      paint(needed, view, look);
      if (needed.every(({ at }) => at() !== undefined)) continue;
      await all;
      if (!wanted) paint(needed, view, look);
    }
  } finally {
    isPainting = false;
  }
}

type Needed = {
  readonly place: Omit<PlacedTile, "tile">;
  load(): Promise<unknown>;
  at(): { readonly tile: Tile | undefined } | undefined;
};

function tilesOf({ name, source }: (typeof sources)[number], view: View): Needed[] {
  const own = Math.round(view.zoom - Math.log2(source.tilePx / WORLD_PX));
  if (own < source.zoomMin - 1) return [];
  for (let z = Math.max(source.zoomMin, Math.min(source.zoomMax, own)); z >= source.zoomMin; z -= 1) {
    const size = (WORLD_PX * 2 ** view.zoom) / 2 ** z;
    const [x0, y0] = [Math.floor(view.left / size), Math.floor(view.top / size)];
    const [x1, y1] = [Math.floor((view.left + view.width) / size), Math.floor((view.top + view.height) / size)];
    if ((x1 - x0 + 1) * (y1 - y0 + 1) > TILES_IN_SIGHT_MAX) continue;
    const found: Needed[] = [];
    for (let x = x0; x <= x1; x += 1)
      for (let y = Math.max(0, y0); y <= Math.min(2 ** z - 1, y1); y += 1) {
        const around = ((x % 2 ** z) + 2 ** z) % 2 ** z;
        const key = `${name} ${z} ${around} ${y}`;
        found.push({
          place: { x: x * size - view.left, y: y * size - view.top, size },
          load: () => loadTile(key, () => source.tile(z, around, y)),
          at: () => {
            const one = kept.get(key);
            return one && "tile" in one ? one : undefined;
          },
        });
      }
    return found;
  }
  return [];
}

async function loadTile(key: string, load: () => Promise<Tile | undefined>): Promise<Tile | undefined> {
  const known = kept.get(key);
  if (known) {
    // To the end: what was used last is forgotten last.
    kept.delete(key);
    kept.set(key, known);
    return known instanceof Promise ? known : known.tile;
  }
  // A tile that cannot be read is a hole in the map, and no more.
  const coming = load().catch(() => undefined);
  kept.set(key, coming);
  const tile = await coming;
  kept.set(key, { tile });
  while (kept.size > TILES_KEPT) kept.delete(kept.keys().next().value!);
  return tile;
}

function paint(needed: readonly Needed[], view: View, look: Look): void {
  const [width, height] = [Math.ceil(view.width * view.ratio), Math.ceil(view.height * view.ratio)];
  if (width === 0 || height === 0) return;
  const canvas = new OffscreenCanvas(width, height);
  const tiles = needed.flatMap(({ place, at }): PlacedTile[] => {
    const tile = at()?.tile;
    return tile ? [{ ...place, tile }] : [];
  });
  paintBase(canvas.getContext("2d")!, tiles, view, look);
  const bitmap = canvas.transferToImageBitmap();
  thread.postMessage({ say: "picture", view, bitmap }, [bitmap]);
}

/** Names of streets and places around the city that have every word in them: those that begin so first. */
async function search({ id, words, around }: Extract<ToBase, { ask: "search" }>): Promise<void> {
  const asked = words.trim().toLowerCase();
  const found = new Map<string, FoundPlace>();
  for (const { name, source } of sources) {
    if (source.isPicture || asked === "") continue;
    const tiles = tilesAround(source, around);
    const loaded = await Promise.all(
      tiles.map(async ({ z, x, y }) => ({
        z,
        x,
        y,
        tile: await loadTile(`${name} ${z} ${x} ${y}`, () => source.tile(z, x, y)),
      })),
    );
    for (const { z, x, y, tile } of loaded)
      for (const label of tile?.labels ?? []) {
        if (!label.name.toLowerCase().includes(asked) || found.has(label.name)) continue;
        const [tx, ty] = label.spots[Math.floor(label.spots.length / 2)]!;
        found.set(label.name, { name: label.name, ...degrees((x + tx / 4096) / 2 ** z, (y + ty / 4096) / 2 ** z) });
      }
  }
  const starts = (one: FoundPlace) => (one.name.toLowerCase().startsWith(asked) ? 0 : 1);
  const places = [...found.values()]
    .sort((a, b) => starts(a) - starts(b) || a.name.localeCompare(b.name))
    .slice(0, PLACES_MAX);
  thread.postMessage({ say: "found", id, places });
}

function tilesAround({ zoomMin, zoomMax }: Source, { west, south, east, north }: Around) {
  const row = (lat: number, z: number) => {
    const sin = Math.sin((lat * Math.PI) / 180);
    return Math.floor((0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI)) * 2 ** z);
  };
  for (let z = zoomMax; z >= zoomMin; z -= 1) {
    const [x0, x1] = [west, east].map((lon) => Math.floor((lon / 360 + 0.5) * 2 ** z)) as [number, number];
    const [y0, y1] = [row(north, z), row(south, z)];
    const count = (x1 - x0 + 1) * (y1 - y0 + 1);
    if (count > SEARCH_TILES_MAX) continue;
    return Array.from({ length: count }, (_, i) => ({
      z,
      x: x0 + (i % (x1 - x0 + 1)),
      y: y0 + Math.floor(i / (x1 - x0 + 1)),
    }));
  }
  return [];
}

function degrees(x: number, y: number): { readonly lat: number; readonly lon: number } {
  return { lat: (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI, lon: (x - 0.5) * 360 };
}
