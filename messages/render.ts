import { type Amount, flawOf, type ParamsAs, SENTENCES, type Sentence, type SentenceKey } from "../model/sentence.ts";
import {
  amountText,
  dayText,
  exactText,
  formsFor,
  momentOf,
  numberText,
  type Reader,
  spanText,
  windowWords,
} from "./format.ts";
import type { Pack } from "./pack.ts";

/** A sentence in a language; undefined for one that this version does not know, or that lacks a parameter. */
export function renderIn(pack: Pack, sentence: Sentence, reader: Reader): string | undefined {
  if (flawOf(sentence)) return undefined;
  const key = sentence.key as SentenceKey;
  const kinds: Readonly<Record<string, unknown>> = SENTENCES[key];
  const shown: Record<string, unknown> = {};
  for (const [name, kind] of Object.entries(kinds)) {
    const bare = name.replace(/\?$/, "");
    const value = sentence.params[bare];
    if (value !== undefined) shown[bare] = shownAs(kind, value, pack, reader);
  }
  const write = pack.sentences[key] as (params: ParamsAs<SentenceKey, "shown">, forms: unknown) => string | undefined;
  return write(shown as ParamsAs<SentenceKey, "shown">, formsFor(pack, reader));
}

/** Sentence after sentence; those that cannot be said are left out. */
export const renderAll = (pack: Pack, sentences: readonly Sentence[], reader: Reader): string =>
  sentences.flatMap((one) => renderIn(pack, one, reader) ?? []).join(" ");

function shownAs(kind: unknown, value: unknown, pack: Pack, reader: Reader): unknown {
  switch (kind) {
    case "metric":
      return (pack.metrics as Readonly<Record<string, string>>)[value as string] ?? value;
    case "metrics":
      return new Intl.ListFormat(pack.locale).format(
        (value as readonly string[]).map((name) => String(shownAs("metric", name, pack, reader))),
      );
    case "exact":
      return exactText(value as number, pack, reader);
    case "reason":
      return (pack.reasons as Readonly<Record<string, string>>)[value as string];
    case "amount":
      return amountText(value as Amount, pack, reader);
    case "number":
      return numberText(value as number, pack, reader);
    case "share":
      return `${numberText((value as number) * 100, pack, reader)} %`;
    case "time":
      return momentOf(value as number, pack, reader);
    case "day":
      return dayText(value as number, pack, reader);
    case "span":
      return spanText(value as number, pack, reader);
    case "window":
      return windowWords(value as number, pack, reader);
    case "list":
      return new Intl.ListFormat(pack.locale).format(value as readonly string[]);
    case "sentence":
      return renderIn(pack, value as Sentence, reader) ?? "";
    default:
      return value;
  }
}
