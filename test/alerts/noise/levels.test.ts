import { afterEach, beforeEach, expect, it } from "vitest";
import { createAlerts } from "../../../alerts/alerts.ts";
import { createNoise } from "../../../alerts/noise/noise.ts";
import { isFor } from "../../../alerts/notify/routing.ts";
import type { Notice } from "../../../model/alert.ts";
import { SILENT } from "../../../model/log.ts";
import type { Rule } from "../../../model/rule.ts";
import type { Target } from "../../../model/target.ts";
import { openRecords, type Records } from "../../../store/records.ts";
import { aReading, aRule, HOUR, MINUTE, T0 } from "../builders.ts";

const LEVELS = aRule({
  id: "pm10",
  metric: "pm10",
  condition: { type: "threshold", above: 100 },
  levels: [{ above: 200, severity: "critical" }],
});

/** The same as two rules, before they became levels of one. */
const BEFORE = [
  aRule({ id: "pm10-high", metric: "pm10", condition: { type: "threshold", above: 100 } }),
  aRule({ id: "pm10-very-high", metric: "pm10", severity: "critical", condition: { type: "threshold", above: 200 } }),
];
const AFTER = aRule({
  id: "pm10",
  metric: "pm10",
  formerly: "pm10-high",
  condition: { type: "threshold", above: 100 },
  levels: [{ above: 200, severity: "critical", formerly: "pm10-very-high" }],
});

let records: Records;
let clock = T0;
beforeEach(() => {
  clock = T0;
  records = openRecords({ path: ":memory:", now: () => clock, log: SILENT });
});
afterEach(() => records.close());

it("takes over from the rules that have become its levels, and what names them goes on", () => {
  const told: string[] = [];
  const target = { enabled: true, severityMin: "info", rules: ["pm10-very-high"] } as unknown as Target;
  const enqueue = ({ what, alert }: Notice) =>
    void told.push(`${what} ${alert.rule.id} ${alert.severity}${isFor(target, alert) ? " *" : ""}`);
  const live = (rules: readonly Rule[]) => {
    const shared = { records, sensor: () => undefined, now: () => clock, log: SILENT };
    const noise = createNoise({ ...shared, rules: () => rules, enqueue });
    const alerts = createAlerts({ ...shared, rules, first: 1, apply: noise.apply });
    return {
      alerts,
      send(pm10: number) {
        clock += MINUTE;
        const seq = alerts.position();
        const readings = [aReading(clock, { pm10 }, { receivedAt: clock, journalSeq: seq })];
        alerts.take({ from: seq, to: seq + 1, readings, rejections: [] });
        noise.tick();
      },
      tick: () => noise.tick(),
    };
  };
  const first = live(BEFORE);
  first.send(150);
  first.alerts.close();
  const second = live([AFTER]);
  second.tick();
  const [ended] = records.alerts.list({ rule: "pm10-high" }, 10).items;
  expect(ended).toMatchObject({ state: "resolved" });
  expect(ended!.timeline.at(-1)!.note).toBe('The rule has become a level of "A rule", which goes on from here.');
  const silence = { startsAt: clock, endsAt: clock + HOUR, reason: "x", createdAt: clock, createdBy: "ann" };
  second.send(160);
  second.send(250);
  second.send(50);
  records.silences.add({ ...silence, kind: "silence", matchers: { rule: "pm10-very-high" } });
  second.send(150);
  second.send(50);
  second.send(250);
  expect([...new Set(told)]).toEqual([
    "firing pm10-high warning",
    "resolved pm10-high warning",
    "firing pm10 warning",
    "firing pm10 critical *",
    "resolved pm10 critical *",
    "resolved pm10 warning",
  ]);
  expect(records.alerts.list({ state: ["firing"] }, 10).items).toMatchObject([
    { rule: { id: "pm10", formerly: "pm10-very-high" }, suppressedBy: "silence:1" },
  ]);
});

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
