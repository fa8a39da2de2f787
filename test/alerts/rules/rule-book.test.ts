import { describe, expect, it } from "vitest";
import { createRuleBook } from "../../../alerts/rules/rule-book.ts";
import { SILENT } from "../../../model/log.ts";
import { levelRules, type Rule } from "../../../model/rule.ts";
import { openRecords } from "../../../store/records.ts";
import { aRule, T0 } from "../builders.ts";

const threshold = (above: number) => ({ metric: "no2", condition: { type: "threshold", above } });
const high = aRule({ id: "high", ...threshold(40) });
const trial = aRule({ id: "trial", mode: "shadow", ...threshold(30) });
const ann = { by: "ann", reason: "too loud in winter" };

function open(files: readonly Rule[] = [high, trial]) {
  let now = T0;
  const records = openRecords({ path: ":memory:", now: () => now, log: SILENT });
  const fileOf = new Map(files.map(({ id }) => [id, "air.yaml"]));
  const start = () => createRuleBook({ files: { rules: files, fileOf }, records, now: () => now++, log: SILENT });
  return { records, book: start(), restart: start };
}
const data = ({ version: _, ...rest }: Rule, change: object = {}) => ({ ...rest, ...change });
const above = (rule: Rule) => (rule.condition as { above: number }).above;

describe("the book of rules", () => {
  it("lays a change over the file's rule, for good, and says who and why", () => {
    const { book, restart, records } = open();
    const figures = { alerts: 3, alertsPerDay: 0.1, minutesFiring: 20, retracted: 0 };
    const heard: number[][] = [];
    book.onChange((rules) => heard.push(rules.map(above)));
    const outcome = book.put("high", data(high, threshold(60)), { ...ann, figures });
    expect(outcome).toMatchObject({ rule: { id: "high", condition: { above: 60 } }, file: "air.yaml" });
    expect(outcome).toMatchObject({ change: { by: "ann", what: "changed", reason: ann.reason, figures } });
    expect(heard).toEqual([[60, 30]]);
    for (const one of [book, restart()]) expect(one.rules().map(above)).toEqual([60, 30]);
    const [entry] = records.audit.list(10).items;
    expect(entry).toMatchObject({ by: "ann", what: "rule.changed", target: "high" });
    expect(entry!.detail).toMatch(
      /^version [0-9a-f]{12}, was [0-9a-f]{12}: too loud in winter; backtest: 3 alerts, 0.1 a day$/,
    );
  });

  it("goes back to the file's version, and lets go of a rule that stands in no file", () => {
    const { book, restart } = open();
    book.put("high", data(high, threshold(60)), ann);
    book.put("own", data(high, { id: "own" }), ann);
    expect(
      restart()
        .rules()
        .map(({ id }) => id),
    ).toEqual(["high", "trial", "own"]);
    expect(book.remove("high", ann)).toMatchObject({ rule: { version: high.version }, change: undefined });
    expect(book.remove("own", ann)).toEqual({ removed: true });
    for (const one of [book, restart()]) expect(one.rules()).toEqual([high, trial]);
    expect(book.versions("high", 10).items.map(({ what }) => what)).toEqual(["removed", "changed"]);
    expect(book.remove("high", ann)).toMatchObject({
      refused: { why: "conflict", detail: expect.stringContaining("air.yaml") },
    });
    expect(book.remove("own", ann)).toMatchObject({ refused: { why: "missing" } });
  });

  it("promotes a shadow rule, once", () => {
    const { book } = open();
    expect(book.promote("trial", ann)).toMatchObject({ rule: { mode: "live" }, change: { what: "promoted" } });
    expect(book.promote("trial", { by: "bob", reason: "me, too" })).toMatchObject({
      refused: {
        why: "conflict",
        detail: expect.stringMatching(/live already\. ann promoted it at 2026.*too loud in winter/),
      },
    });
    expect(book.promote("none", ann)).toMatchObject({ refused: { why: "missing" } });
  });

  it("refuses a change of a version that is not the one in force, and says who was first", () => {
    const { book } = open();
    expect(book.put("high", data(high, threshold(50)), { ...ann, ifVersion: high.version })).toHaveProperty("rule");
    const second = book.put("high", data(high, threshold(70)), { by: "bob", reason: "no", ifVersion: high.version });
    expect(second).toMatchObject({
      refused: {
        why: "conflict",
        detail: expect.stringMatching(/not .*\. ann changed it at 2026.*: too loud in winter/),
      },
    });
    expect(book.remove("high", { ...ann, ifVersion: high.version })).toMatchObject({ refused: { why: "conflict" } });
    expect(above(book.rules()[0]!)).toBe(50);
  });

  it("refuses what is no rule, and rules that contradict each other", () => {
    const { book } = open();
    expect(book.put("high", { id: "high" }, ann)).toMatchObject({ refused: { why: "invalid" } });
    const wrong = book.put("high", data(high, threshold(Number.NaN)), ann);
    expect(wrong).toMatchObject({ refused: { errors: [{ pointer: expect.stringMatching(/^\/condition/) }] } });
    expect(book.put("other", data(high), ann)).toMatchObject({
      refused: { detail: expect.stringContaining('not "other"') },
    });
    book.put("high", data(high, { inhibits: [{ rule: "trial" }] }), ann);
    const cycle = book.put("trial", data(trial, { inhibits: [{ rule: "high" }] }), ann);
    expect(cycle).toMatchObject({
      refused: { errors: [{ detail: expect.stringContaining("a cycle, high -> trial -> high") }] },
    });
    expect(book.rules()[1]).toEqual(trial);
  });

  it("does not let go of a rule that another names", () => {
    const { book } = open();
    book.put("own", data(high, { id: "own" }), ann);
    book.put("high", data(high, { inhibits: [{ rule: "own" }] }), ann);
    expect(book.remove("own", ann)).toMatchObject({ refused: { why: "invalid" } });
  });

  it("goes on with rules that have become levels of another: who names them means it, who changed one keeps it", () => {
    const load = aRule({
      id: "load",
      formerly: "load-80",
      ...threshold(80),
      levels: [
        { above: 100, formerly: "load-100", severity: "critical" },
        { above: 120, severity: "critical", formerly: "load-120" },
      ],
    });
    const { book, restart, records } = open([high, load]);
    const own = data(high, { id: "own", inhibits: [{ rule: "load-120", where: "sensor" }] });
    expect(book.put("own", own, ann)).toMatchObject({ rule: { inhibits: [{ rule: "load", where: "sensor" }] } });
    expect(book.entry("load-100")).toMatchObject({ rule: { id: "load" } });
    // What people had made of one of them.
    const change = { at: T0, by: "ann", what: "changed", reason: "x" } as const;
    records.ruleChanges.add({ ...change, rule: "load-80", data: data(high, { id: "load-80", ...threshold(70) }) });
    const limits = () =>
      restart()
        .rules()
        .flatMap(levelRules)
        .map((rule) => `${rule.id} ${above(rule)}`);
    expect(limits()).toEqual(["high 40", "load 100", "load 120", "load-80 70", "own 40"]);
    records.ruleChanges.add({ ...change, rule: "load-120", data: data(high, { id: "load-120", ...threshold(125) }) });
    expect(limits()).toEqual(["high 40", "load 100", "load-120 125", "load-80 70", "own 40"]);
    expect(restart().entry("own")).toMatchObject({ rule: { inhibits: [{ rule: "load-120" }] } });
    restart().remove("load-80", ann);
    expect(limits()).toEqual(["high 40", "load 80", "load 100", "load-120 125", "own 40"]);
  });

  it("keeps nothing of a change that changes nothing", () => {
    const { book } = open();
    book.put("high", data(high), ann);
    expect(book.versions("high", 10).items).toEqual([]);
  });

  it("uses the file's rule where a kept change cannot be read any more", () => {
    const { records, restart } = open();
    records.ruleChanges.add({
      rule: "high",
      at: T0,
      by: "ann",
      what: "changed",
      reason: "x",
      data: { id: "high" } as never,
    });
    expect(restart().rules()).toEqual([high, trial]);
  });
});
