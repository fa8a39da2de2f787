import { METRICS, type MetricName } from "../model/metrics.ts";

type Conversion = {
  readonly from: string;
  readonly to: string;
  readonly add: number;
  readonly times: number;
  /** The weight of a volume of gas depends on the gas. */
  readonly only?: MetricName;
};

/** `value in to = (value in from + add) * times`. Gases at 20 °C and 101.3 kPa, as the EU reports them. */
const CONVERSIONS: readonly Conversion[] = [
  { from: "mph", to: "km/h", add: 0, times: 1.609344 },
  { from: "m/s", to: "km/h", add: 0, times: 3.6 },
  { from: "°F", to: "°C", add: -32, times: 5 / 9 },
  { from: "K", to: "°C", add: -273.15, times: 1 },
  { from: "µg/m³", to: "mg/m³", add: 0, times: 0.001, only: "co" },
  { from: "Pa", to: "hPa", add: 0, times: 0.01 },
  { from: "ppb NO2", to: "µg/m³", add: 0, times: 1.9125, only: "no2" },
  { from: "ppb O3", to: "µg/m³", add: 0, times: 1.9953, only: "o3" },
  { from: "ppb SO2", to: "µg/m³", add: 0, times: 2.6633, only: "so2" },
  { from: "ppm CO", to: "mg/m³", add: 0, times: 1.1644, only: "co" },
  { from: "veh/30s", to: "veh/h", add: 0, times: 120 },
  { from: "veh/min", to: "veh/h", add: 0, times: 60 },
  { from: "veh/5min", to: "veh/h", add: 0, times: 12 },
  { from: "veh/15min", to: "veh/h", add: 0, times: 4 },
  { from: "share", to: "%", add: 0, times: 100 },
  { from: "W", to: "kW", add: 0, times: 0.001 },
  { from: "MW", to: "kW", add: 0, times: 1000 },
  { from: "var", to: "kvar", add: 0, times: 0.001 },
  { from: "Wh/min", to: "kW", add: 0, times: 0.06 },
  { from: "Wh", to: "kWh", add: 0, times: 0.001 },
  { from: "kV", to: "V", add: 0, times: 1000 },
  { from: "min", to: "s", add: 0, times: 60 },
];

export type Convert = (value: number) => number;

const unchanged: Convert = (value) => value;

/**
 * How a value in `unit` becomes one in the unit of the metrics table; undefined for a pair nobody has written down, so
 * that a wrong unit is a mistake in the mapping and not a wrong number in the store. Converted values are rounded to
 * six decimals: below what any sensor resolves, above the noise of binary fractions.
 */
export function conversion(unit: string, metric: MetricName): Convert | undefined {
  const to = METRICS[metric].unit;
  if (unit === to || unit === "as is") return unchanged;
  const found = CONVERSIONS.find((one) => one.from === unit && one.to === to && (one.only ?? metric) === metric);
  if (!found) return undefined;
  return (value) => Math.round((value + found.add) * found.times * 1e6) / 1e6;
}
