import "leaflet/dist/leaflet.css";
import { control, map as createMap, type Map as LeafletMap, latLngBounds, tileLayer } from "leaflet";
import type { MapView } from "../../contract/map.ts";
import { type BaseMap, openBaseMap } from "./base-map.ts";
import type { Outline } from "./sources.ts";

/** A place on the ground, WGS 84. */
export type LatLon = { readonly lat: number; readonly lon: number };

export type MapWords = { readonly zoomIn: string; readonly zoomOut: string };

export type MapBase = {
  /** What lies under the sensors, as the session says. */
  readonly view: MapView | undefined;
  readonly words: MapWords;
  readonly language: string;
};

type LeafletOptions = MapBase & {
  /** Turned by the wheel only while the map has the focus: a page with a map in it is still scrolled. */
  readonly isInPage?: boolean;
  /** What comes first on a slow line; then the base map. */
  readonly after?: Promise<unknown>;
  readonly onOutlines?: (outlines: readonly Outline[]) => void;
};

const OSM_COPYRIGHT = "https://www.openstreetmap.org/copyright";

/** Leaflet as every map of the page uses it, with what lies under the sensors. */
export function openLeaflet(container: HTMLElement, options: LeafletOptions) {
  const { view, words, language, isInPage, onOutlines = () => {} } = options;
  const map = createMap(container, {
    zoomControl: false,
    attributionControl: false,
    zoomAnimation: false,
    fadeAnimation: false,
    minZoom: 3,
    maxZoom: 18,
    zoomSnap: 0.25,
    zoomDelta: 1,
    wheelPxPerZoomLevel: 90,
    scrollWheelZoom: !isInPage,
  }).setView([50, 10], 5);
  control.zoom({ position: "topright", zoomInTitle: words.zoomIn, zoomOutTitle: words.zoomOut }).addTo(map);
  control.scale({ position: "bottomright", imperial: false, maxWidth: 110 }).addTo(map);
  if (view?.attribution) container.append(attributionOf(view.attribution));
  if (view?.tilesUrl) tileLayer(view.tilesUrl, { maxZoom: 18, opacity: 0.8 }).addTo(map);
  if (isInPage) {
    map.on("focus", () => map.scrollWheelZoom.enable());
    map.on("blur", () => map.scrollWheelZoom.disable());
  }
  let base: BaseMap | undefined;
  let isClosed = false;
  const files = view?.files ?? [];
  const open = () => {
    if (!isClosed && files.length > 0) base = openBaseMap(map, { files, language, onOutlines });
  };
  if (options.after) void options.after.then(open, open);
  else open();

  return {
    map,
    base: () => base,
    close(): void {
      isClosed = true;
      base?.close();
      map.remove();
    },
  };
}

/** As text, which cannot bring anything else along; with the link that OpenStreetMap asks for. */
function attributionOf(text: string): HTMLElement {
  const line = document.createElement("p");
  line.className = "map-attribution";
  const [before, after] = text.split("OpenStreetMap", 2);
  line.append(before ?? "");
  if (after !== undefined) {
    const link = document.createElement("a");
    Object.assign(link, {
      href: OSM_COPYRIGHT,
      target: "_blank",
      rel: "noopener noreferrer",
      textContent: "OpenStreetMap",
    });
    line.append(link, text.slice(before!.length + "OpenStreetMap".length));
  }
  return line;
}

export type OpenLeaflet = { readonly map: LeafletMap; readonly base: () => BaseMap | undefined; close(): void };

/** Six digits after the point are a tenth of a metre: more is not known of any sensor, and would only look so. */
export function roundPlace({ lat, lng }: { readonly lat: number; readonly lng: number }): LatLon {
  return { lat: Math.round(lat * 1e6) / 1e6, lon: Math.round(lng * 1e6) / 1e6 };
}

/** The bounds around some places, however few. */
export const boundsOf = (places: readonly LatLon[]) => latLngBounds(places.map(({ lat, lon }) => [lat, lon]));
