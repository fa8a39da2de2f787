import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAlerts } from "../../alerts/alerts.ts";
import { createNoise } from "../../alerts/noise/noise.ts";
import type { Alert, Notice } from "../../model/alert.ts";
import { SILENT } from "../../model/log.ts";
import type { Rule } from "../../model/rule.ts";
import { openRecords, type Records } from "../../store/records.ts";
import { aReading, aRule, HOUR, liveOf, MINUTE, T0 } from "./builders.ts";

const SENSORS = ["s-1", "s-2", "s-3", "s-4", "s-5"];

let records: Records;
let clock = T0;
let seq = 0;
let told: Notice[] = [];

beforeEach(() => {
  clock = T0;
  seq = 0;
  told = [];
  records = openRecords({ path: ":memory:", now: () => clock, log: SILENT });
  for (const id of SENSORS) addSensor(id);
});
afterEach(() => records.close());

const addSensor = (id: string) =>
  records.sensors.add({ id, kind: "air", district: "north", intervalS: 60, tags: {}, createdAt: T0 });

const no2 = (above: number, fields: object = {}) =>
  aRule({ id: "no2", metric: "no2", condition: { type: "threshold", above }, ...fields });
const many = (fields: object = {}) =>
  aRule({
    id: "many",
    kind: "air",
    condition: { type: "quorum", rule: "no2", by: "district", count: 3, share: 0 },
    inhibits: [{ rule: "no2", where: "district" }],
    ...fields,
  });

/** A life of the service: the alerts in real time, with the noise control. */
function live(rules: readonly Rule[]) {
  const now = () => clock;
  const parts = { records, rules: () => rules, sensor: records.sensors.get, now, log: SILENT };
  const noise = createNoise({ ...parts, enqueue: (notice) => void told.push(notice) });
  const alerts = createAlerts({ rules, records, first: 1, now, live: liveOf(now), log: SILENT, apply: noise.apply });

  function tick(): void {
    alerts.tick();
    for (let i = 0; i < 1_000 && alerts.work() !== undefined; i++);
    noise.tick();
  }

  return {
    alerts,
    tick,
    send(values: Readonly<Record<string, number>>): void {
      const readings = Object.entries(values).map(([sensorId, value]) =>
        aReading(clock, { no2: value }, { sensorId, receivedAt: clock, journalSeq: ++seq }),
      );
      alerts.take({ from: seq - readings.length + 1, to: seq + 1, readings, rejections: [] });
      tick();
    },
    pass(ms: number): void {
      clock += ms;
      tick();
    },
  };
}

const all = (rule: string): Alert[] =>
  records.alerts.list({ rule, state: ["pending", "firing", "resolved", "retracted"] }, 100).items;
const open = (rule: string) => all(rule).filter(({ state }) => state === "firing" || state === "pending");
const every = (no2: number) => Object.fromEntries(SENSORS.map((id) => [id, no2]));

describe("an alert that was ended stays ended", () => {
  it.each([
    ["its limit was changed", () => [no2(300)]],
    ["it no longer selects the sensor", () => [no2(200, { select: { sensor: "s-2" } })]],
    ["it was deleted", () => []],
  ])("at a start where %s: the verdict of later does not bring it back, nor reminds anybody", (_, rulesOf) => {
    const first = live([no2(200)]);
    for (let i = 0; i < 6; i++) {
      first.send(every(50 + i));
      first.pass(10 * MINUTE);
    }
    first.send({ "s-1": 250 });
    expect(open("no2")).toHaveLength(1);
    first.alerts.close();
    const second = live(rulesOf());
    second.tick();
    const own = () => all("no2").filter(({ subject }) => subject.sensorId === "s-1");
    expect(own()).toMatchObject([{ state: "resolved" }]);
    const before = told.length;
    // What its neighbours say now makes another verdict of it, half an hour later.
    for (let i = 0; i < 4; i++) {
      second.pass(MINUTE);
      second.send(every(190));
    }
    for (let i = 0; i < 10; i++) second.pass(HOUR);
    expect(own()).toMatchObject([{ state: "resolved" }]);
    expect(told.slice(before)).toEqual([]);
  });

  it("also where its verdict was on its way to the records when it ended", () => {
    const first = live([no2(200)]);
    first.send({ "s-1": 250 });
    const { timeline: _, handling: _1, ...alert } = open("no2")[0]!;
    const entry = { at: clock, knownAt: clock, what: "resolved" };
    records.alerts.apply({ alert: { ...alert, state: "resolved", resolvedAt: clock }, entry });
    const verdict = { is: "event", why: "Its neighbours rose, too." } as const;
    records.alerts.apply({ alert: { ...alert, verdict }, entry: { ...entry, what: "verdict" } });
    expect(all("no2")).toMatchObject([{ state: "resolved", resolvedAt: clock, verdict }]);
  });
});

describe("a quorum ends with the alerts it counts", () => {
  const fire = (rules: readonly Rule[]) => {
    const first = live(rules);
    first.send(every(50));
    first.pass(MINUTE);
    first.send({ ...every(50), "s-1": 250, "s-2": 250, "s-3": 250 });
    expect(open("many")).toHaveLength(1);
    return first;
  };

  it.each([
    ["the counted rule selects others at the next start", [no2(200, { select: { sensor: ["s-4", "s-5"] } }), many()]],
    ["it selects others itself at the next start", [no2(200), many({ select: { sensor: ["s-4", "s-5"] } })]],
    ["the counted rule is deleted", [many()]],
  ])("where %s", (_, rules) => {
    fire([no2(200), many()]).alerts.close();
    const second = live(rules);
    second.tick();
    expect(all("many")).toMatchObject([{ state: "resolved" }]);
    // And it keeps nobody quiet any more.
    second.pass(MINUTE);
    second.send({ "s-4": 250 });
    second.pass(10 * MINUTE);
    for (const alert of open("no2")) expect(alert.suppressedBy).toBeUndefined();
  });

  it("where its sensors were removed just before a stop", () => {
    fire([no2(200), many()]).alerts.close();
    for (const id of ["s-1", "s-2", "s-3"]) records.sensors.remove(id);
    const second = live([no2(200), many()]);
    second.tick();
    expect([...open("no2"), ...open("many")]).toEqual([]);
  });

  it("where it selects others itself while the service runs", () => {
    const first = fire([no2(200), many()]);
    first.alerts.replaceRules([no2(200), many({ select: { sensor: ["s-4", "s-5"] } })], clock);
    first.tick();
    expect(all("many")).toMatchObject([{ state: "resolved" }]);
    expect(open("no2")).toHaveLength(3);
  });

  it("where its sensors moved to another district and say nothing there", () => {
    const first = fire([no2(200), many()]);
    for (const id of ["s-1", "s-2", "s-3"]) records.sensors.update(id, { district: "south" });
    first.pass(MINUTE);
    first.pass(MINUTE);
    expect(open("many").map(({ subject }) => subject.district)).not.toContain("north");
  });
});

describe("what was removed has no alerts", () => {
  it("even where its readings waited when it was", () => {
    const first = live([no2(200)]);
    const readings = Array.from({ length: 2_000 }, (_, i) =>
      aReading(clock + i, { no2: i < 1_990 ? 50 : 250 }, { sensorId: "s-1", receivedAt: clock, journalSeq: ++seq }),
    );
    first.alerts.take({ from: 1, to: seq + 1, readings, rejections: [] });
    records.sensors.remove("s-1");
    for (let i = 0; i < 5; i++) first.pass(MINUTE);
    expect(open("no2")).toEqual([]);
  });

  it("an alert that a former version left behind, which nothing knows of, is ended at the next start", () => {
    const first = live([no2(200)]);
    first.send({ "s-1": 250 });
    first.alerts.close();
    const { timeline: _, handling: _1, ...alert } = open("no2")[0]!;
    const left = { ...alert, id: "al-0000000000000001", startedAt: T0 - HOUR, firedAt: T0 - HOUR };
    records.alerts.apply({ alert: left, entry: { at: T0 - HOUR, knownAt: T0 - HOUR, what: "firing" } });
    expect(open("no2")).toHaveLength(2);
    live([no2(200)]).tick();
    expect(open("no2").map(({ id }) => id)).toEqual([alert.id]);
  });
});
