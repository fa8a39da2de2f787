import { cityMetrics } from "./city-metrics.ts";
import type { Kind } from "./kinds.ts";
import type { SiteMetric } from "./site.ts";
import { standInsWithin } from "./stand-ins.ts";

/**
 * One row per metric: the unit, what physics and hardware allow anywhere (`fail`: outside is rejected as `out_of_range`)
 * and what is possible but rare (`suspect`: outside is kept and flagged). What is rare depends on the place for a few:
 * `site` names what `model/site.ts` knows of it, and `suspect` is then what holds in a European city at the sea. Two levels as in QARTOD (IOOS, "Manual for Real-Time
 * Quality Control"). `basis` says where the limits come from; "practice" marks a judgement without a published source.
 */
export type MetricRow = {
  readonly unit: string;
  readonly label: string;
  readonly fail: readonly [number, number];
  readonly suspect: readonly [number, number];
  readonly basis: string;
  readonly site?: SiteMetric;
};

const row = (
  unit: string,
  label: string,
  fail: readonly [number, number],
  suspect: readonly [number, number],
  basis: string,
  site?: SiteMetric,
): MetricRow => ({ unit, label, fail, suspect, basis, ...(site && { site }) });

const count = (label: string) => row("veh", label, [0, 5_000], [0, 1_500], "practice, per reporting interval");

const AIR = {
  pm25: row("µg/m³", "fine particles (PM2.5)", [-5, 1000], [0, 500], "SDS011 data sheet 0-999.9 µg/m³"),
  pm10: row("µg/m³", "particles (PM10)", [-5, 1000], [0, 600], "SDS011 data sheet 0-999.9 µg/m³"),
  pm1: row("µg/m³", "very fine particles (PM1)", [-5, 1000], [0, 500], "SDS011 data sheet 0-999.9 µg/m³"),
  no2: row("µg/m³", "nitrogen dioxide", [-10, 4000], [0, 400], "2008/50/EC alert threshold 400"),
  o3: row("µg/m³", "ozone", [-10, 1000], [0, 400], "highest hourly values seen in city networks"),
  so2: row("µg/m³", "sulphur dioxide", [-10, 2500], [0, 500], "2008/50/EC alert threshold 500"),
  co: row("mg/m³", "carbon monoxide", [-0.5, 120], [0, 15], "electrochemical cell range 0-100 ppm"),
  co2: row("ppm", "carbon dioxide", [250, 10_000], [380, 2000], "NDIR range 400-5000 ppm"),
  temperature: row("°C", "air temperature", [-90, 70], [-30, 48], "WMO records -89.2 and 56.7 °C; suspect: practice"),
  relativeHumidity: row("%", "relative humidity", [0, 105], [5, 100], "physical; analysers overshoot to 105"),
  pressure: row("hPa", "air pressure", [300, 1100], [500, 1085], "BMP280 data sheet 300-1100; by altitude", "pressure"),
  noise: row("dB(A)", "noise level (LAeq)", [20, 140], [30, 115], "class 2 sound level meters"),
  windSpeed: row("m/s", "wind speed", [0, 115], [0, 45], "WMO record gust 113 m/s; suspect: Beaufort 12 from 32.7"),
  windDirection: row("°", "wind direction", [0, 360], [0, 360], "definition; 0 is also calm, 360 is north"),
  rain: row("mm", "rain", [0, 500], [0, 60], "practice, per reporting interval; WMO record 401 mm in an hour"),
  no: row("µg/m³", "nitric oxide", [-10, 3000], [0, 800], "practice, kerbside analysers"),
  nox: row("µg/m³", "nitrogen oxides (as NO2)", [-10, 6000], [0, 1500], "practice, kerbside analysers"),
  benzene: row("µg/m³", "benzene", [-1, 500], [0, 50], "2008/50/EC limit 5 µg/m³ a year; analysers to 500"),
} as const satisfies Record<string, MetricRow>;

const TRAFFIC = {
  flow: row("veh/h", "traffic flow", [0, 30_000], [0, 12_000], "2,400 veh/h per lane (HCM), five lanes"),
  occupancy: row("%", "detector occupancy", [0, 100], [0, 95], "share of time; 100 % is a locked detector (IRIS)"),
  speed: row("km/h", "mean speed", [0, 250], [0, 200], "practice"),
  headway: row("s", "time headway", [0, 3600], [0.3, 3600], "practice"),
  queueLength: row("m", "queue length", [0, 20_000], [0, 5_000], "practice"),
  travelTime: row("s", "travel time", [0, 86_400], [1, 14_400], "practice"),
  carCount: count("cars"),
  vanCount: count("vans"),
  lorryCount: count("lorries"),
  busCount: count("buses"),
  motorcycleCount: count("motorcycles"),
  bicycleCount: count("bicycles"),
  pedestrianCount: row("persons", "pedestrians", [0, 50_000], [0, 10_000], "practice, per reporting interval"),
} as const satisfies Record<string, MetricRow>;

const ENERGY = {
  activePower: row("kW", "active power", [-1e6, 1e6], [-1e5, 1e5], "city feeders stay under 100 MW"),
  reactivePower: row("kvar", "reactive power", [-1e6, 1e6], [-1e5, 1e5], "city feeders stay under 100 Mvar"),
  voltage: row("V", "voltage", [0, 500_000], [195.5, 264.5], "grids to 420 kV; EN 50160, 15 % about 230 V", "voltage"),
  current: row("A", "current", [-10_000, 10_000], [-4_000, 4_000], "practice, low-voltage feeders"),
  frequency: row("Hz", "frequency", [0, 70], [49, 51], "0 without a grid, meters to 70 Hz; EN 50160", "frequency"),
  powerFactor: row("", "power factor", [-1, 1], [-1, 1], "definition P/S"),
  thdVoltage: row("%", "voltage distortion (THD)", [0, 100], [0, 20], "EN 50160 limit 8 %"),
  energyImport: row("kWh", "energy taken", [0, 1e12], [0, 1e10], "meter registers"),
  energyExport: row("kWh", "energy given", [0, 1e12], [0, 1e10], "meter registers"),
  oilTemperature: row(
    "°C",
    "transformer oil temperature",
    [-50, 200],
    [-30, 140],
    "IEC 60076-7 emergency 115 °C, margin",
  ),
  lampState: row("", "lamp state (1 on, 0 off)", [0, 1], [0, 1], "definition"),
  dimLevel: row("%", "dimming level", [0, 100], [0, 100], "definition"),
} as const satisfies Record<string, MetricRow>;

/** The health of the device itself: any kind of sensor may send these. */
const HEALTH = {
  battery: row("%", "battery", [0, 100], [1, 100], "definition"),
  batteryVoltage: row("V", "battery voltage", [0, 60], [1.5, 30], "cells from 1.5 V to 24 V lead"),
  rssi: row("dBm", "signal strength", [-160, 20], [-140, 0], "LoRaWAN and cellular modems"),
  snr: row("dB", "signal-to-noise ratio", [-40, 60], [-25, 40], "LoRaWAN demodulation floor -20 dB"),
  enclosureTemperature: row("°C", "enclosure temperature", [-60, 125], [-30, 75], "industrial component range"),
  uptime: row("s", "uptime", [0, 1e10], [0, 1e9], "definition"),
} as const satisfies Record<string, MetricRow>;

const BUILT_IN = { ...AIR, ...TRAFFIC, ...ENERGY, ...HEALTH };

/** Without those of the city (`city-metrics.ts`). */
export const BUILT_IN_METRICS = Object.keys(BUILT_IN) as readonly (keyof typeof BUILT_IN)[];

/** The city's own: the same rows, of names that the compiler does not know. */
const ofCity = (kind?: Kind) => cityMetrics().filter((one) => kind === undefined || one.kind === kind);
const CITY = Object.fromEntries(
  ofCity().map(({ id, unit, names, fail, suspect }) => [id, row(unit, names.en, fail, suspect, "set by the city")]),
);

export const METRICS: typeof BUILT_IN = { ...CITY, ...BUILT_IN };

export type MetricName = keyof typeof METRICS;

export const METRIC_NAMES = [...BUILT_IN_METRICS, ...ofCity().map(({ id }) => id)] as readonly MetricName[];

const health = Object.keys(HEALTH) as MetricName[];

function withCity(kind: Kind, own: object): readonly MetricName[] {
  return [...Object.keys(own), ...ofCity(kind).map(({ id }) => id), ...health] as MetricName[];
}

/** The metrics each kind may send, in a fixed order: the columns of the stores. New metrics go to the end of their group. */
export const METRICS_OF: Readonly<Record<Kind, readonly MetricName[]>> = {
  air: withCity("air", AIR),
  traffic: withCity("traffic", TRAFFIC),
  energy: withCity("energy", ENERGY),
};

/** A row as values are judged by it: all of one shape, with the stand-ins that its hardware could output, too. */
export type JudgedRow = MetricRow & {
  readonly missingAt: readonly number[] | undefined;
  readonly suspectAt: readonly number[];
  /** None of them is nearer to 0: most values are, and need not be compared. */
  readonly suspectFrom: number;
};

function judged(name: string, { unit, label, fail, suspect, basis, site }: MetricRow): JudgedRow {
  const { missing, suspect: doubtful } = standInsWithin(name, fail);
  const missingAt = missing.length > 0 ? missing : undefined;
  const suspectFrom = Math.min(...doubtful.map(Math.abs));
  return { unit, label, fail, suspect, basis, site, missingAt, suspectAt: doubtful, suspectFrom };
}

/** Maps, not objects: keys come from outside and may be called `__proto__`. */
const ROWS: ReadonlyMap<string, JudgedRow> = new Map(
  Object.entries<MetricRow>(METRICS).map(([name, one]) => [name, judged(name, one)]),
);
const rowsOf = (kind: Kind): ReadonlyMap<string, JudgedRow> =>
  new Map(METRICS_OF[kind].map((name) => [name as string, ROWS.get(name)!]));
const ROWS_OF: Readonly<Record<Kind, ReadonlyMap<string, JudgedRow>>> = {
  air: rowsOf("air"),
  traffic: rowsOf("traffic"),
  energy: rowsOf("energy"),
};

export function metricRow(name: string): MetricRow | undefined {
  return ROWS.get(name);
}

/** The row of a metric if sensors of this kind may send it. */
export function metricRowOf(kind: Kind, name: string): JudgedRow | undefined {
  return ROWS_OF[kind].get(name);
}

export function isMetricName(name: string): name is MetricName {
  return ROWS.has(name);
}

/**
 * Worked out by the rules from other metrics of the same sensor: a rule may watch them, but no reading carries them and
 * no store keeps them. `from`: what they are made of.
 */
export const DERIVED = {
  europeanAqi: {
    unit: "class",
    label: "European air quality index (bands of 2025)",
    kind: "air",
    from: ["pm25", "pm10", "no2", "o3", "so2"],
    range: [1, 6],
    basis: "European Environment Agency, bands of 2025 (ETC HE Report 2024/17): 1 good to 6 extremely poor, hourly",
  },
  particlesExcess: {
    unit: "µg/m³",
    label: "fine beyond coarse particles (PM2.5 less 1.25 of PM10)",
    kind: "air",
    from: ["pm25", "pm10"],
    range: [-2500, 2000],
    basis:
      "Fine particles are a part of the coarse ones; each may be wrong by 25 % (2008/50/EC, Annex I), hourly means",
  },
} as const satisfies Record<
  string,
  Pick<MetricRow, "unit" | "label" | "basis"> & { kind: Kind; from: MetricName[]; range: [number, number] }
>;

export type DerivedMetric = keyof typeof DERIVED;
/** What a rule may name as its metric. */
export type RuleMetric = MetricName | DerivedMetric;

export function isDerived(name: string): name is DerivedMetric {
  return Object.hasOwn(DERIVED, name);
}

export function wordsOf(metric: RuleMetric): { readonly unit: string; readonly label: string } {
  return isDerived(metric) ? DERIVED[metric] : METRICS[metric];
}

/** What rules for this kind of sensor may watch. */
export function ruleMetricsOf(kind: Kind): readonly RuleMetric[] {
  const derived = (Object.keys(DERIVED) as DerivedMetric[]).filter((name) => DERIVED[name].kind === kind);
  return [...METRICS_OF[kind], ...derived];
}
