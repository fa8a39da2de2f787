import type { Limit, RuleCondition } from "../../model/conditions.ts";
import { type RuleMetric, wordsOf } from "../../model/metrics.ts";
import type { RuleData } from "../../model/rule.ts";
import { conditionAt } from "../../model/rule-levels.ts";
import { language } from "../shell/preferences.ts";
import { districtName } from "../words/words.ts";
import { messages } from "./messages.ts";

type Condition<Type extends RuleCondition["type"]> = Extract<RuleCondition, { type: Type }>;
type Clauses = { readonly fires: string; readonly ends: string; readonly also?: string };
type RuleSubject = { readonly metric: RuleMetric | undefined };

/** The whole rule in one plain paragraph: when it fires, when it ends, whom it watches, whom it tells. */
export function describeRule(rule: RuleData): string {
  const t = messages.value.ruleWords;
  const { ends, also } = clausesOf(rule);
  const tells = rule.mode === "shadow" ? t.tells.shadow : t.tells[rule.audience];
  return [describeWhen(rule), also, t.ends(ends), t.watches(describeWatched(rule)), tells].filter(Boolean).join(" ");
}

/** Only when it fires, and at which levels: for a list. */
export function describeWhen(rule: RuleLimits): string {
  const { ruleWords: t, words } = messages.value;
  const levels = (rule.levels ?? []).map((level) => {
    const { fires } = clausesOf({ metric: rule.metric, condition: conditionAt(rule.condition, level) });
    return t.level(words.severity[level.severity], fires);
  });
  return [t.fires(clausesOf(rule).fires), ...levels].join(" ");
}

/** Its limit in short: "> 200 µg/m³"; undefined for a rule that has none. */
export function describeRuleLimit({ condition, metric, levels = [] }: RuleLimits): string | undefined {
  const limits = [condition, ...levels.map((level) => conditionAt(condition, level))].map((one) =>
    describeOneLimit({ condition: one, metric }),
  );
  return limits.includes(undefined) ? undefined : limits.join(", ");
}

type RuleLimits = Pick<RuleData, "condition" | "metric" | "levels">;

function describeOneLimit({ condition, metric }: RuleLimits): string | undefined {
  const about = { metric };
  if ("above" in condition && condition.above !== undefined) return `> ${describeLimit(condition.above, about)}`;
  if ("below" in condition && condition.below !== undefined) return `< ${describeLimit(condition.below, about)}`;
  if (condition.type === "change")
    return `${condition.rise === undefined ? "−" : "+"} ${describeAmount(condition.rise ?? condition.fall ?? 0, about)}`;
  if (condition.type === "register") return `≤ ${describeLimit(condition.maxPower, { metric: "activePower" })}`;
  return undefined;
}

function clausesOf({ condition, metric }: Pick<RuleData, "condition" | "metric">): Clauses {
  const say = CLAUSES[condition.type] as (condition: RuleCondition, about: RuleSubject) => Clauses;
  return say(condition, { metric });
}

const CLAUSES: {
  readonly [Type in RuleCondition["type"]]: (condition: Condition<Type>, about: RuleSubject) => Clauses;
} = {
  threshold(condition, about) {
    const t = messages.value.ruleWords;
    const up = condition.above !== undefined;
    const limit = condition.above ?? condition.below ?? 0;
    const subject = condition.window === undefined ? t.plain(nameOf(about)) : describeWindow(condition, about);
    const back = describeLimit(condition.clear ?? limit, about);
    const kept = describeHeld(condition.keepFor);
    return {
      fires: (up ? t.above : t.below)(subject, describeLimit(limit, about), describeHeld(condition.for)),
      ends: up ? t.atMost(back, kept) : t.atLeast(back, kept),
    };
  },
  consecutive(condition, about) {
    const t = messages.value.ruleWords;
    const limit = describeLimit(condition.above, about);
    const subject = describeWindow({ ...condition, aggregate: "mean" }, about);
    return { fires: t.above(subject, limit, "", describeRow(condition)), ends: t.windowBack(limit) };
  },
  silence({ after }, { metric }) {
    const t = messages.value.ruleWords;
    const span = describeSpan(after);
    return { fires: metric ? t.missing(nameOf({ metric }), span) : t.silent(span), ends: t.heardAgain };
  },
  rejections({ count, within, keepFor = within }, { metric }) {
    const t = messages.value.ruleWords;
    const span = describeSpan(within);
    return {
      fires: metric ? t.refusedValues(count, nameOf({ metric }), span) : t.refused(count, span),
      ends: t.taken(describeSpan(keepFor)),
    };
  },
  change({ rise, fall, within, keepFor }, about) {
    const t = messages.value.ruleWords;
    const by = describeAmount(rise ?? fall ?? 0, about);
    return {
      fires: (rise === undefined ? t.falls : t.rises)(nameOf(about), by, describeSpan(within)),
      ends: keepFor === undefined ? t.noChange : t.calm(describeSpan(keepFor)),
    };
  },
  flatline({ after, samples, tolerance, floor, ceiling }, about) {
    const t = messages.value.ruleWords;
    const near = tolerance > 0 ? describeAmount(tolerance, about) : "";
    const edge = (value: number | undefined) => (value === undefined ? "" : describeAmount(value, about));
    const ignored = floor !== undefined || ceiling !== undefined;
    return {
      fires: t.stuck(nameOf(about), describeSpan(after), samples, near),
      ends: t.moves,
      ...(ignored ? { also: t.ignores(edge(floor), edge(ceiling)) } : {}),
    };
  },
  spike({ above, count, within }, about) {
    const t = messages.value.ruleWords;
    const span = describeSpan(within);
    return { fires: t.spike(count, nameOf(about), describeAmount(above, about), span), ends: t.spikesOver(span) };
  },
  anomaly(condition, about) {
    const t = messages.value.ruleWords;
    const { sigmas, side, season, atLeast } = condition;
    const subject = describeWindow({ ...condition, aggregate: "mean" }, about);
    const least = atLeast > 0 ? describeAmount(atLeast, about) : "";
    return {
      fires: t.unusual(subject, describeNumber(sigmas), side, season, least, describeRow(condition)),
      ends: t.usualAgain,
    };
  },
  forecast({ above, below, within, over }, about) {
    const t = messages.value.ruleWords;
    const limit = describeLimit(above ?? below ?? 0, about);
    const say = above === undefined ? t.willBeBelow : t.willBeAbove;
    return { fires: say(nameOf(about), limit, describeSpan(within), describeSpan(over)), ends: t.trendGone };
  },
  register({ maxPower }, about) {
    const t = messages.value.ruleWords;
    return {
      fires: t.register(nameOf(about), describeLimit(maxPower, { metric: "activePower" })),
      ends: t.registerBack,
    };
  },
  drift({ ratio, for: span, neighbours, radiusKm }, about) {
    const t = messages.value.ruleWords;
    return {
      fires: t.drift(nameOf(about), describeShare(ratio), describeSpan(span), neighbours, radiusKm),
      ends: t.driftBack,
    };
  },
  running({ above, over }, about) {
    const t = messages.value.ruleWords;
    const limit = describeLimit(above, about);
    return { fires: t.running(nameOf(about), limit, describeSpan(over)), ends: t.atMost(limit, "") };
  },
  lighting({ fault, share = 0.1, tolerance = "15m", nights = 3, ...rest }) {
    const t = messages.value.ruleWords;
    const span = describeSpan(
      rest.for ?? { dark: "15m", "lamps-out": "30m", "by-day": "1h" }[fault as string] ?? "15m",
    );
    const fires = {
      dark: t.lightsDark(span),
      "lamps-out": t.lightsOut(describeShare(share), span),
      "by-day": t.lightsByDay(span),
      switching: t.lightsSwitched(describeSpan(tolerance), nights),
      interruption: t.lightsInterrupted,
    }[fault];
    return { fires, ends: fault === "interruption" ? t.lightsBack : t.lightsAsExpected };
  },
  quorum({ rule, by, count, share, within }) {
    const t = messages.value.ruleWords;
    const where = typeof by === "string" ? by : by.tag;
    const near = within === undefined ? "" : describeSpan(within);
    return { fires: t.quorum(count, describeShare(share), rule, where, near), ends: t.quorumOver };
  },
};

function describeWatched({ kind, select = {} }: RuleData): string {
  const t = messages.value.ruleWords;
  const tags = Object.entries(select.tag ?? {}).map(([name, value]) => `${name} = ${value}`);
  const without = Object.entries(select.without ?? {}).map(([name, value]) => `${name} = ${value}`);
  const parts = [
    t.who[kind],
    select.district === undefined ? "" : t.inDistrict(describeList([select.district].flat().map(districtName))),
    tags.length === 0 ? "" : t.tagged(describeList(tags)),
    without.length === 0 ? "" : t.untagged(describeList(without)),
    select.sensor === undefined ? "" : t.only(describeList([select.sensor].flat())),
  ];
  return parts.filter(Boolean).join(" ");
}

type Unit = "s" | "m" | "h" | "d";
const UNITS = { s: "second", m: "minute", h: "hour", d: "day" } as const;

/** "90m" in parts; what is no span of time is shown as it is. */
function partsOf(span: string): { readonly count: number; readonly unit: Unit } {
  return { count: Number.parseInt(span, 10), unit: span.slice(-1) as Unit };
}

/** "10m" is "10 minutes", "10 Minuten", "10 minutos". */
function describeSpan(span: string): string {
  const { count, unit } = partsOf(span);
  return new Intl.NumberFormat(language.value, { style: "unit", unit: UNITS[unit], unitDisplay: "long" }).format(count);
}

function describeWindow(
  { window, aggregate }: { window?: string | undefined; aggregate: string },
  about: RuleSubject,
): string {
  const { count, unit } = partsOf(window ?? "1h");
  return messages.value.ruleWords.windowed(aggregate, count, unit, nameOf(about));
}

function describeRow({ count, window }: { count: number; window: string }): string {
  const parts = partsOf(window);
  return count === 1 ? "" : messages.value.ruleWords.row(count, parts.count, parts.unit);
}

function describeLimit(limit: Limit, about: RuleSubject): string {
  const t = messages.value.ruleWords;
  if (typeof limit === "number") return describeAmount(limit, about);
  return limit.times === 1 ? t.tag(limit.tag) : t.share(describeShare(limit.times), limit.tag);
}

/** A value with its unit; the classes of an index have none. */
function describeAmount(value: number, { metric }: RuleSubject): string {
  if (metric === "europeanAqi") return messages.value.ruleWords.aqiClass(value);
  const { unit } = metric === undefined ? { unit: "" } : wordsOf(metric);
  // Not rounded: it is the rule's own number.
  return [describeNumber(value), unit].filter(Boolean).join(" ");
}

const nameOf = ({ metric }: RuleSubject): string => (metric === undefined ? "" : messages.value.metrics[metric]);
const describeHeld = (span: string | undefined) =>
  span === undefined ? "" : messages.value.ruleWords.held(describeSpan(span));
const describeNumber = (value: number) =>
  new Intl.NumberFormat(language.value, { maximumFractionDigits: 6 }).format(value);
const describeShare = (share: number) => new Intl.NumberFormat(language.value, { style: "percent" }).format(share);
const describeList = (items: readonly string[]) => new Intl.ListFormat(language.value).format(items);

export const describePercent = (share: number): string =>
  new Intl.NumberFormat(language.value, { style: "percent" }).format(share);
/** Few alerts a day are told apart, too. */
export const describeRate = (rate: number): string =>
  new Intl.NumberFormat(language.value, { maximumFractionDigits: rate >= 10 ? 0 : rate >= 1 ? 1 : 2 }).format(rate);
