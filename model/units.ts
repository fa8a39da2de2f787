import { metricRow } from "./metrics.ts";

/** What is measured: units of one quantity can be converted into each other. */
type Unit = {
  readonly quantity: string;
  /** `value in the quantity's first unit = (value + add) * times`. */
  readonly times: number;
  readonly add?: number;
};

/** Spellings by quantity, with what one is in its first unit. SI prefixes are written out: "m" alone is a metre. */
const QUANTITIES: Readonly<Record<string, Readonly<Record<string, number | readonly [add: number, times: number]>>>> = {
  temperature: {
    "°C C degC celsius": 1,
    "K kelvin": [-273.15, 1],
    "°F F degF fahrenheit": [-32, 5 / 9],
  },
  speed: {
    "km/h kmh kph kmph km/hr": 1,
    "m/s mps ms-1": 3.6,
    "mph mi/h mi/hr miles/h": 1.609344,
    "kn kt kts knot knots": 1.852,
    "ft/s fps": 1.09728,
  },
  pressure: {
    "hPa mbar millibar mb": 1,
    Pa: 0.01,
    kPa: 10,
    bar: 1000,
    // Conventional mercury at 0 °C (ISO 80000-4).
    inHg: 33.86389,
    "mmHg torr": 1.33322387415,
    psi: 68.94757293168,
    atm: 1013.25,
  },
  power: { kW: 1, W: 0.001, mW: 1e-6, MW: 1e3, GW: 1e6 },
  "reactive power": { kvar: 1, var: 0.001, Mvar: 1e3 },
  energy: {
    kWh: 1,
    Wh: 0.001,
    Wmin: 1 / 60_000,
    MWh: 1e3,
    GWh: 1e6,
    J: 1 / 3.6e6,
    kJ: 1 / 3600,
    MJ: 1 / 3.6,
    GJ: 1e3 / 3.6,
  },
  "reactive energy": { kvarh: 1, varh: 0.001, Mvarh: 1e3 },
  voltage: { V: 1, mV: 0.001, kV: 1e3 },
  current: { A: 1, mA: 0.001, kA: 1e3 },
  frequency: { Hz: 1, mHz: 0.001, kHz: 1e3 },
  length: {
    "m metre meter": 1,
    mm: 0.001,
    cm: 0.01,
    km: 1e3,
    in: 0.0254,
    "ft feet": 0.3048,
    "mi mile miles": 1609.344,
  },
  time: {
    "s sec second seconds": 1,
    "ms msec": 0.001,
    "min minute minutes": 60,
    "h hr hour hours": 3600,
    "d day days": 86_400,
  },
  "mass in air": { "µg/m³ µgm-3 mcg/m³ ug/m³": 1, "mg/m³ mgm-3": 1e3, "ng/m³ ngm-3": 1e-3, "g/m³": 1e6 },
  "volume in air": { ppm: 1, ppb: 1e-3, ppt: 1e-6 },
  part: { "share fraction ratio 1": 1, "% percent pct": 0.01, "‰": 1e-3 },
  vehicles: { "veh vehicles vehicle cars": 1 },
  people: { "persons people pedestrians person": 1 },
  light: { lx: 1, lux: 1, klx: 1e3 },
  rain: { "l/m²": 1 },
  "noise level": { "dB(A) dBA": 1, dB: 1 },
  "signal strength": { dBm: 1 },
};

/** µg/m³ for one ppb (and mg/m³ for one ppm), at 20 °C and 101.3 kPa, the state the EU reports in (2008/50/EC, annex VI C): molar mass in g/mol over 24.055 l/mol. */
const MASS_PER_VOLUME: Readonly<Record<string, number>> = {
  no2: 1.9125,
  // The sum of nitrogen oxides is reported as if it were NO2 (2008/50/EC, article 2).
  nox: 1.9125,
  no: 1.2474,
  o3: 1.9953,
  so2: 2.6633,
  co: 1.1644,
  benzene: 3.2473,
  c6h6: 3.2473,
  nh3: 0.708,
  h2s: 1.4168,
};
/** The same volume holds less at 25 °C, the state the US reports in (40 CFR 50.3). */
const AT_25_C = 293.15 / 298.15;

const norm = (text: string) =>
  text
    .normalize("NFKC")
    .replace(/\s+|\^|\*\*|²|³/g, "")
    .replace(/µ/g, "μ")
    .replace(/−/g, "-")
    // "ug.m-3" (the European agency's), "µg-m3", "m·s-1": what stands below the line, written behind it.
    .replace(
      /[·.*]?(?:(m)-3|-(m3)|([sh])-1)$/,
      (_, m?: string, m3?: string, time?: string) => `/${m ? "m3" : (m3 ?? time)}`,
    );

type Known = Unit & { readonly spelling: string };

const UNITS = new Map<string, Known>();
/** In lower case, for what is meant all the same: "KWH", "hpa". Not where two differ in case only (mW, MW). */
const BY_LOWER = new Map<string, Known | "several">();
for (const [quantity, spellings] of Object.entries(QUANTITIES))
  for (const [names, factor] of Object.entries(spellings)) {
    const [add, times] = typeof factor === "number" ? [0, factor] : factor;
    const [spelling] = names.split(" ");
    for (const name of names.split(" ")) {
      const unit = { quantity, times, add, spelling: spelling! };
      UNITS.set(norm(name), unit);
      const lower = norm(name).toLowerCase();
      const other = BY_LOWER.get(lower);
      BY_LOWER.set(
        lower,
        other === undefined || (other !== "several" && other.spelling === spelling) ? unit : "several",
      );
    }
  }

function plainUnit(text: string): Known | undefined {
  const exact = UNITS.get(text);
  if (exact) return exact;
  const found = BY_LOWER.get(text.toLowerCase());
  return found === "several" ? undefined : found;
}

/** "veh/5min", "kWh/15min", "Wh/interval": so much in so long. */
const PER_TIME = /^(.+?)(?:\/|per)(?:(\d+(?:\.\d+)?)?([a-z]+))$/i;

/** What becomes of an amount over a time: energy is power, vehicles are a flow. */
const RATES: Readonly<Record<string, { readonly quantity: string; readonly perS: number }>> = {
  energy: { quantity: "power", perS: 3600 },
  "reactive energy": { quantity: "reactive power", perS: 3600 },
  vehicles: { quantity: "flow", perS: 3600 },
  people: { quantity: "flow of people", perS: 3600 },
};

/** `intervalS`: how long an interval of the recording is, for "kWh/interval". */
function unitOf(text: string, intervalS?: number): Unit | undefined {
  const unit = norm(text);
  if (unit === "") return { quantity: "part", times: 1 };
  const plain = plainUnit(unit);
  if (plain) return plain;
  const [, amount, count = "1", time] = PER_TIME.exec(unit) ?? [];
  const over = amount === undefined ? undefined : plainUnit(amount);
  const rate = over && RATES[over.quantity];
  if (!over || !rate || time === undefined) return undefined;
  const seconds = time === "interval" ? intervalS : timeS(time);
  if (seconds === undefined) return undefined;
  return { quantity: rate.quantity, times: (over.times * rate.perS) / (Number(count) * seconds) };
}

function timeS(name: string): number | undefined {
  const unit = plainUnit(name);
  return unit?.quantity === "time" ? unit.times : undefined;
}

type Convert = (value: number) => number;

const unchanged: Convert = (value) => value;

/** Six decimals: below what any sensor resolves, above the noise of binary fractions. */
const rounded = (value: number) => Math.round(value * 1e6) / 1e6;

/**
 * How a value in `unit` becomes one in the unit of the metrics table; undefined for what is not the same quantity, so
 * that a wrong unit is a mistake in the mapping and not a wrong number in the store. "as is": no unit, taken as it stands.
 * Gases in ppb, ppm: at 20 °C, or "ppb (25 °C)"; "ppb NO2" is the same for no2.
 */
export function conversion(unit: string, metric: string, intervalS?: number): Convert | undefined {
  const own = metricRow(metric)?.unit;
  if (own === undefined) return undefined;
  if (unit === own || unit === "as is") return unchanged;
  const to = unitOf(own);
  const { bare, isWarm } = gasUnit(unit, metric);
  const from = unitOf(bare, intervalS);
  if (!from || !to) return undefined;
  const add = from.add ?? 0;
  if (from.quantity === to.quantity) {
    const times = from.times / to.times;
    const back = to.add ?? 0;
    if (add === back && times === 1) return unchanged;
    return (value) => rounded((value + add) * times - back);
  }
  const perPpb = MASS_PER_VOLUME[metric.toLowerCase()];
  if (from.quantity !== "volume in air" || to.quantity !== "mass in air" || perPpb === undefined) return undefined;
  // From ppm to µg/m³ it is a thousand times what it is from ppb.
  const times = (from.times * 1e3 * perPpb * (isWarm ? AT_25_C : 1)) / to.times;
  return (value) => rounded(value * times);
}

function gasUnit(unit: string, metric: string): { readonly bare: string; readonly isWarm: boolean } {
  const [, bare, gas, degrees] = /^(pp[mbt])\s*(\w+)?\s*(?:[(@]\s*(20|25)\s*°?\s*C\)?)?$/i.exec(unit.trim()) ?? [];
  const isOther = gas !== undefined && gas.toLowerCase() !== metric.toLowerCase();
  return bare === undefined || isOther ? { bare: unit, isWarm: false } : { bare, isWarm: degrees === "25" };
}

/** The units a metric may come in, one spelling each, its own first. */
export function unitsFor(metric: string): readonly string[] {
  const own = metricRow(metric)?.unit ?? "";
  const to = unitOf(own);
  const same = Object.keys(QUANTITIES[to?.quantity ?? ""] ?? {}).map((names) => names.split(" ")[0]!);
  const gas = to?.quantity === "mass in air" && metric.toLowerCase() in MASS_PER_VOLUME;
  const rates: Readonly<Record<string, readonly string[]>> = {
    power: ["kWh/15min", "Wh/min", "kWh/interval"],
    "reactive power": ["kvarh/15min"],
    flow: ["veh/min", "veh/5min", "veh/interval"],
  };
  const more = [...(gas ? ["ppb", "ppm", "ppb (25 °C)"] : []), ...(rates[to?.quantity ?? ""] ?? [])];
  return [...new Set([own, ...same, ...more, "as is"])];
}
