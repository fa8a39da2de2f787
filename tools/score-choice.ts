import type { Rule } from "../model/rule.ts";
import { HOUR_MS, MINUTE_MS, parseDuration } from "../model/time.ts";

/**
 * What all rules for the unusual share: how far off, in robust standard deviations, and for how long. What is worth
 * telling of a metric at all (`atLeast`) is the rule's own and not chosen by recordings.
 */
export type Setting = { readonly sigmas: number; readonly lastsMs: number };

/** All that is tried. */
export const SETTINGS: readonly Setting[] = [3, 4, 5, 6].flatMap((sigmas) =>
  [30 * MINUTE_MS, HOUR_MS, 2 * HOUR_MS].map((lastsMs) => ({ sigmas, lastsMs })),
);

/** Every rule for the unusual with this setting; the others are left out. */
export function unusualRules(rules: readonly Rule[], { sigmas, lastsMs }: Setting): Rule[] {
  return rules.flatMap((rule) => {
    const { condition } = rule;
    if (condition.type !== "anomaly") return [];
    const count = Math.max(1, Math.ceil(lastsMs / parseDuration(condition.window)!));
    return [{ ...rule, condition: { ...condition, sigmas, count } }];
  });
}

/** What one setting did on one recording. */
export type Trial = {
  readonly recording: string;
  readonly setting: Setting;
  readonly found: number;
  readonly of: number;
  readonly alerts: number;
  readonly sensorWeeks: number;
};

/** Shorter recordings say nothing of how often. */
const SENSOR_WEEKS_MIN = 1;
/** More of these alerts than one a sensor in two weeks is too many. */
export const ALERTS_PER_SENSOR_WEEK_MAX = 0.5;

/**
 * The one procedure by which settings are chosen: of those with at most half an alert per sensor and week, in the mean
 * over the recordings, the one that finds the most windows; of equal ones the one with the fewest alerts, then the
 * largest distance. If all say more than that, the one that says least.
 */
export function choose(trials: readonly Trial[]): Setting {
  const bySetting = new Map<Setting, Trial[]>();
  for (const trial of trials) bySetting.set(trial.setting, [...(bySetting.get(trial.setting) ?? []), trial]);
  const sums = [...bySetting].map(([setting, all]) => {
    const rates = all.filter(({ sensorWeeks }) => sensorWeeks >= SENSOR_WEEKS_MIN);
    const rate = rates.reduce((sum, { alerts, sensorWeeks }) => sum + alerts / sensorWeeks / rates.length, 0);
    return { setting, found: all.reduce((sum, { found }) => sum + found, 0), rate };
  });
  const quiet = sums.filter(({ rate }) => rate <= ALERTS_PER_SENSOR_WEEK_MAX);
  const ranked = quiet.length > 0 ? quiet : sums;
  const mostFirst = quiet.length > 0 ? (a: (typeof sums)[0], b: (typeof sums)[0]) => b.found - a.found : () => 0;
  ranked.sort((a, b) => mostFirst(a, b) || a.rate - b.rate || b.setting.sigmas - a.setting.sigmas);
  return ranked[0]!.setting;
}

/** For each recording the setting that all others choose. */
export function leaveOneOut(trials: readonly Trial[]): Map<string, Setting> {
  const recordings = [...new Set(trials.map(({ recording }) => recording))];
  return new Map(recordings.map((one) => [one, choose(trials.filter(({ recording }) => recording !== one))]));
}
