import { performance } from "node:perf_hooks";
import { createDetector } from "../../alerts/detector.ts";
import { createEngine, type Engine, type EngineOptions } from "../../alerts/engine/engine.ts";
import type { StateRow } from "../../alerts/engine/states.ts";
import { loadRules, versionOf } from "../../alerts/rules/check.ts";
import type { Reading } from "../../model/reading.ts";
import { type Rule, ruleSchema } from "../../model/rule.ts";

/**
 * The rules engine alone, on one core: how many readings a second it takes, how much memory it needs when every rule
 * watches every sensor, and how long it takes to go on from what it saved.
 */
type SpeedRow = {
  readonly what: string;
  readonly sensors: number;
  /** Of which not all watch every reading, if they are the default ones. */
  readonly rules: number;
  readonly readingsPerS: number;
  /** The same by the processor time of the whole process: on a machine that others use, too. */
  readonly perCpuS: number;
};

const T0 = Date.UTC(2026, 0, 1);
const EVERY_MS = 60_000;

const rule = (id: string, metric: string | undefined, condition: object): Rule => {
  const fields = { id, title: "A rule", kind: metric ? "air" : "any", metric, condition, severity: "warning" };
  const data = ruleSchema.parse({ ...fields, audience: "operators", source: { text: "benchmark" } }) as Omit<
    Rule,
    "version"
  >;
  return { ...data, version: versionOf(data) };
};

/** Ten rules as a city has them, each watching every reading: limits, spans, windows, runs of windows, silence. */
const TEN: readonly Rule[] = [
  rule("pm25-high", "pm25", { type: "threshold", above: 80, clear: 60 }),
  rule("pm25-mean", "pm25", { type: "threshold", above: 50, window: "1h" }),
  rule("no2-alert", "no2", { type: "consecutive", above: 200, count: 3, window: "1h" }),
  rule("no2-information", "no2", { type: "consecutive", above: 150, count: 1, window: "1h" }),
  rule("no2-high", "no2", { type: "threshold", above: 190, for: "10m" }),
  rule("hot", "temperature", { type: "threshold", above: 40, clear: 38, for: "30m" }),
  rule("cold", "temperature", { type: "threshold", below: -15, clear: -10, for: "30m" }),
  rule("battery-low", "battery", { type: "threshold", below: 20, clear: 30 }),
  rule("battery-critical", "battery", { type: "threshold", below: 10, clear: 20 }),
  rule("silent", undefined, { type: "silence", after: "30m" }),
];

function aReading(sensor: number, at: number, seq: number): Reading {
  const wave = Math.sin(at / 3_000_000 + sensor);
  const values = {
    pm25: 30 + 20 * wave,
    no2: 100 + 80 * wave,
    temperature: 15 + 10 * wave,
    battery: 80 - (sensor % 10),
  };
  return {
    sensorId: `s-${sensor}`,
    kind: "air",
    district: "bench",
    measuredAt: at,
    receivedAt: at + 500,
    values,
    journalSeq: seq,
  };
}

/** `count` readings, sensor after sensor, minute after minute. `lateShare` of them come ten minutes late. */
function feed(sensors: number, count: number, lateShare = 0): Reading[] {
  const readings: Reading[] = [];
  for (let i = 0; i < count; i++) {
    const minute = Math.floor(i / sensors);
    const late = i % 1_000 < lateShare * 1_000 ? 10 * EVERY_MS + 7 : 0;
    readings.push(aReading(i % sensors, T0 + minute * EVERY_MS - late, i + 1));
  }
  return readings;
}

/** What `load-generator.ts` sends: fifty sensors with equal values, a millisecond apart, some at a time. */
function pipelineFeed(count: number): Reading[] {
  const values = { pm25: 12.4, no2: 31.5, o3: 48.2, temperature: 17.3, battery: 87 };
  return Array.from({ length: count }, (_, i) => {
    const [round, sensor] = [Math.floor(i / 1_250), Math.floor(i / 25) % 50];
    return { ...aReading(sensor, T0 + round * 25 + (i % 25), i + 1), values };
  });
}

type Create = (options: EngineOptions) => Pick<Engine, "observe">;

function speed(what: string, create: Create, rules: readonly Rule[], readings: readonly Reading[]): SpeedRow {
  const engine = create({ rules, sensor: () => undefined });
  const sensors = new Set(readings.map(({ sensorId }) => sensorId)).size;
  const warm = readings.length / 5;
  engine.observe(readings.slice(0, warm));
  const startedAt = performance.now();
  const before = process.cpuUsage();
  for (let i = warm; i < readings.length; i += 1_000) engine.observe(readings.slice(i, i + 1_000));
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(before);
  const measured = readings.length - warm;
  const perCpuS = Math.round((measured * 1_000_000) / (user + system));
  return { what, sensors, rules: rules.length, readingsPerS: Math.round(measured / seconds), perCpuS };
}

export function benchSpeed(): SpeedRow[] {
  const all = loadRules();
  return [
    speed("engine, in order", createEngine, TEN, feed(1_000, 1_000_000)),
    speed("engine, 1 % come ten minutes late", createEngine, TEN, feed(1_000, 1_000_000, 0.01)),
    speed("with the districts' part, in order", createDetector, TEN, feed(1_000, 1_000_000)),
    speed("the same, default rules", createDetector, all, feed(1_000, 200_000)),
    speed("the same, default rules, as the pipeline's load", createDetector, all, pipelineFeed(500_000)),
  ];
}

type MemoryRow = {
  readonly what: string;
  readonly rules: number;
  readonly sensors: number;
  readonly rssMiB: number;
  readonly saveMs: number;
  readonly savedMiB: number;
  readonly restoreMs: number;
};

const SENSORS = 10_000;
const MINUTES = 80;

/** 1,000 rules that all watch all of 10,000 sensors: four of five compare values, one of five has windows. */
function thousandRules(): Rule[] {
  const limits = [
    ["pm25", 60],
    ["no2", 1_000],
    ["temperature", 40],
    ["battery", 90],
  ] as const;
  return Array.from({ length: 1_000 }, (_, i) => {
    const [metric, limit] = limits[i % 4]!;
    const above = limit + (i % 10);
    const condition =
      i % 5 === 4
        ? { type: "threshold", above, window: i % 2 === 0 ? "1h" : "10m" }
        : { type: "threshold", above, clear: limit - 5, for: "10m" };
    return rule(`rule-${i}`, metric, condition);
  });
}

type City = { readonly engine: Engine; readonly saved: StateRow[]; readonly saveMs: number };

/** Eighty minutes of a city, a reading of each sensor every ten, saved after each round. */
function saveCity(rules: readonly Rule[]): City {
  const engine = createEngine({ rules, sensor: sensorOf });
  const rows = new Map<string, StateRow>();
  let saveMs = 0;
  for (let minute = 0; minute < MINUTES; minute += 10) {
    for (let i = 0; i < SENSORS; i++) engine.observe([aReading(i, T0 + minute * EVERY_MS, 1)]);
    const startedAt = performance.now();
    const changed = engine.states.snapshot();
    engine.states.saved();
    saveMs = Math.max(saveMs, performance.now() - startedAt);
    for (const row of changed) {
      if (row.state === "") rows.delete(`${row.rule} ${row.subject}`);
      else rows.set(`${row.rule} ${row.subject}`, row);
    }
  }
  return { engine, saved: [...rows.values()], saveMs };
}

/** A city, a "kill" and a restore. */
function memory(what: string, rules: readonly Rule[]): MemoryRow {
  const { engine, saved, saveMs } = saveCity(rules);
  globalThis.gc?.();
  const rssMiB = Math.round(process.memoryUsage.rss() / 2 ** 20);
  const sensors = engine.counts().subjects;
  const startedAt = performance.now();
  createEngine({ rules, sensor: sensorOf }).states.load(saved);
  const restoreMs = Math.round(performance.now() - startedAt);
  const savedMiB = Math.round(saved.reduce((sum, { state }) => sum + state.length, 0) / 2 ** 20);
  return { what, rules: rules.length, sensors, rssMiB, saveMs: Math.round(saveMs), savedMiB, restoreMs };
}

const SENSORS_BY_ID = new Map(
  Array.from({ length: SENSORS }, (_, i) => {
    const id = `s-${i}`;
    return [id, { id, kind: "air" as const, district: "bench", intervalS: 600, tags: {} }];
  }),
);
const sensorOf = (id: string) => SENSORS_BY_ID.get(id);

export const benchMemory = (): MemoryRow[] => [
  memory("ten rules", TEN),
  memory("all rules on all sensors", thousandRules()),
];
