import { basename } from "node:path";
import { z } from "zod";
import { createZoneClock, localMs, localTimeReader } from "../model/local-time.ts";
import type { MetricName } from "../model/metrics.ts";
import { toId } from "../model/names.ts";
import { fileSpec, type Mapping, RecordingError, type TableFile } from "../simulators/mapping.ts";

/** What people marked in a recording, with the recording's own names and times. */
export type RawLabel = {
  /** Without folder. */
  readonly file: string;
  /** undefined: every sensor of the file. */
  readonly column?: string;
  readonly type: LabelType;
  readonly from: string;
  readonly to: string;
  /** When it happened, where a window around it was labelled. */
  readonly moment?: string;
  readonly floor: boolean;
};

/**
 * "event": something happened (a NAB window, a labelled mote). "flatline": one value again and again. "gap": values are
 * missing. "point": single implausible values.
 */
type LabelType = "event" | "flatline" | "gap" | "point";

/** The same in the service's terms. `to` is the time of the last value. */
export type Label = {
  readonly file: string;
  readonly sensorIds: readonly string[];
  /** undefined: whatever the sensor measures. */
  readonly metric?: MetricName;
  readonly type: LabelType;
  readonly from: number;
  readonly to: number;
  /** When it happened: delays are counted from here. `from` where nobody said. */
  readonly moment: number;
  /** The value is the detection limit: a constant value that is no fault. */
  readonly floor: boolean;
};

const windows = z.record(z.string(), z.array(z.tuple([z.string(), z.string()])));
/** NAB's second list: the labelled moments, in the order of the windows around them. */
const moments = z.record(z.string(), z.array(z.string()));
const fault = z.looseObject({
  dataset: z.string().optional(),
  file: z.string(),
  column: z.string().optional(),
  type: z.string(),
  start: z.string().optional(),
  end: z.string().optional(),
  likely_detection_floor: z.boolean().optional(),
});

/** What each word of a fault list means here; others (counts of inconsistent rows, …) have no time and are no labels. */
const TYPES: readonly (readonly [RegExp, LabelType])[] = [
  [/flatline/, "flatline"],
  [/gap/, "gap"],
  [/labelled_event|anomaly|event/, "event"],
  [/implausible|spike/, "point"],
];

/** Windows with the moments that NAB's second list has for them. */
export function withMoments(labels: readonly RawLabel[], value: unknown): RawLabel[] {
  const known = moments.safeParse(value);
  if (!known.success) return [...labels];
  const byFile = new Map(Object.entries(known.data).map(([path, times]) => [basename(path), times]));
  return labels.map((label) => {
    const moment = byFile.get(label.file)?.find((time) => time >= label.from && time <= label.to);
    return moment === undefined ? label : { ...label, moment };
  });
}

/**
 * Labels in one of two shapes: NAB windows (`{"folder/file.csv": [["from", "to"], …]}`), or a list of faults
 * (`[{file, column, type, start, end, likely_detection_floor}]`, `dataset` picks those of one folder). Throws
 * `RecordingError`.
 */
export function parseLabels(value: unknown, dataset?: string): RawLabel[] {
  const nab = windows.safeParse(value);
  if (nab.success)
    return Object.entries(nab.data).flatMap(([path, spans]) =>
      spans.map(([from, to]) => ({ file: basename(path), type: "event" as const, from, to, floor: false })),
    );
  const faults = z.array(fault).safeParse(value);
  if (!faults.success)
    throw new RecordingError(
      'labels are {"file.csv": [["from", "to"], …]} or [{"file", "column", "type", "start", "end"}, …]',
    );
  return faults.data.flatMap((one) => {
    if (dataset !== undefined && one.dataset !== undefined && one.dataset !== dataset) return [];
    const type = TYPES.find(([pattern]) => pattern.test(one.type))?.[1];
    if (!type || one.start === undefined) return [];
    const { file, column, start: from, end: to = from, likely_detection_floor: floor = false } = one;
    return [{ file: basename(file), ...(column !== undefined && { column }), type, from, to, floor }];
  });
}

/**
 * A label in the service's terms, or why not: the column has no metric, the time cannot be read. `sensorIds`: the
 * sensors that were seen in this file. Times are read in the zone of the mapping; "row 12" counts from 0, "reading 12"
 * is the number in the index column.
 */
export function resolveLabel(raw: RawLabel, mapping: Mapping, sensorIds: ReadonlySet<string>): Label | string {
  const { file, column, type, floor } = raw;
  if (mapping.form === "native") return resolveNative(raw, sensorIds);
  const { spec, groups } = fileSpec(mapping, file);
  const from = timeOf(raw.from, spec);
  const to = timeOf(raw.to, spec);
  const moment = raw.moment === undefined ? from : timeOf(raw.moment, spec);
  if (from === undefined || to === undefined || moment === undefined)
    return `the times ${raw.from} and ${raw.to} cannot be read`;
  const times = { type, from, to, moment, floor };
  if (column === undefined) return { file, sensorIds: [...sensorIds], ...times };
  if (sensorIds.has(toId(column))) return { file, sensorIds: [toId(column)], ...times };
  const found = sourceOf(column, spec, groups);
  if (!found) return `no metric for the column ${column}`;
  const ids = [...sensorIds].filter((id) => found.pattern.test(id));
  return ids.length === 0
    ? `no sensor for the column ${column}`
    : { file, sensorIds: ids, metric: found.metric, ...times };
}

function resolveNative(
  { file, column, type, floor, ...raw }: RawLabel,
  sensorIds: ReadonlySet<string>,
): Label | string {
  const from = Date.parse(raw.from);
  const to = Date.parse(raw.to);
  if (Number.isNaN(from) || Number.isNaN(to)) return `the times ${raw.from} and ${raw.to} cannot be read`;
  const times = { type, from, to, moment: from, floor };
  if (column === undefined) return { file, sensorIds: [...sensorIds], ...times };
  return sensorIds.has(column) ? { file, sensorIds: [column], ...times } : `no sensor ${column}`;
}

/** Which metric a column became, and what the ids of its sensors look like. */
function sourceOf(column: string, spec: TableFile, groups: Readonly<Record<string, string>>) {
  for (const reading of spec.readings) {
    if ("metrics" in reading) {
      const one = reading.metrics.find((metric) => metric.column.toLowerCase() === column.toLowerCase());
      if (one) return { metric: one.metric, pattern: idPattern(reading.sensor, groups) };
      continue;
    }
    const match = new RegExp(reading.eachColumn, "i").exec(column);
    if (match)
      return { metric: reading.metric, pattern: idPattern(reading.sensor, { ...groups, column, ...match.groups }) };
  }
  return undefined;
}

/** "beijing-{station}" with the station in the row: any id of that form. */
function idPattern(template: string, known: Readonly<Record<string, string>>): RegExp {
  const parts = template.split(/(\{[^}]+\})/).map((part) => {
    const name = /^\{(.+)\}$/.exec(part)?.[1];
    const text = name === undefined ? part : known[name];
    return text === undefined ? ".+" : text.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  });
  return new RegExp(`^${parts.join("")}$`);
}

function timeOf(text: string, { time }: TableFile): number | undefined {
  const counted = /^(row|reading) (\d+)$/.exec(text);
  if (counted && !("columns" in time)) {
    const start = Temporal.PlainDateTime.from(time.start).toZonedDateTime(time.zone).epochMilliseconds;
    const step = Number(counted[2]) - (counted[1] === "reading" ? time.indexFrom : 0);
    return start + step * time.stepS * 1000;
  }
  const said = localTimeReader("YYYY-MM-DD HH:mm:ss")(text.replace("T", " ").replace(/\.\d+$/, ""));
  const local = said && localMs(said);
  return local === undefined ? undefined : createZoneClock(time.zone ?? "UTC")(local).at;
}
