import { describe, expect, it } from "vitest";
import { wordsOf } from "../../alerts/channels/channel.ts";
import { loadRules } from "../../alerts/rules/check.ts";
import { titleOf } from "../../alerts/says.ts";
import { numberText, type Reader, spanText } from "../../messages/format.ts";
import { PACKS, render } from "../../messages/messages.ts";
import { sourceIn, tellAlert } from "../../messages/tell.ts";
import type { Alert } from "../../model/alert.ts";
import { isDerived } from "../../model/metrics.ts";
import { REASON_NAMES } from "../../model/rejection.ts";
import { levelRules } from "../../model/rule.ts";
import { LANGUAGES, type Language, SENTENCES, type Sentence, type SentenceKey, say } from "../../model/sentence.ts";
import { HOUR_MS, MINUTE_MS } from "../../model/time.ts";
import { goldenCases, transitionsOf } from "../helpers/golden.ts";

const NOW = Date.parse("2026-11-21T13:24:00Z");
const reader = (locale: Language, now = NOW): Reader => ({ locale, zone: "Europe/Vienna", now });
/** What is left over when something was forgotten. */
const BROKEN = /undefined|null|NaN|\[object|\$\{|{}| {2}| ,|\.\.|\(\)/;
/** Words of English that neither of the others has. */
const ENGLISH = /\b(?:the|was|at|above|below|since|with|its|it|ended|of)\b/;

/** Every value and choice of words at least once; and, where something must be there, without all that may be left out. */
function variantsOf(key: SentenceKey): Sentence[] {
  const kinds = Object.entries(SENTENCES[key] as Readonly<Record<string, unknown>>);
  const bare = kinds.filter(([name]) => !name.endsWith("?"));
  const variant = (of: typeof kinds, i: number): Sentence => ({
    key,
    params: Object.fromEntries(
      of.map(([name, kind]) => [name.replace("?", ""), valuesOf(kind)[i % valuesOf(kind).length]]),
    ),
  });
  const longest = Math.max(1, ...kinds.map(([, kind]) => valuesOf(kind).length));
  const full = Array.from({ length: longest }, (_, i) => variant(kinds, i));
  return bare.length === 0 || bare.length === kinds.length ? full : [...full, ...full.map((_, i) => variant(bare, i))];
}

function valuesOf(kind: unknown): readonly unknown[] {
  if (Array.isArray(kind)) return kind;
  const values: Readonly<Record<string, readonly unknown[]>> = {
    text: ["Station 4"],
    metric: ["no2", "europeanAqi", "lampState"],
    metrics: [["no2", "pm25"], ["no2"]],
    exact: [0.5556, -17.7778],
    amount: [
      { value: 61.5, of: "no2" },
      { value: 5, of: "europeanAqi" },
      { value: 640, of: "current", share: 1.2, tag: "ratedCurrent" },
      { value: 9, of: "speed", share: 0.5, tag: "ownTag" },
      { value: -0.0001, of: "temperature" },
    ],
    number: [12.345, -3],
    count: [1, 3],
    share: [0.35],
    time: [NOW - 10 * MINUTE_MS, NOW - 400 * 24 * HOUR_MS],
    day: [NOW - 48 * HOUR_MS],
    span: [40_000, 70 * MINUTE_MS, 25 * HOUR_MS, 1_008 * HOUR_MS],
    window: [HOUR_MS, 24 * HOUR_MS, 10 * MINUTE_MS],
    list: [["a", "b"]],
    reason: REASON_NAMES,
    sentence: [say("text", { text: "something" })],
  };
  return values[kind as string]!;
}

describe.each(LANGUAGES)("every sentence in %s", (locale) => {
  it.each(Object.keys(SENTENCES) as SentenceKey[])("%s", (key) => {
    for (const one of variantsOf(key)) {
      const sentence = key.startsWith("rule.") ? { key, params: { rule: "eu-no2-alert" } } : one;
      const text = render(sentence, reader(locale));
      expect(text, JSON.stringify(sentence)).toMatch(/\S/);
      expect(text, JSON.stringify(sentence)).not.toMatch(BROKEN);
    }
  });
});

describe("the rules of the default set", () => {
  // The words of a level are those of the rule that it was.
  const rules = loadRules()
    .flatMap(levelRules)
    .map((rule) => ({ id: String(titleOf(rule).params.rule), title: rule.title, advice: rule.advice }));

  it("are known by title and advice as they are delivered: `messages/*/rules.ts` has the others", () => {
    const missing = rules.filter(({ id, title, advice }) => {
      const told = render(say("rule.title", { rule: id }), reader("en"));
      return told !== title || render(say("rule.advice", { rule: id }), reader("en")) !== advice;
    });
    expect(missing.map(({ id, title }) => `${id}: ${title}`)).toEqual([]);
  });

  it.each(["de", "es"] as const)("are translated to %s", (locale) => {
    for (const { id, title, advice } of rules) {
      expect(render(say("rule.title", { rule: id }), reader(locale)), id).not.toBe(title);
      const told = render(say("rule.advice", { rule: id }), reader(locale));
      if (advice !== undefined) expect(told ?? "", id).not.toBe(advice);
      if (advice !== undefined) expect(told, id).toBeDefined();
    }
  });
});

describe.each(["de", "es"] as const)("where limits come from in %s", (locale) => {
  const sources = loadRules()
    .flatMap(levelRules)
    .map(({ source }) => source.text);

  it("is said of every default rule, and of no other", () => {
    const known = Object.keys(PACKS[locale].sources);
    expect(sources.filter((text) => !known.includes(text))).toEqual([]);
    expect(known.filter((text) => !sources.includes(text))).toEqual([
      "sent by an admin to try out this target",
      "Lamppost watches itself",
    ]);
  });

  it("a city's own source stays as it was written", () => {
    for (const own of ["Decree 12", "constructor"]) expect(sourceIn(PACKS[locale], own)).toBe(own);
  });
});

describe("the grammar of counts and spans", () => {
  const one = (key: SentenceKey, params: Record<string, unknown>, locale: Language) =>
    render({ key, params: { ...variantsOf(key)[0]!.params, ...params } }, reader(locale));

  it("one thing is not several", () => {
    const PLURAL =
      /\b1 (?:days|neighbours agree|Tagen|Tage|sind|standen|bewegten|días|siguen|variaron|percentage points)\b/;
    for (const key of Object.keys(SENTENCES) as SentenceKey[])
      for (const locale of LANGUAGES) {
        const counts = Object.entries(SENTENCES[key] as Readonly<Record<string, unknown>>).filter(
          ([, k]) => k === "count",
        );
        const params = Object.fromEntries(counts.map(([name]) => [name.replace("?", ""), 1]));
        expect(one(key, params, locale) ?? "", `${key} ${locale}`).not.toMatch(PLURAL);
      }
  });

  it("days after a German preposition are in the dative", () => {
    const days = 3 * 24 * HOUR_MS;
    for (const [key, name] of [
      ["change", "within"],
      ["forecast", "over"],
      ["silence", "after"],
      ["spike.ended", "within"],
      ["verdict.stuck", "span"],
      ["escalated", "after"],
    ] as const)
      expect(one(key, { [name]: days }, "de"), key).toContain("3 Tagen");
  });

  it("a difference of percentages is said in points, also of one", () => {
    const by = (value: number) => ({ by: { value, of: "relativeHumidity" } });
    expect(one("change", by(25), "en")).toContain("by 25 percentage points,");
    expect(one("change", by(1), "de")).toContain("um 1 Prozentpunkt ");
    expect(one("change", by(25), "es")).toContain("25 puntos porcentuales");
  });

  it("the last hours of Spain are feminine, its days are not", () => {
    expect(one("forecast", { over: 2 * HOUR_MS }, "es")).toContain("en las últimas 2 h");
    expect(one("forecast", { over: 21 * 24 * HOUR_MS }, "es")).toContain("en los últimos 21 días");
  });
});

/** The alerts of every golden case, one of each rule and state. */
const told = new Map<string, Alert>();
for (const name of goldenCases())
  for (const { alert, entry } of transitionsOf(name))
    told.set(`${alert.rule.id} ${alert.state}`, { ...alert, handling: "open", timeline: [entry] });

describe.each(LANGUAGES)("what a reader asks of an alert in %s", (locale) => {
  const pack = PACKS[locale];

  it.each([...told])("%s", (_, alert) => {
    const now = (alert.firedAt ?? alert.startedAt) + 95 * MINUTE_MS;
    const at = reader(locale, now);
    const text = tellAlert(pack, alert, at);
    const { subject, facts } = wordsOf({ id: "n", at: now, what: "firing", alert }, { reader: at });
    const all = `${subject} ${text.explanation} ${facts.map((fact) => fact.join(": ")).join(" ")}`;
    expect(all).not.toMatch(BROKEN);
    // What a device is told of its message is in English, like what device makers read.
    const example = alert.says!.explanation.map(({ params }) => String(params.example ?? "")).join("");
    if (locale !== "en") expect(`${text.explanation.replace(example, "")} ${text.verdict ?? ""}`).not.toMatch(ENGLISH);
    // What and where.
    expect(subject).toContain(text.title);
    expect(all).toContain(alert.subject.sensorId ?? alert.subject.gateway ?? alert.subject.district);
    // How bad: the value with its unit, or the count.
    const number = alert.value === undefined ? undefined : numberText(alert.value, pack, at);
    // Lights are told of by what they did, in shares and times.
    const isLight = alert.says!.explanation[0]!.key.startsWith("light");
    if (number !== undefined && alert.state === "firing" && !isLight) expect(text.explanation).toContain(number);
    // Since when, and how long by now.
    expect(all).toMatch(/\d\d:\d\d/);
    const { key, params } = alert.says!.explanation[0]!;
    const since = key.startsWith("silence") ? (params.since as number) : alert.startedAt;
    const span = spanText(now - since, pack, at);
    if (alert.state === "firing") expect(text.explanation).toContain(span);
    // The limit and where it comes from.
    const isOfMetric = alert.metric !== undefined && !isDerived(alert.metric) && alert.unit !== "min";
    const type = alert.says!.explanation[0]!.key;
    if (isOfMetric && (type === "threshold" || type === "consecutive" || type === "forecast"))
      expect(text.explanation).toContain(numberText(alert.limit!, pack, at));
    expect(all).toContain(sourceIn(pack, alert.rule.source));
    // What to do, where the rule says it.
    if (alert.says!.advice) expect(all).toContain(render(alert.says!.advice, at));
  });
});
