import "./map.css";
import { useEffect } from "preact/hooks";
import type { Severity } from "../../model/alert.ts";
import { messages } from "../messages/messages.ts";
import { useWidget } from "../parts/show.tsx";
import type { LatLon } from "./leaflet.ts";
import { mapBase } from "./map-base.ts";

type SmallMapProps = {
  readonly place: LatLon;
  /** In words: what stands there. */
  readonly label: string;
  /** Of its worst open alert. */
  readonly severity?: Severity | undefined;
  /** Drawn smaller, beside it. */
  readonly others?: readonly (LatLon & { readonly severity?: Severity | undefined })[];
};

const NOBODY: readonly LatLon[] = [];

/** Where something is, with the streets around it. */
export function SmallMap({ place, label, severity, others = NOBODY }: SmallMapProps) {
  const { map: t } = messages.value;
  const { box, widget, failed } = useWidget(async () => {
    const { openSpot } = await import("./spot-map.ts");
    return (element) => openSpot(element, mapBase());
  });
  useEffect(() => widget?.show({ ...place, severity }, others), [widget, place.lat, place.lon, severity, others]);
  if (failed) return <p class="quiet">{t.failed}</p>;
  return (
    <div class="map-frame small">
      <div ref={box} class="map" role="application" aria-label={label} />
    </div>
  );
}
