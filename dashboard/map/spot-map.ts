import { circleMarker, layerGroup } from "leaflet";
import type { Severity } from "../../model/alert.ts";
import { readColours } from "../style/colours.ts";
import { type LatLon, type MapBase, openLeaflet } from "./leaflet.ts";
import { onTheme } from "./map-base.ts";

type Spot = LatLon & { readonly severity?: Severity | undefined };

const ZOOM = 15;
const OTHERS_MAX = 500;

/** A small map around one spot. */
export function openSpot(container: HTMLElement, base: MapBase) {
  const own = openLeaflet(container, { ...base, isInPage: true });
  const { map } = own;
  const layer = layerGroup().addTo(map);
  let shown: { spot: Spot; others: readonly Spot[] } | undefined;
  let centred: string | undefined;

  function draw(): void {
    if (!shown) return;
    const colours = readColours(container, {
      critical: "--critical",
      warning: "--warning-fill",
      info: "--info",
      calm: "--calm",
      surface: "--surface",
      accent: "--accent",
    });
    const { spot, others } = shown;
    layer.clearLayers();
    const dot = ({ lat, lon, severity }: Spot, radius: number) =>
      layer.addLayer(
        circleMarker([lat, lon], {
          radius,
          weight: 2,
          color: colours.surface,
          fillColor: colours[severity ?? "calm"],
          fillOpacity: 1,
          interactive: false,
        }),
      );
    for (const one of others.slice(0, OTHERS_MAX)) dot(one, 5);
    layer.addLayer(
      circleMarker([spot.lat, spot.lon], {
        radius: 14,
        weight: 3,
        color: colours.accent,
        fill: false,
        interactive: false,
      }),
    );
    dot(spot, 9);
    const key = `${spot.lat} ${spot.lon}`;
    if (centred !== key && map.getSize().x > 0) {
      centred = key;
      map.setView([spot.lat, spot.lon], ZOOM, { animate: false });
    }
  }

  const observer = new ResizeObserver(() => {
    map.invalidateSize({ animate: false });
    draw();
  });
  observer.observe(container);
  const stop = onTheme(() => {
    own.base()?.recolour();
    draw();
  });
  return {
    show(spot: Spot, others: readonly Spot[]): void {
      shown = { spot, others };
      draw();
    },
    close(): void {
      stop();
      observer.disconnect();
      own.close();
    },
  };
}
