import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { createBacktests } from "../../alerts/backtest/service.ts";
import { loadRules } from "../../alerts/rules/check.ts";
import type { BacktestView } from "../../contract/backtest.ts";
import { SILENT } from "../../model/log.ts";
import type { Reading } from "../../model/reading.ts";
import type { Rule } from "../../model/rule.ts";
import { DAY_MS, HOUR_MS } from "../../model/time.ts";
import { openDuckDbStore } from "../../store/duckdb/store.ts";
import type { ReadingStore } from "../../store/reading-store.ts";

/**
 * Air sensors that report every five minutes, in DuckDB: how fast the store gives them back and rules run over them, in a
 * thread as the service does it. */
type BacktestRow = {
  readonly what: string;
  readonly readings: number;
  readonly seconds: number;
  readonly readingsPerS: number;
  /** Of all threads, DuckDB's included: on a machine that does other things as well, what to look at. */
  readonly cpuSeconds: number;
  readonly alerts?: number;
  readonly rssMiB: number;
};

const EVERY_MS = 300_000;
const START = Date.UTC(2026, 0, 5);

export async function benchBacktest(days: number, sensors: number): Promise<BacktestRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "lamppost-bench-"));
  const store = await openDuckDbStore({ path: join(folder, "readings.duckdb"), log: SILENT });
  try {
    await fill(store, days, sensors);
    const range = { kinds: ["air"] as const, from: START, to: START + days * DAY_MS };
    const rules = loadRules();
    const registry = new Map(Array.from({ length: sensors }, (_, n) => [`air-${n}`, aSensor(`air-${n}`)]));
    const one = rules.filter(({ id }) => id === "eu-no2");
    const scan = await measure("scan alone", async () => {
      let readings = 0;
      for await (const { rows } of store.scan(range)) readings += rows;
      return { readings };
    });
    const backtests = createBacktests({ store, sensors: () => [...registry.values()], now: Date.now, log: SILENT });
    const never = new AbortController().signal;
    const span = { from: range.from, to: range.to, warmUpMs: 0, by: "bench" };
    const over = (what: string, chosen: readonly Rule[]) =>
      measure(what, async () => {
        const { readings, body } = await backtests.run({ ...span, rules: chosen }, never);
        return { readings, alerts: (JSON.parse(new TextDecoder().decode(body)) as BacktestView).figures.alerts };
      });
    return [scan, await over("one rule", one), await over(`the ${rules.length} default rules`, rules)];
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const aSensor = (id: string) => ({ id, ...AIR_ROW, intervalS: EVERY_MS / 1_000, tags: {} });

async function fill(store: ReadingStore, days: number, sensors: number): Promise<void> {
  let batch: Reading[] = [];
  let seq = 0;
  for (let at = START; at < START + days * DAY_MS; at += EVERY_MS) {
    for (let n = 0; n < sensors; n++) {
      seq += 1;
      const hour = (at % DAY_MS) / HOUR_MS;
      const no2 = 40 + 30 * Math.sin((hour / 12) * Math.PI) + ((seq * 7919) % 23) + (n % 50 === 0 ? 60 : 0);
      const values = { no2, pm25: no2 / 3, temperature: 10 + hour / 4, battery: 90 };
      batch.push({
        sensorId: `air-${n}`,
        ...AIR_ROW,
        measuredAt: at + (n % 60) * 1_000,
        receivedAt: at + 60_000,
        values,
        journalSeq: seq,
      });
    }
    if (batch.length < 100_000) continue;
    await store.write(batch);
    batch = [];
  }
  await store.write(batch);
}

const AIR_ROW = { kind: "air", district: "bench" } as const;

async function measure(what: string, work: () => Promise<{ readings: number; alerts?: number }>): Promise<BacktestRow> {
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  const { readings, alerts } = await work();
  const seconds = (performance.now() - startedAt) / 1_000;
  const used = process.cpuUsage(cpu);
  const cpuSeconds = Number(((used.user + used.system) / 1e6).toFixed(2));
  const rssMiB = Math.round(process.memoryUsage().rss / 2 ** 20);
  return {
    what,
    readings,
    seconds: Number(seconds.toFixed(2)),
    readingsPerS: Math.round(readings / seconds),
    cpuSeconds,
    alerts,
    rssMiB,
  };
}
