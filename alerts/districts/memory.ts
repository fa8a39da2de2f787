import { METRICS_OF, type MetricName } from "../../model/metrics.ts";
import type { Reading } from "../../model/reading.ts";
import type { StateRow } from "../engine/state-rows.ts";
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
  /** The full row holds everything up to here. */
  fullTo: number;
  newestAt: number;
  /** What is measured in [from, to) tells nothing new: every metric of the sensor has its value of those five minutes. */
  from: number;
  to: number;
  dirty: boolean;
  /** Its full row is among those that are being saved. */
  full: boolean;
};

type Json = Partial<Record<MetricName, RecentJson>>;

/** Keeps the recent values of the metrics that verdicts and drift need. */
export function createMemories(keep: ReadonlySet<MetricName>, neighbours: Neighbours) {
  const byKind = Object.fromEntries(
    Object.entries(METRICS_OF).map(([kind, metrics]) => [kind, metrics.filter((metric) => keep.has(metric))]),
  );
  let unsaved: Memory[] = [];
  let gone: string[] = [];

  function create(neighbour: Neighbour): Memory {
    const metrics = byKind[neighbour.sensor.kind]!;
    const recents = metrics.map((metric) => neighbour.recents.get(metric));
    const never = Number.NEGATIVE_INFINITY;
    return { neighbour, metrics, recents, fullTo: never, newestAt: never, from: 0, to: 0, dirty: false, full: false };
  }

  function note(memory: Memory, { measuredAt, values }: Reading): void {
    const { metrics, recents } = memory;
    let changed = false;
    for (let i = 0; i < metrics.length; i++) {
      const value = values[metrics[i]!];
      if (value === undefined) continue;
      recents[i] ??= neighbours.open(memory.neighbour, metrics[i]!);
      if (noteValue(recents[i]!, measuredAt, value) !== undefined) changed = true;
    }
    if (!changed) return;
    mark(memory, measuredAt);
    rest(memory, measuredAt);
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

  function mark(memory: Memory, at: number): void {
    if (at > memory.newestAt) memory.newestAt = at;
    // Something older than the full row has changed: it has to be written anew.
    if (at <= memory.fullTo) memory.fullTo = Number.NEGATIVE_INFINITY;
    if (memory.dirty) return;
    memory.dirty = true;
    unsaved.push(memory);
  }

  function isFullDue({ recents, fullTo }: Memory): boolean {
    if (fullTo === Number.NEGATIVE_INFINITY) return true;
    return recents.some((recent) => recent !== undefined && (recent.at.at(-FULL_EVERY) ?? fullTo) > fullTo);
  }

  /** What has changed: only what is newer than the full row, or now and then all. The same until `saved`. */
  function rowsOf(memory: Memory): StateRow[] {
    const subject = memory.neighbour.sensor.id;
    if (!memory.full) return [{ rule: RECENT_SINCE, subject, state: textOf(memory, memory.fullTo) }];
    return [
      { rule: RECENT, subject, state: textOf(memory) },
      { rule: RECENT_SINCE, subject, state: "" },
    ];
  }

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
    forget: (id: string) => gone.push(id),
    rows(): StateRow[] {
      let fulls = 0;
      for (const memory of unsaved) {
        memory.full = fulls < FULL_MAX && isFullDue(memory);
        if (memory.full) fulls += 1;
      }
      const removed = gone.flatMap((subject) => [RECENT, RECENT_SINCE].map((rule) => ({ rule, subject, state: "" })));
      return [...removed, ...unsaved.flatMap(rowsOf)];
    },
    fullRows: (memory: Memory): StateRow[] => {
      const subject = memory.neighbour.sensor.id;
      return [
        { rule: RECENT, subject, state: textOf(memory) },
        { rule: RECENT_SINCE, subject, state: "" },
      ];
    },
    saved(): void {
      for (const memory of unsaved) {
        if (memory.full) memory.fullTo = memory.newestAt;
        memory.full = false;
        memory.dirty = false;
      }
      unsaved = [];
      gone = [];
    },
  };
}
