import type { Alert, Notice, Severity, Verdict } from "../model/alert.ts";
import type { RuleMetric } from "../model/metrics.ts";
import type { Reason } from "../model/rejection.ts";
import type { Language, Moment, ParamsAs, SentenceKey } from "../model/sentence.ts";

/** Numbers inside a sentence, as the language writes them. */
export type Forms = {
  readonly number: (value: number) => string;
  /** "3 sensors", "1 sensor": with the number. */
  readonly many: (count: number, one: string, several: string) => string;
};

type Say<K extends SentenceKey> = (params: ParamsAs<K, "shown">, forms: Forms) => string | undefined;

/** What is around an alert in a message. */
export type NoticeWords = {
  /** Before the severity: nothing for a new one. */
  readonly happened: Readonly<Record<Notice["what"], string>>;
  readonly severity: Readonly<Record<Severity, string>>;
  readonly verdict: Readonly<Record<Verdict["is"], string>>;
  readonly kind: Readonly<Record<Alert["kind"], string>>;
  readonly facts: Readonly<
    Record<
      "where" | "since" | "until" | "verdict" | "corrected" | "incident" | "advice" | "source" | "zone" | "alert",
      string
    >
  >;
  readonly lateReading: (sensor: string, measured: Moment) => string;
  /** `alerts`: two or more, this one among them. */
  readonly ofIncident: (alerts: number, firing: number) => string;
  readonly digest: (count: number, parts: string) => string;
  readonly fresh: string;
  readonly more: (count: number) => string;
  readonly open: string;
};

/** What the rules of the default set are called and advise, by their ids. A rule that people have changed says its own. */
export type RuleTexts = { readonly title: string; readonly advice?: string };

/** A language: every sentence, and the words that parameters are said with. One that is missing does not compile. */
export type Pack = {
  readonly language: Language;
  /** Whose way of writing numbers and days it is. */
  readonly locale: string;
  readonly sentences: { readonly [K in SentenceKey]: Say<K> };
  readonly metrics: Readonly<Record<RuleMetric, string>>;
  readonly reasons: Readonly<Record<Reason, string>>;
  /** The classes of the European air quality index, best first. */
  readonly airQuality: readonly string[];
  readonly airQualityClass: (number: string, name: string) => string;
  /** Units that are words; the others are international. */
  readonly units: Readonly<Record<string, string>>;
  /** "80 % of its rated current": the ratings that the default rules use have words, others are called as the tag is. */
  readonly shareOf: (percent: string, tag: string) => string;
  /** Where limits of the default rules come from, by the words of their files. */
  readonly sources: Readonly<Record<string, string>>;
  readonly notices: NoticeWords;
  readonly days: readonly [one: string, several: string];
  /** `date`: left out for the reader's today. `zone`: where the clock shows this time twice, or the reader may be anywhere. */
  readonly moment: (time: string, date: string | undefined, zone: string | undefined) => Moment;
};
