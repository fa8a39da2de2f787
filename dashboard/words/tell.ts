import { signal } from "@preact/signals";
import type { AlertView } from "../../contract/alert.ts";
import type { Pack } from "../../messages/pack.ts";
import { renderIn } from "../../messages/render.ts";
import { type Current, sourceIn, type Told, tellAlert } from "../../messages/tell.ts";
import type { Sentence } from "../../model/sentence.ts";
import { sensors } from "../live/live.ts";
import { type Language, language } from "../shell/preferences.ts";
import { clock } from "./time.tsx";
import { zone } from "./zone.ts";

const LOAD: Readonly<Record<Language, () => Promise<Pack>>> = {
  en: async () => (await import("../../messages/en.ts")).en,
  de: async () => (await import("../../messages/de.ts")).de,
  es: async () => (await import("../../messages/es.ts")).es,
};

/** What alerts say in the language chosen; undefined until it is there: then they say it in English. */
const pack = signal<Pack | undefined>(undefined);
let asked: Language | undefined;

function packNow(): Pack | undefined {
  const wanted = language.value;
  if (asked !== wanted) {
    asked = wanted;
    void LOAD[wanted]().then(
      (loaded) => {
        if (asked === wanted) pack.value = loaded;
      },
      // Asked for again with what is shown next; until then it is English.
      () => {
        if (asked === wanted) asked = undefined;
      },
    );
  }
  return pack.value?.language === wanted ? pack.value : undefined;
}

type ToldView = Pick<AlertView, "explanation" | "startedAt"> & {
  readonly rule: { readonly title: string };
  readonly subject?: AlertView["subject"] | undefined;
} & Partial<Pick<AlertView, "says" | "verdict" | "state" | "resolvedAt" | "metric" | "value" | "evidence">>;

/** An alert in the reader's language, on the city's clocks, with how long it has lasted and what the value is by now. */
export function tell(alert: ToldView): Told {
  const { says, rule, explanation, verdict, state = "firing", evidence = [] } = alert;
  const words = says && packNow();
  if (!words) return { title: rule.title, explanation, ...(verdict && { verdict: verdict.why }) };
  const times = {
    startedAt: Date.parse(alert.startedAt),
    resolvedAt: alert.resolvedAt === undefined ? undefined : Date.parse(alert.resolvedAt),
  };
  const reader = { locale: language.value, zone: zone.value, now: clock.value };
  return tellAlert(
    words,
    { ...alert, state, evidence, ...times },
    reader,
    state === "firing" ? currentOf(alert) : undefined,
  );
}

/** Only what it is called: for lists. */
export function titleOf({ says, rule }: Pick<ToldView, "says" | "rule">): string {
  const words = says && language.value !== "en" ? packNow() : undefined;
  return (words && says && renderIn(words, says.title, { locale: language.value, zone: zone.value })) || rule.title;
}

/** Where a limit comes from. */
export function sourceOf({ source }: AlertView["rule"]): string {
  const words = packNow();
  return words ? sourceIn(words, source) : source;
}

/** A note of the service in the reader's language; what people wrote as they wrote it. */
export function noteOf({ note, says }: { readonly note?: string; readonly says?: Sentence }): string | undefined {
  const words = says && packNow();
  const reader = { locale: language.value, zone: zone.value, now: clock.value };
  return (words && says && renderIn(words, says, reader)) || note;
}

function currentOf({ subject, metric }: ToldView): Current | undefined {
  const latest = subject?.sensorId === undefined ? undefined : sensors.value.get(subject.sensorId)?.latest;
  if (!latest || metric === undefined) return undefined;
  const values = latest.values as Readonly<Record<string, number | undefined>>;
  const earlier = latest.earlier as Readonly<Record<string, { value: number; measuredAt: string }>> | undefined;
  const found =
    values[metric] === undefined ? earlier?.[metric] : { value: values[metric], measuredAt: latest.measuredAt };
  return found && { value: found.value, at: Date.parse(found.measuredAt) };
}
