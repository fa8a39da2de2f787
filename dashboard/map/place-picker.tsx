import "./map.css";
import { useEffect, useId, useRef } from "preact/hooks";
import { loadSensors, sensors, sensorsLoaded } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { useWidget } from "../parts/show.tsx";
import type { LatLon } from "./leaflet.ts";
import { mapBase } from "./map-base.ts";

type PlacePickerProps = {
  /** Where the pin stands; without it there is none yet. */
  readonly place: LatLon | undefined;
  /** The chosen place, in degrees with six digits after the point. */
  readonly onPick: (place: LatLon) => void;
  readonly label?: string;
};

/** A place chosen on a map: by a click or a tap, by dragging the pin, or by moving the map with the arrow keys and pressing Enter. */
export function PlacePicker({ place, onPick, label }: PlacePickerProps) {
  const { map: t } = messages.value;
  const id = useId();
  // The widget is opened once; what it calls is what was handed in last.
  const picked = useRef(onPick);
  picked.current = onPick;

  const { box, widget, failed } = useWidget(async () => {
    const { openPicker } = await import("./picker-map.ts");
    return (element) =>
      openPicker(element, {
        ...mapBase(),
        onPick: (chosen) => picked.current(chosen),
      });
  });

  useEffect(() => widget?.show(place), [widget, place?.lat, place?.lon]);
  useEffect(() => {
    if (!sensorsLoaded.peek()) void loadSensors().catch(() => {});
  }, []);
  const all = sensors.value;
  useEffect(() => {
    const placed = [...all.values()].flatMap(({ lat, lon }) =>
      lat === undefined || lon === undefined ? [] : [{ lat, lon }],
    );
    widget?.showOthers(placed);
  }, [widget, all]);

  if (failed) return <p class="quiet">{t.failed}</p>;
  return (
    <div class="place-picker">
      <div class="map-frame">
        <div ref={box} class="map" role="application" aria-label={label ?? t.pickLabel} aria-describedby={id} />
        <span class="crosshair" aria-hidden="true" />
      </div>
      <p id={id} class="quiet">
        {t.pickHint}
      </p>
    </div>
  );
}
