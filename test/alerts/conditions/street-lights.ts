import { random } from "../builders.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const RAD = Math.PI / 180;

/**
 * The sun's height in degrees by the equations of NOAA's solar calculator (fractional year, Spencer 1971), written here so
 * that what the service expects is not checked against itself. Good to some tenths of a degree.
 */
export function sunHeight(lat: number, lon: number, at: number): number {
  const date = new Date(at);
  const day = (at - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY;
  const year = (2 * Math.PI * (day - 0.5)) / 365.2422;
  const equation =
    229.18 *
    (0.000075 +
      0.001868 * Math.cos(year) -
      0.032077 * Math.sin(year) -
      0.014615 * Math.cos(2 * year) -
      0.040849 * Math.sin(2 * year));
  const declination =
    0.006918 -
    0.399912 * Math.cos(year) +
    0.070257 * Math.sin(year) -
    0.006758 * Math.cos(2 * year) +
    0.000907 * Math.sin(2 * year) -
    0.002697 * Math.cos(3 * year) +
    0.00148 * Math.sin(3 * year);
  const minutes = (at % DAY) / MINUTE + equation + 4 * lon;
  const hour = (minutes / 4 - 180) * RAD;
  const sine =
    Math.sin(lat * RAD) * Math.sin(declination) + Math.cos(lat * RAD) * Math.cos(declination) * Math.cos(hour);
  return Math.asin(sine) / RAD;
}

export type Cabinet = {
  readonly lat: number;
  readonly lon: number;
  /** Lamps go on when the sun is below. */
  readonly degrees?: number;
  /** Minutes after sunset and before sunrise, instead. */
  readonly minutes?: number;
  readonly everyMin?: number;
  /** kW with all lamps on; and what else hangs on it. */
  readonly full?: number;
  readonly rest?: number;
  /** Share of the level by the minute of the night's clock. */
  readonly dimming?: (at: number) => number;
  /** Minutes that a photocell is early or late by, at most. */
  readonly weather?: number;
  /** Discharge lamps take ten minutes; LEDs none. */
  readonly rampMin?: number;
  readonly noise?: number;
  readonly seed?: number;
};

/** When the sun passes a height, from one noon to the next, minute by minute. */
function night(cabinet: Cabinet, noon: number): readonly [on: number, off: number] | undefined {
  const { lat, lon, degrees, minutes = 0 } = cabinet;
  const height = degrees ?? -0.833;
  let [on, off]: (number | undefined)[] = [undefined, undefined];
  for (let at = noon; at < noon + DAY; at += MINUTE) {
    const isDark = sunHeight(lat, lon, at) < height;
    if (isDark && on === undefined) on = at;
    if (isDark) off = at + MINUTE;
  }
  return on === undefined ? undefined : [on + minutes * MINUTE, off! - minutes * MINUTE];
}

export type Power = readonly [at: number, kw: number];

/** What a healthy cabinet draws from one day to another. */
export function healthy(cabinet: Cabinet, from: number, days: number): Power[] {
  const {
    lon,
    everyMin = 5,
    full = 4,
    rest = 0.03,
    dimming,
    weather = 0,
    rampMin = 10,
    noise = 0.01,
    seed = 1,
  } = cabinet;
  const next = random(seed);
  const powers: Power[] = [];
  for (let day = 0; day < days; day++) {
    const noon = from + day * DAY + 12 * HOUR - (lon / 15) * HOUR;
    const span = night(cabinet, noon);
    const late = () => (2 * next() - 1) * weather * MINUTE;
    const [on, off] = span ? [span[0] + late(), span[1] + late()] : [0, 0];
    const first = Math.ceil(noon / (everyMin * MINUTE)) * everyMin * MINUTE;
    for (let at = first; at < noon + DAY; at += everyMin * MINUTE) {
      const isOn = at >= on && at < off;
      const warm = rampMin === 0 ? 1 : Math.min(1, 0.5 + (0.5 * (at - on)) / (rampMin * MINUTE));
      const level = isOn ? full * warm * (dimming?.(at) ?? 1) : 0;
      powers.push([at, Math.round(1_000 * (rest + level * (1 + noise * (2 * next() - 1)))) / 1_000]);
    }
  }
  return powers;
}
