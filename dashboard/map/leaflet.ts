import "leaflet/dist/leaflet.css";
import { control, map as createMap, type Map as LeafletMap, latLngBounds, tileLayer } from "leaflet";

/** A place on the ground, WGS 84. */
export type LatLon = { readonly lat: number; readonly lon: number };

export type MapWords = { readonly zoomIn: string; readonly zoomOut: string };

type LeafletOptions = {
  readonly tilesUrl: string | undefined;
  readonly words: MapWords;
  /** Turned by the wheel only while the map has the focus: a page with a map in it is still scrolled. */
  readonly isInPage?: boolean;
};

/** Leaflet as every map of the page uses it, with what lies under the sensors. Call `remove` at the end. */
export function openLeaflet(container: HTMLElement, { tilesUrl, words, isInPage }: LeafletOptions): LeafletMap {
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
  if (tilesUrl) tileLayer(tilesUrl, { maxZoom: 18, opacity: 0.8 }).addTo(map);
  if (isInPage) {
    map.on("focus", () => map.scrollWheelZoom.enable());
    map.on("blur", () => map.scrollWheelZoom.disable());
  }
  return map;
}

/** Six digits after the point are a tenth of a metre: more is not known of any sensor, and would only look so. */
export function roundPlace({ lat, lng }: { readonly lat: number; readonly lng: number }): LatLon {
  return { lat: Math.round(lat * 1e6) / 1e6, lon: Math.round(lng * 1e6) / 1e6 };
}

/** The bounds around some places, however few. */
export const boundsOf = (places: readonly LatLon[]) => latLngBounds(places.map(({ lat, lon }) => [lat, lon]));
