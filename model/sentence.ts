import { REASONS, type Reason } from "./rejection.ts";

/**
 * What is said to people, as plain data: which sentence, and what it is about. How it reads, in which language and on
 * whose clocks, is decided when it is read (`messages/`): so an alert that was raised in English is read in German, and
 * "for 19 h" is right whenever it is read.
 */
export const LANGUAGES = ["en", "de", "es"] as const;
export type Language = (typeof LANGUAGES)[number];

/** What a parameter is; `?` at the end of its name: it may be left out. A list of words: one of them. */
type Kind =
  /** As people or devices wrote it, the same in every language: a sensor's name, an example. */
  | "text"
  /** A name of `model/metrics.ts`. */
  | "metric"
  /** Some of those names. */
  | "metrics"
  | "amount"
  | "number"
  /** A number with all its digits: what somebody entered. */
  | "exact"
  /** Of things: decides between one and several. */
  | "count"
  /** 0.3 is 30 %. */
  | "share"
  /** Epoch milliseconds. */
  | "time"
  /** A UTC day, as the epoch milliseconds it begins at. */
  | "day"
  /** Milliseconds. */
  | "span"
  /** The length of an aligned window in milliseconds: an hour and a day have words of their own. */
  | "window"
  /** Why a message was refused: a key of `REASONS`. */
  | "reason"
  | "list"
  | "sentence"
  | readonly string[];

/** A value with what names its unit. `of`: the metric; `unit`: where it is another. `share`, `tag`: of which rating of the sensor it is so much. */
export type Amount = {
  readonly value: number;
  readonly of?: string | undefined;
  readonly unit?: string | undefined;
  readonly share?: number | undefined;
  readonly tag?: string | undefined;
};

const SIDE = ["above", "below"] as const;
const DIRECTION = ["rise", "fall"] as const;
/** Whose place it is. */
const PLACE = ["own", "city", "unknown"] as const;
/** Discharge lamps come back with a ramp. */
const RESTART = ["cold", "plain"] as const;
const MEASURED = { metric: "metric", where: "text", value: "amount" } as const;

/** Every sentence and its parameters. Each language has all of them, or it does not compile. */
export const SENTENCES = {
  /** Somebody's own words. */
  text: { text: "text" },
  /** Of a rule of the default set that is titled as it was delivered. */
  "rule.title": { rule: "text" },
  "rule.advice": { rule: "text" },

  /** `since`: it has been so since then; `counts`: it is said once that has lasted so long. */
  threshold: {
    ...MEASURED,
    at: "time",
    side: SIDE,
    limit: "amount",
    "because?": "sentence",
    "since?": "time",
    "counts?": "span",
    "window?": "window",
    "aggregate?": ["mean", "min", "max"],
  },
  /** What an index was worked out from. */
  "index.because": { metric: "metric", value: "amount" },
  "level.lowered": { ...MEASURED, at: "time", side: SIDE, limit: "amount" },
  "threshold.notHeld": { at: "time", value: "amount", held: "span" },
  /** `count` windows in a row. */
  /** `nth`: such hour or day of this year, of those `allowed` by law. */
  consecutive: {
    ...MEASURED,
    at: "time",
    window: "window",
    limit: "amount",
    count: "count",
    "nth?": "number",
    "allowed?": "number",
  },
  change: {
    metric: "metric",
    where: "text",
    direction: DIRECTION,
    by: "amount",
    from: "amount",
    fromAt: "time",
    to: "amount",
    at: "time",
    limit: "amount",
    within: "span",
  },
  silence: { where: "text", since: "time", after: "span" },
  "silence.value": { metric: "metric", where: "text", since: "time", after: "span" },
  "silence.heard": { at: "time" },
  "silence.valueBack": { at: "time" },
  rejections: { where: "text", reason: "reason", count: "count", within: "span", at: "time", example: "text" },
  "rejections.values": {
    metric: "metric",
    where: "text",
    count: "count",
    within: "span",
    at: "time",
    example: "text",
  },
  "rejections.ended": { at: "time", count: "count" },
  "rejections.valuesEnded": { at: "time", count: "count" },
  /** `low` and `high` where the values are not all the same. `lowest`: it counts only if its neighbours are not low, too. */
  flatline: {
    ...MEASURED,
    meaning: ["stuck", "lowest"],
    since: "time",
    count: "count",
    "tolerance?": "amount",
    "low?": "amount",
    "high?": "amount",
  },
  "flatline.ended": { at: "time", value: "amount" },
  spike: {
    ...MEASURED,
    at: "time",
    before: "amount",
    after: "amount",
    limit: "amount",
    count: "count",
    within: "span",
  },
  "spike.ended": { at: "time", within: "span" },
  anomaly: {
    ...MEASURED,
    at: "time",
    window: "window",
    count: "count",
    side: SIDE,
    usual: "amount",
    low: "amount",
    high: "amount",
  },
  /** `since`: what versions before have written has none. */
  "anomaly.newNormal": { at: "time", value: "amount", "since?": "time" },
  /** `value` stands at `at`; the limit is expected at `likely`, between `from` and `to`. */
  forecast: {
    ...MEASURED,
    at: "time",
    side: SIDE,
    limit: "amount",
    likely: "time",
    from: "time",
    to: "time",
    trend: "amount",
    per: ["hour", "day"],
    over: "span",
  },
  "forecast.ended": { at: "time", value: "amount" },
  "forecast.reached": { at: "time", value: "amount", limit: "amount" },
  "forecast.overdue": { at: "time", value: "amount" },
  "register.fell": { metric: "metric", where: "text", from: "amount", fromAt: "time", to: "amount", at: "time" },
  "register.rose": {
    metric: "metric",
    where: "text",
    from: "amount",
    fromAt: "time",
    to: "amount",
    at: "time",
    limit: "amount",
  },
  "register.ended": { at: "time" },
  drift: {
    ...MEASURED,
    off: "share",
    side: SIDE,
    neighbours: "count",
    days: "count",
    day: "day",
    around: "amount",
  },
  "drift.back": { day: "day" },
  "drift.noData": { day: "day" },
  "verdict.driftAlone": { neighbours: "count" },
  "verdict.driftAmong": { neighbours: "count" },
  /** `hours`: so many of the span had enough data; `days`: of this year, `allowed` by law. */
  running: {
    ...MEASURED,
    at: "time",
    span: "span",
    hours: "count",
    limit: "amount",
    days: "number",
    "allowed?": "number",
  },
  /** Of a limit that may be passed so often a year. */
  counted: { per: ["hour", "day"], nth: "number", "allowed?": "number", limit: "amount" },
  "note.daysAbove": { days: "number" },
  "note.hoursAbove": { hours: "number" },
  /** Street lights. `why`: one of the notes on lamps. */
  "lighting.dark": { where: "text", since: "time", at: "time", "value?": "amount", why: "sentence" },
  "lighting.byDay": { where: "text", since: "time", at: "time", "value?": "amount", why: "sentence" },
  "lighting.lampsOut": { where: "text", since: "time", at: "time", value: "amount", why: "sentence" },
  "lighting.switching": { where: "text", nights: "count", why: "sentence" },
  "lighting.interruption": { where: "text", since: "time", why: "sentence" },
  "lighting.onAgain": { at: "time" },
  "lighting.offAgain": { at: "time" },
  "lighting.fullAgain": { at: "time" },
  "lighting.asExpected": { at: "time" },
  "lighting.over": { at: "time", restart: RESTART },
  "lighting.newUsual": { at: "time" },
  quorum: { count: "count", watched: "count", place: "sentence", deed: "sentence", "within?": "span" },
  "quorum.ended": { at: "time", left: "count" },
  "quorum.retracted": {},
  "quorum.corrected": {},
  "place.gateway": { gateway: "text" },
  "place.district": { district: "text" },
  "place.tag": { tag: "text", value: "text", district: "text" },
  /** What each of several sensors did. */
  "deed.silent": {},
  "deed.missing": { metric: "metric" },
  "deed.stuck": { metric: "metric" },
  "deed.refused": {},
  "deed.refusedValues": { metric: "metric" },
  "deed.rule": { title: "sentence" },

  /** Beside a value: what it is evidence of. */
  "note.usual": { usual: "number", low: "number", high: "number" },
  "note.newNormal": {},
  "note.equal": { count: "count" },
  "note.within": { count: "count", low: "number", high: "number" },
  "note.trend": { trend: "number", per: ["hour", "day"], low: "number", high: "number", count: "count" },
  /** `basis`: whose place the sun is asked for; unknown: as in the last nights. */
  "note.lampsOn": { "from?": "time", basis: PLACE },
  "note.lampsOff": { "from?": "time", basis: PLACE },
  "note.lampsMissing": { missing: "share", usual: "amount", "lamps?": "count", "of?": "count" },
  "note.lampsSwitched": { edge: ["on", "off", "both"], by: "span", side: ["later", "earlier"] },
  "note.lampsUsual": {},
  "note.lampsBack": { at: "time", restart: RESTART },
  "note.lastRefused": {},
  "note.lastReading": {},
  "note.heardAgain": {},
  "note.lastValue": {},
  "note.valueAgain": {},
  "note.standsOut": {},
  "note.sinceThen": { sensor: "text" },
  "note.dayMedian": { around: "number" },

  /** The city or the sensor? `level`: the median of the neighbours. */
  "verdict.allStand": { count: "count", of: "count" },
  "verdict.floor": { value: "amount" },
  "verdict.stoodStill": { alive: "count", of: "count" },
  /** At the lowest it shows, and its neighbours (or another metric of its own) are not. */
  "verdict.stoodLow": { value: "amount", span: "span", neighbours: "count", level: "amount" },
  "verdict.stoodBeside": { value: "amount", span: "span", metric: "metric", level: "amount" },
  "verdict.register": {},
  "verdict.beyond": { count: "count", of: "count", side: SIDE, limit: "amount" },
  "verdict.moved": { count: "count", of: "count", direction: DIRECTION, level: "amount" },
  "verdict.stuck": { value: "amount", span: "span", alive: "count", of: "count" },
  "verdict.odd": { odd: "sentence", neighbours: "count", level: "amount" },
  "verdict.contradicts": { what: "sentence", "neighbours?": "count" },
  "verdict.spikeAlone": { neighbours: "count", level: "amount" },
  "verdict.allSuspect": { neighbours: "count", level: "amount" },
  "verdict.agrees": { what: "sentence" },
  /** Either value may be wrong. `wrong`: which of them is out of line with the neighbours. */
  "verdict.suspect": { what: "sentence", "wrong?": "metric" },
  "verdict.among": { neighbours: "count", level: "amount" },
  "verdict.alone": { neighbours: "count", level: "amount" },
  "verdict.fewNeighbours": { neighbours: "count" },
  "verdict.unsettled": { moved: "count", of: "count", direction: DIRECTION, level: "amount", "beyond?": "count" },
  "verdict.unsettledStill": { standing: "count", alive: "count", of: "count", level: "amount" },
  "verdict.nothingKnown": {},
  /** Parts of a verdict. */
  "odd.range": { value: "amount" },
  "odd.sentinel": { value: "number" },
  "sibling.particles": { coarse: "amount", fine: "amount" },
  "sibling.vehicles": { length: "amount" },
  "sibling.jam": { speedFrom: "amount", speedTo: "amount", occupancyFrom: "amount", occupancyTo: "amount" },
  "sibling.power": { voltage: "amount", current: "amount", power: "amount" },
  "sibling.load": { metric: "metric", from: "amount", to: "amount" },

  "late.retracted": {},
  "late.corrected": {},
  "late.confirmed": {},
  "late.goesOn": {},
  "why.notHeld": {},
  "why.noData": {},
  /** Nothing watches it any more. */
  "end.unwatched": {},
  "end.ruleChanged": {},
  "end.ruleDeleted": {},
  "end.nowLevel": { title: "sentence" },
  "end.ruleFailed": { error: "text" },
  "end.sensorRemoved": {},
  "end.sensorChanged": {},
  "end.anew": {},

  /** It comes and goes; told once, before what it says. */
  flaps: {},
  /** People corrected readings, or took a correction back. `change`: one of those below. */
  corrected: { id: "text", change: "sentence", from: "time", to: "time", reason: "text" },
  "corrected.revoked": { id: "text", reason: "text" },
  "corrected.andOthers": { newest: "sentence", others: "count" },
  "change.invalid": { "metrics?": "metrics" },
  "change.value": { "metrics?": "metrics", value: "exact" },
  "change.factor": { "metrics?": "metrics", factor: "exact", "offset?": "exact" },
  "change.shift": { by: "span", side: ["later", "earlier"] },
  /** Why nobody is told. */
  "suppressed.silence": { kind: ["silence", "maintenance"], id: "number", reason: "text", by: "text" },
  "suppressed.rule": { alert: "text", place: "text" },
  "suppressed.flapping": { changes: "count", within: "span" },
  escalated: { to: "text", after: "span" },
  /** Of a target that is tried out. */
  "test.title": {},
  "test.works": { target: "text" },
  /** Of the service itself. `reason`: in English, for whoever runs it. */
  "service.trouble": { part: "text" },
  "service.well": {},
  "books.title": {},
  "books.advice": {},
  "books.balance": {},

  /** When it is read: how long it has lasted, and what the value is by now. */
  "status.now": { value: "amount", span: "span" },
  "status.newest": { value: "amount", at: "time", span: "span" },
  "status.open": { span: "span" },
  /** Since the last reading or value, which is before the alert. */
  "status.silent": { span: "span" },
  "status.lasted": { span: "span" },

  "ended.value": { at: "time", value: "amount" },
  "ended.noData": { at: "time" },
  ended: { at: "time" },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Kind>>>>;

export type SentenceKey = keyof typeof SENTENCES;

/** As it is kept and sent. What another version of the service has written may have a key or a parameter more. */
export type Sentence = { readonly key: string; readonly params: Readonly<Record<string, unknown>> };

type Given<K> = K extends "text" | "metric"
  ? string
  : K extends "reason"
    ? Reason
    : K extends "amount"
      ? Amount
      : K extends "list" | "metrics"
        ? readonly string[]
        : K extends "sentence"
          ? Sentence
          : K extends readonly (infer Word)[]
            ? Word
            : number;

type Optional<Name> = Name extends `${infer Bare}?` ? Bare : never;
type Required<Name> = Name extends `${string}?` ? never : Name;

/** The params of a sentence, each as `As` makes it of its kind. */
export type ParamsAs<K extends SentenceKey, As extends "given" | "shown"> = {
  readonly [Name in keyof (typeof SENTENCES)[K] as Required<Name>]: Made<(typeof SENTENCES)[K][Name], As>;
} & {
  readonly [Name in keyof (typeof SENTENCES)[K] as Optional<Name>]?: Made<(typeof SENTENCES)[K][Name], As> | undefined;
};
type Made<K, As extends "given" | "shown"> = As extends "given" ? Given<K> : Shown<K>;

/** A moment as a language says it: "at 14:24", "since 14:24", "to 14:24", "14:24". */
export type Moment = { readonly at: string; readonly since: string; readonly until: string; readonly text: string };

/** `is`: whether it has a word of its own. */
export type WindowWords = { readonly is: "hour" | "day" | "span"; readonly text: string };

/** As the sentence of a language gets it: in words, but for counts and for the words to choose by. */
type Shown<K> = K extends "count"
  ? number
  : K extends "time"
    ? Moment
    : K extends "window"
      ? WindowWords
      : K extends readonly (infer Word)[]
        ? Word
        : string;

/** The one way to make a sentence: one without a parameter does not compile. */
export function say<K extends SentenceKey>(key: K, params: ParamsAs<K, "given">): Sentence {
  return { key, params };
}

/** What an alert says to people, beside the values it rests on. */
export type Says = {
  readonly title: Sentence;
  /** What, where, how much, since when, against which limit; then what ended or changed it. */
  readonly explanation: readonly Sentence[];
  readonly verdict?: Sentence | undefined;
  readonly advice?: Sentence | undefined;
};

/** What an alert says at most: the first sentence, and the newest of what came after. */
const EXPLANATION_MAX = 6;

/** Sentences and more of them. */
export function withSentences(former: readonly Sentence[], ...more: readonly Sentence[]): readonly Sentence[] {
  const [first, ...rest] = [...former, ...more];
  return first ? [first, ...rest.slice(1 - EXPLANATION_MAX)] : [];
}

const DEPTH_MAX = 3;
/** Of a text that is the same in every language. */
const TEXT_MAX = 500;

/** What somebody wrote, as a parameter. */
export const asText = (text: string): string => (text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX - 1)}…` : text);
const LIST_MAX = 20;

/**
 * What is wrong with a sentence that came from a disk or a network; undefined: nothing. Sentences of this program are
 * checked by the compiler.
 */
export function flawOf(sentence: Sentence, depth = 0): string | undefined {
  const kinds = Object.hasOwn(SENTENCES, sentence.key)
    ? (SENTENCES[sentence.key as SentenceKey] as Readonly<Record<string, Kind>>)
    : undefined;
  if (!kinds) return `there is no sentence "${sentence.key}"`;
  if (depth > DEPTH_MAX) return `"${sentence.key}" is nested too deep`;
  for (const [name, kind] of Object.entries(kinds)) {
    const bare = name.replace(/\?$/, "");
    const value = Object.hasOwn(sentence.params, bare) ? sentence.params[bare] : undefined;
    if (value === undefined && bare !== name) continue;
    if (value === undefined) return `"${sentence.key}" has no ${bare}`;
    if (!isOfKind(value, kind, depth)) return `${bare} of "${sentence.key}" is no ${String(kind)}`;
  }
  return undefined;
}

function isOfKind(value: unknown, kind: Kind, depth: number): boolean {
  if (typeof kind === "object") return kind.includes(value as string);
  if (kind === "reason") return typeof value === "string" && Object.hasOwn(REASONS, value);
  if (kind === "text" || kind === "metric") return typeof value === "string" && value.length <= TEXT_MAX;
  if (kind === "list" || kind === "metrics")
    return Array.isArray(value) && value.length <= LIST_MAX && value.every((one) => typeof one === "string");
  if (kind === "amount") return Number.isFinite((value as Amount | null)?.value);
  if (kind !== "sentence") return Number.isFinite(value);
  const { key, params } = value as Sentence;
  return typeof key === "string" && typeof params === "object" && !flawOf(value as Sentence, depth + 1);
}
