import { cityMetrics } from "../../model/city-metrics.ts";

/** What a city calls the metrics that it added. */
export const cityNames = (language: "de" | "es"): Record<string, string> =>
  Object.fromEntries(cityMetrics().map(({ id, names }) => [id, names[language]]));
