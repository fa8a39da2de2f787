import { useEffect, useId, useRef, useState } from "preact/hooks";
import { districts, sensors } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { districtName } from "../words/words.ts";
import type { Around, FoundPlace } from "./base-worker.ts";
import type { LatLon } from "./leaflet.ts";

type SearchProps = {
  /** Of the streets of the map file. */
  readonly search: (words: string, around: Around) => Promise<readonly FoundPlace[]>;
  readonly onSensor: (id: string, place: LatLon) => void;
  readonly onDistrict: (id: string) => void;
  readonly onPlace: (place: LatLon) => void;
};

type Found = { readonly key: string; readonly text: string; readonly what: string; readonly go: () => void };

const SENSORS_MAX = 6;
const WAIT_MS = 150;
/** Degrees of longitude, and twice those of latitude: some three kilometres in the middle of Europe. */
const BEYOND = 0.045;

/** Finds a sensor, a district or a street, and goes there. */
export function PlaceSearch({ search, onSensor, onDistrict, onPlace }: SearchProps) {
  const t = messages.value;
  const id = useId();
  const [words, setWords] = useState("");
  const [places, setPlaces] = useState<readonly FoundPlace[]>([]);
  const box = useRef<HTMLDivElement>(null);

  useEffect(() => {
    setPlaces([]);
    const around = aroundSensors();
    if (words.trim().length < 2 || !around) return;
    let isOver = false;
    const timer = setTimeout(
      () =>
        void search(words, around).then((found) => {
          if (!isOver) setPlaces(found);
        }),
      WAIT_MS,
    );
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [words, search]);

  const found: Found[] = [
    ...districtsCalled(words).map((one) => ({
      key: `d ${one}`,
      text: districtName(one),
      what: t.desk.district,
      go: () => onDistrict(one),
    })),
    ...sensorsCalled(words).map(({ id: sensor, text, place }) => ({
      key: `s ${sensor}`,
      text,
      what: t.desk.sensor,
      go: () => onSensor(sensor, place),
    })),
    ...places.map((place) => ({
      key: `p ${place.name}`,
      text: place.name,
      what: t.map.place,
      go: () => onPlace(place),
    })),
  ];
  const choose = ({ go }: Found) => {
    setWords("");
    go();
  };
  return (
    <div ref={box} class="place-search">
      <input
        id={id}
        type="text"
        inputMode="search"
        autocomplete="off"
        aria-label={t.map.search}
        placeholder={t.map.search}
        value={words}
        maxLength={80}
        onInput={({ currentTarget: { value } }) => setWords(value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && found[0]) choose(found[0]);
          if (event.key === "Escape") setWords("");
          if (event.key === "ArrowDown") {
            event.preventDefault();
            box.current?.querySelector<HTMLElement>("li button")?.focus();
          }
        }}
      />
      {words.trim().length > 1 && (
        <ul class="panel" aria-label={t.map.found}>
          {found.map((one) => (
            <li key={one.key}>
              <button type="button" onClick={() => choose(one)}>
                {one.text} <small class="quiet">{one.what}</small>
              </button>
            </li>
          ))}
          {found.length === 0 && <li class="quiet">{t.map.nothingFound}</li>}
        </ul>
      )}
    </div>
  );
}

const contains = (text: string, words: string) => text.toLowerCase().includes(words.trim().toLowerCase());

function districtsCalled(words: string): readonly string[] {
  if (words.trim().length < 2) return [];
  return districts.value.filter((id) => contains(`${id} ${districtName(id)}`, words)).slice(0, SENSORS_MAX);
}

function sensorsCalled(words: string) {
  const found: { id: string; text: string; place: LatLon }[] = [];
  if (words.trim().length < 2) return found;
  for (const { id, name = id, lat, lon } of sensors.value.values()) {
    if (lat === undefined || lon === undefined || !contains(`${id} ${name}`, words)) continue;
    found.push({ id, text: name, place: { lat, lon } });
    if (found.length === SENSORS_MAX) break;
  }
  return found;
}

function aroundSensors(): Around | undefined {
  let around: Around | undefined;
  for (const { lat, lon } of sensors.peek().values()) {
    if (lat === undefined || lon === undefined) continue;
    around = {
      west: Math.min(around?.west ?? lon, lon),
      east: Math.max(around?.east ?? lon, lon),
      south: Math.min(around?.south ?? lat, lat),
      north: Math.max(around?.north ?? lat, lat),
    };
  }
  if (!around) return undefined;
  const { west, south, east, north } = around;
  return { west: west - BEYOND, south: south - BEYOND / 2, east: east + BEYOND, north: north + BEYOND / 2 };
}
