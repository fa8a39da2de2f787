import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as rules from "../../cli/rules.ts";
import { gatherFailIf, holding } from "../../cli/rules-backtest.ts";
import { runCli } from "./run-cli.ts";

const rule = (above: number) =>
  `rules: [{ id: hot, title: Hot, kind: air, metric: temperature, condition: { type: threshold, above: ${above} }, severity: info, audience: operators, source: { text: test } }]\n`;
const line = (minute: number, temperature: number) =>
  JSON.stringify({
    sensorId: "s-1",
    kind: "air",
    district: "north",
    measuredAt: new Date(Date.UTC(2026, 0, 5, 0, minute)).toISOString(),
    temperature,
  });
const TESTS = `rules: old.yaml
tests:
  - name: a hot hour
    sensors: [{ id: s-1, kind: air, district: north }]
    readings: [{ sensor: s-1, every: 10m, temperature: 20 47 20 }]
    expect: [{ what: firing, at: +10m }, { what: resolved, at: +20m }]
`;

let folder: string;
const path = (name: string) => join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lamppost-cli-"));
  writeFileSync(path("old.yaml"), rule(45));
  writeFileSync(path("new.yaml"), rule(30));
  const values = [20, 47, 20, ...Array(20).fill(20), 35, 20];
  writeFileSync(path("feed.ndjson"), values.map((value, i) => line(i * 10, value)).join("\n"));
  writeFileSync(path("old.test.yaml"), TESTS);
});
afterEach(() => rmSync(folder, { recursive: true }));

const diff = (...args: string[]) =>
  runCli(
    rules,
    "rules",
    "diff",
    path("old.yaml"),
    path("new.yaml"),
    "--recording",
    path("feed.ndjson"),
    "--mapping",
    "native",
    ...args,
  );

it("shows what a change would have added, and fails where it was told to", async () => {
  const { code, out } = await diff();
  expect(code).toBe(0);
  expect(out.split("\n")[0]).toBe("25 readings: 1 added, 0 removed, 0 moved, 1 unchanged");
  expect(out).toMatch(/^\+ {2}2026-01-05 03:50 {2}2026-01-05 04:00 {2}hot {3}s-1/m);
  const failed = await diff("--fail-if", "added>0", "--fail-if", "removed>0", "--json");
  expect(failed.code).toBe(1);
  expect(JSON.parse(failed.out)).toMatchObject({
    counts: { added: 1, removed: 0, moved: 0, unchanged: 1, alerts: 2 },
    failed: ["added>0 (added is 1)"],
    added: [{ startedAt: "2026-01-05T03:50:00.000Z" }],
  });
  expect((await diff("--fail-if", "more>0")).code).toBe(2);
});

describe("--fail-if", () => {
  const parse = gatherFailIf(["added", "removed"]);

  it.each([
    ["added>0", []],
    ["added >= 0", ["added >= 0 (added is 0)"]],
    ["removed==3", ["removed==3 (removed is 3)"]],
    ["removed!=3", []],
    ["removed<3.5", ["removed<3.5 (removed is 3)"]],
    ["removed<=2", []],
  ])("%s", (text, expected) => {
    expect(holding(parse(text), { added: 0, removed: 3 })).toEqual(expected);
  });

  it.each(["added", "added=0", "added>-1", ">0", "moved>0"])("refuses %s", (text) => {
    expect(() => parse(text)).toThrow(/Such as "added>0"; it may be about added, removed/);
  });
});

it("rules mutate names what no test notices", async () => {
  const { code, out } = await runCli(rules, "rules", "mutate", path("old.yaml"), "--tests", path("old.test.yaml"));
  expect(code).toBe(1);
  expect(out).toMatch(/^\d+ changes, \d+ noticed, \d+ not$/m);
  expect(out).toMatch(/^ {2}hot {2}condition\.above 45 -> 40\.5$/m);
  expect(out).not.toMatch(/condition\.above 45 -> 49\.5/);
});
