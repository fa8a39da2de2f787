import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkRules, formatMistake, readRulesTexts } from "../../../alerts/rules/check.ts";

const rule = (id: string, rest = "") =>
  `  - { id: ${id}, title: A rule, kind: air, metric: no2, condition: { type: threshold, above: 3 }, severity: info, audience: crews, source: { text: test }${rest} }\n`;
const quorum = (id: string, of: string) =>
  `  - { id: ${id}, title: A rule, kind: air, condition: { type: quorum, rule: ${of} }, severity: info, audience: crews, source: { text: test } }\n`;
const mistakes = (yaml: string, known?: ReadonlySet<string>) =>
  checkRules([{ file: "a.yaml", text: `rules:\n${yaml}` }], known).mistakes.map(formatMistake);

describe("what rules say about each other", () => {
  it("accepts an inhibition without a cycle, also over files and of a rule in force", () => {
    const a = { file: "a.yaml", text: `rules:\n${rule("one", ", inhibits: [{ rule: two }, { rule: three }]")}` };
    const b = { file: "b.yaml", text: `rules:\n${rule("two", ", inhibits: [{ rule: three }]")}` };
    const c = { file: "c.yaml", text: `rules:\n${rule("three")}` };
    expect(checkRules([a, b, c]).mistakes).toEqual([]);
    expect(checkRules([a, b], new Set(["three"])).mistakes).toEqual([]);
  });

  it.each([
    ["maps in maps", "{".repeat(49) + "}".repeat(49)],
    ["lists", "[[a]: 1]"],
    ["keys of keys", `${"? ".repeat(40)}a`],
    ["aliases", "a: &x {b: 1}\n*x : 2"],
  ])("refuses keys that are no text, before anything makes a text of them: %s", (_, text) => {
    const { mistakes } = checkRules([{ file: "a.yaml", text }]);
    expect(mistakes[0]?.message).toBe("a key must be a text, not a list, a map or an alias");
  });

  it("refuses an unknown rule where it is named", () => {
    const [first, ...rest] = mistakes(rule("one", ", inhibits: [{ rule: oen }]"));
    expect(first).toMatch(/^a\.yaml:2:\d+: inhibits\.0\.rule: there is no rule "oen": check its spelling/);
    expect(rest).toEqual([]);
    expect(mistakes(quorum("many", "gone"))).toEqual([
      expect.stringMatching(/^a\.yaml:2:\d+: condition\.rule: there is no rule "gone"/),
    ]);
  });

  it("speaks of the mistake of a rule, not of the rules that name it", () => {
    const wrong = rule("two").replace("above: 3", "above: high");
    expect(mistakes(rule("one", ", inhibits: [{ rule: two }]") + wrong)).toEqual([
      expect.stringMatching(/^a\.yaml:3:\d+: condition\.above: /),
    ]);
  });

  it("refuses each cycle of inhibition once, with its steps", () => {
    const step = (id: string, to: string) => rule(id, `, inhibits: [{ rule: ${to} }]`);
    const found = mistakes(step("x", "a") + step("a", "b") + step("b", "c") + step("c", "a") + step("d", "d"));
    expect(found).toHaveLength(2);
    expect(found[0]).toMatch(/^a\.yaml:3:\d+: inhibits: a cycle, a -> b -> c -> a/);
    expect(found[1]).toMatch(/^a\.yaml:6:\d+: inhibits: a cycle, d -> d/);
  });

  it("refuses a quorum of quorums, and the same id twice", () => {
    const text = rule("base") + quorum("many", "base") + quorum("more", "many") + rule("base");
    expect(mistakes(text)).toEqual([
      expect.stringMatching(/^a\.yaml:5:\d+: rule id "base" is already used at a\.yaml:2/),
      expect.stringMatching(/^a\.yaml:4:\d+: condition\.rule: "many" is a quorum/),
    ]);
  });
});

describe("files and folders", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "lamppost-check-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("reads a folder's rules and leaves out tests of rules and other files", () => {
    for (const name of ["b.yml", "a.yaml", "a.test.yaml", "notes.md"]) writeFileSync(join(folder, name), "rules: []\n");
    expect(readRulesTexts([folder]).map(({ file }) => file)).toEqual([join(folder, "a.yaml"), join(folder, "b.yml")]);
  });

  it("says what is not there", () => {
    const gone = join(folder, "gone.yaml");
    expect(checkRules(readRulesTexts([gone, folder])).mistakes.map(formatMistake)).toEqual([
      `${gone}:1:1: there is no such file or folder`,
      `${folder}:1:1: there are no .yaml files in this folder`,
    ]);
  });
});
