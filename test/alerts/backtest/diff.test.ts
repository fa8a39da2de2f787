import { expect, it } from "vitest";
import type { BacktestAlertView } from "../../../contract/backtest.ts";
import { diffBacktests } from "../../../model/backtest.ts";
import { MINUTE, T0 } from "../builders.ts";

const iso = (minute: number) => new Date(T0 + minute * MINUTE).toISOString();
function alert(from: number, to?: number, rest: { rule?: string; sensorId?: string; state?: string } = {}) {
  const { rule = "hot", sensorId = "s-1", state = "resolved" } = rest;
  const times = { startedAt: iso(from), firedAt: iso(from), ...(to === undefined ? {} : { resolvedAt: iso(to) }) };
  return { rule: { id: rule }, subject: { sensorId }, state, ...times } as BacktestAlertView;
}
const starts = (list: readonly BacktestAlertView[]) =>
  list.map(({ startedAt }) => (Date.parse(startedAt) - T0) / MINUTE);

it("tells added, removed and moved alerts from those that are as they were", () => {
  const diff = diffBacktests(
    [alert(0, 10), alert(500, 600), alert(1_000, 1_010), alert(2_000)],
    [alert(0, 10), alert(490, 600), alert(1_100, 1_110), alert(2_000)],
  );
  expect(diff.unchanged).toBe(2);
  expect(diff.moved.map((one) => [starts([one.old]), starts([one.new])])).toEqual([[[500], [490]]]);
  expect([starts(diff.removed), starts(diff.added)]).toEqual([[1_000], [1_100]]);
});

it("another end moves an alert; another rule or sensor is another alert", () => {
  expect(diffBacktests([alert(0, 10)], [alert(0, 20)])).toMatchObject({ unchanged: 0, moved: [{}] });
  expect(diffBacktests([alert(0, 10)], [alert(0)])).toMatchObject({ moved: [{}] });
  expect(diffBacktests([alert(0, 10)], [alert(0, 10, { rule: "very-hot" })])).toMatchObject({
    added: [{}],
    removed: [{}],
  });
  expect(diffBacktests([alert(0, 10)], [alert(0, 10, { sensorId: "s-2" })])).toMatchObject({
    added: [{}],
    removed: [{}],
  });
  expect(diffBacktests([alert(0, 10)], [alert(0, 10, { state: "retracted" })])).toMatchObject({ moved: [{}] });
});

it("two alerts that become one are one moved and one removed", () => {
  const diff = diffBacktests([alert(0, 10), alert(20, 30)], [alert(0, 30)]);
  expect([diff.moved.length, diff.removed.length, diff.added.length]).toEqual([1, 1, 0]);
});
