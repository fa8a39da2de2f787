import "../map/map.css";
import { computed, effect, signal, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { SensorView } from "../../contract/reading.ts";
import type { MetricName } from "../../model/metrics.ts";
import { alerts, refreshSensor, sensors } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { Button } from "../parts/fields.tsx";
import { Fact, SeverityMark, useWidget } from "../parts/show.tsx";
import { theme } from "../shell/preferences.ts";
import { session } from "../shell/session.ts";
import { titleOf } from "../words/tell.ts";
import { Moment } from "../words/time.tsx";
import { districtName, formatValue, metricLabel } from "../words/words.ts";
import { QuietedChip } from "./alert-list.tsx";
import type { Desk } from "./desk-state.ts";
import { type Dot, hull, project } from "./geometry.ts";
import type { OpenMap } from "./leaflet-map.ts";

type Placed = SensorView & { readonly lat: number; readonly lon: number };

/** The map with what the desk knows. Leaflet is a chunk of its own: the list is there before it. */
export function CityMap({ desk }: { desk: Desk }) {
  const t = messages.value.desk;
  const chosen = useSignal<string | undefined>(undefined);
  const placed = useMemo(placedSensors, []);
  const unplaced = sensors.value.size - placed.value.length;

  const { box, failed } = useWidget(async () => {
    const { openMap } = await import("./leaflet-map.ts");
    return (element) => {
      const onSensor = (id: string | undefined) => {
        chosen.value = id;
        if (id !== undefined) refreshSensor(id);
      };
      const tilesUrl = session.peek()?.tilesUrl;
      const map = openMap(element, { tilesUrl, onSensor, words: messages.peek().map });
      return { close: feed(map, desk, placed, chosen) };
    };
  });

  const sensor = chosen.value === undefined ? undefined : sensors.value.get(chosen.value);
  return (
    <>
      <div ref={box} class="map" role="application" aria-label={t.mapLabel} />
      {failed && <p class="map-note">{t.mapFailed}</p>}
      {unplaced > 0 && <p class="map-note quiet">{t.unplaced(unplaced)}</p>}
      {sensor && <SensorCard desk={desk} sensor={sensor} onClose={() => (chosen.value = undefined)} />}
    </>
  );
}

function placedSensors() {
  return computed(() =>
    [...sensors.value.values()].filter((one): one is Placed => one.lat !== undefined && one.lon !== undefined),
  );
}

/** Keeps the map up to date until the desk closes. */
function feed(map: OpenMap, desk: Desk, placed: { value: readonly Placed[] }, chosen: { value: string | undefined }) {
  const places = computed(() =>
    placed.value.map((one) => ({ ...project(one.lat, one.lon), id: one.id, district: one.district })),
  );
  const hulls = computed(() => {
    const groups = Map.groupBy(places.value, (place) => place.district);
    return new Map([...groups].map(([district, members]) => [district, hull(members)]));
  });
  const fitted = signal<string | undefined>("nothing yet");
  const stops = [
    effect(() => {
      const marks = desk.ofSensor.value;
      const dots: Dot[] = places.value.map((place) => {
        const mark = marks.get(place.id);
        return { ...place, severity: mark?.severity, isQuieted: (mark?.quieted ?? 0) > 0 };
      });
      const ofAlert = alerts.peek().get(desk.current.value ?? "")?.subject.sensorId;
      const chosenDistrict = desk.filters.value.district;
      map.show({
        dots,
        hulls: hulls.value,
        districts: desk.ofDistrict.value,
        chosenDistrict,
        current: chosen.value ?? ofAlert,
      });
    }),
    effect(() => {
      const { district } = desk.filters.value;
      if (placed.value.length === 0 || fitted.peek() === (district ?? "")) return;
      fitted.value = district ?? "";
      map.showAll(placed.value.filter((one) => !district || one.district === district));
    }),
    effect(() => {
      theme.value; // and nothing else: the colours are read from the document
      map.recolour();
    }),
  ];
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", map.recolour);
  return () => {
    for (const stop of stops) stop();
    dark.removeEventListener("change", map.recolour);
    map.close();
  };
}

const VALUES_MAX = 6;

/** The sensor that was pointed at: what it last said, and its open alerts. */
function SensorCard({ desk, sensor, onClose }: { desk: Desk; sensor: SensorView; onClose: () => void }) {
  const { desk: t, shell, words } = messages.value;
  const { latest } = sensor;
  const open = desk.open.value.filter(({ subject }) => subject.sensorId === sensor.id);
  const values = Object.entries(latest?.values ?? {}).slice(0, VALUES_MAX) as [MetricName, number][];
  return (
    <aside class="panel sensor-card" aria-label={t.sensor}>
      <div class="sensor-card-head">
        <div>
          <h2>{sensor.name ?? sensor.id}</h2>
          <p class="quiet">
            {words.kind[sensor.kind]} · {districtName(sensor.district)}
          </p>
        </div>
        <Button class="quiet" aria-label={shell.close} onClick={onClose}>
          ✕
        </Button>
      </div>
      {open.map((alert) => (
        <p key={alert.id} class="cluster">
          <SeverityMark severity={alert.severity} />
          <a href={`/alerts/${encodeURIComponent(alert.id)}`}>{titleOf(alert)}</a>
          <QuietedChip alert={alert} />
        </p>
      ))}
      {latest ? (
        <dl class="values">
          {values.map(([metric, value]) => (
            <Fact key={metric} name={metricLabel(metric)}>
              {formatValue(value, metric)}
            </Fact>
          ))}
          <Fact name={t.lastReading}>
            <Moment at={latest.measuredAt} />
          </Fact>
        </dl>
      ) : (
        <p class="quiet">{t.noReading}</p>
      )}
      <a href={`/sensors/${sensor.id}`}>{t.toSensor}</a>
    </aside>
  );
}
