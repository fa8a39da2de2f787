import { language } from "../../shell/preferences.ts";

export type Position = { readonly lat: number; readonly lon: number };

const EARTH_RADIUS_M = 6_371_000;
const radians = (degrees: number) => (degrees * Math.PI) / 180;

/** Metres along the surface of a round earth (the haversine formula): good to half a percent. */
export function distanceM(a: Position, b: Position): number {
  const [dLat, dLon] = [radians(b.lat - a.lat) / 2, radians(b.lon - a.lon) / 2];
  const chord = Math.sin(dLat) ** 2 + Math.cos(radians(a.lat)) * Math.cos(radians(b.lat)) * Math.sin(dLon) ** 2;
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(chord)));
}

/** "350 m", "1.2 km": as one says it while walking or driving. */
export function sayDistance(metres: number): string {
  const far = metres >= 1_000;
  const value = far ? metres / 1_000 : Math.round(metres / 10) * 10;
  const unit = far ? "kilometer" : "meter";
  return new Intl.NumberFormat(language.value, {
    ...{ style: "unit", unit },
    maximumFractionDigits: far && value < 10 ? 1 : 0,
  }).format(value);
}
