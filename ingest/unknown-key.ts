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
  const shown = key
    .slice(0, KEY_CHARS_SHOWN)
    .toWellFormed()
    .replace(/[^\x20-\x7e\u00a1-\u024f]/g, "?");
  return key.length > KEY_CHARS_SHOWN ? `${shown}…` : shown;
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
    const other = name.toLowerCase();
    if (Math.abs(other.length - bare.length) >= bestDistance || !sharesAnEnd(bare, other)) continue;
    const distance = editDistance(bare, other);
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}

/** A message may have 500 unknown keys, each to be compared with every metric: most are told apart by this. */
const sharesAnEnd = (a: string, b: string) => a[0] === b[0] || a.at(-1) === b.at(-1);

const row = new Uint8Array(KEY_CHARS_SHOWN + 1);

/** Levenshtein distance, in one row. Both texts have at most `KEY_CHARS_SHOWN` characters. */
function editDistance(a: string, b: string): number {
  for (let j = 0; j <= b.length; j++) row[j] = j;
  for (let i = 1; i <= a.length; i++) {
    let diagonal = row[0]!;
    row[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const swap = diagonal + (a.charCodeAt(i - 1) === b.charCodeAt(j - 1) ? 0 : 1);
      diagonal = row[j]!;
      row[j] = Math.min(swap, diagonal + 1, row[j - 1]! + 1);
    }
  }
  return row[b.length]!;
}
