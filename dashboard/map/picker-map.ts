import { circleMarker, divIcon, layerGroup, marker } from "leaflet";
import { readColours } from "../style/colours.ts";
import { boundsOf, type LatLon, type MapBase, openLeaflet, roundPlace } from "./leaflet.ts";
import { onTheme } from "./map-base.ts";

type PickerOptions = MapBase & {
  readonly onPick: (place: LatLon) => void;
};

const CLOSE_ZOOM = 16;
const PIN_PX = [26, 34] as const;
/** More would be a grey cloud, and slow to draw. */
const OTHERS_MAX = 2_000;

/** A map on which one place is chosen: by a click, by dragging the pin, or with Enter in the middle of the map. */
export function openPicker(container: HTMLElement, { onPick, ...base }: PickerOptions) {
  const own = openLeaflet(container, { ...base, isInPage: true });
  const { map } = own;
  const others = layerGroup().addTo(map);
  const icon = divIcon({ className: "place-pin", iconSize: [...PIN_PX], iconAnchor: [PIN_PX[0] / 2, PIN_PX[1]] });
  const pin = marker([0, 0], { icon, draggable: true, keyboard: false, autoPan: true });
  let known: LatLon | undefined;
  let around: readonly LatLon[] = [];
  let moved = false;

  const pick = (at: { lat: number; lng: number }) => {
    const place = roundPlace(map.wrapLatLng([at.lat, at.lng]));
    show(place);
    onPick(place);
  };

  /** The pin, which comes into sight wherever it is said to be. */
  function show(place: LatLon | undefined): void {
    const same = place?.lat === known?.lat && place?.lon === known?.lon;
    known = place;
    if (!place) return void pin.remove();
    pin.setLatLng([place.lat, place.lon]).addTo(map);
    if (!moved) return frame();
    if (!same && !map.getBounds().contains([place.lat, place.lon])) map.panTo([place.lat, place.lon]);
  }

  function frame(): void {
    if (map.getSize().x === 0) return;
    if (known) map.setView([known.lat, known.lon], CLOSE_ZOOM, { animate: false });
    else if (around.length > 0) map.fitBounds(boundsOf(around), { padding: [24, 24], maxZoom: 15, animate: false });
  }

  map.on("click", ({ latlng }) => {
    moved = true;
    pick(latlng);
  });
  pin.on("dragend", () => pick(pin.getLatLng()));
  for (const name of ["pointerdown", "wheel", "keydown"])
    container.addEventListener(name, () => (moved = true), { passive: true });
  container.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target !== container) return;
    event.preventDefault();
    pick(map.getCenter());
  });
  const observer = new ResizeObserver(() => {
    map.invalidateSize({ animate: false });
    if (!moved) frame();
  });
  observer.observe(container);
  const stop = onTheme(() => own.base()?.recolour());

  return {
    show,
    /** What is there already, so that one finds one's way. */
    showOthers(places: readonly LatLon[]): void {
      const { calm, surface } = readColours(container, { calm: "--calm", surface: "--surface" });
      others.clearLayers();
      for (const { lat, lon } of places.slice(0, OTHERS_MAX)) {
        const look = { radius: 4, weight: 1, color: surface, fillColor: calm, fillOpacity: 1, interactive: false };
        others.addLayer(circleMarker([lat, lon], look));
      }
      around = places;
      if (!moved) frame();
    },
    close(): void {
      stop();
      observer.disconnect();
      own.close();
    },
  };
}
