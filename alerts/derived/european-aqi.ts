import { DERIVED } from "../../model/metrics.ts";
import { say } from "../../model/sentence.ts";
import { DAY_MS, HOUR_MS } from "../../model/time.ts";
import type { Derive, HourMeans } from "../engine/derive.ts";

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

/** `ozoneAt`: the last hour with ozone. */
export type AqiState = { readonly ozoneAt?: number | undefined };

const OZONE_MEMORY_MS = 7 * DAY_MS;

/**
 * European air quality index, 2025: one class from 1 to 6 per UTC hour, of the worst pollutant. A mean equal to a limit is
 * in the better class; negative ones count as 0.
 *
 * Guards: a pollutant counts with data for 45 minutes of the hour (2008/50/EC, Annex VII), each reading for its gap as in
 * any window. Completeness, as in the viewer of the EEA: no index without
 * NO2, particles (PM2.5 or PM10) and ozone; a sensor that has sent no ozone for a week is taken for a traffic station,
 * which needs NO2 and particles. Good only if the pollutant that decides has a value that is not suspect.
 */
export const europeanAqi: Derive<AqiState> = {
  metric: "europeanAqi",
  from: DERIVED.europeanAqi.from,
  capture: 0.75,
  quiet: {},
  step({ ozoneAt: before }, hour, means) {
    const ozoneAt = means.o3 ? hour : before;
    const valid = POLLUTANTS.filter((pollutant) => means[pollutant]?.valid);
    const sendsOzone = ozoneAt !== undefined && hour - ozoneAt < OZONE_MEMORY_MS;
    return [{ ozoneAt }, isComplete(valid, sendsOzone) ? worstOf(valid, hour, means) : undefined];
  },
};

function worstOf(valid: readonly Pollutant[], hour: number, means: HourMeans) {
  const classes = valid.map((pollutant) => classOf(pollutant, means[pollutant]!.value));
  const value = Math.max(...classes);
  const decide = valid.filter((_, i) => classes[i] === value);
  const [worst] = decide as [Pollutant];
  const mean = { value: means[worst]!.value, of: worst };
  const because = say("index.because", { metric: worst, value: mean });
  return { at: hour + HOUR_MS, value, good: decide.some((pollutant) => means[pollutant]!.good), because };
}

/** 1 to 6. µg/m³, as an hourly mean. */
export function classOf(pollutant: Pollutant, mean: number): number {
  const better = BANDS[pollutant].findIndex((limit) => mean <= limit);
  return better < 0 ? BANDS[pollutant].length + 1 : better + 1;
}

function isComplete(valid: readonly Pollutant[], sendsOzone: boolean): boolean {
  const has = (pollutant: Pollutant) => valid.includes(pollutant);
  return has("no2") && (has("pm25") || has("pm10")) && (has("o3") || !sendsOzone);
}
