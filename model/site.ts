import { type OwnStandIns, parseStandIns } from "./stand-ins.ts";

/**
 * What is usual where a sensor stands. The physical limits of a metric are the same everywhere; a city at 2,240 m, a grid
 * of 60 Hz or a feeder of 10 kV is nothing rare there. Outside of it a value is `suspect`, never refused.
 */
export type Site = {
  readonly voltage: readonly [number, number];
  readonly frequency: readonly [number, number];
  /** Without a known altitude: what is air pressure anywhere people live. */
  readonly pressure: readonly [number, number];
  readonly standIns?: OwnStandIns;
};

/** Metrics whose usual range depends on the place. */
export type SiteMetric = "voltage" | "frequency" | "pressure";

/** Volts, hertz and metres above the sea. */
export type SiteSettings = {
  readonly nominalVoltage: number;
  readonly nominalFrequency: number;
  readonly altitudeM?: number;
};

export const SITE_DEFAULTS: SiteSettings = { nominalVoltage: 230, nominalFrequency: 50 };

/** EN 50160 allows +10/-15 % of the nominal voltage; 15 % both ways leaves room for short ones. */
const VOLTAGE_SHARE = 0.15;
/** EN 50160: 50 Hz +4/-6 % in the worst case, ±1 % in 99.5 % of a year. ENTSO-E and NERC act on far less than 2 %. */
const FREQUENCY_SHARE = 0.02;
/** Weather: the records at sea level, 870 hPa in a typhoon apart, are 920 (Europe) and 1,085 hPa, of 1,013.25 hPa. */
const PRESSURE_SHARES = [0.9, 1.07] as const;
/** From the highest towns (5,100 m, some 540 hPa) with weather, to the highest pressure that was measured. */
const PRESSURE_ANYWHERE: readonly [number, number] = [500, 1085];

/**
 * The pressure to be expected at an altitude, in hPa: the barometric formula of the International Standard Atmosphere
 * (ISO 2533:1975; ICAO Doc 7488), p = 1013.25 (1 - 0.0065 h / 288.15)^5.25588, good to 11 km.
 */
export function pressureAt(altitudeM: number): number {
  return 1013.25 * (1 - (0.0065 * altitudeM) / 288.15) ** 5.25588;
}

const around = (nominal: number, below: number, above: number): readonly [number, number] => [
  nominal * (1 - below),
  nominal * (1 + above),
];

export function createSite(
  { nominalVoltage, nominalFrequency, altitudeM }: SiteSettings,
  standIns?: OwnStandIns,
): Site {
  const expected = altitudeM === undefined ? undefined : pressureAt(altitudeM);
  return {
    voltage: around(nominalVoltage, VOLTAGE_SHARE, VOLTAGE_SHARE),
    frequency: around(nominalFrequency, FREQUENCY_SHARE, FREQUENCY_SHARE),
    pressure:
      expected === undefined ? PRESSURE_ANYWHERE : [expected * PRESSURE_SHARES[0], expected * PRESSURE_SHARES[1]],
    ...(standIns && standIns.size > 0 && { standIns }),
  };
}

export const DEFAULT_SITE = createSite(SITE_DEFAULTS);

type Placed = { readonly tags: Readonly<Record<string, string>> };

/** Tags that say more of a sensor's place than the city's settings: from, to. */
export const PLACE_TAGS = {
  nominalVoltage: [1, 1_000_000],
  nominalFrequency: [1, 1_000],
  altitude: [-500, 9_000],
} as const;

/**
 * What is usual where each sensor stands: as the city says, and as the sensor's tags `nominalVoltage`, `nominalFrequency`,
 * `altitude` (metres) and `standIns` say. A tag that is no number in its range says nothing. Worked out once for each
 * registered sensor: a changed one is another object.
 */
export function createSites(settings: SiteSettings = SITE_DEFAULTS): (sensor: Placed | undefined) => Site {
  const city = createSite(settings);
  const known = new WeakMap<Placed, Site>();

  function workOut({ tags }: Placed): Site {
    const nominalVoltage = numberOf(tags, "nominalVoltage");
    const nominalFrequency = numberOf(tags, "nominalFrequency");
    const altitudeM = numberOf(tags, "altitude");
    const standIns = tags.standIns === undefined ? undefined : parseStandIns(tags.standIns);
    if ((nominalVoltage ?? nominalFrequency ?? altitudeM) === undefined && !standIns) return city;
    const own = {
      nominalVoltage: nominalVoltage ?? settings.nominalVoltage,
      nominalFrequency: nominalFrequency ?? settings.nominalFrequency,
      altitudeM: altitudeM ?? settings.altitudeM,
    };
    return createSite(own as SiteSettings, standIns);
  }

  return (sensor) => {
    if (sensor === undefined) return city;
    let site = known.get(sensor);
    if (site === undefined) {
      site = workOut(sensor);
      known.set(sensor, site);
    }
    return site;
  };
}

export function numberOf(tags: Placed["tags"], name: keyof typeof PLACE_TAGS): number | undefined {
  const text = tags[name];
  if (text === undefined || !/^\s*-?\d{1,7}(\.\d{1,6})?\s*$/.test(text)) return undefined;
  const [low, high] = PLACE_TAGS[name];
  const value = Number(text);
  return value >= low && value <= high ? value : undefined;
}
