import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { Figure } from "../model/health.ts";

/** What Prometheus reads: the figures of every part, and the process's own. */
export function createMetrics(figures: () => readonly Figure[]) {
  const own = new Registry();
  collectDefaultMetrics({ register: own });

  async function text(): Promise<string> {
    return `${await registryOf(figures()).metrics()}\n${await own.metrics()}`;
  }
  return { text, contentType: own.contentType };
}

/** The parts count for themselves, so their figures are written into fresh metrics on each scrape. */
function registryOf(figures: readonly Figure[]): Registry {
  const registry = new Registry();
  for (const [name, group] of Map.groupBy(figures, (figure) => figure.name)) {
    const labelNames = [...new Set(group.flatMap((figure) => Object.keys(figure.labels ?? {})))];
    const config = { name, help: group[0]!.help, labelNames, registers: [registry] };
    const metric = group[0]!.type === "counter" ? new Counter(config) : new Gauge(config);
    for (const { labels = {}, value } of group) metric.inc({ ...labels }, value);
  }
  return registry;
}
