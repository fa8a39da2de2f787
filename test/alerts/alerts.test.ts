import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAlerts } from "../../alerts/alerts.ts";
import type { Alert } from "../../model/alert.ts";
import type { Batch } from "../../model/batch.ts";
import { SILENT } from "../../model/log.ts";
import type { Reading } from "../../model/reading.ts";
import type { Rule } from "../../model/rule.ts";
import { openRecords, type Records } from "../../store/records.ts";
import { aReading, aRule, HOUR, MINUTE, T0 } from "./builders.ts";
import { aFeed, aLateFeed, batchesOf, SENSORS } from "./feeds.ts";

const hot = aRule({
  id: "hot",
  metric: "temperature",
  condition: { type: "threshold", above: 40, clear: 38, for: "10m" },
});
const silent = aRule({ id: "silent", kind: "any", audience: "crews", condition: { type: "silence", after: "15m" } });
const no2 = aRule({ id: "no2", metric: "no2", condition: { type: "consecutive", above: 200, count: 3, window: "1h" } });
const RULES = [hot, silent, no2];

let records: Records;
let clock = T0;

beforeEach(() => {
  clock = T0;
  records = openRecords({ path: ":memory:", now: () => clock, log: SILENT });
  for (const id of SENSORS) {
    records.sensors.add({ id, kind: "air", district: "north", intervalS: 300, tags: {}, createdAt: T0 });
  }
});
afterEach(() => records.close());

const start = (rules: Rule[] = RULES, rest: Partial<Parameters<typeof createAlerts>[0]> = {}) =>
  createAlerts({ rules, records, first: 1, now: () => clock, log: SILENT, ...rest });

const readingOnly = (reading: Reading): Batch => {
  return { from: reading.journalSeq, to: reading.journalSeq + 1, readings: [reading], rejections: [] };
};

/** A reading that no rule minds, as record 1. */
const calm = () => readingOnly(aReading(T0, { temperature: 1 }, { journalSeq: 1 }));

function everyAlert(): Alert[] {
  const alerts: Alert[] = [];
  let cursor: string | undefined;
  do {
    const page = records.alerts.list({ state: ["pending", "firing", "resolved", "retracted"] }, 100, cursor);
    alerts.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined);
  return alerts;
}

/** What one sensor's readings decide: the verdict is about its neighbours and has tests of its own. */
function ownPart({ verdict: _, says, timeline, ...rest }: Alert) {
  return { ...rest, says: says?.explanation, timeline: timeline.filter(({ what }) => what !== "verdict") };
}

describe("the alerts consumer", () => {
  it("keeps what the engine says, with its timeline", () => {
    const alerts = start();
    for (const batch of batchesOf(aFeed(), 50)) alerts.take(batch);
    const all = everyAlert();
    expect(new Set(all.map(({ rule }) => rule.id))).toEqual(new Set(["hot", "silent", "no2"]));
    const ended = all.find(({ rule, state, firedAt }) => rule.id === "hot" && state === "resolved" && firedAt)!;
    expect(ended.timeline.map(({ what }) => what)).toEqual(["pending", "firing", "resolved"]);
    expect(alerts.figures()).toContainEqual(expect.objectContaining({ name: "lamppost_rules_subjects", value: 3 }));
    expect(alerts.health()).toEqual({ part: "alerts", state: "ok", ready: true });
  });

  it.each([
    ["in order", aFeed, []],
    ["partly late", aLateFeed, ["retracted", "corrected", "late-confirmed"]],
  ])("a crash after any batch loses and doubles nothing: %s", (_, readings, corrections) => {
    const feed = batchesOf(readings(), 60);
    const whole = start();
    for (const batch of feed) whole.take(batch);
    const expected = everyAlert().map(ownPart);
    expect(expected.length).toBeGreaterThan(30);
    const whats = new Set(expected.flatMap(({ timeline }) => timeline.map(({ what }) => what)));
    for (const what of corrections) expect(whats).toContain(what);
    for (let crash = 1; crash < feed.length; crash++) {
      records.close();
      clock = T0;
      records = openRecords({ path: ":memory:", now: () => clock, log: SILENT });
      for (const id of SENSORS) {
        records.sensors.add({ id, kind: "air", district: "north", intervalS: 300, tags: {}, createdAt: T0 });
      }
      const first = start();
      for (const batch of feed.slice(0, crash)) {
        // The states are saved every fourth batch or so: some crashes fall right behind a save, most do not.
        clock += 1_300;
        first.take(batch);
      }
      const second = start();
      expect(second.offset).toBeLessThanOrEqual(feed[crash - 1]!.to);
      for (const batch of feed) if (batch.to > second.offset) second.take(batch);
      expect(everyAlert().map(ownPart), `crash after batch ${crash}`).toEqual(expected);
    }
  });

  it("reads a batch that overlaps with what it took only once", () => {
    const [first, second, third] = aFeed();
    const alerts = start();
    alerts.take({ from: 1, to: 3, readings: [first!, second!], rejections: [] });
    alerts.take({ from: 1, to: 4, readings: [first!, second!, third!], rejections: [] });
    alerts.take({ from: 1, to: 3, readings: [first!, second!], rejections: [] });
    expect(alerts.figures().find(({ name }) => name === "lamppost_rules_readings_total")!.value).toBe(3);
  });

  it("holds on to the journal until the states are saved", () => {
    const alerts = start();
    const [batch, next] = batchesOf(aFeed(), 10);
    alerts.take(batch!);
    expect(alerts.durableOffset()).toBe(1);
    clock += 5_000;
    alerts.take(next!);
    expect(alerts.durableOffset()).toBe(21);
    alerts.take(readingOnly(aFeed()[20]!));
    alerts.close();
    expect(start().offset).toBe(22);
  });

  it("what the clock said survives a crash: it is not forgotten, and it ends", () => {
    const first = start();
    first.take(calm());
    clock = T0 + HOUR;
    first.tick();
    expect(everyAlert()).toMatchObject([{ rule: { id: "silent" }, state: "firing", startedAt: T0 + 15 * MINUTE }]);
    const second = start();
    const back = aReading(T0 + 2 * HOUR, { temperature: 1 }, { journalSeq: second.offset });
    second.take(readingOnly(back));
    expect(everyAlert()).toMatchObject([{ state: "resolved", resolvedAt: T0 + 2 * HOUR }]);
  });

  it("after a start it gives the sensors time to report, and after a full journal as well", () => {
    start().take(calm());
    clock = T0 + 5 * HOUR;
    let listening = false;
    const alerts = start(RULES, { listening: () => listening });
    alerts.take(calm());
    clock += 14 * MINUTE;
    alerts.tick();
    listening = true;
    alerts.tick();
    clock += 14 * MINUTE;
    alerts.tick();
    expect(everyAlert()).toEqual([]);
    clock += 2 * MINUTE;
    alerts.tick();
    expect(everyAlert()).toHaveLength(1);
  });

  it("does not call a sensor silent whose readings still wait in the journal", () => {
    let caughtUp = false;
    const alerts = start(RULES, { caughtUp: () => caughtUp });
    alerts.take(calm());
    clock = T0 + 2 * HOUR;
    alerts.tick();
    expect(everyAlert()).toEqual([]);
    caughtUp = true;
    alerts.tick();
    expect(everyAlert()).toHaveLength(1);
  });

  it("under constant load, time runs with the readings that were taken", () => {
    const alerts = start(RULES, { caughtUp: () => false });
    alerts.take(readingOnly(aReading(T0, { temperature: 1 }, { journalSeq: 1 })));
    alerts.take(readingOnly(aReading(T0 + HOUR, { temperature: 1 }, { journalSeq: 2, sensorId: "s-2" })));
    clock = T0 + 2 * HOUR;
    alerts.tick();
    expect(everyAlert()).toMatchObject([{ subject: { sensorId: "s-1" } }]);
  });

  it("ends the alerts of rules and sensors that are gone", () => {
    const fire = (sensorId: string, journalSeq: number) =>
      readingOnly(aReading(T0, { temperature: 50 }, { sensorId, journalSeq }));
    const heat = aRule({ id: "heat", metric: "temperature", condition: { type: "threshold", above: 40 } });
    const first = start([heat]);
    first.take(fire("s-1", 1));
    first.take(fire("s-2", 2));
    first.close();
    records.sensors.remove("s-2");
    clock = T0 + HOUR;
    start([heat]).close();
    const stateOf = () => Object.fromEntries(everyAlert().map(({ subject, state }) => [subject.sensorId, state]));
    expect(stateOf()).toEqual({ "s-1": "firing", "s-2": "resolved" });
    start([]);
    expect(stateOf()).toEqual({ "s-1": "resolved", "s-2": "resolved" });
    const notes = everyAlert().map(({ subject, timeline }) => [subject.sensorId, timeline.at(-1)!.note]);
    expect(Object.fromEntries(notes)).toEqual({ "s-1": "The rule was deleted.", "s-2": "The sensor was removed." });
  });

  it("ends what fired after the last save, before a crash, under a rule that is gone by the next start", () => {
    const heat = (above: number) =>
      aRule({ id: "heat", metric: "temperature", condition: { type: "threshold", above } });
    const fire = readingOnly(aReading(T0, { temperature: 50 }, { journalSeq: 1 }));
    const stateOf = () => everyAlert().map(({ state }) => state);
    start([heat(40)]).take(fire);
    start([heat(40)]);
    expect(stateOf()).toEqual(["firing"]);
    // The journal is read again and finds another alert under the rule as it is now.
    start([heat(41)]).take(fire);
    expect(stateOf().toSorted()).toEqual(["firing", "resolved"]);
    start([]);
    expect(stateOf()).toEqual(["resolved", "resolved"]);
  });

  it("ends what was said of several sensors, or by a rule on trial, just as well", () => {
    const threshold = { type: "threshold", above: 40 } as const;
    const heat = aRule({ id: "heat", metric: "temperature", condition: threshold, mode: "shadow" });
    const many = aRule({ id: "many", kind: "any", condition: { type: "quorum", rule: "heat", count: 2 } });
    const fire = (sensorId: string, journalSeq: number) =>
      readingOnly(aReading(T0, { temperature: 50 }, { sensorId, journalSeq }));
    const statesOf = () =>
      (["live", "shadow"] as const).flatMap((mode) =>
        records.alerts.list({ mode: [mode] }, 10).items.map(({ rule, state }) => `${rule.id} ${state}`),
      );
    const first = start([heat, many]);
    first.take(fire("s-1", 1));
    first.take(fire("s-2", 2));
    expect(statesOf()).toEqual(["many firing", "heat firing", "heat firing"]);
    start([heat, many]);
    expect(statesOf()).toEqual(["many firing", "heat firing", "heat firing"]);
    start([]);
    expect(statesOf()).toEqual(["many resolved", "heat resolved", "heat resolved"]);
  });

  it("puts other rules in force at once, and they are still so after a crash", () => {
    const heat = (above: number) =>
      aRule({ id: "heat", metric: "temperature", condition: { type: "threshold", above } });
    const alerts = start([heat(40)]);
    alerts.take(readingOnly(aReading(T0, { temperature: 50 }, { journalSeq: 1 })));
    alerts.replaceRules([heat(41)], T0 + MINUTE);
    expect(everyAlert()).toMatchObject([{ state: "resolved", timeline: [{}, { note: "The rule was changed." }] }]);
    const again = start([heat(41)]);
    again.take(readingOnly(aReading(T0 + 2 * MINUTE, { temperature: 50 }, { journalSeq: 2 })));
    expect(everyAlert().map(({ state, startedAt }) => [state, startedAt - T0])).toEqual([
      ["firing", 2 * MINUTE],
      ["resolved", 0],
    ]);
  });

  it("keeps what the records refuse, says so, takes no more meanwhile, and goes on by itself", () => {
    let refuse = true;
    const transaction: Records["transaction"] = (work) => {
      if (refuse) throw new Error("database or disk is full");
      return records.transaction(work);
    };
    refuse = false;
    const alerts = start([aRule({ id: "heat", metric: "temperature", condition: { type: "threshold", above: 40 } })], {
      records: { ...records, transaction },
    });
    refuse = true;
    alerts.take(readingOnly(aReading(T0, { temperature: 50 }, { journalSeq: 1 })));
    expect(alerts.health()).toMatchObject({ state: "failed", reason: expect.stringContaining("disk is full") });
    const next = readingOnly(aReading(T0 + MINUTE, { temperature: 30 }, { journalSeq: 2 }));
    expect(() => alerts.take(next)).toThrow("disk is full");
    refuse = false;
    alerts.take(next);
    expect(everyAlert()).toMatchObject([{ state: "resolved", timeline: [{ what: "firing" }, { what: "resolved" }] }]);
    expect(alerts.health()).toMatchObject({ state: "ok" });
  });
});
