import { DERIVED } from "../../model/metrics.ts";
import { say } from "../../model/sentence.ts";
import { DAY_MS, HOUR_MS, startOfHour } from "../../model/time.ts";
import type { Derive, DerivedSample, Measured } from "../engine/derive.ts";

export const CLASS_NAMES = ["good", "fair", "moderate", "poor", "very poor", "extremely poor"] as const;

type Pollutant = (typeof DERIVED)["europeanAqi"]["from"][number];

/**
 * Upper limits in µg/m³, as hourly means, of the classes 1 good, 2 fair, 3 moderate, 4 poor and 5 very poor; above the
 * last is 6, extremely poor. Source: European Environment Agency, bands of 2025 (ETC HE Report 2024/17, table 5.2). The
 * bands of before 2025 differ, and many libraries still carry them: the metric's label says which these are.
 */
const BANDS: Readonly<Record<Pollutant, readonly number[]>> = {
  pm25: [5, 15, 50, 90, 140],
  pm10: [15, 45, 120, 195, 270],
  no2: [10, 25, 60, 100, 150],
  o3: [60, 100, 120, 160, 180],
  so2: [20, 40, 125, 190, 275],
};
const POLLUTANTS = Object.keys(BANDS) as Pollutant[];

type Sum = { readonly count: number; readonly good: number; readonly sum: number };

/**
 * `sums`: count, good ones and sum of each pollutant this hour, as one list of numbers, because it is copied for every
 * reading; `usual`: how many values came in each of the last hours that had any; `ozoneAt`: the last hour with ozone.
 */
export type AqiState = {
  readonly hour?: number;
  readonly sums: readonly number[];
  readonly usual: Readonly<Partial<Record<Pollutant, readonly number[]>>>;
  readonly ozoneAt?: number;
};

const NO_SUMS: readonly number[] = POLLUTANTS.flatMap(() => [0, 0, 0]);
const NONE: readonly DerivedSample[] = [];

const USUAL_HOURS = 12;
/** 45 minutes of an hour: 2008/50/EC, Annex VII. */
const CAPTURE = 0.75;
const OZONE_MEMORY_MS = 7 * DAY_MS;

/**
 * European air quality index, 2025: one class from 1 to 6 per UTC hour, of the worst pollutant, told at the end of the
 * hour (when the first reading after it comes). A mean equal to a limit is in the better class; negative ones count as 0.
 *
 * Guards: a pollutant counts with 75 % of the values an hour of this sensor usually has (the median of its last twelve
 * hours), and not before one hour has shown what is usual. Completeness, as in the viewer of the EEA: no index without
 * NO2, particles (PM2.5 or PM10) and ozone; a sensor that has sent no ozone for a week is taken for a traffic station,
 * which needs NO2 and particles. Good only if the pollutant that decides has a value that is not suspect.
 */
export const europeanAqi: Derive<AqiState> = {
  metric: "europeanAqi",
  from: DERIVED.europeanAqi.from,
  quiet: { sums: NO_SUMS, usual: {} },
  step(state, measured) {
    const hour = startOfHour(measured.at);
    if (state.hour !== undefined && hour < state.hour) return [state, NONE];
    if (state.hour === undefined || hour === state.hour) return [withValues(state, hour, measured), NONE];
    const [closed, sample] = close(state, state.hour);
    return [withValues(closed, hour, measured), sample ? [sample] : NONE];
  },
};

/** 1 to 6. µg/m³, as an hourly mean. */
export function classOf(pollutant: Pollutant, mean: number): number {
  const better = BANDS[pollutant].findIndex((limit) => mean <= limit);
  return better < 0 ? BANDS[pollutant].length + 1 : better + 1;
}

function withValues({ sums: former, usual, ozoneAt }: AqiState, hour: number, measured: Measured): AqiState {
  const { values, suspect } = measured;
  const sums = former.slice();
  for (let i = 0; i < POLLUTANTS.length; i++) {
    const value = values[POLLUTANTS[i]!];
    if (value === undefined) continue;
    sums[3 * i]! += 1;
    if (suspect.length === 0 || !suspect.includes(POLLUTANTS[i]!)) sums[3 * i + 1]! += 1;
    sums[3 * i + 2]! += value;
  }
  return { hour, sums, usual, ozoneAt };
}

/** Of the pollutants that had any value. */
function sumsOf({ sums }: AqiState): Partial<Record<Pollutant, Sum>> {
  const found: Partial<Record<Pollutant, Sum>> = {};
  for (const [i, pollutant] of POLLUTANTS.entries()) {
    const [count, good, sum] = sums.slice(3 * i, 3 * i + 3) as [number, number, number];
    if (count > 0) found[pollutant] = { count, good, sum };
  }
  return found;
}

function close(state: AqiState, hour: number): [AqiState, DerivedSample | undefined] {
  const { usual, ozoneAt: before } = state;
  const sums = sumsOf(state);
  const ozoneAt = sums.o3 ? hour : before;
  const valid = POLLUTANTS.filter((pollutant) => isValid(sums[pollutant], usual[pollutant]));
  const next: AqiState = { sums: NO_SUMS, usual: withCounts(usual, sums), ozoneAt };
  if (!isComplete(valid, ozoneAt !== undefined && hour - ozoneAt < OZONE_MEMORY_MS)) return [next, undefined];
  const classes = valid.map((pollutant) => classOf(pollutant, meanOf(sums[pollutant]!)));
  const value = Math.max(...classes);
  const good = valid.some((pollutant, i) => classes[i] === value && sums[pollutant]!.good > 0);
  const worst = valid.find((_, i) => classes[i] === value)!;
  const mean = { value: meanOf(sums[worst]!), of: worst };
  return [next, { at: hour + HOUR_MS, value, good, because: say("index.because", { metric: worst, value: mean }) }];
}

/** Six decimals: so that the dust of adding up does not lift a mean of exactly a limit over it. */
const meanOf = ({ sum, count }: Sum) => Math.round((sum / count) * 1e6) / 1e6;

function isValid(sum: Sum | undefined, counts: readonly number[] | undefined): boolean {
  if (!sum || !counts) return false;
  const sorted = [...counts].sort((a, b) => a - b);
  return sum.count >= CAPTURE * sorted[sorted.length >> 1]!;
}

function isComplete(valid: readonly Pollutant[], sendsOzone: boolean): boolean {
  const has = (pollutant: Pollutant) => valid.includes(pollutant);
  return has("no2") && (has("pm25") || has("pm10")) && (has("o3") || !sendsOzone);
}

function withCounts(usual: AqiState["usual"], sums: Partial<Record<Pollutant, Sum>>): AqiState["usual"] {
  const next = { ...usual };
  for (const pollutant of POLLUTANTS) {
    const sum = sums[pollutant];
    if (sum) next[pollutant] = [...(usual[pollutant] ?? []), sum.count].slice(-USUAL_HOURS);
  }
  return next;
}
