import type { Language, Sentence } from "../model/sentence.ts";
import { de } from "./de.ts";
import { en } from "./en.ts";
import { es } from "./es.ts";
import type { Reader } from "./format.ts";
import type { Pack } from "./pack.ts";
import { renderAll, renderIn } from "./render.ts";

/** Every language. The page loads only its own. */
export const PACKS: Readonly<Record<Language, Pack>> = { en, de, es };

/** A sentence as someone reads it; undefined for one that this version does not know, or that lacks a parameter. */
export const render = (sentence: Sentence, reader: Reader): string | undefined =>
  renderIn(PACKS[reader.locale], sentence, reader);

/** For the records and for programs: English, with times in full. Nothing in it becomes untrue later. */
export const recordText = (sentences: readonly Sentence[], zone = "UTC"): string =>
  renderAll(en, sentences, { locale: "en", zone });
