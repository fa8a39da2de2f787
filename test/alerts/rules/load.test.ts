import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadRules, parseRules, RuleMistakes, versionOf } from "../../../alerts/rules/check.ts";
import { levelRules } from "../../../model/rule.ts";
import { aRule } from "../builders.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lamppost-rules-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string) => writeFileSync(join(folder, name), text);

function mistakes(): string[] {
  try {
    loadRules(folder);
    return [];
  } catch (error) {
    if (!(error instanceof RuleMistakes)) throw error;
    return error.message.split("\n");
  }
}

/** One rule as YAML; `change` replaces lines of it. */
const yaml = (change: Record<string, string | undefined> = {}) => {
  const fields: Record<string, string | undefined> = {
    id: "hot",
    title: "Hot",
    kind: "air",
    metric: "temperature",
    condition: "{ type: threshold, above: 40 }",
    severity: "warning",
    audience: "operators",
    source: "{ text: a test }",
    ...change,
  };
  const lines = Object.entries(fields).filter(([, value]) => value !== undefined);
  return lines.map(([key, value], i) => `${i === 0 ? "  - " : "    "}${key}: ${value}\n`).join("");
};

describe("loading rules", () => {
  it("reads all files of a folder, in order, and gives each rule a version", () => {
    write("b.yml", `rules:\n${yaml({ id: "second" })}`);
    write("a.yaml", `rules:\n${yaml({ id: "first" })}`);
    write("notes.txt", "not rules");
    const rules = loadRules(folder);
    expect(rules.map(({ id }) => id)).toEqual(["first", "second"]);
    expect(rules[0]).toMatchObject({ mode: "live", condition: { above: 40, aggregate: "mean", capture: 0.75 } });
    expect(rules[0]!.version).toMatch(/^[0-9a-f]{12}$/);
  });

  it("the version follows the content, not its order", () => {
    const rule = aRule({ metric: "o3", condition: { type: "threshold", above: 180 } });
    const { version, ...data } = rule;
    const reversed = Object.fromEntries(Object.entries(data).reverse()) as typeof data;
    expect(versionOf(reversed)).toBe(version);
    expect(versionOf({ ...data, title: "Another title" })).not.toBe(version);
  });

  it("names every mistake of every file at once, each with its place", () => {
    write("a.yaml", `rules:\n${yaml({ metric: "pm2.5", severity: "bad" })}${yaml({ id: "Hot!", colour: "red" })}`);
    write("b.yaml", `rules:\n${yaml({ id: "x", audience: undefined })}`);
    write("c.yaml", "rules:\n  - id: [unclosed\n");
    write("d.yaml", "sensors: []\n");
    const found = mistakes();
    expect(found).toHaveLength(8);
    expect(found[0]).toMatch(/^a\.yaml:5:13: metric: "pm2\.5" is not a metric; known: pm25 /);
    expect(found[1]).toMatch(/^a\.yaml:7:15: severity: /);
    expect(found[2]).toMatch(/^a\.yaml:10:9: id: an id is 1 to 64/);
    expect(found[3]).toBe('a.yaml:18:5: "colour" is not known here: remove it or check its spelling');
    expect(found[4]).toBe("b.yaml:2:5: audience: is missing");
    expect(found[5]).toMatch(/^c\.yaml:3:1: /);
    expect(found[6]).toMatch(/^d\.yaml:1:1: "sensors" is not known here/);
    expect(found[7]).toMatch(/^d\.yaml:1:1: a rules file is a map with a list/);
  });

  it("refuses an id that is used twice, in whatever files", () => {
    write("a.yaml", `rules:\n${yaml()}`);
    write("b.yaml", `rules:\n${yaml()}`);
    expect(mistakes()).toEqual(['b.yaml:2:9: rule id "hot" is already used at a.yaml:2: choose another']);
  });

  it.each([
    [
      "{ type: threshold, above: 40, clear: 45 }",
      "condition.clear: clear is on the wrong side: it must be at or below `above`",
    ],
    [
      "{ type: threshold, below: 40, clear: 35 }",
      "condition.clear: clear is on the wrong side: it must be at or above `below`",
    ],
    ["{ type: threshold, above: { tag: a, times: 1 }, clear: 4 }", "condition.clear: clear must use the same tag"],
    ["{ type: threshold, above: { tag: a, times: 1 }, clear: { tag: a, times: 2 } }", "clear is on the wrong side"],
    ["{ type: threshold, above: 40, below: 20 }", "exactly one of above and below"],
    ["{ type: threshold }", "exactly one of above and below"],
    ["{ type: threshold, above: .inf }", "condition.above: a limit is a number"],
    ["{ type: threshold, above: 40, for: 10 minutes }", "condition.for: write a whole number and s, m, h or d"],
    ["{ type: threshold, above: 40, for: 8d }", "from 1s to 7d"],
    ["{ type: threshold, above: 40, window: 7m }", "condition.window: a window is 1m to 1d and divides the day"],
    ["{ type: consecutive, above: 40, count: 3, window: 2d }", "condition.window: a window is 1m to 1d"],
    ["{ type: consecutive, above: 40, count: 0, window: 1h }", "condition.count: "],
    ["{ type: consecutive, above: 40, count: 49, window: 1h }", "condition.count: "],
    ["{ type: consecutive, above: 40, window: 1h }", "condition.count: is missing"],
    [
      "{ type: quorum, rule: another-one }",
      "metric: a quorum rule watches the alerts of another rule: leave metric out",
    ],
    ["{ type: magic }", "condition.type is one of threshold, consecutive, silence, rejections, change"],
    ["{ type: threshold, above: 40, capture: 1.5 }", "condition.capture: "],
  ])("refuses %s", (condition, message) => {
    write("a.yaml", `rules:\n${yaml({ condition })}`);
    expect(mistakes().join("\n")).toContain(message);
    expect(mistakes()[0]).toMatch(/^a\.yaml:[2-9]:/);
  });

  it.each([
    [{ metric: "voltage" }, '"voltage" is not sent by air sensors; choose one of: pm25'],
    [{ kind: "any" }, '"temperature" is not sent by every kind of sensor; choose one of: battery'],
    [{ metric: undefined }, "metric is missing: which value is compared?"],
    [{ metric: "__proto__" }, '"__proto__" is not a metric'],
    [{ kind: "any", metric: undefined, condition: "{ type: silence, after: 14m }" }, "from 15m to 7d"],
    [{ source: "{ text: a test, url: 'javascript:alert(1)' }" }, "source.url: "],
    [{ select: "{ district: North }" }, "select.district: "],
  ])("refuses %j", (change, message) => {
    write("a.yaml", `rules:\n${yaml(change as Record<string, string>)}`);
    expect(mistakes().join("\n")).toContain(message);
  });

  it("stops an alias bomb, a file that is too large and too many rules", () => {
    const layer = (name: string, of: string) => `${name}: &${name} [${Array(9).fill(`*${of}`).join(",")}]\n`;
    const bomb = `a: &a [x]\n${layer("b", "a")}${layer("c", "b")}${layer("d", "c")}${layer("e", "d")}rules: [*e]\n`;
    expect(parseRules(bomb, "bomb.yaml").mistakes[0]!.message).toMatch(/alias/i);
    write("a.yaml", `# ${"x".repeat(1024 * 1024)}`);
    expect(mistakes()).toEqual(["a.yaml:1:1: the file is larger than 1 MiB: split it"]);
    write("a.yaml", `rules:\n${Array.from({ length: 1001 }, (_, i) => yaml({ id: `r-${i}` })).join("")}`);
    expect(mistakes().join()).toContain("1001 rules; at most 1000 are allowed");
  });
});

describe("the default rules", () => {
  it("load, have distinct ids, and each says where its limit comes from", () => {
    const rules = loadRules();
    expect(rules.length).toBeGreaterThan(25);
    expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
    for (const { id, source } of rules)
      expect(source.text, id).toMatch(/Directive|EN 50160|IEC|IRIS|European Environment Agency|ractice/);
    expect(new Set(rules.map(({ audience }) => audience))).toEqual(new Set(["operators", "crews"]));
  });

  it("hold the figures of the directives", () => {
    const table = loadRules()
      .flatMap(levelRules)
      .flatMap(({ id, formerly = id, metric, condition }) =>
        condition.type === "consecutive" && id.startsWith("eu")
          ? [`${formerly} ${metric} ${condition.above} ${condition.count} x ${condition.window}`]
          : [],
      );
    expect(table).toEqual([
      "eu-no2-information no2 150 1 x 1h",
      "eu-no2 no2 200 1 x 1h",
      "eu-no2-alert no2 200 3 x 1h",
      "eu2008-no2-alert no2 400 3 x 1h",
      "eu-so2-information so2 275 1 x 1h",
      "eu-so2 so2 350 1 x 1h",
      "eu-so2-alert so2 350 3 x 1h",
      "eu2008-so2-alert so2 500 3 x 1h",
      "eu-o3-information o3 180 1 x 1h",
      "eu-o3-alert o3 240 1 x 1h",
      "eu-pm25 pm25 25 1 x 1d",
      "eu-pm25-alert pm25 50 1 x 1d",
      "eu-pm10 pm10 45 1 x 1d",
      "eu-pm10 pm10 50 1 x 1d",
      "eu-pm10-alert pm10 90 1 x 1d",
    ]);
  });
});
