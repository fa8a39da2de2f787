import { getPosition } from "suncalc";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../model/time.ts";

/** Degrees north and east. */
export type Spot = { readonly lat: number; readonly lon: number };

/** The upper limb at the horizon: the sun's radius is 0.27°. Refraction is in `altitudeAt`. */
export const SUNSET_DEG = -0.27;

/** How high the sun stands, in degrees, with refraction (Meeus, Astronomical Algorithms, as in `suncalc`). */
const altitudeAt = ({ lat, lon }: Spot, at: number): number => getPosition(new Date(at), lat, lon).altitude;

/** The noon (of the mean sun) that a moment follows. Nights lie between two noons wherever a lamp stands. */
export function noonBefore(lon: number, at: number): number {
  const noon = DAY_MS / 2 - (lon / 15) * HOUR_MS;
  return Math.floor((at - noon) / DAY_MS) * DAY_MS + noon;
}

/** When the sun passes a height on its way down and up again; "above" or "below": it does not, in that night. */
export type Passing = { readonly down: number; readonly up: number } | "above" | "below";

/** The night after a noon: the sun falls until about twelve hours later, and rises until the next noon. */
export function nightAfter(spot: Spot, noon: number) {
  const lowest = lowestBetween(spot, noon + 11 * HOUR_MS, noon + 13 * HOUR_MS);
  const low = altitudeAt(spot, lowest);
  const high = Math.min(altitudeAt(spot, noon), altitudeAt(spot, noon + DAY_MS));
  return {
    /** Its height at a moment. */
    altitudeAt: (at: number) => altitudeAt(spot, at),
    passing(degrees: number): Passing {
      if (low > degrees) return "above";
      if (high < degrees) return "below";
      return {
        down: passage(spot, degrees, noon, lowest),
        up: passage(spot, degrees, noon + DAY_MS, lowest),
      };
    },
  };
}

/** True midnight: up to 17 minutes from the mean one. */
function lowestBetween(spot: Spot, from: number, to: number): number {
  let [a, b] = [from, to];
  while (b - a > MINUTE_MS / 2) {
    const [left, right] = [a + (b - a) / 3, b - (b - a) / 3];
    if (altitudeAt(spot, left) < altitudeAt(spot, right)) b = right;
    else a = left;
  }
  return (a + b) / 2;
}

function passage(spot: Spot, degrees: number, day: number, night: number): number {
  let [above, below] = [day, night];
  while (Math.abs(above - below) > 1_000) {
    const middle = (above + below) / 2;
    if (altitudeAt(spot, middle) > degrees) above = middle;
    else below = middle;
  }
  return Math.round((above + below) / 2);
}
