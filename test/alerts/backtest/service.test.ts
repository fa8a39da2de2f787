import { describe, expect, it } from "vitest";
import { createBacktest } from "../../../alerts/backtest/run.ts";
import { BacktestBusy, createBacktests } from "../../../alerts/backtest/service.ts";
import { viewBacktest } from "../../../contract/backtest.ts";
import { SILENT } from "../../../model/log.ts";
import type { Reading } from "../../../model/reading.ts";
import { createOriginNumbers, packReadings } from "../../../model/reading-block.ts";
import type { ScanQuery } from "../../../store/reading-store.ts";
import { aReading, aRule, aSensor, DAY, MINUTE, T0 } from "../builders.ts";

const hot = aRule({ id: "hot", metric: "temperature", condition: { type: "threshold", above: 40 } });
const never = new AbortController().signal;
const sensors = [aSensor({ intervalS: 60 })];
const request = { rules: [hot], from: T0, to: T0 + DAY, warmUpMs: 0, by: "ann" };

/** A store of these readings in blocks of three; `meanwhile` runs before each block. */
function backtests(readings: readonly Reading[], meanwhile: (block: number) => unknown = () => {}) {
  const asked: ScanQuery[] = [];
  const service = createBacktests({
    store: {
      async *scan(query) {
        asked.push(query);
        const numbers = createOriginNumbers();
        for (let i = 0; i < readings.length; i += 3) {
          await meanwhile(i / 3);
          yield packReadings(readings.slice(i, i + 3), numbers);
        }
      },
    },
    sensors: () => sensors,
    now: () => T0,
    log: SILENT,
  });
  return { ...service, asked };
}

const readings = Array.from({ length: 40 }, (_, i) =>
  aReading(T0 + i * MINUTE, { temperature: i % 7 === 3 ? 50 : 20, battery: i }, i % 5 === 0 ? { imported: true } : {}),
);

describe("a backtest in the service", () => {
  it("gives in its thread what it gives here", async () => {
    const here = createBacktest([hot], (id) => sensors.find((one) => one.id === id));
    here.observe(readings);
    const expected = here.finish({ from: T0, to: T0 + DAY });
    expect(expected.figures.alerts).toBe(6);
    const answer = await backtests(readings).run(request, never);
    expect(answer.readings).toBe(40);
    expect(JSON.parse(Buffer.from(answer.body).toString())).toEqual(JSON.parse(JSON.stringify(viewBacktest(expected))));
  });

  it("reads only the kinds that are watched, from before the span", async () => {
    const service = backtests([]);
    await service.run({ ...request, warmUpMs: 5, sensorId: "s-1" }, never);
    expect(service.asked).toEqual([{ kinds: ["air"], from: T0 - 5, to: T0 + DAY, sensorId: "s-1" }]);
    await service.run({ ...request, rules: [aRule({ kind: "any", condition: { type: "silence" } })] }, never);
    expect(service.asked[1]!.kinds).toEqual(["air", "traffic", "energy"]);
  });

  it("runs one at a time, and the next when it is over", async () => {
    const service = backtests(readings, async (block) => {
      if (block > 0) return;
      await expect(service.run({ ...request, by: "bob" }, never)).rejects.toThrow(BacktestBusy);
      await expect(service.run({ ...request, by: "bob" }, never)).rejects.toThrow(
        /^ann is running a backtest since 2026/,
      );
    });
    await service.run(request, never);
    expect(service.running()).toBeUndefined();
    await service.run(request, never);
  });

  it("ends when its caller goes, also while it waits", async () => {
    const leaving = new AbortController();
    const service = backtests(readings, (block) => block === 2 && leaving.abort(new Error("the client has gone")));
    await expect(service.run(request, leaving.signal)).rejects.toThrow("the client has gone");
    expect(service.running()).toBeUndefined();
    await expect(service.run(request, leaving.signal)).rejects.toThrow("the client has gone");
  });

  it("passes on what the store says", async () => {
    const service = backtests(readings, () => Promise.reject(new Error("the store is away")));
    await expect(service.run(request, never)).rejects.toThrow("the store is away");
    expect(service.running()).toBeUndefined();
  });
});
