import type { Map as LeafletMap } from "leaflet";
import type { MapView } from "../../contract/map.ts";
import { readColours } from "../style/colours.ts";
import type { Around, FoundPlace, FromBase, ToBase } from "./base-worker.ts";
import { LOOK, type View } from "./look.ts";
import type { Outline } from "./sources.ts";

/** Beyond each edge that is painted, too, as a part of the size: what comes into sight while the map is dragged. */
const MARGIN = 0.25;
/** While the map is dragged it is painted again so often. */
const DRAG_MS = 120;

type BaseOptions = {
  readonly files: MapView["files"];
  readonly language: string;
  readonly onOutlines: (outlines: readonly Outline[]) => void;
};

/**
 * What lies under the sensors: painted by a thread of its own as one picture, which this only puts in its place. Until the next
 * picture is there the last one is moved and scaled.
 */
export function openBaseMap(map: LeafletMap, { files, language, onOutlines }: BaseOptions) {
  const container = map.getContainer();
  const canvas = document.createElement("canvas");
  canvas.className = "base-map";
  const painter = canvas.getContext("bitmaprenderer")!;
  map.getPanes().tilePane.append(canvas);
  const worker = new Worker(new URL("./base-worker.ts", import.meta.url), { type: "module" });
  const ask = (question: ToBase) => worker.postMessage(question);
  let shown: View | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const waiting = new Map<number, (places: readonly FoundPlace[]) => void>();

  worker.onmessage = ({ data }: MessageEvent<FromBase>) => {
    if (data.say === "outlines") onOutlines(data.outlines);
    else if (data.say === "found") {
      waiting.get(data.id)?.(data.places);
      waiting.delete(data.id);
    } else if (data.say === "picture") {
      shown = data.view;
      canvas.width = data.bitmap.width;
      canvas.height = data.bitmap.height;
      painter.transferFromImageBitmap(data.bitmap);
      place();
      canvas.dataset.zoom = String(data.view.zoom);
    }
  };
  ask({ ask: "open", files, language });

  /** The picture where its ground is now. */
  function place(): void {
    if (!shown) return;
    const scale = 2 ** (map.getZoom() - shown.zoom);
    const origin = map.getPixelOrigin();
    const [x, y] = [shown.left * scale - origin.x, shown.top * scale - origin.y];
    canvas.style.width = `${shown.width}px`;
    canvas.style.height = `${shown.height}px`;
    canvas.style.transform = `translate3d(${x}px, ${y}px, 0) scale(${scale})`;
  }

  function request(): void {
    clearTimeout(timer);
    timer = undefined;
    const size = map.getSize();
    if (size.x === 0 || size.y === 0) return;
    const margin = size.multiplyBy(MARGIN).round();
    const corner = map.getPixelBounds().min!.subtract(margin);
    ask({
      ask: "view",
      view: {
        zoom: map.getZoom(),
        left: corner.x,
        top: corner.y,
        width: size.x + 2 * margin.x,
        height: size.y + 2 * margin.y,
        ratio: Math.min(2, window.devicePixelRatio || 1),
      },
      look: readColours(container, LOOK),
    });
  }

  map.on("zoom viewreset", place);
  map.on("moveend zoomend resize viewreset", request);
  map.on("move", () => (timer ??= setTimeout(request, DRAG_MS)));
  request();

  return {
    /** After the theme has changed. */
    recolour: request,
    /** Streets and places of the map that are called so. */
    search: (words: string, around: Around): Promise<readonly FoundPlace[]> =>
      new Promise((resolve) => {
        const id = Math.random();
        waiting.set(id, resolve);
        ask({ ask: "search", id, words, around });
      }),
    close(): void {
      clearTimeout(timer);
      worker.terminate();
      canvas.remove();
    },
  };
}

export type BaseMap = ReturnType<typeof openBaseMap>;
