import { describe, expect, it } from "vitest";
import type { RuleChange } from "../../../contract/rule.ts";
import { aRule } from "../../alerts/builders.ts";
import { aTransition, NOW, useRecords } from "./setup.ts";

describe("changes of rules", () => {
  const city = useRecords();
  const { version, ...data } = aRule({ id: "hot", metric: "no2", condition: { type: "threshold", above: 3 } });
  const figures = { alerts: 3, alertsPerDay: 0.1, minutesFiring: 40, retracted: 0 };
  const change = (fields: Partial<RuleChange> = {}) =>
    city.records.ruleChanges.add({
      rule: "hot",
      at: NOW,
      by: "ann",
      what: "changed",
      reason: "too loud",
      version,
      data,
      figures,
      ...fields,
    });

  it("are kept with all they say, over a restart", () => {
    const first = change();
    const { version: _, data: __, figures: ___, ...rest } = first;
    const second = city.records.ruleChanges.add({ ...rest, what: "removed", reason: "a mistake" });
    expect(second.id).toBeGreaterThan(first.id);
    city.reopen();
    expect(city.records.ruleChanges.of("hot", 10)).toEqual({ items: [second, first] });
    expect(city.records.ruleChanges.of("cold", 10)).toEqual({ items: [] });
  });

  it("the newest of each rule counts", () => {
    change();
    const cold = change({ rule: "cold" });
    const newest = change({ reason: "again" });
    expect(city.records.ruleChanges.newest()).toEqual([cold, newest]);
  });

  it("come in pages", () => {
    const all = Array.from({ length: 5 }, (_, i) => change({ reason: `reason ${i}` })).reverse();
    const first = city.records.ruleChanges.of("hot", 3);
    expect(first.items).toEqual(all.slice(0, 3));
    expect(city.records.ruleChanges.of("hot", 3, first.next)).toEqual({ items: all.slice(3) });
  });
});

describe("alerts of a rule that is being tried out", () => {
  const city = useRecords();

  it("are left out of lists, counts and events unless asked for", () => {
    const { alerts, events } = city.records;
    alerts.apply(aTransition());
    const newest = events.newestId();
    const shadow = alerts.apply(aTransition({ id: "a-2", mode: "shadow" }));
    expect(shadow).toMatchObject({ id: "a-2", mode: "shadow" });
    const ids = (filter: Parameters<typeof alerts.list>[0]) => alerts.list(filter, 10).items.map(({ id }) => id);
    expect(ids({})).toEqual(["a-1"]);
    expect(ids({ state: ["firing"] })).toEqual(["a-1"]);
    expect(ids({ mode: ["shadow"] })).toEqual(["a-2"]);
    expect(ids({ mode: ["shadow"], rule: "no2-high" })).toEqual(["a-2"]);
    expect(ids({ rule: "no2-high" })).toEqual(["a-1"]);
    expect(alerts.countsByRule()).toEqual({ "no2-high": 1 });
    expect(alerts.countsByRule({ mode: ["shadow"] })).toEqual({ "no2-high": 1 });
    expect(alerts.openCounts().map(({ count }) => count)).toEqual([1]);
    expect(alerts.touched({ from: 0, to: NOW }, 10).map(({ id }) => id)).toEqual(["a-1"]);
    expect(events.newestId()).toBe(newest);
    expect(alerts.get("a-2")).toMatchObject({ mode: "shadow" });
  });
});
