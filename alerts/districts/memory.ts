import { METRICS_OF, type MetricName } from "../../model/metrics.ts";
import type { Reading } from "../../model/reading.ts";
import type { StateRow } from "../engine/states.ts";
import type { Neighbour, Neighbours } from "./neighbours.ts";
import { noteValue, type Recent, type RecentJson, recentToJson, restoreRecent, SLOT_MS, slotEnd } from "./recent.ts";

/** All recent values of a sensor, written now and then, and those since: nearly every sensor changes every minute. */
export const RECENT = "~recent";
export const RECENT_SINCE = "~recent-since";
const FULL_EVERY = 16;
/** In one go: all sensors of a city are due at about the same time. */
const FULL_MAX = 500;

/** The recent values of one sensor, and what of them has been saved. Changed in place. */
export type Memory = {
  neighbour: Neighbour;
  readonly metrics: readonly MetricName[];
  readonly recents: (Recent | undefined)[];
  /** The full row on disk holds everything up to here. */
  fullTo: number;
  newestAt: number;
  /** What is measured in [from, to) tells nothing new: every metric of the sensor has its value of those five minutes. */
  from: number;
  to: number;
};

type Json = Partial<Record<MetricName, RecentJson>>;

/** Keeps the recent values of the metrics that verdicts and drift need. */
export function createMemories(keep: ReadonlySet<MetricName>, neighbours: Neighbours) {
  const byKind = Object.fromEntries(
    Object.entries(METRICS_OF).map(([kind, metrics]) => [kind, metrics.filter((metric) => keep.has(metric))]),
  );
  /** Of the save that is on. */
  let fulls = 0;

  function create(neighbour: Neighbour): Memory {
    const metrics = byKind[neighbour.sensor.kind]!;
    const recents = metrics.map((metric) => neighbour.recents.get(metric));
    const never = Number.NEGATIVE_INFINITY;
    return { neighbour, metrics, recents, fullTo: never, newestAt: never, from: 0, to: 0 };
  }

  /** Answers whether it told anything new. */
  function note(memory: Memory, { measuredAt, values }: Reading): boolean {
    const { metrics, recents } = memory;
    let changed = false;
    for (let i = 0; i < metrics.length; i++) {
      const value = values[metrics[i]!];
      if (value === undefined) continue;
      recents[i] ??= neighbours.open(memory.neighbour, metrics[i]!);
      if (noteValue(recents[i]!, measuredAt, value) !== undefined) changed = true;
    }
    if (!changed) return false;
    memory.newestAt = Math.max(memory.newestAt, measuredAt);
    // Something older than the full row has changed: it has to be written anew.
    if (measuredAt <= memory.fullTo) memory.fullTo = Number.NEGATIVE_INFINITY;
    rest(memory, measuredAt);
    return true;
  }

  /** A metric that a sensor sends for the first time may have to wait for the next five minutes. */
  function rest(memory: Memory, at: number): void {
    const to = slotEnd(at) + 1;
    let from = 0;
    for (const recent of memory.recents) {
      const newest = recent?.at.at(-1);
      if (newest === undefined) continue;
      if (newest < to - SLOT_MS || newest >= to) return;
      from = Math.max(from, newest);
    }
    memory.from = from;
    memory.to = to;
  }

  function isFullDue({ recents, fullTo }: Memory): boolean {
    if (fullTo === Number.NEGATIVE_INFINITY) return true;
    return recents.some((recent) => recent !== undefined && (recent.at.at(-FULL_EVERY) ?? fullTo) > fullTo);
  }

  /** Only what is newer than the full row, or now and then all; undefined: nothing is remembered any more. */
  function rowsOf(subject: string, memory: Memory | undefined): StateRow[] {
    const isFull = !memory || (fulls < FULL_MAX && isFullDue(memory));
    if (!isFull) return [{ rule: RECENT_SINCE, subject, state: textOf(memory, memory.fullTo) }];
    fulls += 1;
    if (memory) memory.fullTo = memory.newestAt;
    return fullRows(subject, memory);
  }

  const fullRows = (subject: string, memory: Memory | undefined): StateRow[] => [
    { rule: RECENT, subject, state: memory ? textOf(memory) : "" },
    { rule: RECENT_SINCE, subject, state: "" },
  ];

  function textOf({ metrics, recents }: Memory, after?: number): string {
    const parts = metrics.flatMap((metric, i) => {
      const json = recents[i] && recentToJson(recents[i], after);
      return json ? [[metric, json] as const] : [];
    });
    return parts.length === 0 ? "" : JSON.stringify(Object.fromEntries(parts) satisfies Json);
  }

  /** Give it the full row before the other. */
  function restore(memory: Memory, { rule, state }: StateRow): void {
    for (const [metric, json] of Object.entries(JSON.parse(state) as Json)) {
      const index = memory.metrics.indexOf(metric as MetricName);
      if (index < 0) continue;
      memory.recents[index] ??= neighbours.open(memory.neighbour, metric as MetricName);
      memory.newestAt = Math.max(memory.newestAt, restoreRecent(memory.recents[index], json));
    }
    if (rule === RECENT) memory.fullTo = memory.newestAt;
  }

  return {
    create,
    note,
    restore,
    rowsOf,
    fullRows,
    begin(): void {
      fulls = 0;
    },
  };
}
