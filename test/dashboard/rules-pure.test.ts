import { join } from "node:path";
import { Text } from "@codemirror/state";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { checkRules, readRulesTexts } from "../../alerts/rules/check.ts";
import type { BacktestAlertView, BacktestView } from "../../contract/backtest.ts";
import type { RuleView } from "../../contract/rule.ts";
import { de } from "../../dashboard/messages/de.ts";
import { en } from "../../dashboard/messages/en.ts";
import { es } from "../../dashboard/messages/es.ts";
import { messages } from "../../dashboard/messages/messages.ts";
import { describeRule } from "../../dashboard/messages/rule-words.ts";
import { applyFilters, readFilters } from "../../dashboard/rules/filters.ts";
import { type Comparison, lanesOf, linesOf } from "../../dashboard/rules/history.ts";
import { TEMPLATES, templateYaml, writeRuleYaml } from "../../dashboard/rules/rule-yaml.ts";
import { completionsAt, type Schema } from "../../dashboard/rules/yaml-completion.ts";
import { offsetOf } from "../../dashboard/rules/yaml-editor.tsx";
import { language } from "../../dashboard/shell/preferences.ts";
import { diffBacktests } from "../../model/backtest.ts";
import { type Rule, type RuleData, ruleSchema } from "../../model/rule.ts";

const { rules } = checkRules(readRulesTexts([join(import.meta.dirname, "../../alerts/rules")]));
const bare = ({ version: _, ...data }: Rule): RuleData => data;

describe("a rule as YAML", () => {
  it("says what the rule says, for every rule of the default set", () => {
    expect(rules.length).toBeGreaterThan(80);
    for (const rule of rules) expect(parse(writeRuleYaml(rule))).toEqual({ rules: [bare(rule)] });
  });

  it("keeps words that YAML would take for something else", () => {
    const hard = {
      title: "no",
      advice: "- a: 'b' # \"c\"\nd\t{e}",
      select: { tag: { on: "1e3", "a b": "null", x: "" } },
    };
    const rule = { ...bare(rules[0]!), ...hard, source: { text: "*: yes" } } as RuleData;
    expect(parse(writeRuleYaml(rule))).toEqual({ rules: [rule] });
  });

  it.each(TEMPLATES)("the template %s has no mistakes", (name) => {
    const known = new Set(rules.map(({ id }) => id));
    const { mistakes, rules: found } = checkRules(
      [{ file: "t", text: templateYaml(name, en.ruleEditor.newTitle, "Practice") }],
      known,
    );
    expect([mistakes, found[0]?.mode]).toEqual([[], "shadow"]);
  });
});

const EXAMPLES = {
  en: [
    "Critical when current is above 120% of the sensor's “ratedCurrent” for 15 minutes.",
    "at least 3 of the sensors that the rule “sensor-silent” watches behind one gateway, and at least 60% of them",
  ],
  de: [
    "Kritisch, wenn der Wert für Stromstärke 15 Minuten lang über 120\u00a0% von „ratedCurrent“ des Sensors liegt.",
    "mindestens 3 der Sensoren, die die Regel „sensor-silent“ hinter einem Gateway beobachtet",
  ],
  es: [
    "Crítica cuando el valor de corriente está por encima del 120\u00a0% de «ratedCurrent» del sensor durante 15 minutos.",
    "al menos 3 de los sensores que la regla «sensor-silent» vigila detrás de una pasarela",
  ],
} as const;

describe("a rule in words", () => {
  afterAll(() => {
    language.value = "en";
    messages.value = en;
  });

  it.each([
    ["en", en],
    ["de", de],
    ["es", es],
  ] as const)("has a sentence for every rule in %s, without holes", (name, words) => {
    language.value = name;
    messages.value = words;
    const sentences = rules.map(describeRule);
    for (const sentence of sentences) {
      expect(sentence).not.toMatch(/undefined|NaN|null|\[object|\{|\}| {2}| \.|\.\./);
      expect(sentence).toMatch(/^\p{Lu}.*\.$/su);
    }
    const [threshold, quorum] = EXAMPLES[name];
    expect(sentences[rules.findIndex(({ id }) => id === "transformer-load")]).toContain(threshold);
    expect(sentences[rules.findIndex(({ id }) => id === "gateway-outage")]).toContain(quorum);
  });
});

describe("completing YAML", () => {
  const schema = z.toJSONSchema(z.strictObject({ rules: z.array(ruleSchema) }), { io: "input" }) as Schema;
  /** `|` is where one types. */
  function offered(marked: string): string[] {
    const found = completionsAt(schema, marked.replace("|", ""), marked.indexOf("|"));
    return found?.options.map(({ apply, label }) => apply ?? label) ?? [];
  }
  const RULE = "rules:\n  - id: x\n    severity: info\n";

  it("offers what a map may have and does not have yet", () => {
    expect(offered("|")).toEqual(["rules:"]);
    expect(offered(`${RULE}    |\n    title: T`)).toEqual(expect.arrayContaining(["kind: ", "condition:", "advice: "]));
    expect(offered(`${RULE}    |\n    title: T`)).not.toEqual(expect.arrayContaining(["title: "]));
    expect(offered(`${RULE}    |`)).not.toContain("severity: ");
    expect(offered(`${RULE}  - |`)).toContain("severity: ");
    expect(offered("rules:\n- id: x\n  |")).toContain("severity: ");
    expect(offered(`${RULE}    inhibits:\n      - rule: y\n        |`)).toEqual(["where: "]);
  });

  it("knows the fields of the condition that is written", () => {
    const condition = `${RULE}    condition:\n      `;
    expect(offered(`${condition}type: |`)).toEqual(expect.arrayContaining(["threshold", "quorum"]));
    expect(offered(`${condition}type: silence\n      |`)).toEqual(["after: "]);
    expect(offered(`${condition}|\n      type: silence`)).toEqual(["after: "]);
    expect(offered(`${condition}type: anomaly\n      side: |`)).toEqual(["both", "above", "below"]);
  });

  it("offers values, and nothing where nothing is known", () => {
    expect(offered(`${RULE}    mode: sh|`)).toEqual(["live", "shadow"]);
    expect(offered(`${RULE}    metric: |`)).toContain("no2");
    expect(offered(`${RULE}    title: |`)).toEqual([]);
    expect(offered(`${RULE}    nothing: |`)).toEqual([]);
    expect(offered(`${RULE}    # sev|`)).toEqual([]);
  });

  it("finds the place of a mistake", () => {
    const place = (text: string, line: number, column: number) => offsetOf(Text.of(text.split("\n")), { line, column });
    expect([place("ab\ncd", 2, 2), place("ab\ncd", 2, 99), place("ab", 1, 1), place("ab", 9, 1)]).toEqual([4, 5, 0, 0]);
  });
});

describe("before and after", () => {
  const at = (hour: number) => new Date(hour * 3_600_000).toISOString();
  const alert = (sensorId: string, from: number, to?: number) =>
    ({
      id: `${sensorId}-${from}-${to}`,
      rule: { id: "r" },
      subject: { sensorId },
      state: "resolved",
      startedAt: at(from),
      firedAt: at(from),
      ...(to === undefined ? {} : { resolvedAt: at(to) }),
    }) as BacktestAlertView;
  function compare(before: BacktestAlertView[], after: BacktestAlertView[]) {
    const view = (alerts: BacktestAlertView[]) => ({ alerts }) as unknown as BacktestView;
    const comparison = { before: view(before), after: view(after), diff: diffBacktests(before, after) } as Comparison;
    const lines = linesOf(comparison);
    return { lines, lanes: lanesOf(lines, { from: 0, to: 100 * 3_600_000 }) };
  }

  it("tells what is the same, moved, removed and added, by place, most differences first", () => {
    const { lines, lanes } = compare(
      [alert("a", 1, 2), alert("b", 10, 20), alert("b", 50, 51)],
      [alert("a", 1, 2), alert("b", 11, 20), alert("b", 90)],
    );
    expect(lines.map(({ is }) => is)).toEqual(["same", "moved", "removed", "added"]);
    expect(lanes.map(({ subject, differences }) => [subject.sensorId, differences])).toEqual([
      ["b", 3],
      ["a", 0],
    ]);
    expect(lanes[0]!.after.map(({ is, to }) => [is, to / 3_600_000])).toEqual([
      ["moved", 20],
      ["added", 100],
    ]);
  });

  it("joins what is nearer than anybody can see", () => {
    const many = Array.from({ length: 50 }, (_, i) => alert("a", 10 + i * 0.1, 10.05 + i * 0.1));
    const { lanes, lines } = compare([], many);
    expect([lines.length, lanes[0]!.after.length]).toEqual([50, 1]);
  });
});

describe("the list", () => {
  const rule = (id: string, perDay: number, precision?: number) =>
    ({ id, title: id, kind: "air", mode: "live", state: "ok", stats: { alertsPerDay: perDay, precision } }) as RuleView;
  const ids = (query: string) =>
    applyFilters(
      [rule("a", 1), rule("b", 3, 0.5), rule("c", 2, 0.9)],
      readFilters(new URLSearchParams(query)),
      () => "",
    )
      .map(({ id }) => id)
      .join("");

  it("is sorted as asked; what is not known stands at the end either way", () => {
    expect([ids(""), ids("sort=perDay"), ids("sort=perDay&dir=down")]).toEqual(["abc", "acb", "bca"]);
    expect([ids("sort=precision"), ids("sort=precision&dir=down"), ids("sort=nonsense&q=B")]).toEqual([
      "bca",
      "cba",
      "b",
    ]);
  });
});
