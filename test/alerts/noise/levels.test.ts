import { afterEach, beforeEach, expect, it } from "vitest";
import { createAlerts } from "../../../alerts/alerts.ts";
import { createNoise } from "../../../alerts/noise/noise.ts";
import type { Notice } from "../../../model/alert.ts";
import { SILENT } from "../../../model/log.ts";
import { openRecords, type Records } from "../../../store/records.ts";
import { aReading, aRule, MINUTE, T0 } from "../builders.ts";

const LEVELS = aRule({
  id: "pm10",
  metric: "pm10",
  condition: { type: "threshold", above: 100 },
  levels: [{ above: 200, severity: "critical" }],
});

let records: Records;
let clock = T0;
beforeEach(() => {
  clock = T0;
  records = openRecords({ path: ":memory:", now: () => clock, log: SILENT });
});
afterEach(() => records.close());

it("tells of a higher level once, of a milder one nobody, and of the end", () => {
  const told: string[] = [];
  const enqueue = ({ what, alert, id }: Notice) => void told.push(`${what} ${alert.severity} ${id.slice(20)}`);
  const shared = { records, sensor: () => undefined, now: () => clock, log: SILENT };
  const noise = createNoise({ ...shared, rules: () => [LEVELS], enqueue });
  const alerts = createAlerts({ ...shared, rules: [LEVELS], first: 1, apply: noise.apply });
  for (const [i, pm10] of [50, 150, 250, 150, 250, 150, 50].entries()) {
    clock = T0 + i * MINUTE;
    const readings = [aReading(clock, { pm10 }, { receivedAt: clock, journalSeq: i + 1 })];
    alerts.take({ from: i + 1, to: i + 2, readings, rejections: [] });
    noise.tick();
  }
  const [alert] = records.alerts.list({}, 10).items;
  expect(alert).toMatchObject({ state: "resolved", rule: { id: "pm10" } });
  expect(alert!.timeline.map(({ what }) => what)).toEqual([
    "firing",
    "raised",
    "lowered",
    "raised",
    "lowered",
    "resolved",
  ]);
  expect([...new Set(told)]).toEqual([
    "firing warning firing-1",
    "firing critical firing-1-critical",
    "resolved warning resolved-1",
  ]);
});
