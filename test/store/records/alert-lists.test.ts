import { beforeEach, describe, expect, it } from "vitest";
import type { Transition } from "../../../model/alert.ts";
import type { AlertFilter } from "../../../store/records/alerts.ts";
import { RecordBadCursor } from "../../../store/records/database.ts";
import { formatCursor } from "../../../store/records/query.ts";
import { anEntry, aTransition, useRecords } from "./setup.ts";

const rule = (id: string) => ({ id, version: "1", title: id, source: "test" });
const ALERTS: readonly Partial<Transition["alert"]>[] = [
  { id: "a", startedAt: 1 },
  { id: "b", startedAt: 2, state: "pending" },
  { id: "c", startedAt: 3, state: "resolved", severity: "critical", rule: rule("silent") },
  { id: "d", startedAt: 4, audience: "crews", subject: { sensorId: "tr-1", district: "east" }, kind: "energy" },
  { id: "e", startedAt: 4, state: "retracted", rule: rule("silent") },
  { id: "f", startedAt: 5, subject: { district: "east" }, severity: "info" },
];

describe("lists of alerts", () => {
  const city = useRecords();
  beforeEach(() => {
    for (const alert of ALERTS) city.records.alerts.apply(aTransition(alert));
    city.records.alerts.handle("a", { handling: "closed" }, anEntry({ what: "closed", by: "mary" }));
  });
  const ids = (filter: AlertFilter) => city.records.alerts.list(filter, 100).items.map((one) => one.id);

  it.each<[string, AlertFilter, string[]]>([
    ["everything but pending", {}, ["f", "e", "d", "c", "a"]],
    ["by state", { state: ["pending"] }, ["b"]],
    ["by open states", { state: ["pending", "firing"] }, ["f", "d", "b", "a"]],
    ["by states of both sides", { state: ["firing", "resolved"] }, ["f", "d", "c", "a"]],
    ["by no state at all", { state: [] }, []],
    ["by handling", { handling: ["closed", "acknowledged"] }, ["a"]],
    ["by severity", { severity: ["critical", "info"] }, ["f", "c"]],
    ["by audience", { audience: "crews" }, ["d"]],
    ["by district", { district: "east" }, ["f", "d"]],
    ["by kind", { kind: "energy" }, ["d"]],
    ["by rule", { rule: "silent" }, ["e", "c"]],
    ["by sensor", { sensor: "no2-1" }, ["e", "c", "a"]],
    ["by all of it", { sensor: "no2-1", rule: "silent", state: ["resolved"], severity: ["critical"] }, ["c"]],
  ])("newest first, %s", (_, filter, expected) => {
    expect(ids(filter)).toEqual(expected);
  });

  it("gives whole alerts with their timelines", () => {
    const listed = city.records.alerts.list({ handling: ["closed"] }, 5).items;
    expect(listed).toEqual([city.records.alerts.get("a")]);
    expect(listed[0]?.timeline).toHaveLength(2);
  });

  it("pages without gap or repeat while alerts are added, equal starts included", () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < 10; page += 1) {
      const { items, next } = city.records.alerts.list({}, 2, cursor);
      expect(items.length).toBeLessThanOrEqual(2);
      seen.push(...items.map((one) => one.id));
      city.records.alerts.apply(aTransition({ id: `new-${page}`, startedAt: 100 + page }));
      cursor = next;
      if (next === undefined) break;
    }
    expect(seen).toEqual(["f", "e", "d", "c", "a"]);
  });

  it("has no next page after a page that is just full", () => {
    expect(city.records.alerts.list({}, 5).next).toBeUndefined();
    expect(city.records.alerts.list({}, 4).next).toBeDefined();
  });

  it.each([
    "",
    "garbage",
    "%%%",
    Buffer.from("{}").toString("base64url"),
    Buffer.from('["1","a"]').toString("base64url"),
    Buffer.from("[1]").toString("base64url"),
    Buffer.from('[1e999,"a"]').toString("base64url"),
    Buffer.from("null").toString("base64url"),
  ])("refuses the cursor %j", (cursor) => {
    expect(() => city.records.alerts.list({}, 2, cursor)).toThrow(RecordBadCursor);
    expect(() => city.records.quarantine.list({}, 2, cursor)).toThrow(RecordBadCursor);
    expect(() => city.records.audit.list(2, cursor)).toThrow(RecordBadCursor);
  });

  it("takes its own cursors", () => {
    const place = { key: 4, id: "e" };
    expect(city.records.alerts.list({}, 1, formatCursor(place)).items[0]?.id).toBe("d");
  });

  it("counts by rule as it lists", () => {
    const { alerts } = city.records;
    expect(alerts.countsByRule()).toEqual({ "no2-high": 3, silent: 2 });
    expect(alerts.countsByRule({ state: ["pending"] })).toEqual({ "no2-high": 1 });
    expect(alerts.countsByRule({ sensors: ["tr-1"] })).toEqual({ "no2-high": 1 });
    expect(alerts.countsByRule({ sensors: ["tr-1", "no2-1"], severity: ["critical"] })).toEqual({ silent: 1 });
    expect(alerts.countsByRule({ sensors: ["no2-1"], state: ["firing"], rule: "no2-high" })).toEqual({ "no2-high": 1 });
    expect(alerts.countsByRule({ state: [] })).toEqual({});
    expect(alerts.countsByRule({ sensors: [] })).toEqual({});
  });

  it("counts the open ones", () => {
    const open = city.records.alerts.openCounts();
    expect(open).toHaveLength(3);
    expect(open).toContainEqual({ severity: "warning", audience: "operators", count: 2 });
    expect(open).toContainEqual({ severity: "warning", audience: "crews", count: 1 });
    expect(open).toContainEqual({ severity: "info", audience: "operators", count: 1 });
  });
});
