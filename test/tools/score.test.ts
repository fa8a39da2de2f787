import { describe, expect, it } from "vitest";
import { type Claims, createTimes, type Fired, judge, scoreOf } from "../../tools/score.ts";
import type { Label } from "../../tools/score-labels.ts";
import { aReading } from "../alerts/builders.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const claims: Claims = new Map([
  ["stuck", "flatline"],
  ["silent", "silence"],
  ["limit", "limit"],
  ["odd", "unusual"],
]);

function aLabel(rest: Partial<Label>): Label {
  return {
    file: "f",
    sensorIds: ["s-1"],
    type: "event",
    from: 10 * HOUR,
    to: 20 * HOUR,
    moment: 10 * HOUR,
    floor: false,
    ...rest,
  };
}

let count = 0;
function anAlert(rest: Partial<Fired>): Fired {
  count += 1;
  const at = rest.firedAt ?? 12 * HOUR;
  const who = { id: `a-${count}`, rule: "odd", audience: "crews", sensorId: "s-1", children: [] } as const;
  return { ...who, startedAt: at, firedAt: at, endedAt: at + HOUR, ...rest };
}

/** Hourly readings of s-1 for a week, without day 3. */
function aWeek() {
  const times = createTimes();
  for (let hour = 0; hour <= 168; hour++) if (hour < 48 || hour >= 72) times.add(aReading(hour * HOUR, { no2: hour }));
  return times;
}

const verdicts = (alerts: Fired[], labels: Label[]) => judge(alerts, labels, claims, aWeek()).map(({ is }) => is);

describe("judging alerts by labels", () => {
  it("an event counts within its window only", () => {
    const alerts = [9, 10, 20, 21].map((hour) => anAlert({ firedAt: hour * HOUR }));
    expect(verdicts(alerts, [aLabel({})])).toEqual(["false", "hit", "hit", "false"]);
  });

  it("a flatline counts if told before it ends, for the same metric of the same sensor", () => {
    const label = aLabel({ type: "flatline", metric: "o3", from: 10 * HOUR, to: 40 * HOUR });
    const stuck = { rule: "stuck", metric: "o3", startedAt: 10 * HOUR, firedAt: 22 * HOUR };
    const late = { ...stuck, firedAt: 42 * HOUR };
    const alerts = [stuck, late, { ...stuck, metric: "no2" }, { ...stuck, sensorId: "s-2" }].map(anAlert);
    expect(verdicts(alerts, [label])).toEqual(["hit", "false", "false", "false"]);
  });

  it("a detection limit taken for a fault is told apart", () => {
    const label = aLabel({ type: "flatline", metric: "no2", floor: true });
    expect(verdicts([anAlert({ rule: "stuck", metric: "no2" })], [label])).toEqual(["floor"]);
  });

  it("a silence that the recording shows is confirmed, another one is false", () => {
    const alerts = [49, 100].map((hour) => anAlert({ rule: "silent", firedAt: hour * HOUR + HOUR / 2 }));
    expect(verdicts(alerts, [])).toEqual(["confirmed", "confirmed"]);
    const often = createTimes();
    for (let minute = 0; minute < 600; minute += 10) often.add(aReading(minute * 60_000, { no2: 1 }));
    expect(judge([anAlert({ rule: "silent", firedAt: 5 * HOUR })], [], claims, often)[0]!.is).toBe("false");
  });

  it("a limit that was passed is false only where people labelled what happened", () => {
    const alert = () => anAlert({ rule: "limit", firedAt: 50 * HOUR });
    expect(verdicts([alert()], [])).toEqual(["limit"]);
    expect(verdicts([alert()], [aLabel({})])).toEqual(["false"]);
  });

  it("a quorum is what most of its children are", () => {
    const label = aLabel({ type: "flatline", from: 10 * HOUR, to: 40 * HOUR });
    const children = ["s-1", "s-2", "s-1"].map((sensorId) => anAlert({ rule: "stuck", sensorId }));
    const { sensorId: _, ...parent } = anAlert({ rule: "all-stuck", children: children.map(({ id }) => id) });
    expect(verdicts([...children, parent], [label])).toEqual(["hit", "false", "hit", "hit"]);
  });
});

describe("the figures", () => {
  const run = (alerts: Fired[], labels: Label[]) => {
    const times = aWeek();
    return scoreOf({ dataset: "d", judged: judge(alerts, labels, claims, times), labels, unusable: [], times });
  };

  it("count what was found, what was missed and by how much", () => {
    const labels = [
      aLabel({ type: "flatline", metric: "no2", from: 10 * HOUR, to: 33 * HOUR }),
      aLabel({ type: "flatline", metric: "no2", from: 100 * HOUR, to: 123 * HOUR }),
      aLabel({ type: "flatline", metric: "no2", from: 130 * HOUR, to: 152 * HOUR }),
    ];
    const stuck = { rule: "stuck", metric: "no2", startedAt: 10 * HOUR, firedAt: 22 * HOUR };
    const score = run([anAlert(stuck)], labels);
    expect(score.longFlatlines).toMatchObject({ found: 1, of: 2 });
    expect(score.longFlatlines.misses).toEqual(["s-1 no2 1970-01-05T04:00 to 1970-01-06T03:00"]);
    expect(score.otherFlatlines).toMatchObject({ found: 0, of: 1 });
    expect(score.rules).toMatchObject([{ rule: "stuck", hit: 1, delayMs: 12 * HOUR }]);
  });

  it("count false alarms of crews' rules per sensor and week, whatever kind of rule it was", () => {
    const wrong = [anAlert({}), anAlert({ rule: "limit" }), anAlert({ audience: "operators" })];
    const score = run(wrong, []);
    expect(score.sensorWeeks).toBe(1);
    expect(score.falseForCrewsPerSensorWeek).toBe(2);
  });

  it("count everything that people are told, silences and all, and what of it was wrong", () => {
    const told = [anAlert({}), anAlert({ rule: "silent", firedAt: 49 * HOUR }), anAlert({ audience: "operators" })];
    expect(run(told, [])).toMatchObject({ told: 3, silences: 1, wrong: 2 });
  });

  it("count the delay of an event from its moment, and none where it was told before", () => {
    const label = aLabel({ moment: 15 * HOUR });
    const alerts = [18, 19].map((hour) => anAlert({ firedAt: hour * HOUR }));
    expect(run(alerts, [label]).eventDelaysMs).toEqual([3 * HOUR]);
    expect(run([anAlert({ firedAt: 12 * HOUR }), ...alerts], [label]).eventDelaysMs).toEqual([0]);
  });

  it("find outages in the recording itself", () => {
    expect(run([], []).outages).toMatchObject({ found: 0, of: 1 });
    const alert = anAlert({ rule: "silent", firedAt: 2 * DAY });
    expect(run([alert], []).outages).toMatchObject({ found: 1, of: 1 });
  });
});
