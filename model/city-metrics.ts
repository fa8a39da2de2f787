import type { Kind } from "./kinds.ts";

/** A metric that a city added to those of `metrics.ts`. Outside `fail` a value is refused, outside `suspect` flagged. */
export type CityMetric = {
  readonly id: string;
  readonly kind: Kind;
  readonly unit: string;
  readonly fail: readonly [number, number];
  readonly suspect: readonly [number, number];
  readonly names: Readonly<Record<"en" | "de" | "es", string>>;
};

/**
 * Where they are for whoever loads the table of metrics: set once, by whatever starts a process, a thread or the page,
 * before it. So the table is whole from the first moment, and nobody has to ask whether it is.
 */
const KEY = Symbol.for("lamppost.city-metrics");
const place = globalThis as { [KEY]?: readonly CityMetric[] };

export function setCityMetrics(metrics: readonly CityMetric[]): void {
  place[KEY] = metrics;
}

export function cityMetrics(): readonly CityMetric[] {
  return place[KEY] ?? [];
}

/** What a city calls them. */
export const cityNames = (language: "de" | "es"): Record<string, string> =>
  Object.fromEntries(cityMetrics().map(({ id, names }) => [id, names[language]]));

/** As a script of the page, which sets them before anything else of it is loaded. */
export function cityMetricsScript(): string {
  // "<" cannot end the script, and the separators of lines are none inside a text.
  const json = JSON.stringify(cityMetrics()).replace(
    /[<\u2028\u2029]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `globalThis[Symbol.for("lamppost.city-metrics")] = ${json};\n`;
}
