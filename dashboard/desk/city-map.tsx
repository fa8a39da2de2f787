import "../map/map.css";
import { computed, effect, signal, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { SensorView } from "../../contract/reading.ts";
import { KINDS } from "../../model/kinds.ts";
import type { MetricName } from "../../model/metrics.ts";
import { alerts, alertsLoaded, loadSensors, refreshSensor, sensors, sensorsLoaded } from "../live/live.ts";
import { mapBase, onTheme } from "../map/map-base.ts";
import { MapPanel, shownValues } from "../map/map-panel.tsx";
import { mapSettings } from "../map/map-settings.ts";
import { PlaceSearch } from "../map/place-search.tsx";
import type { Outline } from "../map/sources.ts";
import { stepOf } from "../map/value-scale.ts";
import { messages } from "../messages/messages.ts";
import { Button } from "../parts/fields.tsx";
import { Fact, SeverityMark, useWidget } from "../parts/show.tsx";
import { titleOf } from "../words/tell.ts";
import { Moment } from "../words/time.tsx";
import { districtName, formatValue, metricLabel } from "../words/words.ts";
import { QuietedChip } from "./alert-list.tsx";
import type { Desk } from "./desk-state.ts";
import { type Dot, hull, type MapPoint, project } from "./geometry.ts";
import type { OpenMap } from "./leaflet-map.ts";

type Placed = SensorView & { readonly lat: number; readonly lon: number };

/** The map with what the desk knows. Leaflet is a chunk of its own: the list is there before it. */
export function CityMap({ desk }: { desk: Desk }) {
  const t = messages.value.desk;
  const chosen = useSignal<string | undefined>(undefined);
  const placed = useMemo(placedSensors, []);
  const unplaced = sensors.value.size - placed.value.length;

  const outlines = useMemo(() => signal<readonly Outline[]>([]), []);
  const { box, widget, failed } = useWidget(async () => {
    const { openMap } = await import("./leaflet-map.ts");
    return (element) => {
      const onSensor = (id: string | undefined) => {
        chosen.value = id;
        if (id !== undefined) refreshSensor(id);
      };
      const after = alertsAreThere();
      const onOutlines = (found: readonly Outline[]) => (outlines.value = found);
      const map = openMap(element, { ...mapBase(), after, onOutlines, onSensor });
      return { map, close: feed(map, desk, placed, chosen, outlines) };
    };
  });

  const sensor = chosen.value === undefined ? undefined : sensors.value.get(chosen.value);
  return (
    <>
      <div ref={box} class="map" role="application" aria-label={t.mapLabel} />
      {widget && (
        <PlaceSearch
          search={widget.map.search}
          onDistrict={(district) => desk.setFilters({ district })}
          onPlace={widget.map.goTo}
          onSensor={(id, place) => {
            widget.map.goTo(place);
            chosen.value = id;
            refreshSensor(id);
          }}
        />
      )}
      <MapPanel />
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
function feed(
  map: OpenMap,
  desk: Desk,
  placed: { value: readonly Placed[] },
  chosen: { value: string | undefined },
  outlines: { value: readonly Outline[] },
) {
  const places = computed(() =>
    placed.value.map((one) => ({ ...project(one.lat, one.lon), id: one.id, district: one.district, kind: one.kind })),
  );
  const known = computed(() => outlinesOf(outlines.value));
  const values = computed(shownValues);
  const hulls = computed(() => {
    const groups = Map.groupBy(places.value, (place) => place.district);
    return new Map([...groups].map(([district, members]) => [district, hull(members)]));
  });
  const fitted = signal<string | undefined>("nothing yet");
  const stops = [
    effect(() => {
      const marks = desk.ofSensor.value;
      const { kinds, alerts: withAlerts, maintenance, coverage } = mapSettings.value;
      const shown = values.value;
      const isWhole = kinds.length === KINDS.length;
      const dots: Dot[] = [];
      for (const place of places.value) {
        if (!isWhole && !kinds.includes(place.kind)) continue;
        const mark = marks.get(place.id);
        const value = shown?.values.get(place.id);
        const { low = 0, high = 0 } = shown?.range ?? {};
        dots.push({
          ...place,
          severity: withAlerts && !shown ? mark?.severity : undefined,
          isQuieted: maintenance && !shown && (mark?.quieted ?? 0) > 0,
          step: value === undefined ? undefined : stepOf(value, low, high),
        });
      }
      const ofAlert = alerts.peek().get(desk.current.value ?? "")?.subject.sensorId;
      const chosenDistrict = desk.filters.value.district;
      map.show({
        dots,
        hulls: hulls.value,
        outlines: known.value,
        coverage,
        districts: withAlerts ? desk.ofDistrict.value : NO_MARKS,
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
    onTheme(map.recolour),
    keepValuesFresh(),
  ];
  return () => {
    for (const stop of stops) stop();
    map.close();
  };
}

const NO_MARKS: Desk["ofDistrict"]["value"] = new Map();
const FRESH_MS = 30_000;

/** While values are shown as colours they are asked for again: the stream tells of alerts only. */
function keepValuesFresh(): () => void {
  const timer = setInterval(() => {
    if (mapSettings.peek().metric !== undefined && document.visibilityState === "visible")
      void loadSensors().catch(() => {}); // the next one tries again
  }, FRESH_MS);
  return () => clearInterval(timer);
}

/** What needs someone comes first on a slow line, then the sensors, then the ground under them. */
function alertsAreThere(): Promise<void> {
  return new Promise((resolve) => {
    const stop = effect(() => {
      if (!alertsLoaded.value || !sensorsLoaded.value) return;
      queueMicrotask(() => stop());
      resolve();
    });
  });
}

function outlinesOf(outlines: readonly Outline[]): ReadonlyMap<string, readonly (readonly MapPoint[])[]> {
  return new Map(
    outlines.map(({ id, rings }) => [id, rings.map((ring) => ring.map(([lon, lat]) => project(lat, lon)))]),
  );
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
