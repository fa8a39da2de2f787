import { describe, expect, it } from "vitest";
import { createEngine } from "../../alerts/engine/engine.ts";
import { createRejudging } from "../../alerts/rejudging.ts";
import { SILENT } from "../../model/log.ts";
import type { Reading } from "../../model/reading.ts";
import { streamCorrected } from "../../store/corrected-store.ts";
import { createCorrections } from "../../store/corrections.ts";
import type { RangeQuery } from "../../store/reading-store.ts";
import { openRecords } from "../../store/records.ts";
import { aReading, aRule, aSensor, MINUTE, T0 } from "./builders.ts";

const now = () => T0 + 40 * MINUTE;
const hot = aRule({ id: "hot", metric: "temperature", condition: { type: "threshold", above: 40 } });

/** A sensor that has been hot for 28 minutes, of which the rules have forgotten nothing. */
function startCity() {
  const records = openRecords({ path: ":memory:", now, log: SILENT });
  const engine = createEngine({ rules: [hot], sensor: () => aSensor({ intervalS: 60 }) });
  const stored = Array.from({ length: 28 }, (_, i) => aReading(T0 + i * MINUTE, { temperature: 50 }));
  const states = new Map<number, string>();
  const note = (said: ReturnType<typeof engine.observe>) => {
    for (const { alert } of said) states.set(alert.startedAt, alert.state);
  };
  note(engine.observe(stored));
  const store = {
    async *stream({ from, to }: RangeQuery) {
      yield stored.filter(({ measuredAt }) => measuredAt >= from && measuredAt < to);
    },
  };
  const view = {
    stream: (query: RangeQuery): AsyncIterable<readonly Reading[]> =>
      streamCorrected(store, { ...query, sensorId: "s-1" }, records.corrections.active("s-1")),
  };
  const start = () =>
    createRejudging({
      store: view,
      records,
      alerts: {
        ...engine,
        position: () => 0,
        rejudge: (...given) => {
          note(engine.rejudge(...given));
          return true;
        },
      },
      kindOf: () => "air",
      now,
      log: SILENT,
    });
  let rejudging = start();
  const rules = { reachFrom: (id: string) => rejudging.reachFrom(id), changed: () => {} };
  const corrections = createCorrections({ store, records, rules, now });
  const range = { sensorId: "s-1", from: T0, to: now(), reason: "a test", by: "anna", at: now() };
  return {
    records,
    alerts: () => [...states].filter(([, state]) => state !== "retracted").map(([start]) => (start - T0) / MINUTE),
    shift: async (shiftS: number) => {
      const done = await corrections.add("air", { ...range, what: "shift", shiftS });
      await rejudging.tick();
      return done.correction.id;
    },
    revoke: async (id: number) => {
      const done = await corrections.revoke(id, () => "air", "anna", "it was right");
      rejudging = start();
      await rejudging.tick();
      return done?.effect?.notes;
    },
  };
}

describe("a sensor whose readings are judged again", () => {
  it.each([-7_200, -300, 300, 7_200])("has its alerts back when a shift of %i s is revoked", async (seconds) => {
    const city = startCity();
    expect(city.alerts()).toEqual([0]);
    const id = await city.shift(seconds);
    expect(city.alerts()).toEqual([seconds / 60]);
    expect(await city.revoke(id)).toEqual([]);
    expect(city.alerts()).toEqual([0]);
    city.records.close();
  });
});
