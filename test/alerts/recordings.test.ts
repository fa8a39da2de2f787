import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { WatchedSensor } from "../../alerts/conditions/condition.ts";
import { createEngine } from "../../alerts/engine/engine.ts";
import { loadRules } from "../../alerts/rules/check.ts";
import type { Transition } from "../../model/alert.ts";
import { METRICS, type MetricName, type MetricRow } from "../../model/metrics.ts";
import type { Reading } from "../../model/reading.ts";
import { DAY, HOUR, MINUTE } from "./builders.ts";

/** Recordings lie beside the repository; without them there is nothing to look at. */
const DATA = join(import.meta.dirname, "../../../shared/data");
const here = existsSync(DATA);
const it_ = it.runIf(here);
if (!here) process.stderr.write(`skipped: the default rules on real recordings (no ${DATA})\n`);

const rules = here ? loadRules() : [];
const imported = { receivedAt: Date.UTC(2026, 0, 1), journalSeq: 1, imported: true } as const;

function runRules(readings: readonly Reading[], sensor?: WatchedSensor): Transition[] {
  return createEngine({ rules, sensor: () => sensor }).observe(readings);
}

type Span = { from: number; to: number | undefined; value: number | undefined };

function spans(transitions: readonly Transition[], rule: string): Span[] {
  const ends = new Map(
    transitions.filter(({ entry }) => entry.what === "resolved").map(({ alert }) => [alert.id, alert.resolvedAt]),
  );
  return transitions
    .filter(({ alert, entry }) => alert.rule.id === rule && entry.what === "firing")
    .map(({ alert }) => ({ from: alert.startedAt, to: ends.get(alert.id), value: alert.value }));
}

/** The times in which an alert of a rule is at this level or above. `runMs`: how long it takes to come to it. */
function spansAt(transitions: readonly Transition[], rule: string, level: number, runMs: number): Span[] {
  const found: Span[] = [];
  const open = new Map<string, Span>();
  for (const { alert, entry } of transitions) {
    if (alert.rule.id !== rule || entry.what === "pending") continue;
    const isThere = alert.state === "firing" && (alert.level ?? 1) >= level;
    const span = open.get(alert.id);
    if (isThere && !span) {
      const begun = { from: entry.at - runMs, to: undefined, value: alert.value };
      open.set(alert.id, begun);
      found.push(begun);
    } else if (!isThere && span) {
      span.to = entry.at;
      open.delete(alert.id);
    }
  }
  return found;
}

describe("a traffic loop that was out for 84 hours (NAB occupancy_t4013)", () => {
  const rows = here
    ? readFileSync(join(DATA, "nab/realTraffic/occupancy_t4013.csv"), "utf8").trim().split("\n").slice(1)
    : [];
  const feed = rows.map((row): Reading => {
    const [time, value] = row.split(",") as [string, string];
    const where = { sensorId: "t4013", kind: "traffic", district: "minneapolis" } as const;
    return {
      ...where,
      ...imported,
      measuredAt: Date.parse(`${time.replace(" ", "T")}Z`),
      values: { occupancy: Number(value) },
    };
  });

  const loop: WatchedSensor = { id: "t4013", kind: "traffic", district: "minneapolis", intervalS: 300, tags: {} };
  const outage = { from: Date.UTC(2015, 8, 4, 22, 53), to: Date.UTC(2015, 8, 8, 10, 44) };

  it_("sensor-silent says when each silence began and ended, and nothing that is not so", () => {
    const found = spans(runRules(feed, loop), "sensor-silent");
    const times = feed.map(({ measuredAt }) => measuredAt);
    // Independent of the engine: every hole of more than half an hour. The loop polls every 5 minutes.
    const holes = times.slice(1).flatMap((to, i) => (to - times[i]! > 30 * MINUTE ? [{ last: times[i]!, to }] : []));
    expect(holes.length).toBeGreaterThan(5);
    expect(found.map(({ from, to }) => ({ last: from - 30 * MINUTE, to }))).toEqual(holes);
    expect(found).toContainEqual({ ...outage, value: undefined });
  });

  it_(
    "finds the outage without being told the interval as well, and little else: it often leaves out some polls",
    () => {
      const found = spans(runRules(feed), "sensor-silent");
      const it = found.find(({ to }) => to === outage.to)!;
      expect(it.from).toBeGreaterThanOrEqual(outage.from);
      expect(it.from).toBeLessThan(outage.from + 3 * HOUR);
      expect(found.length).toBeLessThanOrEqual(3);
    },
  );

  it_("only that outage is a day of silence", () => {
    const found = spans(runRules(feed), "sensor-silent-day");
    expect(found).toMatchObject([{ from: Date.UTC(2015, 8, 5, 22, 23), to: Date.UTC(2015, 8, 8, 10, 44) }]);
  });
});

describe.for(["Aotizhongxin", "Tiantan", "Wanshouxigong"])("four years of Beijing air at %s", (station) => {
  const columns = { "PM2.5": "pm25", PM10: "pm10", SO2: "so2", NO2: "no2", O3: "o3" } as const;
  const read = () => {
    const path = join(DATA, `beijing-multisite/PRSA_Data_${station}_20130301-20170228.csv.gz`);
    const [head, ...rows] = gunzipSync(readFileSync(path)).toString("utf8").trim().split("\n");
    const names = head!.replaceAll('"', "").trim().split(",");
    return rows.map((row) => Object.fromEntries(row.split(",").map((cell, i) => [names[i]!, cell])));
  };
  const table = here ? read() : [];
  const hourOf = ({ year, month, day, hour }: Record<string, string>) =>
    Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour) - 8);
  const feed = table.flatMap((row): Reading[] => {
    const cells = Object.entries(columns).filter(([name]) => row[name] !== "NA");
    if (cells.length === 0) return [];
    const values = Object.fromEntries(cells.map(([name, metric]) => [metric, Number(row[name])]));
    const quality = Object.fromEntries(
      Object.entries(values)
        .filter(([metric, value]) => isSuspect(METRICS[metric as MetricName], value))
        .map(([metric]) => [metric, "suspect"]),
    );
    const where = { sensorId: station.toLowerCase(), kind: "air", district: "beijing" } as const;
    return [{ ...where, ...imported, measuredAt: hourOf(row), values, quality } as Reading];
  });
  function isSuspect({ suspect }: MetricRow, value: number): boolean {
    return value < suspect[0] || value > suspect[1];
  }
  const said = here ? runRules(feed) : [];

  /** Hours or days over a limit, worked out from the table alone: no windows, no states. */
  function over(
    column: keyof typeof columns,
    limit: number,
    size: number,
  ): Map<number, { value: number; good: boolean }> {
    const cells = new Map<number, number[]>();
    for (const row of table) {
      const slot = Math.floor(hourOf(row) / size);
      if (row[column] !== "NA") cells.set(slot, [...(cells.get(slot) ?? []), Number(row[column])]);
    }
    const needed = size === DAY ? 18 : 1;
    const means = [...cells].flatMap(([slot, values]) => {
      const value = values.reduce((sum, one) => sum + one, 0) / values.length;
      const good = values.some((one) => !isSuspect(METRICS[columns[column]], one));
      return values.length >= needed && value > limit ? [[slot, { value, good }] as const] : [];
    });
    return new Map(means);
  }

  /** Starts of runs of `count` slots or more, of which one of the first `count` at least is not all suspect. */
  function starts(slots: ReturnType<typeof over>, count: number, size: number): number[] {
    const first = [...slots.keys()].filter((slot) => !slots.has(slot - 1));
    return first.flatMap((slot) => {
      let length = 0;
      while (slots.has(slot + length)) length += 1;
      const run = Array.from({ length }, (_, i) => slots.get(slot + i)!);
      const fires = run.some((_, i) => i + 1 >= count && run.slice(i + 1 - count, i + 1).some(({ good }) => good));
      return fires ? [slot * size] : [];
    });
  }

  it_.for([
    ["eu-pm10", 1, "PM10", 45, DAY],
    ["eu-pm10", 2, "PM10", 50, DAY],
    ["eu-pm25", 1, "PM2.5", 25, DAY],
    ["eu-no2", 2, "NO2", 200, HOUR],
  ] as const)("%s at level %i says how many of the year were above by then", ([rule, level, column, limit, size]) => {
    const yearOf = (at: number) => new Date(at).getUTCFullYear();
    const above = [...over(column, limit, size).keys()].map((slot) => slot * size);
    const told = said.filter(({ alert, entry }) => {
      const isNew = entry.what === "firing" || entry.what === "raised";
      return isNew && alert.rule.id === rule && (alert.level ?? 1) === level;
    });
    const counts = told.map(({ alert }) => Number(/(?:day|hour) (\d+) of this year/.exec(alert.explanation)?.[1]));
    const expected = told.map(
      ({ entry }) => above.filter((at) => at < entry.at && yearOf(at) === yearOf(entry.at - 1)).length,
    );
    expect(counts).toEqual(expected);
    if (size === DAY && level === 1) expect(counts.length).toBeGreaterThan(5);
  });

  const cases = [
    ["eu-o3", 1, "O3", 180, 1, HOUR],
    ["eu-o3", 2, "O3", 240, 1, HOUR],
    ["eu-no2", 1, "NO2", 150, 1, HOUR],
    ["eu-no2", 2, "NO2", 200, 1, HOUR],
    ["eu-no2", 3, "NO2", 200, 3, HOUR],
    ["eu-no2", 4, "NO2", 400, 3, HOUR],
    ["eu-so2", 1, "SO2", 275, 1, HOUR],
    ["eu-so2", 2, "SO2", 350, 1, HOUR],
    ["eu-so2", 3, "SO2", 350, 3, HOUR],
    ["eu-pm25", 1, "PM2.5", 25, 1, DAY],
    ["eu-pm25", 2, "PM2.5", 50, 1, DAY],
    ["eu-pm10", 1, "PM10", 45, 1, DAY],
    ["eu-pm10", 2, "PM10", 50, 1, DAY],
    ["eu-pm10", 3, "PM10", 90, 1, DAY],
  ] as const;

  it_.for(cases)(
    "%s at level %i fires for exactly the episodes of the table",
    ([rule, level, column, limit, count, size]) => {
      const expected = starts(over(column, limit, size), count, size);
      const alerts = spansAt(said, rule, level, count * size);
      // An alert goes on through a hole of one or two hours (days); the table's runs end there. So: every alert begins
      // where a run does, and every run is within an alert.
      const begins = new Set(expected);
      expect(alerts.filter(({ from }) => !begins.has(from)).map(({ from }) => new Date(from).toISOString())).toEqual(
        [],
      );
      const uncovered = expected.filter(
        (at) => !alerts.some(({ from, to }) => from <= at && at < (to ?? Number.MAX_VALUE)),
      );
      expect(uncovered.map((at) => new Date(at).toISOString())).toEqual([]);
      if ((rule === "eu-pm25" && level === 2) || (rule === "eu-o3" && level === 1))
        expect(alerts.length).toBeGreaterThan(20);
    },
  );
});
