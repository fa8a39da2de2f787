import { getEnvironmentData } from "node:worker_threads";
import { type CityMetric, setCityMetrics } from "./city-metrics.ts";

/** The first import of a thread's file: it takes the city's metrics from whoever started the thread. */
export const CITY_METRICS = "lamppost.city-metrics";

setCityMetrics((getEnvironmentData(CITY_METRICS) as unknown as readonly CityMetric[] | undefined) ?? []);
