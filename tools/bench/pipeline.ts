import { performance } from "node:perf_hooks";
import { type Contender, load, startBareAedes, startLamppost } from "./contenders.ts";

/**
 * Durable QoS 1 readings a second, end to end (fsynced, validated, rules on, stored), beside bare aedes acknowledging the
 * same load in the same run. Pairs alternate and medians are compared, because the machine is never quiet.
 */
type PipelineRow = {
  readonly load: string;
  readonly bareAckedPerS: number;
  readonly lamppostAckedPerS: number;
  readonly lamppostStoredPerS: number;
  readonly ackedRatio: number;
  readonly storedRatio: number;
  readonly pairs: number;
};

type Run = { ackedPerS: number; storedPerS: number };

const SHAPES = [
  { connections: 50, inFlight: 50 },
  { connections: 1000, inFlight: 5 },
];

export async function benchPipeline(options: { durationMs: number; pairs: number }): Promise<PipelineRow[]> {
  const rows: PipelineRow[] = [];
  for (const shape of SHAPES) {
    const bare: Run[] = [];
    const lamppost: Run[] = [];
    for (let pair = 0; pair < options.pairs; pair += 1) {
      bare.push(await run(await startBareAedes(), { ...shape, durationMs: options.durationMs }));
      lamppost.push(await run(await startLamppost(), { ...shape, durationMs: options.durationMs }));
    }
    rows.push({
      load: `${shape.connections} connections x ${shape.inFlight} in flight`,
      bareAckedPerS: Math.round(median(bare.map((one) => one.ackedPerS))),
      lamppostAckedPerS: Math.round(median(lamppost.map((one) => one.ackedPerS))),
      lamppostStoredPerS: Math.round(median(lamppost.map((one) => one.storedPerS))),
      ackedRatio: ratio(lamppost, bare, "ackedPerS"),
      storedRatio: ratio(lamppost, bare, "storedPerS"),
      pairs: options.pairs,
    });
  }
  return rows;
}

/** Stored per second counts the time until the last acknowledged reading is in the store. */
async function run(
  contender: Contender,
  shape: { connections: number; inFlight: number; durationMs: number },
): Promise<Run> {
  try {
    const startedAt = performance.now();
    const result = await load({ ...contender.load, ...shape, district: "bench", prefix: "load" });
    const stored = await contender.settled(result.acked);
    const settling = (performance.now() - startedAt) / 1000 - result.seconds;
    if (stored !== result.acked) throw new Error(`${contender.name}: ${result.acked} acknowledged, ${stored} stored`);
    return { ackedPerS: result.ackedPerS, storedPerS: stored / (result.seconds + Math.max(0, settling - START_S)) };
  } finally {
    await contender.stop();
  }
}

/** Starting the load generator takes about this long and is not the contender's time. */
const START_S = 0.15;

type LatencyRow = {
  readonly load: string;
  readonly name: string;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

/** PUBACK latency at 2,000 readings a second, open loop, 50 connections. */
export async function benchLatency(durationMs: number): Promise<LatencyRow[]> {
  const rows: LatencyRow[] = [];
  for (const start of [startBareAedes, startLamppost]) {
    const contender = await start();
    try {
      const shape = { connections: 50, inFlight: 50, durationMs, ratePerS: 2_000, district: "bench", prefix: "pace" };
      const { p50Ms, p99Ms } = await load({ ...contender.load, ...shape });
      rows.push({ load: "2,000 readings/s", name: contender.name, p50Ms: round(p50Ms), p99Ms: round(p99Ms) });
    } finally {
      await contender.stop();
    }
  }
  return rows;
}

const round = (value: number) => Math.round(value * 100) / 100;
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
/** The median of the ratios of the pairs, not the ratio of the medians: neighbours in time share the machine's mood. */
const ratio = (ours: readonly Run[], theirs: readonly Run[], key: keyof Run) =>
  round(median(ours.map((one, index) => one[key] / theirs[index]![key])));
