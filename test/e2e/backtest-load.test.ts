/** @module-tag long */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import type { Reading } from "../../model/reading.ts";
import { openDuckDbStore } from "../../store/duckdb/store.ts";
import { type City, startCity } from "../helpers/city.ts";

/** A backtest over a long history must not hold up what comes in, and must end with its client. */
const SENSORS = 200;
const STEPS = 2_000;
const EVERY_MS = 300_000;
const TO = Date.UTC(2026, 10, 1);
const FROM = TO - STEPS * EVERY_MS;
const span = { from: new Date(FROM).toISOString(), to: new Date(TO).toISOString() };

/** Twenty rules on the same value: work for some seconds. */
const rules = Array.from({ length: 20 }, (_, n) => ({
  id: `rule-${n}`,
  title: "A rule",
  kind: "air",
  metric: "no2",
  severity: "info",
  audience: "crews",
  condition: { type: "consecutive", above: 30 + n, count: 3, window: "1h" },
  source: { text: "a test" },
}));

async function fill(dataDir: string): Promise<void> {
  const store = await openDuckDbStore({ path: join(dataDir, "readings.duckdb"), log: SILENT });
  let batch: Reading[] = [];
  for (let step = 0; step < STEPS; step++) {
    for (let n = 0; n < SENSORS; n++) {
      const measuredAt = FROM + step * EVERY_MS + n;
      const values = { no2: 25 + ((step * 7 + n) % 40) };
      batch.push({
        sensorId: `air-${n}`,
        kind: "air",
        district: "north",
        measuredAt,
        receivedAt: measuredAt,
        values,
        journalSeq: 0,
      });
    }
    if (batch.length < 100_000 && step < STEPS - 1) continue;
    await store.write(batch);
    batch = [];
  }
  await store.close();
}

describe("a backtest in a service that works", () => {
  let city: City;
  beforeAll(async () => {
    city = await startCity();
    await city.api("/devices", { sensorId: "air-now", kind: "air", district: "north" });
    await city.stop();
    await fill(city.dataDir);
    city = await city.restart();
  });
  afterAll(() => city.remove());

  const send = (no2: number) => city.api("/readings", { sensorId: "air-now", kind: "air", district: "north", no2 });

  it("readings go on being taken while it runs, one after the other", async () => {
    let running = true;
    const backtest = city.api("/rules/backtest", { ...span, rules }).finally(() => {
      running = false;
    });
    const tookMs: number[] = [];
    while (running) {
      const at = performance.now();
      await send(20 + (tookMs.length % 10));
      if (running) tookMs.push(performance.now() - at);
    }
    const { readings, figures, failures } = await backtest;
    expect({ readings, failures }).toEqual({ readings: SENSORS * STEPS, failures: [] });
    expect(figures.alerts).toBeGreaterThan(0);
    // It takes seconds. Run where the readings are taken, it would let hardly any of them pass.
    expect(tookMs.length).toBeGreaterThan(50);
    expect(Math.max(...tookMs)).toBeLessThan(3_000);
  });

  it("one at a time, and none goes on for a client that has gone", async () => {
    const ask = () => {
      const leaving = new AbortController();
      const body = JSON.stringify({ ...span, rules });
      const headers = { "content-type": "application/json" };
      const answer = city.call("/api/v1/rules/backtest", { method: "POST", headers, body, signal: leaving.signal });
      return { leaving, answer: answer.catch((error: Error) => error.name) };
    };
    const [one, other] = [ask(), ask()];
    const refused = (await Promise.race([one.answer, other.answer])) as Response;
    expect(refused.status).toBe(409);
    expect(((await refused.json()) as { detail: string }).detail).toMatch(/^admin is running a backtest since 2/);
    for (const { leaving } of [one, other]) leaving.abort();
    expect(await Promise.all([one.answer, other.answer])).toContain("AbortError");

    const from = new Date(TO - 3_600_000).toISOString();
    const short = { ...span, from, rules: rules.slice(0, 1) };
    for (let tries = 0; ; tries++) {
      const answer = await city.call("/api/v1/rules/backtest", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(short),
      });
      if (answer.status === 200) return;
      expect(answer.status).toBe(409);
      expect(tries).toBeLessThan(40);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
});
