import { KINDS, type Kind } from "../../../model/kinds.ts";
import { isMetricName, type MetricName } from "../../../model/metrics.ts";
import type { ReadingView } from "../../../model/reading.ts";

export type FeedFilter = {
  readonly kind: Kind | undefined;
  readonly district: string | undefined;
  /** Part of a sensor's id. */
  readonly sensor: string;
  /** Only readings that have this value. */
  readonly metric: MetricName | undefined;
  readonly suspect: boolean;
};

/** What the address asks for. Anything it should not say is left out. */
export function readFeedFilter(query: URLSearchParams): FeedFilter {
  const metric = query.get("metric") ?? "";
  return {
    kind: KINDS.find((kind) => kind === query.get("kind")),
    district: query.get("district") || undefined,
    sensor: (query.get("sensor") ?? "").trim().toLowerCase(),
    metric: isMetricName(metric) ? metric : undefined,
    suspect: query.get("suspect") === "yes",
  };
}

export const isFiltered = ({ kind, district, sensor, metric, suspect }: FeedFilter): boolean =>
  Boolean(kind || district || sensor || metric || suspect);

/** With a metric, `suspect` asks for that value; without one, for any. */
export function fitsFeed(reading: ReadingView, filter: FeedFilter): boolean {
  const { kind, district, sensor, metric, suspect } = filter;
  if (kind && reading.kind !== kind) return false;
  if (district && reading.district !== district) return false;
  if (sensor && !reading.sensorId.includes(sensor)) return false;
  if (metric && reading.values[metric] === undefined) return false;
  if (!suspect) return true;
  return metric ? reading.quality?.[metric] !== undefined : reading.quality !== undefined;
}
