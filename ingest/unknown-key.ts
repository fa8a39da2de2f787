import type { Kind } from "../model/kinds.ts";
import { METRICS_OF, type MetricName, metricRow } from "../model/metrics.ts";

const KEY_CHARS_SHOWN = 40;
/** What other makers call our metrics. */
const ALIASES: ReadonlyMap<string, MetricName> = new Map([
  ["humidity", "relativeHumidity"],
  ["rh", "relativeHumidity"],
  ["temp", "temperature"],
  ["power", "activePower"],
  ["batterylevel", "battery"],
  ["vbat", "batteryVoltage"],
]);
const TOPIC_KEYS: ReadonlySet<string> = new Set(["sensorId", "kind", "district", "deviceId"]);

/** A key from outside, fit for a sentence: one line, printable, short. */
export function showKey(key: string): string {
  const plain = key.toWellFormed().replace(/[^\x20-\x7e\u00a1-\u024f]/g, "?");
  return plain.length > KEY_CHARS_SHOWN ? `${plain.slice(0, KEY_CHARS_SHOWN)}…` : plain;
}

/** Says which key is unknown and, if it can, what was probably meant. */
export function explainUnknownKey(key: string, kind: Kind): string {
  const shown = showKey(key);
  if (TOPIC_KEYS.has(key)) return `"${shown}" does not belong here: the topic says whose reading it is.`;
  if (metricRow(key)) return `"${shown}" is not a metric of ${kind} sensors.`;
  const near = nearestMetric(key, kind);
  const hint = near ? `; did you mean "${near}"?` : ".";
  return `"${shown}" is not a metric of ${kind} sensors${hint}`;
}

export function nearestMetric(key: string, kind: Kind): MetricName | undefined {
  if (key.length > KEY_CHARS_SHOWN) return undefined;
  const bare = key.toLowerCase().replace(/[^a-z0-9]/g, "");
  const names = METRICS_OF[kind];
  const alias = ALIASES.get(bare);
  if (alias && names.includes(alias)) return alias;
  let best: MetricName | undefined;
  let bestDistance = bare.length > 5 ? 3 : bare.length > 3 ? 2 : 1;
  for (const name of names) {
    const distance = editDistance(bare, name.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}

/** Levenshtein distance, one row at a time. Both texts are short. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
