import { ID_PATTERN } from "../../model/ids.ts";
import { KINDS, type Kind } from "../../model/kinds.ts";
import { METRICS_OF, type MetricName } from "../../model/metrics.ts";
import type {
  AggregateQuery,
  CountFilter,
  DayFilter,
  RangeQuery,
  ReadingKey,
  RollupResolution,
} from "../reading-store.ts";
import { receiptField, receiptsBefore, SUSPECT } from "./lines.ts";

/** A query text made of fixed words and names of closed sets, and the values bound to its `$` places. */
export type BoundQuery = { readonly text: string; readonly values: Readonly<Record<string, string>> };

/** InfluxDB counts in nanoseconds of 64 bits: times beyond (1677, 2262) are cut to the ends. */
export const TIME_MS_MAX = 9_223_372_036_854;

export function toTime(ms: number): string {
  return new Date(Math.ceil(Math.min(TIME_MS_MAX, Math.max(-TIME_MS_MAX, ms)))).toISOString();
}

/** Names cannot be bound; inside double quotes only these three need care (InfluxQL, "identifiers"). */
export function quoteName(name: string): string {
  return `"${name.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}

// Names carry what they are (`::tag`, `::string`, `::float`): a point of someone else's that has a field called `sensorId`
// would otherwise make the tag of that name invisible in its whole shard, and a number called like a text of ours in any
// shard of the range would win over it, so that all of it read as nothing. (Of several types of a field InfluxQL
// takes float first, so the pattern that names the metrics cannot be hidden.)
const TAGS = ["sensorId", "district"] as const;

/**
 * Whoever may write there can put our mark on any point. One with an id that no reading of ours can have would be counted
 * and never be read.
 */
const hasId = (tag: (typeof TAGS)[number]) => `"${tag}"::tag =~ /${ID_PATTERN.source}/`;

type Range = Omit<RangeQuery, "kind">;
export type Queries = ReturnType<typeof createQueries>;

/** All our questions, each about points with the mark of this installation (8 hex digits) only. */
export function createQueries(installation: string) {
  const receiptName = receiptField(installation);
  const receipt = `"${receiptName}"::string`;
  const ours = `"installation"::tag =~ /^${installation}(\\.|$)/`;
  const readings = [ours, ...TAGS.map(hasId)].join(" AND ");

  function where(query: Range): BoundQuery {
    const values: Record<string, string> = { from: toTime(query.from), to: toTime(query.to) };
    let text = `${ours} AND time >= $from AND time < $to`;
    for (const tag of TAGS) {
      const value = query[tag];
      if (value !== undefined) values[tag] = value;
      text += ` AND ${value === undefined ? hasId(tag) : `"${tag}"::tag = $${tag}`}`;
    }
    return { text, values };
  }

  function selectBuckets(
    query: RangeQuery & { everyMs: number },
    measurement: string,
    columns: readonly string[],
  ): BoundQuery {
    // A duration cannot be bound, so it must be a number for sure.
    if (!Number.isSafeInteger(query.everyMs) || query.everyMs < 1)
      throw new RangeError("everyMs must be whole, above 0");
    const { text, values } = where(query);
    const grouped = `GROUP BY time(${query.everyMs}ms) fill(none)`;
    return { text: `SELECT ${columns.join(", ")} FROM "${measurement}" WHERE ${text} ${grouped}`, values };
  }

  function selectRanges(kind: Kind, ranges: readonly { sensorId: string; from: number; to: number }[]): BoundQuery {
    const values: Record<string, string> = {};
    const statements = ranges.map((range, n) => {
      values[`s${n}`] = range.sensorId;
      values[`a${n}`] = toTime(range.from);
      values[`b${n}`] = toTime(range.to);
      const wanted = `${ours} AND "sensorId"::tag = $s${n} AND time >= $a${n} AND time <= $b${n}`;
      return `SELECT ${columnsOf(receipt, kind)} FROM "${kind}" WHERE ${wanted}`;
    });
    return { text: statements.join("; "), values };
  }

  return {
    receiptName,
    receipt,
    ours,
    where,
    range(query: RangeQuery): BoundQuery {
      const { text, values } = where(query);
      return {
        text: `SELECT ${columnsOf(receipt, query.kind, query.metrics)} FROM "${query.kind}" WHERE ${text} ORDER BY time`,
        values,
      };
    },
    aggregates(query: RangeQuery & { everyMs: number }, metrics: readonly MetricName[]): BoundQuery {
      const names = ["mean", "min", "max", "count"];
      return selectBuckets(
        query,
        query.kind,
        metrics.flatMap((metric) => names.map((name) => `${name}("${metric}"::float)`)),
      );
    },
    /** The same four columns, from rollups: a sum where the mean would be. */
    rollups(query: AggregateQuery, resolution: RollupResolution, metrics: readonly MetricName[]): BoundQuery {
      const columns = metrics.flatMap((m) => {
        const field = (name: string) => `"${m}${name}"::float`;
        return [`sum(${field("Sum")})`, `min(${field("Min")})`, `max(${field("Max")})`, `sum(${field("Count")})`];
      });
      return selectBuckets(query, `${query.kind}_${resolution}`, columns);
    },
    /** First messages of a moment, then the few that came after them. */
    newest: (kind: Kind): BoundQuery[] =>
      [`!~ ${PART_MARK}`, `=~ ${PART_MARK}`].map((isPart, n) => ({
        text: `SELECT ${columnsOf(receipt, kind)} FROM "${kind}" WHERE ${readings} AND "installation"::tag ${isPart}
          GROUP BY "sensorId", "district"${n ? ', "installation"' : ""} ORDER BY time DESC LIMIT 1`,
        values: {},
      })),
    /** When each metric came last: one statement for each, because several in one have no times. */
    last(kind: Kind, from: number): BoundQuery {
      const fields = METRICS_OF[kind].flatMap((metric) => [metric, `${metric}${SUSPECT}`]);
      const statements = fields.map(
        (field) =>
          `SELECT last("${field}"::float) FROM "${kind}" WHERE ${readings} AND time >= $from GROUP BY "sensorId"`,
      );
      return { text: statements.join("; "), values: { from: toTime(from) } };
    },
    /** The keys as ranges of one sensor each, many statements to a request. Answers may hold more than was asked for. */
    keys(kind: Kind, keys: readonly ReadingKey[]): BoundQuery[] {
      const ranges: { sensorId: string; from: number; to: number }[] = [];
      for (const [sensorId, ofSensor] of Map.groupBy(keys, (key) => key.sensorId)) {
        const times = ofSensor.map((key) => key.measuredAt).sort((a, b) => a - b);
        for (const time of times) {
          const last = ranges.at(-1);
          if (last?.sensorId === sensorId && time - last.to <= SAME_RANGE_MS) last.to = time;
          else ranges.push({ sensorId, from: time, to: time });
        }
      }
      const requests: BoundQuery[] = [];
      for (let start = 0; start < ranges.length; start += STATEMENTS_MAX) {
        requests.push(selectRanges(kind, ranges.slice(start, start + STATEMENTS_MAX)));
      }
      return requests;
    },
    count(sensorId: string | undefined): BoundQuery {
      const text = `SELECT count(${receipt}) FROM ${ALL_KINDS} WHERE ${readings} AND "installation"::tag !~ ${PART_MARK}`;
      if (sensorId === undefined) return { text, values: {} };
      return { text: `${text} AND "sensorId"::tag = $sensorId`, values: { sensorId } };
    },
    /** Of one kind before a time, grouped by mark too: which of them would be removed is the mark's to say. */
    countBySensor({ seqBefore, past }: CountFilter): BoundQuery {
      const conditions = [
        readings,
        ...(seqBefore === undefined ? [] : [`${receipt} =~ /${receiptsBefore(seqBefore)}/`]),
        ...(past ? ["time < $time"] : []),
      ];
      const from = past ? `"${past.kind}"` : ALL_KINDS;
      const text = `SELECT count(${receipt}) FROM ${from} WHERE ${conditions.join(" AND ")}
        GROUP BY "sensorId", "installation"`;
      return { text, values: past ? { time: toTime(past.time) } : {} };
    },
    countByDay(
      kind: Kind,
      range: { readonly from: number; readonly to: number },
      { outside }: DayFilter = {},
    ): BoundQuery {
      const { text: wanted, values } = where(range);
      const before = (seq: number) => `${receipt} =~ /${receiptsBefore(seq)}/`;
      const from = (seq: number) => `${receipt} !~ /${receiptsBefore(seq)}/`;
      const text = outside ? `${wanted} AND (${before(outside.from)} OR ${from(outside.to)})` : wanted;
      const grouped = 'GROUP BY time(1d), "sensorId" fill(none)';
      return { text: `SELECT count(${receipt}) FROM "${kind}" WHERE ${text} ${grouped}`, values };
    },
    /** Which marks there are: all that are in the index, also of others and of points that are gone. */
    marks: (measurement: string): BoundQuery => ({
      text: `SHOW TAG VALUES FROM "${measurement}" WITH KEY = "installation"`,
      values: {},
    }),
    /**
     * One point an hour at most; the newest counts, but not what a clock that was ahead has left. Earlier versions had the
     * second measurement.
     */
    sentinel: (now: number): BoundQuery => ({
      text: `SELECT "life"::string, "booked"::float, "run"::string, "beat"::float
        FROM "${sentinelOf(installation)}", "lamppost_mark" WHERE ${ours} AND time <= $now ORDER BY time DESC LIMIT 1`,
      values: { now: toTime(now) },
    }),
    /** Costs nothing and fails where a real question would: wrong account, no such database. */
    ping: {
      text: `SELECT ${receipt} FROM "${KINDS[0]}" WHERE ${ours} AND time >= now() - 1m LIMIT 1`,
      values: {},
    } satisfies BoundQuery,
  };
}

/** Measurements of bookkeeping carry the id, too: what others write by any likely name fixes no type for ours. */
export const sentinelOf = (installation: string) => `lamppost_mark_${installation}`;
export const probeOf = (installation: string) => `lamppost_probe_${installation}`;

/** Marks of later messages of a moment (`lines.ts`). */
const PART_MARK = "/\\.p[0-9]+$/";

const ALL_KINDS = KINDS.map((kind) => `"${kind}"`).join(", ");
/** Keys of one sensor nearer than this are asked for as one range: an index look-up costs more than some rows. */
const SAME_RANGE_MS = 60_000;
const STATEMENTS_MAX = 500;

/** A pattern, because a name that is not there would cost a column of nothing. It would match tags, too. */
function columnsOf(receipt: string, kind: Kind, metrics: readonly MetricName[] = METRICS_OF[kind]): string {
  const names = metrics.map((metric) => `${metric}(${SUSPECT})?`);
  return `${receipt}, /^(${names.join("|")})$/, ${TAGS.map((tag) => `"${tag}"::tag`).join(", ")}`;
}
